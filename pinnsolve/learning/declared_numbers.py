"""The plain numbers of a declaration, found and made unknowns for a moment."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from pinnsolve.conditions import Condition
from pinnsolve.problem import Problem
from pinnsolve.unknowns import Unknown, bind, find_unknowns


@dataclass(frozen=True)
class DeclaredNumber:
    """A number of the declaration.

    Attributes:
        unknown: What stands in its place, under the name of the place.
        kind: ``parameter`` or ``boundary value``.
    """

    unknown: Unknown
    kind: str


def with_numbers(problem: Problem) -> tuple[Problem, list[DeclaredNumber]]:
    """Return the problem with every plain number of physics and conditions as an unknown, and these."""
    numbers: list[DeclaredNumber] = []
    taken: dict[str, int] = {}

    def number(kind: str, label: str, value: float) -> Unknown:
        taken[label] = taken.get(label, 0) + 1
        name = label if taken[label] == 1 else f"{label} ({taken[label]})"
        unknown = Unknown(name, float(value))
        numbers.append(DeclaredNumber(unknown, kind))
        return unknown

    def placed(item: Any, kind: str, label: str) -> Any:  # noqa: ANN401 - any frozen declaration
        if isinstance(item, float | int) and not isinstance(item, bool):
            return number(kind, label, item)
        if isinstance(item, Mapping):
            return {key: placed(value, kind, f"{label} {key}") for key, value in item.items()}
        if isinstance(item, list | tuple) and any(isinstance(v, float | int) for v in item):
            return type(item)(placed(v, kind, f"{label} {k}") for k, v in enumerate(item))
        return item

    def declared(item: Any, kind: str, label: str) -> Any:  # noqa: ANN401
        bound = copy.copy(
            item
        )  # as unknowns.bind: the checks of numbers would refuse what stands for them
        for one in fields(item):
            shown = label if one.name == "values" else f"{label} {one.name}"
            if one.name == "part":
                continue
            object.__setattr__(bound, one.name, placed(getattr(item, one.name), kind, shown))
        return bound

    physics: Any = problem.physics
    if is_dataclass(physics):
        physics = declared(physics, "parameter", type(physics).__name__)
    conditions: list[Condition] = [
        declared(c, "boundary value", c.label.partition(" ")[0]) if is_dataclass(c) else c
        for c in problem.conditions
    ]
    return _changed(problem, physics, tuple(conditions)), numbers


def _changed(problem: Problem, physics: Any, conditions: tuple[Condition, ...]) -> Problem:  # noqa: ANN401
    changed = copy.copy(problem)
    object.__setattr__(changed, "physics", physics)
    object.__setattr__(changed, "conditions", conditions)
    return changed


def with_these(problem: Problem, placed: Problem, numbers: Sequence[DeclaredNumber]) -> Problem:
    """Return the problem with these numbers as unknowns only; the others are numbers again."""
    kept = {number.unknown.name for number in numbers} | {u.name for u in problem.unknowns}
    every = find_unknowns(placed.physics, tuple(placed.conditions))
    back = {u.name: u.initial for u in every if u.name not in kept}
    return _changed(
        placed, bind(placed.physics, back), tuple(bind(c, back) for c in placed.conditions)
    )
