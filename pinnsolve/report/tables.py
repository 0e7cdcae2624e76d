"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pinnsolve.blocks import Block
from pinnsolve.problem import Problem
from pinnsolve.report.functions import SampledFunction, estimates_of_numbers
from pinnsolve.report.result import QuantityResult, Result
from pinnsolve.report.words import (
    block_rows,
    check_number,
    failures,
    number,
    share,
    verdict_sentence,
    verdict_title,
)
from pinnsolve.scaling import Scaling
from pinnsolve.verdict import Verdict

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table


def result_tables(result: Result) -> list[RenderableType]:
    """Return what is printed at the end of a run.

    Args:
        result: The result.
    """
    from rich.text import Text

    solution = result.solution
    record = solution.record
    parts: list[RenderableType] = []
    if result.quantities:
        parts += [_quantities(result.quantities)]
    if solution.problem.ranges:
        parts += [_ranges(solution.problem)]
    numbers = estimates_of_numbers(solution.problem, solution.estimates)
    if numbers:
        rows = [
            (
                e.name,
                number(e.value),
                number(e.std, 3),
                number(e.bound, 3),
                _interval(e.interval),
                e.unit,
                number(e.truth),
            )
            for e in numbers
        ]
        bound = "Cramer-Rao, smoothness given" if solution.problem.functions else "Cramer-Rao"
        parts += [table(("unknown", "value", "std", bound, "95 % interval", "unit", "truth"), rows)]
    if result.functions:
        parts += [_functions(result.functions)]
    errors = _errors(result)
    if errors is not None:
        parts += [errors]
    if solution.verdict is not None:
        parts += [_checks(solution.verdict)]
    sizes = f"{record.num_parameters} parameters, {sum(record.num_points.values())} points"
    ending = f"{record.num_steps} steps in {record.seconds:.1f} s, {sizes}: {record.status.message}"
    parts += [Text(ending, style="dim")]
    title = Text(
        verdict_title(solution.verdict), style="bold green" if result.trusted else "bold red"
    )
    parts.append(title.append(f". {verdict_sentence(solution.verdict)}", style="not bold"))
    parts += [Text(f"  {line}", style="red") for line in failures(solution.verdict)]
    parts += [
        Text(f"  {note}", style="yellow")
        for note in (solution.verdict.notes if solution.verdict else ())
    ]
    return parts


Cell = str | tuple[str, str]
"""Text, or text with its style."""


def table(header: Sequence[str], rows: Iterable[Sequence[Cell]], left: Sequence[str] = ()) -> Table:
    """Return a plain table; the first column and those named in ``left`` are text, the others numbers.

    Args:
        header: Column names.
        rows: Cells.
        left: Names of further columns that are text.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    made = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for i, name in enumerate(header):
        text = i == 0 or name in (*left, "unit")
        made.add_column(name, justify="left" if text else "right", overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell) if isinstance(cell, str) else Text(*cell) for cell in row))
    return made


def _quantities(quantities: Sequence[QuantityResult]) -> Table:
    rows = []
    for item in quantities:
        asked = item.quantity
        mark = {True: ("ok", "green"), False: ("off", "red"), None: ("", "")}[item.within]
        value = item.trouble or number(item.value, 7)
        rows.append(
            (
                asked.name,
                value,
                asked.unit,
                number(asked.target, 7),
                share(item.relative_error),
                mark,
            )
        )
    return table(("quantity", "value", "unit", "target", "error", ""), rows)


def _functions(functions: Sequence[SampledFunction]) -> Table:
    rows = [
        (
            item.name,
            ", ".join(item.coordinates),
            number(float(np.nanmin(item.values)), 4),
            number(float(np.nanmax(item.values)), 4),
            number(item.typical_std, 3),
            item.unit,
            share(item.error),
        )
        for item in functions
    ]
    header = ("function", "of", "lowest", "highest", "typical std", "unit", "error to the truth")
    return table(header, rows, left=("of",))


def _errors(result: Result) -> Table | None:
    """Return the relative L2 errors by field and component, or None if there is nothing to compare with."""
    reference = result.companions.reference
    columns = {
        "to the reference": {} if reference is None else reference.differences,
        "its own error": {} if reference is None else reference.error_bar,
        "to the exact solution": result.exact,
    }
    columns = {name: column for name, column in columns.items() if column}
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    if not names:
        return None
    rows = [(name, *(share(column.get(name)) for column in columns.values())) for name in names]
    return table(("relative L2 difference", *columns), rows)


def _checks(verdict: Verdict) -> Table:
    rows = [
        (
            check.name,
            check_number(check, check.value),
            check_number(check, check.limit),
            ("pass", "green") if check.passed else ("FAIL", "red"),
        )
        for check in verdict.checks
    ]
    return table(("check", "value", "limit", ""), rows)


def _ranges(problem: Problem) -> Table:
    rows = [
        (
            item.name,
            number(item.low),
            number(item.high),
            item.unit,
            "logarithmic" if item.logarithmic else "even",
        )
        for item in problem.ranges
    ]
    return table(("range", "from", "to", "unit", "spread"), rows, left=("spread",))


def _interval(ends: tuple[float, float]) -> str:
    return f"{number(ends[0])} … {number(ends[1])}"


def problem_tables(
    problem: Problem, blocks: Sequence[Block], scaling: Scaling
) -> list[RenderableType]:
    """Return what is printed of a problem before it is solved.

    Args:
        problem: The declaration.
        blocks: Its collocation points.
        scaling: Its scales.
    """
    from rich.text import Text

    title = Text(problem.name, style="bold").append(f"  {problem.description}", style="not bold")
    parts: list[RenderableType] = [title, problem.domain.describe()]
    if problem.time is not None:
        parts.append(f"time from {problem.time.start:g} to {problem.time.end:g} s")
    parts.append(f"relative accuracy {problem.accuracy:g}")
    if problem.parameters:
        settings = [(name, str(value)) for name, value in problem.parameters.items()]
        parts.append(table(("parameter", "value"), settings))
    rows = [(name, given, str(count)) for name, given, count in block_rows(problem, blocks)]
    parts.append(table(("points", "what holds there", "number"), rows, left=("what holds there",)))
    scales = zip(
        problem.component_names, scaling.offset.tolist(), scaling.scale.tolist(), strict=True
    )
    parts.append(
        table(("field", "offset", "scale"), [(n, number(o, 4), number(s, 4)) for n, o, s in scales])
    )
    if problem.ranges:
        parts.append(_ranges(problem))
    if problem.unknowns:
        unknowns = [
            (u.name, number(u.initial), _interval(u.bounds) if u.bounds else "none", u.unit)
            for u in problem.unknowns
        ]
        parts.append(table(("unknown", "first guess", "bounds", "unit"), unknowns))
    if problem.quantities:
        asked = [
            (q.name, number(q.target, 7), number(q.tolerance, 3), q.unit, q.source)
            for q in problem.quantities
        ]
        parts.append(
            table(("quantity", "target", "tolerance", "unit", "source"), asked, left=("source",))
        )
    return parts
