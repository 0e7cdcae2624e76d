"""Which coordinates a declaration makes periodic."""

from __future__ import annotations

import numpy as np

from pinnsolve.conditions import Periodic
from pinnsolve.problem import Problem


def periodic_axes(problem: Problem) -> tuple[tuple[int, float], ...]:
    """Return the axes along which every solution repeats itself, with the periods in network units.

    An axis counts if Periodic conditions join the two opposite sides of the domain's bounding box
    across it, and nothing else touches these sides. The period is then the whole extent: 2.

    Args:
        problem: The declaration.
    """
    pairs = [(c.part, c.other) for c in problem.conditions if isinstance(c, Periodic)]
    found = []
    for axis in range(problem.domain.dim):
        sides = {part: _side(problem, part, axis) for part in problem.domain.parts}
        joined = {p for pair in pairs if {sides[p] for p in pair} == {"low", "high"} for p in pair}
        if joined and all((part in joined) == (side != "") for part, side in sides.items()):
            found.append((axis, 2.0))
    return tuple(found)


def _side(problem: Problem, part: str, axis: int) -> str:
    """Return whether a part is the low or the high side of the bounding box, touches one (mixed), or neither."""
    lower, upper = problem.domain.bounds
    points = np.concatenate([p.quadrature(32)[0] for p in problem.domain.pieces_of(part)])[:, axis]
    reach = 1e-9 * float(upper[axis] - lower[axis])
    low, high = np.abs(points - lower[axis]) <= reach, np.abs(points - upper[axis]) <= reach
    if low.all():
        return "low"
    if high.all():
        return "high"
    return "mixed" if (low | high).any() else ""
