"""Points and cells that cover a domain, to draw fields on and to write them to files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import numpy.typing as npt

from pinnsolve.geometry import Mesh, Shape

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

_APART = 0.4
"""Interior points keep this share of the spacing from the boundary, so that no cell is a sliver."""

_THIN = 1e-6
"""Triangles below this share of a square of the grid are slivers along straight sides."""


@dataclass(frozen=True)
class Cells:
    """A covering of a domain.

    Attributes:
        points: Positions, shape (N, d) in m.
        blocks: Point numbers of the cells by meshio's cell name, shape (E, K) each.
    """

    points: Array
    blocks: Mapping[str, Index]


def cover(domain: Shape, resolution: int) -> Cells:
    """Cover a domain: a mesh by its own cells, others by lines, triangles or hexahedra.

    Args:
        domain: The region.
        resolution: Points along its longest side, unless it is a mesh of cells.

    Raises:
        ValueError: If the resolution is below 2, or too low to fit a single cell inside.
    """
    if resolution < 2:
        raise ValueError(f"resolution must be >= 2 points along the longest side, got {resolution}")
    if isinstance(domain, Mesh) and not _is_surface(domain):
        return Cells(domain.nodes, domain.cells)
    if domain.dim == 2:
        return triangulated(domain, resolution)
    lower, upper = domain.bounds
    axes = spaced(lower, upper, resolution)
    return _checked(masked_grid(domain, axes), resolution)


def spaced(lower: Array, upper: Array, resolution: int) -> list[Array]:
    """Return equally spaced coordinates per axis, with about the same spacing along all axes.

    Args:
        lower: Lower corner, shape (d,).
        upper: Upper corner, shape (d,).
        resolution: Points along the longest side.
    """
    lengths = upper - lower
    counts = np.maximum(np.round((resolution - 1) * lengths / lengths.max()).astype(int) + 1, 2)
    return [np.linspace(a, b, n) for a, b, n in zip(lower, upper, counts, strict=True)]


def masked_grid(domain: Shape, axes: list[Array]) -> Cells:
    """Return the lines, quadrilaterals or hexahedra of a grid whose corners all lie in the domain.

    Args:
        domain: The region.
        axes: Coordinates per axis.
    """
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    cells = grid_cells(tuple(len(axis) for axis in axes))
    kept = cells[domain.contains(nodes)[cells].all(axis=1)]
    used, renumbered = np.unique(kept, return_inverse=True)
    kind = {1: "line", 2: "quad", 3: "hexahedron"}[len(axes)]
    return Cells(nodes[used], {kind: renumbered.reshape(kept.shape)})


def grid_cells(shape: tuple[int, ...]) -> Index:
    """Return the cells of a grid of nodes, numbered as in VTK, shape (E, 2**d)."""
    numbers = np.arange(int(np.prod(shape))).reshape(shape)
    corners = [
        numbers[tuple(slice(k, n - 1 + k) for k, n in zip(corner, shape, strict=True))].ravel()
        for corner in product((0, 1), repeat=len(shape))
    ]
    order = {1: (0, 1), 2: (0, 2, 3, 1), 3: (0, 4, 6, 2, 1, 5, 7, 3)}[len(shape)]
    return np.stack([corners[k] for k in order], axis=1)


def triangulated(domain: Shape, resolution: int) -> Cells:
    """Return triangles that follow the boundary of a plane region.

    Delaunay's triangles of a grid inside and of points on the boundary; those outside are dropped.

    Args:
        domain: The region.
        resolution: Points along its longest side.

    Raises:
        ValueError: If the resolution is too low for the region.
    """
    from scipy.spatial import Delaunay

    lower, upper = domain.bounds
    axes = spaced(lower, upper, resolution)
    spacing = float((upper - lower).max()) / (resolution - 1)
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    inner = grid[domain.signed_distance(grid) < -_APART * spacing]
    edge = np.concatenate([_refined(line, spacing) for _, line in domain.outline()])
    points = np.concatenate((edge, inner))
    _, first = np.unique(
        np.round(points / (1e-6 * spacing)).astype(np.int64), axis=0, return_index=True
    )
    points = points[np.sort(first)]
    triangles = Delaunay(points).simplices
    corners = points[triangles]
    inside = domain.contains(corners.mean(axis=1))
    (ax, ay), (bx, by) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    thick = 0.5 * np.abs(ax * by - ay * bx) > _THIN * spacing**2
    kept = triangles[inside & thick].astype(np.intp)
    return _checked(Cells(points, {"triangle": kept}), resolution)


def _refined(line: Array, spacing: float) -> Array:
    """Return points along a polyline, its vertices included, no farther apart than the spacing."""
    pieces = [line[:1]]
    for start, end in pairwise(line):
        count = max(int(np.ceil(np.linalg.norm(end - start) / spacing - 1e-9)), 1)
        pieces.append(start + (np.arange(1, count + 1) / count)[:, None] * (end - start))
    return np.concatenate(pieces)


def _is_surface(mesh: Mesh) -> bool:
    return mesh.dim == 3 and set(mesh.cells) <= {"triangle", "triangle6", "quad"}


def _checked(cells: Cells, resolution: int) -> Cells:
    if not sum(len(block) for block in cells.blocks.values()):
        raise ValueError(
            f"no cell fits inside the domain at a resolution of {resolution} points along the longest side; "
            "give more"
        )
    return cells
