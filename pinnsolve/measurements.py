"""Sparse measurements: values of field components at points in space and time, with their noise."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pinnsolve.naming import near_match_text

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measurements:
    """Measured values of one or more field components.

    Attributes:
        points: Where (and when) they were taken, shape (N, D) in m (and s): space, then time.
        values: Measured values by component name, each of shape (N,); NaN is refused.
        sigma: Standard deviation of the noise, in the unit of the values; one number, or shape
            (N,).
        source: Where they came from, for messages and reports.
    """

    points: Array
    values: Mapping[str, Array]
    sigma: float | Array
    source: str = "measurements"

    def __post_init__(self) -> None:
        """Refuse data that are not numbers, and noise that is not positive."""
        points = np.asarray(self.points, dtype=np.float64)
        if points.ndim != 2 or not len(points):
            raise ValueError(
                f"{self.source}: points must be of shape (N, D) with N >= 1, got {points.shape}"
            )
        object.__setattr__(self, "points", points)
        values = {
            name: np.asarray(column, dtype=np.float64) for name, column in self.values.items()
        }
        for name, column in {**values, "points": points}.items():
            if (
                column.ndim == 0
                or len(column) != len(points)
                or (name != "points" and column.ndim != 1)
            ):
                raise ValueError(
                    f"{self.source}: {name} must have one value per point, shape ({len(points)},), "
                    f"got {column.shape}"
                )
            bad = np.flatnonzero(~np.isfinite(column.reshape(len(points), -1)).all(axis=1))
            if bad.size:
                raise ValueError(
                    f"{self.source}: {name} is not a finite number in row {bad[0] + 1}"
                    f"{f' and {bad.size - 1} more' if bad.size > 1 else ''}; remove or repair these rows"
                )
        if not values:
            raise ValueError(f"{self.source}: no measured component was given")
        object.__setattr__(self, "values", values)
        sigma = np.asarray(self.sigma, dtype=np.float64)
        if not (
            np.isfinite(sigma).all() and (sigma > 0).all() and sigma.shape in ((), (len(points),))
        ):
            raise ValueError(
                f"{self.source}: sigma must be > 0, one number or one per point, got {self.sigma!r}"
            )

    @property
    def num_values(self) -> int:
        """Number of measured numbers."""
        return len(self.points) * len(self.values)

    @classmethod
    def from_csv(
        cls, path: str | Path, *, sigma: float, columns: Mapping[str, str] | None = None
    ) -> Measurements:
        """Read measurements from a comma-separated file with a header.

        Args:
            path: The file.
            sigma: Standard deviation of the noise, in the unit of the values.
            columns: Which header stands for which name (``x``, ``y``, ``z``, ``t`` or a
                component), for example ``{"x": "x_m", "temperature": "T_degC"}``; None takes every
                header, without a unit suffix after its last underscore if need be (``x_m`` is
                ``x``).

        Raises:
            ValueError: Names the file, the row and the column of what cannot be read.
        """
        header, table = _read_table(Path(path))
        chosen = dict(columns) if columns is not None else _chosen(path, header)
        missing = [name for name in chosen.values() if name not in header]
        if missing:
            raise ValueError(
                f"{path}: no column {missing[0]!r}: {near_match_text(missing[0], header)}"
            )
        axes = [name for name in ("x", "y", "z", "t") if name in chosen]
        if "x" not in axes:
            raise ValueError(
                f"{path}: no column 'x' for the position: {near_match_text('x', header)}"
            )
        picked = {name: table[:, header.index(column)] for name, column in chosen.items()}
        return cls(
            points=np.stack([picked.pop(name) for name in axes], axis=1),
            values=picked,
            sigma=sigma,
            source=str(path),
        )


def _chosen(path: str | Path, header: Sequence[str]) -> dict[str, str]:
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
