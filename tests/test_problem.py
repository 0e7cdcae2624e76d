"""What a Problem refuses at construction, and what it says about itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from pinnsolve.conditions import (
    Convection,
    Dirichlet,
    Fixed,
    Initial,
    Insulated,
    Neumann,
    NoSlip,
    Outlet,
    Periodic,
    Symmetry,
    Traction,
)
from pinnsolve.geometry import Box, Interval, Rectangle, TimeInterval
from pinnsolve.jets import Coordinates, Frame, grad, laplacian, log
from pinnsolve.measurements import Measurements
from pinnsolve.physics import Boussinesq, CustomPhysics, Elasticity, Heat, NavierStokes
from pinnsolve.problem import Problem
from pinnsolve.trial import trial_fields
from pinnsolve.unknowns import Unknown

PLATE = Rectangle((0.0, 0.0), (2.0, 1.0))
SPAN = TimeInterval(0.0, 3.0)
HOT = [Dirichlet(part, temperature=1.0) for part in PLATE.parts]
WALLS = [NoSlip(part) for part in PLATE.parts]
FREE = [Traction(part) for part in ("right", "top", "bottom")]
SLAB = Heat(1.0, density=1.0, specific_heat=1.0)
SOLID = Elasticity(1.0, 0.3, "stress")
SENSOR = Measurements(np.array([[1.0, 0.5]]), {"temperature": np.array([1.0])}, 0.1)


def problem(physics=None, conditions=None, **options) -> Problem:
    return Problem(
        "p", PLATE, physics or Heat(1.0), HOT if conditions is None else conditions, **options
    )


def own(equations, **options) -> Problem:
    physics = CustomPhysics({"temperature": ()}, equations)
    return problem(physics, **options)


def data(points, **values: list[float]) -> Measurements:
    columns = {name: np.array(column) for name, column in values.items()}
    return Measurements(np.array(points, dtype=float), columns, 0.1, source="rig.csv")


REFUSED = {
    # geometry and coverage
    "unknown part": (
        lambda: problem(conditions=[*HOT, Insulated("rigth")]),
        "rigth: Insulated: the boundary has no part 'rigth'.*Did you mean 'right'",
    ),
    "unknown periodic partner": (
        lambda: problem(conditions=[*HOT[:3], Periodic("left", "rihgt")]),
        "no part 'rihgt'",
    ),
    "part without a condition": (
        lambda: problem(conditions=[c for c in HOT if c.part != "top"]),
        "no condition for temperature on the boundary part 'top'",
    ),
    "component without a condition": (
        lambda: problem(SOLID, [Dirichlet("left", displacement_x=0.0), *FREE]),
        "no condition for displacement_y on the boundary part 'left'",
    ),
    "temperature forgotten": (
        lambda: problem(Boussinesq(NavierStokes(), 1.0, 1.0, 1.0, (0.0, -1.0)), WALLS),
        "no condition for temperature on the boundary part",
    ),
    "no conditions at all": (lambda: problem(conditions=[]), "no condition for temperature"),
    "contradiction": (
        lambda: problem(conditions=[*HOT, Insulated("left")]),
        "contradicting conditions on 'left': left: Dirichlet temperature and left: Insulated both",
    ),
    "partial contradiction": (
        lambda: problem(SOLID, [Fixed("left"), Dirichlet("left", displacement_y=0.0), *FREE]),
        "contradicting conditions on 'left': .* both determine displacement_y",
    ),
    "periodic contradiction": (
        lambda: problem(NavierStokes(), [*WALLS, Periodic("left", "right")]),
        "contradicting conditions on 'left'",
    ),
    "periodic with itself": (
        lambda: problem(
            conditions=[*(c for c in HOT if c.part != "left"), Periodic("left", "left")]
        ),
        "left = left: Periodic",
    ),
    "periodic parts that are no translations": (
        lambda: problem(
            conditions=[*(c for c in HOT if c.part in ("right", "bottom")), Periodic("left", "top")]
        ),
        "left = top: Periodic: a translation must map 'left' onto 'top'",
    ),
    # fields and shapes
    "unknown field": (
        lambda: problem(conditions=[Dirichlet("left", temprature=1.0), *HOT[1:]]),
        "no field 'temprature'. .*Did you mean 'temperature'",
    ),
    "flux of pressure": (
        lambda: problem(
            NavierStokes(), [*WALLS[:3], NoSlip(WALLS[3].part), Neumann("left", pressure=0.0)]
        ),
        "pressure",
    ),
    "scalar for a vector": (
        lambda: problem(
            NavierStokes(), [NoSlip("left", 1.0), *(w for w in WALLS if w.part != "left")]
        ),
        r"left: NoSlip must be 2 components, got shape \(\)",
    ),
    "function of wrong shape": (
        lambda: problem(
            conditions=[
                Dirichlet("left", temperature=lambda x: [x.x, x.y]),
                *(c for c in HOT if c.part != "left"),
            ]
        ),
        "left: Dirichlet temperature must be a scalar",
    ),
    "unknown field in equations": (
        lambda: own(lambda f, x, m: laplacian(f.temprature)),
        "no field 'temprature'. .*Did you mean 'temperature'",
    ),
    "unknown coordinate": (
        lambda: problem(Heat(1.0, source=lambda x: x.z)),
        "no coordinate 'z' here, only x, y",
    ),
    "too few equations": (
        lambda: problem(
            CustomPhysics({"temperature": (), "phi": ()}, lambda f, x, m: laplacian(f.phi)),
            [Dirichlet(p, temperature=0.0, phi=0.0) for p in PLATE.parts],
        ),
        r"1 scalar equations for 2 field components \(temperature, phi\)",
    ),
    "too many equations": (
        lambda: own(lambda f, x, m: grad(f.temperature)),
        r"2 scalar equations for 1 field components",
    ),
    "equations of another shape": (
        lambda: own(lambda f, x, m: f.temperature + torch.ones(5, dtype=torch.float64)),
        "the equations of CustomPhysics cannot be evaluated",
    ),
    "equations that are numbers": (lambda: own(lambda f, x, m: 0.0), "must return a field"),
    "vector plus scalar": (
        lambda: own(lambda f, x, m: grad(f.temperature) + 1.0),
        "nothing is broadcast over components",
    ),
    # numbers
    "NaN source": (
        lambda: problem(Heat(1.0, source=math.nan)),
        "energy.*not finite|source.*finite",
    ),
    "NaN source function": (
        lambda: problem(Heat(1.0, source=lambda x: log(x.x - 5.0))),
        "energy.*not finite|source.*finite",
    ),
    "NaN body force": (
        lambda: problem(Elasticity(1.0, 0.3, "stress", [0.0, math.nan]), [Fixed("left"), *FREE]),
        "equilibrium.*not finite|body_force.*finite",
    ),
    "NaN condition function": (
        lambda: problem(
            conditions=[
                Dirichlet("left", temperature=lambda x: log(x.x - 5.0)),
                *(c for c in HOT if c.part != "left"),
            ]
        ),
        "left: Dirichlet temperature: temperature is not finite on the part",
    ),
    "NaN traction": (
        lambda: problem(SOLID, [Fixed("left"), Traction("right", [math.nan, 0.0]), *FREE[1:]]),
        "right: Traction: displacement_x is not finite",
    ),
    "NaN ambient": (
        lambda: problem(
            conditions=[Convection("left", 1.0, math.nan), *(c for c in HOT if c.part != "left")]
        ),
        "left: Convection: temperature is not finite",
    ),
    "negative conductivity": (lambda: problem(Heat(-1.0)), "conductivity must be finite and > 0"),
    "incompressible solid": (lambda: problem(Elasticity(1.0, 0.5, "stress")), "poissons_ratio"),
    "plane missing": (
        lambda: problem(Elasticity(1.0, 0.3), [Fixed("left"), *FREE]),
        "2-D elasticity needs plane=",
    ),
    "text for a number": (lambda: problem(Heat("52")), "expected a field or a number, got '52'"),
    # time
    "Initial without time": (
        lambda: problem(SLAB, [*HOT, Initial(temperature=0.0)]),
        r"Initial\(\) needs time: give the problem time=TimeInterval\(start, end\)",
    ),
    "time without Initial": (
        lambda: problem(SLAB, time=SPAN),
        r"an unsteady problem needs Initial\(temperature=...\)",
    ),
    "time with half an Initial": (
        lambda: problem(NavierStokes(), [*WALLS, Initial(velocity_x=0.0)], time=SPAN),
        r"needs Initial\(velocity_y=...\)",
    ),
    "two Initials": (
        lambda: problem(
            SLAB, [*HOT, Initial(temperature=0.0), Initial(temperature=1.0)], time=SPAN
        ),
        "contradicting initial conditions: temperature is given twice",
    ),
    "Initial of wrong shape": (
        lambda: problem(NavierStokes(), [*WALLS, Initial(velocity=1.0)], time=SPAN),
        "start: Initial velocity must be 2 components",
    ),
    "NaN Initial": (
        lambda: problem(SLAB, [*HOT, Initial(temperature=lambda x: log(x.x - 5.0))], time=SPAN),
        "start: Initial temperature: temperature is not finite",
    ),
    "transient without capacity": (
        lambda: problem(Heat(1.0), [*HOT, Initial(temperature=0.0)], time=SPAN),
        "transient heat needs",
    ),
    # data
    "unknown without data": (
        lambda: problem(Heat(Unknown("k", 1.0))),
        "unknown k: nothing to find it from; give measurements=",
    ),
    "unknown component": (
        lambda: problem(measurements=data([[1, 0.5]], temprature=[1.0])),
        "rig.csv: no field component 'temprature'. .*Did you mean 'temperature'.*"
        "columns={'temperature': 'temprature'}",
    ),
    "outside the domain": (
        lambda: problem(
            measurements=data([[1, 0.5], [2.1, 0.5], [1, -0.2]], temperature=[1.0] * 3)
        ),
        "rig.csv: 2 of 3 points lie outside the domain, rows 2, 3: first at .2.1, 0.5.",
    ),
    "outside the time": (
        lambda: problem(
            SLAB,
            [*HOT, Initial(temperature=0.0)],
            time=SPAN,
            measurements=data([[1, 0.5, 1.0], [1, 0.5, 3.5]], temperature=[1.0] * 2),
        ),
        "1 of 2 points lie outside the domain, rows 2",
    ),
    "wrong number of columns": (
        lambda: problem(measurements=data([[1, 0.5, 0.0]], temperature=[1.0])),
        "points need the columns x, y, got 3 columns",
    ),
    # the declaration itself
    "no name": (lambda: Problem("", PLATE, Heat(1.0), HOT), "a problem's name is used for files"),
    "time budget of zero": (lambda: problem(time_budget=0.0), "time_budget must be finite and > 0"),
    "NaN time budget": (
        lambda: problem(time_budget=math.nan),
        "time_budget must be finite and > 0",
    ),
    "accuracy of zero": (lambda: problem(accuracy=0.0), "accuracy is a relative error"),
    "accuracy of one": (lambda: problem(accuracy=1.0), "accuracy is a relative error"),
    "NaN accuracy": (lambda: problem(accuracy=math.nan), "accuracy is a relative error"),
    "scale of no field": (
        lambda: problem(scales={"temprature": 1.0}),
        "scales: no field 'temprature'. .*Did you mean 'temperature'",
    ),
    "scale of zero": (
        lambda: problem(scales={"temperature": 0.0}),
        "must be finite and > 0, got 0.0",
    ),
    "exact of no field": (
        lambda: problem(exact=lambda x: {"temprature": x.x}),
        "exact.*temprature",
    ),
    "not a condition": (lambda: problem(conditions=[*HOT, "left"]), "condition.*'left'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case) -> None:
    act, match = REFUSED[case]
    with pytest.raises(ValueError, match=match):
        act()


def test_a_complete_problem_describes_itself() -> None:
    made = problem(NavierStokes(), [*WALLS, Initial(velocity=[0.0, 0.0])], time=SPAN)
    assert made.frame == Frame(2, has_time=True)
    assert made.component_names == ("velocity_x", "velocity_y", "pressure")
    assert [b.tolist() for b in made.bounds] == [[0.0, 0.0, 0.0], [2.0, 1.0, 3.0]]
    assert made.unknowns == ()


def test_data_excuse_missing_conditions() -> None:
    assert problem(conditions=[], measurements=SENSOR).conditions == ()


def test_sensors_on_the_boundary_are_inside() -> None:
    corners = [[0, 0], [2, 1], [2, 0], [0.7, 1]]
    assert problem(measurements=data(corners, temperature=[1.0] * 4)).measurements is not None


def test_unknowns_are_collected_and_bound() -> None:
    k, h = Unknown("k", 2.0), Unknown("h", 3.0)
    sides = [c for c in HOT if c.part != "left"]
    made = problem(Heat(k), [Convection("left", h), *sides], measurements=SENSOR)
    assert made.unknowns == (k, h)
    bound = made.bound({"k": 5.0, "h": 7.0})
    assert bound.unknowns == ()
    assert bound.physics == Heat(5.0)
    assert made.physics == Heat(k)
    with pytest.raises(ValueError, match="no value for the unknown 'h'"):
        made.bound({"k": 5.0})


def test_an_unknown_wall_temperature_is_a_problem_like_any_other() -> None:
    wall = Unknown("wall", 10.0)
    sides = [c for c in HOT if c.part != "left"]
    made = problem(conditions=[Dirichlet("left", temperature=wall), *sides], measurements=SENSOR)
    assert made.unknowns == (wall,)
    assert made.bound({"wall": 4.0}).conditions[0] == Dirichlet("left", temperature=4.0)


SIDES = [w for w in WALLS if w.part != "right"]
PRESSURE_DATA = Measurements(np.array([[1.0, 0.5]]), {"pressure": np.array([1.0])}, 0.1)
PUSHED = NavierStokes(body_force=[1.0, 0.0])
HOLDS = [w for w in WALLS if w.part in ("top", "bottom")]


@pytest.mark.parametrize(
    ("conditions", "options", "floating"),
    [
        (WALLS, {}, True),
        ([*SIDES, Outlet("right")], {}, False),
        ([*SIDES, Traction("right", pressure=1.0)], {}, False),
        ([*SIDES, Symmetry("right")], {}, True),
        ([*WALLS, Dirichlet("right", pressure=0.0)], {}, False),
        ([*HOLDS, Periodic("left", "right")], {}, True),
        (WALLS, {"measurements": PRESSURE_DATA}, False),
        ([*WALLS, Initial(velocity=[0.0, 0.0])], {"time": SPAN}, True),
        ([*WALLS, Initial(velocity=[0.0, 0.0], pressure=0.0)], {"time": SPAN}, True),
    ],
)
def test_the_level_of_pressure_floats_unless_something_sets_it(
    conditions, options, floating
) -> None:
    made = problem(PUSHED, conditions, **options)
    assert made.floating_fields == (("pressure",) if floating else ())


def test_levels_of_temperature_and_displacement_never_float() -> None:
    assert problem().floating_fields == ()
    assert problem(SOLID, [Fixed("left"), *FREE]).floating_fields == ()


def test_one_and_three_dimensions() -> None:
    rod = Problem(
        "rod",
        Interval(0.0, 1.0),
        Heat(1.0),
        [Dirichlet("left", temperature=1.0), Insulated("right")],
    )
    assert rod.component_names == ("temperature",)
    box = Box((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    solid = Problem("box", box, Elasticity(1.0, 0.3), [Fixed(part) for part in box.parts])
    assert len(solid.component_names) == 3


def test_construction_draws_from_no_global_generator() -> None:
    state = torch.random.get_rng_state()
    numbers = np.random.get_state()[1].copy()
    problem(PUSHED, WALLS)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], numbers)


def test_trial_fields_are_positive_reproducible_and_watched() -> None:
    x = Coordinates(torch.rand(4, 2, dtype=torch.float64), Frame(2))
    asked: set = set()
    f = trial_fields({"u": (2,), "p": ()}, x, 1.0, watch=asked)
    again = trial_fields({"u": (2,), "p": ()}, x, 1.0)
    assert (f.u.value > 0).all()
    assert torch.equal(f.u.value, again.u.value)
    _ = f.p.d(0, 1)
    assert asked == {("u_x", ()), ("u_y", ()), ("p", (0, 1))}
