"""Sources of a given shape whose place, width and strength may be unknown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from pinnsolve.jets import Coordinates, Jet, as_jet, exp
from pinnsolve.ranges import Range
from pinnsolve.unknowns import Unknown

_Number = float | Unknown | Range | Tensor


@dataclass(frozen=True)
class GaussianSource:
    """A source around a point: ``strength / (2 pi width^2)^(d/2) exp(-r^2 / (2 width^2))``.

    In d space dimensions its integral over all space is the strength. It stands where a source stands; each of its
    numbers may be an :class:`pinnsolve.Unknown` or a :class:`pinnsolve.Range`.

    Example:
        >>> from pinnsolve import GaussianSource, Heat, Unknown
        >>> place = Unknown("x", 0.5, bounds=(0.0, 1.0)), Unknown("y", 0.5, bounds=(0.0, 1.0))
        >>> heat = Heat(conductivity=1.0, source=GaussianSource(place, width=0.05, strength=1.0))

    Attributes:
        position: Its centre in m, one number per space coordinate.
        width: Standard deviation s in m, > 0.
        strength: Its integral, for heat in W (per metre of depth in 2-D).
    """

    position: Sequence[_Number]
    width: _Number
    strength: _Number = 1.0

    def __post_init__(self) -> None:
        """Refuse a width that is not positive."""
        object.__setattr__(self, "position", tuple(self.position))
        if isinstance(self.width, int | float) and not (
            math.isfinite(self.width) and self.width > 0.0
        ):
            raise ValueError(
                f"the width of a GaussianSource must be finite and > 0 m, got {self.width}"
            )

    def __call__(self, x: Coordinates) -> Jet:
        """Return the source per volume at the coordinates.

        Raises:
            ValueError: If the position has another number of coordinates.
        """
        dim = x.frame.space_dim
        if len(self.position) != dim:
            raise ValueError(
                f"the position of a GaussianSource needs {dim} coordinates here, got {len(self.position)}"
            )
        width = as_jet(self.width, x.frame)
        square = as_jet(0.0, x.frame)
        for axis, centre in enumerate(self.position):
            square = square + (x[axis] - centre) ** 2
        peak = as_jet(self.strength, x.frame) / (2.0 * math.pi * width**2) ** (0.5 * dim)
        return peak * exp(-0.5 * square / width**2)
