"""Leakage: test rows that were seen in training, exactly, nearly, by their group, or by what came later.

Near duplicates are found by their distance in standardised inputs. Were test rows drawn as the training rows were,
their nearest neighbours would be as far: the number of axes along which rows really vary tells how rarely chance
brings two rows that close (E. Facco et al., "Estimating the intrinsic dimension of datasets by a minimal neighborhood
information", Sci. Rep. 7, 2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pinnsolve.learning.data.findings import Finding, Severity, first_rows, some
from pinnsolve.learning.data.splits import times_of
from pinnsolve.learning.data.tables import Array, as_frame, require_columns, same_columns, space_of
from pinnsolve.learning.statistics import LEVEL

if TYPE_CHECKING:
    import pandas as pd

Mask = npt.NDArray[np.bool_]


def find_leakage(
    train: object,
    test: object,
    *,
    target: str | None = None,
    groups: str | None = None,
    time: str | None = None,
    seed: int = 0,
) -> tuple[Finding, ...]:
    """Return what the test rows have in common with the training rows that they should not.

    Args:
        train: Training rows.
        test: Test rows, with the same columns.
        target: Column of the target, which rows are not compared by.
        groups: Column whose values must not be on both sides: the patient, the specimen, the run.
        time: Column by which all test rows must come after all training rows.
        seed: Seed of the sample that large tables are reduced to.

    Raises:
        ValueError: If columns differ or are not there.
    """
    left, right = as_frame(train), as_frame(test)
    same_columns(left, right)
    require_columns(left, (target, groups, time), "leakage")
    names = [str(n) for n in left.columns if n not in (target, groups, time)]
    found = []
    if names:
        exact = _exact(left[names], right[names])
        found += _exact_finding(left[names], exact)
        found += _near(left[names], right[names], exact, seed)
    if groups is not None:
        found += _shared_groups(left, right, groups)
    if time is not None:
        found += _later(left, right, time)
    return tuple(found)


def _digests(frame: pd.DataFrame) -> npt.NDArray[np.uint64]:
    from pandas.util import hash_pandas_object

    return np.asarray(hash_pandas_object(frame, index=False).to_numpy())


def _exact(train: pd.DataFrame, test: pd.DataFrame) -> Mask:
    """Return which test rows are also training rows."""
    plain = {
        name: test[name].astype(train[name].dtype)
        for name in train.columns
        if train[name].dtype != test[name].dtype
    }
    return np.isin(_digests(test.assign(**plain)), _digests(train))


def _exact_finding(train: pd.DataFrame, exact: Mask) -> list[Finding]:
    """Return a finding unless rows of such coarse columns repeat as often within the training data."""
    if not exact.any():
        return []
    from scipy.stats import fisher_exact

    digests = _digests(train)
    _, inverse, counts = np.unique(digests, return_inverse=True, return_counts=True)
    repeats = int((counts[inverse] > 1).sum())
    table = [[int(exact.sum()), int((~exact).sum())], [repeats, len(train) - repeats]]
    chance = repeats > 0 and float(fisher_exact(table, alternative="greater").pvalue) > LEVEL
    message = f"{exact.sum()} of {len(exact)} test rows are also training rows; keep each in one of the two"
    if chance:
        message += ", unless they repeat by nature: within the training data as many do"
    severity = Severity.WARNING if chance else Severity.FAIL
    return [Finding("leakage: exact duplicates", severity, message, rows=first_rows(exact))]


_MOST_ROWS = 5000
"""Rows that are searched for near duplicates; more are drawn from."""


def _near(train: pd.DataFrame, test: pd.DataFrame, exact: Mask, seed: int) -> list[Finding]:
    from scipy.spatial import cKDTree

    space = space_of(train)
    chosen = np.random.default_rng(seed).permutation(len(test))[:_MOST_ROWS]
    chosen = chosen[~exact[chosen]]
    known = space.points(train)
    if len(known) < 20 or not len(chosen):
        return []
    tree = cKDTree(known)
    own, _ = tree.query(known[:_MOST_ROWS], k=3)
    limit = near_distance(own[:, 1:], len(chosen))
    distances, _ = tree.query(space.points(test.iloc[chosen]), k=1)
    near = np.zeros(len(test), dtype=bool)
    near[chosen[distances < limit]] = True
    if not near.any():
        return []
    message = (
        f"{near.sum()} of {len(chosen)} test rows nearly repeat a training row (closer than {limit:.1e} standard "
        "deviations, which chance does not bring about); keep what belongs together in one of the two (groups=)"
    )
    return [Finding("leakage: near duplicates", Severity.FAIL, message, rows=first_rows(near))]


def near_distance(own: Array, number: int) -> float:
    """Return the distance below which not even one of ``number`` rows should have a neighbour by chance.

    Args:
        own: Distances of training rows to their two nearest others, shape (N, 2).
        number: How many rows will be held against it.
    """
    first, second = own[:, 0], own[:, 1]
    apart = (first > 0.0) & (second > first)
    if apart.sum() < 10:
        return 0.0
    axes = 1.0 / max(float(np.log(second[apart] / first[apart]).mean()), 1e-3)
    typical = float(np.median(first[apart]))
    # the least of the training rows' own distances is no near duplicate either
    by_law = typical * min(_CLOSE, (LEVEL / number) ** (1.0 / axes))
    return float(min(by_law, np.quantile(first[apart], 1e-3)))


_CLOSE = 0.05
"""Largest share of the typical distance that still counts as nearly the same."""


def _shared_groups(train: pd.DataFrame, test: pd.DataFrame, groups: str) -> list[Finding]:
    shared = test[groups].isin(set(train[groups])).to_numpy()
    if not shared.any():
        return []
    names: Sequence[object] = sorted(set(test[groups][shared]), key=str)
    message = (
        f"{len(names)} values of {groups} ({some(names)}) are in training and in test, with {shared.sum()} test rows; "
        f"split by whole groups (groups={groups!r})"
    )
    return [Finding("leakage: groups", Severity.FAIL, message, (groups,), first_rows(shared))]


def _later(train: pd.DataFrame, test: pd.DataFrame, time: str) -> list[Finding]:
    before, after = times_of(train[time]), times_of(test[time])
    early = after <= before.max()
    if not early.any():
        return []
    message = (
        f"{early.sum()} of {len(after)} test rows are not later than the last training row by {time}: the model has "
        f"seen the future; split by time (time={time!r})"
    )
    return [Finding("leakage: time", Severity.FAIL, message, (time,), first_rows(early))]
