"""The insides of meshes: filled with cells, or enclosed by a surface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from math import ceil

import numpy as np

from pinnsolve.geometry.bins import BinGrid
from pinnsolve.geometry.cell_blocks import CellBlock
from pinnsolve.geometry.checks import Array, Mask
from pinnsolve.geometry.gauss import Rule
from pinnsolve.geometry.sobol import accepted_points

_REFERENCE_TOLERANCE = 1e-9
_BOX_MARGIN = 0.25
_SEED = 0


class Region(ABC):
    """What a mesh says about its inside."""

    @property
    @abstractmethod
    def measure(self) -> float:
        """Return the area in m^2 or the volume in m^3."""

    @abstractmethod
    def inside(self, points: Array) -> Mask:
        """Tell which points (N, D) are inside; on the boundary either answer is right."""

    @abstractmethod
    def sample(self, num_points: int, *, seed: int) -> Array:
        """Return quasi-random points (N, D) inside, uniform by measure."""

    @abstractmethod
    def rule(self, num_points: int) -> Rule:
        """Return points (N, D) and weights (N,) that sum to the measure."""


class CellRegion(Region):
    """The union of the cells of a mesh."""

    def __init__(self, blocks: Sequence[CellBlock]) -> None:
        """Keep the cells.

        Args:
            blocks: The cells of each kind.
        """
        self._blocks = tuple(blocks)

    @cached_property
    def measure(self) -> float:
        """Return the area in m^2 or the volume in m^3."""
        return float(sum(block.measures.sum() for block in self._blocks))

    @cached_property
    def _bins(self) -> tuple[BinGrid, ...]:
        return tuple(_cell_bins(block) for block in self._blocks)

    def inside(self, points: Array) -> Mask:
        """Tell which points (N, D) lie in a cell, by inverting the maps of the cells near them."""
        found = np.zeros(len(points), dtype=bool)
        for block, bins in zip(self._blocks, self._bins, strict=True):
            for point, cell in bins.candidates(points):
                xi = block.inverse(cell, points[point])
                found[point[block.reference.contains(xi, _REFERENCE_TOLERANCE)]] = True
        return found

    def sample(self, num_points: int, *, seed: int) -> Array:
        """Return points (N, D): cells are chosen by measure, places in them by their maps."""
        dim = self._blocks[0].reference.dim
        edges = np.concatenate([[0.0], np.cumsum([b.envelopes.sum() for b in self._blocks])])

        def propose(unit: Array) -> tuple[Array, Mask]:
            travelled = unit[:, 0] * edges[-1]
            owner = np.clip(np.searchsorted(edges, travelled, side="right") - 1, 0, len(edges) - 2)
            points = np.empty((len(unit), dim))
            keep = np.zeros(len(unit), dtype=bool)
            for index, block in enumerate(self._blocks):
                mine = owner == index
                local = unit[mine]
                local[:, 0] = (travelled[mine] - edges[index]) / (edges[index + 1] - edges[index])
                cell, xi, keep[mine] = block.place(local)
                points[mine] = block.positions(cell, xi)
            return points, keep

        return accepted_points(propose, num_points, dim + 1, seed=seed)

    def rule(self, num_points: int) -> Rule:
        """Return a Gauss rule on every cell, with two points along each axis at least."""
        num_cells = sum(len(block) for block in self._blocks)
        points, weights = [], []
        for block in self._blocks:
            per_axis = max(2, ceil((num_points / num_cells) ** (1.0 / block.reference.dim)))
            cell, xi, cell_weights = block.rule(per_axis)
            points.append(block.positions(cell, xi))
            weights.append(cell_weights * (block.measures.sum() / cell_weights.sum()))
        return np.concatenate(points), np.concatenate(weights)


class SurfaceRegion(Region):
    """The solid enclosed by a watertight surface of flat triangles."""

    def __init__(self, triangles: Array) -> None:
        """Keep the surface.

        Args:
            triangles: Corners in m, (F, 3, 3). Only the measure depends on their orientation.
        """
        self._triangles = triangles
        self._low = triangles.reshape(-1, 3).min(axis=0)
        self._high = triangles.reshape(-1, 3).max(axis=0)
        # Rays along a direction that no edge of a technical part has meet no edge head on.
        self._turned = triangles @ _odd_frame().T

    @cached_property
    def _bins(self) -> BinGrid:
        flat = self._turned[:, :, :2]
        return BinGrid(flat.min(axis=1), flat.max(axis=1))

    def inside(self, points: Array) -> Mask:
        """Tell which points (N, 3) are inside: a ray from them crosses an odd number of facets."""
        hits = np.zeros(len(points), dtype=np.int64)
        turned = points @ _odd_frame().T
        for point, facet in self._bins.candidates(turned[:, :2]):
            above = _is_below(turned[point], self._turned[facet])
            hits += np.bincount(point[above], minlength=len(points))
        odd: Mask = hits % 2 == 1
        return odd

    @cached_property
    def measure(self) -> float:
        """Return the volume in m^3 by the divergence theorem: triangles must be turned outward."""
        arms = self._triangles - 0.5 * (self._low + self._high)
        return float(np.linalg.det(arms).sum()) / 6.0

    def sample(self, num_points: int, *, seed: int) -> Array:
        """Return points (N, 3) of the bounding box that are inside."""

        def propose(unit: Array) -> tuple[Array, Mask]:
            points = self._low + unit * (self._high - self._low)
            return points, self.inside(points)

        return accepted_points(propose, num_points, 3, seed=seed)

    def rule(self, num_points: int) -> Rule:
        """Return quasi-random points with equal weights."""
        points = self.sample(num_points, seed=_SEED)
        return points, np.full(num_points, self.measure / num_points)


def _cell_bins(block: CellBlock) -> BinGrid:
    lower, upper = block.nodes.min(axis=1), block.nodes.max(axis=1)
    # Curved cells may bulge beyond their nodes; flat ones only by the tolerance.
    margin = (_REFERENCE_TOLERANCE if block.reference.is_affine else _BOX_MARGIN) * (upper - lower)
    return BinGrid(lower - margin, upper + margin)


def _odd_frame() -> Array:
    """Return orthonormal rows (3, 3) in no special direction."""
    seed = np.array([[0.61803399, 0.41421356, 0.23606798], [0.30277564, -0.7320508, 0.19258240],
                     [0.14142136, 0.31662479, 0.87298335]])  # fmt: skip
    frame: Array = np.linalg.qr(seed)[0].T
    return frame


def _is_below(points: Array, triangles: Array) -> Mask:
    """Tell which points (N, 3) have their own triangle (N, 3, 3) straight above along axis 2."""
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    of_c = _turn(a, b, points)
    of_a = _turn(b, c, points)
    of_b = _turn(c, a, points)
    total = of_a + of_b + of_c
    within = ((of_a >= 0) == (of_b >= 0)) & ((of_b >= 0) == (of_c >= 0)) & (total != 0.0)
    safe = np.where(within, total, 1.0)
    height = (of_a * a[:, 2] + of_b * b[:, 2] + of_c * c[:, 2]) / safe
    below: Mask = within & (height > points[:, 2])
    return below


def _turn(start: Array, stop: Array, points: Array) -> Array:
    """Return twice the area (N,) of the triangle (start, stop, point) seen along axis 2."""
    along, offset = stop - start, points - start
    area: Array = along[:, 0] * offset[:, 1] - along[:, 1] * offset[:, 0]
    return area
