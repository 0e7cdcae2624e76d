"""What columns a table has and what may be in them: inferred from training data, checked on new ones by pandera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pinnsolve.learning.data.findings import Finding, Severity, some
from pinnsolve.learning.data.tables import as_frame, is_numeric, numbers
from pinnsolve.naming import near_match_text

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["number", "integer", "flag", "category"]


@dataclass(frozen=True)
class ColumnSchema:
    """One column.

    Attributes:
        name: Its name.
        kind: What it holds.
        nullable: Whether values may be missing.
        low: Least number seen; None for categories.
        high: Largest number seen; None for categories.
        categories: Values seen, as text; empty for numbers.
    """

    name: str
    kind: Kind
    nullable: bool = False
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Schema:
    """The columns of a table.

    Attributes:
        columns: Column by column, in order.
    """

    columns: tuple[ColumnSchema, ...]

    def check(self, data: object) -> tuple[Finding, ...]:
        """Return where a table departs from the schema.

        Columns that lack or hold something else are a FAIL, as are unseen categories and missing values where there
        were none; numbers beyond the range seen are a WARNING: a model extrapolates there.

        Args:
            data: The table.
        """
        import pandera.pandas as pa

        frame = as_frame(data)
        names = [column.name for column in self.columns]
        found = [
            Finding(
                "schema",
                Severity.FAIL,
                f"no column {n!r}. {near_match_text(n, frame.columns)}",
                (n,),
            )
            for n in names
            if n not in frame.columns
        ]
        found += [
            Finding(
                "schema",
                Severity.NOTE,
                f"column {n!r} is not in the schema and is not used",
                (str(n),),
            )
            for n in frame.columns
            if n not in names
        ]
        here = [column for column in self.columns if column.name in frame.columns]
        wanted = pa.DataFrameSchema({column.name: _pandera_column(column) for column in here})
        try:
            wanted.validate(frame, lazy=True)
        except pa.errors.SchemaErrors as errors:
            found += _findings_of(errors.failure_cases)
        return tuple(found)

    def document(self) -> list[dict[str, object]]:
        """Return it as plain data."""
        return [asdict(column) for column in self.columns]

    @classmethod
    def of_document(cls, document: list[Mapping[str, Any]]) -> Schema:
        """Return the schema that :meth:`document` wrote.

        Raises:
            ValueError: If it is none.
        """
        try:
            return cls(
                tuple(
                    ColumnSchema(**{**column, "categories": tuple(column["categories"])})
                    for column in document
                )
            )
        except (TypeError, KeyError) as error:
            raise ValueError(
                f"not a schema: {error}; infer it again from the training data"
            ) from error


def infer_schema(data: object) -> Schema:
    """Return the schema that a table follows.

    Args:
        data: The table, usually the training rows.
    """
    frame = as_frame(data)
    return Schema(tuple(_column_schema(frame[name]) for name in frame.columns))


def _column_schema(column: pd.Series[Any]) -> ColumnSchema:
    from pandas.api.types import is_bool_dtype, is_integer_dtype

    name, nullable = str(column.name), bool(column.isna().any())
    if is_bool_dtype(column.dtype):
        return ColumnSchema(name, "flag", nullable)
    if not is_numeric(column):
        values = tuple(sorted(column.dropna().astype(str).unique()))
        return ColumnSchema(name, "category", nullable, categories=values)
    given = numbers(column)
    finite = given[np.isfinite(given)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (None, None)
    kind: Kind = "integer" if is_integer_dtype(column.dtype) else "number"
    return ColumnSchema(name, kind, nullable, low, high)


_OF_KIND, _KNOWN, _WITHIN = "kind", "categories", "range"


def _pandera_column(column: ColumnSchema) -> Any:  # noqa: ANN401 - pandera is half typed
    """Return pandera's words for a column."""
    import pandera.pandas as pa

    def of_kind(series: pd.Series[Any]) -> bool:
        return is_numeric(series) == (column.kind != "category")

    def known(series: pd.Series[Any]) -> pd.Series[Any]:
        return series.astype(str).isin(column.categories) | series.isna()

    def within(series: pd.Series[Any]) -> pd.Series[Any]:
        if not is_numeric(series) or column.low is None or column.high is None:
            return series.isna() | True
        return series.between(column.low, column.high) | series.isna()

    checks = [pa.Check(of_kind, name=_OF_KIND)]
    if column.kind == "category":
        checks.append(pa.Check(known, name=_KNOWN))
    else:
        checks.append(pa.Check(within, name=_WITHIN))
    return pa.Column(None, checks, nullable=column.nullable)


def _findings_of(cases: pd.DataFrame) -> list[Finding]:
    """Return one finding for every column and check that failed, of pandera's table of failures."""
    found = []
    for (name, check), part in cases.groupby(["column", "check"], sort=False):
        values = some(dict.fromkeys(part["failure_case"]))
        rows = tuple(int(row) for row in part["index"].dropna()[:10])
        severity = Severity.FAIL
        if check == _OF_KIND:
            message = f"{name} holds numbers on one side and text on the other; convert it"
        elif check == _KNOWN:
            message = f"{name}: categories that were not seen in training ({values}); map them to known ones"
        elif check == _WITHIN:
            severity = Severity.WARNING
            message = (
                f"{name}: {len(part)} values beyond the range of the training data ({values}); "
                "a model extrapolates there"
            )
        else:
            message = (
                f"{name}: {len(part)} missing values where the training data have none; "
                "fill them in or drop the rows"
            )
        found.append(Finding("schema", severity, message, (str(name),), rows))
    return found
