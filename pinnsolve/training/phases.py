"""Which kinds of training run: growth where it is wanted, then the trunk where growth was not enough."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from pinnsolve.determinacy import data_carry_the_field, field_follows_unknowns
from pinnsolve.distributed import Reduction
from pinnsolve.method import Method
from pinnsolve.optimise.levenberg_marquardt import half_square
from pinnsolve.problem import Problem
from pinnsolve.record import StepRecord
from pinnsolve.residuals import System
from pinnsolve.solution import Solution
from pinnsolve.status import StopReason
from pinnsolve.training.growth import growth_steps, stage_system
from pinnsolve.training.journal import Reached
from pinnsolve.training.open_growth import open_growth_steps, open_stage_system
from pinnsolve.training.positions import OpenPosition, TrunkPosition
from pinnsolve.training.taken import Clock, Mark, Phase, Taken
from pinnsolve.training.trunk import prepare, scaling_of, system_at, trunk_steps


@dataclass(frozen=True)
class Task:
    """What is to be trained, how, and from where.

    Attributes:
        problem: The declaration.
        method: How to solve it.
        seed: Seed of points and initial parameters.
        start: Whose fields training begins from, or None.
    """

    problem: Problem
    method: Method
    seed: int
    start: Solution | None


def steps_left(task: Task, clock: Clock, reached: Reached, reduction: Reduction) -> Iterator[Taken]:
    """Yield the steps that are left of growth, where it is wanted, and of the trunk, where growth was not enough.

    Args:
        task: What is to be trained.
        clock: Seconds since training began, the same on all processes.
        reached: How far the run has come.
        reduction: Agreement with other processes.
    """
    problem, method, limit = task.problem, task.method, task.method.max_seconds
    seed, start = task.seed, task.start
    train_trunk = partial(
        trunk_steps, problem, method, seed=seed, clock=clock, reduction=reduction, start=start
    )
    if reached.trunk is not None:
        if not reached.is_over(reached.trunk, limit):
            yield from train_trunk(position=reached.trunk_position)
        return
    count, grown = 0, reached.growth
    on_data = data_carry_the_field(problem)
    only_trunk = on_data and start is not None and method.trunk != "random"
    if method.grows(problem) and not only_trunk:
        if grown is None or not reached.is_over(grown, limit):
            for taken in _growth(task, clock, reached, reduction):
                yield taken
                grown = taken.mark
        if grown is not None:
            count = grown.record.step
            beyond = grown.record.error_estimate < _BEYOND_TRUNKS
            by_data = on_data or field_follows_unknowns(problem)
            near = _NEAR_ENOUGH * problem.accuracy if by_data else 0.0
            beyond = beyond or grown.record.error_estimate < near
            enough = beyond or grown.stop in (StopReason.CONVERGED, StopReason.RUNAWAY)
            if enough or method.trunk == "random" or count == method.max_steps:
                return
    yield from train_trunk(first_step=count + 1)


def _growth(task: Task, clock: Clock, reached: Reached, reduction: Reduction) -> Iterator[Taken]:
    """Yield the steps that are left of growth: on data, where these carry the field, else on its equations."""
    problem, method, seed = task.problem, task.method, task.seed
    scaling = scaling_of(problem, seed)
    if data_carry_the_field(problem):
        limited = _within_share(method, _OPEN_GROWTH_SHARE)
        yield from open_growth_steps(
            problem,
            limited,
            scaling,
            seed=seed,
            clock=clock,
            position=reached.open_position,
            reduction=reduction,
        )
        return
    yield from growth_steps(
        problem,
        _within_share(method, _GROWTH_SHARE),
        scaling,
        seed=seed,
        clock=clock,
        position=reached.growth_position,
        reduction=reduction,
        start=task.start,
    )


def _within_share(method: Method, share: float) -> Method:
    """Return the method with a share of its time, unless growth is all there is."""
    share = 1.0 if method.trunk == "random" else share
    return replace(method, max_seconds=share * method.max_seconds)


def ends_of(task: Task, reached: Reached, systems: Mapping[Phase, System]) -> dict[Phase, Taken]:
    """Return the last step of each kind of training; a system of an earlier process is made again.

    Args:
        task: What is trained.
        reached: How far the run has come.
        systems: Those of this process, by kind of training.
    """
    ends: dict[Phase, Taken] = {}
    for mark in reached.marks:
        phase: Phase = "trunk" if isinstance(mark.position, TrunkPosition) else "growth"
        ends[phase] = Taken(phase, mark, systems.get(phase) or _system_of(task, mark))
    return ends


def _system_of(task: Task, mark: Mark) -> System:
    """Return the system on the points of a step."""
    problem, method, position = task.problem, task.method, mark.position
    if isinstance(position, TrunkPosition):
        return system_at(problem, method, position, seed=task.seed, start=task.start)
    scaling = scaling_of(problem, task.seed)
    if isinstance(position, OpenPosition):
        return open_stage_system(problem, scaling, position, seed=task.seed)
    return stage_system(problem, method, scaling, position, seed=task.seed, start=task.start)


def unmoved(task: Task) -> Taken:
    """Return the initial parameters of the trunk, as if a step had led there.

    Args:
        task: What is to be trained.
    """
    system, theta = prepare(task.problem, task.method, seed=task.seed, start=task.start)
    loss = half_square(system.residual(theta).detach())
    state = task.method.schedule.init(system, theta)
    position = TrunkPosition(0.0, 1, 0, state, 0, theta, ())
    record = StepRecord(0, 0.0, loss, math.inf, 0.0)
    return Taken("trunk", Mark(record, theta, state.rung, position), system)


_GROWTH_SHARE = 0.5
"""Share of the time that growth may take if the trunk can be trained after it."""

_OPEN_GROWTH_SHARE = 0.8
"""The same where the field rests on data: the trunk takes several times as long for them."""

_NEAR_ENOUGH = 10.0
"""Error of growth over the accuracy below which the trunk is not tried for unknowns: it weighs data against equations,
which biases them, and takes many times as long."""

_BEYOND_TRUNKS = 1e-7
"""Relative error below which training the trunk is no improvement."""
