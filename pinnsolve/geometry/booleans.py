"""Unions, intersections and differences of shapes of one dimension.

The boundary of a result consists of what is left of the pieces of both operands: of a union what
lies outside the other, of an intersection what lies inside. A - B keeps of A what lies outside B,
and of B what lies inside A, reversed. Where the boundaries coincide, one copy is kept if it still
separates the inside from the outside, and none otherwise. Tolerances are relative to the size.

Source of the rules: A. A. G. Requicha and H. B. Voelcker, "Boolean Operations in Solid Modeling",
Proc. IEEE 73 (1985): regularised set operations by classification of the boundaries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pinnsolve.geometry.boundary import Cut, Piece
from pinnsolve.geometry.checks import Array, Mask, read_only
from pinnsolve.geometry.shape import Shape

_COINCIDENT = 1e-12
_PROBE = 1e-6


@dataclass(frozen=True)
class Rule:
    """Which points of a boundary survive, by where they lie with respect to the other shape.

    Attributes:
        inside: Keep those inside the other shape; those outside are kept otherwise.
        same: Keep those on the other's boundary where both shapes lie on the same side.
        opposite: Keep those on the other's boundary where the shapes lie on either side.
    """

    inside: bool
    same: bool
    opposite: bool


@dataclass(frozen=True, eq=False)
class Clip(Cut):
    """Keep what a rule says of a boundary, with respect to another region.

    Attributes:
        region: The other shape.
        rule: Which points survive.
        size: Size in m of the two shapes together.
    """

    region: Shape
    rule: Rule
    size: float

    def level(self, points: Array) -> Array:
        """Return the signed distance (N,) of the region."""
        return self.region.signed_distance(points)

    @property
    def tolerance(self) -> float:
        """Return the distance in m below which boundaries coincide."""
        return _COINCIDENT * self.size + self.region.rounding

    def corners(self) -> Array:
        """Return the corners (K, D) of the region's boundary."""
        found = [piece.corners() for piece in self.region.pieces]
        return np.concatenate([one for one in found if one.size] or [np.empty((0, 0))])

    def keeps(self, points: Array, normals: Array) -> Mask:
        """Return which points (N,) survive, given the outward normals (N, D) of their own shape."""
        value = self.level(points)
        inside, outside = value < 0.0, value > 0.0
        touching = np.flatnonzero(np.abs(value) <= self.tolerance)
        # On the zero set, look a little to both sides. Inside or outside on both is a seam.
        step = (_PROBE * self.size) * normals[touching]
        behind = self.level(points[touching] - step) < 0.0
        ahead = self.level(points[touching] + step) < 0.0
        inside[touching] = behind & ahead
        outside[touching] = ~behind & ~ahead
        keep = inside if self.rule.inside else outside
        if self.rule.same:
            keep[touching] |= behind & ~ahead
        if self.rule.opposite:
            keep[touching] |= ~behind & ahead
        return keep


class Combined(Shape):
    """The result of a boolean operation, made by ``a | b``, ``a & b`` and ``a - b``."""

    def __init__(self, a: Shape, b: Shape, symbol: str, pieces: Sequence[Piece]) -> None:
        """Keep the operands and what is left of their boundaries.

        Args:
            a: The first operand.
            b: The second operand.
            symbol: The operation, ``"|"``, ``"&"`` or ``"-"``.
            pieces: The boundary of the result.
        """
        self._a, self._b, self._symbol = a, b, symbol
        self._pieces = tuple(pieces)

    @property
    def dim(self) -> int:
        """Return the number of coordinates D."""
        return self._a.dim

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Return the lower and the upper corner (D,) of a box around the shape, in m."""
        (a_low, a_high), (b_low, b_high) = self._a.bounds, self._b.bounds
        if self._symbol == "|":
            return read_only(np.minimum(a_low, b_low)), read_only(np.maximum(a_high, b_high))
        if self._symbol == "&":
            return read_only(np.maximum(a_low, b_low)), read_only(np.minimum(a_high, b_high))
        return a_low, a_high

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Return the smooth pieces that the boundary is made of."""
        return self._pieces

    def signed_distance(self, points: npt.ArrayLike) -> Array:
        """Return a lower bound (N,) in m of the distance to the boundary, negative inside.

        The sign is exact, save that the value is 0 too on sides shared by the operands of a union.
        """
        a, b = self._a.signed_distance(points), self._b.signed_distance(points)
        if self._symbol == "|":
            return np.minimum(a, b)
        return np.maximum(a, b if self._symbol == "&" else -b)

    def title(self) -> str:
        """Return the operands and the operation."""
        return _title(self._a, self._b, self._symbol)


def union(a: Shape, b: Shape) -> Shape:
    """Return the region covered by either shape.

    Parts that bear the same name in both become one; shared sides between them vanish.

    Raises:
        ValueError: If the shapes have no more than single points in common.
    """
    pair = _Pair(a, b)
    of_a = pair.clipped(a, b, Rule(inside=False, same=True, opposite=False))
    of_b = pair.clipped(b, a, Rule(inside=False, same=False, opposite=False))
    if pair.is_whole(a, of_a) and pair.is_whole(b, of_b):
        raise pair.misplaced("do not touch, so their union would fall apart")
    return Combined(a, b, "|", of_a + of_b)


def intersection(a: Shape, b: Shape) -> Shape:
    """Return the region covered by both shapes.

    Raises:
        ValueError: If the shapes do not overlap.
    """
    pair = _Pair(a, b)
    pieces = pair.clipped(a, b, Rule(inside=True, same=True, opposite=False))
    pieces += pair.clipped(b, a, Rule(inside=True, same=False, opposite=False))
    if not pieces:
        raise pair.misplaced("do not overlap, so their intersection is empty")
    return Combined(a, b, "&", pieces)


def difference(a: Shape, b: Shape) -> Shape:
    """Return the first shape without the second.

    The cut surface keeps the part names of the second shape, with its normals reversed.

    Raises:
        ValueError: If nothing is left, or nothing is taken away.
    """
    pair = _Pair(a, b)
    of_a = pair.clipped(a, b, Rule(inside=False, same=False, opposite=True))
    of_b = pair.clipped(b, a, Rule(inside=True, same=False, opposite=False))
    if not of_a and not of_b:
        raise pair.misplaced("leave nothing: the second covers the first")
    if not of_b and pair.is_whole(a, of_a):
        raise pair.misplaced("do not overlap, so nothing would be taken away")
    return Combined(a, b, "-", of_a + [piece.flipped() for piece in of_b])


class _Pair:
    """Two shapes about to be combined."""

    def __init__(self, a: Shape, b: Shape) -> None:
        if not isinstance(b, Shape):
            raise ValueError(
                f"Only shapes can be combined with shapes, got {b!r}. Give for example a Disk."
            )
        for shape in (a, b):
            if not shape.can_be_combined:
                raise ValueError(
                    f"{shape.title()} cannot be combined by |, & or -: a mesh is taken as it is. "
                    f"Do it in the mesher, or build the shape from primitives."
                )
        if a.dim != b.dim:
            raise ValueError(
                f"Shapes must have the same dimension to be combined, got {a.title()} with "
                f"{a.dim} and {b.title()} with {b.dim}. Use shapes of one dimension."
            )
        self._a, self._b = a, b

    @cached_property
    def _size(self) -> float:
        # The smaller one: a small hole in a large plate must keep its own accuracy.
        return min(self._a.size, self._b.size)

    def clipped(self, shape: Shape, other: Shape, rule: Rule) -> list[Piece]:
        """Return what a rule leaves of the boundary of one shape with respect to the other."""
        clip = Clip(other, rule, self._size)
        return [kept for piece in shape.pieces for kept in piece.cut(clip)]

    def is_whole(self, shape: Shape, pieces: Sequence[Piece]) -> bool:
        """Tell whether the pieces are still the whole boundary of a shape."""
        whole = sum(piece.measure for piece in shape.pieces)
        return sum(piece.measure for piece in pieces) >= (1.0 - 1e-9) * whole

    def misplaced(self, what: str) -> ValueError:
        """Return the error for shapes that cannot be combined where they are."""
        a, b = self._a, self._b
        return ValueError(
            f"{a.title()} {a._extent_text()} and {b.title()} {b._extent_text()} {what}. "
            f"Check the placement and the units of both."
        )


def _title(a: Shape, b: Shape, symbol: str) -> str:
    return f"({a.title()} {symbol} {b.title()})"
