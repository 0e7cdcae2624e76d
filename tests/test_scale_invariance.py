"""Units and sizes do not matter: the same case in m, mm and um gives the same field, and real
materials are solved as well as their dimensionless twins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.exact_fields import exact_components
from pinnsolve.solution import component_values
from pinnsolve.training import train

UNITS = {"m": 1.0, "mm": 1e3, "um": 1e6}
"""How many of a unit make a metre."""


def heated_plate(unit: float) -> ps.Problem:
    """Conduction and convection; k in W/(length K), h in W/(length2 K)."""
    return ps.Problem(
        "plate",
        ps.Rectangle((0.0, 0.0), (0.6 * unit, 1.0 * unit)),
        ps.Heat(conductivity=52.0 / unit),
        [
            ps.Dirichlet("bottom", temperature=100.0),
            ps.Insulated("left"),
            ps.Convection("right", coefficient=750.0 / unit**2, ambient=0.0),
            ps.Convection("top", coefficient=750.0 / unit**2, ambient=0.0),
        ],
    )


def plate_under_traction(unit: float) -> ps.Problem:
    """Steel; E and traction in N/length2, displacement in lengths."""
    return ps.Problem(
        "traction",
        ps.Rectangle((0.0, 0.0), (0.3 * unit, 0.1 * unit)),
        ps.Elasticity(youngs_modulus=210e9 / unit**2, poissons_ratio=0.3, plane="stress"),
        [
            ps.Fixed("left"),
            ps.Traction("right", vector=[50e6 / unit**2, -5e6 / unit**2]),
            ps.Traction("bottom"),
            ps.Traction("top"),
        ],
    )


def quenched_rod(unit: float) -> ps.Problem:
    """Unsteady: rho c in J/(length3 K); time stays in s."""
    return ps.Problem(
        "rod",
        ps.Interval(0.0, 0.1 * unit),
        ps.Heat(35.0 / unit, density=7200.0 / unit**3, specific_heat=440.5),
        [
            ps.Dirichlet("left", temperature=0.0),
            ps.Dirichlet("right", temperature=lambda x: 100.0 * ps.sin(0.1 * x.t)),
            ps.Initial(temperature=0.0),
        ],
        time=ps.TimeInterval(0.0, 32.0),
    )


SAME = {
    "heated plate": (heated_plate, lambda unit: np.array([1.0])),
    "plate under traction": (plate_under_traction, lambda unit: np.array([unit, unit])),
    "quenched rod": (quenched_rod, lambda unit: np.array([1.0])),
}
SMALL = ps.Method(hidden=(8, 8), points=ps.PointCounts(60, 40, 20), max_steps=12)


def components_at_shares(solution: ps.Solution, shares: np.ndarray) -> np.ndarray:
    """Return the components at places given as shares of the extent along each coordinate."""
    low, high = solution.problem.bounds
    return component_values(solution, low + shares * (high - low))


@pytest.mark.parametrize("unit", ["mm", "um"])
@pytest.mark.parametrize("name", SAME)
def test_unit_of_length_changes_nothing(name: str, unit: str) -> None:
    """Points, start and steps are the same in every unit, so the fields are too, but for rounding."""
    make, factors = SAME[name]
    shares = np.random.default_rng(0).random((200, 2))
    metres, other = (
        components_at_shares(train(make(size), SMALL).solution, shares)
        for size in (1.0, UNITS[unit])
    )
    difference = np.linalg.norm(other / factors(UNITS[unit]) - metres, axis=0)
    assert (difference < 1e-6 * np.linalg.norm(metres, axis=0)).all()


def slab(length: float, conductivity: float, source: float, ambient: float) -> ps.Problem:
    """A slab between two temperatures with a source along it: quadratic along x, even across."""
    fall = source * length**2 / (2.0 * conductivity)

    def exact(x: ps.Coordinates) -> dict[str, object]:
        s = x.x / length
        return {"temperature": ambient + fall * s * (3.0 - s)}

    return ps.Problem(
        "slab",
        ps.Rectangle((0.0, 0.0), (length, length)),
        ps.Heat(conductivity, source=source),
        [
            ps.Dirichlet("left", temperature=ambient),
            ps.Dirichlet("right", temperature=ambient + 2.0 * fall),
            ps.Insulated("bottom"),
            ps.Insulated("top"),
        ],
        exact=exact,
    )


def pulled_part(length: float, modulus: float, pull: float) -> ps.Problem:
    """Plane stress, pulled along x, rollers on the left and below: ``u = p (x, -nu y) / E``."""

    def exact(x: ps.Coordinates) -> dict[str, object]:
        return {"displacement": [pull / modulus * x.x, -0.3 * pull / modulus * x.y]}

    return ps.Problem(
        "part",
        ps.Rectangle((0.0, 0.0), (length, length)),
        ps.Elasticity(youngs_modulus=modulus, poissons_ratio=0.3, plane="stress"),
        [
            ps.Symmetry("left"),
            ps.Symmetry("bottom"),
            ps.Traction("right", vector=[pull, 0.0]),
            ps.Traction("top"),
        ],
        exact=exact,
    )


def channel(height: float, speed: float, density: float, viscosity: float) -> ps.Problem:
    """Poiseuille flow with the exact velocity at the inlet and no force at the outlet."""

    def profile(x: ps.Coordinates) -> list[ps.Jet]:
        s = x.y / height
        return [4.0 * speed * s * (1.0 - s), 0.0 * s]

    def exact(x: ps.Coordinates) -> dict[str, object]:
        drop = 8.0 * viscosity * speed / height**2
        return {"velocity": profile(x), "pressure": drop * (2.0 * height - x.x)}

    return ps.Problem(
        "channel",
        ps.Rectangle((0.0, 0.0), (2.0 * height, height)),
        ps.NavierStokes(density=density, dynamic_viscosity=viscosity),
        [
            ps.Inlet("left", velocity=profile),
            ps.Outlet("right"),
            ps.NoSlip("bottom"),
            ps.NoSlip("top"),
        ],
        exact=exact,
    )


TWINS = {
    "copper of 3 mm": (slab(3e-3, 400.0, 5e9, 293.0), slab(1.0, 1.0, 2.0, 0.0)),
    "steel of 3 mm": (pulled_part(3e-3, 210e9, 100e6), pulled_part(1.0, 1.0, 1.0)),
    "water at 1 mm/s": (channel(1e-3, 1e-3, 998.0, 1e-3), channel(1.0, 1.0, 0.998, 1.0)),
}
"""A case with the numbers of real materials, and the same one with numbers of order one."""


@pytest.mark.parametrize("name", TWINS)
def test_real_materials_are_solved_like_their_dimensionless_twins(name: str) -> None:
    real, twin = (scaled_errors(problem) for problem in TWINS[name])
    assert (0.5 * twin <= real).all()
    assert (real <= 2.0 * twin).all()
    assert (twin < 1e-2).all()


def scaled_errors(problem: ps.Problem) -> np.ndarray:
    """Return the root-mean-square error of each component after a few steps, in units of its scale."""
    method = ps.Method(hidden=(8, 8), points=ps.PointCounts(100, 60), max_steps=15)
    solution = train(replace(problem, accuracy=1e-9), method).solution
    low, high = problem.bounds
    points = low + np.random.default_rng(0).random((500, 2)) * (high - low)
    error = component_values(solution, points) - exact_components(solution, points)
    return np.sqrt(np.mean(error**2, axis=0)) / solution.scaling.scale.numpy()
