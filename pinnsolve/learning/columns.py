"""Data frames as numbers: numeric columns as they are, categorical ones as one column per category."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pinnsolve.naming import near_match_text

Array = npt.NDArray[np.float64]

UNSEEN = ("refuse", "ignore")
"""What may be done with a category that was not there when the model was fitted."""

_MOST_CATEGORIES = 200


@dataclass(frozen=True)
class Column:
    """One column of a frame.

    Attributes:
        name: Its name.
        categories: The categories that were seen, as text, in order; empty for numbers.
    """

    name: str
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Columns:
    """How a frame with categorical columns becomes a table of numbers.

    Attributes:
        columns: The columns in order.
        unseen: ``refuse`` a category that was not seen, or ``ignore`` it: none of its columns is 1 then.
    """

    columns: tuple[Column, ...]
    unseen: str = "refuse"

    @classmethod
    def of(cls, frame: Any, unseen: str) -> Columns:  # noqa: ANN401 - pandas is optional
        """Return the columns of a frame.

        Args:
            frame: A pandas data frame.
            unseen: See the attribute.

        Raises:
            ValueError: If a value is missing, two columns share a name, or a column is neither numbers nor categories.
        """
        names = [str(name) for name in frame.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"column names must differ, got {twice[0]!r} twice; rename one")
        found = []
        for position, name in enumerate(names):
            series = frame.iloc[:, position]
            _refuse_missing(series, name)
            found.append(Column(name, () if is_numeric(series) else _categories(series, name)))
        return cls(tuple(found), unseen)

    def matrix(self, frame: Any) -> Array:  # noqa: ANN401
        """Return a frame as numbers, shape (N, F).

        Args:
            frame: A data frame with the columns that were fitted, in any order.

        Raises:
            ValueError: If a column or a value is missing, a column has become text, or a category was not seen.
        """
        blocks = []
        for column in self.columns:
            series = self._series(frame, column.name)
            _refuse_missing(series, column.name)
            if column.categories:
                blocks.append(self._one_hot(series, column))
            elif not is_numeric(series):
                raise ValueError(
                    f"column {column.name!r} held numbers when the model was fitted, now {series.dtype}; convert it"
                )
            else:
                blocks.append(series.to_numpy(dtype=np.float64)[:, None])
        table = np.column_stack(blocks)
        if not np.isfinite(table).all():
            raise ValueError("Input X contains infinity; replace or drop these rows")
        return table

    def _series(self, frame: Any, name: str) -> Any:  # noqa: ANN401
        names = [str(given) for given in frame.columns]
        if name not in names:
            raise ValueError(
                f"column {name!r} is missing, which the model was fitted with. {near_match_text(name, names)}"
            )
        return frame.iloc[:, names.index(name)]

    def _one_hot(self, series: Any, column: Column) -> Array:  # noqa: ANN401
        texts = series.astype(str).to_numpy(dtype=object)
        hot = np.stack([texts == category for category in column.categories], axis=1)
        strange = ~hot.any(axis=1)
        if strange.any() and self.unseen == "refuse":
            new = str(texts[strange][0])
            raise ValueError(
                f"column {column.name!r} has the category {new!r}, which was not there when the model was fitted. "
                f"{near_match_text(new, column.categories)} Fit again with such rows, or give unseen='ignore'"
            )
        return hot.astype(np.float64)


def is_categorical_frame(x: object) -> bool:
    """Return whether something is a data frame with a column that is not numeric."""
    if not (hasattr(x, "iloc") and hasattr(x, "columns")):
        return False
    return any(not is_numeric(x.iloc[:, position]) for position in range(len(x.columns)))


def is_numeric(series: Any) -> bool:  # noqa: ANN401
    """Return whether a series holds numbers (booleans count as numbers)."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    return bool(is_numeric_dtype(series.dtype) or is_bool_dtype(series.dtype))


def _categories(series: Any, name: str) -> tuple[str, ...]:  # noqa: ANN401
    """Return the categories of a column, refused if they are times or too many to be categories."""
    from pandas.api.types import is_datetime64_any_dtype, is_timedelta64_dtype

    if is_datetime64_any_dtype(series.dtype) or is_timedelta64_dtype(series.dtype):
        raise ValueError(
            f"column {name!r} holds times ({series.dtype}); convert it to numbers, such as hours since the first row"
        )
    found = tuple(sorted({str(value) for value in series}))
    if len(found) > _MOST_CATEGORIES:
        raise ValueError(
            f"column {name!r} has {len(found)} categories, the most is {_MOST_CATEGORIES}; if they are names of rows "
            "drop the column, if they are numbers convert it"
        )
    return found


def _refuse_missing(series: Any, name: str) -> None:  # noqa: ANN401
    missing = series.isna().to_numpy()
    if missing.any():
        raise ValueError(
            f"Input X contains NaN: column {name!r} has {int(missing.sum())} missing values, the first in row "
            f"{int(np.flatnonzero(missing)[0])}; drop these rows, or fill them with sklearn.impute.SimpleImputer"
        )
