"""Rows of the report: a quantity against its target, over all seeds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .one_run import Document

_EXACT = " against the exact solution"
"""How the verdict names errors of fields."""

_STANDARD_DEVIATIONS = 3.0
"""How many of them an identified number may be off."""

_BOUND_SHARE = 0.3
"""How far the standard deviation of an identified number may be off its Cramer-Rao bound, relative to it."""


@dataclass(frozen=True)
class Row:
    """One quantity of one case. All numbers but percentages and ratios are in its unit.

    Attributes:
        quantity: Its name.
        unit: Its unit.
        target: What it should be (D), or None.
        uncertainty: How far the target itself may be off, or None if that is not known.
        source: Where the target comes from.
        tolerance: Accepted deviation from the target, stated before the run, or None.
        values: What came out (S), one number per seed, None where there is none.
        mean: Mean over the seeds.
        half_width: Half of the 95 % confidence interval of the mean (Student's t); None for one seed.
        number: Number of seeds with a value.
    """

    quantity: str
    unit: str
    target: float | None
    uncertainty: float | None
    source: str
    tolerance: float | None
    values: tuple[float | None, ...]
    mean: float | None
    half_width: float | None
    number: int

    @property
    def error(self) -> float | None:
        """E = S - D, of the mean."""
        if self.mean is None or self.target is None:
            return None
        return self.mean - self.target

    @property
    def error_percent(self) -> float | None:
        """E / D in percent; None for a target of 0."""
        return 100.0 * self.error / self.target if self.error is not None and self.target else None

    @property
    def ratio(self) -> float | None:
        """S / D; None for a target of 0."""
        return self.mean / self.target if self.mean is not None and self.target else None

    @property
    def deviations(self) -> tuple[float, ...]:
        """Distance from the target, one number per seed; infinite where there is no value."""
        if self.target is None:
            return ()
        return tuple(
            math.inf if value is None else abs(value - self.target) for value in self.values
        )

    @property
    def passed(self) -> bool | None:
        """Whether every seed is within the tolerance; None if nothing is asked for."""
        if self.target is None or self.tolerance is None:
            return None
        return all(deviation <= self.tolerance for deviation in self.deviations)

    def document(self) -> dict[str, Any]:
        """Return the row as plain data."""
        return {
            "quantity": self.quantity,
            "unit": self.unit,
            "target": self.target,
            "target_uncertainty": self.uncertainty,
            "source": self.source,
            "tolerance": self.tolerance,
            "values": list(self.values),
            "mean": self.mean,
            "half_width_95": self.half_width,
            "n": self.number,
            "error": self.error,
            "error_percent": self.error_percent,
            "ratio": self.ratio,
            "passed": self.passed,
        }


def row_of(document: Mapping[str, Any]) -> Row:
    """Return a row from its document.

    Args:
        document: What :meth:`Row.document` returned.
    """
    return Row(
        document["quantity"],
        document["unit"],
        document["target"],
        document["target_uncertainty"],
        document["source"],
        document["tolerance"],
        tuple(document["values"]),
        document["mean"],
        document["half_width_95"],
        document["n"],
    )


def spread(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Return the mean and half of its 95 % confidence interval, of a normal distribution.

    Args:
        values: The sample; the half width of fewer than two is None, and the mean of none.
    """
    if not values:
        return None, None
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, None
    from scipy.special import stdtrit

    factor = float(stdtrit(len(values) - 1, 0.975))
    return mean, factor * float(np.std(values, ddof=1)) / math.sqrt(len(values))


def rows_of(runs: Sequence[Document]) -> tuple[Row, ...]:
    """Return the rows of a case.

    Args:
        runs: One per seed; those that crashed count as values that are missing.
    """
    found = [{} if run["error"] else {row.quantity: row for row in _rows(run)} for run in runs]
    names = dict.fromkeys(name for rows in found for name in rows)
    return tuple(_joined([rows.get(name) for rows in found]) for name in names)


def _joined(rows: Sequence[Row | None]) -> Row:
    present = [row for row in rows if row is not None]
    values = tuple(None if row is None else row.values[0] for row in rows)
    known = [value for value in values if value is not None]
    tolerances = [row.tolerance for row in present if row.tolerance is not None]
    return Row(
        present[0].quantity,
        present[0].unit,
        present[0].target,
        present[0].uncertainty,
        present[0].source,
        min(tolerances, default=None),
        values,
        *spread(known),
        len(known),
    )


def _rows(run: Document) -> Iterator[Row]:
    """Yield what a single run says: quantities, errors of fields, identified numbers."""
    for item in run["quantities"]:
        yield _row(
            item["name"],
            item["unit"],
            item["target"],
            item["target_uncertainty"],
            item.get("trouble") or item["source"],
            item["tolerance"],
            item["value"],
        )
    for check in run["verdict"]["checks"]:
        field, exact, _ = check["name"].partition(_EXACT)
        if exact:
            words = "exact solution; tolerance: accuracy asked for"
            name = f"{field} rel. L2 error"
            yield _row(name, "", 0.0, 0.0, words, check["limit"], check["value"])
    for item in run["unknowns"]:
        yield from _unknown_rows(item, run.get("bounds", {}).get(item["name"]))


def _unknown_rows(item: Mapping[str, Any], bound: float | None) -> Iterator[Row]:
    """Yield an identified number and, if its Cramer-Rao bound is known, its standard deviation beside it."""
    truth = item["truth"]
    off = (
        None if truth is None else _STANDARD_DEVIATIONS * (item["std"] if bound is None else bound)
    )
    kind = "standard deviations" if bound is None else "Cramer-Rao bounds"
    words = "" if truth is None else f"value behind the data; tolerance: 3 {kind}"
    yield _row(item["name"], item["unit"], truth, None, words, off, item["value"])
    if bound is not None:
        name = f"std of {item['name']} / Cramer-Rao bound"
        words = "exact sensitivities"
        share = None if item["std"] is None else item["std"] / bound
        yield _row(name, "", 1.0, 0.0, words, _BOUND_SHARE, share)


def _row(
    name: str,
    unit: str,
    target: float | None,
    uncertainty: float | None,
    source: str,
    tolerance: float | None,
    value: float | None,
) -> Row:
    number = int(value is not None)
    return Row(name, unit, target, uncertainty, source, tolerance, (value,), value, None, number)
