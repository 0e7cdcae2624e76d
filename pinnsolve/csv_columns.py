"""Columns of numbers from a file of separated values, by name, with errors that say where."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pinnsolve.naming import near_match_text

Array = npt.NDArray[np.float64]

Row = tuple[int, list[str]]
"""Number of a line, and its entries."""


def read_columns(path: str | Path, columns: Mapping[str, str] | None = None) -> dict[str, Array]:
    """Return columns of a CSV file by name.

    Args:
        path: The file; its first row is the header, lines that start with ``#`` are skipped.
        columns: Which header stands for which name; None takes every header, without a unit suffix after its
            last underscore if need be (``x_m`` is ``x``).

    Raises:
        ValueError: Names the file, the line and the column of what cannot be read.
    """
    header, table = read_table(path)
    chosen = dict(columns) if columns is not None else _chosen(Path(path), header)
    missing = [name for name in chosen.values() if name not in header]
    if missing:
        raise ValueError(f"{path}: no column {missing[0]!r}. {near_match_text(missing[0], header)}")
    return {name: table[:, header.index(column)] for name, column in chosen.items()}


def read_table(
    path: str | Path, *, separator: str | None = None, encoding: str | None = None
) -> tuple[list[str], Array]:
    """Return header and numbers, shape (N, number of columns), of a file of separated values.

    Args:
        path: The file.
        separator: What separates columns; None finds comma, semicolon or tab. Decimal commas are understood where
            they are not separators.
        encoding: Encoding; None reads UTF-8 and, with a byte order mark, UTF-16.

    Raises:
        ValueError: Names the file, the line and the column of what cannot be read.
    """
    file = Path(path)
    text = _text_of(file, encoding)
    between = separator if separator is not None else _separator_of(text)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=between)
        rows = [
            (reader.line_num, row)
            for row in reader
            if any(entry.strip() for entry in row) and not row[0].lstrip().startswith("#")
        ]
    except (csv.Error, TypeError) as error:
        raise ValueError(f"{file}: cannot be read as a CSV file ({error})") from error
    if len(rows) < 2:
        raise ValueError(
            f"{file}: needs a header and at least one row of numbers, got {len(rows)} rows"
        )
    header = [name.strip() for name in rows[0][1]]
    if len(header) == 1 and len(header[0].split()) == len(rows[1][1][0].split()) > 1:
        raise ValueError(
            f"{file}: columns seem to be separated by spaces; separate them by commas, semicolons or tabs"
        )
    return header, _table_of(file, header, rows[1:])


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


def _text_of(path: Path, encoding: str | None) -> str:
    """Return what a file says."""
    try:
        raw = path.read_bytes()
        if encoding is None:
            utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            encoding = "utf-16" if utf16 else "utf-8-sig"
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{path}: cannot be read as a CSV file in the encoding {encoding}: byte 0x{raw[error.start]:02x} in "
            f"line {line}. Save it as UTF-8, or say encoding='cp1252' if it comes from Windows"
        ) from error
    except (OSError, LookupError) as error:
        raise ValueError(f"{path}: cannot be read as a CSV file ({error})") from error


def _separator_of(text: str) -> str:
    """Return the separator that gives header and first row the same number of columns; a comma if none does."""
    lines = [
        line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    for separator in (";", "\t", ","):
        counts = {len(row) for row in csv.reader(lines[:2], delimiter=separator)}
        if len(counts) == 1 and counts.pop() > 1:
            return separator
    return ","


_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d*,\d+([eE][-+]?\d+)?\s*")


def _table_of(path: Path, header: Sequence[str], rows: Sequence[Row]) -> Array:
    """Return the numbers below a header, whose decimal sign is a point or a comma throughout."""
    for line, row in rows:
        if len(row) != len(header):
            doubled = "; are there decimal commas? Separate columns by semicolons then"
            raise ValueError(
                f"{path}: line {line} has {len(row)} entries, the header has {len(header)}"
                f"{doubled if len(row) == 2 * len(header) else ''}"
            )
    entries = [entry for _, row in rows for entry in row]
    commas = next((entry for entry in entries if _DECIMAL_COMMA.fullmatch(entry)), None)
    points = next((entry for entry in entries if "." in entry), None)
    if commas is not None and points is not None:
        raise ValueError(
            f"{path}: {commas!r} has a decimal comma, {points!r} a point; write all numbers in one way"
        )
    return np.array([_numbers(path, header, line, row, commas is not None) for line, row in rows])


def _numbers(
    path: Path, header: Sequence[str], line: int, row: Sequence[str], has_commas: bool
) -> list[float]:
    numbers = []
    for name, entry in zip(header, row, strict=True):
        try:
            numbers.append(float(entry.replace(",", ".") if has_commas else entry))
        except ValueError as error:
            raise ValueError(
                f"{path}: line {line}, column {name!r}: {entry!r} is not a number"
            ) from error
    return numbers
