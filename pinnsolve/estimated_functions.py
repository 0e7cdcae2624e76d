"""Functions that were found, with their spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from pinnsolve.unknown_functions import UnknownFunction
from pinnsolve.unknowns import Unknown

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EstimatedFunction:
    """A function that was found.

    Attributes:
        function: The declaration, with the estimates in place of its coefficients.
        covariance: Covariance of the coefficients, shape (K, K), or None if it is not known.
    """

    function: UnknownFunction
    covariance: Array | None = None

    def __call__(self, points: Array) -> Array:
        """Return the values, shape (N,).

        Args:
            points: The function's own coordinates, shape (N,) or (N, number of coordinates).
        """
        found = self.function
        coefficients = np.array([_number(c) for c in found.coefficients])
        spline = found.variation * (found.basis(points) @ coefficients)
        return np.asarray(
            found.initial * np.exp(spline) if found.positive else found.initial + spline
        )

    def std(self, points: Array) -> Array:
        """Return the standard deviation of the values, shape (N,).

        Args:
            points: The function's own coordinates, shape (N,) or (N, number of coordinates).

        Raises:
            ValueError: If the covariance is not known.
        """
        spread = self._spread(points)
        return np.asarray(spread * self(points) if self.function.positive else spread)

    def interval(self, points: Array, level: float = 0.95) -> tuple[Array, Array]:
        """Return the ends of the interval that each value is in with a given probability, shape (N,) each.

        That of a positive function is multiplicative: ``value exp(-+ 1.96 std of its logarithm)``.

        Args:
            points: The function's own coordinates, shape (N,) or (N, number of coordinates).
            level: The probability.

        Raises:
            ValueError: If the covariance is not known, or there is no such probability.
        """
        from scipy.special import ndtri

        if not 0.0 < level < 1.0:
            raise ValueError(f"level must lie between 0 and 1, got {level}")
        values, half = self(points), float(ndtri(0.5 + 0.5 * level)) * self._spread(points)
        if self.function.positive:
            with np.errstate(over="ignore"):  # where nothing is known the end is infinite
                return np.asarray(values * np.exp(-half)), np.asarray(values * np.exp(half))
        return np.asarray(values - half), np.asarray(values + half)

    def _spread(self, points: Array) -> Array:
        """Return the standard deviation of the values, or of their logarithm if they are positive, shape (N,)."""
        if self.covariance is None:
            raise ValueError(
                f"the covariance of {self.function.name!r} is not known; solve the problem with its measurements"
            )
        table = self.function.basis(points)
        variance = np.einsum("ni,ij,nj->n", table, self.covariance, table)
        return np.asarray(self.function.variation * np.sqrt(np.maximum(variance, 0.0)))


def _number(value: Unknown | Tensor | float) -> float:
    if isinstance(value, Unknown):
        raise ValueError(f"no value for the unknown {value.name!r}")
    return float(value)
