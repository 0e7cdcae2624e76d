"""Patches of which only a part is left: what conditions keep of them.

Area and integrals follow from slicing. On each line of constant s the kept stretches of t are found
to rounding; over s an adaptive Gauss rule halves its panels until area, normals and flux settle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import Self

import numpy as np

from pinnsolve.geometry.boundary import Cut, Piece
from pinnsolve.geometry.checks import Array, Mask
from pinnsolve.geometry.crossings import LevelOnLines, Lines, cut_parameters
from pinnsolve.geometry.gauss import Rule, gauss_legendre
from pinnsolve.geometry.patches import Patch

_SLIVER = 1e-9
_FINE_TOLERANCE = 1e-9
_RULE_TOLERANCE = 1e-4
_LINES_PER_PANEL = 6
_POINTS_PER_STRETCH = 24
_NARROWEST_PANEL = 1e-10


@dataclass(frozen=True, eq=False)
class TrimmedPatch(Piece):
    """The part of a patch that all of several conditions keep.

    Attributes:
        patch: The whole surface.
        conditions: What is kept of it.
    """

    patch: Patch
    conditions: tuple[Cut, ...]

    @cached_property
    def measure(self) -> float:
        """Return the area in m^2, to about 1e-8 of the area of the whole patch."""
        return self.patch.measure * self._kept_fraction

    @property
    def envelope(self) -> float:
        """Return the area of the whole patch in m^2."""
        return self.patch.measure

    def place(self, unit: Array) -> tuple[Array, Array, Mask]:
        """Place points on the whole patch and say which are kept."""
        points, normals, keep = self.patch.place(unit)
        return points, normals, keep & self._keeps(points, normals)

    def quadrature(self, num_points: int) -> tuple[Array, Array, Array]:
        """Return Gauss-Legendre rules along the kept stretches of lines across the patch."""
        s, s_weights = self._lines(_RULE_TOLERANCE)
        per_stretch = max(2, ceil(num_points / len(s)))
        points, normals, weights, _ = self._integrate(s, s_weights, per_stretch)
        return points, normals, weights * (self.measure / weights.sum())

    def flux(self, origin: Array) -> float:
        """Return the integral of (x - origin).n over the piece in m^3, on the finest lines."""
        points, normals, weights, _ = self._integrate(*self._fine_lines, _POINTS_PER_STRETCH)
        return float(np.einsum("nd,nd,n->", points - origin, normals, weights))

    def nearest(self, points: Array) -> tuple[Array, Array]:
        """Return the distance (N,), infinite off the kept part, and the normal (N, 3)."""
        distance, normals = self.patch.nearest(points)
        return np.where(self._keeps(points, normals), distance, np.inf), normals

    def outline(self) -> list[Array]:
        """Return the kept stretches of the lines that draw the whole patch."""
        result: list[Array] = []
        for line in self.patch.outline():
            normals = self.patch.nearest(line)[1]
            changes = np.flatnonzero(np.diff(self._keeps(line, normals).astype(int))) + 1
            for stretch in np.split(np.arange(len(line)), changes):
                if len(stretch) > 1 and self._keeps(line[stretch[:1]], normals[stretch[:1]])[0]:
                    result.append(line[stretch])
        return result

    def flipped(self) -> Self:
        """Return the piece with its normals reversed; what is kept stays."""
        return replace(self, patch=self.patch.flipped(), conditions=tuple(
            Reversed(condition) for condition in self.conditions))  # fmt: skip

    def cut(self, condition: Cut) -> list[Piece]:
        """Return what one more condition keeps, as one piece at most."""
        return trimmed(self.patch, (*self.conditions, condition), part=self.part)

    def _keeps(self, points: Array, normals: Array) -> Mask:
        keep = np.ones(len(points), dtype=bool)
        for condition in self.conditions:
            keep &= condition.keeps(points, normals)
        return keep

    @cached_property
    def _origin(self) -> Array:
        corners = np.array([[0.0, 0.0], [1.0, 0.5]])
        origin: Array = self.patch.place(corners)[0].mean(axis=0)
        return origin

    @cached_property
    def _reach(self) -> float:
        return float(np.sqrt(self.patch.measure))

    @cached_property
    def _fine_lines(self) -> Rule:
        return self._lines(_FINE_TOLERANCE)

    @cached_property
    def _kept_fraction(self) -> float:
        s, weights = self._fine_lines
        return float(self._kept_lengths(s) @ weights)

    def _lines(self, tolerance: float) -> Rule:
        """Return s and weights (K,) of an adaptive rule for the kept fraction of the t-lines."""
        nodes, weights = gauss_legendre(_LINES_PER_PANEL)
        starts, width = np.arange(4) / 4.0, 0.25
        coarse = self._panel_sums(starts, width)
        done: list[Rule] = []
        while len(starts):
            halves = np.concatenate([starts, starts + 0.5 * width])
            fine = self._panel_sums(halves, 0.5 * width)
            change = np.max(np.abs(fine[: len(starts)] + fine[len(starts) :] - coarse), axis=1)
            settled = (change <= tolerance) | (width < max(_NARROWEST_PANEL, tolerance**1.5))
            rest = np.tile(settled, 2)
            s = halves[rest, None] + 0.5 * width * nodes
            done.append((s.ravel(), np.tile(0.5 * width * weights, len(s))))
            starts, coarse, width = halves[~rest], fine[~rest], 0.5 * width
        s, s_weights = (np.concatenate(column) for column in zip(*done, strict=True))
        return s, s_weights

    def _panel_sums(self, starts: Array, width: float) -> Array:
        """Integrate 1, the normal and x.n over panels of s: (K, 5), relative to the patch."""
        nodes, weights = gauss_legendre(_LINES_PER_PANEL)
        s = (starts[:, None] + width * nodes).ravel()
        panel = np.repeat(np.arange(len(starts)), _LINES_PER_PANEL)
        points, normals, area, line = self._integrate(
            s, width * np.tile(weights, len(starts)), _POINTS_PER_STRETCH
        )
        arm = points - self._origin
        flux = np.einsum("nd,nd->n", arm, normals) / self._reach
        moments = area[:, None] * np.column_stack([np.ones(len(area)), normals, flux])
        sums = np.zeros((len(starts), moments.shape[1]))
        np.add.at(sums, panel[line], moments / self.patch.measure)
        return sums

    def _kept_lengths(self, s: Array) -> Array:
        line, low, high = self._stretches(s)
        lengths: Array = np.bincount(line, weights=high - low, minlength=len(s)).astype(np.float64)
        return lengths

    def _stretches(self, s: Array) -> tuple[Lines, Array, Array]:
        """Return the kept stretches on the t-lines at ``s`` (K,): line numbers, starts and ends."""
        speeds = np.full(len(s), self.patch.top_speed)
        found = [
            cut_parameters(
                self._level_on_lines(condition, s), speeds, condition.tolerance, num_halvings=5
            )
            for condition in self.conditions
        ]
        line, t = (np.concatenate(column) for column in zip(*found, strict=True))
        order = np.lexsort((t, line))
        line, t = line[order], t[order]
        span = (line[1:] == line[:-1]) & (t[1:] - t[:-1] > _SLIVER)
        line, low, high = line[:-1][span], t[:-1][span], t[1:][span]
        points, normals, _ = self.patch.place(np.stack([s[line], 0.5 * (low + high)], axis=1))
        keep = self._keeps(points, normals)
        return line[keep], low[keep], high[keep]

    def _level_on_lines(self, condition: Cut, s: Array) -> LevelOnLines:
        def level(line: Lines, t: Array) -> Array:
            return condition.level(self.patch.chart(s[line], t)[0])

        return level

    def _integrate(
        self, s: Array, s_weights: Array, per_stretch: int
    ) -> tuple[Array, Array, Array, Lines]:
        """Return points, normals and weights along the t-lines at ``s`` (K,), and their lines."""
        line, low, high = self._stretches(s)
        nodes, t_weights = gauss_legendre(per_stretch)
        t = low[:, None] + (high - low)[:, None] * nodes
        unit = np.stack([np.repeat(s[line], per_stretch), t.ravel()], axis=1)
        points, normals, _ = self.patch.place(unit)
        lengths = (high - low)[:, None] * t_weights
        weights = self.patch.measure * (s_weights[line, None] * lengths).ravel()
        return points, normals, weights, np.repeat(line, per_stretch)


@dataclass(frozen=True, eq=False)
class Reversed(Cut):
    """A condition seen from the other side of the surface."""

    condition: Cut

    def level(self, points: Array) -> Array:
        """Return the level (N,) of the condition."""
        return self.condition.level(points)

    def keeps(self, points: Array, normals: Array) -> Mask:
        """Return which points (N,) the condition keeps, given normals of the reversed surface."""
        return self.condition.keeps(points, -normals)

    @property
    def tolerance(self) -> float:
        """Return the tolerance of the condition."""
        return self.condition.tolerance


def trimmed(patch: Patch, conditions: tuple[Cut, ...], part: str | None = None) -> list[Piece]:
    """Return what conditions keep of a patch: the whole of it, a trimmed patch, or nothing."""
    name = patch.part if part is None else part
    piece = TrimmedPatch(patch=patch, conditions=conditions, part=name)
    fraction = piece._kept_fraction
    if fraction <= _SLIVER:
        return []
    return [patch.named(name)] if fraction >= 1.0 - _SLIVER else [piece]
