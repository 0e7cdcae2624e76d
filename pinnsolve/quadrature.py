"""Points and weights for integrals over a problem's domain and its boundary parts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pinnsolve.geometry.partition import interior_rule, part_rule
from pinnsolve.problem import Problem

Array = npt.NDArray[np.float64]


def quadrature(
    problem: Problem, part: str | None, time: float | None
) -> tuple[Array, Array, Array]:
    """Return points (N, D), outward normals (N, d) and weights (N,) of the domain (None) or a part.

    Args:
        problem: The declaration, without ranges.
        part: Boundary part, or None.
        time: When, for an unsteady problem; None is the end.

    Raises:
        ValueError: If the problem is steady but a time is given, or the time is outside of the interval.
    """
    domain, interval = problem.domain, problem.time
    if time is not None and (interval is None or not interval.start <= time <= interval.end):
        has = "is steady" if interval is None else f"runs from {interval.start} to {interval.end} s"
        raise ValueError(f"time={time}: the problem {has}; leave time out or move it inside")
    if part is None:
        points, weights = interior_rule(domain, problem.materials, 4096)
        normals = np.zeros((len(points), domain.dim))
    else:
        points, normals, weights = part_rule(domain, part, problem.materials, 512)
    if interval is not None:
        when = interval.end if time is None else time
        points = np.column_stack((points, np.full(len(points), when)))
    return points, normals, weights
