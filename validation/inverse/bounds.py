"""Cramer-Rao bounds: the least standard deviation that an unbiased estimate can have, from the exact solution.

For independent Gaussian readings ``d = f(z) + sigma e`` the information on the unknowns z is ``J^T J / sigma^2`` with
``J = df/dz`` at the true values; the bound is the root of the diagonal of its inverse (C. R. Rao 1945; H. Cramer 1946).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

Forward = Callable[[Array], Array]
"""Maps unknowns (K,) to what the sensors read without noise (M,)."""

_STEP = 1e-4
"""Relative step of the differences: truncation 1e-8, rounding 1e-12."""


def sensitivity(forward: Forward, values: npt.ArrayLike) -> Array:
    """Return df/dz by central differences, shape (M, K).

    Args:
        forward: The forward model.
        values: Where to take it, shape (K,).
    """
    at = np.asarray(values, dtype=np.float64)
    columns = []
    for k, value in enumerate(at):
        step = np.zeros_like(at)
        step[k] = _STEP * (abs(value) or 1.0)
        columns.append((forward(at + step) - forward(at - step)) / (2.0 * step[k]))
    return np.stack(columns, axis=1)


def cramer_rao(forward: Forward, values: npt.ArrayLike, sigma: npt.ArrayLike) -> Array:
    """Return the least standard deviation of each unknown, shape (K,); infinite where the data say nothing.

    Args:
        forward: The forward model.
        values: The true values, shape (K,).
        sigma: Standard deviation of the readings, one number or shape (M,).

    Raises:
        ValueError: If a standard deviation is not positive.
    """
    noise = np.asarray(sigma, dtype=np.float64)
    if not (np.isfinite(noise).all() and (noise > 0).all()):
        raise ValueError(f"sigma must be finite and > 0, got {sigma!r}")
    slopes = sensitivity(forward, values)
    return bound(slopes / np.broadcast_to(noise, len(slopes))[:, None])


def bound(slopes: Array) -> Array:
    """Return the bounds from a Jacobian whose rows are divided by their noise, shape (K,).

    Args:
        slopes: Shape (M, K).
    """
    size = np.linalg.norm(slopes, axis=0)
    if (size == 0.0).any() or len(slopes) < slopes.shape[1]:
        return np.full(slopes.shape[1], np.inf)
    # by the triangle of the scaled columns: the product J^T J would lose half of the digits
    triangle = np.linalg.qr(slopes / size, mode="r")
    diagonal = np.abs(np.diagonal(triangle))
    if diagonal.min() < len(slopes) * np.finfo(np.float64).eps * diagonal.max():
        return np.full(slopes.shape[1], np.inf)
    inverse = np.linalg.inv(triangle)
    return np.asarray(np.linalg.norm(inverse, axis=1) / size)
