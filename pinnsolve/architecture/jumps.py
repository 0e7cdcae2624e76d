"""Corners at which given velocities jump: pressure and shear go like 1/r there, and the pressure's norm is infinite."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pinnsolve.architecture.plane_corners import plane_corner_functions, singular_corners
from pinnsolve.blocks import PointCounts, make_blocks
from pinnsolve.problem import Problem
from pinnsolve.scaling import find_scaling

Array = npt.NDArray[np.float64]


def jump_places(problem: Problem) -> Array:
    """Return the corners of a steady plane flow at which given velocities jump, shape (J, 2).

    Args:
        problem: The declaration, its unknowns bound to numbers.
    """
    if problem.frame.num_axes != 2 or problem.time is not None:
        return np.empty((0, 2))
    scaling = find_scaling(problem, make_blocks(problem, PointCounts(64, 64), seed=0))
    functions, _ = plane_corner_functions(problem, scaling)
    _, jumps = singular_corners(problem, scaling, functions)
    return np.array([corner.place for corner in jumps]).reshape(-1, 2)


def is_near_jump(problem: Problem, places: Array, points: Array) -> npt.NDArray[np.bool_]:
    """Return which points (N, D) are so near to a jump that fields are not compared there.

    Args:
        problem: The declaration.
        places: The jumps, shape (J, 2).
        points: The points in SI units.
    """
    near = np.zeros(len(points), dtype=bool)
    for place in places:
        near |= np.linalg.norm(points - place, axis=1) < _AROUND * problem.domain.size
    return near


_AROUND = 0.05
"""Radius around a jump, as a share of the region's size."""
