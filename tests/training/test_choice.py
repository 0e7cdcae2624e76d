"""Two answers are compared by the correction that the equations ask of each: one kind of estimate for both."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pinnsolve.problems.heat.nafems_t4 import nafems_t4
from pinnsolve.problems.navier_stokes.kovasznay import kovasznay

import pinnsolve as ps
from pinnsolve.distributed import Reduction
from pinnsolve.status import StopReason
from pinnsolve.training import choice
from pinnsolve.training.choice import error_of, misfit_of, nearest
from pinnsolve.training.growth import growth_steps
from pinnsolve.training.positions import GrowthPosition
from pinnsolve.training.present import present_solution
from pinnsolve.training.taken import Taken
from pinnsolve.training.trunk import scaling_of, trunk_steps


def stages(problem: ps.Problem, *, seed: int, features: int) -> list[Taken]:
    """Return the last step of every stage of growth, the coarsest first."""
    last: dict[int, Taken] = {}
    scaling, method = scaling_of(problem, seed), ps.Method(trunk="random", max_features=features)
    for taken in growth_steps(
        problem, method, scaling, seed=seed, clock=lambda: 0.0, position=GrowthPosition()
    ):
        last[taken.system.num_parameters] = taken
    return list(last.values())


def trunk_after(problem: ps.Problem, steps: int, *, seed: int) -> Iterator[Taken]:
    """Yield every tenth step of a small trained trunk."""
    method = ps.Method(trunk="trained", hidden=(12, 12), max_steps=steps)
    for taken in trunk_steps(problem, method, seed=seed, clock=lambda: 0.0):
        if taken.record.step % 10 == 0:
            yield taken


def distance(problem: ps.Problem, taken: Taken, best: Taken) -> float:
    """Return the difference of two answers relative to the fields, the worst over the components."""
    lower, upper = problem.bounds  # of a rectangle
    points = lower + (upper - lower) * np.random.default_rng(3).random((400, 2))
    found = [present_solution(problem, t.system, t.theta).at(points) for t in (taken, best)]
    worst = 0.0
    for name in problem.field_shapes:
        one, other = (np.atleast_2d(f[name].T) for f in found)
        level = (one - other).mean(axis=1, keepdims=True) if name == "pressure" else 0.0
        rms = np.sqrt(np.mean((one - other - level) ** 2, axis=1))
        worst = max(worst, float((rms / other.std(axis=1)).max()))
    return worst


@pytest.mark.parametrize(
    ("make", "seed"), [(nafems_t4, 0), (nafems_t4, 1), (nafems_t4, 2), (kovasznay, 0)]
)
def test_the_correction_is_the_error_of_features_and_of_trunks(
    make: Callable[[], ps.Problem], seed: int
) -> None:
    """Within a factor of three of the difference from an answer that is ten times as near or more."""
    problem = make()
    grown = stages(problem, seed=seed, features=1000)
    for taken in (grown[0], *trunk_after(problem, 10, seed=seed)):
        true = distance(problem, taken, grown[-1])
        assert true / 3.0 < error_of(problem, taken, seed=seed) < 3.0 * true


@pytest.mark.parametrize("name", ["crack", "layer", "star", "cooling"])
def test_the_nearer_one_is_taken(cases: SimpleNamespace, name: str) -> None:
    """Of all pairs of a stage of growth and a trunk that differ by a factor of three."""
    problem = cases.make(name)
    grown = stages(problem, seed=0, features=450)
    pairs = 0
    for trunk in trunk_after(problem, 20, seed=0):
        for features in grown:
            errors = {
                taken.phase: cases.error(present_solution(problem, taken.system, taken.theta))
                for taken in (features, trunk)
            }
            if max(errors.values()) > 3.0 * min(errors.values()):
                chosen = nearest(problem, {"growth": features, "trunk": trunk}, seed=0)
                assert errors[chosen.phase] == min(errors.values())
                pairs += 1
    assert pairs > 0


def test_the_only_one_is_taken_as_it_is(cases: SimpleNamespace) -> None:
    """And nothing is computed for it."""
    grown = stages(cases.make("star"), seed=0, features=150)[-1]
    lost = replace(grown, mark=replace(grown.mark, theta=grown.theta * math.nan))
    assert nearest(cases.make("star"), {"growth": lost}, seed=0) is lost


def test_what_is_not_finite_is_never_preferred(cases: SimpleNamespace) -> None:
    problem = cases.make("star")
    grown = stages(problem, seed=0, features=150)[-1]
    theta = torch.full_like(grown.theta, math.nan)
    lost = replace(grown, phase="trunk", mark=replace(grown.mark, theta=theta))
    assert error_of(problem, lost, seed=0) == math.inf
    for ends in ({"growth": grown, "trunk": lost}, {"growth": lost, "trunk": grown}):
        assert nearest(problem, ends, seed=0) is grown  # type: ignore[arg-type]


def test_corrections_of_different_answers_are_in_order(cases: SimpleNamespace) -> None:
    """Each stage of growth is nearer than the one before, by the estimate as in truth."""
    problem = cases.make("membrane", 1e-11)
    found = [error_of(problem, taken, seed=0) for taken in stages(problem, seed=0, features=450)]
    assert all(later < earlier for earlier, later in pairwise(found))


def test_where_data_carry_the_field_the_readings_decide() -> None:
    """But for growth that converged: chi-square alone would prefer what follows the noise."""
    generator = np.random.default_rng(0)
    points = generator.uniform(-1.0, 1.0, size=(60, 2))
    values = points[:, 0] ** 2 - points[:, 1] ** 2 + 0.02 * generator.normal(size=60)
    problem = ps.Problem(
        "membrane",
        ps.Rectangle((-1.0, -1.0), (1.0, 1.0)),
        ps.Heat(1.0),
        [],
        measurements=ps.Measurements(points, {"temperature": values}, sigma=0.02),
    )
    early, *_, late = trunk_after(problem, 40, seed=0)
    off = values - present_solution(problem, early.system, early.theta).at(points).temperature
    assert misfit_of(early) == pytest.approx(float(off @ off) / 0.02**2, rel=1e-6)
    assert misfit_of(late) < misfit_of(early)
    for stop, expected in ((None, late), (StopReason.STALLED, late), (StopReason.CONVERGED, early)):
        grown = replace(early, phase="growth", mark=replace(early.mark, stop=stop))
        found = nearest(problem, {"growth": grown, "trunk": late}, seed=0)
        assert found is (late if expected is late else grown)


def test_the_first_process_decides(cases: SimpleNamespace) -> None:
    """By its own numbers, whatever those of another one are."""

    class Other(Reduction):
        def agreed_number(self, value: float) -> float:
            return -value

    problem = cases.make("star")
    coarse, *_, fine = stages(problem, seed=0, features=300)
    ends = {"growth": coarse, "trunk": replace(fine, phase="trunk")}
    own = nearest(problem, ends, seed=0)  # type: ignore[arg-type]
    assert nearest(problem, ends, seed=0, reduction=Other()).phase != own.phase  # type: ignore[arg-type]


def test_an_onlooker_estimates_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Growth once; the trunk when a tenth more steps were taken."""
    grown = stages(nafems_t4(), seed=0, features=150)[-1]
    asked: list[str] = []

    def error(problem: ps.Problem, taken: Taken, *, seed: int) -> float:
        asked.append(taken.phase)
        return 1.0 if taken.phase == "growth" else 10.0 / taken.record.step

    monkeypatch.setattr(choice, "error_of", error)
    onlooker = choice.Onlooker(nafems_t4(), seed=0)
    assert onlooker.nearest({"growth": grown}) is grown
    assert not asked
    for step in range(2, 301):
        at = replace(grown.mark, record=replace(grown.record, step=step))
        trunk = replace(grown, phase="trunk", mark=at)
        found = onlooker.nearest({"growth": grown, "trunk": trunk})
        assert found is (grown if step <= 10 else trunk)
    assert asked.count("growth") == 1
    assert asked.count("trunk") < 50
