"""Tables of any make as data frames, and their rows as points of a space where distances mean something."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pinnsolve.naming import near_match_text

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]


def as_frame(data: Any, names: Sequence[str] | None = None) -> pd.DataFrame:  # noqa: ANN401
    """Return a table as a data frame with text for column names and rows counted from 0.

    Args:
        data: A data frame, or numbers of shape (N, D).
        names: Column names of numbers; x0, x1 ... if not given.

    Raises:
        ValueError: If it is neither, has no rows or columns, or has two columns of one name.
    """
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        frame = data.reset_index(drop=True)
        frame.columns = pd.Index([str(name) for name in frame.columns])
    else:
        values = np.asarray(data)
        if values.ndim != 2:
            raise ValueError(
                f"a table needs the shape (rows, columns), got {values.shape}; give X[:, None] for one column"
            )
        chosen = [f"x{i}" for i in range(values.shape[1])] if names is None else list(names)
        if len(chosen) != values.shape[1]:
            raise ValueError(f"{values.shape[1]} columns need as many names, got {len(chosen)}")
        frame = pd.DataFrame(values, columns=pd.Index(chosen))
    if frame.shape[0] == 0 or frame.shape[1] == 0:
        raise ValueError(f"a table needs rows and columns, got the shape {frame.shape}")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise ValueError(f"two columns are named {twice[0]!r}; rename one")
    return frame


def require_columns(frame: pd.DataFrame, names: Iterable[str | None], what: str) -> None:
    """Refuse names that are no columns.

    Args:
        frame: The table.
        names: Names to look for; None is passed over.
        what: What they are to be, for the message.
    """
    for name in names:
        if name is not None and name not in frame.columns:
            raise ValueError(
                f"{what}: there is no column {name!r}. {near_match_text(name, frame.columns)}"
            )


def same_columns(train: pd.DataFrame, new: pd.DataFrame) -> None:
    """Refuse new data that has other columns than the training data."""
    missing = [name for name in train.columns if name not in new.columns]
    if missing:
        raise ValueError(
            f"the new data lack the column {missing[0]!r}. {near_match_text(missing[0], new.columns)}"
        )
    extra = [name for name in new.columns if name not in train.columns]
    if extra:
        raise ValueError(
            f"the new data have a column {extra[0]!r} that the training data lack; drop it, or rename it. "
            f"{near_match_text(extra[0], train.columns)}"
        )


def is_numeric(column: pd.Series[Any]) -> bool:
    """Return whether a column holds numbers (flags included)."""
    from pandas.api.types import is_numeric_dtype

    return bool(is_numeric_dtype(column.dtype))


def numbers(column: pd.Series[Any]) -> Array:
    """Return a numeric column as float64, missing values as NaN."""
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


@dataclass(frozen=True)
class Space:
    """Where rows are points: numbers standardised, categories one axis each.

    Attributes:
        names: Columns in use.
        centres: Mean of each numeric column; None for categories.
        scales: Standard deviation of each numeric column; for categories the values.
    """

    names: tuple[str, ...]
    centres: tuple[float | None, ...]
    scales: tuple[float | tuple[str, ...], ...]

    def points(self, data: Any) -> Array:  # noqa: ANN401
        """Return rows as points, shape (N, axes). Missing values count as the mean, unseen categories as none.

        Args:
            data: A table with the columns of the space.
        """
        frame = as_frame(data, self.names if not hasattr(data, "columns") else None)
        require_columns(frame, self.names, "standardised inputs")
        axes = []
        for name, centre, scale in zip(self.names, self.centres, self.scales, strict=True):
            column = frame[name]
            if isinstance(scale, tuple):
                text = column.astype(str).to_numpy()
                axes += [(text == value) * 2.0**-0.5 for value in scale]  # two values are 1 apart
            elif not is_numeric(column):
                raise ValueError(f"column {name!r} held numbers before, now {column.dtype}")
            else:
                axes.append(np.nan_to_num((numbers(column) - (centre or 0.0)) / scale))
        return np.column_stack(axes)

    def unseen(self, data: Any) -> npt.NDArray[np.bool_]:  # noqa: ANN401
        """Return which rows have a category that the space has no axis for, shape (N,)."""
        frame = as_frame(data, self.names if not hasattr(data, "columns") else None)
        found = np.zeros(len(frame), dtype=bool)
        for name, scale in zip(self.names, self.scales, strict=True):
            if isinstance(scale, tuple):
                found |= ~frame[name].astype(str).isin(scale).to_numpy()
        return found


def space_of(frame: pd.DataFrame) -> Space:
    """Return the space of a table; columns that are constant are left out."""
    names: list[str] = []
    centres: list[float | None] = []
    scales: list[float | tuple[str, ...]] = []
    for name in frame.columns:
        column = frame[name]
        if column.nunique(dropna=True) < 2:
            continue
        names.append(str(name))
        if is_numeric(column):
            values = numbers(column)
            centres.append(float(np.nanmean(values)))
            scales.append(float(np.nanstd(values)))
        else:
            centres.append(None)
            scales.append(tuple(sorted(column.dropna().astype(str).unique())))
    if not names:
        raise ValueError("all columns are constant; there is nothing to tell rows apart by")
    return Space(tuple(names), tuple(centres), tuple(scales))
