"""Choose the classical method that fits a problem."""

from __future__ import annotations

from pinnsolve.geometry import Mesh
from pinnsolve.problem import Problem
from pinnsolve.reference.reference import NoReference, Reference

_SHARE = 1.0 / 3.0
"""The reference aims at this share of the accuracy that is to be judged."""

_FINEST = 1e-4
"""Relative error below which a reference is not pushed: it would take longer than the network."""


def find_reference(problem: Problem, *, max_seconds: float = 10.0) -> Reference | NoReference:
    """Solve a problem by finite differences (boxes) or finite elements (meshes).

    Args:
        problem: The declaration, without unknowns.
        max_seconds: Rough budget in s.
    """
    accuracy = max(_SHARE * problem.accuracy, _FINEST)
    if isinstance(problem.domain, Mesh):
        from pinnsolve.reference.finite_element import finite_element_reference

        return finite_element_reference(problem, accuracy=accuracy, max_seconds=max_seconds)
    from pinnsolve.reference.richardson import richardson_reference

    return richardson_reference(problem, accuracy=accuracy, max_seconds=max_seconds)
