"""The profile of one unknown: how much the data object to its values, the others being at their best for each."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_ALIKE = 1.5
"""Factor between the excess of chi-square and that of a normal distribution up to which they are alike."""

_END = 1.96
"""Root at the end of the 95 % interval."""

_ROUNDING = 0.1
"""By how much the last root may miss it: the walk ends near it."""


@dataclass(frozen=True)
class Profile:
    """Signed roots of the excess of chi-square along one unknown.

    Attributes:
        centre: Search variable of the estimate.
        search: Search variables, ascending, the centre among them, shape (R,).
        roots: Root of the excess of chi-square over its least value, negative below the estimate, shape (R,).
        std: Standard deviation of the search variable if it were normal.
    """

    centre: float
    search: Array
    roots: Array
    std: float

    @property
    def is_normal(self) -> bool:
        """Whether chi-square grows as that of a normal distribution does, to a factor of 1.5 on both sides."""
        away = self.search != self.centre
        expected = (self.search[away] - self.centre) / self.std
        ratios = (self.roots[away] / expected) ** 2
        return bool(np.all((ratios > 1.0 / _ALIKE) & (ratios < _ALIKE)))

    @property
    def is_open(self) -> tuple[bool, bool]:
        """Whether the data set no end to the unknown below, and above; what is normal has ends."""
        if self.is_normal:
            return False, False
        return bool(-self.roots[0] < _END - _ROUNDING), bool(self.roots[-1] < _END - _ROUNDING)

    def at(self, root: float) -> float:
        """Return the search variable of a signed root; infinite beyond an open side.

        Args:
            root: 1.96 is the upper end of the 95 % interval.
        """
        low, high = float(self.roots[0]), float(self.roots[-1])
        if low <= root <= high:
            return float(np.interp(root, self.roots, self.search))
        side = 0 if root < low else 1
        if self.is_open[side]:
            return -math.inf if side == 0 else math.inf
        (z0, r0), (z1, r1) = self._last(side)
        return z1 + (root - r1) * (z1 - z0) / (r1 - r0 or math.copysign(_ROUNDING, root))

    def _last(self, side: int) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the last two places on a side."""
        inner, outer = (1, 0) if side == 0 else (-2, -1)
        return (
            (float(self.search[inner]), float(self.roots[inner])),
            (float(self.search[outer]), float(self.roots[outer])),
        )
