"""Polynomials of degree two at most that vanish on a piece of a boundary: planes, ellipses, spheres, cylinders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pinnsolve.geometry.arcs import Arc
from pinnsolve.geometry.boundary import Piece
from pinnsolve.geometry.checks import Array
from pinnsolve.geometry.patches import CylinderSide, SphereSurface
from pinnsolve.geometry.trimmed import TrimmedPatch


@dataclass(frozen=True)
class Quadric:
    """The function ``q(x) = constant + linear.x + x.quadratic.x``.

    Attributes:
        constant: A number.
        linear: Vector (D,).
        quadratic: Symmetric matrix (D, D); all zeros for a plane.
    """

    constant: float
    linear: tuple[float, ...]
    quadratic: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, constant: float, linear: Array, quadratic: Array) -> Quadric:
        """Return the quadric with coefficients from arrays (D,) and (D, D)."""
        rows = tuple(tuple(float(value) for value in row) for row in quadratic)
        return cls(float(constant), tuple(float(value) for value in linear), rows)

    @property
    def plane_axis(self) -> int | None:
        """The axis that a plane is perpendicular to, or None if there is none."""
        used = [axis for axis, value in enumerate(self.linear) if value != 0.0]
        return used[0] if len(used) == 1 and not np.any(self.quadratic) else None

    def values(self, points: Array) -> Array:
        """Return q (N,) at points (N, D)."""
        quadratic = np.einsum("ni,ij,nj->n", points, np.asarray(self.quadratic), points)
        result: Array = self.constant + points @ np.asarray(self.linear) + quadratic
        return result

    def gradient(self, points: Array) -> Array:
        """Return the gradient of q (N, D) at points (N, D)."""
        result: Array = np.asarray(self.linear) + 2.0 * points @ np.asarray(self.quadratic)
        return result

    def times(self, factor: float) -> Quadric:
        """Return the function multiplied by a number."""
        return Quadric.of(
            factor * self.constant,
            factor * np.asarray(self.linear),
            factor * np.asarray(self.quadratic),
        )

    def in_units(self, center: Array, half_lengths: Array) -> Quadric:
        """Return the function of u, where ``x = center + half_lengths u``.

        Args:
            center: Shape (D,).
            half_lengths: Shape (D,).
        """
        slope = np.asarray(self.linear) + 2.0 * np.asarray(self.quadratic) @ center
        return Quadric.of(
            float(self.values(center[None])[0]),
            half_lengths * slope,
            half_lengths[:, None] * np.asarray(self.quadratic) * half_lengths,
        )


def vanishing_quadric(piece: Piece) -> Quadric | None:
    """Return a quadric that vanishes on a piece with nonzero slope there, or None if the piece lies on none."""
    if isinstance(piece, TrimmedPatch):
        return vanishing_quadric(piece.patch)
    if isinstance(piece, Arc):
        inverse = piece.axes / np.sum(piece.axes**2, axis=1)[:, None]
        return _round(piece.center, inverse.T @ inverse)
    if isinstance(piece, SphereSurface):
        return _round(piece.center, np.eye(3) / piece.radius**2)
    if isinstance(piece, CylinderSide):
        across = piece.frame[:2] / piece.radius
        return _round(piece.base, across.T @ across)
    return _plane(piece)


def _round(center: Array, matrix: Array) -> Quadric:
    """Return ``1 - (x - c).M.(x - c)``."""
    return Quadric.of(1.0 - float(center @ matrix @ center), 2.0 * matrix @ center, -matrix)


def _plane(piece: Piece) -> Quadric | None:
    """Return ``(p - x).n`` if all of the piece lies in one plane."""
    points, normals, _ = piece.quadrature(16)
    normal, size = normals[0], 1.0 + float(np.abs(points).max())
    flat = np.abs((points - points[0]) @ normal).max() <= 1e-12 * size
    if not (flat and np.abs(normals - normal).max() <= 1e-12):
        return None
    return Quadric.of(float(points[0] @ normal), -normal, np.zeros((len(normal), len(normal))))
