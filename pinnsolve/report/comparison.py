"""How far a solution is from a reference or from the exact solution, by field and by component."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pinnsolve.blocks import interior_block
from pinnsolve.exact_fields import exact_components
from pinnsolve.interop.hdf5 import ReferenceValues
from pinnsolve.jets import component_names
from pinnsolve.reference import Reference
from pinnsolve.report.views import points_of, views
from pinnsolve.solution import Solution, component_values

Array = npt.NDArray[np.float64]

_SEED = 2_000_003
_NUM_POINTS = 4000

_NEGLIGIBLE = 1e-9
"""A component below this share of its field has no relative error of its own."""


def relative_differences(
    solution: Solution, evaluate: Callable[[Array], Array]
) -> dict[str, float]:
    """Return ``|ours - theirs| / |theirs|`` in L2 over the domain (and time).

    Fields whose level nothing determines are compared after removing their mean.

    Args:
        solution: The solution.
        evaluate: Maps points (N, D) to all components (N, C).

    Returns:
        By field name, and by component name for vectors. NaN where there is nothing to be relative
        to.
    """
    problem = solution.problem
    points = interior_block(problem, _NUM_POINTS, seed=_SEED).point_sets[0].numpy()
    ours, theirs = component_values(solution, points), np.asarray(evaluate(points))
    result: dict[str, float] = {}
    start = 0
    for name, shape in problem.field_shapes.items():
        parts = component_names({name: shape})
        a, b = (values[:, start : start + len(parts)] for values in (ours, theirs))
        start += len(parts)
        if name in problem.floating_fields:
            a, b = a - a.mean(axis=0), b - b.mean(axis=0)
        size = float(np.linalg.norm(b))
        result[name] = _ratio(a - b, size, 0.0)
        if shape:
            for i, part in enumerate(parts):
                own = float(np.linalg.norm(b[:, i]))
                result[part] = _ratio(a[:, i] - b[:, i], own, _NEGLIGIBLE * size)
    return result


def exact_differences(solution: Solution) -> dict[str, float]:
    """Return the relative L2 errors against the exact solution; empty if none is known."""
    if solution.problem.exact is None:
        return {}
    return relative_differences(solution, lambda points: exact_components(solution, points))


def reference_values(solution: Solution, reference: Reference) -> ReferenceValues:
    """Return what a report needs of a reference: its values in the pictures, and the differences.

    Args:
        solution: The solution; the middle of its ranges is compared.
        reference: A reference solution of the same problem (at the middle of its ranges).
    """
    solution = solution.middle
    points = points_of(views(solution.problem))
    return ReferenceValues(
        method=reference.method,
        points=points,
        values=np.asarray(reference.evaluate(points), dtype=np.float64),
        error_bar=dict(reference.error),
        differences=relative_differences(solution, reference.evaluate),
        note=reference.note,
    )


def _ratio(difference: Array, size: float, floor: float) -> float:
    return float(np.linalg.norm(difference)) / size if size > floor else float("nan")
