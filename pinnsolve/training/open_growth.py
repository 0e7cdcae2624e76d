"""Growth of random features where the field itself rests on data: stage by stage, until noise is all that is left.

As in :mod:`pinnsolve.training.growth`, but that how smooth the field is, and how well features can meet the equations,
is chosen by the evidence of the readings, and that a change from stage to stage counts by what noise leaves uncertain.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.method import Method
from pinnsolve.multi_index import VALUE
from pinnsolve.networks import RandomFeatures
from pinnsolve.optimise.precision import FLOAT64
from pinnsolve.problem import Problem
from pinnsolve.record import StepRecord
from pinnsolve.residuals import System
from pinnsolve.scaling import Scaling
from pinnsolve.status import StopReason
from pinnsolve.training.convergence import probe_points, snapshot
from pinnsolve.training.features import FIRST, GROWTH
from pinnsolve.training.mishaps import runaways
from pinnsolve.training.open_stages import (
    BEGIN,
    CHOSEN_UP_TO,
    MAX_STEPS,
    OpenSolved,
    OpenStage,
    begun,
    chosen,
    climbed,
    next_setting,
    open_system,
    stepped,
)
from pinnsolve.training.positions import OpenPosition
from pinnsolve.training.taken import Clock, Mark, Taken

Array = npt.NDArray[np.float64]


def open_growth_steps(
    problem: Problem,
    method: Method,
    scaling: Scaling,
    *,
    seed: int,
    clock: Clock,
    position: OpenPosition,
    reduction: Reduction = ALONE,
) -> Iterator[Taken]:
    """Yield Newton steps of every stage; the last one carries the reason to stop.

    Growth ends when neither fields nor unknowns move by more than their standard deviation and these no longer fall, or
    for lack of parameters or time.

    Args:
        problem: The declaration, see :func:`pinnsolve.determinacy.data_carry_the_field`.
        method: How to solve it.
        scaling: Maps between SI and network units, float64 on the CPU.
        seed: Seed of features and points.
        clock: Seconds since training began.
        position: The stage to begin with.
        reduction: Agreement with other processes, each of which computes all of it.
    """
    probe = probe_points(problem, scaling)
    while True:
        begin, step, before = clock(), position.step, position.solved
        stage = _begin(problem, scaling, position, seed=seed, reduction=reduction)
        error = position.errors[-1] if position.errors else math.inf
        for taken in _solved(stage, reduction):
            stage, step = taken, step + 1
            record = _record(step, clock(), stage, error)
            yield _taken(stage, record, position)
            if step >= method.max_steps:
                yield _taken(stage, record, _ended(position, stage), StopReason.MAX_STEPS)
                return
        fields, stds = snapshot(stage.system, stage.state.theta, probe), unknown_stds(stage)
        error = math.inf if before is None else _error(problem, stage, before, fields, stds, probe)
        error = reduction.agreed_number(error)
        errors = (*position.errors, error)
        stop = _reason_to_stop(
            problem, method, stage, before, stds, error, clock(), clock() - begin
        )
        stop = _STOPS[round(reduction.agreed_number(_STOPS.index(stop)))]
        detail = runaways(problem, stage.state.theta) if stop is not None else ""
        stop = StopReason.RUNAWAY if detail else stop
        last = _record(step, clock(), stage, error)
        yield _taken(stage, last, _ended(position, stage), stop, detail)
        if stop is not None:
            return
        solved = OpenSolved(
            stage.number,
            stage.num_features,
            stage.setting,
            next_setting(problem, stage.setting),
            stage.state.theta,
            fields,
            stds,
        )
        position = OpenPosition(step, errors, solved)


def open_stage_system(
    problem: Problem, scaling: Scaling, position: OpenPosition, *, seed: int
) -> System:
    """Return the system of a stage at a position.

    Args:
        problem: The declaration.
        scaling: Maps between SI and network units, float64 on the CPU.
        position: The stage, with its setting.
        seed: Seed of features and points.
    """
    before, setting = position.solved, position.setting
    number = 0 if before is None else before.number + 1
    num_features = FIRST if before is None else round(GROWTH * before.num_features)
    return open_system(problem, scaling, number, num_features, setting or BEGIN, seed)


def unknown_stds(stage: OpenStage) -> tuple[float, ...]:
    """Return the standard deviations of the unknowns' search variables at the last step.

    Args:
        stage: The stage, solved.
    """
    triangle, number = stage.state.triangle, len(stage.system.unknowns)
    if triangle is None or number == 0:
        return ()
    inverse = np.linalg.inv(triangle.of_unknowns(number))
    return tuple(float(x) for x in np.linalg.norm(inverse, axis=1))


def _begin(
    problem: Problem,
    scaling: Scaling,
    position: OpenPosition,
    *,
    seed: int,
    reduction: Reduction,
) -> OpenStage:
    """Return the stage, its setting chosen if it is small enough for trials."""
    before = position.solved
    setting = BEGIN if before is None else before.begin
    num_features = FIRST if before is None else GROWTH * before.num_features
    if num_features <= CHOSEN_UP_TO:
        return chosen(problem, scaling, setting, before, seed=seed, reduction=reduction)
    return begun(problem, scaling, setting, before, seed=seed)


def _solved(stage: OpenStage, reduction: Reduction) -> Iterator[OpenStage]:
    """Yield the stage after every step, and once more with a larger stiffness, if the evidence rises."""
    if stage.state.converged:
        yield stage
        return
    for _ in range(MAX_STEPS):
        stage = stepped(stage, reduction)
        yield stage
        if stage.state.converged:
            break
    stiffer = climbed(stage, _CLIMBS, reduction=reduction)
    if stiffer is not stage:
        yield stiffer


def _error(
    problem: Problem,
    stage: OpenStage,
    before: OpenSolved,
    fields: Tensor,
    stds: tuple[float, ...],
    probe: Tensor,
) -> float:
    """Return the accuracy times the largest move since the stage before, in standard deviations.

    Fields count by the larger of their deviation and the accuracy, as root mean squares.
    """
    count = len(stds)
    now, then = stage.state.theta, before.theta
    moves = [0.0]
    if count:
        moves += ((now[-count:] - then[-count:]).abs() / now.new_tensor(stds)).tolist()
    change = (fields - before.fields).flatten(0, 1)
    size = (fields.flatten(0, 1) - fields.flatten(0, 1).mean(dim=0)).square().mean(dim=0).sqrt()
    spread = field_stds(stage, probe.flatten(0, 1)).square().mean(dim=0).sqrt()
    told = torch.maximum(spread, problem.accuracy * torch.maximum(size, 0.05 * size.max()))
    moves += (change.square().mean(dim=0).sqrt() / told).tolist()
    return problem.accuracy * max(moves)


def field_stds(stage: OpenStage, points: Tensor) -> Tensor:
    """Return the standard deviations of the network's outputs at points (N, D) in network units, shape (N, C).

    Args:
        stage: The stage, solved.
        points: Where.
    """
    from scipy.linalg import solve_triangular

    triangle, network = stage.state.triangle, stage.system.network
    if triangle is None or not isinstance(network, RandomFeatures):
        raise TypeError("deviations need a stage of random features that was solved")
    features = network.tabulate(points, (VALUE,)).features[0].numpy()
    width, found = features.shape[1], []
    for component in range(network.num_outputs):
        rows = np.zeros((len(triangle.right), len(points)))
        rows[component * width : (component + 1) * width] = features.T
        inner = solve_triangular(triangle.factor, rows, trans="T", check_finite=False)
        found.append(torch.from_numpy(np.linalg.norm(inner, axis=0)))
    return torch.stack(found, dim=1)


def _reason_to_stop(
    problem: Problem,
    method: Method,
    stage: OpenStage,
    before: OpenSolved | None,
    stds: tuple[float, ...],
    error: float,
    seconds: float,
    stage_seconds: float,
) -> StopReason | None:
    """Return why growth ends after a stage, or None to go on."""
    if not math.isfinite(stage.state.loss):
        return StopReason.NON_FINITE
    good = error < problem.accuracy
    falls = before is not None and any(
        new < _FALL * old for new, old in zip(stds, before.stds, strict=True)
    )
    if good and not falls:
        return StopReason.CONVERGED
    if stage.system.num_parameters * GROWTH > method.max_features:
        return StopReason.CONVERGED if good else StopReason.STALLED
    if seconds + GROWTH**3 * stage_seconds > method.max_seconds:
        return StopReason.CONVERGED if good else StopReason.MAX_SECONDS
    return None


def _record(step: int, seconds: float, stage: OpenStage, error: float) -> StepRecord:
    return StepRecord(step, seconds, stage.state.loss, error, 0.0, stage.state.accepted)


def _ended(position: OpenPosition, stage: OpenStage) -> OpenPosition:
    """Return the position with what was chosen for its stage."""
    return replace(position, setting=stage.setting)


def _taken(
    stage: OpenStage,
    record: StepRecord,
    position: OpenPosition,
    stop: StopReason | None = None,
    detail: str = "",
) -> Taken:
    at = _ended(position, stage)
    mark = Mark(record, stage.state.theta, FLOAT64.name, at, detail=detail, stop=stop)
    return Taken("growth", mark, stage.system)


_STOPS = (None, *StopReason)

_CLIMBS = 2
"""Most times that the stiffness of a large stage is raised."""

_FALL = 0.8
"""Share of their standard deviations before to which those of the unknowns have to fall for growth to go on."""
