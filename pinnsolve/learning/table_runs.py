"""A fit from table to document: data checked, split, learned from, calibrated, scored, audited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pinnsolve.energy import Meter, metered
from pinnsolve.learning.audit_values import Audit, Limits
from pinnsolve.learning.auditing import audit
from pinnsolve.learning.data.findings import Severity
from pinnsolve.learning.data.report import DataReport, Task, checked_task, data_report
from pinnsolve.learning.data.splits import Split, split_rows
from pinnsolve.learning.data.tables import require_columns
from pinnsolve.learning.explanation import permutation_importance
from pinnsolve.learning.table_scores import LEAST_ROWS, interval_cover, outside_share, scores
from pinnsolve.learning.table_sources import read_table

if TYPE_CHECKING:
    import pandas as pd

    from pinnsolve.learning.estimators import Classifier, Regressor
    from pinnsolve.learning.record import FitObserver


@dataclass(frozen=True)
class TableTask:
    """What is to be learned from a table.

    Attributes:
        source: A CSV file, or the name of a shipped table.
        target: Column to be predicted.
        groups: Column of groups that stay whole, or None.
        time: Column by which test rows come last, or None.
        task: Kind of target; None takes numbers for regression and text for classification.
        seed: Seed of split and training.
    """

    source: str
    target: str = "target"
    groups: str | None = None
    time: str | None = None
    task: Task | None = None
    seed: int = 0


@dataclass(frozen=True, eq=False)
class TableRun:
    """A fitted model with all that is known of it.

    Attributes:
        model: The model.
        report: The data report.
        audit: The audit on the test rows.
        document: What ``fit.json`` holds.
    """

    model: Regressor | Classifier
    report: DataReport
    audit: Audit
    document: Mapping[str, Any]

    @property
    def passed(self) -> bool:
        """Whether data checks and audit passed."""
        return self.report.passed and self.audit.passed


def prepared(task: TableTask) -> tuple[pd.DataFrame, Split, DataReport]:
    """Return the table of a task, its split and its data report.

    Raises:
        ValueError: If the table cannot be learned from: what is wrong, and the cure.
    """
    frame = read_table(task.source)
    require_columns(frame, (task.target,), "--target")
    require_columns(frame, (task.groups, task.time), "--groups, --time")
    _see_that_columns_differ(task)
    kind = checked_task(frame, task.target, task.task)
    if len(frame) < LEAST_ROWS:
        raise ValueError(
            f"{task.source} has {len(frame)} rows: too few to test and to audit on, which takes {LEAST_ROWS} at "
            "least; take ps.learning.Regressor in a script"
        )
    if kind == "regression" and frame[task.target].nunique() == 1:
        raise ValueError(
            f"target {task.target!r}: all {len(frame)} values are {frame[task.target].iloc[0]:g}, so there is "
            "nothing to learn; choose another column with --target"
        )
    stratified = kind == "classification" and task.groups is None and task.time is None
    split = split_rows(
        frame,
        groups=task.groups,
        time=task.time,
        stratify=task.target if stratified else None,
        seed=task.seed,
    )
    report = data_report(
        frame, task.target, task=kind, groups=task.groups, time=task.time, split=split
    )
    missing = [
        f for f in report.findings if f.check == "missing values" and f.severity is Severity.FAIL
    ]
    if missing:
        raise ValueError("; ".join(finding.message for finding in missing))
    return frame, split, report


def _see_that_columns_differ(task: TableTask) -> None:
    """Refuse a column that is to be two things.

    Raises:
        ValueError: If it is.
    """
    named = {"--target": task.target, "--groups": task.groups, "--time": task.time}
    for option, name in named.items():
        for other in (o for o, n in named.items() if n == name and o != option):
            if name is not None:
                raise ValueError(f"{option} and {other} are both {name!r}; give two columns")


def inputs_of(frame: pd.DataFrame, task: TableTask) -> pd.DataFrame:
    """Return the inputs of a task: all columns but target, groups and time.

    Raises:
        ValueError: If there is none left.
    """
    left = [n for n in frame.columns if n not in (task.target, task.groups, task.time)]
    if not left:
        raise ValueError(
            f"{task.source}: no column is left to learn from besides the target {task.target!r}"
        )
    return frame[left]


def truth_of(frame: pd.DataFrame, task: TableTask, kind: Task) -> Any:  # noqa: ANN401 - numbers or text
    """Return the target as an array (N,)."""
    column = frame[task.target]
    return (
        column.to_numpy(dtype=np.float64) if kind == "regression" else column.astype(str).to_numpy()
    )


def fit_table(
    task: TableTask,
    *,
    max_seconds: float = 300.0,
    limits: Limits | None = None,
    meter: Meter | None = None,
    observer: FitObserver | None = None,
    command: str = "",
    level: float = 0.9,
) -> TableRun:
    """Check a table, learn from it, and find out how good the model is.

    Args:
        task: What is to be learned.
        max_seconds: Time limit of training, in s.
        limits: What makes the audit fail.
        meter: How energy is measured; None estimates it.
        observer: Called after every epoch.
        command: The command line, for the document.
        level: Share of new rows that prediction intervals are to cover.

    Raises:
        ValueError: If the table cannot be learned from.
    """
    from pinnsolve.learning.estimators import Classifier, Regressor

    frame, split, report = prepared(task)
    inputs, truth = inputs_of(frame, task), truth_of(frame, task, report.task)
    make = Regressor if report.task == "regression" else Classifier
    model = make(max_seconds=max_seconds, random_state=task.seed)
    with metered(meter) as reading:
        model.fit(inputs.iloc[split.train], truth[split.train], observer=observer)
    test = inputs.iloc[split.test]
    audited = audited_rows(model, frame.iloc[split.test], task, report.task, limits)
    record = model.record_
    facts = {
        name: value
        for name, value in asdict(record).items()
        if name not in ("epochs", "stop", "versions")
    }
    energy = reading.energy
    document = {
        "format": FORMAT,
        "source": task.source,
        "task": asdict(task),
        "data": report.document(),
        "fit": {**facts, "stop": record.stop.value, "versions": dict(record.versions)},
        "energy": {**asdict(energy), "text": energy.text},
        "scores": scores(model, test, truth[split.test], report.task),
        "intervals": interval_cover(model, inputs, truth, split, report.task, level),
        "domain": outside_share(inputs, split),
        "audit": audited.document(),
        "command": command,
    }
    return TableRun(model, report, audited, document)


FORMAT = "pinnsolve fit"
"""The mark of a document that a fit wrote."""


def audited_rows(
    model: Any,  # noqa: ANN401 - a fitted estimator
    rows: pd.DataFrame,
    task: TableTask,
    kind: Task,
    limits: Limits | None,
    by: tuple[str, ...] = (),
) -> Audit:
    """Return the audit of a model on rows of a table, by its groups and further columns.

    Args:
        model: The model.
        rows: Rows that were not learned from, with the target.
        task: What was learned.
        kind: Kind of target.
        limits: What makes it fail.
        by: Further columns to compare groups by; they may be inputs.
    """
    require_columns(rows, by, "--by")
    named = tuple(dict.fromkeys([*by, *([] if task.groups is None else [task.groups])]))
    return audit(
        model,
        inputs_of(rows, task),
        truth_of(rows, task, kind),
        groups=rows[list(named)] if named else None,
        limits=limits,
        task=kind,
        seed=task.seed,
    )


def explained(model: Any, rows: pd.DataFrame, task: TableTask, kind: Task) -> dict[str, Any]:  # noqa: ANN401
    """Return the permutation importance of a model's inputs on rows, as plain data.

    Args:
        model: The model.
        rows: Rows that were not learned from, with the target.
        task: What was learned.
        kind: Kind of target.
    """
    found = permutation_importance(
        model, inputs_of(rows, task), truth_of(rows, task, kind), seed=task.seed
    )
    return {"rows": len(rows), "importance": [asdict(item) for item in found]}
