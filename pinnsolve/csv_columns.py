"""Columns of numbers from a comma-separated file, by name, with errors that say where."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pinnsolve.naming import near_match_text

Array = npt.NDArray[np.float64]


def read_columns(path: str | Path, columns: Mapping[str, str] | None = None) -> dict[str, Array]:
    """Return columns of a CSV file by name.

    Args:
        path: The file; its first row is the header, lines that start with ``#`` are skipped.
        columns: Which header stands for which name; None takes every header, without a unit suffix after its
            last underscore if need be (``x_m`` is ``x``).

    Raises:
        ValueError: Names the file, the line and the column of what cannot be read.
    """
    header, table = _read_table(Path(path))
    chosen = dict(columns) if columns is not None else _chosen(Path(path), header)
    missing = [name for name in chosen.values() if name not in header]
    if missing:
        raise ValueError(f"{path}: no column {missing[0]!r}. {near_match_text(missing[0], header)}")
    return {name: table[:, header.index(column)] for name, column in chosen.items()}


def _chosen(path: Path, header: Sequence[str]) -> dict[str, str]:
    """Return every column by its name without unit; refuse two columns of one name."""
    chosen: dict[str, str] = {}
    for column in header:
        try:
            name = _stem(column)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        if name in chosen:
            raise ValueError(
                f"{path}: columns {chosen[name]!r} and {column!r} both stand for {name!r}; keep one"
            )
        chosen[name] = column
    return chosen


def _stem(name: str) -> str:
    """Return a header without its unit: ``x_m`` is ``x``, ``velocity_x_m/s`` is ``velocity_x``.

    Raises:
        ValueError: If a coordinate is in another unit than m or s.
    """
    head, _, tail = name.strip().rpartition("_")
    if not head or tail in ("x", "y", "z"):
        return name.strip()
    if head in ("x", "y", "z", "t") and tail != ("s" if head == "t" else "m"):
        raise ValueError(
            f"column {name!r}: coordinates must be in m and s; convert it, or name it {head}_m"
        )
    return head


def _read_table(path: Path) -> tuple[list[str], Array]:
    """Return header and numbers of a CSV file."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            rows = [
                (reader.line_num, row)
                for row in reader
                if row and not row[0].lstrip().startswith("#")
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: cannot be read as a CSV file ({error})") from error
    if len(rows) < 2:
        raise ValueError(
            f"{path}: needs a header and at least one row of numbers, got {len(rows)} rows"
        )
    header = [name.strip() for name in rows[0][1]]
    return header, np.array([_numbers(path, header, line, row) for line, row in rows[1:]])


def _numbers(path: Path, header: Sequence[str], line: int, row: Sequence[str]) -> list[float]:
    if len(row) != len(header):
        raise ValueError(
            f"{path}: line {line} has {len(row)} entries, the header has {len(header)}"
        )
    numbers = []
    for name, entry in zip(header, row, strict=True):
        try:
            numbers.append(float(entry))
        except ValueError as error:
            raise ValueError(
                f"{path}: line {line}, column {name!r}: {entry!r} is not a number"
            ) from error
    return numbers
