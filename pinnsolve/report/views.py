"""Where a problem's fields are looked at: the points of every picture of a field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from pinnsolve.geometry import Shape
from pinnsolve.interop.cells import Index, grid_cells, triangulated
from pinnsolve.problem import Problem

Array = npt.NDArray[np.float64]

_ALONG = 97
"""Points along the longest side of a picture."""

_ALONG_SLICE = 129
"""The same for slices of solids, whose edges are not fitted."""


@dataclass(frozen=True)
class View:
    """A picture of the domain: a line, a plane region, a slice of a solid, or space against time.

    Attributes:
        title: What the picture shows, if it is not all there is: ``t = 2 s``, ``z = 0.5 m``.
        axes: Names of the coordinates that are drawn, one or two.
        points: Points of the problem, shape (M, D).
        plane: The drawn coordinates of these points, shape (M, 1) or (M, 2).
        triangles: Point numbers of the triangles, shape (T, 3); none for a line.
        outline: Boundary lines in the plane, shape (K, 2) each.
    """

    title: str
    axes: tuple[str, ...]
    points: Array
    plane: Array
    triangles: Index
    outline: tuple[Array, ...] = ()

    @property
    def to_scale(self) -> bool:
        """Whether both axes are lengths."""
        return "t" not in self.axes


def views(problem: Problem) -> tuple[View, ...]:
    """Return the pictures of a problem.

    A line in 1-D, space against time if unsteady; the region in 2-D, at the end if unsteady; the
    three middle planes in 3-D.

    Args:
        problem: The declaration.
    """
    match problem.domain.dim, problem.time is not None:
        case 1, False:
            return (_line(problem),)
        case 1, True:
            return (_space_time(problem),)
        case 2, _:
            return (_region(problem),)
        case _:
            return _slices(problem)


def points_of(shown: Sequence[View]) -> Array:
    """Return the points of some views together, shape (M, D)."""
    return np.concatenate([view.points for view in shown])


def split_by_view(shown: Sequence[View], values: Array) -> list[Array]:
    """Return values at :func:`points_of`, view by view."""
    return np.split(values, np.cumsum([len(view.points) for view in shown])[:-1])


def _line(problem: Problem) -> View:
    lower, upper = problem.bounds
    points = np.linspace(lower, upper, 4 * _ALONG + 1)
    return View("", ("x",), points, points, np.empty((0, 3), dtype=np.intp))


def _space_time(problem: Problem) -> View:
    lower, upper = problem.bounds
    nodes, triangles = _grid(lower, upper, (_ALONG, _ALONG))
    return View("", ("x", "t"), nodes, nodes, triangles)


def _region(problem: Problem) -> View:
    cells = triangulated(problem.domain, _ALONG)
    points, title = _at_end(problem, cells.points)
    outline = tuple(line for _, line in problem.domain.outline())
    return View(title, ("x", "y"), points, cells.points, cells.blocks["triangle"], outline)


def _slices(problem: Problem) -> tuple[View, ...]:
    lower, upper = problem.domain.bounds
    middle = 0.5 * (lower + upper)
    found = []
    for across in combinations(range(3), 2):
        (fixed,) = {0, 1, 2} - set(across)
        low, high = lower[list(across)], upper[list(across)]
        lengths = high - low
        counts = np.maximum(
            np.round((_ALONG_SLICE - 1) * lengths / lengths.max()).astype(int) + 1, 2
        )
        plane, triangles = _grid(low, high, tuple(counts))
        nodes = np.tile(middle, (len(plane), 1))
        nodes[:, across] = plane
        plane, nodes, triangles = _inside(problem.domain, plane, nodes, triangles)
        if len(triangles):
            points, when = _at_end(problem, nodes)
            where = f"{'xyz'[fixed]} = {middle[fixed]:.4g} m"
            axes = tuple("xyz"[axis] for axis in across)
            found.append(
                View(", ".join(filter(None, (where, when))), axes, points, plane, triangles)
            )
    return tuple(found)


def _grid(lower: Array, upper: Array, counts: tuple[int, ...]) -> tuple[Array, Index]:
    """Return the nodes (M, 2) and the triangles (T, 3) of a grid on a rectangle."""
    axes = [np.linspace(a, b, n) for a, b, n in zip(lower, upper, counts, strict=True)]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    quads = grid_cells(tuple(int(n) for n in counts))
    return nodes, np.concatenate((quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]))


def _inside(
    domain: Shape, plane: Array, nodes: Array, triangles: Index
) -> tuple[Array, Array, Index]:
    """Return only the triangles inside the domain, and only the points they use."""
    kept = triangles[domain.contains(nodes)[triangles].all(axis=1)]
    used, numbers = np.unique(kept, return_inverse=True)
    return plane[used], nodes[used], numbers.reshape(kept.shape)


def _at_end(problem: Problem, points: Array) -> tuple[Array, str]:
    if problem.time is None:
        return points, ""
    end = problem.time.end
    return np.column_stack((points, np.full(len(points), end))), f"t = {end:.4g} s"
