"""One run of the command line: solved with a progress bar, compared, and gathered for the report."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pinnsolve.continuation import answer_along
from pinnsolve.energy import Meter
from pinnsolve.interop.hdf5 import Companions
from pinnsolve.method import Method
from pinnsolve.problem import Problem
from pinnsolve.progress import bar_on_stderr
from pinnsolve.reference import Reference, ReferenceFolder
from pinnsolve.report.comparison import reference_values
from pinnsolve.report.result import Result, gather
from pinnsolve.solution import Solution
from pinnsolve.solver import answer
from pinnsolve.time_slabs import answer_in_slabs
from pinnsolve.training import STOP_SHARE


def gathered_run(
    problems: Sequence[Problem],
    slabs: int | None,
    method: Method,
    *,
    seed: int,
    compared: bool | ReferenceFolder,
    meter: Meter,
    verbose: bool,
    command: str,
    checkpoint: Path | None,
    start: Solution | None = None,
) -> Result:
    """Train, compare, judge and gather what is written down.

    Args:
        problems: The problem, after those that it is reached over.
        slabs: Number of time slabs, or None.
        method: How to solve.
        seed: Seed of points and initial parameters.
        compared: Whether there is to be a reference, or the folder that keeps it.
        meter: How energy is found.
        verbose: Whether progress is reported even if there is no terminal.
        command: What makes this run again.
        checkpoint: File for the state of training, or None.
        start: A solution from whose fields training begins, or None; of a problem that is reached over no others.
    """
    goal = STOP_SHARE * problems[-1].accuracy
    solver = partial(answer_along, problems)
    if slabs is not None:
        solver = partial(answer_in_slabs, problems[-1], slabs)
    elif start is not None:
        solver = partial(answer, problems[-1], start=start)
    with bar_on_stderr(goal=goal, max_seconds=method.max_seconds, verbose=verbose) as bar:
        judged = solver(
            method,
            seed=seed,
            reference=compared,
            observer=bar,
            announce=bar.phase,
            checkpoint=checkpoint,
            meter=meter,
        )
        bar.phase("writing")
        values = None
        if isinstance(judged.reference, Reference):
            values = reference_values(judged.solution, judged.reference)
        return gather(judged.solution, Companions(values, command))


def compared_with(
    reference: bool, references: Path | None, recompute: bool
) -> bool | ReferenceFolder:
    """Return whether there is to be a reference, or the folder that keeps it.

    Args:
        reference: Whether one is wanted.
        references: Folder that keeps them, or None.
        recompute: Whether those in the folder are computed anew.

    Raises:
        ValueError: If these exclude each other, or the folder cannot be used.
    """
    if references is None:
        if recompute:
            raise ValueError("--recompute-references needs --references DIR")
        return reference
    if not reference:
        raise ValueError("--references and --no-reference exclude each other; keep one")
    return ReferenceFolder(references, recompute).checked()
