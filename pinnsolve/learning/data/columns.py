"""Column by column: missing, constant, equal, the target in disguise, outliers, rare classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pinnsolve.learning.data.findings import Finding, Severity, first_rows, some
from pinnsolve.learning.data.tables import Array, is_numeric, numbers

if TYPE_CHECKING:
    import pandas as pd


def missing_values(frame: pd.DataFrame) -> list[Finding]:
    """Find columns with missing values or numbers that are not finite."""
    found = []
    for name in frame.columns:
        bad = frame[name].isna().to_numpy()
        if is_numeric(frame[name]):
            bad = ~np.isfinite(numbers(frame[name]))
        if bad.any():
            share = 100.0 * bad.mean()
            message = (
                f"{name}: {bad.sum()} of {len(bad)} values ({share:.2g} %) are missing or not finite; drop these rows, "
                "or fill them in on the training rows only"
            )
            found.append(
                Finding("missing values", Severity.FAIL, message, (name,), first_rows(bad))
            )
    return found


def constant_columns(frame: pd.DataFrame) -> list[Finding]:
    """Find columns with one value only."""
    names = [str(n) for n in frame.columns if frame[n].nunique(dropna=False) < 2]
    if not names:
        return []
    message = f"{some(names)}: one value only, so nothing can be learned from it; drop it"
    return [Finding("constant column", Severity.WARNING, message, tuple(names))]


def equal_columns(frame: pd.DataFrame) -> list[Finding]:
    """Find columns that hold the same values as one before."""
    from pandas.util import hash_pandas_object

    found: list[Finding] = []
    seen: dict[int, str] = {}
    for name in frame.columns:
        if frame[name].nunique(dropna=False) < 2:
            continue
        digest = hash(hash_pandas_object(frame[name], index=False).to_numpy().tobytes())
        first = seen.setdefault(digest, str(name))
        if first != name and frame[name].equals(frame[first]):
            message = f"{name} holds the same values as {first}; drop one"
            found.append(Finding("duplicate column", Severity.WARNING, message, (first, str(name))))
    return found


def target_in_features(frame: pd.DataFrame, target: str) -> list[Finding]:
    """Find inputs that are the target: equal, a straight line or any monotone function of it, or one value a class.

    Args:
        frame: Inputs and target.
        target: Name of the target.
    """
    found = []
    truth = frame[target]
    for name in frame.columns:
        if name == target or frame[name].nunique() < 2:
            continue
        how = _disguise(frame[name], truth)
        if how:
            message = f"{name} is {target} in disguise ({how}): what is to be predicted would be given; drop it"
            found.append(Finding("target in features", Severity.FAIL, message, (str(name), target)))
    return found


_LEAST_ROWS = 20
"""Rows below which a perfect relation may be chance."""


def _disguise(column: pd.Series[Any], truth: pd.Series[Any]) -> str:
    """Return how a column gives the target away, or nothing."""
    if len(column) < _LEAST_ROWS:
        return ""
    if column.equals(truth) or (column.astype(str) == truth.astype(str)).all():
        return "equal"
    few = truth.nunique() <= max(2, len(truth) // 20)
    if few and column.nunique() <= 4 * truth.nunique():
        classes = truth.groupby(column, observed=True).nunique()
        return (
            "each of its values stands for one value of the target" if (classes == 1).all() else ""
        )
    if is_numeric(column) and is_numeric(truth) and not few:
        return _monotone(numbers(column), numbers(truth))
    return ""


def _monotone(a: Array, b: Array) -> str:
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both], b[both]
    if len(a) < _LEAST_ROWS or np.ptp(a) == 0.0 or np.ptp(b) == 0.0:
        return ""
    if 1.0 - abs(float(np.corrcoef(a, b)[0, 1])) < 1e-9:
        return "a straight line of it"
    steps = np.diff(b[np.argsort(a, kind="stable")])
    rising = (np.sort(a)[1:] > np.sort(a)[:-1]).all() and ((steps > 0).all() or (steps < 0).all())
    return "a monotone function of it" if rising else ""


def outliers(frame: pd.DataFrame) -> list[Finding]:
    """Find values so far from the median that not one in a hundred normal samples of this size has any.

    The distance is counted in standard deviations, estimated from the median absolute deviation (B. Iglewicz &
    D. Hoaglin, "How to detect and handle outliers", 1993); four times the limit, which long tails reach, is a warning.
    """
    from scipy.stats import norm

    names = [n for n in frame.columns if is_numeric(frame[n]) and frame[n].nunique() > 10]
    found = []
    for name in names:
        values = numbers(frame[name])
        centred = np.abs(values - np.nanmedian(values))
        spread = 1.4826 * float(np.nanmedian(centred))
        if spread == 0.0:
            continue
        limit = max(3.5, float(norm.isf(0.005 / (len(values) * len(names)))))
        far = centred > limit * spread
        if far.any():
            worst = float(np.nanmax(centred)) / spread
            severity = Severity.WARNING if worst > 4.0 * limit else Severity.NOTE
            message = (
                f"{name}: {far.sum()} values are more than {limit:.1f} standard deviations from the median, "
                f"the farthest {worst:.1f}; see whether they were measured"
            )
            found.append(Finding("outliers", severity, message, (str(name),), first_rows(far)))
    return found


def rare_classes(
    truth: pd.Series[Any], *, least_share: float = 0.05, least_rows: int = 20
) -> list[Finding]:
    """Find classes with few rows.

    Args:
        truth: The target of a classifier.
        least_share: Share of an even one's rows below which a class is rare.
        least_rows: Rows below which it is, too.

    Raises:
        ValueError: If there is one class only.
    """
    counts = truth.value_counts(dropna=True)
    if len(counts) < 2:
        raise ValueError(
            f"target {truth.name!r} has one class only ({some(counts.index)}); a classifier needs rows of two or more"
        )
    least = max(least_rows, least_share * 2.0 * len(truth) / len(counts))
    rare = counts[counts < least]
    if not len(rare):
        return []
    listed = some(f"{label} ({count} rows)" for label, count in rare.items())
    message = (
        f"rare classes of {truth.name}: {listed}; judge by balanced accuracy, and collect more rows "
        "of them, or weight them"
    )
    return [Finding("class imbalance", Severity.WARNING, message, (str(truth.name),))]
