"""The level of a floating field: a polynomial in time through the means."""

from __future__ import annotations

import numpy as np
import pytest

from pinnsolve.levels import Level, fitted_level, level_times

INTERVALS = [(0.0, 1.0), (-3.0, 5.0), (10.0, 10.002), (0.0, 3600.0)]


def test_constant_level() -> None:
    times = np.array([0.0, 0.3, 7.0])
    level = Level((2.5,))
    np.testing.assert_array_equal(level.derivative(times), [2.5, 2.5, 2.5])
    np.testing.assert_array_equal(level.derivative(times, 1), [0.0, 0.0, 0.0])


@pytest.mark.parametrize(("start", "end"), INTERVALS)
def test_derivatives_of_a_cubic(start: float, end: float) -> None:
    """Chebyshev coefficients (0, 0, 0, 1) are 4 s^3 - 3 s with s in [-1, 1]."""
    level = Level((0.0, 0.0, 0.0, 1.0), start, end)
    times = np.linspace(start, end, 11)
    half = 0.5 * (end - start)
    s = (times - 0.5 * (start + end)) / half
    expected = (4 * s**3 - 3 * s, (12 * s**2 - 3) / half, 24 * s / half**2, 24 / half**3 + 0 * s)
    for order, values in enumerate(expected):
        np.testing.assert_allclose(level.derivative(times, order), values, atol=1e-9 / half**order)


@pytest.mark.parametrize(("start", "end"), INTERVALS)
def test_times_lie_inside_and_ascend(start: float, end: float) -> None:
    times = level_times(start, end)
    assert (np.diff(times) > 0).all()
    assert start < times[0]
    assert times[-1] < end


@pytest.mark.parametrize(("start", "end"), INTERVALS)
def test_smooth_means_are_followed_with_their_derivatives(start: float, end: float) -> None:
    length = end - start

    def mean(times: np.ndarray) -> np.ndarray:
        return np.exp((times - start) / length) * np.cos(4.0 * (times - start) / length)

    level = fitted_level(mean(level_times(start, end)), start, end)
    times = np.linspace(start, end, 50)
    np.testing.assert_allclose(level.derivative(times), mean(times), atol=1e-10)
    share = (times - start) / length
    slope = np.exp(share) * (np.cos(4.0 * share) - 4.0 * np.sin(4.0 * share)) / length
    np.testing.assert_allclose(level.derivative(times, 1), slope, atol=1e-8 / length)
