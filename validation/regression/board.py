"""The suite in a terminal: a table that fills while it runs, and what is printed at its end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pinnsolve.report.words import number

from .one_run import Document
from .processes import Run, Watch

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table


class _State:
    """What is known of the runs; drawn anew whenever the terminal is refreshed."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._began: dict[tuple[str, int], float] = {}
        self._ended: dict[tuple[str, int], Document] = {}
        self._keys = [run.key for run in runs]

    def take(self, run: Run, document: Document | None) -> None:
        if document is None:
            self._began[run.key] = time.monotonic()
        else:
            self._ended[run.key] = document

    def __rich__(self) -> Table:
        table = _table("case", "seed", "state", "time")
        for key in self._keys:
            name, seed = key
            if key in self._ended:
                words, seconds = _outcome(self._ended[key])
            elif key in self._began:
                words, seconds = "[yellow]runs[/]", time.monotonic() - self._began[key]
            else:
                words, seconds = "[dim]waits[/]", None
            table.add_row(name, str(seed), words, "" if seconds is None else f"{seconds:.0f} s")
        return table


@contextmanager
def board(runs: Sequence[Run], console: Console) -> Iterator[Watch]:
    """Show how the runs get on: a table on a terminal, else a line for every run that has ended.

    Args:
        runs: All of them, in the order of the table.
        console: Where to.

    Yields:
        What is to be told of every run.
    """
    from rich.live import Live

    state = _State(runs)
    if console.is_terminal:
        with Live(state, console=console, refresh_per_second=2, transient=True):
            yield state.take
        return

    def line(run: Run, document: Document | None) -> None:
        if document is not None:
            words, seconds = _outcome(document)
            taken = "" if seconds is None else f", {seconds:.1f} s"
            console.print(f"{run.case.name}, seed {run.seed}: {words}{taken}", highlight=False)

    yield line


def final_tables(document: Mapping[str, Any]) -> list[RenderableType]:
    """Return what is printed at the end.

    Args:
        document: See :mod:`.document`.
    """
    from rich.text import Text

    against = document["baseline"] is not None
    table = _table(
        "case", "quantity", "result", "target", "tolerance", "time", *["baseline"] * against, ""
    )
    for case in document["cases"]:
        mark = Text("pass", style="green") if case["passed"] else Text("FAIL", style="bold red")
        seconds = case["seconds"]["mean"]
        taken = "" if seconds is None else f"{seconds:.1f} s"
        state = [case["baseline"]["state"]] * against if case["baseline"] else []
        asked = [row for row in case["rows"] if row["passed"] is not None] or [None]
        for position, row in enumerate(asked):
            first = position == 0
            table.add_row(
                Text(case["name"] if first else ""),
                *_row_cells(row),
                taken if first else "",
                *(state if first else [""] * len(state)),
                mark if first else "",
            )
    parts: list[RenderableType] = [table]
    for case in document["cases"]:
        known = f" (known: {case['known_shortfall']})" if case["known_shortfall"] else ""
        parts += [Text(f"{case['name']}{known}: {line}", style="red") for line in case["failures"]]
    failed = sum(not case["passed"] for case in document["cases"])
    words = "Passed" if document["passed"] else f"Failed: {failed} of {len(document['cases'])}"
    return [*parts, Text(words, style="bold green" if document["passed"] else "bold red")]


def _row_cells(row: Mapping[str, Any] | None) -> list[RenderableType]:
    from rich.text import Text

    if row is None:
        return ["", "", "", ""]
    spread = "" if row["half_width_95"] is None else f" ± {number(row['half_width_95'], 2)}"
    result = Text(f"{number(row['mean'])}{spread} {row['unit']}".rstrip())
    if not row["passed"]:
        result.stylize("red")
    return [Text(row["quantity"]), result, number(row["target"]), number(row["tolerance"], 3)]


def _outcome(document: Document) -> tuple[str, float | None]:
    if document["error"]:
        return "[bold red]crashed[/]", None
    words = "[green]trusted[/]" if document["verdict"]["trusted"] else "[red]not trusted[/]"
    return words + " (kept)" * document["kept"], document["wall_seconds"]


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
