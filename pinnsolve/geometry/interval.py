"""The one shape of one dimension, and its end points."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from pinnsolve.geometry.boundary import Cut, Piece
from pinnsolve.geometry.checks import Array, Mask, finite, point_array, read_only
from pinnsolve.geometry.shape import Shape


@dataclass(frozen=True, eq=False)
class EndPoint(Piece):
    """An end of an interval.

    Attributes:
        position: Coordinate in m.
        normal: +1 at an upper end, -1 at a lower end.
    """

    position: float
    normal: float

    @property
    def measure(self) -> float:
        """Return 1: one point."""
        return 1.0

    def place(self, unit: Array) -> tuple[Array, Array, Mask]:
        """Repeat the point for every row of ``unit`` (N, 1)."""
        num = len(unit)
        return (
            np.full((num, 1), self.position),
            np.full((num, 1), self.normal),
            np.ones(num, dtype=bool),
        )

    def quadrature(self, num_points: int) -> tuple[Array, Array, Array]:
        """Return the point (1, 1), its normal (1, 1) and the weight 1."""
        del num_points
        return np.array([[self.position]]), np.array([[self.normal]]), np.ones(1)

    def nearest(self, points: Array) -> tuple[Array, Array]:
        """Return the distance (N,) to the point, and its normal (N, 1)."""
        return np.abs(points[:, 0] - self.position), np.full((len(points), 1), self.normal)

    def outline(self) -> list[Array]:
        """Return the point as an array (1, 1)."""
        return [np.array([[self.position]])]

    def flipped(self) -> Self:
        """Return the end point of the region on the other side."""
        return replace(self, normal=-self.normal)

    def cut(self, condition: Cut) -> list[Piece]:
        """Return the end point itself or nothing."""
        points, normals, _ = self.quadrature(1)
        return [self] if condition.keeps(points, normals)[0] else []


@dataclass(frozen=True)
class Interval(Shape):
    """The closed interval [start, end], with the parts ``left`` and ``right``.

    Attributes:
        start: Lower end in m.
        end: Upper end in m.

    Raises:
        ValueError: If an end is not finite or ``start`` is not below ``end``.
    """

    start: float
    end: float

    def __post_init__(self) -> None:
        """Check the two ends."""
        object.__setattr__(self, "start", finite(self.start, "Interval start"))
        object.__setattr__(self, "end", finite(self.end, "Interval end"))
        if not self.end > self.start:
            raise ValueError(
                f"Interval must have start < end, got {self.start} and {self.end}. "
                f"Swap them or give the interval some length."
            )

    @property
    def dim(self) -> int:
        """Return 1."""
        return 1

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Return the two ends, (1,) each, in m."""
        return read_only([self.start]), read_only([self.end])

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Return the two end points."""
        return EndPoint(self.start, -1.0, part="left"), EndPoint(self.end, 1.0, part="right")

    @cached_property
    def measure(self) -> float:
        """Return the length in m."""
        return self.end - self.start

    def signed_distance(self, points: npt.ArrayLike) -> Array:
        """Return the exact signed distance (N,) in m."""
        x = point_array(points, 1)[:, 0]
        return np.maximum(self.start - x, x - self.end)
