"""What a table becomes before it is learned from: standardised rows that count as often as their weights say.

A weight of 2 is a row that is there twice, a weight of 0 one that is not there: every sum and every split below
keeps to that, so that fits agree but for rounding.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Array = npt.NDArray[np.float64]

_HEAVY = 8.0
"""Deviations from the mean, in standard deviations, beyond which a column has heavy tails."""

_SKEWED = 1.5
"""Skewness from which a positive column may be learned from by its logarithm; an exponential distribution has 2."""


@dataclass(frozen=True)
class Rows:
    """What is learned from.

    Attributes:
        x: Standardised inputs, shape (N, F).
        y: Standardised targets, or one column per class, shape (N, C).
        weight: How often each row counts, shape (N,).
    """

    x: Tensor
    y: Tensor
    weight: Tensor

    @property
    def total(self) -> float:
        """Number of target values, counted as often as they count."""
        return float(self.weight.sum()) * self.y.shape[1]

    def taken(self, chosen: Tensor) -> Rows:
        """Return some of the rows.

        Args:
            chosen: Their numbers, or a mask (N,).
        """
        return Rows(self.x[chosen], self.y[chosen], self.weight[chosen])


@dataclass(frozen=True)
class Standardiser:
    """Offset and scale of every column; columns with heavy tails pass through ``asinh`` as well.

    Attributes:
        offset: Mean, or median of a column with heavy tails, shape (F,).
        scale: Standard deviation, or interquartile range / 1.349, shape (F,); 1 for constant columns.
        heavy: 1 where tails are heavy, else 0, shape (F,).
        least: Smallest value that was seen of columns whose offset and scale are those of the logarithm, else 0,
            shape (F,); None if there is no such column. What is below counts as this value: near 0 small differences
            are great ones of the logarithm.
    """

    offset: Tensor
    scale: Tensor
    heavy: Tensor
    least: Tensor | None = None

    @classmethod
    def of(
        cls, values: Array, weight: Array, *, robust: bool = True, logarithms: str = "none"
    ) -> Standardiser:
        """Return the standardiser of a table.

        Args:
            values: Shape (N, F).
            weight: How often each row counts, shape (N,), positive.
            robust: Whether to look for heavy tails.
            logarithms: Which columns pass through their logarithm: ``none``; ``positive`` ones; of these the
                ``skewed`` ones.
        """
        least: Tensor | None = None
        if logarithms != "none":
            chosen = np.asarray((values > 0.0).all(axis=0))
            if logarithms == "skewed":
                chosen[chosen] = _skewed(values[:, chosen], weight)
            if chosen.any():
                least = torch.from_numpy(np.where(chosen, values.min(axis=0), 0.0))
                values = _logarithms(values, least)
        mean = np.average(values, axis=0, weights=weight)
        spread = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weight))
        heavy = np.zeros(values.shape[1])
        offset, scale = mean.copy(), spread.copy()
        far = np.abs(values - mean).max(axis=0) > _HEAVY * spread
        for column in np.flatnonzero(far & (spread > 0.0)) if robust else ():
            low, middle, high = _quantiles(values[:, column], weight)
            if high > low:
                offset[column], scale[column] = middle, (high - low) / 1.349
                heavy[column] = 1.0
        # what is left of a constant column is rounding
        scale[scale <= 1e-12 * np.maximum(np.abs(offset), 1e-300)] = 1.0
        made = torch.from_numpy
        return cls(made(offset), made(scale), made(heavy), least)

    def forward(self, values: Array) -> Array:
        """Return standardised columns, shape (N, F).

        Raises:
            ValueError: If a column that passes through its logarithm has a value that is not positive.
        """
        if self.least is not None:
            values = _logarithms(values, self.least)
        z = (values - self.offset.numpy()) / self.scale.numpy()
        standard: Array = np.where(self.heavy.numpy() > 0.0, np.arcsinh(z), z)
        return standard

    def backward(self, standard: Array) -> Array:
        """Return columns in their own units; only for standardisers that are not robust."""
        values: Array = standard * self.scale.numpy() + self.offset.numpy()
        if self.least is not None:
            values = np.where(self.least.numpy() > 0.0, np.exp(values), values)
        return values


def _logarithms(values: Array, least: Tensor) -> Array:
    """Return values with the logarithm of some columns in their place."""
    found = values.astype(np.float64)
    for column in np.flatnonzero(least.numpy()):
        if not (values[:, column] > 0.0).all():
            row = int(np.flatnonzero(~(values[:, column] > 0.0))[0])
            raise ValueError(
                f"column {column} is learned by its logarithm and must be > 0, but row {row} has "
                f"{values[row, column]:g}; leave the row out, or fit with logarithms='none'"
            )
        found[:, column] = np.log(np.maximum(values[:, column], float(least[column])))
    return found


def _skewed(values: Array, weight: Array) -> npt.NDArray[np.bool_]:
    """Return which columns of positive values are skewed, and less so by their logarithm, shape (F,)."""
    plain, logarithmic = _skewness(values, weight), _skewness(np.log(values), weight)
    return (plain > _SKEWED) & (np.abs(logarithmic) < 0.5 * plain)


def _skewness(values: Array, weight: Array) -> Array:
    """Return the third standardised moment of every column, shape (F,); 0 of constant ones."""
    away = values - np.average(values, axis=0, weights=weight)
    square, cube = (np.average(away**k, axis=0, weights=weight) for k in (2, 3))
    skewness: Array = np.where(square > 0.0, cube / np.maximum(square, 1e-300) ** 1.5, 0.0)
    return skewness


def _quantiles(values: Array, weight: Array) -> tuple[float, float, float]:
    """Return the quartiles of weighted values."""
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weight[order]) / weight.sum()
    places = np.searchsorted(share, (0.25, 0.5, 0.75)).clip(max=len(values) - 1)
    low, middle, high = values[order][places]
    return float(low), float(middle), float(high)


def folds_of(x: Array, labels: npt.NDArray[np.intp], count: int, seed: int) -> npt.NDArray[np.intp]:
    """Return which of several folds each row is in, shape (N,).

    Rows are put in order by a checksum of their content, so that equal ones share a fold, whatever their order and
    number: a row is never judged by a network that has seen its twin. Every class is spread over all folds.

    Args:
        x: Inputs, shape (N, F).
        labels: Class of each row, shape (N,); all equal for numbers.
        count: Number of folds.
        seed: Another seed gives another order.
    """
    rows = np.ascontiguousarray(x) + 0.0  # -0.0 and 0.0 are equal
    marks = np.array([zlib.crc32(row.tobytes(), seed) for row in rows], dtype=np.int64)
    fold = np.empty(len(x), dtype=np.intp)
    for label in np.unique(labels):
        own = labels == label
        _, place = np.unique(marks[own], return_inverse=True)
        fold[own] = (place + int(label)) % count
    return fold
