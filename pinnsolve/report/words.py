"""Numbers, verdicts and conditions in words, the same in the terminal and in the report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import PurePath

from pinnsolve.blocks import Block
from pinnsolve.conditions import Condition
from pinnsolve.problem import Problem
from pinnsolve.ranges import Range
from pinnsolve.solution import Solution
from pinnsolve.uncertainty import MOST_IN_WORDS, identifiability
from pinnsolve.unknown_functions import UnknownFunction
from pinnsolve.unknowns import Unknown
from pinnsolve.verdict import Check, Verdict

NONE = "-"
"""What a table shows where there is no number."""


def number(value: float | None, digits: int = 6) -> str:
    """Return a number for a table; a dash for none."""
    if value is None:
        return NONE
    if math.isinf(value):
        return "infinite"
    return f"{value:.{digits}g}" if math.isfinite(value) else "not a number"


def share(value: float | None) -> str:
    """Return a relative number in percent with two digits: ``0.053 %``."""
    if value is None or not math.isfinite(value):
        return NONE
    percent = 100.0 * value
    return f"{percent:.2g} %" if percent == 0.0 or 1e-4 <= percent < 1e3 else f"{percent:.1e} %"


def check_number(check: Check, value: float) -> str:
    """Return a check's value or limit: in percent, or as a plain number where it is a ratio of equals."""
    if not math.isfinite(value):
        return "not a number"
    return share(value) if check.limit < 1.0 else f"{value:.3g}"


def verdict_title(verdict: Verdict | None) -> str:
    """Return the verdict in a few words."""
    if verdict is None:
        return "Not judged"
    return verdict.state.capitalize()


def verdict_sentence(verdict: Verdict | None) -> str:
    """Return what the verdict means, in one sentence."""
    if verdict is None:
        return "The run was stopped before the answer could be checked."
    asked = f"the relative accuracy of {share(verdict.accuracy)} that was asked for"
    total = len(verdict.checks)
    failed = sum(not check.passed for check in verdict.checks)
    if verdict.trusted:
        return f"All {total} checks hold at {asked}."
    if verdict.state == "not identifiable":
        lost = ", ".join(verdict.not_identifiable)
        return f"The field is right at {asked}, but these data do not tell {lost}."
    return f"{failed} of {total} checks fail{'s' if failed == 1 else ''} at {asked}."


def failures(verdict: Verdict | None) -> list[str]:
    """Return why a solution is not trusted: a sentence for every check that failed, worst first."""
    if verdict is None:
        return []
    failed = [check for check in verdict.checks if not check.passed]
    failed.sort(
        key=lambda c: c.value / c.limit if math.isfinite(c.value) else math.inf, reverse=True
    )
    return [_failure(check) for check in failed]


def told_in_words(solution: Solution) -> list[str]:
    """Return which combinations of the unknown numbers the data tell, and how well: a sentence for each.

    Nothing for a single unknown, beside unknown functions, or of so many numbers that nobody would read it.

    Args:
        solution: The solution.
    """
    known = solution.posterior
    if known is None or solution.problem.functions or not 1 < len(known.names) <= MOST_IN_WORDS:
        return []
    found = identifiability(known)
    told = [f"{item.text} is known to {share(item.relative_std)}" for item in found.known]
    return told + [f"{item.text} is not told by these data" for item in found.open]


def describe_condition(condition: Condition) -> str:
    """Return what a condition prescribes: ``coefficient = 750, ambient = 0``."""
    if not is_dataclass(condition):
        return ""
    items: dict[str, object] = {}
    for item in fields(condition):
        value = getattr(condition, item.name)
        if item.name != "part" and value is not None:
            items |= value if isinstance(value, Mapping) else {item.name: value}
    return ", ".join(f"{name} = {_given(value)}" for name, value in items.items())


def block_rows(problem: Problem, blocks: Sequence[Block]) -> list[tuple[str, str, int]]:
    """Return, for every set of points, its name, what holds there and the number of points.

    Args:
        problem: The declaration.
        blocks: Its collocation points.
    """
    given = {condition.label: describe_condition(condition) for condition in problem.conditions}
    words = {
        "interior": f"{type(problem.physics).__name__} equations",
        "data": ", ".join(dict.fromkeys(PurePath(data.source).name for data in problem.data)),
        "gauge": "held at zero mean",
    }
    return [
        (block.name, given.get(block.name, words.get(block.kind, "")), block.num_points)
        for block in blocks
    ]


def _failure(check: Check) -> str:
    value, limit = check_number(check, check.value), check_number(check, check.limit)
    return f"{check.name}: {value}, limit {limit}"


def _given(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return f"{value:.6g}"
        case Unknown():
            return f"unknown {value.name!r}"
        case Range():
            return f"range {value.name!r}"
        case UnknownFunction():
            return f"unknown function {value.name!r} of {', '.join(value.of)}"
        case list() | tuple():
            return f"({', '.join(_given(item) for item in value)})"
        case _:
            return "function of the coordinates" if callable(value) else str(value)
