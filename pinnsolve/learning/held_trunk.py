"""Fine-tuning with the trunk held: the head alone is solved for, or new features on top of what is there.

Both are Newton's method on a network that is linear in its parameters: exact least squares for a linear problem, in one
step.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from pinnsolve.architecture import with_kinks
from pinnsolve.learning.starts import base_of, moved_scaling
from pinnsolve.learning.steps import (
    Judge,
    Judged,
    Moved,
    ended,
    linear_part,
    newton,
    point_counts,
    starts_of_unknowns,
)
from pinnsolve.method import Method
from pinnsolve.networks import RandomFeatures, added_up
from pinnsolve.problem import Problem
from pinnsolve.scaling import Scaling
from pinnsolve.solution import Solution
from pinnsolve.status import Status, StopReason
from pinnsolve.training.feature_layers import features_for
from pinnsolve.training.feature_systems import smooth_weights, system_on
from pinnsolve.training.features import GROWTH
from pinnsolve.training.warm import typical_slopes


def head_steps(problem: Problem, start: Solution, method: Method, *, seed: int) -> Iterator[Moved]:
    """Yield the Newton steps for the head of the start's network on the new problem.

    Args:
        problem: What is to be solved.
        start: The solution whose trunk is held.
        method: Its limits and numbers of points.
        seed: Seed of the points.

    Raises:
        ValueError: If the network has no head of its own.
    """
    begin, scaling = time.perf_counter(), moved_scaling(start, problem)
    part = linear_part(start, problem, scaling)
    weights = smooth_weights(problem, scaling, seed=seed)
    counts = method.points or point_counts(problem, part.features.num_features)
    system = system_on(problem, part.features, scaling, weights, seed=seed, counts=counts)
    system = system.tabulated()
    first = torch.cat((part.head, starts_of_unknowns(problem, part.head)))
    for record, theta, done in newton(system, first, begin, 0, method.max_steps):
        if done:
            yield ended(problem, part, system, (first, theta), record, begin, seed=seed)
        else:
            yield Moved(part.network, part.whole(theta), system, theta, record)


def correction_steps(
    problem: Problem, start: Solution, method: Method, *, seed: int
) -> Iterator[Moved]:
    """Yield the Newton steps of more and more new features, on top of the start's network, which is held.

    What is left to find is the difference of two solutions, which is smaller than either, so that fewer features do.

    Args:
        problem: What is to be solved.
        start: The solution that is held.
        method: Its limits.
        seed: Seed of features and points.
    """
    begin, scaling = time.perf_counter(), moved_scaling(start, problem)
    base = base_of(start, problem, scaling)
    weights = smooth_weights(problem, scaling, seed=seed)
    number, bandwidth = _first_size(problem, start, scaling)
    step, errors = 0, list[float]()
    judged: Judged | None = None
    stop: Status | None = None
    while stop is None:
        here = seed + number
        network = replace(features_for(problem, number, bandwidth, scaling, seed=here), base=base)
        system = system_on(problem, network, scaling, weights, seed=here).tabulated()
        first = base[1].new_zeros(network.num_parameters)
        first = torch.cat((first, starts_of_unknowns(problem, first)))
        judge = Judge.of(problem, system, seed=seed)
        judged = judged or judge.at(first)
        for record, theta, done in newton(system, first, begin, step, method.max_steps):
            joined, head = added_up(network, theta[: network.num_parameters])
            if done:
                after = judge.at(theta)
                errors.append(judged.error_at(after, problem, system, theta))
                judged, step, seconds = after, record.step, time.perf_counter() - begin
                record = replace(record, seconds=seconds, error_estimate=errors[-1])  # noqa: PLW2901
                stop = _why_stop(problem, method, errors, network.num_parameters, seconds, step)
            yield Moved(joined, head, system, theta, record, stop)
        number, bandwidth = round(GROWTH * number), bandwidth * GROWTH ** (1.0 / len(bandwidth))


def _first_size(problem: Problem, start: Solution, scaling: Scaling) -> tuple[int, Tensor]:
    """Return the number of features that a correction begins with, and their typical slopes."""
    slopes = typical_slopes(problem, replace(start, scaling=scaling), scaling)
    if slopes is None or not isinstance(start.network, RandomFeatures):
        axes = with_kinks(problem).num_features(problem.frame.num_axes)
        return _FEWEST, torch.full((axes,), _PLAIN_SLOPE, dtype=torch.float64, device="cpu")
    before = start.network.num_features
    number = max(_FEWEST, round(before / GROWTH**_STAGES_BACK))
    return number, slopes * (number / before) ** (1.0 / len(slopes))


def _why_stop(
    problem: Problem,
    method: Method,
    errors: list[float],
    num_parameters: int,
    seconds: float,
    step: int,
) -> Status | None:
    """Return why a correction ends after a stage, or None to go on."""
    if errors[-1] < _GOAL_SHARE * problem.accuracy:
        return Status.of(StopReason.CONVERGED)
    if not math.isfinite(errors[-1]):
        return Status.of(StopReason.NON_FINITE)
    if step >= method.max_steps:
        return Status.of(StopReason.MAX_STEPS)
    if seconds > method.max_seconds:
        return Status.of(StopReason.MAX_SECONDS)
    slow = len(errors) > 2 and errors[-1] > _LEAST_FALL * errors[-3]
    too_many = num_parameters * GROWTH > method.max_features
    return Status.of(StopReason.STALLED) if slow or too_many else None


_FEWEST = 100
"""Features of the smallest correction."""

_STAGES_BACK = 2
"""Stages of which the size of the start's features is taken back."""

_PLAIN_SLOPE = 2.0
"""Typical slope of a correction's features where the start has none to say."""

_GOAL_SHARE = 0.5
"""Share of the accuracy asked for that the estimated error has to reach."""

_LEAST_FALL = 0.4
"""Factor by which the error must fall over two stages for a correction to go on."""
