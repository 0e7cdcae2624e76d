"""The pieces of plane boundaries: what all curves share, and line segments."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from pinnsolve.geometry.boundary import Cut, Piece
from pinnsolve.geometry.checks import Array, Mask
from pinnsolve.geometry.crossings import cut_parameters
from pinnsolve.geometry.gauss import unit_rule


@dataclass(frozen=True, eq=False)
class Curve(Piece):
    """A smooth curve x(t), 0 <= t <= 1, whose outward normal is on its right."""

    @abstractmethod
    def at(self, t: Array) -> Array:
        """Return the positions (N, 2) at the parameters (N,)."""

    @abstractmethod
    def velocity(self, t: Array) -> Array:
        """Return dx/dt (N, 2) in m."""

    @abstractmethod
    def parameter(self, fraction: Array) -> Array:
        """Return the parameters (N,) at which fractions (N,) of the length are reached."""

    @abstractmethod
    def restricted(self, start: float, stop: float) -> Self:
        """Return the stretch between two parameters."""

    @abstractmethod
    def monotone(self) -> list[Curve]:
        """Return stretches along each of which the first coordinate is monotone."""

    @abstractmethod
    def height(self, x: Array) -> Array:
        """Return the second coordinate (N,) where a monotone stretch reaches ``x`` (N,)."""

    @abstractmethod
    def flipped(self) -> Self:
        """Return the curve run the other way."""

    def normals(self, t: Array) -> Array:
        """Return unit outward normals (N, 2)."""
        velocity = self.velocity(t)
        speed = np.hypot(velocity[:, 0], velocity[:, 1])
        return np.stack([velocity[:, 1] / speed, -velocity[:, 0] / speed], axis=1)

    @abstractmethod
    def project(self, points: Array) -> Array:
        """Return the parameters (N,) of the points of the curve nearest to those given (N, 2)."""

    @property
    def is_closed(self) -> bool:
        """Tell whether the curve ends where it starts."""
        return False

    def corners(self) -> Array:
        """Return the two ends, (2, 2)."""
        return self.at(np.array([0.0, 1.0]))

    def nearest(self, points: Array) -> tuple[Array, Array]:
        """Return the distance (N,) and the normal (N, 2) at the nearest point."""
        t = self.project(points)
        return np.linalg.norm(points - self.at(t), axis=1), self.normals(t)

    def place(self, unit: Array) -> tuple[Array, Array, Mask]:
        """Place points at fractions ``unit[:, 0]`` of the length."""
        t = self.parameter(unit[:, 0])
        return self.at(t), self.normals(t), np.ones(len(t), dtype=bool)

    def quadrature(self, num_points: int) -> tuple[Array, Array, Array]:
        """Return a Gauss-Legendre rule, or a trapezoidal one on a closed curve.

        There are as many nodes as it takes to integrate the length to 1e-8 of itself.
        """
        while True:
            t, t_weights = unit_rule(num_points, periodic=self.is_closed)
            weights = t_weights * np.linalg.norm(self.velocity(t), axis=1)
            excess = weights.sum() / self.measure
            if abs(excess - 1.0) <= 1e-8 or num_points >= _MAX_NODES:
                return self.at(t), self.normals(t), weights / excess
            num_points *= 2

    def flux(self, origin: Array) -> float:
        """Return the integral of (x - origin).n over the curve in m^2, exact to rounding."""
        nodes, weights = unit_rule(32)
        offset, velocity = self.at(nodes) - origin, self.velocity(nodes)
        return float(weights @ (offset[:, 0] * velocity[:, 1] - offset[:, 1] * velocity[:, 0]))

    def cut(self, condition: Cut) -> list[Piece]:
        """Return the stretches kept, with ends found to rounding."""
        breaks = cut_parameters(
            lambda line, t: condition.level(self.at(t)),
            np.array([self.top_speed]),
            condition.tolerance,
        )[1]
        breaks = self._snapped(breaks, condition)
        middles = 0.5 * (breaks[:-1] + breaks[1:])
        keep = condition.keeps(self.at(middles), self.normals(middles))
        return list(self._stretches(breaks, keep))

    @property
    @abstractmethod
    def top_speed(self) -> float:
        """Return an upper bound of |dx/dt| in m."""

    def _snapped(self, breaks: Array, condition: Cut) -> Array:
        """Move breaks onto corners of the other boundary that they were meant for.

        Where the boundaries touch before they part, bisection finds half the digits only.
        """
        corners = condition.corners()
        if not corners.size:
            return breaks
        t = self.project(corners)
        t = t[np.linalg.norm(self.at(t) - corners, axis=1) <= 4.0 * condition.tolerance]
        targets = np.concatenate([[0.0, 1.0], t])
        nearest = targets[np.argmin(np.abs(breaks[:, None] - targets), axis=1)]
        return np.unique(np.where(np.abs(nearest - breaks) <= _SNAP, nearest, breaks))

    def _stretches(self, breaks: Array, keep: Mask) -> list[Self]:
        changes = np.flatnonzero(np.diff(np.concatenate([[False], keep, [False]]).astype(int)))
        spans = [(breaks[a], breaks[b]) for a, b in changes.reshape(-1, 2)]
        if spans == [(0.0, 1.0)]:
            return [self]
        return [self.restricted(a, b) for a, b in spans if b - a > _SLIVER]


_SLIVER = 1e-9
_SNAP = 1e-7
_MAX_NODES = 4096


@dataclass(frozen=True, eq=False)
class Segment(Curve):
    """The straight line from ``start`` to ``stop``, both (2,) in m."""

    start: Array
    stop: Array

    @cached_property
    def measure(self) -> float:
        """Return the length in m."""
        return float(np.linalg.norm(self.stop - self.start))

    @property
    def top_speed(self) -> float:
        """Return the length in m."""
        return self.measure

    def at(self, t: Array) -> Array:
        """Return the positions (N, 2); both ends are reproduced exactly."""
        return (1.0 - t)[:, None] * self.start + t[:, None] * self.stop

    def velocity(self, t: Array) -> Array:
        """Return the vector between the ends for every parameter, (N, 2)."""
        return np.broadcast_to(self.stop - self.start, (len(t), 2))

    def parameter(self, fraction: Array) -> Array:
        """Return the fractions themselves."""
        return fraction

    def restricted(self, start: float, stop: float) -> Self:
        """Return the stretch between two parameters."""
        ends = self.at(np.array([start, stop]))
        return replace(self, start=ends[0], stop=ends[1])

    def flipped(self) -> Self:
        """Return the segment run the other way."""
        return replace(self, start=self.stop, stop=self.start)

    def project(self, points: Array) -> Array:
        """Return the parameters (N,) of the nearest points."""
        along = self.stop - self.start
        t: Array = np.clip((points - self.start) @ along / (along @ along), 0.0, 1.0)
        return t

    def outline(self) -> list[Array]:
        """Return the two ends, (2, 2)."""
        return [np.stack([self.start, self.stop])]

    def monotone(self) -> list[Curve]:
        """Return the segment, or nothing if it is vertical."""
        return [self] if self.start[0] != self.stop[0] else []

    def height(self, x: Array) -> Array:
        """Return the second coordinate (N,) at ``x`` (N,)."""
        t = (x - self.start[0]) / (self.stop[0] - self.start[0])
        y: Array = self.start[1] + t * (self.stop[1] - self.start[1])
        return y


def closed_polygon(vertices: Array, sides: tuple[str, ...]) -> tuple[Segment, ...]:
    """Return the sides of a polygon with vertices (K, 2) given anticlockwise."""
    ends = np.roll(vertices, -1, axis=0)
    return tuple(Segment(a, b, part=name) for a, b, name in zip(vertices, ends, sides, strict=True))
