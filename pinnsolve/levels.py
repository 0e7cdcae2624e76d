"""The level of a field that enters its equations by its gradient only, such as pressure in a closed flow.

The level is a free number (a free function of time if unsteady). It is chosen so that the field has zero mean over
the domain at every time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.polynomial import chebyshev

Array = npt.NDArray[np.float64]

_NUM_TIMES = 24


@dataclass(frozen=True)
class Level:
    """A polynomial in time, subtracted from a field.

    Attributes:
        coefficients: Chebyshev coefficients over the time interval; one if steady.
        start: Start of the time interval in s.
        end: End of the time interval in s.
    """

    coefficients: tuple[float, ...]
    start: float = 0.0
    end: float = 1.0

    def derivative(self, times: Array, order: int = 0) -> Array:
        """Return a time derivative of the level (order 0: its value) at times (N,)."""
        half = 0.5 * (self.end - self.start)
        unit = (np.asarray(times) - 0.5 * (self.start + self.end)) / half
        slopes = chebyshev.chebder(np.array(self.coefficients), order) / half**order
        return np.asarray(chebyshev.chebval(unit, slopes), dtype=np.float64)


def level_times(start: float, end: float) -> Array:
    """Return the times at which means are to be taken for :func:`fitted_level`."""
    unit = chebyshev.chebpts1(_NUM_TIMES)
    return np.asarray(0.5 * (start + end) + 0.5 * (end - start) * unit, dtype=np.float64)


def fitted_level(means: Array, start: float, end: float) -> Level:
    """Return the level through the means at :func:`level_times`.

    Args:
        means: Mean of the field at each time, shape (T,).
        start: Start of the time interval in s.
        end: End of the time interval in s.
    """
    coefficients = chebyshev.chebfit(chebyshev.chebpts1(len(means)), means, len(means) - 1)
    return Level(tuple(float(c) for c in coefficients), start, end)
