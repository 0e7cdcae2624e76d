"""Cells of one kind with their isoparametric maps: positions, measures, rules, samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pinnsolve.geometry.checks import Array, Mask
from pinnsolve.geometry.reference_cells import ReferenceCell

Index = npt.NDArray[np.intp]

_MEASURE_ORDER = 8
_TRIAL_ORDER = 5
_ENVELOPE_MARGIN = 1.1
_MAX_NEWTON = 20
_CONVERGED = 1e-11
_LOST = 4.0


@dataclass(frozen=True, eq=False)
class CellBlock:
    """E cells of one kind in D-dimensional space; cells of d = D axes, or facets of d = D - 1.

    Attributes:
        reference: The reference cell.
        nodes: Positions of the nodes in m, (E, K, D).
    """

    reference: ReferenceCell
    nodes: Array

    def __len__(self) -> int:
        """Return the number of cells E."""
        return len(self.nodes)

    def subset(self, which: Index | Mask) -> CellBlock:
        """Return some of the cells."""
        return CellBlock(self.reference, self.nodes[which])

    def positions(self, cell: Index, xi: Array) -> Array:
        """Return the positions (N, D) of reference points (N, d) of the cells (N,)."""
        positions: Array = np.einsum("nk,nkd->nd", self.reference.values(xi), self.nodes[cell])
        return positions

    def jacobians(self, cell: Index, xi: Array) -> Array:
        """Return dx/dxi, (N, D, d)."""
        gradients = self.reference.gradients(xi)
        jacobians: Array = np.einsum("nkj,nkd->ndj", gradients, self.nodes[cell])
        return jacobians

    def signed_density(self, cell: Index, xi: Array) -> Array:
        """Return the ratio (N,) of measures in space and in the reference cell; cells only."""
        determinant: Array = np.linalg.det(self.jacobians(cell, xi))
        return determinant

    def density(self, cell: Index, xi: Array) -> Array:
        """Return the ratio (N,) of measures in space and in the reference cell, not negative."""
        jacobians = self.jacobians(cell, xi)
        is_facet = jacobians.shape[1] > jacobians.shape[2]
        density: Array = (
            np.linalg.norm(_cross(jacobians), axis=1)
            if is_facet
            else np.abs(np.linalg.det(jacobians))
        )
        return density

    def normals(self, cell: Index, xi: Array) -> Array:
        """Return unit normals (N, D) of facets, on the side that the node order says."""
        normals = _cross(self.jacobians(cell, xi))
        unit: Array = normals / np.linalg.norm(normals, axis=1, keepdims=True)
        return unit

    def at_centers(self) -> tuple[Index, Array]:
        """Return the cell numbers and reference centers of all cells."""
        return np.arange(len(self)), np.tile(self.reference.center, (len(self), 1))

    @cached_property
    def centers(self) -> Array:
        """Return the images (E, D) of the reference centers."""
        return self.positions(*self.at_centers())

    def rule(self, num_per_axis: int) -> tuple[Index, Array, Array]:
        """Return cells (N,), reference points (N, d) and weights (N,) for integrals over all."""
        points, weights = self.reference.rule(num_per_axis)
        cell = np.repeat(np.arange(len(self)), len(points))
        xi = np.tile(points, (len(self), 1))
        return cell, xi, np.tile(weights, len(self)) * self.density(cell, xi)

    @cached_property
    def measures(self) -> Array:
        """Return length, area or volume of each cell, (E,)."""
        order = 2 if self.reference.is_affine else _MEASURE_ORDER
        cell, _, weights = self.rule(order)
        measures: Array = np.bincount(cell, weights=weights, minlength=len(self)).astype(np.float64)
        return measures

    @cached_property
    def envelopes(self) -> Array:
        """Return upper bounds (E,) of the density times the measure of the reference cell."""
        if self.reference.is_affine:
            return self.measures
        points = np.concatenate([self.reference.rule(_TRIAL_ORDER)[0], self.reference.nodes])
        cell = np.repeat(np.arange(len(self)), len(points))
        density = self.density(cell, np.tile(points, (len(self), 1))).reshape(len(self), -1)
        top: Array = np.max(density, axis=1) * float(self.reference.rule(2)[1].sum())
        return _ENVELOPE_MARGIN * top

    @cached_property
    def _edges(self) -> Array:
        return np.concatenate([[0.0], np.cumsum(self.envelopes)])

    def place(self, unit: Array) -> tuple[Index, Array, Mask]:
        """Spread points of the unit cube over all cells, uniformly by measure among those kept.

        Args:
            unit: Points of the unit cube, (N, d + 1). The last coordinate accepts or rejects.

        Returns:
            Cell numbers (N,), reference points (N, d) and which to keep (N,).
        """
        travelled = unit[:, 0] * self._edges[-1]
        cell = np.clip(np.searchsorted(self._edges, travelled, side="right") - 1, 0, len(self) - 1)
        local = unit[:, : self.reference.dim].copy()
        local[:, 0] = np.clip(
            (travelled - self._edges[cell]) / self.envelopes[cell], 1e-12, 1 - 1e-12
        )
        xi = self.reference.uniform(local)
        if self.reference.is_affine:
            return cell, xi, np.ones(len(unit), dtype=bool)
        share = (
            self.density(cell, xi) * float(self.reference.rule(2)[1].sum()) / self.envelopes[cell]
        )
        return cell, xi, unit[:, -1] < share

    def inverse(self, cell: Index, points: Array) -> Array:
        """Return the reference points (N, d) of positions (N, D) in cells (N,) by Newton's method.

        Positions off the cell, where the method need not converge, may give infinity.
        """
        xi = np.tile(self.reference.center, (len(points), 1))
        if self.reference.is_affine:
            return xi + self._newton_step(cell, xi, points)
        left = np.arange(len(points))
        for _ in range(_MAX_NEWTON):
            step = self._newton_step(cell[left], xi[left], points[left])
            # Far off the reference cell a point is lost: it is not in the cell.
            xi[left] = np.where(np.abs(xi[left] - 0.5) > _LOST, np.inf, xi[left] + step)
            large = np.abs(step).max(axis=1) > _CONVERGED
            left = left[large & np.isfinite(xi[left]).all(axis=1)]
            if not len(left):
                break
        xi[left] = np.inf
        return xi

    def _newton_step(self, cell: Index, xi: Array, points: Array) -> Array:
        jacobians = self.jacobians(cell, xi)
        # A map may be singular beyond its cell; from there no step leads back.
        singular = np.linalg.det(jacobians) == 0.0
        jacobians = np.where(singular[:, None, None], np.eye(self.reference.dim), jacobians)
        gap = points - self.positions(cell, xi)
        return np.asarray(np.linalg.solve(jacobians, gap[:, :, None])[:, :, 0], dtype=np.float64)


def _cross(jacobians: Array) -> Array:
    """Return vectors (N, D) across facets with Jacobians (N, D, D - 1), as long as the density."""
    if jacobians.shape[1] == 2:
        return np.stack([jacobians[:, 1, 0], -jacobians[:, 0, 0]], axis=1)
    crossed: Array = np.cross(jacobians[:, :, 0], jacobians[:, :, 1])
    return crossed
