"""Periodic boxes, materials that jump, natural convection: observed orders on exact solutions, and refusals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.jets import Coordinates, Fields, Jet, as_jet
from pinnsolve.reference import NoReference, Reference, find_reference
from pinnsolve.reference.finite_difference import finite_difference
from pinnsolve.reference.grid_jumps import find_jumps, fluxes, fluxes_and_sources
from pinnsolve.reference.grids import faces_between

PI = math.pi
Errors = Callable[[ps.Problem, tuple[int, ...], int], dict[str, float]]


def periodic_rod() -> ps.Problem:
    def exact(x: Coordinates) -> Jet:
        return ps.sin(4.0 * PI * (x.x + 0.05)) * ps.exp(-16.0 * PI**2 * x.t)

    return ps.Problem(
        "periodic rod",
        ps.Interval(0.0, 0.5),
        ps.Heat(1.0, 1.0, 1.0),
        [ps.Periodic("right", "left"), ps.Initial(temperature=exact)],
        time=ps.TimeInterval(0.0, 1e-2),
        exact=lambda x: {"temperature": exact(x)},
    )


def periodic_kovasznay() -> ps.Problem:
    reynolds = 40.0
    rate = 0.5 * reynolds - math.sqrt(0.25 * reynolds**2 + 4.0 * PI**2)

    def velocity(x: Coordinates) -> list[Jet]:
        growth, angle = ps.exp(rate * x.x), 2.0 * PI * x.y
        return [1.0 - growth * ps.cos(angle), rate / (2.0 * PI) * growth * ps.sin(angle)]

    return ps.Problem(
        "periodic kovasznay",
        ps.Rectangle((-0.5, -0.5), (1.0, 0.5)),
        ps.NavierStokes(1.0, 1.0 / reynolds),
        [
            ps.Periodic("bottom", "top"),
            ps.Dirichlet("left", velocity=velocity),
            ps.Dirichlet("right", velocity=velocity),
        ],
        exact=lambda x: {
            "velocity": velocity(x),
            "pressure": 0.5 * (1.0 - ps.exp(2.0 * rate * x.x)),
        },
    )


def periodic_taylor_green() -> ps.Problem:
    viscosity = 0.05

    def velocity(x: Coordinates) -> list[Jet]:
        decay = ps.exp(-2.0 * PI**2 * viscosity * x.t)
        a, b = PI * (x.x + 0.1), PI * (x.y - 0.2)
        return [-ps.cos(a) * ps.sin(b) * decay, ps.sin(a) * ps.cos(b) * decay]

    def pressure(x: Coordinates) -> Jet:
        a, b = 2.0 * PI * (x.x + 0.1), 2.0 * PI * (x.y - 0.2)
        return -0.25 * (ps.cos(a) + ps.cos(b)) * ps.exp(-4.0 * PI**2 * viscosity * x.t)

    return ps.Problem(
        "periodic taylor green",
        ps.Rectangle((0.0, 0.0), (2.0, 2.0)),
        ps.NavierStokes(1.0, viscosity),
        [
            ps.Periodic("left", "right"),
            ps.Periodic("bottom", "top"),
            ps.Initial(velocity=velocity),
        ],
        time=ps.TimeInterval(0.0, 1.0),
        exact=lambda x: {"velocity": velocity(x), "pressure": pressure(x)},
    )


def warm_fluid(**changes: object) -> ps.Boussinesq:
    """Return a fluid of which every term of the equations takes part."""
    flow = ps.NavierStokes(1.3, 0.2, changes.pop("force", None))
    return ps.Boussinesq(flow, 0.4, 1.5, 0.8, (0.3, -2.0), 0.5, **changes)  # type: ignore[arg-type]


def natural_convection() -> ps.Problem:
    def fields(x: Coordinates) -> dict[str, object]:
        return {
            "velocity": [ps.sin(x.x) * ps.cos(2.0 * x.y), -0.5 * ps.cos(x.x) * ps.sin(2.0 * x.y)],
            "pressure": ps.sin(x.x + x.y),
            "temperature": ps.cos(1.5 * x.x) * ps.exp(0.5 * x.y),
        }

    def rows(x: Coordinates) -> dict[str, Jet]:
        jets = {name: as_jet(value, x.frame) for name, value in fields(x).items()}
        return warm_fluid().residual(Fields(jets), x)

    domain = ps.Rectangle((0.0, 0.0), (1.0, 1.0))
    sides = [
        ps.Dirichlet(
            side,
            velocity=lambda x: fields(x)["velocity"],
            temperature=lambda x: fields(x)["temperature"],
        )
        for side in domain.parts
    ]
    physics = warm_fluid(force=lambda x: rows(x)["momentum"], source=lambda x: rows(x)["energy"])
    return ps.Problem("natural convection", domain, physics, sides, exact=fields)


EDGE, LEFT, RIGHT = 0.3, 1.0, 5.0


def two_values(x: Coordinates, left: object, right: object) -> Jet:
    return ps.where(x.x.value < EDGE, left, right, frame=x.frame)


def two_materials(x: Coordinates) -> Jet:
    """Return a harmonic function on either side; values and k dT/dx agree at the edge."""
    s = PI * (x.x - EDGE)
    left, right = (ps.cosh(s) + 2.0 / k * ps.sinh(s) for k in (LEFT, RIGHT))
    return two_values(x, left, right) * ps.sin(PI * x.y + 0.3)


def two_materials_steady() -> ps.Problem:
    domain = ps.Rectangle((0.0, 0.0), (1.0, 0.8))
    return ps.Problem(
        "two materials",
        domain,
        ps.Heat(lambda temperature, x: two_values(x, LEFT, RIGHT)),
        [ps.Dirichlet(side, temperature=two_materials) for side in domain.parts],
        exact=lambda x: {"temperature": two_materials(x)},
    )


def two_materials_transient() -> ps.Problem:
    """rho c dT/dt = -rho c T, so the source is that; harmonic in space."""

    def exact(x: Coordinates) -> Jet:
        return two_materials(x) * ps.exp(-x.t)

    domain = ps.Rectangle((0.0, 0.0), (1.0, 0.8))
    return ps.Problem(
        "two materials, transient",
        domain,
        ps.Heat(
            lambda temperature, x: two_values(x, LEFT, RIGHT), 2.0, 1.0, lambda x: -2.0 * exact(x)
        ),
        [
            *(ps.Dirichlet(s, temperature=exact) for s in domain.parts),
            ps.Initial(temperature=exact),
        ],
        time=ps.TimeInterval(0.0, 0.5),
        exact=lambda x: {"temperature": exact(x)},
    )


@dataclass(frozen=True)
class Ladder:
    """A problem with three resolutions."""

    problem: Callable[[], ps.Problem]
    shapes: tuple[tuple[int, ...], ...]
    order: int = 2


LADDERS = [
    Ladder(periodic_rod, ((16,), (32,), (64,))),
    Ladder(periodic_kovasznay, ((12, 10), (24, 20), (48, 40))),
    Ladder(periodic_taylor_green, ((10, 10), (16, 16), (24, 24))),
    Ladder(natural_convection, ((8, 8), (16, 16), (32, 32))),
    Ladder(two_materials_steady, ((12, 10), (24, 20), (48, 40))),
    Ladder(two_materials_transient, ((12, 10), (24, 20), (48, 40))),
]


@pytest.mark.parametrize(
    "ladder", LADDERS, ids=lambda item: f"{item.problem.__name__}-{item.order}"
)
def test_observed_order_is_the_formal_one(ladder: Ladder, relative_errors: Errors) -> None:
    problem = ladder.problem()
    errors = [relative_errors(problem, shape, ladder.order) for shape in ladder.shapes]
    for name in problem.field_shapes:
        sizes = [shape[0] for shape in ladder.shapes]
        slope = -np.polyfit(np.log(sizes), np.log([error[name] for error in errors]), 1)[0]
        assert abs(slope - ladder.order) < 0.2, (name, [error[name] for error in errors])


def wall(**changes: object) -> ps.Problem:
    """Two layers, 0.1 m of 1 W/(m K) and 0.05 m of 0.04 W/(m K), with air on both sides."""

    def conductivity(temperature: Jet, x: Coordinates) -> Jet:
        return ps.where(x.x.value < 0.1, 1.0, 0.04, frame=x.frame)

    settings: dict[str, object] = {
        "name": "wall",
        "domain": ps.Interval(0.0, 0.15),
        "physics": ps.Heat(conductivity),
        "conditions": [
            ps.Convection("left", 8.0, ambient=20.0),
            ps.Convection("right", 25.0, ambient=-10.0),
        ],
    }
    return ps.Problem(**{**settings, **changes})  # type: ignore[arg-type]


def test_a_composite_wall_is_exact_in_one_dimension() -> None:
    """Thermal resistances in series: 1/8 + 0.1/1 + 0.05/0.04 + 1/25 m2 K/W carry 30 K."""
    found = finite_difference(wall(), shape=(12,)).evaluate([[0.0], [0.05], [0.1], [0.13], [0.15]])
    flux = 30.0 / (1.0 / 8.0 + 0.1 + 0.05 / 0.04 + 1.0 / 25.0)
    assert flux == pytest.approx(19.8019802, abs=1e-7)
    first = 20.0 - flux / 8.0
    at = [first, first - 0.05 * flux, first - 0.1 * flux]
    at += [at[2] - 0.03 * flux / 0.04, at[2] - 0.05 * flux / 0.04]
    np.testing.assert_allclose(found[:, 0], at, atol=1e-8)


def test_interfaces_hold_by_the_balances() -> None:
    inner = ps.Interval(0.0, 0.1)
    conductivity = ps.by_region({inner: 1.0}, otherwise=0.04)
    problem = wall(
        physics=ps.Heat(conductivity), conditions=[*wall().conditions, ps.Interface(inner)]
    )
    found, plain = (
        finite_difference(p, shape=(12,)).evaluate([[0.04], [0.12]]) for p in (problem, wall())
    )
    np.testing.assert_allclose(found, plain, rtol=1e-10)


def test_two_solids_in_series_are_exact() -> None:
    """A bar in tension without lateral contraction: strains are the stress over each modulus."""
    soft = ps.Rectangle((0.0, 0.0), (0.4, 0.5))
    problem = ps.Problem(
        "bar",
        ps.Rectangle((0.0, 0.0), (1.0, 0.5)),
        ps.Elasticity(ps.by_region({soft: 2.0}, otherwise=8.0), 0.0, plane="stress"),
        [
            ps.Symmetry("left"),
            ps.Symmetry("bottom"),
            ps.Traction("top"),
            ps.Traction("right", vector=[1.0, 0.0]),
            ps.Interface(soft),
        ],
    )
    found = finite_difference(problem, shape=(14, 8)).evaluate([[0.2, 0.3], [0.4, 0.1], [1.0, 0.5]])
    np.testing.assert_allclose(found, [[0.1, 0.0], [0.2, 0.0], [0.275, 0.0]], atol=1e-9)


def test_a_layer_with_a_periodic_direction_is_exact() -> None:
    problem = wall(
        domain=ps.Rectangle((0.0, 0.0), (0.15, 0.1)),
        conditions=[*wall().conditions, ps.Periodic("bottom", "top")],
    )
    found = finite_difference(problem, shape=(12, 6)).evaluate([[0.0, 0.0], [0.1, 0.033]])
    np.testing.assert_allclose(found[:, 0], [17.5247525, 15.5445545], atol=1e-7)


def test_flux_is_continuous_where_materials_meet() -> None:
    solution = finite_difference(wall(), shape=(24,))
    line = solution.evaluate(np.array([[0.1 - 1e-4], [0.1], [0.1 + 1e-4]]))[:, 0]
    assert 1.0 * (line[0] - line[1]) == pytest.approx(0.04 * (line[1] - line[2]), rel=1e-6)


def test_jumps_are_found_where_they_are_and_steep_functions_are_none() -> None:
    assert find_jumps(wall(), fluxes).edges == (pytest.approx((0.1,), abs=1e-12),)
    steep = wall(
        physics=ps.Heat(lambda temperature, x: 2.0 + ps.tanh((x.x - 0.1) / 1e-6)),
    )
    assert not find_jumps(steep, fluxes)
    assert not find_jumps(natural_convection(), fluxes_and_sources)


def test_a_source_that_jumps_keeps_the_second_order() -> None:
    """-u'' = 1 for x < 0.3, else 0; u(0) = u(1) = 0: u = 0.255 x - x^2/2, then 0.045 (1 - x)."""
    problem = ps.Problem(
        "heater",
        ps.Interval(0.0, 1.0),
        ps.Heat(1.0, source=lambda x: two_values(x, 1.0, 0.0)),
        [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=0.0)],
    )
    assert find_jumps(problem, fluxes_and_sources).edges[0] == pytest.approx((0.3,))
    found = finite_difference(problem, shape=(14,)).evaluate([[0.15], [0.3], [0.65]])[:, 0]
    np.testing.assert_allclose(found, [0.027, 0.0315, 0.01575], atol=1e-12)


def disk_in_matrix(ratio: float = 10.0, radius: float = 0.3) -> ps.Problem:
    """A disk in a matrix under a uniform far gradient; J. C. Maxwell's solution on the boundary."""

    def exact(x: Coordinates) -> Jet:
        square = x.x**2 + x.y**2
        outside = x.x + (1.0 - ratio) / (1.0 + ratio) * radius**2 * x.x / square
        return ps.where(square.value < radius**2, 2.0 / (1.0 + ratio) * x.x, outside)

    def conductivity(temperature: Jet, x: Coordinates) -> Jet:
        inside = (x.x**2 + x.y**2).value < radius**2
        return ps.where(inside, ratio, 1.0, frame=x.frame)

    domain = ps.Rectangle((-1.0, -1.0), (1.0, 1.0))
    return ps.Problem(
        "disk",
        domain,
        ps.Heat(conductivity),
        [ps.Dirichlet(side, temperature=exact) for side in domain.parts],
        exact=lambda x: {"temperature": exact(x)},
        accuracy=1e-2,
    )


def test_materials_that_meet_off_the_grid_have_an_honest_error_bar(relative_errors: Errors) -> None:
    problem = disk_in_matrix()
    assert find_jumps(problem, fluxes).off_grid
    reference = find_reference(problem, max_seconds=20.0)
    assert isinstance(reference, Reference)
    points = problem.domain.sample_interior(3000, seed=5)
    x, y = points.T
    square = np.maximum(x**2 + y**2, 1e-30)
    exact = np.where(square < 0.09, 2.0 / 11.0 * x, x - 9.0 / 11.0 * 0.09 * x / square)
    found = reference.evaluate(points)[:, 0]
    error = np.linalg.norm(found - exact) / np.linalg.norm(exact)
    assert error <= reference.error["temperature"]
    assert error < 1e-2


def test_layers_end_where_cells_end_and_refinement_cuts_cells_in_two() -> None:
    ends = np.array([0.0, 0.3, 1.0])
    coarse, fine = faces_between(ends, 14), faces_between(ends, 56)
    assert np.isin(ends, coarse).all()
    np.testing.assert_allclose(fine[::4], coarse, atol=1e-15)
    with pytest.raises(ValueError, match="need more than 8 cells"):
        faces_between(np.array([0.0, 0.1, 0.2, 1.0]), 8)


def test_order_four_does_not_cover_jumps() -> None:
    with pytest.raises(ValueError, match="order 4 needs materials and sources that do not jump"):
        finite_difference(wall(), shape=(12,), order=4)


def jumping_diffusion(f: Fields, x: Coordinates, m: object) -> Jet:
    return ps.div(two_values(x, 1.0, 5.0) * ps.grad(f.u))


def test_jumps_without_a_balance_are_refused() -> None:
    physics = ps.CustomPhysics(
        fields={"u": ()},
        equations=jumping_diffusion,
        fluxes=lambda f, x, m: {"u": two_values(x, 1.0, 5.0) * ps.grad(f.u)},
    )
    ends = [ps.Dirichlet("left", u=0.0), ps.Dirichlet("right", u=1.0)]
    found = find_reference(ps.Problem("own", ps.Interval(0.0, 1.0), physics, ends))
    assert isinstance(found, NoReference)
    assert "its materials jump, and CustomPhysics declares no single balance" in found.reason


def test_jumps_along_a_periodic_axis_are_refused() -> None:
    problem = wall(
        domain=ps.Rectangle((0.0, 0.0), (0.15, 0.1)),
        conditions=[
            ps.Periodic("left", "right"),
            ps.Dirichlet("bottom", temperature=0.0),
            ps.Dirichlet("top", temperature=1.0),
        ],
    )
    with pytest.raises(ValueError, match="materials jump along a periodic axis"):
        finite_difference(problem, shape=(12, 6))


def test_periodic_parts_of_sides_are_refused() -> None:
    plate = (
        ps.Rectangle((0.0, 0.0), (1.0, 1.0))
        .with_part("low", of="left", where=lambda p: p[:, 1] < 0.5)
        .with_part("right low", of="right", where=lambda p: p[:, 1] < 0.5)
    )
    rest = [ps.Dirichlet(p, temperature=1.0) for p in ("left", "right", "bottom", "top")]
    problem = ps.Problem("half", plate, ps.Heat(1.0), [ps.Periodic("low", "right low"), *rest])
    with pytest.raises(ValueError, match="periodic conditions must join two whole sides"):
        finite_difference(problem, shape=(8, 8))


@dataclass(frozen=True)
class Radiating(ps.Condition):
    """Heat radiated to surroundings: a condition that is not linear in the temperature."""

    part: str
    strength: float
    ambient: float

    def residual(
        self, f: Fields, x: Coordinates, normal: Jet, physics: ps.Physics
    ) -> dict[str, Jet]:
        outward = ps.dot(physics.natural_fluxes(f, x)["temperature"], normal)
        return {"temperature": outward - self.strength * (f.temperature**4 - self.ambient**4)}

    def determines(self, physics: ps.Physics, frame: object) -> frozenset[str]:
        return frozenset({"temperature"})


def test_a_bar_that_radiates_is_exact() -> None:
    """NAFEMS T2: 1000 K at one end, the other radiates to 300 K; 927.0076 K with sigma = 5.67e-8 W/(m2 K4)."""
    conditions = [
        ps.Dirichlet("left", temperature=1000.0),
        Radiating("right", 0.98 * 5.67e-8, 300.0),
    ]
    problem = ps.Problem("t2", ps.Interval(0.0, 0.1), ps.Heat(55.6), conditions)
    found = finite_difference(problem, shape=(8,)).evaluate([[0.1]])[0, 0]
    assert found == pytest.approx(927.007606, abs=1e-5)
