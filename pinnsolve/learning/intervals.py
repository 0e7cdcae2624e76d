"""Prediction intervals that cover as often as they say, by split conformal prediction.

Whatever the model, of N calibration rows and a new one drawn alike, the new one's error is not among the largest
``(1 - level)`` with probability ``level``; so the quantile of rank ``ceil(level (N + 1))`` of the calibration rows'
errors is a half width that covers with at least that probability (V. Vovk, A. Gammerman & G. Shafer, "Algorithmic
Learning in a Random World", 2005; J. Lei et al., J. Am. Stat. Assoc. 113, 2018).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pinnsolve.learning.data.tables import Array


@dataclass(frozen=True)
class Intervals:
    """Intervals of a regression model.

    Attributes:
        level: Share of new rows that they are to cover.
        half_width: Half width of each target, shape (T,).
        num_rows: Calibration rows.
    """

    level: float
    half_width: tuple[float, ...]
    num_rows: int

    def around(self, predicted: object) -> tuple[Array, Array]:
        """Return lower and upper ends around predictions of shape (N,) or (N, T)."""
        centre = np.asarray(predicted, dtype=np.float64)
        wide = np.asarray(self.half_width)
        width = wide if centre.ndim == 2 else wide[0]
        return centre - width, centre + width


@dataclass(frozen=True)
class ClassSets:
    """Sets of classes of a classifier.

    Attributes:
        level: Share of new rows whose class is to be in its set.
        least_probability: Classes at least as probable as this are in the set.
        num_rows: Calibration rows.
    """

    level: float
    least_probability: float
    num_rows: int

    def of(self, probabilities: object) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return which classes are in the set of each row, shape (N, number of classes)."""
        return np.asarray(probabilities, dtype=np.float64) >= self.least_probability


def conformal_intervals(
    model: Any,  # noqa: ANN401 - whatever has predict()
    inputs: object,
    truth: object,
    *,
    level: float = 0.9,
) -> Intervals:
    """Return intervals for a fitted model from rows that it has not learned from.

    Args:
        model: Any estimator with ``predict``.
        inputs: Calibration rows.
        truth: Their targets, shape (N,) or (N, T).
        level: Share of new rows that the intervals are to cover.

    Raises:
        ValueError: If there are too few rows for the level, or shapes differ.
    """
    known = np.asarray(truth, dtype=np.float64)
    predicted = np.asarray(model.predict(inputs), dtype=np.float64)
    if predicted.shape != known.shape:
        raise ValueError(f"predictions have the shape {predicted.shape}, the truth {known.shape}")
    errors = np.abs(predicted - known).reshape(len(known), -1)
    return Intervals(
        level, tuple(conformal_quantile(column, level) for column in errors.T), len(known)
    )


def conformal_sets(
    model: Any,  # noqa: ANN401 - whatever has predict_proba()
    inputs: object,
    truth: object,
    *,
    level: float = 0.9,
) -> ClassSets:
    """Return class sets for a fitted classifier from rows that it has not learned from.

    Args:
        model: Any classifier with ``predict_proba`` and ``classes_``.
        inputs: Calibration rows.
        truth: Their classes, shape (N,).
        level: Share of new rows whose class is to be in its set.

    Raises:
        ValueError: If there are too few rows for the level, or a class that the model does not know.
    """
    known = np.asarray(truth)
    classes = np.asarray(model.classes_)
    unknown = sorted(set(known.tolist()) - set(classes.tolist()), key=str)
    if unknown:
        raise ValueError(
            f"the model does not know the class {unknown[0]!r}; it knows {classes.tolist()}"
        )
    given = np.asarray(model.predict_proba(inputs), dtype=np.float64)
    place = np.array([classes.tolist().index(label) for label in known.tolist()])
    score = 1.0 - given[np.arange(len(known)), place]
    return ClassSets(level, 1.0 - conformal_quantile(score, level), len(known))


def conformal_quantile(scores: Array, level: float) -> float:
    """Return the quantile of rank ``ceil(level (N + 1))`` of scores (N,).

    Raises:
        ValueError: If there are too few of them for the level, or one is no number.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must be between 0 and 1, got {level}")
    if not np.isfinite(scores).all():
        raise ValueError("calibration rows have errors that are no numbers; leave these rows out")
    rank = math.ceil(level * (len(scores) + 1) - 1e-9)
    if rank > len(scores):
        least = math.ceil(level / (1.0 - level) - 1e-9)
        raise ValueError(
            f"intervals at level {level:g} need {least} calibration rows, got {len(scores)}; "
            "give more, or lower the level"
        )
    return float(np.sort(scores)[rank - 1])
