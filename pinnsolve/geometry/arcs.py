"""Elliptic arcs, the curved pieces of plane boundaries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from math import atan2, cos, hypot, pi, sin
from typing import Self

import numpy as np

from pinnsolve.geometry.checks import Array
from pinnsolve.geometry.curves import Curve
from pinnsolve.geometry.gauss import gauss_legendre

_NUM_TRIALS = 64
_NUM_BISECTIONS = 50


@dataclass(frozen=True, eq=False)
class Arc(Curve):
    """The elliptic arc x = center + p cos(angle) + q sin(angle).

    Attributes:
        center: Center in m, (2,).
        axes: The perpendicular semi-axis vectors p and q as rows, in m, (2, 2), right-handed.
        first: Angle of the start in rad.
        last: Angle of the end in rad; below ``first`` for a clockwise arc.
    """

    center: Array
    axes: Array
    first: float
    last: float

    @property
    def _sweep(self) -> float:
        return self.last - self.first

    @property
    def is_closed(self) -> bool:
        """Tell whether the arc is a whole ellipse."""
        return abs(self._sweep) == 2.0 * pi

    @property
    def _is_circular(self) -> bool:
        return bool(np.linalg.norm(self.axes[0]) == np.linalg.norm(self.axes[1]))

    @property
    def top_speed(self) -> float:
        """Return the sweep times the longer semi-axis, in m."""
        return abs(self._sweep) * float(np.max(np.linalg.norm(self.axes, axis=1)))

    @cached_property
    def measure(self) -> float:
        """Return the length in m."""
        if self._is_circular:
            return self.top_speed
        return float(self._lengths[-1])

    @cached_property
    def _lengths(self) -> Array:
        """Lengths (K + 1,) reached at K + 1 equidistant parameters, by Gauss quadrature."""
        num_panels, total = 16, 0.0
        while True:
            panels = self._panel_lengths(np.arange(num_panels) / num_panels, 1.0 / num_panels)
            if abs(panels.sum() - total) <= 1e-14 * total or num_panels >= 4096:
                return np.concatenate([[0.0], np.cumsum(panels)])
            num_panels, total = 2 * num_panels, float(panels.sum())

    def _panel_lengths(self, start: Array, width: Array | float) -> Array:
        """Integrate the speed from ``start`` (N,) over ``width``."""
        nodes, weights = gauss_legendre(16)
        widths = np.broadcast_to(width, start.shape)
        t = start[:, None] + widths[:, None] * nodes
        speed = np.linalg.norm(self.velocity(t.ravel()), axis=1).reshape(t.shape)
        lengths: Array = widths * (speed @ weights)
        return lengths

    def _angle(self, t: Array) -> Array:
        return (1.0 - t) * self.first + t * self.last

    def at(self, t: Array) -> Array:
        """Return the positions (N, 2) at the parameters (N,)."""
        angle = self._angle(t)
        return self.center + np.stack([np.cos(angle), np.sin(angle)], axis=1) @ self.axes

    def velocity(self, t: Array) -> Array:
        """Return dx/dt (N, 2) in m."""
        angle = self._angle(t)
        return self._sweep * (np.stack([-np.sin(angle), np.cos(angle)], axis=1) @ self.axes)

    def parameter(self, fraction: Array) -> Array:
        """Return the parameters at fractions of the length: a table, then Newton's method."""
        if self._is_circular:
            return fraction
        num_panels = len(self._lengths) - 1
        target = fraction * self.measure
        panel = np.clip(np.searchsorted(self._lengths, target) - 1, 0, num_panels - 1)
        start = panel / num_panels
        t = np.interp(target, self._lengths, np.linspace(0.0, 1.0, num_panels + 1))
        for _ in range(6):
            reached = self._lengths[panel] + self._panel_lengths(start, t - start)
            t = t - (reached - target) / np.linalg.norm(self.velocity(t), axis=1)
        return np.clip(t, 0.0, 1.0)

    def restricted(self, start: float, stop: float) -> Self:
        """Return the stretch between two parameters."""
        first, last = self._angle(np.array([start, stop]))
        return replace(self, first=float(first), last=float(last))

    def flipped(self) -> Self:
        """Return the arc run the other way."""
        return replace(self, first=self.last, last=self.first)

    def project(self, points: Array) -> Array:
        """Return the parameters (N,) of the nearest points.

        Around the best of a set of trial points the root of d|x - p|^2/dt is bisected.
        """
        trial = np.linspace(0.0, 1.0, _NUM_TRIALS + 1)
        distance = np.linalg.norm(points[:, None] - self.at(trial), axis=2)
        best: Array = trial[np.argmin(distance, axis=1)]
        low, high = best - 1.0 / _NUM_TRIALS, best + 1.0 / _NUM_TRIALS
        if not self.is_closed:
            low, high = np.maximum(low, 0.0), np.minimum(high, 1.0)
        for _ in range(_NUM_BISECTIONS):
            middle = 0.5 * (low + high)
            away, velocity = self.at(middle) - points, self.velocity(middle)
            falls = np.einsum("nd,nd->n", away, velocity) < 0.0
            low, high = np.where(falls, middle, low), np.where(falls, high, middle)
        t: Array = 0.5 * (low + high)
        return t % 1.0 if self.is_closed else t

    def outline(self) -> list[Array]:
        """Return a polyline with a vertex every 3 degrees or so, (K, 2)."""
        return [self.at(np.linspace(0.0, 1.0, 2 + int(abs(self._sweep) / (pi / 60.0))))]

    @property
    def _phase(self) -> float:
        """Angle at which the first coordinate is greatest."""
        return atan2(self.axes[1, 0], self.axes[0, 0])

    def monotone(self) -> list[Curve]:
        """Return the stretches between the extremes of the first coordinate."""
        low, high = sorted((self.first, self.last))
        first_turn = np.ceil((low - self._phase) / pi)
        last_turn = np.floor((high - self._phase) / pi)
        turns = self._phase + pi * np.arange(first_turn, last_turn + 1)
        stops = [low, *(turn for turn in turns if low + 1e-12 < turn < high - 1e-12), high]
        return [replace(self, first=a, last=b) for a, b in pairwise(stops)]

    def height(self, x: Array) -> Array:
        """Return the second coordinate (N,) at ``x`` (N,)."""
        reach = hypot(self.axes[0, 0], self.axes[1, 0])
        side = 1.0 if sin(0.5 * (self.first + self.last) - self._phase) >= 0.0 else -1.0
        angle = self._phase + side * np.arccos(np.clip((x - self.center[0]) / reach, -1.0, 1.0))
        y: Array = (
            self.center[1] + self.axes[0, 1] * np.cos(angle) + self.axes[1, 1] * np.sin(angle)
        )
        return y


def full_ellipse(
    center: tuple[float, ...], semi_axes: tuple[float, float], angle: float, part: str
) -> Arc:
    """Return the whole ellipse, run anticlockwise.

    Args:
        center: Center in m, (2,).
        semi_axes: The two semi-axes in m.
        angle: Angle in rad from the first coordinate axis to the first semi-axis.
        part: Name of the boundary part.
    """
    a, b = semi_axes
    axes = np.array([[a * cos(angle), a * sin(angle)], [-b * sin(angle), b * cos(angle)]])
    return Arc(np.asarray(center), axes, 0.0, 2.0 * pi, part=part)
