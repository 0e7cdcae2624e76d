"""train(): the shell around the kinds of training, with its clock and its random generators."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pinnsolve.blocks import PointCounts, make_blocks
from pinnsolve.distributed import LostProcessError, Reduction, process_group
from pinnsolve.method import Method
from pinnsolve.optimise.levenberg_marquardt import half_square
from pinnsolve.optimise.precision import RungRecord
from pinnsolve.problem import Problem
from pinnsolve.record import RunRecord, StepRecord
from pinnsolve.residuals import RowKey, System, build_system
from pinnsolve.solution import Solution
from pinnsolve.status import Status, StopReason
from pinnsolve.threads import one_torch_thread
from pinnsolve.training.convergence import STOP_SHARE
from pinnsolve.training.growth import growth_steps
from pinnsolve.training.present import present_solution
from pinnsolve.training.taken import Clock, Phase, Taken
from pinnsolve.training.trunk import prepare, scaling_of, trunk_steps
from pinnsolve.uncertainty import estimate_unknowns

Observer = Callable[[StepRecord], None]
"""Called after every step, for progress bars and logs."""

Watcher = Callable[[float, Solution], None]
"""Called after every step with the seconds of training so far and the present solution."""


@dataclass(frozen=True)
class Trained:
    """A solution together with the system it was trained on.

    Attributes:
        solution: The solution.
        system: The least-squares system.
        theta: Network parameters and the unknowns' search variables.
    """

    solution: Solution
    system: System
    theta: Tensor


def train(
    problem: Problem,
    method: Method | None = None,
    *,
    seed: int = 0,
    observer: Observer | None = None,
    watcher: Watcher | None = None,
) -> Trained:
    """Train a network on a problem.

    The error estimate (see :mod:`pinnsolve.training.convergence`) is a stopping rule; the verdict does not use it.

    Processes that were started by ``torchrun`` share the rows and return the same state; only the first calls observer
    and watcher.

    Args:
        problem: The declaration.
        method: How to solve it; None chooses everything.
        seed: Seed of points and initial parameters; the same seed gives the same numbers.
        observer: Called after every step with its record.
        watcher: Called after every step with the present solution; its time does not count.

    Returns:
        The last good state with the reason for stopping; Ctrl-C stops early and returns too.
    """
    how = method if method is not None else Method()
    clock = _Stopwatch()
    history: list[StepRecord] = []
    ends: dict[Phase, Taken] = {}
    status = Status.of(StopReason.MAX_STEPS)
    rungs: list[RungRecord] = []
    with one_torch_thread(), process_group(how.torch_device) as reduction:
        try:
            for taken in _steps(problem, how, seed, _agreed(clock, reduction), reduction):
                ends[taken.phase] = taken
                history.append(taken.record)
                rungs += _climbed(rungs, taken)
                if taken.stop is not None:
                    status = Status.of(taken.stop, taken.detail)
                if reduction.rank != 0:
                    continue
                if observer is not None:
                    observer(taken.record)
                if watcher is not None:
                    with clock.stopped():
                        solution = present_solution(problem, taken.system, taken.theta)
                        watcher(taken.record.seconds, solution)
        except KeyboardInterrupt:
            status = Status.of(StopReason.INTERRUPTED)
        except LostProcessError as error:
            status = Status.of(StopReason.LOST_PROCESS, str(error))
        chosen = _best(problem, how, ends, seed)
        run = RunRecord(
            status=status,
            history=tuple(history),
            seconds=clock(),
            seed=seed,
            precision=str(chosen.theta.dtype).removeprefix("torch."),
            device=how.device,
            num_parameters=chosen.system.num_parameters,
            num_points=chosen.system.block_sizes,
            network=repr(chosen.system.network),
            versions=versions(),
            rungs=tuple(rungs),
        )
        return Trained(_finished(problem, chosen, run), chosen.system, chosen.theta)


def _climbed(rungs: Sequence[RungRecord], taken: Taken) -> list[RungRecord]:
    """Return a record of a change of arithmetic, if there was one."""
    if not rungs:
        return [RungRecord(0, 0.0, "", taken.rung, "the start")]
    before = rungs[-1].after
    if taken.rung == before:
        return []
    return [RungRecord(taken.record.step, taken.record.seconds, before, taken.rung, taken.why)]


class _Stopwatch:
    """Seconds since it was made, less those during which it was stopped."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def __call__(self) -> float:
        return time.perf_counter() - self._start

    @contextmanager
    def stopped(self) -> Iterator[None]:
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._start += time.perf_counter() - begin


def _agreed(clock: Clock, reduction: Reduction) -> Clock:
    """Return the clock of the first process: what decides when to stop has to be the same on all."""
    return clock if reduction.size == 1 else lambda: reduction.agreed_number(clock())


def _steps(
    problem: Problem, method: Method, seed: int, clock: Clock, reduction: Reduction
) -> Iterator[Taken]:
    """Yield the steps of growth, where it is wanted, and then of the trunk, where growth was not enough."""
    count = 0
    if method.grows(problem):
        share = 1.0 if method.trunk == "random" else _GROWTH_SHARE
        limited = replace(method, max_seconds=share * method.max_seconds)
        for taken in growth_steps(
            problem, limited, scaling_of(problem, seed), seed=seed, clock=clock, reduction=reduction
        ):
            yield taken
            count = taken.record.step
        enough = taken.record.error_estimate < max(STOP_SHARE * problem.accuracy, _BEYOND_TRUNKS)
        if enough or method.trunk == "random" or count == method.max_steps:
            return
    yield from trunk_steps(
        problem, method, seed=seed, clock=clock, reduction=reduction, first_step=count + 1
    )


_GROWTH_SHARE = 0.5
"""Share of the time that growth may take if the trunk can be trained after it."""

_BEYOND_TRUNKS = 1e-7
"""Relative error below which training the trunk is no improvement."""


def _best(problem: Problem, method: Method, ends: Mapping[Phase, Taken], seed: int) -> Taken:
    """Return where the better kind of training ended, by the residual on points that neither was trained on."""
    if not ends:  # interrupted before the first step
        system, theta = prepare(problem, method, seed=seed)
        record = StepRecord(0, 0.0, half_square(system.residual(theta).detach()), math.inf, 0.0)
        return Taken("trunk", record, system, theta, method.schedule.stages[0].policy.name)
    if len(ends) == 1:
        return next(iter(ends.values()))
    weights = ends["growth"].system.weights
    losses = {phase: _fresh_loss(problem, taken, weights, seed) for phase, taken in ends.items()}
    return ends[min(losses, key=lambda phase: losses[phase])]


def _fresh_loss(
    problem: Problem, taken: Taken, weights: Mapping[RowKey, float], seed: int
) -> float:
    counts = PointCounts(4000, 1000, 1000 if problem.time is not None else 0)
    like = torch.empty(0, dtype=torch.float64, device="cpu")
    system = build_system(
        make_blocks(problem, counts, seed=seed + _FRESH),
        problem.field_shapes,
        problem.frame,
        taken.system.network,
        taken.system.scaling.to(dtype=like.dtype, device=like.device),
        problem.unknowns,
        weights=weights,
    )
    with torch.no_grad():
        return half_square(system.residual(taken.theta.to(like)))


_FRESH = 700_001
"""What is added to the seed for points on which the kinds of training are compared."""


def _finished(problem: Problem, taken: Taken, record: RunRecord) -> Solution:
    """Return the solution with estimates of the unknowns and the level of floating fields."""
    estimates = estimate_unknowns(taken.system, taken.theta) if problem.unknowns else ()
    solution = present_solution(problem, taken.system, taken.theta)
    return replace(solution, estimates=estimates, record=record)


def versions() -> dict[str, str]:
    """Return the versions a result depends on."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        own = version("pinnsolve")
    except PackageNotFoundError:
        own = "not installed"
    return {
        "pinnsolve": own,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
