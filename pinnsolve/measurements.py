"""Sparse measurements: values of field components at points in space and time, with their noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pinnsolve.csv_columns import read_columns
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
        picked = read_columns(path, columns)
        axes = [name for name in ("x", "y", "z", "t") if name in picked]
        if "x" not in axes:
            raise ValueError(
                f"{path}: no column 'x' for the position. {near_match_text('x', picked)}"
            )
        return cls(
            points=np.stack([picked.pop(name) for name in axes], axis=1),
            values=picked,
            sigma=sigma,
            source=str(path),
        )
