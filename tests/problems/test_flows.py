"""The numbers of the flow benchmarks: how they are taken from fields, and the published data behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.interpolate import CubicSpline

import pinnsolve as ps
from pinnsolve.catalogue import make_problem
from pinnsolve.jets import Frame

DATA = Path(__file__).resolve().parents[2] / "validation" / "data"


@dataclass(frozen=True)
class Profiles:
    """A solution that is known on the centre lines of the cavity only."""

    u: CubicSpline
    v: CubicSpline

    def at(self, points: np.ndarray) -> SimpleNamespace:
        upright = np.allclose(points[:, 0], 0.5)
        along = self.u(points[:, 1]) if upright else np.full(len(points), np.nan)
        across = self.v(points[:, 0]) if not upright else np.full(len(points), np.nan)
        return SimpleNamespace(velocity=np.column_stack((along, across)))


def marchi() -> Profiles:
    """Return splines through the published values and the walls."""
    table = np.genfromtxt(
        DATA / "marchi2009_ldc_Re100.csv", delimiter=",", skip_header=2, dtype=np.float64
    )
    station = np.concatenate(([0.0], table[:, 0], [1.0]))
    u = np.concatenate(([0.0], table[:, 1], [1.0]))
    v = np.concatenate(([0.0], table[:, 2], [0.0]))
    return Profiles(CubicSpline(station, u), CubicSpline(station, v))


def test_published_cavity_tables_agree_within_the_known_errors_of_the_older_one() -> None:
    problem = make_problem("lid_driven_cavity", {"lid": "constant"})
    found = {q.name: q.evaluate(marchi()) for q in problem.quantities}
    assert found["u(0.5, y) rel. L2 error"] < 1e-12
    assert found["v(x, 0.5) rel. L2 error"] < 1e-12
    assert 0.001 < found["u(0.5, y) from Ghia, largest"] < 0.006
    assert 0.008 < found["v(x, 0.5) from Ghia, largest"] < 0.0105


def test_lids_move_as_they_say() -> None:
    x = ps.Coordinates(make_points(0.25, 1.0), Frame(2))
    speeds = {}
    for lid in ("regularised", "parabolic", "constant"):
        (top, *_) = make_problem("lid_driven_cavity", {"lid": lid}).conditions
        assert isinstance(top, ps.NoSlip)
        given = top.velocity(x)[0].value.item() if callable(top.velocity) else top.velocity[0]
        speeds[lid] = given
    assert speeds == pytest.approx({"regularised": 0.5625, "parabolic": 0.75, "constant": 1.0})


def make_points(*point: float) -> torch.Tensor:
    return torch.tensor([point], dtype=torch.float64)


@dataclass(frozen=True)
class Wall:
    """A flow over the step of which only the shear at the lower wall is known."""

    roots: tuple[float, ...]
    problem: ps.Problem = field(default_factory=lambda: make_problem("backward_facing_step"))

    def derivative(self, name: str, points: np.ndarray, axis: str) -> np.ndarray:
        assert (name, axis) == ("velocity", "y")
        assert np.all(points[:, 1] == 0.0)
        shear = np.prod([points[:, 0] - root for root in self.roots], axis=0)
        return np.column_stack((shear, np.zeros_like(shear)))


@pytest.mark.parametrize("roots", [(6.1,), (0.02, 0.3, 6.1)])
def test_reattachment_is_the_last_turn_of_the_shear(roots: tuple[float, ...]) -> None:
    (quantity,) = make_problem("backward_facing_step").quantities
    assert quantity.evaluate(Wall(roots)) == pytest.approx(6.1, abs=1e-5)
    assert np.isnan(quantity.evaluate(Wall((-1.0,))))


def test_step_inflow_has_mean_velocity_one_above_and_none_below() -> None:
    y = torch.linspace(0.0, 1.0, 2001, dtype=torch.float64)
    x = ps.Coordinates(torch.stack((torch.zeros_like(y), y), dim=1), Frame(2))
    inlet = make_problem("backward_facing_step").conditions[0]
    assert isinstance(inlet, ps.Inlet)
    assert callable(inlet.velocity)
    profile = inlet.velocity(x)[0].value
    assert float(profile[y <= 0.5].abs().max()) == 0.0
    assert float(torch.trapezoid(profile, y)) == pytest.approx(0.5, abs=1e-6)


def test_drag_and_pressure_difference_of_the_cylinder() -> None:
    """A force of 0.0111590704677 N/m is the published drag coefficient; the fluid feels the opposite."""
    quantities = make_problem("cylinder_dfg_2d1").quantities
    stub = SimpleNamespace(
        outflow=lambda name, part: np.array([-0.01115907046768, 3.0]),
        at=lambda points: SimpleNamespace(pressure=np.array([0.13, 0.02]) * np.sign(points[0][0])),
    )
    drag, difference = (q.evaluate(stub) for q in quantities)
    assert drag == pytest.approx(quantities[0].target, rel=1e-10)
    assert difference == pytest.approx(0.11)
    assert [q.tolerance / q.target for q in quantities] == pytest.approx([0.01, 0.01])


def test_benchmark_targets_belong_to_the_published_reynolds_number() -> None:
    for name, setting in (
        ("cylinder_dfg_2d1", {"viscosity": "2e-3"}),
        ("backward_facing_step", {"reynolds": "100"}),
        ("lid_driven_cavity", {"lid": "constant", "reynolds": "400"}),
        ("natural_convection", {"rayleigh": "1e6"}),
    ):
        assert all(q.target is None for q in make_problem(name, setting).quantities), name
