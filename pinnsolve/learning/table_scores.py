"""How good a fitted model is on the test rows: errors, cover of its intervals, share of rows out of the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pinnsolve.learning.data.report import Task
from pinnsolve.learning.data.splits import Split
from pinnsolve.learning.data.tables import Array
from pinnsolve.learning.domain import domain_of
from pinnsolve.learning.intervals import conformal_intervals, conformal_sets
from pinnsolve.learning.statistics import bootstrap_interval

if TYPE_CHECKING:
    import pandas as pd

LEAST_ROWS = 20
"""Least rows of a table that is split, calibrated and audited."""

_OUTSIDE = 0.01
"""Share of rows like the training rows that count as out of the domain."""


def scores(model: Any, inputs: object, truth: Any, kind: Task) -> dict[str, Any]:  # noqa: ANN401
    """Return how good a model is on rows that it has not learned from, with bootstrap intervals.

    Args:
        model: The model.
        inputs: Rows.
        truth: Their targets, shape (N,).
        kind: Kind of target.
    """
    measures: list[dict[str, Any]] = []

    def add(name: str, rows: Array, statistic: Any = None) -> None:  # noqa: ANN401
        mean = float(np.mean(rows))
        value = mean if statistic is None else float(statistic(np.asarray(mean)))
        interval = bootstrap_interval(rows, seed=0, statistic=statistic)
        measures.append({"name": name, "value": value, "interval": sorted(interval)})

    if kind == "regression":
        errors = np.asarray(model.predict(inputs)) - truth
        variance = float(np.var(truth)) or 1.0
        add("mean absolute error", np.abs(errors))
        add("root mean square error", errors**2, np.sqrt)
        add("R2", errors**2, lambda mean: 1.0 - mean / variance)
    else:
        wrong = (np.asarray(model.predict(inputs)).astype(str) != truth.astype(str)).astype(
            np.float64
        )
        add("accuracy", 1.0 - wrong)
        chances = np.asarray(model.predict_proba(inputs))
        place = {str(label): k for k, label in enumerate(model.classes_)}
        known = np.array([place.get(str(label), -1) for label in truth])
        of_truth = np.where(known >= 0, chances[np.arange(len(truth)), known], 0.0)
        add("log loss", -np.log(np.maximum(of_truth, 1e-12)))
    return {"rows": len(truth), "measures": measures}


def interval_cover(
    model: Any,  # noqa: ANN401
    inputs: pd.DataFrame,
    truth: Any,  # noqa: ANN401
    split: Split,
    kind: Task,
    level: float,
) -> dict[str, Any] | None:
    """Return the conformal interval with its cover on the test rows; None with too few calibration rows."""
    calibration, test = inputs.iloc[split.calibration], inputs.iloc[split.test]
    if len(split.calibration) < np.ceil(level / (1.0 - level)):
        return None
    if kind == "regression":
        found = conformal_intervals(model, calibration, truth[split.calibration], level=level)
        low, high = found.around(model.predict(test))
        inside = (low <= truth[split.test]) & (truth[split.test] <= high)
        what, value = "Half width of prediction intervals", found.half_width[0]
    else:
        sets = conformal_sets(model, calibration, truth[split.calibration], level=level)
        chosen = sets.of(model.predict_proba(test))
        inside = chosen[np.arange(len(test)), np.searchsorted(model.classes_, truth[split.test])]
        what, value = (
            "Least probability of a class in the set of likely ones",
            sets.least_probability,
        )
    rows = len(split.calibration)
    return {
        "what": what,
        "value": value,
        "level": level,
        "rows": rows,
        "covered": float(inside.mean()),
    }


def outside_share(inputs: pd.DataFrame, split: Split) -> dict[str, Any] | None:
    """Return the share of test rows out of the domain; None with too few training rows."""
    if len(split.train) < LEAST_ROWS:
        return None
    outside = domain_of(inputs.iloc[split.train]).outside(inputs.iloc[split.test], level=_OUTSIDE)
    return {"level": _OUTSIDE, "test_share": float(outside.mean())}
