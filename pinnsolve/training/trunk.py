"""Training all parameters of a network by Gauss-Newton on points that are drawn anew every few steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from pinnsolve.architecture import satisfied_rows
from pinnsolve.blocks import Choose, PointCounts, draw_uniformly, make_blocks
from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.method import Method
from pinnsolve.networks import Network
from pinnsolve.optimise.levenberg_marquardt import half_square
from pinnsolve.optimise.schedule import ScheduleState
from pinnsolve.optimise.weights import balanced
from pinnsolve.problem import Problem
from pinnsolve.record import StepRecord
from pinnsolve.residuals import RowKey, System, build_system
from pinnsolve.sampling import choose_by_importance
from pinnsolve.scaling import Scaling, find_scaling
from pinnsolve.solution import Solution
from pinnsolve.status import StopReason
from pinnsolve.training.convergence import (
    STOP_SHARE,
    floating_mask,
    probe_points,
    snapshot,
    worst_error,
)
from pinnsolve.training.mishaps import OutOfMemoryError, runaways, step_within_memory
from pinnsolve.training.positions import TrunkPosition
from pinnsolve.training.taken import Clock, Mark, Taken
from pinnsolve.training.warm import warm_parameters

_MEMORY = 10
"""Steps over which a change of the fields is measured to estimate their error."""

_MAX_REFUSALS = 3
"""Steps in a row, each on new points, without progress, after which a run has stalled."""


_PATIENCE = 4
"""Draws in a row on none of which the loss was the lowest so far, after which there may be too few points."""

_BY_HEART = 0.5
"""Loss after the steps on a draw over that before them, below which its points are fitted by heart."""

_MOST_POINTS = 8
"""Most points as a multiple of those at first."""


def trunk_steps(
    problem: Problem,
    method: Method,
    *,
    seed: int,
    clock: Clock,
    reduction: Reduction = ALONE,
    first_step: int = 1,
    position: TrunkPosition | None = None,
    start: Solution | None = None,
) -> Iterator[Taken]:
    """Yield Gauss-Newton steps until there is a reason to stop.

    Args:
        problem: The declaration.
        method: How to solve it.
        seed: Seed of points and initial parameters.
        clock: Seconds since training began, the same on all processes.
        reduction: Adds up over processes, each of which takes its share of the rows.
        first_step: Number of the first step.
        position: Where to go on; None begins anew.
        start: Whose fields the network starts from, or None.
    """
    system, theta = prepare(problem, method, seed=seed, start=start)
    schedule = method.schedule
    probe = probe_points(problem, system.scaling)
    floating = floating_mask(problem, theta)
    if position is None:
        first = (snapshot(system, theta, probe),)
        state = schedule.init(own_rows(system, reduction), theta, reduction)
        position = TrunkPosition(clock(), first_step, 0, state, 0, theta, first)
    else:
        system = _on_points_of(problem, method, system, position, seed=seed)
    at, own = position, own_rows(system, reduction)
    while True:
        step = at.step + 1
        due = method.resample_every and step % method.resample_every == 0
        if due or not at.state.accepted:
            at = replace(with_more_points(method, at), drawn=step, drawn_at=at.state.theta)
            system = _on_points_of(problem, method, system, at, seed=seed)
            own = own_rows(system, reduction)
            loss = half_square(own.residual(at.state.theta).detach(), reduction)
            at = replace(at, fresh=(*at.fresh, loss))
        elapsed = (clock() - at.begun) / max(method.max_seconds - at.begun, 1e-9)
        spent = max(step / method.max_steps, elapsed)
        number = at.first_step + step - 1
        try:
            state, own = step_within_memory(schedule, own, at.state, reduction, spent=spent)
        except OutOfMemoryError as lack:
            yield Taken("trunk", _not_taken(at, number, clock(), str(lack)), system)
            return
        refusals = 0 if state.accepted else at.refusals + 1
        snapshots = (*at.snapshots[-_MEMORY:], snapshot(system, state.theta, probe))
        at = replace(at, step=step, state=state, snapshots=snapshots, refusals=refusals)
        error = math.inf
        if step >= _MEMORY:
            error = worst_error(system, state.theta, snapshots[0], snapshots[-1], floating)
            error = reduction.agreed_number(error)
        record = StepRecord(number, clock(), state.loss, error, state.damping, state.accepted)
        stop = _reason_to_stop(problem, method, record, state, refusals)
        detail = runaways(problem, state.theta)
        if detail:
            stop = StopReason.RUNAWAY
        elif stop is not None:
            stop, detail = _with_cost_of_arithmetic(stop, method, state, step)
        mark = Mark(record, state.theta, state.rung, at, state.why, detail, stop)
        yield Taken("trunk", mark, system)
        if stop is not None:
            return


def _not_taken(at: TrunkPosition, number: int, seconds: float, detail: str) -> Mark:
    """Return a step that did not fit into memory."""
    state = at.state
    record = StepRecord(number, seconds, state.loss, math.inf, state.damping, accepted=False)
    return Mark(record, state.theta, state.rung, at, state.why, detail, StopReason.OUT_OF_MEMORY)


def own_rows(system: System, reduction: Reduction) -> System:
    """Return this process's share of a system."""
    return system if reduction.size == 1 else system.shard(reduction.rank, reduction.size)


def system_at(
    problem: Problem,
    method: Method,
    position: TrunkPosition,
    *,
    seed: int,
    start: Solution | None = None,
) -> System:
    """Return the weighted system on the points of a position.

    Args:
        problem: The declaration.
        method: How to solve it.
        position: Where training stands.
        seed: Seed of points and initial parameters.
        start: Whose fields the network started from, or None.
    """
    system, _ = prepare(problem, method, seed=seed, start=start)
    return _on_points_of(problem, method, system, position, seed=seed)


def _on_points_of(
    problem: Problem, method: Method, system: System, position: TrunkPosition, *, seed: int
) -> System:
    """Return the same weighted system on the points of a position; ``system`` is on any of its points."""
    if position.drawn == 0:
        return system
    here = seed + 1009 * position.drawn
    return on_fresh_points(
        problem, method, system, position.drawn_at, seed=here, multiple=position.multiple
    )


def with_more_points(method: Method, at: TrunkPosition) -> TrunkPosition:
    """Return the position with twice as many points from now on, if those that there are have been fitted by heart.

    That is so if steps lower the loss but a new draw raises it as much again, several draws in a row. More points from
    the beginning would only make the many steps dear that lead there.
    """
    if method.points is not None or at.multiple == _MOST_POINTS or len(at.fresh) <= _PATIENCE:
        return at
    before, lately = at.fresh[:-_PATIENCE], at.fresh[-_PATIENCE:]
    by_heart = at.state.loss < _BY_HEART * lately[-1]
    if by_heart and min(lately) >= min(before):
        return replace(at, multiple=2 * at.multiple, fresh=())
    return at


def _reason_to_stop(
    problem: Problem, method: Method, record: StepRecord, state: ScheduleState, refusals: int
) -> StopReason | None:
    """Return why to stop after a step, or None to go on."""
    if method.schedule.is_last(state):
        if not math.isfinite(record.loss):
            return StopReason.NON_FINITE
        if refusals >= _MAX_REFUSALS:
            return StopReason.STALLED
        if record.error_estimate < STOP_SHARE * problem.accuracy:
            return StopReason.CONVERGED
    if record.seconds > method.max_seconds:
        return StopReason.MAX_SECONDS
    return StopReason.MAX_STEPS if record.step == method.max_steps else None


_UNFINISHED = (StopReason.MAX_STEPS, StopReason.MAX_SECONDS, StopReason.STALLED)


def _with_cost_of_arithmetic(
    stop: StopReason, method: Method, state: ScheduleState, steps: int
) -> tuple[StopReason, str]:
    """Return the reason to stop, with what the arithmetic cost if it cost anything."""
    stages = method.schedule.stages
    if stages[-1].policy.residual == torch.float32 and state.at_floor:
        if stop in _UNFINISHED:
            return StopReason.PRECISION, ""
        return stop, "float32, at the noise floor of its arithmetic"
    if len(stages) == 1:
        return stop, ""
    detail = f"{state.steps[0]} of {steps} steps were {stages[0].policy.name} first-order training"
    if stop in _UNFINISHED:
        detail += ", so that the error may be larger than with precision='float64'"
    return stop, detail


def prepare(
    problem: Problem, method: Method, *, seed: int, start: Solution | None = None
) -> tuple[System, Tensor]:
    """Return the weighted system of a problem and initial parameters.

    Args:
        problem: The declaration.
        method: How to solve it.
        seed: Seed of points and parameters.
        start: Whose fields the network starts from, or None.
    """
    device = method.torch_device
    exact = scaling_of(problem, seed)
    scaling = exact.to(dtype=method.dtype, device=device)
    network = method.network_for(problem, scaling)
    satisfied = satisfied_rows(problem, network, scaling)
    system = _system(problem, method, network, scaling, {}, satisfied=satisfied, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    parameters = network.initial_parameters(generator, dtype=method.dtype, device=device)
    if start is not None:
        plain = method.network_for(problem, exact)  # an output transform has its own arithmetic
        drawn = parameters.to(dtype=torch.float64, device="cpu")
        parameters = warm_parameters(problem, plain, exact, start, drawn).to(parameters)
    starts = parameters.new_tensor([unknown.start for unknown in problem.unknowns])
    theta = torch.cat((parameters, starts))
    return balanced(system, theta), theta


def scaling_of(problem: Problem, seed: int) -> Scaling:
    """Return the scaling of a problem, float64 on the CPU."""
    counts = PointCounts(64, 64, 64 if problem.time is not None else 0)
    return find_scaling(problem, make_blocks(problem, counts, seed=seed + 5))


def on_fresh_points(
    problem: Problem,
    method: Method,
    system: System,
    theta: Tensor,
    *,
    seed: int,
    multiple: int = 1,
) -> System:
    """Return the same weighted system on newly drawn points, some of them where the residual is large.

    Args:
        problem: The declaration.
        method: How many points, and what share of them follows the residual.
        system: The present system.
        theta: Where its residual is taken.
        seed: Seed of the draw.
        multiple: How many times as many points as the method says.
    """
    choose = partial(choose_by_importance, problem, system, theta, method.adaptive_share)
    return _system(
        problem,
        method,
        system.network,
        system.scaling,
        system.weights,
        satisfied=system.satisfied,
        seed=seed,
        choose=choose,
        multiple=multiple,
    )


def _system(
    problem: Problem,
    method: Method,
    network: Network,
    scaling: Scaling,
    weights: Mapping[RowKey, float],
    *,
    satisfied: frozenset[RowKey],
    seed: int,
    choose: Choose = draw_uniformly,
    multiple: int = 1,
) -> System:
    counts = method.points_for(problem, network)
    more = PointCounts(
        multiple * counts.interior, multiple * counts.boundary, multiple * counts.initial
    )
    blocks = make_blocks(problem, more, seed=seed, choose=choose)
    return build_system(
        blocks,
        problem.field_shapes,
        problem.frame,
        network,
        scaling,
        problem.unknowns,
        weights=weights,
        max_points=method.max_batch_points,
        satisfied=satisfied,
    )
