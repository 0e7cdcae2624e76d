"""How far two declarations are apart: the same kinds of fields and conditions, and numbers on a logarithmic scale."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass

from pinnsolve.fingerprint import declared
from pinnsolve.problem import Problem
from pinnsolve.ranges import Range
from pinnsolve.unknowns import Unknown


@dataclass(frozen=True)
class Declaration:
    """What of a problem decides whether its solution is a good start for another.

    Attributes:
        signature: What has to be the same: coordinates, components, unknowns, ranges.
        kinds: Words by place: physics, conditions by part.
        numbers: Numbers by place: coefficients, given values, lengths, and what the equations give on made-up fields,
            which sees through functions.
    """

    signature: tuple[tuple[str, ...], ...]
    kinds: Mapping[str, str]
    numbers: Mapping[str, float]

    @classmethod
    def of(cls, problem: Problem) -> Declaration:
        """Return the declaration of a problem."""
        kinds = {"physics": type(problem.physics).__name__}
        numbers = dict(_numbers("physics", problem.physics))
        for place, condition in enumerate(problem.conditions):
            kinds[f"condition {place}"] = condition.label
            numbers |= dict(_numbers(condition.label, condition))
        lower, upper = problem.bounds
        for name, length in zip(problem.frame.axis_names, upper - lower, strict=True):
            numbers[f"length along {name}"] = float(length)
        for name, value in declared(problem).items():
            if isinstance(value, float) and name.startswith(("the equation", "the size")):
                numbers[name] = math.sqrt(value) if name.startswith("the equation") else value
        return cls(_signature(problem), kinds, {n: v for n, v in numbers.items() if v == v})

    def distance(self, other: Declaration) -> float:
        """Return the distance to another declaration: about 1 for a number that is ten times as large.

        Infinite if one's solution cannot stand for the other's.

        Args:
            other: The other declaration.
        """
        if self.signature != other.signature:
            return math.inf
        places = {*self.kinds, *other.kinds}
        total = float(sum(self.kinds.get(p) != other.kinds.get(p) for p in places))
        for name in {*self.numbers, *other.numbers}:
            total += _apart(self.numbers.get(name), other.numbers.get(name)) ** 2
        return math.sqrt(total)

    def text(self) -> str:
        """Return the declaration as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Declaration:
        """Return the declaration that :meth:`text` wrote.

        Raises:
            ValueError: If the text is something else.
        """
        try:
            item = json.loads(text)
            signature = tuple(tuple(str(name) for name in names) for names in item["signature"])
            kinds = {str(k): str(v) for k, v in item["kinds"].items()}
            return cls(signature, kinds, {str(k): float(v) for k, v in item["numbers"].items()})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a declaration: {error!r}") from error


def _signature(problem: Problem) -> tuple[tuple[str, ...], ...]:
    return (
        problem.frame.axis_names,
        problem.component_names,
        tuple(unknown.name for unknown in problem.unknowns),
        tuple(item.name for item in problem.ranges),
    )


def _numbers(place: str, value: object) -> Iterator[tuple[str, float]]:
    """Yield all numbers of a declaration with where they stand; functions and open numbers are passed over."""
    if isinstance(value, bool | Range | Unknown):
        return
    if isinstance(value, int | float):
        yield place, float(value)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _numbers(f"{place}.{name}", item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for position, item in enumerate(value):
            yield from _numbers(f"{place}[{position}]", item)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _numbers(f"{place}.{field.name}", getattr(value, field.name))


def _apart(one: float | None, other: float | None) -> float:
    """Return the logarithm of a ratio, at most ``_MOST``; 1 where there is none."""
    if one is None or other is None:
        return 1.0
    if one == other or max(abs(one), abs(other)) < _TINY:
        return 0.0
    if one * other <= 0.0:
        return 1.0
    return min(abs(math.log10(one / other)), _MOST)


_TINY = 1e-300
"""Numbers below are zero."""

_MOST = 3.0
"""Decades after which numbers are as far apart as they can be."""
