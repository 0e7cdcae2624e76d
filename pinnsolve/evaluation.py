"""A solution at points: one array per field or derived quantity, computed when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import final

import numpy as np
import numpy.typing as npt
from torch import Tensor

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]
Points = Sequence[Sequence[float]] | Array | Tensor

Named = Callable[[str], Array]
"""Returns a field or derived quantity by name, at points it knows."""


@final
class Evaluation:
    """A solution at points; fields and derived quantities are attributes."""

    __slots__ = ("_pieces", "points")

    def __init__(self, points: Array, pieces: Sequence[tuple[Named, Index]]) -> None:
        """Take what evaluates at the points (N, d), and at which of them, by number."""
        self.points, self._pieces = points, tuple(pieces)

    def __getattr__(self, name: str) -> Array:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Array:
        found = [named(name) for named, _ in self._pieces]
        values = np.empty((len(self.points), *found[0].shape[1:]))
        for (_, rows), piece in zip(self._pieces, found, strict=True):
            values[rows] = piece
        return values


def as_points(points: Points, num_axes: int) -> Array:
    """Return points as an array (N, num_axes).

    Raises:
        ValueError: If they have another shape or are not finite.
    """
    array = np.asarray(
        points.detach().cpu() if isinstance(points, Tensor) else points, dtype=np.float64
    )
    if array.ndim != 2 or array.shape[1] != num_axes or not len(array):
        raise ValueError(f"points must be of shape (N, {num_axes}) with N >= 1, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("points must be finite numbers")
    return array
