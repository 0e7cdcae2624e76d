"""Training a head on more and more fixed features, stage by stage, until the answer no longer moves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from pinnsolve.determinacy import field_follows_unknowns
from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.method import Method
from pinnsolve.optimise import HeadNewton, HeadState, ReducedNewton, ReducedState
from pinnsolve.optimise.graduated import approached
from pinnsolve.optimise.precision import FLOAT64
from pinnsolve.problem import Problem
from pinnsolve.record import StepRecord
from pinnsolve.residuals import RowKey, System
from pinnsolve.scaling import Scaling
from pinnsolve.solution import Solution
from pinnsolve.status import StopReason
from pinnsolve.training.convergence import (
    floating_mask,
    probe_points,
    snapshot,
    worst_error,
)
from pinnsolve.training.feature_systems import smooth_weights
from pinnsolve.training.features import GROWTH, Solved, Stage, first_stage, fresh_loss, next_stage
from pinnsolve.training.mishaps import runaways
from pinnsolve.training.positions import GrowthPosition
from pinnsolve.training.present import goal_error, numbers_of_interest
from pinnsolve.training.taken import Clock, Mark, Taken
from pinnsolve.training.trunk import own_rows
from pinnsolve.uncertainty import next_strengths
from pinnsolve.unknown_functions import with_smoothness


def growth_steps(
    problem: Problem,
    method: Method,
    scaling: Scaling,
    *,
    seed: int,
    clock: Clock,
    position: GrowthPosition,
    reduction: Reduction = ALONE,
    start: Solution | None = None,
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
        position: The stage to begin with.
        reduction: Adds up over processes, each of which takes its share of a stage's rows.
        start: Whose fields the first stage starts from, or None.
    """
    weights = smooth_weights(problem, scaling, seed=seed)
    good: tuple[Stage, Tensor] | None = None
    while True:
        known = _smoothed(problem, position)
        stage = _stage(known, method, scaling, weights, position, start, seed=seed)
        if position.solved is None and field_follows_unknowns(problem):
            own = own_rows(stage.system, reduction)
            stage = replace(stage, theta=approached(own, stage.theta, reduction))
        begin = clock()  # what only the first stage needs says nothing about the next one
        probe, floating = probe_points(problem, scaling), floating_mask(problem, stage.theta)
        for record, state, done in _newton(problem, stage, position, clock, reduction):
            theta = state.theta
            if record.step == method.max_steps:
                yield _taken(stage, record, theta, position, StopReason.MAX_STEPS)
                return
            if not done:
                yield _taken(stage, record, theta, position)
        losses = (*position.losses, fresh_loss(problem, stage, theta, weights, seed=seed))
        fields, error = snapshot(stage.system, theta, probe), math.inf
        numbers = numbers_of_interest(problem, stage.system, theta)
        if position.fields is not None:
            share = min(1.0, math.sqrt(losses[-1] / losses[-2])) if losses[-2] > 0.0 else 1.0
            alike = fields
            if isinstance(state, ReducedState) and position.solved is not None:
                alike = snapshot(stage.system, state.at(position.solved.theta), probe)
            error = worst_error(stage.system, theta, position.fields, alike, floating, share)
            error = max(error, goal_error(problem, dict(position.numbers), numbers))
            if isinstance(state, ReducedState) and position.solved is not None:
                moved = _unknowns_moved(state, position.solved.theta)
                left = max(share, _LEAST_LEFT) * moved
                error = max(error, left / _LARGEST_MOVE * problem.accuracy)
            error = reduction.agreed_number(error)
        errors = (*position.errors, error)
        stop = _reason_to_stop(problem, method, stage, errors, clock(), clock() - begin)
        last = replace(record, seconds=clock(), error_estimate=error)
        if good is None or stop is not StopReason.NON_FINITE:
            good = stage, theta
        detail = runaways(problem, good[1]) if stop is not None else ""
        stop = StopReason.RUNAWAY if detail else stop
        yield _taken(good[0], last, good[1], position, stop, detail)
        if stop is not None:
            return
        # one step from a good start says nothing, and unknowns have to be kept
        linear = record.step == 1 and start is None and not problem.unknowns
        if position.solved is not None:
            linear = position.solved.linear
        features = stage.network.num_features
        search = _searched_at(problem, position.solved)
        solved = Solved(stage.number, stage.bandwidth, features, theta, linear, search)
        position = GrowthPosition(
            record.step,
            losses,
            errors,
            solved,
            fields,
            tuple(numbers.items()),
            _smoothness(problem, method, stage, theta, position),
        )


def stage_system(
    problem: Problem,
    method: Method,
    scaling: Scaling,
    position: GrowthPosition,
    *,
    seed: int,
    start: Solution | None = None,
) -> System:
    """Return the system of the stage at a position.

    Args:
        problem: The declaration.
        method: How to solve it.
        scaling: Maps between SI and network units, float64 on the CPU.
        position: The stage.
        seed: Seed of features and points.
        start: Whose fields the first stage starts from, or None.
    """
    weights = smooth_weights(problem, scaling, seed=seed)
    known = _smoothed(problem, position)
    return _stage(known, method, scaling, weights, position, start, seed=seed).system


def _stage(
    problem: Problem,
    method: Method,
    scaling: Scaling,
    weights: Mapping[RowKey, float],
    position: GrowthPosition,
    start: Solution | None,
    *,
    seed: int,
) -> Stage:
    if position.solved is None:
        most = method.max_features
        return first_stage(problem, scaling, weights, seed=seed, start=start, max_features=most)
    return next_stage(problem, position.solved, scaling, weights, seed=seed)


def _smoothness(
    problem: Problem, method: Method, stage: Stage, theta: Tensor, position: GrowthPosition
) -> tuple[tuple[str, float], ...]:
    """Return the smoothness of functions for the next stage, as the data of the first stages choose it."""
    if stage.number > _LAST_CHOICE or not field_follows_unknowns(problem):
        return position.smoothness
    found = next_strengths(stage.system, theta, problem.functions, method.smoothness)
    return tuple(found.items())


def _smoothed(problem: Problem, position: GrowthPosition) -> Problem:
    """Return the problem with the smoothness that the data have chosen so far."""
    if not position.smoothness:
        return problem
    chosen = dict(position.smoothness)
    conditions = with_smoothness(tuple(problem.conditions), chosen)
    physics = with_smoothness(problem.physics, chosen)
    return replace(problem, physics=physics, conditions=conditions)


def _taken(
    stage: Stage,
    record: StepRecord,
    theta: Tensor,
    position: GrowthPosition,
    stop: StopReason | None = None,
    detail: str = "",
) -> Taken:
    mark = Mark(record, theta, _RUNG, position, detail=detail, stop=stop)
    return Taken("growth", mark, stage.system)


def _newton(
    problem: Problem, stage: Stage, position: GrowthPosition, clock: Clock, reduction: Reduction
) -> Iterator[tuple[StepRecord, HeadState | ReducedState, bool]]:
    """Yield the Newton steps of a stage, and whether each was the last."""
    follows = field_follows_unknowns(problem)
    own = own_rows(stage.system, reduction)
    if follows:
        state: HeadState | ReducedState = ReducedNewton().init(own, stage.theta, reduction)
    else:
        state = HeadNewton().init(own, stage.theta, reduction)
    error = position.errors[-1] if position.errors else math.inf
    for step in range(1, _MAX_STEPS + 1):
        if isinstance(state, ReducedState):
            state = ReducedNewton().step(own, state, reduction)
        else:
            state = HeadNewton().step(own, state, reduction)
        done = state.converged or not state.accepted or step == _MAX_STEPS
        number = position.step + step
        record = StepRecord(number, clock(), state.loss, error, state.damping, state.accepted)
        yield record, state, done
        if done:
            return


def _unknowns_moved(state: ReducedState, before: Tensor) -> float:
    """Return how far the unknowns moved since the stage before, the root mean square in their standard deviations."""
    triangle = state.triangle
    count = len(triangle.right)
    moved = (state.theta[-count:] - before[-count:]).numpy()
    return float(np.linalg.norm(triangle.factor @ (triangle.column_norms * moved)) / count**0.5)


def _searched_at(problem: Problem, solved: Solved | None) -> Tensor:
    """Return the search variables (K,) that a stage's functions of corners are for: those found by the one before."""
    starts = [unknown.start for unknown in problem.unknowns]
    if solved is None:
        return torch.tensor(starts, dtype=torch.float64, device="cpu")
    return solved.theta[len(solved.theta) - len(starts) :]


def _reason_to_stop(
    problem: Problem,
    method: Method,
    stage: Stage,
    errors: Sequence[float],
    seconds: float,
    stage_seconds: float,
) -> StopReason | None:
    """Return why growth ends after a stage, or None to go on."""
    if not math.isfinite(errors[-1]) and stage.number > 0:
        return StopReason.NON_FINITE
    if errors[-1] < _GOAL_SHARE * problem.accuracy:
        return StopReason.CONVERGED
    if stage.system.num_parameters * GROWTH > method.max_features:
        return StopReason.CONVERGED if errors[-1] < problem.accuracy else StopReason.STALLED
    if seconds + GROWTH**3 * stage_seconds > method.max_seconds:
        return StopReason.MAX_SECONDS
    slow = stage.number >= _EARLIEST and errors[-1] > _LEAST_FALL * errors[-3]
    return StopReason.STALLED if slow else None


_LEAST_LEFT = 0.1
"""Share of the last move of the unknowns that counts as left at least: they fall less regularly than the residual."""

_LAST_CHOICE = 3
"""Number of the last stage that chooses the smoothness of functions."""

_LARGEST_MOVE = 0.1
"""Move of the unknowns, in their standard deviations, that counts like an error as large as the accuracy."""

_GOAL_SHARE = 0.5
"""Share of the accuracy asked for that the estimated error has to reach, as long as there can be more features."""

_LEAST_FALL = 0.4
"""Factor by which the error must fall over two stages for growth to go on."""

_RUNG = FLOAT64.name

_MAX_STEPS = 12
"""Most Newton steps of a stage."""

_EARLIEST = 3
"""Number of the first stage after which growth may be given up."""
