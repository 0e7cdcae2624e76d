"""The suite as a whole: what was kept, what is run, and the three files that come out."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from pinnsolve.replacing import write_text

from ..suite import Case
from .baseline import compared, read_baseline
from .declarations import declaration
from .document import case_entry, suite_document
from .junit import junit_text
from .kept import keep_run, kept_run
from .one_run import Document, crashed
from .page import validation_page
from .processes import Execute, Run, Watch

FILES = DOCUMENT, JUNIT, PAGE = "validation.json", "junit.xml", "validation.html"


class Show(Protocol):
    """Opens a display of the runs."""

    def __call__(self, runs: Sequence[Run]) -> AbstractContextManager[Watch]:
        """Return what is told of every run, while it is open."""
        ...


@dataclass(frozen=True)
class Plan:
    """What is to be run, and what it is held against.

    Attributes:
        cases: The cases.
        suite: What to call them: ``quick``, ``full`` or ``chosen``.
        num_seeds: How many seeds, from 0.
        out: Folder for the results; it must exist.
        against: ``validation.json`` of an earlier run, or None.
        update: Whether this run takes its place afterwards.
    """

    cases: Sequence[Case]
    suite: str
    num_seeds: int
    out: Path
    against: Path | None = None
    update: bool = False

    def __post_init__(self) -> None:
        """Refuse what allows nothing, before anything is run."""
        if not self.cases:
            raise ValueError("there are no cases to run; name some with --case")
        if self.num_seeds < 1:
            raise ValueError(f"the number of seeds must be >= 1, got {self.num_seeds}")
        if self.update and self.against is None:
            raise ValueError("--update-baseline writes the file that --against names; give it")

    @property
    def runs(self) -> tuple[Run, ...]:
        """Every case with every seed."""
        return tuple(Run(case, seed) for case in self.cases for seed in range(self.num_seeds))

    def baseline(self) -> dict[str, Any] | None:
        """Return the baseline, or None if there is none (yet).

        Raises:
            ValueError: If it cannot be read, or if updating it would lose cases.
        """
        if self.against is None or (self.update and not self.against.exists()):
            return None
        known = read_baseline(self.against)
        names = {case.name for case in self.cases}
        lost = [case["name"] for case in known["cases"] if case["name"] not in names]
        if self.update and lost:
            raise ValueError(
                f"{self.against}: --update-baseline would lose {', '.join(lost)}, which are not run; run the suite "
                "that the baseline is of, or write to another file"
            )
        return known


def run_validation(plan: Plan, execute: Execute, show: Show) -> dict[str, Any]:
    """Run the suite and write validation.json, junit.xml and validation.html.

    Finished runs are kept as files; the same call takes them as they are, if code, versions and declarations are the
    same, so that a suite that was interrupted goes on where it was.

    Args:
        plan: What to run.
        execute: Makes the runs.
        show: Shows how they get on.

    Returns:
        The document.

    Raises:
        ValueError: If the baseline cannot be read or a file cannot be written.
    """
    baseline = plan.baseline()
    began, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    stated = {case.name: declaration(case) for case in plan.cases}
    done = _runs(plan, stated, execute, show)
    entries = [
        case_entry(stated[case.name], [done[case.name, seed] for seed in range(plan.num_seeds)])
        for case in plan.cases
    ]
    document = suite_document(
        entries,
        suite=plan.suite,
        num_seeds=plan.num_seeds,
        started=started,
        seconds=time.monotonic() - began,
    )
    if baseline is not None and plan.against is not None:
        document = compared(document, baseline, plan.against)
    write_text(plan.out / DOCUMENT, _text(document))
    write_text(plan.out / JUNIT, junit_text(document))
    write_text(plan.out / PAGE, validation_page(document))
    if plan.update and plan.against is not None:
        write_text(plan.against, _text(document))
    return document


def _runs(
    plan: Plan, stated: Mapping[str, Mapping[str, Any]], execute: Execute, show: Show
) -> dict[tuple[str, int], Document]:
    """Return the document of every run: refused, kept or made now."""
    done: dict[tuple[str, int], Document] = {}
    with show(plan.runs) as watch:

        def take(run: Run, document: Document | None) -> None:
            if document is not None:
                done[run.key] = document
                keep_run(plan.out, run, stated[run.case.name], document)
            watch(run, document)

        for run in plan.runs:
            error = stated[run.case.name]["error"]
            if error is not None:
                take(run, crashed(run.case, run.seed, error, threads=0))
            elif (known := kept_run(plan.out, run, stated[run.case.name])) is not None:
                done[run.key] = known
                watch(run, known)
        missing = [run for run in plan.runs if run.key not in done]
        if missing:
            execute(missing, take)
    return done


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
