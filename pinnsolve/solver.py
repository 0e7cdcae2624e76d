"""solve(): train, compare with the reference, judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pinnsolve.distributed import process_rank
from pinnsolve.judging import judge
from pinnsolve.method import Method
from pinnsolve.problem import Problem
from pinnsolve.progress import bar_on_stderr
from pinnsolve.reference import NoReference, Reference, find_reference
from pinnsolve.solution import Solution
from pinnsolve.status import StopReason
from pinnsolve.training import STOP_SHARE, Observer, Trained, train

Announce = Callable[[str], None]
"""Told what comes next: ``solving the reference``, ``checking``."""

CUT_SHORT = (StopReason.INTERRUPTED, StopReason.LOST_PROCESS)
"""Ends that are not the run's own: nothing is compared with a reference any more."""

_FRESH = 1_000_003
"""What is added to the seed for points that were not trained on."""


@dataclass(frozen=True)
class Answer:
    """A judged solution with what it was compared to.

    Attributes:
        solution: The solution, with its verdict unless it was interrupted while being judged.
        reference: The independent solution, or why there is none.
    """

    solution: Solution
    reference: Reference | NoReference


def solve(
    problem: Problem,
    method: Method | None = None,
    *,
    seed: int = 0,
    reference: bool | Reference = True,
    progress: bool = True,
) -> Solution:
    """Solve a problem and judge the answer.

    Args:
        problem: The declaration.
        method: Network, points, optimiser, precision and limits; None chooses everything.
        seed: Seed of points and initial parameters; the same seed gives the same numbers.
        reference: Whether to compare with an independent classical solution of the same
            declaration (finite differences on boxes, finite elements on meshes), or one that was
            computed before.
        progress: Whether to show a progress bar, where standard error is a terminal.

    Returns:
        The solution with its verdict. Ctrl-C returns the last good state.
    """
    how = method if method is not None else Method()
    goal = STOP_SHARE * problem.accuracy
    shown = progress and process_rank() == 0
    with bar_on_stderr(goal=goal, max_seconds=how.max_seconds, wanted=shown) as bar:
        judged = answer(
            problem, how, seed=seed, reference=reference, observer=bar, announce=bar.phase
        )
    return judged.solution


def answer(
    problem: Problem,
    method: Method,
    *,
    seed: int = 0,
    reference: bool | Reference = True,
    observer: Observer | None = None,
    announce: Announce | None = None,
) -> Answer:
    """Solve a problem, judge the answer, and return the reference as well.

    Args:
        problem: The declaration.
        method: How to solve it.
        seed: Seed of points and initial parameters.
        reference: As for :func:`solve`.
        observer: Called after every step with a :class:`pinnsolve.record.StepRecord`.
        announce: Called before each phase that follows training.
    """
    trained = train(problem, method, seed=seed, observer=observer)
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
    trained: Trained, wanted: bool | Reference, announce: Announce | None
) -> Reference | NoReference:
    """Return the given reference, a new one, or why there is none."""
    if isinstance(wanted, Reference):
        return wanted
    if not wanted:
        return NoReference("not asked for")
    if announce is not None:
        announce("solving the reference")
    return find_reference(trained.solution.known_problem)
