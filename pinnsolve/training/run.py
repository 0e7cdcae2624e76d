"""train(): the shell around the kinds of training, with its clock and its random generators."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pinnsolve.distributed import ALONE, LostProcessError, Reduction, process_group
from pinnsolve.energy import EstimatedEnergy, Meter
from pinnsolve.method import Method
from pinnsolve.noise_estimates import groups_to_estimate
from pinnsolve.problem import Problem
from pinnsolve.record import RunRecord, StepRecord
from pinnsolve.residuals import System
from pinnsolve.solution import Solution
from pinnsolve.status import Status, StopReason
from pinnsolve.threads import one_torch_thread
from pinnsolve.training.checkpoint import Keeper, state_classes
from pinnsolve.training.choice import Onlooker, nearest
from pinnsolve.training.fingerprint import fingerprint
from pinnsolve.training.journal import Journal, Reached
from pinnsolve.training.noise_rounds import train_in_rounds
from pinnsolve.training.phases import Task, ends_of, steps_left, unmoved
from pinnsolve.training.present import present_solution
from pinnsolve.training.taken import Clock, Phase, Taken
from pinnsolve.training.warm import check_start, made_of
from pinnsolve.uncertainty import (
    choose_smoothness,
    estimates_of,
    laplace,
    stiffness_of,
    with_profiles,
)

Observer = Callable[[StepRecord], None]
"""Called after every step, for progress bars and logs."""

Watcher = Callable[[float, Solution], None]
"""Called after every step with the seconds of training so far and the solution that would be returned now."""


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
    checkpoint: str | Path | None = None,
    checkpoint_seconds: float = 30.0,
    start: Solution | None = None,
    meter: Meter | None = None,
) -> Trained:
    """Train a network on a problem.

    The error estimate (see :mod:`pinnsolve.training.convergence`) is a stopping rule; the verdict does not use it.

    With a checkpoint a run that was killed, whenever it was, goes on to bitwise the same result (on the same machine,
    with the same versions and numbers of threads and processes), as long as no decision hangs on the clock: a run that
    reaches ``Method.max_seconds``, gives up random features because their time is short, or leaves first-order
    training because its share of the time is spent, cannot be repeated exactly, killed or not.
    Processes that were started by ``torchrun`` share the rows and return the same state; only the first calls observer
    and watcher and writes the checkpoint, which all must be able to read.

    Args:
        problem: The declaration.
        method: How to solve it; None chooses everything.
        seed: Seed of points and initial parameters; the same seed gives the same numbers.
        observer: Called after every step with its record.
        watcher: Called after every step with the solution that would be returned now; its time does not count.
        checkpoint: A file to which the state is written now and then, and at the end. If it is there already, the
            run goes on from it: a finished one returns its result at once, or goes on if it had run out of time and
            ``Method.max_seconds`` is larger now. Its seconds so far count.
        checkpoint_seconds: Time between two writes, in s; 0 writes after every step.
        start: A solution with the same fields and coordinates, whose fields training begins from; of another
            domain, coefficient or time too. Beyond its bounds the value at their nearest point counts. Random features
            are fitted to it and take over its bandwidth and size, if it is made of random features; of a trained
            network the head is fitted, on hidden layers of the start if it has the same architecture, else on random
            ones. Where data carry the field (:func:`pinnsolve.determinacy.data_carry_the_field`) a trunk is trained
            from it, unless ``Method(trunk="random")`` asks for features: these begin from the readings, not from it.
            None begins from nothing.
        meter: How the energy is found; None estimates it from the CPU time of this process.

    Returns:
        The last good state with the reason for stopping; Ctrl-C stops early and returns too.

    Raises:
        ValueError: If the checkpoint is damaged, is of another problem, method, seed or start, or cannot be written;
            if the start has other fields or coordinates.
    """
    how = method if method is not None else Method()
    running = (EstimatedEnergy() if meter is None else meter).start()
    if start is not None:
        check_start(problem, start)
    kept = None if checkpoint is None else Path(checkpoint)

    def run(
        declared: Problem,
        by: Method,
        begin: Solution | None,
        told: Observer | None,
        file: Path | None,
    ) -> Trained:
        return _train(Task(declared, by, seed, begin), told, watcher, file, checkpoint_seconds)

    if groups_to_estimate(problem):
        trained = train_in_rounds(problem, how, start, observer, kept, run)
    else:
        trained = run(problem, how, start, observer, kept)
    record = replace(trained.solution.record, energy=running())
    return replace(trained, solution=replace(trained.solution, record=record))


def _train(
    task: Task,
    observer: Observer | None,
    watcher: Watcher | None,
    checkpoint: Path | None,
    seconds_between: float,
) -> Trained:
    """Train once, with the noise that is stated, or guessed."""
    problem, how = task.problem, task.method
    keeper = _keeper(task, checkpoint, seconds_between)
    reached = Reached() if keeper is None else keeper.reached
    journal = Journal(reached, how.max_seconds)
    systems: dict[Phase, System] = {}
    onlooker = Onlooker(problem, seed=task.seed)
    cut_short: Status | None = None
    with one_torch_thread(), process_group(how.torch_device) as reduction:
        _refuse_another_start(reached, reduction)
        first, clock = reduction.rank == 0, _agreed(journal.clock, reduction)
        try:
            for taken in steps_left(task, clock, reached, reduction):
                systems[taken.phase] = taken.system
                journal.take(taken)
                if not first:
                    continue
                if keeper is not None and keeper.due:
                    keeper.keep(journal.reached)
                if observer is not None:
                    observer(taken.record)
                if watcher is not None:
                    with journal.clock.stopped():
                        ends = ends_of(task, journal.reached, systems)
                        best = onlooker.nearest(ends)
                        solution = present_solution(problem, best.system, best.theta)
                        watcher(taken.record.seconds, solution)
        except KeyboardInterrupt:
            cut_short = Status.of(StopReason.INTERRUPTED)
        except LostProcessError as error:
            cut_short = Status.of(StopReason.LOST_PROCESS, str(error))
        if keeper is not None and systems and first:
            keeper.keep(journal.reached)
        status = journal.status if cut_short is None else cut_short
        if keeper is not None and keeper.complaint:
            status = replace(status, message=f"{status.message}; {keeper.complaint}")
        # nothing, if it was interrupted before the first step
        ends = ends_of(task, journal.reached, systems) or {"trunk": unmoved(task)}
        # a lost process agrees to nothing
        timer, agreed = (clock, reduction) if cut_short is None else (journal.clock, ALONE)
        best = nearest(problem, ends, seed=task.seed, reduction=agreed)
        return _trained(task, best, status, journal, lambda: timer() < how.max_seconds)


def _keeper(task: Task, checkpoint: str | Path | None, seconds: float) -> Keeper | None:
    if checkpoint is None:
        return None
    of_start = {} if task.start is None else made_of(task.problem, task.start)
    of_run = {**fingerprint(task.problem, task.method, task.seed), **of_start}
    return Keeper(Path(checkpoint), of_run, state_classes(task.method), seconds)


def _trained(
    task: Task, chosen: Taken, status: Status, journal: Journal, has_time: Callable[[], bool]
) -> Trained:
    """Return the solution with the record of its run."""
    reached = journal.reached
    run = RunRecord(
        status=status,
        history=reached.history,
        seconds=reached.seconds,
        seed=task.seed,
        precision=str(chosen.theta.dtype).removeprefix("torch."),
        device=task.method.device,
        num_parameters=chosen.system.num_parameters,
        num_points=chosen.system.block_sizes,
        network=repr(chosen.system.network),
        versions=versions(),
        rungs=reached.rungs,
    )
    return _finished(task, chosen, run, has_time)


def _agreed(clock: Clock, reduction: Reduction) -> Clock:
    """Return the clock of the first process: what decides when to stop has to be the same on all."""
    return clock if reduction.size == 1 else lambda: reduction.agreed_number(clock())


def _refuse_another_start(reached: Reached, reduction: Reduction) -> None:
    """Refuse to go on from another checkpoint than the first process.

    Raises:
        ValueError: If this process stands elsewhere.
    """
    here = len(reached.history)
    if reduction.agreed_number(here) != here:
        raise ValueError(
            f"process {reduction.rank} found {here} steps in the checkpoint, the first process another number; "
            "put the file where all processes read the same one"
        )


def _finished(task: Task, taken: Taken, record: RunRecord, has_time: Callable[[], bool]) -> Trained:
    """Return the solution with its smoothness, its posterior, and the level of floating fields."""
    problem, system, theta = task.problem, taken.system, taken.theta
    rule = task.method.smoothness
    chosen = choose_smoothness(system, theta, problem.functions, rule, has_time)
    system, theta = chosen.system, chosen.theta
    if not chosen.in_time:
        status = record.status
        if status.reason is StopReason.CONVERGED:  # the field was, the strengths are not
            status = Status.of(StopReason.MAX_SECONDS)
        status = replace(status, message=f"{status.message}; {_NO_TIME_LEFT}")
        record = replace(record, status=status)
    solution = replace(present_solution(problem, system, theta), record=record)
    measured = any(block.noise is not None for block in system.blocks)
    if problem.unknowns or measured:
        by_evidence = chosen.smoothness if rule == "evidence" else {}
        posterior = laplace(system, theta, stiffness=stiffness_of(problem), chosen=by_evidence)
        posterior = replace(posterior, smoothness=chosen.smoothness)
        posterior = with_profiles(posterior, system, theta, problem)
        solution = replace(solution, estimates=estimates_of(posterior), posterior=posterior)
    return Trained(solution, system, theta)


_NO_TIME_LEFT = "no time was left to choose the smoothness of functions to the end: give Method(max_seconds=...) more"


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
