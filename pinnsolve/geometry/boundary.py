"""The boundary of a shape: a list of named pieces, each with a chart that preserves measure.

A piece can place points uniformly, integrate over itself, find its nearest point and be cut.
Everything a shape says about its boundary follows from its pieces, whatever the dimension.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from pinnsolve.geometry.checks import Array, Mask, read_only
from pinnsolve.geometry.sobol import accepted_points


@dataclass(frozen=True, eq=False)
class BoundaryPoints:
    """Points on a boundary and the unit normals that point out of the shape.

    Attributes:
        points: Positions in m, (N, D), read-only.
        normals: Unit outward normals, (N, D), read-only.
    """

    points: Array
    normals: Array

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        object.__setattr__(self, "points", read_only(self.points))
        object.__setattr__(self, "normals", read_only(self.normals))
        if self.points.ndim != 2 or self.points.shape != self.normals.shape:
            raise ValueError(
                f"Points and normals must both be (N, D), got {self.points.shape} and "
                f"{self.normals.shape}. Give one normal per point."
            )

    def __len__(self) -> int:
        """Return the number of points N."""
        return len(self.points)


class Cut(ABC):
    """A condition that keeps some of the points of a piece."""

    @abstractmethod
    def level(self, points: Array) -> Array:
        """Return a value (N,) whose zeros on a piece are where keeping may change.

        It changes by at most the distance moved, as a signed distance does, except where it jumps
        from one side of zero to the other.
        """

    @abstractmethod
    def keeps(self, points: Array, normals: Array) -> Mask:
        """Return which points (N,) are kept."""

    @property
    @abstractmethod
    def tolerance(self) -> float:
        """Return the absolute value of the level below which a point lies on the zero set."""

    def corners(self) -> Array:
        """Return points (K, D) of the zero set at which crossings are known exactly."""
        return np.empty((0, 0))


@dataclass(frozen=True, eq=False)
class Piece(ABC):
    """One smooth piece of a boundary, of dimension D - 1.

    Attributes:
        part: Name of the boundary part that the piece belongs to.
    """

    part: str = field(kw_only=True)

    @property
    @abstractmethod
    def measure(self) -> float:
        """Return 1 for a point, the length of a curve in m, the area of a surface in m^2."""

    @property
    def envelope(self) -> float:
        """Return the measure of everything :meth:`place` may propose, kept or not."""
        return self.measure

    @abstractmethod
    def place(self, unit: Array) -> tuple[Array, Array, Mask]:
        """Map points of the unit cube onto the piece so that those kept are uniform by measure.

        Args:
            unit: Points in the unit cube, (N, D).

        Returns:
            Positions (N, D), unit outward normals (N, D), and which of them are kept (N,).
        """

    @abstractmethod
    def quadrature(self, num_points: int) -> tuple[Array, Array, Array]:
        """Return positions (N, D), normals (N, D) and weights (N,) that sum to the measure."""

    def flux(self, origin: Array) -> float:
        """Return the integral of (x - origin).n over the piece, in m^D.

        By the divergence theorem these add up to D times the measure of the region enclosed.
        """
        points, normals, weights = self.quadrature(_FINE)
        return float(np.einsum("nd,nd,n->", points - origin, normals, weights))

    @abstractmethod
    def nearest(self, points: Array) -> tuple[Array, Array]:
        """Return the distance (N,) in m to the piece and the outward normal (N, D) there.

        The distance is infinite where the nearest point of the uncut surface was cut away.
        """

    @abstractmethod
    def outline(self) -> list[Array]:
        """Return polylines (K, D) that draw the piece."""

    @abstractmethod
    def flipped(self) -> Self:
        """Return the piece with its normals reversed."""

    @abstractmethod
    def cut(self, condition: Cut) -> list[Piece]:
        """Return what the condition keeps, as no, one or several pieces."""

    def named(self, part: str) -> Self:
        """Return the piece as one of the part ``part``."""
        return replace(self, part=part)

    def corners(self) -> Array:
        """Return the points (K, D) at which the piece ends, where known exactly."""
        return np.empty((0, 0))


def sample_pieces(
    pieces: Sequence[Piece], dim: int, num_points: int, *, seed: int
) -> BoundaryPoints:
    """Return quasi-random points that are uniform by measure over the union of pieces."""
    edges = np.concatenate([[0.0], np.cumsum([piece.envelope for piece in pieces])])

    def propose(unit: Array) -> tuple[Array, Mask]:
        travelled = unit[:, 0] * edges[-1]
        owner = np.clip(np.searchsorted(edges, travelled, side="right") - 1, 0, len(pieces) - 1)
        rows = np.empty((len(unit), 2 * dim))
        keep = np.zeros(len(unit), dtype=bool)
        for index, piece in enumerate(pieces):
            mine = owner == index
            local = unit[mine]
            local[:, 0] = (travelled[mine] - edges[index]) / (edges[index + 1] - edges[index])
            rows[mine, :dim], rows[mine, dim:], keep[mine] = piece.place(local)
        return rows, keep

    # One coordinate more than the piece has: curved facets need it to accept or reject.
    rows = accepted_points(propose, num_points, dim, seed=seed)
    return BoundaryPoints(rows[:, :dim], rows[:, dim:])


def integrate_pieces(pieces: Sequence[Piece], num_points: int) -> tuple[Array, Array, Array]:
    """Return positions, normals and weights of a rule over the union of pieces.

    The points are shared out by measure, at least two to a piece.
    """
    total = sum(piece.measure for piece in pieces)
    rules = [
        piece.quadrature(max(2, round(num_points * piece.measure / total))) for piece in pieces
    ]
    points, normals, weights = (np.concatenate(column) for column in zip(*rules, strict=True))
    return points, normals, weights


def nearest_of_pieces(pieces: Sequence[Piece], points: Array) -> tuple[Array, Array]:
    """Return the distance (N,) to the nearest of several pieces and the normal (N, D) there."""
    distance, normals = pieces[0].nearest(points)
    for piece in pieces[1:]:
        other, other_normals = piece.nearest(points)
        closer = other < distance
        distance = np.where(closer, other, distance)
        normals = np.where(closer[:, None], other_normals, normals)
    return distance, normals


_FINE = 1024

Predicate = Callable[[Array], Mask]
"""Tells for points (N, D) which of them are meant (N,)."""


@dataclass(frozen=True, eq=False)
class Where(Cut):
    """Keep the points that a predicate holds (or does not hold) for."""

    predicate: Predicate
    holds: bool = True

    def level(self, points: Array) -> Array:
        """Return a tiny negative value where the predicate is as wanted, else a positive one.

        Tiny, because the change of the level says nothing about the distance to the limit.
        """
        tiny = float(np.finfo(np.float64).tiny)
        return np.where(self.keeps(points, np.zeros_like(points)), -tiny, tiny)

    def keeps(self, points: Array, normals: Array) -> Mask:
        """Return which points (N,) the predicate is as wanted for.

        Raises:
            ValueError: If the predicate does not return one truth value a point.
        """
        del normals
        answer = np.asarray(self.predicate(points))
        if answer.shape != (len(points),) or answer.dtype != np.bool_:
            raise ValueError(
                f"A predicate must return {len(points)} booleans for {len(points)} points, got "
                f"shape {answer.shape} of {answer.dtype}. Write for example lambda p: p[:, 0] < 1."
            )
        return answer if self.holds else ~answer

    @property
    def tolerance(self) -> float:
        """Return 0: the level is never near zero."""
        return 0.0
