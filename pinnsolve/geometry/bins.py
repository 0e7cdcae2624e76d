"""A grid of bins that tells which boxes may hold a point."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pinnsolve.geometry.cell_blocks import Index
from pinnsolve.geometry.checks import Array

_PAIRS_AT_ONCE = 2_000_000


class BinGrid:
    """Axis-aligned boxes sorted into the bins of a regular grid that they overlap."""

    def __init__(self, lower: Array, upper: Array) -> None:
        """Sort the boxes.

        Args:
            lower: Lower corners, (E, D).
            upper: Upper corners, (E, D).
        """
        dim = lower.shape[1]
        self._lower, self._upper = lower, upper
        self._origin = lower.min(axis=0)
        extent = np.maximum(upper.max(axis=0) - self._origin, np.finfo(np.float64).tiny)
        width = np.maximum((np.prod(extent) / len(lower)) ** (1.0 / dim), np.max(extent) / 4096.0)
        self._shape = np.maximum(np.ceil(extent / width).astype(np.intp), 1)
        self._width = extent / self._shape
        first, last = self._bin_of(lower), self._bin_of(upper)
        spans = last - first + 1
        counts = np.prod(spans, axis=1)
        box = np.repeat(np.arange(len(lower)), counts)
        rank = np.arange(len(box)) - np.repeat(np.cumsum(counts) - counts, counts)
        index = np.empty((len(box), dim), dtype=np.intp)
        for axis in reversed(range(dim)):
            index[:, axis] = first[box, axis] + rank % spans[box, axis]
            rank //= spans[box, axis]
        flat: Index = np.asarray(np.ravel_multi_index(tuple(index.T), tuple(self._shape)))
        order = np.argsort(flat, kind="stable")
        self._boxes = box[order]
        total = int(np.prod(self._shape))
        self._starts = np.asarray(np.searchsorted(flat[order], np.arange(total + 1)))

    def _bin_of(self, points: Array) -> Index:
        index = np.floor((points - self._origin) / self._width).astype(np.intp)
        clipped: Index = np.clip(index, 0, self._shape - 1)
        return clipped

    def candidates(self, points: Array) -> Iterator[tuple[Index, Index]]:
        """Yield pairs of point numbers and box numbers, for all boxes that hold the point.

        Args:
            points: Positions, (N, D).
        """
        flat = np.ravel_multi_index(tuple(self._bin_of(points).T), tuple(self._shape))
        counts = self._starts[flat + 1] - self._starts[flat]
        ends = np.cumsum(counts)
        start = 0
        while start < len(points):
            reached = ends[start - 1] if start else 0
            stop = int(np.searchsorted(ends, reached + _PAIRS_AT_ONCE, side="right"))
            stop = min(max(stop, start + 1), len(points))
            own = counts[start:stop]
            point = np.repeat(np.arange(start, stop), own)
            rank = np.arange(len(point)) - np.repeat(np.cumsum(own) - own, own)
            box = self._boxes[self._starts[flat[point]] + rank]
            hit = np.all(
                (points[point] >= self._lower[box]) & (points[point] <= self._upper[box]), axis=1
            )
            yield point[hit], box[hit]
            start = stop
