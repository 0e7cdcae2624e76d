"""A region under other names: the same inside, the boundary cut and named otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy.typing as npt

from pinnsolve.geometry.boundary import Piece
from pinnsolve.geometry.checks import Array, Mask
from pinnsolve.geometry.gauss import Rule
from pinnsolve.geometry.shape import Shape


class Relabelled(Shape):
    """The region of another shape with its boundary named otherwise."""

    def __init__(self, region: Shape, pieces: Sequence[Piece]) -> None:
        """Keep the region and take the pieces as its boundary.

        Args:
            region: Where the shape is.
            pieces: What its boundary consists of; they must cover that of the region.
        """
        self._region = region
        self._pieces = tuple(pieces)

    @property
    def dim(self) -> int:
        """Return the number of coordinates D."""
        return self._region.dim

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Return the lower and the upper corner (D,) of a box around the shape, in m."""
        return self._region.bounds

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Return the smooth pieces that the boundary is made of."""
        return self._pieces

    @cached_property
    def measure(self) -> float:
        """Return the length in m, the area in m^2 or the volume in m^3."""
        return self._region.measure

    @property
    def can_be_combined(self) -> bool:
        """Tell whether ``|``, ``&`` and ``-`` work with this shape."""
        return self._region.can_be_combined

    def signed_distance(self, points: npt.ArrayLike) -> Array:
        """Return the signed distance (N,) in m of the region."""
        return self._region.signed_distance(points)

    def contains(self, points: npt.ArrayLike, tolerance: float = 0.0) -> Mask:
        """Tell which points (N,) lie in the closed region."""
        return self._region.contains(points, tolerance)

    def sample_interior(self, num_points: int, *, seed: int) -> Array:
        """Return points (N, D) of the region."""
        return self._region.sample_interior(num_points, seed=seed)

    def interior_quadrature(self, num_points: int) -> Rule:
        """Return the interior rule of the region."""
        return self._region.interior_quadrature(num_points)

    def title(self) -> str:
        """Return what the region is called."""
        return self._region.title()

    def _with_pieces(self, pieces: Sequence[Piece]) -> Shape:
        return Relabelled(self._region, pieces)
