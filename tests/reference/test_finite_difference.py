"""Finite differences on one grid: observed orders on exact solutions, patch tests, refusals.

Sources and tractions of manufactured problems come from the physics' own residual on exact jets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from pinnsolve.conditions import (
    Condition,
    Convection,
    Dirichlet,
    Initial,
    Inlet,
    Insulated,
    Neumann,
    NoSlip,
    Outlet,
    Symmetry,
    Traction,
)
from pinnsolve.geometry import Box, Disk, Interval, Rectangle, TimeInterval
from pinnsolve.jets import (
    Coordinates,
    Fields,
    Frame,
    Jet,
    as_jet,
    cos,
    cosh,
    dot,
    dt,
    exp,
    grad,
    laplacian,
    sin,
)
from pinnsolve.measurements import Measurements
from pinnsolve.physics import Boussinesq, CustomPhysics, Elasticity, Heat, NavierStokes, Physics
from pinnsolve.problem import Problem
from pinnsolve.reference.finite_difference import finite_difference
from pinnsolve.unknowns import Unknown

Given = Callable[[Coordinates], object]
Errors = Callable[[Problem, tuple[int, ...], int], dict[str, float]]

NORMALS = {"left": (-1.0, 0.0), "right": (1.0, 0.0), "bottom": (0.0, -1.0), "top": (0.0, 1.0)}


def flux_of(physics: Physics, name: str, exact: Given, normal: Sequence[float]) -> Given:
    """Return the natural datum of an exact field on a plane side."""

    def given(x: Coordinates) -> Jet:
        fields = Fields({name: as_jet(exact(x), x.frame)})
        return dot(physics.natural_fluxes(fields, x)[name], as_jet(list(normal), x.frame))

    return given


def steady_heat() -> Problem:
    def exact(x: Coordinates) -> Jet:
        return sin(2.0 * x.x) * cosh(1.5 * x.y) + x.x

    base = Heat(3.0)

    def source(x: Coordinates) -> Jet:
        return base.residual(Fields({"temperature": exact(x)}), x)["energy"]

    def ambient(x: Coordinates) -> Jet:
        return exact(x) - flux_of(base, "temperature", exact, NORMALS["top"])(x) / 7.0

    domain = Rectangle((0.0, 0.0), (1.0, 0.8))
    conditions = [
        Dirichlet("left", temperature=exact),
        Dirichlet("bottom", temperature=exact),
        Neumann("right", temperature=flux_of(base, "temperature", exact, NORMALS["right"])),
        Convection("top", coefficient=7.0, ambient=ambient),
    ]
    return Problem(
        "steady heat",
        domain,
        Heat(3.0, source=source),
        conditions,
        exact=lambda x: {"temperature": exact(x)},
    )


def nonlinear_conductivity() -> Problem:
    def exact(x: Coordinates) -> Jet:
        return 1.0 + sin(x.x + 0.5 * x.y) * exp(0.4 * x.y)

    def conductivity(temperature: Jet, x: Coordinates) -> Jet:
        return 2.0 + temperature**2

    base = Heat(conductivity)

    def source(x: Coordinates) -> Jet:
        return base.residual(Fields({"temperature": exact(x)}), x)["energy"]

    domain = Rectangle((0.0, 0.0), (1.0, 1.0))
    conditions: list[Condition] = [
        Dirichlet(side, temperature=exact) for side in ("left", "bottom", "top")
    ]
    conditions.append(
        Neumann("right", temperature=flux_of(base, "temperature", exact, NORMALS["right"]))
    )
    return Problem(
        "nonlinear conductivity",
        domain,
        Heat(conductivity, source=source),
        conditions,
        exact=lambda x: {"temperature": exact(x)},
    )


def transient_heat() -> Problem:
    def exact(x: Coordinates) -> Jet:
        return exp(-(math.pi**2) * x.t) * sin(math.pi * x.x) + x.x * cos(2.0 * x.t)

    base = Heat(1.0, 1.0, 1.0)

    def source(x: Coordinates) -> Jet:
        return base.residual(Fields({"temperature": exact(x)}), x)["energy"]

    conditions = [
        Dirichlet("left", temperature=exact),
        Neumann("right", temperature=flux_of(base, "temperature", exact, (1.0,))),
        Initial(temperature=exact),
    ]
    return Problem(
        "transient heat",
        Interval(0.0, 1.0),
        Heat(1.0, 1.0, 1.0, source=source),
        conditions,
        time=TimeInterval(0.0, 0.3),
        exact=lambda x: {"temperature": exact(x)},
    )


def elasticity() -> Problem:
    def exact(x: Coordinates) -> list[Jet]:
        return [
            sin(1.3 * x.x) * cos(x.y) + 0.2 * x.x * x.y,
            cos(0.8 * x.x) * exp(0.5 * x.y),
        ]

    base = Elasticity(2e11, 0.3, plane="stress")

    def body_force(x: Coordinates) -> Jet:
        fields = Fields({"displacement": as_jet(exact(x), x.frame)})
        return -base.residual(fields, x)["equilibrium"]

    tractions = [
        Traction(side, vector=flux_of(base, "displacement", exact, NORMALS[side]))
        for side in ("right", "top", "bottom")
    ]
    return Problem(
        "elasticity",
        Rectangle((0.0, 0.0), (1.0, 0.7)),
        Elasticity(2e11, 0.3, plane="stress", body_force=body_force),
        [Dirichlet("left", displacement=exact), *tractions],
        exact=lambda x: {"displacement": exact(x)},
    )


def kovasznay() -> Problem:
    reynolds = 40.0
    rate = reynolds / 2 - math.sqrt(reynolds**2 / 4 + 4 * math.pi**2)

    def velocity(x: Coordinates) -> list[Jet]:
        growth, angle = exp(rate * x.x), 2.0 * math.pi * x.y
        return [1.0 - growth * cos(angle), rate / (2.0 * math.pi) * growth * sin(angle)]

    domain = Rectangle((-0.5, -0.5), (1.0, 1.5))
    return Problem(
        "kovasznay",
        domain,
        NavierStokes(1.0, 1.0 / reynolds),
        [Dirichlet(side, velocity=velocity) for side in domain.parts],
        exact=lambda x: {
            "velocity": velocity(x),
            "pressure": 0.5 * (1.0 - exp(2.0 * rate * x.x)),
        },
    )


def taylor_green() -> Problem:
    viscosity = 0.05

    def velocity(x: Coordinates) -> list[Jet]:
        decay = exp(-2.0 * math.pi**2 * viscosity * x.t)
        a, b = math.pi * (x.x + 0.1), math.pi * (x.y - 0.2)
        return [-cos(a) * sin(b) * decay, sin(a) * cos(b) * decay]

    def pressure(x: Coordinates) -> Jet:
        decay = exp(-4.0 * math.pi**2 * viscosity * x.t)
        a, b = 2.0 * math.pi * (x.x + 0.1), 2.0 * math.pi * (x.y - 0.2)
        return -0.25 * (cos(a) + cos(b)) * decay

    domain = Rectangle((0.0, 0.0), (1.0, 1.0))
    return Problem(
        "taylor green",
        domain,
        NavierStokes(1.0, viscosity),
        [*(Dirichlet(s, velocity=velocity) for s in domain.parts), Initial(velocity=velocity)],
        time=TimeInterval(0.0, 1.0),
        exact=lambda x: {"velocity": velocity(x), "pressure": pressure(x)},
    )


def burgers() -> Problem:
    """Own physics: Cole-Hopf's travelling front."""
    viscosity = 0.1

    def equation(f: Fields, x: Coordinates, m: object) -> Jet:
        return dt(f.u) + f.u * grad(f.u)[0] - viscosity * laplacian(f.u)

    def exact(x: Coordinates) -> Jet:
        return 2.0 / (1.0 + exp((x.x - x.t) / viscosity))

    physics = CustomPhysics(fields={"u": ()}, equations=equation)
    return Problem(
        "burgers",
        Interval(-1.0, 1.0),
        physics,
        [Dirichlet("left", u=exact), Dirichlet("right", u=exact), Initial(u=exact)],
        time=TimeInterval(0.0, 0.3),
        exact=lambda x: {"u": exact(x)},
    )


@dataclass(frozen=True)
class Ladder:
    """A problem with three resolutions."""

    problem: Callable[[], Problem]
    shapes: tuple[tuple[int, ...], ...]
    order: int = 2


LADDERS = [
    Ladder(steady_heat, ((12, 10), (24, 20), (48, 40))),
    Ladder(steady_heat, ((24, 20), (48, 40), (96, 80)), 4),
    Ladder(nonlinear_conductivity, ((8, 8), (16, 16), (32, 32))),
    Ladder(transient_heat, ((24,), (48,), (96,))),
    Ladder(elasticity, ((12, 8), (24, 16), (48, 32))),
    Ladder(elasticity, ((12, 8), (24, 16), (48, 32)), 4),
    Ladder(kovasznay, ((12, 15), (24, 30), (48, 60))),
    Ladder(kovasznay, ((12, 16), (24, 32), (36, 48)), 4),
    Ladder(taylor_green, ((10, 10), (16, 16), (24, 24))),
    Ladder(burgers, ((40,), (80,), (120,))),
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


def test_a_linear_problem_takes_one_factorisation() -> None:
    assert finite_difference(steady_heat(), shape=(10, 8)).num_factors == 1
    assert finite_difference(transient_heat(), shape=(20,)).num_factors == 3


def test_symmetric_bar_under_tension_is_exact_in_space() -> None:
    load, modulus, ratio = 1e6, 2e9, 0.3
    problem = Problem(
        "bar",
        Box((0.0, 0.0, 0.0), (2.0, 1.0, 0.5)),
        Elasticity(modulus, ratio),
        [
            Symmetry("left"),
            Symmetry("front"),
            Symmetry("bottom"),
            Traction("right", vector=[load, 0.0, 0.0]),
            Traction("back"),
            Traction("top"),
        ],
    )
    solution = finite_difference(problem, shape=(6, 5, 4))
    points = solution.grid.nodes[0].points
    expected = load / modulus * points * np.array([1.0, -ratio, -ratio])
    np.testing.assert_allclose(
        solution.evaluate(points), expected, atol=1e-12 * load / modulus * 1e3
    )


def poiseuille(x: Coordinates) -> list[Jet]:
    return [4.0 * x.y * (1.0 - x.y), 0.0 * x.x]


def poiseuille_traction(x: Coordinates) -> list[Jet]:
    """Stress on the plane x = 2 where the pressure is 3: -p, and mu du/dy along the plane."""
    return [-3.0 + 0.0 * x.x, 0.05 * 4.0 * (1.0 - 2.0 * x.y)]


@pytest.mark.parametrize(
    ("height", "top", "end"),
    [
        (1.0, NoSlip("top"), Outlet("right", pressure=3.0)),
        (0.5, Symmetry("top"), Outlet("right", pressure=3.0)),
        (1.0, NoSlip("top"), Traction("right", vector=poiseuille_traction)),
    ],
    ids=["outlet", "half", "traction"],
)
def test_channel_flow_is_exact(height: float, top: Condition, end: Condition) -> None:
    domain = Rectangle((0.0, 0.0), (2.0, height))
    conditions = [Inlet("left", poiseuille), NoSlip("bottom"), top, end]
    problem = Problem("channel", domain, NavierStokes(1.0, 0.05), conditions)
    points = np.array([[0.1, 0.5], [1.0, 0.25], [1.9, 0.4]])
    speed = 4.0 * points[:, 1] * (1.0 - points[:, 1])
    expected = np.stack((speed, 0.0 * speed, 3.0 + 0.4 * (2.0 - points[:, 0])), axis=1)
    found = finite_difference(problem, shape=(10, 8)).evaluate(points)
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_pressure_does_not_checkerboard() -> None:
    pressure = finite_difference(kovasznay(), shape=(16, 20)).component("pressure")
    sign = (-1.0) ** np.add.outer(np.arange(16), np.arange(20))
    assert abs(np.mean(sign * pressure)) < 1e-3 * np.std(pressure)


@pytest.mark.parametrize("problem", [kovasznay, taylor_green], ids=lambda make: make.__name__)
def test_floating_pressure_has_zero_mean(problem: Callable[[], Problem]) -> None:
    solution = finite_difference(problem(), shape=(8, 8))
    weights = solution.grid.mean_weights(2)
    pressure = solution.values[:, solution.grid.span(2)]
    np.testing.assert_allclose(pressure @ weights, 0.0, atol=1e-12)


def cavity(rayleigh: float) -> Problem:
    prandtl = 0.71
    domain = Rectangle((0.0, 0.0), (1.0, 1.0))
    return Problem(
        "natural convection",
        domain,
        Boussinesq(NavierStokes(1.0, prandtl), 1.0, 1.0, rayleigh * prandtl, (0.0, -1.0), 0.5),
        [
            *(NoSlip(side) for side in domain.parts),
            Dirichlet("left", temperature=1.0),
            Dirichlet("right", temperature=0.0),
            Insulated("top"),
            Insulated("bottom"),
        ],
    )


def test_natural_convection() -> None:
    """De Vahl Davis' cavity, Ra = 1e4: largest u on x = 0.5 is 16.1833348 (spectral)."""
    solution = finite_difference(cavity(1e4), shape=(32, 32), order=4)
    y = np.linspace(0.0, 1.0, 201)
    speed = solution.evaluate(np.column_stack((np.full_like(y, 0.5), y)))[:, 0]
    assert speed.max() == pytest.approx(16.1833348, rel=2e-3)


def test_parts_of_a_side_and_parts_round_corners(relative_errors: Errors) -> None:
    def exact(x: Coordinates) -> Jet:
        return sin(x.x) * cosh(x.y)

    domain = (
        Rectangle((0.0, 0.0), (1.0, 1.0))
        .with_part("window", of="right", where=lambda p: p[:, 1] > 0.5)
        .renamed({"left": "wall", "bottom": "wall"})
    )
    base = Heat(2.0)
    problem = Problem(
        "split",
        domain,
        base,
        [
            Dirichlet("wall", temperature=exact),
            Neumann("right", temperature=flux_of(base, "temperature", exact, (1.0, 0.0))),
            Dirichlet("window", temperature=exact),
            Neumann("top", temperature=flux_of(base, "temperature", exact, (0.0, 1.0))),
        ],
        exact=lambda x: {"temperature": exact(x)},
    )
    assert relative_errors(problem, (24, 24), 2)["temperature"] < 1e-4


def test_same_numbers_twice() -> None:
    first, second = (finite_difference(kovasznay(), shape=(8, 8)).values for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_nodal_values_are_returned_at_nodes() -> None:
    solution = finite_difference(transient_heat(), shape=(16,))
    assert solution.times is not None
    points = np.array([[x, t] for x in solution.grid.nodes[0].axes[0] for t in solution.times])
    found = solution.evaluate(points)[:, 0].reshape(solution.component("temperature").shape)
    np.testing.assert_allclose(found, solution.component("temperature"), atol=1e-12)


LEVEL = Measurements(np.array([[0.5]]), {"temperature": np.array([1.0])}, 0.1)
"""Without data, a problem whose level is open is refused before any reference sees it."""


def heated(**changes: object) -> Problem:
    domain = Interval(0.0, 1.0)
    settings: dict[str, object] = {
        "name": "bar",
        "domain": domain,
        "physics": Heat(1.0),
        "conditions": [Dirichlet("left", temperature=1.0), Dirichlet("right", temperature=0.0)],
    }
    return Problem(**{**settings, **changes})  # type: ignore[arg-type]


def test_an_unknown_is_refused() -> None:
    data = Measurements(
        points=np.array([[0.5]]), values={"temperature": np.array([0.5])}, sigma=0.1
    )
    problem = heated(physics=Heat(Unknown("k", 1.0)), measurements=data)
    with pytest.raises(ValueError, match=r"k unknown; bind values first"):
        finite_difference(problem, shape=(8,))
    assert finite_difference(problem.bound({"k": 2.0}), shape=(8,)).num_unknowns == 9


def test_a_round_domain_is_refused() -> None:
    problem = heated(
        domain=Disk((0.0, 0.0), 1.0), conditions=[Dirichlet("circle", temperature=1.0)]
    )
    with pytest.raises(ValueError, match="not an axis-aligned box"):
        finite_difference(problem, shape=(8, 8))


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"shape": (8, 8)}, "1 numbers of cells"),
        ({"shape": (3,)}, "each at least 4"),
        ({"shape": (8,), "order": 3}, "order must be 2 or 4"),
        ({"shape": (8,), "num_steps": 9}, "this one is steady"),
    ],
)
def test_wrong_numbers_are_refused(settings: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        finite_difference(heated(), **settings)  # type: ignore[arg-type]


def test_too_few_time_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="num_steps must be at least 4"):
        finite_difference(transient_heat(), shape=(8,), num_steps=2)


def test_an_undetermined_problem_is_refused() -> None:
    conditions = [Insulated("left"), Insulated("right")]
    problem = heated(conditions=conditions, measurements=LEVEL)
    with pytest.raises(ValueError, match="nothing sets the level of temperature"):
        finite_difference(problem, shape=(8,))


def test_pressure_on_a_staggered_wall_is_refused() -> None:
    problem = kovasznay()
    pinned = [*problem.conditions, Dirichlet("left", pressure=0.0)]
    wrong = Problem("pinned", problem.domain, problem.physics, pinned)
    with pytest.raises(ValueError, match="no nodes on the boundary of a staggered grid"):
        finite_difference(wrong, shape=(8, 8))


def test_a_level_that_only_data_set_is_refused() -> None:
    case = kovasznay()
    data = Measurements(
        points=np.array([[0.0, 0.0]]), values={"pressure": np.array([0.5])}, sigma=0.1
    )
    problem = Problem("gauged", case.domain, case.physics, case.conditions, measurements=data)
    with pytest.raises(ValueError, match="only data or initial values set the level of pressure"):
        finite_difference(problem, shape=(8, 8))


def test_sides_that_only_data_make_up_for_are_refused() -> None:
    data = Measurements(
        points=np.array([[0.5]]), values={"temperature": np.array([0.5])}, sigma=0.1
    )
    problem = heated(conditions=[Dirichlet("left", temperature=1.0)], measurements=data)
    with pytest.raises(ValueError, match="without its data the problem is not complete"):
        finite_difference(problem, shape=(8,))


@dataclass(frozen=True)
class Misnamed(Condition):
    """A condition whose row carries a name that no component has."""

    part: str

    def residual(self, f: Fields, x: Coordinates, normal: Jet, physics: Physics) -> dict[str, Jet]:
        return {"heat_loss": f.temperature}

    def determines(self, physics: Physics, frame: Frame) -> frozenset[str]:
        return frozenset({"temperature"})


def test_a_row_that_names_no_component_is_refused() -> None:
    problem = heated(conditions=[Dirichlet("left", temperature=1.0), Misnamed("right")])
    with pytest.raises(ValueError, match="row 'heat_loss' names no component"):
        finite_difference(problem, shape=(8,))


def test_waves_are_refused() -> None:
    def equation(f: Fields, x: Coordinates, m: object) -> Jet:
        return dt(dt(f.u)) - laplacian(f.u)

    problem = heated(
        physics=CustomPhysics(fields={"u": ()}, equations=equation),
        conditions=[Dirichlet("left", u=0.0), Dirichlet("right", u=0.0), Initial(u=0.0)],
        time=TimeInterval(0.0, 1.0),
    )
    with pytest.raises(ValueError, match="first derivatives in time only"):
        finite_difference(problem, shape=(8,))


def test_points_of_another_dimension_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(N, 1\)"):
        finite_difference(heated(), shape=(8,)).evaluate([[0.0, 1.0]])
