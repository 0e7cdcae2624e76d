"""Where lines cross the zero set of a level function: certified isolation, then bisection.

A signed distance changes by at most the distance moved. So where the values v0, v1 at the ends of a
stretch of length L have one sign and |v0| + |v1| >= L, there is no zero between. All other
stretches are halved until they are short; sign changes are then bisected to rounding.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pinnsolve.geometry.checks import Array

Lines = npt.NDArray[np.intp]
LevelOnLines = Callable[[Lines, Array], Array]
"""The level (N,) at parameters (N,) of lines with the given numbers (N,)."""

_FIRST_PARTS = 16
_NUM_BISECTIONS = 54
_BESIDE = 1e-5


def cut_parameters(
    level: LevelOnLines, speeds: Array, tolerance: float, *, num_halvings: int = 7
) -> tuple[Lines, Array]:
    """Return the parameters at which the sign of the level changes along each of M lines.

    Signs are -, 0 and +, with 0 for values of at most ``tolerance``, so that the ends of stretches
    that run along the zero set count as changes too.

    Args:
        level: The level function along the lines.
        speeds: Upper bounds (M,) of the distance in m per unit of the parameter.
        tolerance: Distance in m below which a point is on the zero set.
        num_halvings: A stretch is halved this often at most, from 1/16 of the line downwards.

    Returns:
        Line numbers and parameters (K,) in rising order, the ends 0 and 1 of every line included.
    """
    line, t, value = _samples(level, speeds, num_halvings)
    sign = _signs(value, tolerance)
    # A zero on its own may be all that was seen of a short run along the zero set: look beside it.
    alone = np.flatnonzero(_isolated_zeros(line, sign))
    near = np.concatenate([t[alone] - _BESIDE, t[alone] + _BESIDE])
    within = (near > 0.0) & (near < 1.0)
    near, near_line = near[within], np.tile(line[alone], 2)[within]
    line, t = np.concatenate([line, near_line]), np.concatenate([t, near])
    sign = np.concatenate([sign, _signs(level(near_line, near), tolerance)])
    order = np.lexsort((t, line))
    line, t, sign = line[order], t[order], sign[order]
    keep = ~_isolated_zeros(line, sign)
    line, t, sign = line[keep], t[keep], sign[keep]
    change = (line[1:] == line[:-1]) & (sign[1:] != sign[:-1])
    roots = _bisected(
        level, line[:-1][change], t[:-1][change], t[1:][change], sign[:-1][change],
        sign[1:][change], tolerance,
    )  # fmt: skip
    num_lines = len(speeds)
    ends = np.arange(num_lines)
    lines = np.concatenate([ends, line[:-1][change], ends])
    breaks = np.concatenate([np.zeros(num_lines), roots, np.ones(num_lines)])
    order = np.lexsort((breaks, lines))
    return lines[order], breaks[order]


def _signs(value: Array, tolerance: float) -> npt.NDArray[np.int64]:
    return np.where(np.abs(value) <= tolerance, 0, np.sign(value)).astype(np.int64)


def _samples(level: LevelOnLines, speeds: Array, num_halvings: int) -> tuple[Lines, Array, Array]:
    """Sample the level along the lines, densely where a change of sign cannot be excluded."""
    grid = np.linspace(0.0, 1.0, _FIRST_PARTS + 1)
    line = np.repeat(np.arange(len(speeds)), len(grid))
    t = np.tile(grid, len(speeds))
    value = level(line, t)
    for _ in range(num_halvings):
        same_line = line[1:] == line[:-1]
        length = speeds[line[1:]] * (t[1:] - t[:-1])
        certain = (value[1:] * value[:-1] > 0.0) & (
            np.abs(value[1:]) + np.abs(value[:-1]) >= length
        )
        halve = np.flatnonzero(same_line & ~certain)
        if not len(halve):
            break
        middle = 0.5 * (t[halve] + t[halve + 1])
        new_value = level(line[halve], middle)
        t = np.insert(t, halve + 1, middle)
        value = np.insert(value, halve + 1, new_value)
        line = np.insert(line, halve + 1, line[halve])
    return line, t, value


def _isolated_zeros(line: Lines, sign: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Tell which samples are zeros without a zero beside them: crossings or touching points."""
    zero = sign == 0
    beside = np.zeros(len(sign), dtype=bool)
    pair = zero[1:] & zero[:-1] & (line[1:] == line[:-1])
    beside[1:] |= pair
    beside[:-1] |= pair
    alone: npt.NDArray[np.bool_] = zero & ~beside
    return alone


def _bisected(
    level: LevelOnLines,
    line: Lines,
    low: Array,
    high: Array,
    low_sign: npt.NDArray[np.int64],
    high_sign: npt.NDArray[np.int64],
    tolerance: float,
) -> Array:
    """Bisect brackets whose ends differ in sign; a zero end is left where the tolerance is left."""
    # A crossing is sought without the tolerance, so that it is found to rounding.
    width = np.where(low_sign * high_sign < 0, 0.0, tolerance)
    for _ in range(_NUM_BISECTIONS if len(line) else 0):
        middle = 0.5 * (low + high)
        value = level(line, middle)
        sign = np.where(np.abs(value) <= width, 0, np.sign(value))
        is_low = sign == low_sign
        low = np.where(is_low, middle, low)
        high = np.where(is_low, high, middle)
    return 0.5 * (low + high)
