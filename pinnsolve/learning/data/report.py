"""The data report: everything that was found in a table, as one value, and as text, JSON and a page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pinnsolve.learning.data.columns import (
    constant_columns,
    equal_columns,
    missing_values,
    outliers,
    rare_classes,
    target_in_features,
)
from pinnsolve.learning.data.drift import Drift, find_drift
from pinnsolve.learning.data.findings import Finding, Severity, passed
from pinnsolve.learning.data.leakage import find_leakage
from pinnsolve.learning.data.schema import Schema, infer_schema
from pinnsolve.learning.data.splits import Split
from pinnsolve.learning.data.tables import as_frame, is_numeric, require_columns
from pinnsolve.learning.data.units import unit_findings
from pinnsolve.report.html import page_environment

if TYPE_CHECKING:
    import pandas as pd

Task = Literal["regression", "classification"]

TEMPLATES = Path(__file__).parent.parent / "templates"
"""Where the pages of this package have their templates."""


@dataclass(frozen=True)
class DataReport:
    """What is known of a table before anything is learned from it.

    Attributes:
        num_rows: Number of rows.
        target: Column to be predicted.
        task: Kind of target.
        schema: Its columns.
        findings: What was found, the gravest first.
        split: The rows' split, or None if they are not split yet.
        drift: The tests against new data, or None if there are none.
    """

    num_rows: int
    target: str
    task: Task
    schema: Schema
    findings: tuple[Finding, ...]
    split: Split | None = None
    drift: Drift | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing was found that forbids to learn from the table as it is."""
        return passed(self.findings)

    @property
    def text(self) -> str:
        """Return it for a terminal."""
        lines = [
            f"{self.num_rows} rows, {len(self.schema.columns)} columns; {self.task} of {self.target}",
            *([] if self.split is None else [self.split.text]),
            *(f"{f.severity.value}: {f.check}: {f.message}" for f in self.findings),
        ]
        return "\n".join(lines if self.findings else [*lines, "nothing found"])

    def document(self) -> dict[str, object]:
        """Return it as plain data, ready for JSON."""
        drift = None if self.drift is None else [vars(column) for column in self.drift.columns]
        return {
            "rows": self.num_rows,
            "target": self.target,
            "task": self.task,
            "passed": self.passed,
            "split": None if self.split is None else self.split.text,
            "schema": self.schema.document(),
            "findings": [finding.document() for finding in self.findings],
            "drift": drift,
        }

    def json(self) -> str:
        """Return it as a strict JSON document."""
        return json.dumps(self.document(), indent=2, allow_nan=False, ensure_ascii=False) + "\n"

    def page(self) -> str:
        """Return it as an HTML page that needs nothing else."""
        return page_environment(TEMPLATES).get_template("data_report.html.j2").render(report=self)


def data_report(
    data: object,
    target: str,
    *,
    task: Task | None = None,
    groups: str | None = None,
    time: str | None = None,
    split: Split | None = None,
    new: object | None = None,
) -> DataReport:
    """Check a table.

    Args:
        data: Inputs and target, a data frame.
        target: Column to be predicted.
        task: Kind of target; None takes numbers for regression and text for classification.
        groups: Column of groups that must not be on both sides of the split; not an input.
        time: Column by which test rows come last; not an input.
        split: The split, whose leakage is looked for; None looks for none.
        new: Further rows, with the inputs at least, whose drift is looked for.

    Raises:
        ValueError: If a column is not there, the target is not numeric for regression, is missing in some rows, or has
            one class only; if new data lack inputs.
    """
    frame = as_frame(data)
    require_columns(frame, (target,), "target")
    require_columns(frame, (groups, time), "groups and time")
    kind = checked_task(frame, target, task)
    given = [name for name in frame.columns if name not in (groups, time)]
    inputs = [name for name in given if name != target]
    if not inputs:
        raise ValueError(f"there is no input left besides the target {target!r}")
    table = frame[given]
    found = [*missing_values(table), *constant_columns(table), *equal_columns(table[inputs])]
    found += target_in_features(table, target)
    found += outliers(table)
    if kind == "classification":
        found += rare_classes(frame[target])
    if split is not None:
        found += find_leakage(
            frame.iloc[split.train], frame.iloc[split.test], target=target, groups=groups, time=time
        )
    drift = None
    other = None if new is None else as_frame(new)
    found += unit_findings(frame[inputs], other)
    schema = infer_schema(table)
    if other is not None:
        inputs_only = Schema(tuple(c for c in schema.columns if c.name in inputs))
        found += inputs_only.check(
            other[[n for n in other.columns if n not in (target, groups, time)]]
        )
        if set(inputs) <= set(other.columns):
            drift = find_drift(frame[inputs], other[inputs])
            found += drift.findings
    order = list(Severity)
    ranked = tuple(sorted(found, key=lambda finding: order.index(finding.severity)))
    return DataReport(len(frame), target, kind, schema, ranked, split, drift)


def checked_task(frame: pd.DataFrame, target: str, task: Task | None) -> Task:
    """Return the kind of target.

    Raises:
        ValueError: If it is not numeric for regression, or missing in some rows.
    """
    truth = frame[target]
    if truth.isna().any():
        rows = truth.isna().to_numpy().nonzero()[0]
        raise ValueError(
            f"target {target!r} is missing in {len(rows)} rows, the first of them row {rows[0]}; drop these rows"
        )
    if task not in (None, "regression", "classification"):
        raise ValueError(f"task must be regression or classification, got {task!r}")
    if task == "regression" and not is_numeric(truth):
        raise ValueError(
            f"target {target!r} is not numeric (it holds {truth.iloc[0]!r}); convert it, or take task='classification'"
        )
    if task is not None:
        return task
    return "regression" if is_numeric(truth) else "classification"
