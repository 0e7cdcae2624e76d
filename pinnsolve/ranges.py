"""Ranges: numbers that stay open while a network is trained, so that one solution answers for all their values.

A range is one more coordinate, after space and time. Train once, then evaluate for any value in it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pinnsolve.naming import near_match_text

Array = npt.NDArray[np.float64]

Values = Mapping[str, "float | Sequence[float] | Array"]
"""A value by the name of its range: one number, or one per point."""

RESERVED = frozenset({"x", "y", "z", "t", "points", "frame", "position", "parameters"})
"""Names that coordinates have already."""

_MOST_CORNERS = 4
"""Corners of a box of ranges that a verdict looks at; beyond that only the lowest and the highest."""


@dataclass(frozen=True)
class Range:
    """A number that may take any value from ``low`` to ``high``; it stands where the number would stand.

    The same range may stand in several places; it is one coordinate all the same. In given
    functions of the coordinates ``x.name`` is its value.

    Example:
        >>> from pinnsolve.physics import Heat
        >>> conductivity = Range("conductivity", 20.0, 80.0, unit="W/(m K)")
        >>> heat = Heat(conductivity=conductivity)

    Attributes:
        name: How it is called when a value is given; a Python name.
        low: Least value, in SI units.
        high: Largest value.
        logarithmic: Whether the network sees its logarithm, and points spread evenly over
            that: for ranges over decades.
        unit: Unit for tables and plots.
    """

    name: str
    low: float
    high: float
    logarithmic: bool = False
    unit: str = ""

    def __post_init__(self) -> None:
        """Refuse a name that cannot be used and ends that enclose nothing."""
        if not (isinstance(self.name, str) and self.name.isidentifier()):
            raise ValueError(
                f"a range's name is used as in .at(points, name=...), so it must be a Python name, got {self.name!r}"
            )
        if self.name in RESERVED:
            raise ValueError(
                f"range {self.name!r}: coordinates use this name already; choose another one"
            )
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise ValueError(f"range {self.name!r}: ends must be finite, got {self._ends}")
        if not self.low < self.high:
            raise ValueError(
                f"range {self.name!r}: must have low < high, got {self._ends}; swap them, or write a "
                "single value as a plain number"
            )
        if self.logarithmic and not self.low > 0.0:
            raise ValueError(
                f"range {self.name!r}: a logarithmic range must be > 0, got {self._ends}; raise its lower "
                "end or leave out logarithmic"
            )

    @property
    def middle(self) -> float:
        """The value halfway: the mean of the ends, geometric if logarithmic."""
        return self.at_share(0.5)

    def at_share(self, share: float) -> float:
        """Return the value at a share of the way from ``low`` (0) to ``high`` (1)."""
        return float(self.at_shares(np.array([share]))[0])

    def at_shares(self, shares: Array) -> Array:
        """Return the values at shares (N,) of the way, never outside of the ends."""
        if self.logarithmic:
            values = self.low * (self.high / self.low) ** shares
        else:
            values = self.low + (self.high - self.low) * shares
        return np.clip(values, self.low, self.high)

    def __str__(self) -> str:
        """Return the range in words: ``conductivity from 20 to 80 W/(m K)``."""
        return f"{self.name} from {self.low:g} to {self.high:g} {self.unit}".rstrip()

    @property
    def _ends(self) -> str:
        return f"{self.low} to {self.high}"


def columns(ranges: Sequence[Range], values: Values, num_points: int) -> Array:
    """Return given values as one column per range, shape (N, number of ranges).

    Args:
        ranges: The ranges, in the order of the columns.
        values: A value for each, a number or shape (N,).
        num_points: N.

    Raises:
        ValueError: If a value is missing, of another shape, outside of its range, or for no range.
    """
    check_names(ranges, values)
    missing = [item for item in ranges if item.name not in values]
    if missing:
        raise ValueError(missing_text(missing))
    made = np.empty((num_points, len(ranges)))
    for position, item in enumerate(ranges):
        given = np.asarray(values[item.name], dtype=np.float64)
        if given.shape not in ((), (num_points,)):
            raise ValueError(
                f"{item.name} must be one number or one per point, shape ({num_points},), got shape {given.shape}"
            )
        check_inside(item, given)
        made[:, position] = given
    return made


def check_names(ranges: Sequence[Range], values: Values) -> None:
    """Refuse a value for something that is no range."""
    names = [item.name for item in ranges]
    for name in values:
        if name not in names:
            raise ValueError(
                f"there is no range {name!r} to give a value for. {near_match_text(name, names)}"
            )


def check_inside(item: Range, given: Array) -> None:
    """Refuse values outside of a range: the network was never trained there."""
    outside = ~((given >= item.low) & (given <= item.high))
    if outside.any():
        value = float(np.atleast_1d(given)[np.atleast_1d(outside)][0])
        raise ValueError(
            f"{item.name} = {value:g} lies outside of what was trained, {item}; give a value inside, or train "
            f"again with a wider Range({item.name!r}, ...)"
        )


def missing_text(ranges: Sequence[Range]) -> str:
    """Return the message for ranges without a value: what is missing, and how to give it."""
    example = ", ".join(f"{item.name}={item.middle:g}" for item in ranges)
    listed = ", ".join(str(item) for item in ranges)
    return (
        f"the solution depends on {listed}: give a value, solution.given({example}) or "
        f"solution.at(points, {example})"
    )


def middle_of(ranges: Sequence[Range]) -> dict[str, float]:
    """Return the middle of every range by name."""
    return {item.name: item.middle for item in ranges}


def sampled_values(ranges: Sequence[Range], shares: Array) -> list[dict[str, float]]:
    """Return the values at which a solution is judged: the middle, the corners, and what is asked for.

    Args:
        ranges: The ranges.
        shares: Further places, each row in [0, 1]^R, shape (number, R).
    """
    corners = list(itertools.product((0.0, 1.0), repeat=len(ranges)))
    if len(corners) > _MOST_CORNERS:
        corners = [corners[0], corners[-1]]
    places = [(0.5,) * len(ranges), *corners, *(tuple(row) for row in shares.tolist())]
    return [
        {item.name: item.at_share(share) for item, share in zip(ranges, place, strict=True)}
        for place in places
    ]


def in_words(values: Mapping[str, float]) -> str:
    """Return values for a table: ``reynolds = 40, speed = 2``."""
    return ", ".join(f"{name} = {value:.4g}" for name, value in values.items())
