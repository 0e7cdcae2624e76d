"""The checks every shape makes on what it is given, each with the rule, the value and the cure."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def finite(value: float, what: str) -> float:
    """Return ``value`` as a finite float, or refuse it.

    Args:
        value: The number given.
        what: What the number is, for example ``"Interval start"``.

    Raises:
        ValueError: If the value is not a finite number.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{what} must be a number in SI units, got {value!r}.") from None
    if not isfinite(number):
        raise ValueError(f"{what} must be finite, got {number}. Give a number in SI units.")
    return number


def positive(value: float, what: str) -> float:
    """Return ``value`` as a positive finite float, or refuse it.

    Raises:
        ValueError: If the value is not a finite number above zero.
    """
    number = finite(value, what)
    if number <= 0.0:
        raise ValueError(f"{what} must be positive, got {number}. Give a length in metres above 0.")
    return number


def position(value: Sequence[float], dim: int, what: str) -> tuple[float, ...]:
    """Return ``value`` as a tuple of ``dim`` finite floats, or refuse it.

    Raises:
        ValueError: If there are not exactly ``dim`` finite numbers.
    """
    if isinstance(value, str) or not hasattr(value, "__len__"):
        raise ValueError(f"{what} must be {dim} numbers, got {value!r}. Write for example "
                         f"({', '.join(['0.0'] * dim)}).")  # fmt: skip
    if len(value) != dim:
        raise ValueError(
            f"{what} must be {dim} numbers, got {len(value)}: {value!r}. "
            f"Give one coordinate per axis, in metres."
        )
    return tuple(finite(number, what) for number in value)


def corners(
    lower: Sequence[float], upper: Sequence[float], dim: int, what: str
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the two opposite corners of an axis-aligned box, or refuse them.

    Raises:
        ValueError: If a corner is malformed or the box has no extent along some axis.
    """
    low = position(lower, dim, f"{what} lower corner")
    high = position(upper, dim, f"{what} upper corner")
    for axis, (a, b) in enumerate(zip(low, high, strict=True)):
        if not b > a:
            raise ValueError(
                f"{what} must have lower < upper along every axis, got {a} and {b} along axis "
                f"{axis}. Swap the corners or give the shape some extent."
            )
    return low, high


def point_array(points: npt.ArrayLike, dim: int) -> Array:
    """Return points as a float64 array of shape (N, D), or refuse them.

    Raises:
        ValueError: If the array is not (N, ``dim``) or a coordinate is not finite.
    """
    try:
        array = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"Points must be an (N, {dim}) array of numbers.") from None
    if array.ndim != 2 or array.shape[1] != dim:
        raise ValueError(
            f"Points must have shape (N, {dim}), got {array.shape}. "
            f"Give one row per point and one column per coordinate."
        )
    if not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        raise ValueError(
            f"Points must be finite, got {array[row].tolist()} in row {row}. Leave such points out."
        )
    return array


def count(num_points: int) -> int:
    """Return a number of points, or refuse it.

    Raises:
        ValueError: If it is not an integer of at least 1.
    """
    if isinstance(num_points, bool) or not isinstance(num_points, int | np.integer):
        raise ValueError(f"num_points must be an integer, got {num_points!r}.")
    if num_points < 1:
        raise ValueError(f"num_points must be at least 1, got {num_points}.")
    return int(num_points)


def part_name(name: str, what: str = "A part name") -> str:
    """Return the name of a boundary part, or refuse it.

    Raises:
        ValueError: If it is not a non-empty string.
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"{what} must be a non-empty string, got {name!r}.")
    return name


def read_only(array: npt.ArrayLike) -> Array:
    """Return a float64 copy that cannot be written to."""
    frozen = np.array(array, dtype=np.float64)
    frozen.flags.writeable = False
    return frozen
