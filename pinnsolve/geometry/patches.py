"""The pieces of boundaries in space: parallelograms, discs, spheres and cylinder sides.

Each has a chart from the unit square that preserves area up to a constant factor, and whose lines
of constant first parameter have bounded speed.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import ceil, pi, sqrt
from typing import Self

import numpy as np

from pinnsolve.geometry.boundary import Cut, Piece
from pinnsolve.geometry.checks import Array, Mask
from pinnsolve.geometry.gauss import tensor_rule, unit_rule


@dataclass(frozen=True, eq=False)
class Patch(Piece):
    """A smooth surface x(s, t), 0 <= s, t <= 1, with an area element that is constant.

    Attributes:
        sign: +1 or -1, the factor of the normals.
    """

    sign: float = field(default=1.0, kw_only=True)

    @property
    @abstractmethod
    def is_round(self) -> bool:
        """Tell whether the chart is periodic in t."""

    @property
    @abstractmethod
    def top_speed(self) -> float:
        """Return an upper bound of |dx/dt| in m."""

    @abstractmethod
    def chart(self, s: Array, t: Array) -> tuple[Array, Array]:
        """Return positions (N, 3) and unit normals (N, 3), the latter before ``sign``."""

    def place(self, unit: Array) -> tuple[Array, Array, Mask]:
        """Place points by the chart."""
        points, normals = self.chart(unit[:, 0], unit[:, 1])
        return points, self.sign * normals, np.ones(len(unit), dtype=bool)

    def quadrature(self, num_points: int) -> tuple[Array, Array, Array]:
        """Return a product of Gauss-Legendre rules, trapezoidal around the axis."""
        # Around a circle the trapezoidal rule needs twice the nodes per turn.
        across = max(2, ceil(sqrt(num_points / 2.0 if self.is_round else num_points)))
        along = max(4, 2 * across) if self.is_round else across
        nodes, weights = tensor_rule(unit_rule(across), unit_rule(along, periodic=self.is_round))
        points, normals, _ = self.place(nodes)
        return points, normals, self.measure * weights

    def flipped(self) -> Self:
        """Return the patch with its normals reversed."""
        return replace(self, sign=-self.sign)

    def cut(self, condition: Cut) -> list[Piece]:
        """Return what the condition keeps, as one piece at most."""
        from pinnsolve.geometry.trimmed import trimmed

        return trimmed(self, (condition,))

    def outline(self) -> list[Array]:
        """Return lines of constant parameters, (K, 3) each."""
        steps = np.linspace(0.0, 1.0, 49)
        lines = [self.chart(np.full_like(steps, s), steps)[0] for s in (0.0, 0.5, 1.0)]
        return lines + [
            self.chart(steps, np.full_like(steps, t))[0] for t in (0.0, 0.25, 0.5, 0.75, 1.0)
        ]


@dataclass(frozen=True, eq=False)
class Parallelogram(Patch):
    """The plane patch corner + s first + t second, with the normal along first x second."""

    corner: Array
    first: Array
    second: Array

    @property
    def is_round(self) -> bool:
        """Return False."""
        return False

    @cached_property
    def measure(self) -> float:
        """Return the area in m^2."""
        return float(np.linalg.norm(np.cross(self.first, self.second)))

    @property
    def top_speed(self) -> float:
        """Return the length of the second edge in m."""
        return float(np.linalg.norm(self.second))

    @property
    def _normal(self) -> Array:
        normal: Array = np.cross(self.first, self.second) / self.measure
        return normal

    def chart(self, s: Array, t: Array) -> tuple[Array, Array]:
        """Return positions (N, 3) and unit normals (N, 3)."""
        points = self.corner + s[:, None] * self.first + t[:, None] * self.second
        return points, np.broadcast_to(self._normal, points.shape)

    def nearest(self, points: Array) -> tuple[Array, Array]:
        """Return the distance (N,), exact for rectangles, and the normal (N, 3)."""
        frame = np.linalg.pinv(np.stack([self.first, self.second], axis=1))
        s, t = np.clip((points - self.corner) @ frame.T, 0.0, 1.0).T
        feet, normals = self.chart(s, t)
        return np.linalg.norm(points - feet, axis=1), self.sign * normals


@dataclass(frozen=True, eq=False)
class Disc(Patch):
    """A plane disc with the normal along the last row of its frame.

    Attributes:
        center: Center in m, (3,).
        frame: Right-handed orthonormal vectors as rows, (3, 3).
        radius: Radius in m.
    """

    center: Array
    frame: Array
    radius: float

    @property
    def is_round(self) -> bool:
        """Return True."""
        return True

    @property
    def measure(self) -> float:
        """Return the area in m^2."""
        return pi * self.radius**2

    @property
    def top_speed(self) -> float:
        """Return the circumference in m."""
        return 2.0 * pi * self.radius

    def chart(self, s: Array, t: Array) -> tuple[Array, Array]:
        """Return positions (N, 3) and unit normals (N, 3); s is the squared relative radius."""
        flat = self.radius * np.sqrt(s)[:, None] * _circle(t)
        points = self.center + flat @ self.frame[:2]
        return points, np.broadcast_to(self.frame[2], points.shape)

    def nearest(self, points: Array) -> tuple[Array, Array]:
        """Return the distance (N,) and the normal (N, 3)."""
        local = (points - self.center) @ self.frame.T
        beyond = np.maximum(np.hypot(local[:, 0], local[:, 1]) - self.radius, 0.0)
        normals = np.broadcast_to(self.sign * self.frame[2], points.shape)
        return np.hypot(beyond, local[:, 2]), normals


@dataclass(frozen=True, eq=False)
class SphereSurface(Patch):
    """A whole sphere; s runs along the axis 2 (Archimedes' equal-area map), t around it.

    Attributes:
        center: Center in m, (3,).
        radius: Radius in m.
    """

    center: Array
    radius: float

    @property
    def is_round(self) -> bool:
        """Return True."""
        return True

    @property
    def measure(self) -> float:
        """Return the area in m^2."""
        return 4.0 * pi * self.radius**2

    @property
    def top_speed(self) -> float:
        """Return the circumference in m."""
        return 2.0 * pi * self.radius

    def chart(self, s: Array, t: Array) -> tuple[Array, Array]:
        """Return positions (N, 3) and unit normals (N, 3)."""
        height = 2.0 * s - 1.0
        flat = 2.0 * np.sqrt(np.maximum(s * (1.0 - s), 0.0))[:, None] * _circle(t)
        normals = np.concatenate([flat, height[:, None]], axis=1)
        return self.center + self.radius * normals, normals

    def nearest(self, points: Array) -> tuple[Array, Array]:
        """Return the distance (N,) and the normal (N, 3)."""
        offset = points - self.center
        reach = np.linalg.norm(offset, axis=1)
        safe = np.where(reach > 0.0, reach, 1.0)[:, None]
        return np.abs(reach - self.radius), self.sign * offset / safe


@dataclass(frozen=True, eq=False)
class CylinderSide(Patch):
    """The curved side of a circular cylinder; s runs along the axis, t around it.

    Attributes:
        base: Center of the base in m, (3,).
        frame: Right-handed orthonormal vectors as rows, the last one along the axis, (3, 3).
        radius: Radius in m.
        height: Length along the axis in m.
    """

    base: Array
    frame: Array
    radius: float
    height: float

    @property
    def is_round(self) -> bool:
        """Return True."""
        return True

    @property
    def measure(self) -> float:
        """Return the area in m^2."""
        return 2.0 * pi * self.radius * self.height

    @property
    def top_speed(self) -> float:
        """Return the circumference in m."""
        return 2.0 * pi * self.radius

    def chart(self, s: Array, t: Array) -> tuple[Array, Array]:
        """Return positions (N, 3) and unit normals (N, 3)."""
        normals = _circle(t) @ self.frame[:2]
        along = self.height * s[:, None] * self.frame[2]
        return self.base + self.radius * normals + along, normals

    def nearest(self, points: Array) -> tuple[Array, Array]:
        """Return the distance (N,) and the normal (N, 3)."""
        local = (points - self.base) @ self.frame.T
        reach = np.hypot(local[:, 0], local[:, 1])
        beyond = local[:, 2] - np.clip(local[:, 2], 0.0, self.height)
        safe = np.where(reach > 0.0, reach, 1.0)[:, None]
        normals = self.sign * (local[:, :2] / safe) @ self.frame[:2]
        return np.hypot(reach - self.radius, beyond), normals


def _circle(t: Array) -> Array:
    """Return the points (N, 2) of the unit circle after ``t`` (N,) turns."""
    angle = 2.0 * pi * t
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)
