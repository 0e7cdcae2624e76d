"""Continuation: a hard problem reached over easier ones, each of which starts from the fields of the one before.

Newton's method converges only near the solution. Where the answer depends smoothly on a parameter (a Reynolds number, a
load, a rate of reaction), the answer at an easier value of it is near enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pinnsolve.energy import Energy, Meter, summed
from pinnsolve.method import Method
from pinnsolve.problem import Problem
from pinnsolve.progress import bar_on_stderr
from pinnsolve.record import StepRecord
from pinnsolve.reference import NoReference
from pinnsolve.solution import Solution
from pinnsolve.solver import Announce, Answer, Compared, judged_answer, see_that_it_can_be_kept
from pinnsolve.status import StopReason
from pinnsolve.training import STOP_SHARE, Observer, train


def solve_along(
    problems: Sequence[Problem],
    method: Method | None = None,
    *,
    seed: int = 0,
    reference: Compared = True,
    progress: bool = True,
    checkpoint: str | Path | None = None,
    checkpoint_seconds: float = 30.0,
) -> Solution:
    """Solve the last of several problems, each of which starts from the solution of the one before.

    Those before the last are solved to 1 % only, unless they ask for less, and are neither compared with a reference
    nor judged: ``solve_along([cavity(reynolds) for reynolds in (100.0, 400.0, 1000.0)])``.

    Args:
        problems: From the easiest to the one that is wanted, with the same fields and coordinates.
        method: How to solve each of them; the time limit is for all together. None chooses everything.
        seed: Seed of points and initial parameters; the same seed gives the same numbers.
        reference: Whether to compare the last one with an independent classical solution, or one that was computed
            before.
        progress: Whether to show a progress bar, where standard error is a terminal.
        checkpoint: A file that the last one's training writes its state to, and goes on from if it is there; those
            before have files of their own beside it: ``run.1.h5``, ``run.2.h5`` ... for ``run.h5``.
        checkpoint_seconds: Time between two writes of it, in s.

    Returns:
        The solution of the last problem with its verdict. Ctrl-C before that returns the solution of the problem that
        was being solved, without a verdict.

    Raises:
        ValueError: If there is no problem, if fields or coordinates differ, or for a checkpoint as :func:`solve` says.
    """
    how = method if method is not None else Method()
    goal = STOP_SHARE * problems[-1].accuracy if problems else 1.0
    with bar_on_stderr(goal=goal, max_seconds=how.max_seconds, wanted=progress) as bar:
        judged = answer_along(
            problems,
            how,
            seed=seed,
            reference=reference,
            observer=bar,
            announce=bar.phase,
            checkpoint=checkpoint,
            checkpoint_seconds=checkpoint_seconds,
        )
    return judged.solution


def answer_along(
    problems: Sequence[Problem],
    method: Method,
    *,
    seed: int = 0,
    reference: Compared = True,
    observer: Observer | None = None,
    announce: Announce | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_seconds: float = 30.0,
    meter: Meter | None = None,
) -> Answer:
    """Solve as :func:`solve_along`, and return the reference as well.

    Args:
        problems: As for :func:`solve_along`.
        method: How to solve each of them.
        seed: Seed of points and initial parameters.
        reference: As for :func:`solve_along`.
        observer: Called after every step of every problem; steps and seconds count on from one to the next.
        announce: Told before each problem, and before each phase that follows training.
        checkpoint: As for :func:`solve_along`.
        checkpoint_seconds: As for :func:`solve_along`.
        meter: As for :func:`pinnsolve.solve`; the record has the energy of all problems.
    """
    _check(problems)
    see_that_it_can_be_kept(reference)
    total, steps, seconds = len(problems), 0, 0.0
    start: Solution | None = None
    energies: list[Energy | None] = []
    for number, problem in enumerate(problems, start=1):
        last = number == total
        if announce is not None and total > 1:
            announce(f"problem {number} of {total}")
        trained = train(
            problem if last else _easier(problem),
            with_share_of_time(method, seconds, total + 1 - number),
            seed=seed,
            observer=counting_on(observer, steps, seconds),
            checkpoint=checkpoint if last else file_of(checkpoint, number),
            checkpoint_seconds=checkpoint_seconds,
            start=start,
            meter=meter,
        )
        start, record = trained.solution, trained.solution.record
        energies.append(record.energy)
        if not last and start.status.reason is StopReason.INTERRUPTED:
            return Answer(start, NoReference("interrupted"))
        if last:
            history = tuple(replace(s, seconds=seconds + s.seconds) for s in record.history)
            whole = replace(
                record,
                seconds=seconds + record.seconds,
                history=history,
                energy=summed(energies),
            )
            trained = replace(trained, solution=replace(start, record=whole))
        steps, seconds = steps + record.num_steps, seconds + record.seconds
    return judged_answer(trained, seed=seed, reference=reference, announce=announce)


def with_share_of_time(method: Method, spent: float, left: int) -> Method:
    """Return a method limited to its share of the time that is left.

    Args:
        method: Its time limit is for all runs together.
        spent: Seconds of the runs before.
        left: Runs to come, this one included.
    """
    share = (method.max_seconds - spent) / left
    return replace(method, max_seconds=max(share, _LEAST_SHARE * method.max_seconds))


def counting_on(observer: Observer | None, steps: int, seconds: float) -> Observer | None:
    """Return an observer whose steps and seconds count on from earlier runs.

    Args:
        observer: The observer of all runs, or None.
        steps: Steps of the runs before.
        seconds: Their seconds.
    """
    if observer is None:
        return None

    def observe(record: StepRecord) -> None:
        observer(replace(record, step=steps + record.step, seconds=seconds + record.seconds))

    return observe


def file_of(checkpoint: str | Path | None, number: int) -> Path | None:
    """Return the file of one run of several: ``run.2.h5`` for the second one beside ``run.h5``.

    Args:
        checkpoint: The file that was named, or None.
        number: Of the run, from 1.
    """
    if checkpoint is None:
        return None
    path = Path(checkpoint)
    return path.with_name(f"{path.stem}.{number}{path.suffix}")


def _easier(problem: Problem) -> Problem:
    """Return a problem that is only on the way: less accurate, and without numbers of interest."""
    return replace(problem, accuracy=max(problem.accuracy, _ON_THE_WAY), quantities=())


def _check(problems: Sequence[Problem]) -> None:
    if not problems:
        raise ValueError("continuation needs at least one problem: the one that is wanted, last")
    last = problems[-1]
    for problem in problems[:-1]:
        for what, found, wanted in (
            ("components", problem.component_names, last.component_names),
            ("coordinates", problem.frame.axis_names, last.frame.axis_names),
        ):
            if found != wanted:
                raise ValueError(
                    f"continuation from {problem.name!r} to {last.name!r}: the {what} are {', '.join(found)} and "
                    f"{', '.join(wanted)}; give problems with the same {what}"
                )


_ON_THE_WAY = 1e-2
"""Relative accuracy of what is only a start."""

_LEAST_SHARE = 0.02
"""Share of the time that a run has even if those before took too long."""
