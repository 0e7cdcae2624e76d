"""Young's modulus over a plate, with a stiff spot in it, from its noisy displacements.

Unit square in plane stress, nu = 0.3, E = 1 + 2 exp(-r^2 / 0.02) Pa with r the distance from the centre in m; E is
unknown, body force and boundary are given. The displacement is manufactured: stretched along x, with waves,
u = x + sin(pi x) sin(pi y) / 10, v = -0.3 y + sin(pi x) sin(pi y) / 20 (m). The traction on the right side sets the
scale. Both components are measured at 15 x 15 points with noise of 0.1 % of the largest.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

import pinnsolve as ps
from pinnsolve.jets import as_jet

Array = npt.NDArray[np.float64]

POISSONS_RATIO = 0.3

_SPOT, _WIDTH2 = 2.0, 0.02
"""How much stiffer the centre is, Pa, and the square of the spot's size, m2."""


def sensors() -> Array:
    """Return the places of the readings, m, shape (225, 2)."""
    places = (np.arange(15) + 0.5) / 15.0
    return np.stack(np.meshgrid(places, places, indexing="ij"), axis=-1).reshape(-1, 2)


def modulus(points: Array) -> Array:
    """Return the true E in Pa, shape (N,).

    Args:
        points: Places, m, shape (N, 2).
    """
    square = np.sum((points - 0.5) ** 2, axis=1)
    return np.asarray(1.0 + _SPOT * np.exp(-square / _WIDTH2))


def displacement(points: Array) -> Array:
    """Return the manufactured displacement in m, shape (N, 2).

    Args:
        points: Places, m, shape (N, 2).
    """
    x, y = points.T
    wave = np.sin(math.pi * x) * np.sin(math.pi * y)
    return np.stack((x + 0.1 * wave, -0.3 * y + 0.05 * wave), axis=1)


def true_modulus(x: ps.Coordinates) -> ps.Jet:
    """Return the true E in Pa as a function of the coordinates."""
    return 1.0 + _SPOT * ps.exp(-((x.x - 0.5) ** 2 + (x.y - 0.5) ** 2) / _WIDTH2)


def moved(x: ps.Coordinates) -> list[ps.Jet]:
    """Return the manufactured displacement in m as a function of the coordinates."""
    wave = ps.sin(math.pi * x.x) * ps.sin(math.pi * x.y)
    return [x.x + 0.1 * wave, -0.3 * x.y + 0.05 * wave]


def true_stress(x: ps.Coordinates) -> ps.Jet:
    """Return the true stress in Pa."""
    plate = ps.Elasticity(true_modulus, POISSONS_RATIO, plane="stress")
    return plate.stress(ps.Fields({"displacement": as_jet(moved(x), x.frame)}), x)


def body_force(x: ps.Coordinates) -> ps.Jet:
    """Return the force in N/m3 that holds the manufactured displacement."""
    return -ps.div(true_stress(x))


def pull(x: ps.Coordinates) -> ps.Jet:
    """Return the traction in Pa on the right side."""
    return ps.dot(true_stress(x), as_jet([1.0, 0.0], x.frame))


def modulus_error(found: Callable[[Array], Array]) -> float:
    """Return the relative L2 error of a modulus.

    Args:
        found: A modulus in Pa of the place in m.
    """
    axis = np.linspace(0.0, 1.0, 41)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    off = found(points) - modulus(points)
    return float(np.linalg.norm(off) / np.linalg.norm(modulus(points)))


def inverse_modulus_plate(noise: float = 0.001, noise_seed: int = 0) -> ps.Problem:
    """Find Young's modulus over a plate from displacements.

    Args:
        noise: Standard deviation of a reading, as a share of the largest displacement.
        noise_seed: Seed of the noise.
    """
    points = sensors()
    exact = displacement(points)
    sigma = noise * float(np.abs(exact).max())
    measured = exact + sigma * np.random.default_rng(noise_seed).normal(size=exact.shape)
    unknown = ps.UnknownFunction(
        "modulus",
        of={"x": (0.0, 1.0), "y": (0.0, 1.0)},
        num=11,
        initial=1.0,
        positive=True,
        unit="Pa",
        truth=true_modulus,
    )
    return ps.Problem(
        name="inverse_modulus_plate",
        domain=ps.Rectangle((0.0, 0.0), (1.0, 1.0)),
        physics=ps.Elasticity(
            youngs_modulus=unknown,
            poissons_ratio=POISSONS_RATIO,
            plane="stress",
            body_force=body_force,
        ),
        conditions=[
            *(ps.Dirichlet(part, displacement=moved) for part in ("left", "bottom", "top")),
            ps.Traction("right", vector=pull),
        ],
        measurements=ps.Measurements(
            points=points,
            values={"displacement_x": measured[:, 0], "displacement_y": measured[:, 1]},
            sigma=sigma,
        ),
        quantities=[
            ps.Quantity(
                "modulus rel. L2 error",
                lambda solution: modulus_error(solution.functions["modulus"]),
                target=0.0,
                tolerance=0.1,
                source="the modulus behind the readings",
            )
        ],
        accuracy=1e-3,
        time_budget=120.0,
        description="unknown modulus over a plate from 450 noisy displacements",
    )
