"""Choose the classical method that fits a problem."""

from __future__ import annotations

from pinnsolve.geometry import Mesh
from pinnsolve.problem import Problem
from pinnsolve.reference.reference import NoReference, Reference


def find_reference(problem: Problem, *, max_seconds: float = 30.0) -> Reference | NoReference:
    """Solve a problem by finite differences (boxes) or finite elements (meshes).

    Args:
        problem: The declaration, without unknowns.
        max_seconds: Rough budget in s.
    """
    if isinstance(problem.domain, Mesh):
        from pinnsolve.reference.finite_element import finite_element_reference

        return finite_element_reference(problem, accuracy=problem.accuracy, max_seconds=max_seconds)
    from pinnsolve.reference.richardson import richardson_reference

    return richardson_reference(problem, accuracy=problem.accuracy, max_seconds=max_seconds)
