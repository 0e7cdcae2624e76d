"""What a solution can be asked for by name: its fields and the quantities derived from them."""

from __future__ import annotations

import numpy as np

from pinnsolve.jets import Coordinates, Fields, Jet, as_jet
from pinnsolve.solution import Solution


def shapes_by_name(solution: Solution) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all fields and derived quantities: ``()``, ``(C,)`` or ``(C, C)``.

    Args:
        solution: The solution; its law is tried at one point.
    """
    shapes = dict(solution.problem.field_shapes)

    def law(f: Fields, x: Coordinates, n: Jet) -> Jet:
        del n
        shapes.update({name: jet.shape for name, jet in solution.physics.derived(f, x).items()})
        return as_jet(0.0, x.frame)

    lower, upper = solution.problem.bounds
    solution.evaluate(0.5 * (np.asarray(lower) + np.asarray(upper))[None], law)
    return shapes


def unit_of(solution: Solution, name: str) -> str:
    """Return the SI unit of a field or derived quantity, or nothing where none is known."""
    return solution.problem.physics.units().get(name, "")
