"""Choose the classical method that fits a problem."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pinnsolve.geometry import Mesh
from pinnsolve.problem import Problem
from pinnsolve.reference.finite_element import finite_element_reference
from pinnsolve.reference.folder import keep, kept
from pinnsolve.reference.reference import NoReference, Reference
from pinnsolve.reference.richardson import richardson_reference

_SHARE = 1.0 / 3.0
"""The reference aims at this share of the accuracy that is to be judged."""

_FINEST = 1e-4
"""Relative error below which a reference is not pushed: it would take longer than the network."""


def find_reference(
    problem: Problem,
    *,
    max_seconds: float = 10.0,
    cache: str | Path | None = None,
    recompute: bool = False,
) -> Reference | NoReference:
    """Solve a problem by finite differences (boxes) or finite elements (meshes).

    Args:
        problem: The declaration, without unknowns.
        max_seconds: Rough budget in s.
        cache: A folder that keeps references between runs; None keeps nothing. A reference in it is taken if it is of
            the same declaration and version, and is as accurate as is wanted or had as much time. One that is
            damaged or of another declaration is computed anew; the note of the reference says so.
        recompute: Whether one that is there is computed anew.
    """
    accuracy = max(_SHARE * problem.accuracy, _FINEST)
    if cache is None:
        return _computed(problem, accuracy, max_seconds)
    folder = Path(cache)
    before = kept(folder, problem)
    known = before.reference
    if known is not None and not recompute:
        reached = all(error <= accuracy for error in known.error.values())
        if reached or before.seconds >= max_seconds:
            return known
    found = _computed(problem, accuracy, max_seconds)
    if isinstance(found, NoReference):
        return found
    remarks = [found.note]
    if before.complaint:
        remarks.append(f"{before.complaint}: computed anew")
    try:
        keep(folder, problem, found, max_seconds)
    except ValueError as error:
        remarks.append(f"not kept: {error}")
    return replace(found, note="; ".join(filter(None, remarks)))


def _computed(problem: Problem, accuracy: float, max_seconds: float) -> Reference | NoReference:
    if isinstance(problem.domain, Mesh):
        return finite_element_reference(problem, accuracy=accuracy, max_seconds=max_seconds)
    return richardson_reference(problem, accuracy=accuracy, max_seconds=max_seconds)
