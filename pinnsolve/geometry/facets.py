"""The pieces of mesh boundaries: facets of one kind, straight or curved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING, Self

import numpy as np

from pinnsolve.geometry.boundary import Cut, Piece
from pinnsolve.geometry.cell_blocks import CellBlock, Index
from pinnsolve.geometry.checks import Array, Mask

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

_NUM_CANDIDATES = 16
_NUM_REFINED = 4
_NUM_NEWTON = 8


@dataclass(frozen=True, eq=False)
class FacetPiece(Piece):
    """Facets of one kind that belong to one part.

    Attributes:
        block: The facets.
        signs: +1 or -1 for each facet, the factor that turns its normal outward, (E,).
    """

    block: CellBlock
    signs: Array

    @cached_property
    def measure(self) -> float:
        """Return the length in m or the area in m^2."""
        return float(self.block.measures.sum())

    @cached_property
    def envelope(self) -> float:
        """Return the bound of the measure that points are proposed by."""
        return float(self.block.envelopes.sum())

    def place(self, unit: Array) -> tuple[Array, Array, Mask]:
        """Spread points (N, D) over the facets; on curved ones some are to be rejected."""
        cell, xi, keep = self.block.place(unit)
        return self.block.positions(cell, xi), self._normals(cell, xi), keep

    def quadrature(self, num_points: int) -> tuple[Array, Array, Array]:
        """Return a Gauss rule on every facet."""
        per_facet = num_points / len(self.block)
        per_axis = max(2, ceil(per_facet ** (1.0 / self.block.reference.dim)))
        cell, xi, weights = self.block.rule(per_axis)
        weights = weights * (self.measure / weights.sum())
        return self.block.positions(cell, xi), self._normals(cell, xi), weights

    def nearest(self, points: Array) -> tuple[Array, Array]:
        """Return the distance (N,) and the outward normal (N, D) at the nearest point.

        The facets are split into flat simplices. On the nearest candidates the feet are found
        exactly, and on curved facets refined by Newton's method.
        """
        simplex, distance, xi = self._flat_feet(points)
        cell = self._flat_owner[simplex]
        if self.block.reference.is_affine:
            return distance[:, 0], self._normals(cell[:, 0], xi[:, 0])
        best = np.full(len(points), np.inf)
        best_cell, best_xi = cell[:, 0], xi[:, 0]
        for rank in range(cell.shape[1]):
            foot_xi, foot_distance = self._refined(points, cell[:, rank], xi[:, rank])
            closer = foot_distance < best
            best = np.where(closer, foot_distance, best)
            best_cell = np.where(closer, cell[:, rank], best_cell)
            best_xi = np.where(closer[:, None], foot_xi, best_xi)
        return best, self._normals(best_cell, best_xi)

    def may_be_within(self, points: Array, reach: float) -> Mask:
        """Tell which points (N, D) may be as near as ``reach`` in m; cheap, never wrongly False."""
        corners = self._flat[2]
        radius = np.linalg.norm(corners - corners.mean(axis=1, keepdims=True), axis=2).max()
        # Curved facets stand off their flat simplices by less than those are wide.
        near: Mask = self._tree.query(points)[0] <= reach + 2.0 * radius
        return near

    def outline(self) -> list[Array]:
        """Return one polyline for each facet: its run in 2-D, its rim in 3-D."""
        reference = self.block.reference
        if reference.dim == 1:
            xi = np.linspace(0.0, 1.0, 2 if reference.is_affine else 9)[:, None]
        else:
            rim = np.asarray(reference.nodes)[: reference.num_corners]
            xi = np.concatenate([rim, rim[:1]])
        cell = np.repeat(np.arange(len(self.block)), len(xi))
        lines = self.block.positions(cell, np.tile(xi, (len(self.block), 1)))
        return list(lines.reshape(len(self.block), len(xi), -1))

    def flipped(self) -> Self:
        """Return the facets with their normals reversed."""
        return replace(self, signs=-self.signs)

    def cut(self, condition: Cut) -> list[Piece]:
        """Return the whole facets whose centers are kept."""
        keep = condition.keeps(self.block.centers, self._normals(*self.block.at_centers()))
        if np.all(keep):
            return [self]
        if not np.any(keep):
            return []
        return [replace(self, block=self.block.subset(keep), signs=self.signs[keep])]

    def _normals(self, cell: Index, xi: Array) -> Array:
        return self.signs[cell, None] * self.block.normals(cell, xi)

    @cached_property
    def _flat(self) -> tuple[Array, Index, Array]:
        """Flat simplices: reference corners (S, d + 1, d), owners (S,), corners (S, d + 1, D)."""
        pattern = _flat_pattern(self.block.reference.dim, self._num_splits, self._is_simplex)
        num = len(self.block)
        corners = np.tile(pattern, (num, 1, 1))
        owner = np.repeat(np.arange(num), len(pattern))
        rows = np.repeat(owner, pattern.shape[1])
        positions = self.block.positions(rows, corners.reshape(-1, corners.shape[2]))
        return corners, owner, positions.reshape(*corners.shape[:2], -1)

    @property
    def _is_simplex(self) -> bool:
        return self.block.reference.num_simplex_axes == self.block.reference.dim

    @property
    def _num_splits(self) -> int:
        return 1 if self.block.reference.is_affine else 4

    @property
    def _flat_owner(self) -> Index:
        return self._flat[1]

    @cached_property
    def _tree(self) -> cKDTree:
        from scipy.spatial import cKDTree

        return cKDTree(self._flat[2].mean(axis=1))

    def _flat_feet(self, points: Array) -> tuple[Index, Array, Array]:
        """Return the R best flat simplices (N, R), distances (N, R) and feet (N, R, d)."""
        corners, _, positions = self._flat
        num = min(_NUM_CANDIDATES, len(corners))
        candidates = np.asarray(self._tree.query(points, k=num)[1]).reshape(len(points), num)
        flat = candidates.ravel()
        share = _closest_shares(np.repeat(points, num, axis=0), positions[flat])
        feet = np.einsum("ns,nsd->nd", share, positions[flat]).reshape(len(points), num, -1)
        distance = np.linalg.norm(points[:, None] - feet, axis=2)
        best = np.argsort(distance, axis=1, kind="stable")[:, : min(num, _NUM_REFINED)]
        xi = np.einsum("ns,nsd->nd", share, corners[flat]).reshape(len(points), num, -1)
        return (
            np.take_along_axis(candidates, best, axis=1),
            np.take_along_axis(distance, best, axis=1),
            np.take_along_axis(xi, best[:, :, None], axis=1),
        )

    def _refined(self, points: Array, cell: Index, xi: Array) -> tuple[Array, Array]:
        """Return better feet (N, d) on curved facets, by Gauss-Newton steps, and distances (N,)."""
        best_xi = xi
        best = np.linalg.norm(points - self.block.positions(cell, xi), axis=1)
        for _ in range(_NUM_NEWTON):
            gap = points - self.block.positions(cell, xi)
            pseudo_inverses = np.linalg.pinv(self.block.jacobians(cell, xi))
            step = np.einsum("njd,nd->nj", pseudo_inverses, gap)
            xi = self.block.reference.clipped(xi + np.clip(step, -0.25, 0.25))
            distance = np.linalg.norm(points - self.block.positions(cell, xi), axis=1)
            closer = distance < best
            best = np.where(closer, distance, best)
            best_xi = np.where(closer[:, None], xi, best_xi)
        return best_xi, best


def _flat_pattern(dim: int, num_splits: int, is_simplex: bool) -> Array:
    """Return flat simplices (S, d + 1, d) that fill the reference cell of a facet."""
    grid = np.linspace(0.0, 1.0, num_splits + 1)
    if dim == 1:
        return np.stack([grid[:-1], grid[1:]], axis=1)[:, :, None]
    result = []
    for i, j in np.ndindex(num_splits, num_splits):
        a, b = (grid[i], grid[j]), (grid[i + 1], grid[j])
        c, d = (grid[i + 1], grid[j + 1]), (grid[i], grid[j + 1])
        if not is_simplex or i + j < num_splits:
            result.append((a, b, d))
        if not is_simplex or i + j < num_splits - 1:
            result.append((b, c, d))
    return np.array(result)


def _closest_shares(points: Array, corners: Array) -> Array:
    """Return the barycentric coordinates (N, d + 1) of the nearest points of flat simplices.

    Args:
        points: Positions, (N, D).
        corners: Corners of one segment (N, 2, D) or triangle (N, 3, D) for each point.
    """
    if corners.shape[1] == 2:
        t = _along(points, corners[:, 0], corners[:, 1])
        return np.stack([1.0 - t, t], axis=1)
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    inner = _plane_shares(points, a, b, c)
    shares, distance = inner, np.where(
        np.all(inner >= 0.0, axis=1),
        np.linalg.norm(points - np.einsum("ns,nsd->nd", inner, corners), axis=1),
        np.inf,
    )  # fmt: skip
    for first, second in ((0, 1), (1, 2), (2, 0)):
        t = _along(points, corners[:, first], corners[:, second])
        edge = np.zeros_like(inner)
        edge[:, first], edge[:, second] = 1.0 - t, t
        off = np.linalg.norm(points - np.einsum("ns,nsd->nd", edge, corners), axis=1)
        closer = off < distance
        shares = np.where(closer[:, None], edge, shares)
        distance = np.where(closer, off, distance)
    return shares


def _along(points: Array, start: Array, stop: Array) -> Array:
    """Return the fraction (N,) of each segment at which it is nearest to the point."""
    direction = stop - start
    projected = np.einsum("nd,nd->n", points - start, direction)
    fraction: Array = np.clip(projected / np.einsum("nd,nd->n", direction, direction), 0.0, 1.0)
    return fraction


def _plane_shares(points: Array, a: Array, b: Array, c: Array) -> Array:
    """Return the barycentric coordinates (N, 3) of the projections onto planes of triangles."""
    u, v, w = b - a, c - a, points - a
    normal = np.cross(u, v)
    squared = np.einsum("nd,nd->n", normal, normal)
    of_c = np.einsum("nd,nd->n", np.cross(u, w), normal) / squared
    of_b = np.einsum("nd,nd->n", np.cross(w, v), normal) / squared
    return np.stack([1.0 - of_b - of_c, of_b, of_c], axis=1)
