"""Audit: is a model as good for every group, region and range of the inputs as on the whole?

Errors on rows that were not learned from are compared between each part and all other rows, by their size and by their
sign. A part fails if the difference is larger than a limit *and* no chance: p-values are adjusted for the number of
comparisons, so that a model that treats all alike passes in 99 of 100 draws. Regions and ranges of a classifier with
probabilities are held to what it expects of itself: near the border between classes any model errs. Parts with too few
rows are named, not scored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pinnsolve.learning.audit_parts import group_parts, range_parts, region_parts
from pinnsolve.learning.audit_values import Audit, Limits, PartError
from pinnsolve.learning.data.tables import Array, as_frame
from pinnsolve.learning.statistics import (
    bootstrap_interval,
    difference_p_value,
    holm,
    mean_p_value,
)

Mask = npt.NDArray[np.bool_]


Task = Literal["regression", "classification"]


def audit(
    model: Any,  # noqa: ANN401 - whatever has predict()
    inputs: object,
    truth: object,
    *,
    groups: object | None = None,
    limits: Limits | None = None,
    task: Task | None = None,
    seed: int = 0,
) -> Audit:
    """Audit a fitted model on rows that it has not learned from.

    Args:
        model: Any estimator with ``predict``.
        inputs: Rows as the model takes them.
        truth: Their targets, shape (N,).
        groups: One or several columns to compare groups by, named: a data frame, or a mapping of names to shape (N,);
            they need not be inputs. None looks at regions and ranges only.
        limits: What makes it fail; None takes the defaults.
        task: Kind of target; None asks the model whether it is a classifier.
        seed: Seed of regions and bootstrap.

    Raises:
        ValueError: If lengths differ, values are missing, or a row is predicted as something that is no number.
    """
    kind = (
        task
        if task is not None
        else "classification"
        if hasattr(model, "classes_")
        else "regression"
    )
    frame = as_frame(inputs)
    known = np.asarray(truth)
    if known.shape != (len(frame),):
        raise ValueError(
            f"truth needs the shape ({len(frame)},), as many as rows, got {known.shape}"
        )
    predicted = np.asarray(model.predict(inputs))
    if predicted.shape != known.shape:
        raise ValueError(
            f"the model predicts the shape {predicted.shape} where the truth has {known.shape}; "
            "audit one target at a time"
        )
    if kind == "classification":
        loss = (predicted.astype(str) != known.astype(str)).astype(np.float64)
        signed = loss - _expected(model, inputs, loss)
    else:
        signed = predicted.astype(np.float64) - known.astype(np.float64)
        loss = np.abs(signed)
    named = {} if groups is None else _group_columns(groups, len(frame))
    return audit_errors(
        loss, signed, frame, named, limits if limits is not None else Limits(), kind, seed=seed
    )


def audit_errors(
    loss: Array,
    signed: Array,
    inputs: object,
    groups: Mapping[str, npt.NDArray[Any]],
    limits: Limits,
    task: Task,
    *,
    seed: int,
) -> Audit:
    """Audit errors that are known already, of a solution against a reference say.

    Args:
        loss: Size of the error of every row, shape (N,).
        signed: Signed errors, shape (N,); zeros if they have no sign.
        inputs: The rows, shape (N, D).
        groups: One label per row, by name.
        limits: What makes it fail.
        task: ``classification`` if a loss is 1 for wrong and 0 for right.
        seed: Seed of regions and bootstrap.
    """
    if not (np.isfinite(loss).all() and np.isfinite(signed).all()):
        row = int(np.flatnonzero(~(np.isfinite(loss) & np.isfinite(signed)))[0])
        raise ValueError(
            f"row {row} has an error that is no number; leave out rows without truth or inputs"
        )
    frame = as_frame(inputs)
    masks = [
        *group_parts(groups),
        *region_parts(frame, limits.num_regions, limits.least_rows, seed),
        *range_parts(frame, limits.num_ranges),
    ]
    views = [_view(kind, loss, signed, task) for kind, _, _ in masks]
    plain = [_p_value(v, mask, limits) for v, (_, _, mask) in zip(views, masks, strict=True)]
    p_values = _adjusted(plain, [kind == "group" for kind, _, _ in masks])
    size = float(np.sqrt(np.mean(signed**2))) or 1.0
    parts = tuple(
        _part(kind, name, mask, view, float(p), size, limits, seed)
        for view, (kind, name, mask), p in zip(views, masks, p_values, strict=True)
    )
    everything = np.ones(len(loss), dtype=bool)
    whole = _part(
        "all rows", "", everything, _view("group", loss, signed, task), 1.0, size, limits, seed
    )
    metric = "share of wrong rows" if task == "classification" else "mean absolute error"
    return Audit(metric, whole, parts, limits, _spread(loss, groups, limits))


def _group_columns(groups: object, number: int) -> dict[str, npt.NDArray[Any]]:
    columns = groups if isinstance(groups, Mapping) else as_frame(groups)
    named = {str(name): np.asarray(columns[name]).astype(str) for name in columns}
    for name, column in named.items():
        if column.shape != (number,):
            raise ValueError(f"groups {name!r} needs the shape ({number},), got {column.shape}")
    return named


def _scored(mask: Mask, limits: Limits) -> bool:
    return bool(limits.least_rows <= mask.sum() <= len(mask) - limits.least_rows)


@dataclass(frozen=True)
class _View:
    """Errors as one kind of part is judged by them.

    Attributes:
        loss: Size of the error, shape (N,).
        signed: Signed errors, shape (N,).
        by_size: Whether the size counts.
        by_rank: Whether signs are compared by ranks; else by means.
    """

    loss: Array
    signed: Array
    by_size: bool
    by_rank: bool

    @property
    def by_sign(self) -> bool:
        return bool(self.signed.any())

    def level_of(self, rows: Mask) -> float:
        """Return what signed errors of other rows are around; by ranks one bad part does not shift it much."""
        return float(np.median(self.signed[rows]) if self.by_rank else self.signed[rows].mean())


def _view(kind: str, loss: Array, signed: Array, task: Task) -> _View:
    """Return how a kind of part is judged: where a classifier is unsure by itself, more errors are no fault."""
    expects = task == "classification" and bool(signed.any())
    return _View(loss, signed, kind == "group" or not expects, task == "regression")


def _expected(model: Any, inputs: object, loss: Array) -> Array:  # noqa: ANN401
    """Return the share of wrong rows that a classifier expects of itself, row by row; the loss if it expects none."""
    if not hasattr(model, "predict_proba"):
        return loss
    return np.asarray(1.0 - np.max(model.predict_proba(inputs), axis=1), dtype=np.float64)


def _adjusted(p_values: Sequence[float], is_group: Sequence[bool]) -> Array:
    """Return p-values adjusted for their number; half of the level is for named groups, which are few."""
    given, named = np.asarray(p_values), np.asarray(is_group, dtype=bool)
    families = [rows for rows in (named, ~named) if rows.any()]
    adjusted = np.ones(len(given))
    for rows in families:
        adjusted[rows] = np.minimum(1.0, len(families) * holm(given[rows]))
    return adjusted


def _p_value(view: _View, mask: Mask, limits: Limits) -> float:
    """Return the p-value of a part against all other rows, of size and sign together."""
    if not _scored(mask, limits):
        return 1.0
    tests = []
    if view.by_size:
        tests.append(difference_p_value(view.loss[mask], view.loss[~mask]))
    if view.by_sign:
        compare = difference_p_value if view.by_rank else mean_p_value
        tests.append(compare(view.signed[mask], view.signed[~mask]))
    return min(1.0, len(tests) * min(tests))


def _part(
    kind: str,
    name: str,
    mask: Mask,
    view: _View,
    p_value: float,
    size: float,
    limits: Limits,
    seed: int,
) -> PartError:
    number, rest = int(mask.sum()), ~mask
    loss, signed = view.loss[mask], view.signed[mask]
    if number < limits.least_rows or (rest.any() and rest.sum() < limits.least_rows):
        least = min(number, int(rest.sum()) or number)
        few = f"too few rows to score: {least}, at least {limits.least_rows} are needed"
        nothing = (math.nan, math.nan)
        return PartError(
            kind, name, number, math.nan, nothing, math.nan, nothing, 1.0, few, scored=False
        )
    error, bias = float(loss.mean()), float(signed.mean())
    interval = bootstrap_interval(loss, seed=seed, num_draws=_DRAWS)
    bias_interval = (0.0, 0.0)
    if view.by_sign:
        bias_interval = bootstrap_interval(signed, seed=seed, num_draws=_DRAWS)
    reasons = []
    if rest.any() and p_value < limits.level:
        others, shift = float(view.loss[rest].mean()), bias - view.level_of(rest)
        if view.by_size and error > limits.ratio * others:
            times = error / max(others, 1e-300)
            reasons.append(
                f"error {error:.3g} is {times:.2g} times that of other rows, {others:.3g}"
            )
        if abs(shift) > limits.bias * size:
            reasons.append(_shift_text(shift, view))
    if limits.error is not None and interval[0] > limits.error:
        reasons.append(f"error {error:.3g} is above the limit {limits.error:g}")
    why = "; ".join(reasons)
    return PartError(kind, name, number, error, interval, bias, bias_interval, p_value, why)


def _shift_text(shift: float, view: _View) -> str:
    if view.by_rank:
        return f"predictions are {abs(shift):.3g} too {'high' if shift > 0 else 'low'} beside other rows"
    more = "more" if shift > 0 else "less"
    return (
        f"{abs(shift):.3g} {more} of the rows are wrong than the model expects, beside other rows"
    )


_DRAWS = 400
"""Draws of a bootstrap interval."""


def _spread(loss: Array, groups: Mapping[str, npt.NDArray[Any]], limits: Limits) -> float:
    """Return the largest error of a group over the smallest, worst over the columns, as fairlearn counts it."""
    if not groups:
        return 1.0
    from fairlearn.metrics import MetricFrame

    worst = 1.0
    for column in groups.values():
        values, counts = np.unique(column, return_counts=True)
        kept = np.isin(column, values[counts >= limits.least_rows])
        if len(np.unique(column[kept])) < 2:
            continue
        frame = MetricFrame(
            metrics=_mean_loss,
            y_true=loss[kept],
            y_pred=loss[kept],
            sensitive_features=column[kept],
        )
        ratio = float(frame.ratio(method="between_groups"))
        worst = max(worst, 1.0 / ratio if ratio > 0.0 else float("inf"))
    return worst


def _mean_loss(loss: Array, _: Array) -> float:
    return float(np.mean(loss))
