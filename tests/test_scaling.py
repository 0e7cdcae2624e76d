"""Scales found from the declaration: of physical size, and the same in all units."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from pinnsolve.blocks import PointCounts, make_blocks
from pinnsolve.conditions import (
    Convection,
    Dirichlet,
    Fixed,
    Initial,
    Insulated,
    NoSlip,
    Outlet,
    Traction,
)
from pinnsolve.geometry import Interval, Rectangle, TimeInterval
from pinnsolve.jets import sin
from pinnsolve.measurements import Measurements
from pinnsolve.networks import MLP
from pinnsolve.optimise.weights import balanced
from pinnsolve.physics import Boussinesq, CustomPhysics, Elasticity, Heat, NavierStokes
from pinnsolve.problem import Problem
from pinnsolve.residuals import build_system
from pinnsolve.scaling import Scaling, find_scaling

COUNTS = PointCounts(48, 64, 32)


@dataclass(frozen=True)
class Units:
    """How many of a unit make the SI one: metre = 1000 mm has ``metre=1e3``."""

    metre: float = 1.0
    kilogram: float = 1.0
    second: float = 1.0

    def si(self, number: float, metre: int = 0, kilogram: int = 0, second: int = 0) -> float:
        """Return an SI number of dimension m^metre kg^kilogram s^second in these units."""
        return number * self.metre**metre * self.kilogram**kilogram * self.second**second


SI = Units()
SYSTEMS = {
    "mm": Units(metre=1e3),
    "um": Units(metre=1e6),
    "um-ug-ms": Units(metre=1e6, kilogram=1e9, second=1e3),
}


def rectangle(u: Units, width: float, height: float) -> Rectangle:
    return Rectangle((0.0, 0.0), (u.si(width, 1), u.si(height, 1)))


def nafems_t4(u: Units) -> Problem:
    h = u.si(750.0, kilogram=1, second=-3)
    return Problem(
        "T4",
        rectangle(u, 0.6, 1.0),
        Heat(u.si(52.0, 1, 1, -3)),
        [
            Dirichlet("bottom", temperature=100.0),
            Insulated("left"),
            Convection("right", h, 0.0),
            Convection("top", h, 0.0),
        ],
    )


def cooling_bar(u: Units) -> Problem:
    length, end = u.si(0.1, 1), u.si(32.0, second=1)
    return Problem(
        "bar",
        Interval(0.0, length),
        Heat(u.si(35.0, 1, 1, -3), u.si(7200.0, -3, 1), u.si(440.5, 2, 0, -2)),
        [
            Dirichlet("left", temperature=0.0),
            Dirichlet(
                "right", temperature=lambda x: 100.0 * sin(math.pi / 40.0 * u.second**-1 * x.t)
            ),
            Initial(temperature=0.0),
        ],
        time=TimeInterval(0.0, end),
    )


def pulled_plate(u: Units) -> Problem:
    """Young's modulus 210 GPa, 10 MPa pull: the end moves by about 0.1 mm over 2 m."""
    return Problem(
        "plate",
        rectangle(u, 2.0, 1.0),
        Elasticity(u.si(2.1e11, -1, 1, -2), 0.3, "stress"),
        [
            Fixed("left"),
            Traction("right", [u.si(1e7, -1, 1, -2), 0.0]),
            Traction("top"),
            Traction("bottom"),
        ],
    )


def heavy_plate(u: Units) -> Problem:
    """Hung from one side, loaded by its weight alone."""
    weight = u.si(7.7e4, -2, 1, -2)
    return Problem(
        "weight",
        rectangle(u, 1.0, 2.0),
        Elasticity(u.si(2.1e11, -1, 1, -2), 0.3, "strain", body_force=[0.0, -weight]),
        [Fixed("top"), Traction("left"), Traction("right"), Traction("bottom")],
    )


def cavity(u: Units) -> Problem:
    length, speed = u.si(0.1, 1), u.si(0.02, 1, 0, -1)

    def lid(x):
        s = x.x / length
        return [16.0 * speed * s**2 * (1.0 - s) ** 2, 0.0]

    return Problem(
        "cavity",
        rectangle(u, 0.1, 0.1),
        NavierStokes(u.si(1000.0, -3, 1), u.si(0.02, -1, 1, -1)),
        [NoSlip("top", lid), *(NoSlip(p) for p in ("left", "right", "bottom"))],
    )


def driven_channel(u: Units) -> Problem:
    """Only a body force drives it: neither velocity nor pressure is prescribed."""
    return Problem(
        "channel",
        rectangle(u, 0.2, 0.1),
        NavierStokes(u.si(1.2, -3, 1), u.si(0.01, -1, 1, -1), [u.si(3.0, -2, 1, -2), 0.0]),
        [Outlet("left"), Outlet("right"), NoSlip("top"), NoSlip("bottom")],
    )


def natural_convection(u: Units) -> Problem:
    """Air between walls 10 K apart, 2 cm: Rayleigh number 8000."""
    air = NavierStokes(u.si(1.2, -3, 1), u.si(1.8e-5, -1, 1, -1))
    return Problem(
        "air",
        rectangle(u, 0.02, 0.02),
        Boussinesq(
            air,
            u.si(0.026, 1, 1, -3),
            u.si(1005.0, 2, 0, -2),
            1.0 / 300.0,
            (0.0, -u.si(9.81, 1, 0, -2)),
            300.0,
        ),
        [
            *(NoSlip(part) for part in ("left", "right", "top", "bottom")),
            Dirichlet("left", temperature=305.0),
            Dirichlet("right", temperature=295.0),
            Insulated("top"),
            Insulated("bottom"),
        ],
    )


PROBLEMS: dict[str, Callable[[Units], Problem]] = {
    make.__name__: make
    for make in (
        nafems_t4,
        cooling_bar,
        pulled_plate,
        heavy_plate,
        cavity,
        driven_channel,
        natural_convection,
    )
}


def prepared(problem: Problem) -> tuple[Scaling, Tensor]:
    """Return the scaling and the balanced residual at one fixed theta."""
    blocks = make_blocks(problem, COUNTS, seed=0)
    scaling = find_scaling(problem, blocks)
    net = MLP(problem.frame.num_axes, len(problem.component_names), (5, 5))
    system = build_system(
        blocks, problem.field_shapes, problem.frame, net, scaling, problem.unknowns
    )
    generator = torch.Generator().manual_seed(0)
    theta = net.initial_parameters(generator, dtype=torch.float64, device=torch.device("cpu"))
    return scaling, balanced(system, theta).residual(theta)


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_system_of_units_gives_the_same_unit_free_system(name) -> None:
    _, reference = prepared(PROBLEMS[name](SI))
    assert float(reference.abs().max()) > 0.0
    for label, units in SYSTEMS.items():
        _, rows = prepared(PROBLEMS[name](units))
        assert float((rows - reference).norm() / reference.norm()) < 1e-9, label


def scales(problem: Problem) -> dict[str, float]:
    scaling = find_scaling(problem, make_blocks(problem, COUNTS, seed=0))
    return dict(zip(problem.component_names, scaling.scale.tolist(), strict=True))


def test_temperatures_span_what_is_prescribed() -> None:
    scaling, _ = prepared(nafems_t4(SI))
    low = float(scaling.offset - scaling.scale)
    assert -30.0 < low < 70.0, "ambient and wall temperatures lie within reach"
    assert 30.0 < float(scaling.scale) < 300.0


def test_prescribed_extremes_give_offset_and_scale_exactly() -> None:
    problem = Problem(
        "plate",
        rectangle(SI, 1.0, 1.0),
        Heat(2.0),
        [
            Dirichlet("left", temperature=290.0),
            Dirichlet("right", temperature=310.0),
            Insulated("top"),
            Insulated("bottom"),
        ],
    )
    scaling, _ = prepared(problem)
    assert scaling.offset.tolist() == pytest.approx([300.0])
    assert scaling.scale.tolist() == pytest.approx([10.0])


def test_displacement_is_traction_times_length_over_modulus() -> None:
    found = scales(pulled_plate(SI))
    hooke = 1e7 * 2.0 / 2.1e11
    assert 0.2 * hooke < found["displacement_x"] < 5.0 * hooke
    assert found["displacement_x"] == found["displacement_y"]


def test_displacement_under_own_weight() -> None:
    hooke = 7.7e4 * 2.0**2 / 2.1e11
    assert 0.05 * hooke < scales(heavy_plate(SI))["displacement_y"] < 5.0 * hooke


def test_cavity_pressure_is_of_the_size_of_inertia() -> None:
    found = scales(cavity(SI))
    assert found["velocity_x"] == pytest.approx(0.02, rel=0.05)
    inertia = 1000.0 * 0.02**2
    assert 0.1 * inertia < found["pressure"] < 10.0 * inertia


def test_channel_velocity_is_that_of_poiseuille() -> None:
    """Force H^2 / (8 mu) = 0.375 m/s at the axis."""
    found = scales(driven_channel(SI))
    assert 0.05 * 0.375 < found["velocity_x"] < 5.0 * 0.375
    assert 0.03 < found["pressure"] < 3.0, "force times length is 0.6 Pa"


def test_natural_convection_velocity_lies_between_diffusion_and_free_fall() -> None:
    found = scales(natural_convection(SI))
    diffusion, fall = 0.026 / 1.2 / 1005.0 / 0.02, math.sqrt(9.81 / 300.0 * 10.0 * 0.02)
    assert diffusion < found["velocity_x"] < 2.0 * fall
    assert 4.9 < found["temperature"] < 20.0


def test_measured_values_count_as_prescribed() -> None:
    data = Measurements(np.array([[0.2], [0.8]]), {"u": np.array([-3.0, 5.0])}, sigma=0.1)
    physics = CustomPhysics({"u": ()}, lambda f, x, m: f.u * 1.0)
    scaling, _ = prepared(Problem("rod", Interval(0.0, 1.0), physics, [], measurements=data))
    assert float(scaling.offset) == pytest.approx(1.0)
    assert float(scaling.scale) == pytest.approx(4.0)


@pytest.mark.parametrize("right", [301.0, 310.0, 500.0])
def test_a_rod_between_two_temperatures(right) -> None:
    """Each end is a single point: its size must not hang on one random number."""
    ends = [Dirichlet("left", temperature=300.0), Dirichlet("right", temperature=right)]
    scaling, _ = prepared(Problem("rod", Interval(0.0, 1.0), Heat(2.0), ends))
    assert float(scaling.offset) == pytest.approx(0.5 * (300.0 + right))
    assert float(scaling.scale) == pytest.approx(0.5 * (right - 300.0))


def test_given_scales_overrule() -> None:
    problem = cavity(SI)
    given = Problem(
        "cavity", problem.domain, problem.physics, problem.conditions, scales={"pressure": 77.0}
    )
    assert scales(given)["pressure"] == 77.0
    assert scales(given)["velocity_x"] == scales(problem)["velocity_x"]


def test_a_problem_without_any_size_is_refused() -> None:
    plate = rectangle(SI, 1.0, 1.0)
    problem = Problem(
        "nothing", plate, Heat(1.0), [Dirichlet(p, temperature=0.0) for p in plate.parts]
    )
    with pytest.raises(ValueError, match=r"size of 'temperature' follows from nothing.*scales="):
        scales(problem)
    helped = Problem("nothing", plate, Heat(1.0), problem.conditions, scales={"temperature": 3.0})
    assert scales(helped) == {"temperature": 3.0}


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_same_problem_has_the_same_scales(name) -> None:
    assert scales(PROBLEMS[name](SI)) == scales(PROBLEMS[name](SI))


def test_stream_factors_are_powers_of_the_half_lengths() -> None:
    scaling, _ = prepared(cooling_bar(SI))
    half = 0.05, 16.0
    torch.testing.assert_close(scaling.half_lengths, torch.tensor(half, dtype=torch.float64))
    torch.testing.assert_close(
        scaling.stream_factor((0, 0, 1)), scaling.scale / (half[0] ** 2 * half[1])
    )
