"""Growth under observation: watchers take no time, interruptions and NaN leave the last good state."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.networks import RandomFeatures
from pinnsolve.record import StepRecord
from pinnsolve.training import journal, train
from pinnsolve.training.features import FIRST

RANDOM = ps.Method(trunk="random")
SHORT = ps.Method(max_features=300, max_steps=6, points=ps.PointCounts(500, 200))
"""Two stages of growth, and then a few steps of a trunk on few points."""


@dataclass
class Ticks:
    """A clock that a millisecond passes on whenever it is looked at."""

    now: float = 0.0

    def perf_counter(self) -> float:
        self.now += 1e-3
        return self.now


@pytest.mark.parametrize("method", [RANDOM, SHORT])
def test_a_watcher_sees_the_present_solution_and_takes_no_time(
    cases: SimpleNamespace, method: ps.Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = Ticks()
    monkeypatch.setattr(journal, "time", ticks)
    seen: list[tuple[float, ps.Solution]] = []

    def watcher(seconds: float, solution: ps.Solution) -> None:
        ticks.now += 1e6  # more than any limit
        seen.append((seconds, solution))

    problem = cases.make("star" if method is RANDOM else "crack")
    trained = train(problem, method, watcher=watcher)
    record = trained.solution.record
    assert [seconds for seconds, _ in seen] == [step.seconds for step in record.history]
    assert record.seconds < 1.0
    # in its few steps the trunk does not come as near as the features, which would be returned
    assert {type(solution.network) for _, solution in seen} == {RandomFeatures}
    if method is RANDOM:
        errors = [cases.error(solution) for _, solution in seen]
        assert errors[0] > 1e-2
        assert errors[-1] == cases.error(trained.solution) < 1e-8


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_interruption_gives_the_last_good_state(cases: SimpleNamespace, steps: int) -> None:
    def observer(step: StepRecord) -> None:
        if step.step == steps:
            raise KeyboardInterrupt

    solution = train(cases.make("star"), RANDOM, observer=observer).solution
    assert solution.status.reason is ps.StopReason.INTERRUPTED
    assert solution.record.num_steps == steps
    same = train(cases.make("star"), replace(RANDOM, max_steps=steps)).solution
    points = cases.points(solution.problem)
    assert np.array_equal(solution.at(points).u, same.at(points).u)


def test_interruption_of_the_trunk_gives_the_better_of_both(cases: SimpleNamespace) -> None:
    """After its first step the features still are."""

    def observer(step: StepRecord) -> None:
        if step.step == 3:
            raise KeyboardInterrupt

    trained = train(cases.make("crack"), SHORT, observer=observer)
    assert trained.solution.status.reason is ps.StopReason.INTERRUPTED
    assert trained.solution.record.num_steps == 3
    assert isinstance(trained.system.network, RandomFeatures)


def rod(source: object) -> ps.Problem:
    """``2 T'' + source = 0`` between 1 K and 5 K, to more digits than one stage can be sure of."""
    ends = [ps.Dirichlet("left", temperature=1.0), ps.Dirichlet("right", temperature=5.0)]
    physics = ps.Heat(2.0, source=source)
    return ps.Problem(
        "rod", ps.Interval(0.0, 2.0), physics, ends, accuracy=2e-12, scales={"temperature": 2.0}
    )


def test_interruption_within_a_stage_gives_the_state_before_it() -> None:
    armed = [False]

    def observer(step: StepRecord) -> None:
        armed[0] = step.step == 1

    def source(x: ps.Coordinates) -> ps.Jet:
        if armed[0]:
            raise KeyboardInterrupt
        return 3.0 * x.x

    trained = train(rod(source), RANDOM, observer=observer)
    assert trained.solution.status.reason is ps.StopReason.INTERRUPTED
    assert trained.solution.record.num_steps == 1
    assert trained.system.num_parameters == FIRST
    first = train(rod(lambda x: 3.0 * x.x), replace(RANDOM, max_steps=1))
    assert torch.equal(trained.theta, first.theta)


@pytest.mark.parametrize("trunk", ["auto", "random"])
def test_residual_that_becomes_nan_ends_with_the_last_good_state(trunk: str) -> None:
    """In the second stage; a trunk trained after it has no chance either."""
    taken = [0]

    def source(x: ps.Coordinates) -> ps.Jet:
        return 3.0 * x.x if taken[0] < 1 else x.x * math.nan

    def observer(step: StepRecord) -> None:
        taken[0] = step.step

    method = ps.Method(trunk=trunk)  # type: ignore[arg-type]
    trained = train(rod(source), method, observer=observer)
    assert trained.solution.status.reason is ps.StopReason.NON_FINITE
    first = train(rod(lambda x: 3.0 * x.x), replace(RANDOM, max_steps=1))
    assert torch.equal(trained.theta, first.theta)
