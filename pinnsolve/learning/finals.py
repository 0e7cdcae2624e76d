"""The final choice of tuning: the best trials are measured again on other folds, and of equals the simplest is taken.

The smallest of many errors on the same folds is small partly by chance. What lies within one standard error of the best
mean is as good (L. Breiman et al., "Classification and Regression Trees", 1984, section 3.4.3); the standard error is
that of the difference on the same folds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Errors = Mapping[tuple[int, int], Sequence[float]]
"""Errors by fold, of trial and repeat."""


@dataclass(frozen=True)
class Contender:
    """A trial that ended.

    Attributes:
        number: Its number.
        error: Its error.
        seconds: CPU seconds of one fit or solve.
        defaults: Whether it is the defaults.
    """

    number: int
    error: float
    seconds: float
    defaults: bool


def finalists(contenders: Sequence[Contender]) -> tuple[Contender, ...]:
    """Return the few best, and none that is worse than the defaults.

    Args:
        contenders: All trials that ended, at least one.
    """
    ranked = sorted(contenders, key=lambda one: (one.error, not one.defaults))
    default = next((one for one in ranked if one.defaults), None)
    most = _NEAR * ranked[0].error
    if default is not None:
        most = min(most, default.error)
    return tuple(one for one in ranked if one.error <= most)[:_MOST]


def wanted(chosen: Sequence[Contender], known: Errors, repeats: int) -> Iterator[tuple[int, int]]:
    """Yield the trials and repeats that are still to be measured, round by round.

    Args:
        chosen: The finalists.
        known: What was measured.
        repeats: Number of repeats.
    """
    if len(chosen) < 2:
        return
    for repeat in range(1, repeats + 1):
        for one in chosen:
            if (one.number, repeat) not in known:
                yield one.number, repeat


def winner(chosen: Sequence[Contender], known: Errors, repeats: int) -> Contender:
    """Return the simplest of those that are as good as the best: the defaults, or the quickest.

    Args:
        chosen: The finalists, the best first.
        known: Errors by fold of trials and repeats; the trial itself is repeat 0. Rounds that are not
            complete do not count.
        repeats: Number of repeats.
    """
    rounds = [
        repeat
        for repeat in range(repeats + 1)
        if all(known.get((one.number, repeat)) for one in chosen)
    ]
    if not rounds:
        return chosen[0]
    errors = {
        one.number: np.concatenate([known[one.number, repeat] for repeat in rounds])
        for one in chosen
    }
    best = min(chosen, key=lambda one: float(errors[one.number].mean()))
    equal = [one for one in chosen if _equal(errors[one.number] - errors[best.number])]
    return min(equal, key=lambda one: (not one.defaults, one.seconds))


def _equal(difference: np.ndarray) -> bool:
    """Return whether a mean difference by folds is within its standard error."""
    if len(difference) < 2:
        return not difference.any()
    spread = float(difference.std(ddof=1)) / math.sqrt(len(difference))
    return float(difference.mean()) <= spread


_MOST = 3
"""Finalists."""

_NEAR = 1.5
"""Error over the smallest one up to which a trial may be a finalist."""
