"""Drift: are new rows drawn from where the training rows came from?

One test per column (Kolmogorov and Smirnov for numbers, chi squared for categories), one for the rank correlations of
all pairs of numbers, and one for all columns together: how often a row's nearest neighbours are of its own table
(M. Schilling, "Multivariate two-sample tests based on nearest neighbors", J. Am. Stat. Assoc. 81, 1986). All p-values
are adjusted for being many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pinnsolve.learning.data.findings import Finding, Severity
from pinnsolve.learning.data.tables import (
    Array,
    as_frame,
    is_numeric,
    numbers,
    same_columns,
    space_of,
)
from pinnsolve.learning.statistics import LEVEL, holm

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ColumnDrift:
    """One test.

    Attributes:
        name: The column, or the name of a joint test.
        test: The test in words.
        size: How large the change is: the largest difference of the distribution functions, the total variation of
            categories, the largest change of a rank correlation, or how much more often neighbours are of the same
            table; from 0 to 1.
        p_value: Probability of such a size without drift, adjusted for the number of tests.
        drifted: Whether it is below the level.
    """

    name: str
    test: str
    size: float
    p_value: float
    drifted: bool


@dataclass(frozen=True)
class Drift:
    """All tests of a pair of tables.

    Attributes:
        columns: One test per column, and the two joint ones last.
        level: Probability of an alarm without drift, over all tests together.
        num_rows: Rows of the training data and of the new data.
    """

    columns: tuple[ColumnDrift, ...]
    level: float
    num_rows: tuple[int, int]

    @property
    def passed(self) -> bool:
        """Whether no drift was found."""
        return not any(column.drifted for column in self.columns)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What drifted, as findings of a data report."""
        return tuple(
            Finding(
                "drift",
                Severity.FAIL,
                f"{column.name}: the new data differ (size {column.size:.2f}, p = {column.p_value:.1e}, "
                f"{column.test}); see why, and train again with new rows if it stays",
                (column.name,),
            )
            for column in self.columns
            if column.drifted
        )


def find_drift(train: object, new: object, *, level: float = LEVEL, seed: int = 0) -> Drift:
    """Return the tests of new rows against training rows.

    Args:
        train: Training rows.
        new: New rows, with the same columns.
        level: Probability of an alarm without drift, over all tests together.
        seed: Seed of the joint test's sample and permutations.

    Raises:
        ValueError: If the columns differ, a column holds numbers on one side only, or rows are too few.
    """
    left, right = as_frame(train), as_frame(new)
    same_columns(left, right)
    if min(len(left), len(right)) < _LEAST_ROWS:
        raise ValueError(
            f"drift needs {_LEAST_ROWS} rows on both sides, got {len(left)} and {len(right)}; collect more"
        )
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must be between 0 and 1, got {level}")
    names = [str(name) for name in left.columns]
    tests = [_column_test(left[name], right[name]) for name in names]
    tests += [_pairs_test(left, right), _joint_test(left, right[left.columns], seed)]
    adjusted = holm([p for _, _, p in tests])
    columns = tuple(
        ColumnDrift(name, test, size, float(p), bool(p < level))
        for name, (test, size, _), p in zip([*names, PAIRS, JOINT], tests, adjusted, strict=True)
    )
    return Drift(columns, level, (len(left), len(right)))


PAIRS, JOINT = "pairs of columns", "all columns together"
"""Names of the joint tests."""

_LEAST_ROWS = 20


def _column_test(left: pd.Series[Any], right: pd.Series[Any]) -> tuple[str, float, float]:
    """Return test, size and p-value of one column; missing values are a category of their own."""
    from scipy.stats import chi2_contingency, ks_2samp

    if is_numeric(left) != is_numeric(right):
        raise ValueError(
            f"column {left.name!r} holds {left.dtype} in the training data and {right.dtype} in the new ones; "
            "convert it"
        )
    if is_numeric(left):
        a, b = numbers(left), numbers(right)
        a, b = a[np.isfinite(a)], b[np.isfinite(b)]
        if not (len(a) and len(b)):
            return "nothing to compare", 0.0, 1.0
        found = ks_2samp(a, b, method="asymp")
        return "Kolmogorov-Smirnov", float(found.statistic), float(found.pvalue)
    texts = [
        column.astype(object).where(column.notna(), "missing").astype(str)
        for column in (left, right)
    ]
    kinds = sorted(set(texts[0]) | set(texts[1]))
    if len(kinds) < 2:
        return "chi squared", 0.0, 1.0
    counts = np.array([[int((text == kind).sum()) for kind in kinds] for text in texts])
    shares = counts / counts.sum(axis=1, keepdims=True)
    size = 0.5 * float(np.abs(shares[0] - shares[1]).sum())
    return "chi squared", size, float(chi2_contingency(_gathered(counts)).pvalue)


def _gathered(counts: Any) -> Any:  # noqa: ANN401 - integers (2, K)
    """Return counts with rare categories put together, for which chi squared would be no distribution."""
    total = counts.sum(axis=0)
    rare = total * (counts.sum(axis=1).min() / counts.sum()) < _LEAST_EXPECTED
    if not rare.any() or rare.all():
        return counts
    kept = np.column_stack((counts[:, ~rare], counts[:, rare].sum(axis=1)))
    return kept if kept.shape[1] > 1 else counts


_LEAST_EXPECTED = 5.0
"""Expected count of a category below which it is put together with other rare ones."""


def _pairs_test(left: pd.DataFrame, right: pd.DataFrame) -> tuple[str, float, float]:
    """Return the test of rank correlations by Fisher's transform, for the pair that changed most.

    The variance of Spearman's coefficient is 1.06 / (N - 3) on that scale (E. Fieller, H. Hartley & E. Pearson,
    Biometrika 44, 1957).
    """
    from scipy.stats import norm

    names = [n for n in left.columns if is_numeric(left[n]) and left[n].nunique() > 2]
    names = [n for n in names if right[n].nunique() > 2]
    if len(names) < 2:
        return "rank correlations", 0.0, 1.0
    ranked = [np.asarray(part[names].corr(method="spearman")) for part in (left, right)]
    upper = np.triu_indices(len(names), k=1)
    # a pair that is bound to each other (correlation 1) has no variance of this kind
    a, b = (np.clip(matrix[upper], -_BOUND, _BOUND) for matrix in ranked)
    spread = np.sqrt(1.06 / (len(left) - 3) + 1.06 / (len(right) - 3))
    scores = np.nan_to_num(np.abs(np.arctanh(a) - np.arctanh(b)) / spread)
    worst = int(np.argmax(scores))
    p_value = min(1.0, 2.0 * float(norm.sf(scores[worst])) * len(scores))
    pair = f"rank correlation of {names[upper[0][worst]]} and {names[upper[1][worst]]}"
    return pair, float(min(1.0, abs(a[worst] - b[worst]))), p_value


_BOUND = 0.98
"""Rank correlations beyond this count as this."""

_MOST_ROWS, _NEIGHBOURS, _PERMUTATIONS = 800, 5, 200


def _joint_test(left: pd.DataFrame, right: pd.DataFrame, seed: int) -> tuple[str, float, float]:
    """Return the test by nearest neighbours; its null distribution is normal, with moments by permutation."""
    from scipy.spatial import cKDTree
    from scipy.stats import norm

    generator = np.random.default_rng(seed)
    if all(left[name].nunique() < 2 for name in left.columns):
        return "nearest neighbours", 0.0, 1.0
    space = space_of(left)
    parts = [
        space.points(part.iloc[generator.permutation(len(part))[:_MOST_ROWS]])
        for part in (left, right)
    ]
    points = np.concatenate(parts)
    points = points + 1e-9 * generator.standard_normal(points.shape)  # ties in any order
    label = np.repeat([0, 1], [len(part) for part in parts])
    _, nearest = cKDTree(points).query(points, k=_NEIGHBOURS + 1)
    nearest = nearest[:, 1:]

    def share(labels: Any) -> float:  # noqa: ANN401
        return float((labels[nearest] == labels[:, None]).mean())

    drawn: Array = np.array([share(generator.permutation(label)) for _ in range(_PERMUTATIONS)])
    excess = share(label) - float(drawn.mean())
    return (
        "nearest neighbours",
        max(excess, 0.0),
        float(norm.sf(excess / max(float(drawn.std(ddof=1)), 1e-12))),
    )
