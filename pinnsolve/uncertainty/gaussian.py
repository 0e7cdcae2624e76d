"""Small linear-Gaussian problems in the unknowns: rows of unit noise, what they settle, and what they leave open."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_SMALLEST = 1e-13
"""Singular values below this share of the largest are rounding; such directions get a very wide interval."""


@dataclass(frozen=True)
class Gaussian:
    """The normal distribution of d that rows ``jacobian d + misfit`` of unit noise stand for.

    Attributes:
        step: Its mean, shape (K,); zero along directions that no row sees.
        root: Square root of its covariance, shape (K, K).
        least: Sum of squares of the rows at the mean.
        log_determinant: Logarithm of the determinant of ``jacobian^T jacobian``; -inf if it is singular.
    """

    step: Array
    root: Array
    least: float
    log_determinant: float

    @property
    def covariance(self) -> Array:
        """Shape (K, K)."""
        return np.asarray(self.root @ self.root.T)


def gaussian_of(jacobian: Array, misfit: Array) -> Gaussian:
    """Return the distribution; directions that no row sees get a huge, but finite spread.

    Args:
        jacobian: Shape (M, K).
        misfit: Shape (M,).
    """
    size = jacobian.shape[1]
    norms = np.linalg.norm(jacobian, axis=0)
    seen = norms > 0.0
    # columns of norm one, so that what is small is told from what is in another unit
    norms = np.where(seen, norms, 1.0)
    padded = np.vstack((jacobian / norms, np.zeros((size, size))))
    left, values, right = np.linalg.svd(padded, full_matrices=False)
    along = left[: len(misfit)].T @ misfit
    largest = float(values.max(initial=0.0))
    told = values > _SMALLEST * largest
    held = np.where(told, values, _SMALLEST * (largest or 1.0))
    step = -(right.T @ np.where(told, along / held, 0.0)) / norms
    root = (right.T / held) / norms[:, None]
    rest = jacobian @ step + misfit
    whole = bool(told.all() and seen.all())
    log_determinant = 2.0 * float(np.sum(np.log(values * norms))) if whole else -math.inf
    return Gaussian(step, root, float(rest @ rest), log_determinant)


def freedom_used(data: Array, prior: Array) -> float:
    """Return how many of the data the unknowns use up: the trace of the hat matrix, K if nothing else holds them.

    Args:
        data: Jacobian of the data rows of unit noise, shape (M, K).
        prior: That of the prior rows, shape (L, K).
    """
    rows = np.vstack((data, prior))
    norms = np.linalg.norm(rows, axis=0)
    left, values, _ = np.linalg.svd(rows / np.where(norms > 0.0, norms, 1.0), full_matrices=False)
    told = values > _SMALLEST * values.max(initial=0.0)
    return float(np.sum(left[: len(data), told] ** 2))
