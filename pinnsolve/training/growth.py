"""Training a head on more and more fixed features, stage by stage, until the answer no longer moves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from torch import Tensor

from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.method import Method
from pinnsolve.optimise import HeadNewton
from pinnsolve.optimise.precision import FLOAT64
from pinnsolve.problem import Problem
from pinnsolve.record import StepRecord
from pinnsolve.scaling import Scaling
from pinnsolve.status import StopReason
from pinnsolve.training.convergence import (
    floating_mask,
    probe_points,
    snapshot,
    worst_error,
)
from pinnsolve.training.features import GROWTH, Stage, first_stage, fresh_loss, next_stage
from pinnsolve.training.present import goal_error, numbers_of_interest
from pinnsolve.training.taken import Clock, Taken
from pinnsolve.training.trunk import own_rows


def growth_steps(
    problem: Problem,
    method: Method,
    scaling: Scaling,
    *,
    seed: int,
    clock: Clock,
    reduction: Reduction = ALONE,
) -> Iterator[Taken]:
    """Yield the Newton steps of every stage; the last one carries the reason to stop.

    Growth ends when the estimated error, of the fields and of the quantities with a tolerance, is
    small enough; when it cannot become so within the parameters and the time allowed, at the rate
    seen so far; or when more features no longer help.

    Args:
        problem: The declaration.
        method: How to solve it.
        scaling: Maps between SI and network units, float64 on the CPU.
        seed: Seed of features and points.
        clock: Seconds since training began, the same on all processes.
        reduction: Adds up over processes, each of which takes its share of a stage's rows.
    """
    stage = first_stage(problem, scaling, seed=seed)
    probe = probe_points(problem, scaling)
    floating = floating_mask(problem, stage.theta)
    fields = snapshot(stage.system, stage.theta, probe)
    numbers: dict[str, float] = {}
    errors: list[float] = []
    losses: list[float] = []
    count, linear = 0, False
    while True:
        begin = clock()
        for record, theta, done in _newton(stage, errors, count, clock, reduction):
            count = record.step
            if count == method.max_steps:
                yield Taken("growth", record, stage.system, theta, _RUNG, stop=StopReason.MAX_STEPS)
                return
            if not done:
                yield Taken("growth", record, stage.system, theta, _RUNG)
        losses.append(fresh_loss(problem, stage, theta, seed=seed))
        before, fields = fields, snapshot(stage.system, theta, probe)
        asked_before, numbers = numbers, numbers_of_interest(problem, stage.system, theta)
        if stage.number == 0:
            linear = count == 1
            errors.append(math.inf)
        else:
            share = min(1.0, math.sqrt(losses[-1] / losses[-2])) if losses[-2] > 0.0 else 1.0
            field_error = worst_error(stage.system, theta, before, fields, floating, share)
            error = max(field_error, share * goal_error(problem, asked_before, numbers))
            errors.append(reduction.agreed_number(error))
        stop = _reason_to_stop(problem, method, stage, errors, clock(), clock() - begin)
        last = replace(record, seconds=clock(), error_estimate=errors[-1])
        yield Taken("growth", last, stage.system, theta, _RUNG, stop=stop)
        if stop is not None:
            return
        stage = next_stage(problem, stage, theta, linear=linear, seed=seed)


def _newton(
    stage: Stage, errors: list[float], count: int, clock: Clock, reduction: Reduction
) -> Iterator[tuple[StepRecord, Tensor, bool]]:
    """Yield the Newton steps of a stage, and whether each was the last."""
    optimiser, own = HeadNewton(), own_rows(stage.system, reduction)
    state = optimiser.init(own, stage.theta, reduction)
    error = errors[-1] if errors else math.inf
    for step in range(1, _MAX_STEPS + 1):
        state = optimiser.step(own, state, reduction)
        done = state.converged or not state.accepted or step == _MAX_STEPS
        record = StepRecord(count + step, clock(), state.loss, error, state.damping, state.accepted)
        yield record, state.theta, done
        if done:
            return


def _reason_to_stop(
    problem: Problem,
    method: Method,
    stage: Stage,
    errors: list[float],
    seconds: float,
    stage_seconds: float,
) -> StopReason | None:
    """Return why growth ends after a stage, or None to go on."""
    if not math.isfinite(errors[-1]) and stage.number > 0:
        return StopReason.NON_FINITE
    if errors[-1] < problem.accuracy:
        return StopReason.CONVERGED
    if stage.system.num_parameters * GROWTH > method.max_features:
        return StopReason.STALLED
    if seconds + GROWTH**3 * stage_seconds > method.max_seconds:
        return StopReason.MAX_SECONDS
    slow = stage.number >= _EARLIEST and errors[-1] > _LEAST_FALL * errors[-3]
    return StopReason.STALLED if slow else None


_LEAST_FALL = 0.4
"""Factor by which the error must fall over two stages for growth to go on."""

_RUNG = FLOAT64.name

_MAX_STEPS = 12
"""Most Newton steps of a stage."""

_EARLIEST = 3
"""Number of the first stage after which growth may be given up."""
