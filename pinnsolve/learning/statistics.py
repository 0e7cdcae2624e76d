"""What several checks share: many tests at once, intervals by bootstrap, two groups of numbers compared."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

LEVEL = 0.01
"""Probability that a family of tests on sound data raises an alarm: it fails in 1 of 100 clean sets."""


def holm(p_values: npt.ArrayLike) -> Array:
    """Return p-values adjusted for being many, shape (K,).

    Rejecting those below a level errs anywhere in the family with at most that probability, however the tests depend on
    each other (S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6, 1979).

    Args:
        p_values: Shape (K,).
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    factors = np.arange(len(given), 0, -1)
    stepped = np.maximum.accumulate(given[order] * factors)
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def bootstrap_interval(
    values: npt.ArrayLike,
    *,
    seed: int,
    level: float = 0.95,
    num_draws: int = 1000,
    statistic: Callable[[Array], Array] | None = None,
) -> tuple[float, float]:
    """Return an interval for a mean, or a function of it, by drawing rows again (percentiles).

    Args:
        values: One number per row, shape (N,).
        seed: Seed of the draws.
        level: Share of repetitions that the interval is to cover.
        num_draws: Number of draws.
        statistic: What is made of the means, elementwise; None leaves them.
    """
    given = np.asarray(values, dtype=np.float64)
    generator = np.random.default_rng(seed)
    at_once = max(1, 2_000_000 // max(len(given), 1))
    means = np.concatenate(
        [
            given[
                generator.integers(len(given), size=(min(at_once, num_draws - i), len(given)))
            ].mean(axis=1)
            for i in range(0, num_draws, at_once)
        ]
    )
    wanted = means if statistic is None else statistic(means)
    low, high = np.quantile(wanted, [0.5 - 0.5 * level, 0.5 + 0.5 * level])
    return float(low), float(high)


def difference_p_value(inside: Array, outside: Array) -> float:
    """Return the p-value of "both are drawn from one distribution", two-sided.

    Ranks are compared (Mann and Whitney), so that heavy tails raise no alarm; where there are two values only, right
    or wrong, Fisher's exact test.

    Args:
        inside: Shape (N,).
        outside: Shape (M,).
    """
    from scipy.stats import fisher_exact, mannwhitneyu

    both = np.concatenate((inside, outside))
    kinds = np.unique(both)
    if len(kinds) == 1:
        return 1.0
    if len(kinds) == 2:
        table = [[int((part == kind).sum()) for kind in kinds] for part in (inside, outside)]
        return float(fisher_exact(table).pvalue)
    return float(mannwhitneyu(inside, outside, method="asymptotic").pvalue)


def mean_p_value(inside: Array, outside: Array) -> float:
    """Return the p-value of "both have one mean", two-sided (Welch).

    Args:
        inside: Shape (N,).
        outside: Shape (M,).
    """
    from scipy.stats import ttest_ind

    if np.ptp(inside) == 0.0 and np.ptp(outside) == 0.0:
        return 1.0 if inside[0] == outside[0] else 0.0
    return float(ttest_ind(inside, outside, equal_var=False).pvalue)
