"""solve(): train, compare with the reference, judge."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pinnsolve.distributed import process_rank
from pinnsolve.energy import Meter
from pinnsolve.judging import judge
from pinnsolve.judging_ranges import Sample, along, judge_ranges, sample_ranges
from pinnsolve.method import Method
from pinnsolve.problem import Problem
from pinnsolve.progress import bar_on_stderr
from pinnsolve.reference import NoReference, Reference, ReferenceFolder, find_reference
from pinnsolve.solution import Solution
from pinnsolve.status import StopReason
from pinnsolve.training import STOP_SHARE, Observer, Trained, train

Announce = Callable[[str], None]
"""Told what comes next: ``solving the reference``, ``checking``."""

Compared = bool | Reference | ReferenceFolder
"""Whether there is to be a reference; or one that was computed before; or the folder that keeps references."""

CUT_SHORT = (StopReason.INTERRUPTED, StopReason.LOST_PROCESS)
"""Ends that are not the run's own: nothing is compared with a reference any more."""

_FRESH = 1_000_003
"""What is added to the seed for points that were not trained on."""


@dataclass(frozen=True)
class Answer:
    """A judged solution with what it was compared to.

    Attributes:
        solution: The solution, with its verdict unless it was interrupted while being judged.
        reference: The independent solution, or why there is none; at the middle of the ranges, if
            the problem has any.
    """

    solution: Solution
    reference: Reference | NoReference


def solve(
    problem: Problem,
    method: Method | None = None,
    *,
    seed: int = 0,
    reference: Compared = True,
    progress: bool = True,
    checkpoint: str | Path | None = None,
    checkpoint_seconds: float = 30.0,
    start: Solution | None = None,
    meter: Meter | None = None,
) -> Solution:
    """Solve a problem and judge the answer.

    Args:
        problem: The declaration.
        method: Network, points, optimiser, precision and limits; None chooses everything.
        seed: Seed of points and initial parameters; the same seed gives the same numbers.
        reference: Whether to compare with an independent classical solution of the same
            declaration (finite differences on boxes, finite elements on meshes; at several values
            if the problem has ranges), or one that was computed before; a :class:`ReferenceFolder` keeps references
            between runs.
        progress: Whether to show a progress bar, where standard error is a terminal.
        checkpoint: A file that training writes its state to, and goes on from if it is there; it stays when the run
            is finished, and the same call then returns at once. See :func:`pinnsolve.training.train`.
        checkpoint_seconds: Time between two writes of it, in s.
        start: A solution with the same fields and coordinates, from whose fields training begins; of another domain,
            coefficient or time too. See :func:`pinnsolve.training.train`.
        meter: How the energy of training is found; None estimates it from CPU time.

    Returns:
        The solution with its verdict. Ctrl-C returns the last good state.

    Raises:
        ValueError: If the checkpoint is damaged, is of another problem, method, seed or start, or cannot be written;
            if the start has other fields or coordinates; if there can be no such folder for references.
    """
    how = method if method is not None else Method()
    goal = STOP_SHARE * problem.accuracy
    shown = progress and process_rank() == 0
    with bar_on_stderr(goal=goal, max_seconds=how.max_seconds, wanted=shown) as bar:
        judged = answer(
            problem,
            how,
            seed=seed,
            reference=reference,
            observer=bar,
            announce=bar.phase,
            checkpoint=checkpoint,
            checkpoint_seconds=checkpoint_seconds,
            start=start,
            meter=meter,
        )
    return judged.solution


def answer(
    problem: Problem,
    method: Method,
    *,
    seed: int = 0,
    reference: Compared = True,
    observer: Observer | None = None,
    announce: Announce | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_seconds: float = 30.0,
    start: Solution | None = None,
    meter: Meter | None = None,
) -> Answer:
    """Solve a problem, judge the answer, and return the reference as well.

    Args:
        problem: The declaration.
        method: How to solve it.
        seed: Seed of points and initial parameters.
        reference: As for :func:`solve`.
        observer: Called after every step with a :class:`pinnsolve.record.StepRecord`.
        announce: Called before each phase that follows training.
        checkpoint: As for :func:`solve`.
        checkpoint_seconds: As for :func:`solve`.
        start: As for :func:`solve`.
        meter: As for :func:`solve`.
    """
    see_that_it_can_be_kept(reference)
    trained = train(
        problem,
        method,
        seed=seed,
        observer=observer,
        checkpoint=checkpoint,
        checkpoint_seconds=checkpoint_seconds,
        start=start,
        meter=meter,
    )
    return judged_answer(trained, seed=seed, reference=reference, announce=announce)


def judged_answer(
    trained: Trained,
    *,
    seed: int = 0,
    reference: Compared = True,
    announce: Announce | None = None,
) -> Answer:
    """Compare what was trained with the reference, and judge it.

    Args:
        trained: A solution without a verdict, with its system.
        seed: Seed that it was trained with.
        reference: As for :func:`solve`.
        announce: Called before each phase.
    """
    if trained.solution.problem.ranges:
        return _answer_over_ranges(trained, reference, announce, seed=seed + _FRESH)
    independent: Reference | NoReference = NoReference("interrupted")
    try:
        if trained.solution.status.reason not in CUT_SHORT:
            independent = _reference(trained, reference, announce)
        if announce is not None:
            announce("checking")
        verdict = judge(
            trained.solution, trained.system, trained.theta, independent, seed=seed + _FRESH
        )
        return Answer(replace(trained.solution, verdict=verdict), independent)
    except KeyboardInterrupt:
        return Answer(trained.solution, independent)


def _reference(
    trained: Trained, wanted: Compared, announce: Announce | None
) -> Reference | NoReference:
    """Return the given reference, a new one, one that was kept, or why there is none."""
    if isinstance(wanted, Reference):
        return wanted
    if not wanted:
        return NoReference("not asked for")
    if announce is not None:
        announce("solving the reference")
    return _found(trained.solution.known_problem, wanted)


def _found(problem: Problem, wanted: Compared) -> Reference | NoReference:
    if isinstance(wanted, ReferenceFolder):
        return find_reference(problem, cache=wanted.path, recompute=wanted.recompute)
    return find_reference(problem)


def see_that_it_can_be_kept(wanted: Compared) -> None:
    """Refuse, before training, a folder in which no reference can be kept."""
    if isinstance(wanted, ReferenceFolder):
        wanted.checked()


_RANGE_SECONDS = 30.0
"""Time for all references over ranges together, in s."""


def _answer_over_ranges(
    trained: Trained, wanted: Compared, announce: Announce | None, *, seed: int
) -> Answer:
    """Judge a solution with ranges at several of their values."""
    problem = trained.solution.problem
    samples: tuple[Sample, ...] = ()
    try:
        find = _ReferencesInTime(problem, wanted)
        if trained.solution.status.reason in CUT_SHORT:
            find = _ReferencesInTime(problem, NoReference("interrupted"))
        elif announce is not None and wanted and not isinstance(wanted, Reference):
            announce("solving references over the range")
        samples = sample_ranges(problem, find, seed=seed)
        if announce is not None:
            announce("checking")
        verdict = judge_ranges(trained.solution, trained.system, trained.theta, samples, seed=seed)
        return Answer(replace(trained.solution, verdict=verdict), samples[0].reference)
    except KeyboardInterrupt:
        known = samples[0].reference if samples else NoReference("interrupted")
        return Answer(trained.solution, known)


class _ReferencesInTime:
    """Finds references one after the other until the next would probably take too long."""

    def __init__(self, problem: Problem, wanted: Compared | NoReference) -> None:
        self._problem, self._wanted = problem, wanted
        self._spent, self._longest = 0.0, 0.0

    def __call__(self, given: Problem) -> Reference | NoReference:
        if isinstance(self._wanted, Reference):
            values = {item.name: given.held[item.name] for item in self._problem.ranges}
            return along(self._wanted, self._problem, values)
        if isinstance(self._wanted, NoReference):
            return self._wanted
        if not self._wanted:
            return NoReference("not asked for")
        if self._spent + self._longest > _RANGE_SECONDS:
            return NoReference(f"those at other values took {self._spent:.0f} s already")
        begin = time.perf_counter()
        found = _found(given, self._wanted)
        seconds = time.perf_counter() - begin
        self._spent, self._longest = self._spent + seconds, max(self._longest, seconds)
        return found
