"""The level of a field that enters its equations by its gradient only, such as pressure in a closed flow.

The level is a free number (a free function of time if unsteady). It is chosen so that the field has zero mean over
the domain at every time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from numpy.polynomial import chebyshev
from torch import Tensor

from pinnsolve.geometry import TimeInterval
from pinnsolve.jets import Fields, Frame, Jet
from pinnsolve.jets.scalar import Numeric
from pinnsolve.multi_index import MultiIndex

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


def mean_level(average: Callable[..., Array], name: str, interval: TimeInterval | None) -> Level:
    """Return the mean of a scalar field over the domain, as a function of time if unsteady.

    Args:
        average: ``average(name, time=t)``: the mean at one time; t is None if steady.
        name: Field name.
        interval: The time interval, or None if steady.
    """
    if interval is None:
        return Level((float(average(name, time=None)),))
    times = level_times(interval.start, interval.end)
    means = np.array([float(average(name, time=float(t))) for t in times])
    return fitted_level(means, interval.start, interval.end)


def without_levels(
    fields: Fields, levels: Mapping[str, Level], points: Tensor, frame: Frame
) -> Fields:
    """Return fields with their levels subtracted.

    Args:
        fields: The fields at N points.
        levels: Level by field name; other fields stay as they are.
        points: Shape (N, D).
        frame: The coordinates.
    """
    clock = frame.space_dim if frame.has_time else None
    times = points[:, clock or 0].cpu().numpy()  # not used if steady

    def level(name: str) -> Jet:
        def source(index: MultiIndex) -> Numeric:
            if any(axis != clock for axis in index):
                return 0.0
            value = levels[name].derivative(times, len(index))
            return torch.tensor(value, dtype=torch.float64, device=points.device)

        return Jet.leaf(source, frame)

    return Fields(
        {name: fields[name] - level(name) if name in levels else fields[name] for name in fields}
    )
