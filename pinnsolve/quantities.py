"""Quantities of interest: the numbers an engineer asks a solution for, with their targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Quantity:
    """One number computed from a solution.

    If the problem has ranges, it is evaluated at given values, one after the other, and a target must
    hold at all of them; ``solution.problem.held`` says which values these are. So a target that
    depends on them is best written as a deviation from the exact number, with the target 0.

    Attributes:
        name: Name in tables.
        evaluate: Takes the Solution, returns a number.
        unit: Its unit.
        target: What it should be, if known.
        tolerance: Accepted absolute deviation from the target, stated before the run.
        source: Where the target comes from.
        uncertainty: How far the target itself may be off, absolute, if that is known.
    """

    name: str
    evaluate: Callable[[Any], float]
    unit: str = ""
    target: float | None = None
    tolerance: float | None = None
    source: str = ""
    uncertainty: float | None = None


def point_value(
    name: str,
    field: str,
    at: Sequence[float],
    *,
    component: tuple[int, ...] = (),
    unit: str = "",
    target: float | None = None,
    tolerance: float | None = None,
    source: str = "",
    uncertainty: float | None = None,
) -> Quantity:
    """Return the value of a field or derived quantity at one point.

    Args:
        name: Name in tables.
        field: A field or derived quantity, for instance ``temperature`` or ``stress``.
        at: The point: space coordinates in m, then time in s.
        component: Component indices, for instance ``(1, 1)`` for sigma_yy.
        unit: Its unit.
        target: What it should be, if known.
        tolerance: Accepted absolute deviation, stated before the run.
        source: Where the target comes from.
        uncertainty: How far the target itself may be off, absolute, if that is known.
    """
    point = tuple(float(c) for c in at)

    def evaluate(solution: Any) -> float:  # noqa: ANN401 - a Solution, which is a later layer
        value = np.asarray(getattr(solution.at([point]), field))[0]
        return float(value[component])

    return Quantity(name, evaluate, unit, target, tolerance, source, uncertainty)
