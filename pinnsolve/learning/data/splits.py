"""Training, calibration and test rows: at random, by whole groups, or by time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pinnsolve.learning.data.tables import as_frame, is_numeric, require_columns

if TYPE_CHECKING:
    import pandas as pd

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Which rows are for what.

    Attributes:
        train: Rows to learn from.
        calibration: Rows that set the width of prediction intervals.
        test: Rows that errors are measured on.
        rule: How they were chosen, in words.
    """

    train: Rows
    calibration: Rows
    test: Rows
    rule: str

    @property
    def text(self) -> str:
        """One line: sizes and rule."""
        sizes = len(self.train), len(self.calibration), len(self.test)
        return "{} rows to train, {} to calibrate, {} to test; {}".format(*sizes, self.rule)


def split_rows(
    data: object,
    *,
    groups: str | None = None,
    time: str | None = None,
    stratify: str | None = None,
    shares: tuple[float, float, float] = (0.6, 0.2, 0.2),
    seed: int = 0,
) -> Split:
    """Split the rows of a table.

    Args:
        data: The table.
        groups: Column of groups that are kept whole, or None.
        time: Column by which test rows come last; rows must be sorted by it. None splits at random.
        stratify: Column of classes whose shares are kept, or None.
        shares: Of training, calibration and test rows.
        seed: Seed of the random order.

    Raises:
        ValueError: If a column is not there, rows are not sorted by time, there are too few rows or groups, or the
            options contradict each other.
    """
    frame = as_frame(data)
    require_columns(frame, (groups, time, stratify), "split")
    if min(shares) <= 0.0 or abs(sum(shares) - 1.0) > 1e-9:
        raise ValueError(f"shares must be > 0 and add up to 1, got {shares}")
    if time is not None and groups is not None:
        raise ValueError(
            "groups and time exclude each other: groups that last would be on both sides; keep one"
        )
    cuts = np.cumsum(shares)[:2]
    if time is not None:
        split = _by_time(frame, time, cuts)
    elif groups is not None:
        split = _by_group(frame, groups, cuts, seed)
    else:
        split = _at_random(frame, stratify, cuts, seed)
    if min(len(split.train), len(split.calibration), len(split.test)) < 1:
        raise ValueError(f"{len(frame)} rows are too few to split by {shares}; got {split.text}")
    return split


def times_of(column: pd.Series[Any]) -> npt.NDArray[np.float64]:
    """Return times as numbers, shape (N,): what is not a number is read as a date.

    Raises:
        ValueError: If a value is neither, or missing.
    """
    import pandas as pd

    if is_numeric(column):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        try:
            dates = pd.to_datetime(column, format="ISO8601")
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"time column {column.name!r} holds neither numbers nor dates like 2026-03-31: {error}"
            ) from error
        values = (dates - pd.Timestamp(0, tz=dates.dt.tz)).dt.total_seconds().to_numpy(np.float64)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ValueError(f"time column {column.name!r}: row {row} has no time; drop it")
    return np.asarray(values)


def _by_time(frame: pd.DataFrame, time: str, cuts: npt.NDArray[np.float64]) -> Split:
    when = times_of(frame[time])
    back = np.flatnonzero(np.diff(when) < 0.0)
    if len(back):
        row = int(back[0]) + 1
        raise ValueError(
            f"time column {time!r} is not sorted: row {row} is before row {row - 1}; sort the table by it "
            f"(frame.sort_values({time!r}))"
        )
    edges = [when[min(int(cut * len(when)), len(when) - 1)] for cut in cuts]
    rows = np.arange(len(when))
    train, rest = rows[when < edges[0]], rows[when >= edges[0]]
    return Split(
        train, rest[when[rest] < edges[1]], rest[when[rest] >= edges[1]], f"in the order of {time}"
    )


def _by_group(frame: pd.DataFrame, groups: str, cuts: npt.NDArray[np.float64], seed: int) -> Split:
    _, labels = np.unique(frame[groups].astype(str).to_numpy(), return_inverse=True)
    number = int(labels.max()) + 1
    if number < 3:
        raise ValueError(
            f"groups of {groups!r}: {number} are too few for training, calibration and test; leave groups out"
        )
    order = np.random.default_rng(seed).permutation(number)
    sizes = np.bincount(labels, minlength=number)[order]
    middles = (np.cumsum(sizes) - 0.5 * sizes) / len(labels)
    place = np.searchsorted(cuts, middles)
    place[0], place[-1] = 0, 2  # no side without a group
    if not (place == 1).any():
        place[1 if (place == 0).sum() > 1 else -2] = 1
    where = np.empty(number, dtype=np.int64)
    where[order] = place
    train, calibration, test = (np.flatnonzero(where[labels] == side) for side in range(3))
    return Split(train, calibration, test, f"whole groups of {groups}, drawn with seed {seed}")


def _at_random(
    frame: pd.DataFrame, stratify: str | None, cuts: npt.NDArray[np.float64], seed: int
) -> Split:
    generator = np.random.default_rng(seed)
    labels = np.zeros(len(frame), dtype=np.int64)
    rule = f"drawn at random with seed {seed}"
    if stratify is not None:
        _, labels = np.unique(frame[stratify].astype(str).to_numpy(), return_inverse=True)
        rule += f", shares of {stratify} kept"
    # ranks within a class, spread evenly: every class is cut at the same shares
    keys = np.empty(len(frame))
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        keys[rows] = (generator.permutation(len(rows)) + generator.random()) / len(rows)
    side = np.searchsorted(cuts, keys, side="right")
    train, calibration, test = (np.flatnonzero(side == k) for k in range(3))
    return Split(train, calibration, test, rule)
