"""Every precision policy of a whole run: as accurate as float64, or its Status says what it cost."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.interop.hdf5 import read_solution
from pinnsolve.method import Precision
from pinnsolve.optimise import GaussNewton, Ladder, Schedule, Stage
from pinnsolve.optimise.precision import FLOAT64
from pinnsolve.training import Trained, train

MIXED: tuple[Precision, ...] = ("bf16-mixed", "fp16-mixed")
METHOD = ps.Method(hidden=(7, 7), points=ps.PointCounts(90, 40, 30), max_steps=24)

LADDER = replace(METHOD, optimiser=Ladder())


def rod() -> ps.Problem:
    """``-T'' = 4 pi^2 sin(2 pi x)``."""
    wave = 2.0 * math.pi
    return ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(1.0, source=lambda x: wave**2 * ps.sin(wave * x.x)),
        [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=1.0)],
        exact=lambda x: {"temperature": ps.sin(wave * x.x) + x.x},
        accuracy=1e-9,
    )


def plate() -> ps.Problem:
    """Poisson's equation on a square."""
    square = ps.Rectangle((0.0, 0.0), (1.0, 1.0))

    def wave(x: ps.Coordinates) -> ps.Jet:
        return ps.sin(math.pi * x.x) * ps.sin(math.pi * x.y)

    return ps.Problem(
        "plate",
        square,
        ps.Heat(1.0, source=lambda x: 2.0 * math.pi**2 * wave(x)),
        [ps.Dirichlet(part, temperature=0.0) for part in square.parts],
        scales={"temperature": 1.0},
        exact=lambda x: {"temperature": wave(x)},
        accuracy=1e-9,
    )


def cooling() -> ps.Problem:
    """The heat equation with a decaying sine."""
    return ps.Problem(
        "cooling",
        ps.Interval(0.0, 1.0),
        ps.Heat(1.0, density=1.0, specific_heat=1.0),
        [
            ps.Dirichlet("left", temperature=0.0),
            ps.Dirichlet("right", temperature=0.0),
            ps.Initial(temperature=lambda x: ps.sin(math.pi * x.x)),
        ],
        time=ps.TimeInterval(0.0, 0.1),
        exact=lambda x: {"temperature": ps.exp(-(math.pi**2) * x.t) * ps.sin(math.pi * x.x)},
        accuracy=1e-9,
    )


EXACT = {
    "rod": lambda p: np.sin(2.0 * np.pi * p[:, 0]) + p[:, 0],
    "plate": lambda p: np.sin(np.pi * p[:, 0]) * np.sin(np.pi * p[:, 1]),
    "cooling": lambda p: np.exp(-(np.pi**2) * p[:, 1]) * np.sin(np.pi * p[:, 0]),
}
PROBLEMS = {"rod": rod, "plate": plate, "cooling": cooling}


def error(trained: Trained) -> float:
    problem = trained.solution.problem
    axes = [np.linspace(low, high, 31) for low, high in zip(*problem.bounds, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    wanted = EXACT[problem.name](points)
    found = trained.solution.at(points).temperature
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


@pytest.mark.parametrize("name", PROBLEMS)
def test_within_twice_the_error_of_float64_or_the_status_says_so(name: str) -> None:
    """Without a ladder ``auto`` is float64 here, see below."""
    exact = error(train(PROBLEMS[name](), replace(METHOD, precision="float64")))
    low = [replace(METHOD, precision=precision) for precision in ("float32", *MIXED)]
    for method in (LADDER, *low):
        trained = train(PROBLEMS[name](), method)
        status, found = trained.solution.status, error(trained)
        if found > 2.0 * exact:
            said = {
                "float32": "the arithmetic limits the accuracy",
                "bf16-mixed": "the error may be larger than with precision='float64'",
                "fp16-mixed": "the error may be larger than with precision='float64'",
            }
            assert said[method.precision] in status.message  # auto has no excuse
        assert found < 5e-3


def test_single_precision_says_that_it_is_the_limit() -> None:
    trained = train(rod(), replace(METHOD, precision="float32"))
    assert trained.solution.status.reason is ps.StopReason.PRECISION
    assert "use precision='auto'" in trained.solution.status.message


def test_convergence_at_the_noise_floor_is_told() -> None:
    method = replace(METHOD, precision="float32", max_steps=100)
    record = train(replace(rod(), accuracy=2e-3), method).solution.record
    assert record.status.reason is ps.StopReason.CONVERGED
    assert record.status.message.startswith("float32, at the noise floor of its arithmetic: ")
    assert [rung.after for rung in record.rungs] == ["float32"]


def test_auto_is_float64_for_small_networks() -> None:
    auto, exact = (train(rod(), replace(METHOD, precision=p)) for p in ("auto", "float64"))
    assert torch.equal(auto.theta, exact.theta)
    assert [rung.after for rung in auto.solution.record.rungs] == ["float64"]


def test_auto_begins_wide_networks_in_float32() -> None:
    method = ps.Method(hidden=(44, 44), points=ps.PointCounts(60, 2), max_steps=1)
    record = train(rod(), method).solution.record
    assert record.num_parameters >= 2000
    assert [rung.after for rung in record.rungs] == ["float32-gram"]


def test_a_ladder_records_its_climb() -> None:
    rungs = train(rod(), LADDER).solution.record.rungs
    assert [(rung.before, rung.after) for rung in rungs] == [
        ("", "float32-gram"),
        ("float32-gram", "float64"),
    ]
    assert (rungs[0].step, rungs[0].seconds, rungs[0].why) == (0, 0.0, "the start")
    assert rungs[1].step > 1
    assert rungs[1].seconds > 0.0
    assert "reached the noise floor" in rungs[1].why


@pytest.mark.parametrize("precision", MIXED)
def test_mixed_records_its_hand_over(precision: Precision) -> None:
    trained = train(rod(), replace(METHOD, precision=precision, max_steps=8))
    record = trained.solution.record
    assert [rung.after for rung in record.rungs] == [precision, "float64"]
    assert record.rungs[1].step == 2
    assert record.rungs[1].why == "25 % of the budget were spent"
    assert trained.theta.dtype == torch.float64
    assert record.precision == "float64"
    assert f"2 of 8 steps were {precision} first-order training" in record.status.message


@pytest.mark.parametrize("start", [LADDER, *(replace(METHOD, precision=p) for p in MIXED)])
def test_same_seed_gives_the_same_numbers(start: ps.Method) -> None:
    method = replace(start, max_steps=8)
    first, again = (train(rod(), method, seed=3) for _ in range(2))
    assert torch.equal(first.theta, again.theta)
    rungs = [[replace(r, seconds=0.0) for r in t.solution.record.rungs] for t in (first, again)]
    assert rungs[0] == rungs[1]


def test_rungs_are_saved(tmp_path) -> None:
    solution = train(rod(), replace(LADDER, max_steps=25)).solution
    assert len(solution.record.rungs) == 2
    solution.save(tmp_path / "rod.h5")
    again = read_solution(tmp_path / "rod.h5", rod())
    assert again.record.rungs == solution.record.rungs


def test_own_stages_are_taken() -> None:
    schedule = Schedule((Stage(GaussNewton(), FLOAT64),))
    record = train(rod(), replace(METHOD, optimiser=schedule, max_steps=3)).solution.record
    assert [rung.after for rung in record.rungs] == ["float64"]


def test_own_stages_and_a_precision_contradict() -> None:
    schedule = Schedule((Stage(GaussNewton(), FLOAT64),))
    with pytest.raises(ValueError, match="got precision='float32' besides: leave it at 'auto'"):
        ps.Method(optimiser=schedule, precision="float32")
