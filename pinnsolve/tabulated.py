"""Given values from data: a measured inlet profile, a recorded ambient temperature, a load from another code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from pinnsolve.csv_columns import read_columns
from pinnsolve.jets import Coordinates, Jet, as_jet
from pinnsolve.naming import near_match_text

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tabulated:
    """A given value interpolated linearly from data; stands wherever a function of the coordinates may stand.

    Along one coordinate the data may come in any order; outside of their range the nearest value holds. Over
    several coordinates the data are triangulated, and the nearest value holds outside of their hull.

    Example:
        >>> profile = Tabulated(("y",), [[0.0], [0.5], [1.0]], [0.0, 1.5, 0.0])

    Attributes:
        axes: Names of the coordinates the data depend on: ``x``, ``y``, ``z`` in m, ``t`` in s.
        points: Where the values hold, shape (N, number of axes).
        values: The values in SI units, shape (N,).
    """

    axes: tuple[str, ...]
    points: Array
    values: Array

    def __post_init__(self) -> None:
        """Refuse data that are not finite, too few, or of shapes that do not fit."""
        points = np.asarray(self.points, dtype=np.float64)
        values = np.asarray(self.values, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != len(self.axes) or values.shape != (len(points),):
            raise ValueError(
                f"Tabulated over {', '.join(self.axes)} needs points of shape (N, {len(self.axes)}) and values "
                f"of shape (N,), got {points.shape} and {values.shape}"
            )
        if len(points) < len(self.axes) + 1:
            raise ValueError(
                f"Tabulated needs at least {len(self.axes) + 1} rows, got {len(points)}"
            )
        bad = np.flatnonzero(~(np.isfinite(points).all(axis=1) & np.isfinite(values)))
        if bad.size:
            raise ValueError(f"Tabulated: row {bad[0] + 1} is not finite; remove or repair it")
        if len(self.axes) == 1 and len(np.unique(points[:, 0])) < len(points):
            raise ValueError(
                f"Tabulated: two rows have the same {self.axes[0]}; keep one value each"
            )
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "values", values)

    @classmethod
    def from_csv(cls, path: str | Path, *, axes: Sequence[str], value: str) -> Tabulated:
        """Read a table from a comma-separated file with a header.

        Args:
            path: The file.
            axes: Coordinate columns, for instance ``("y",)``; ``y_m`` in the header is ``y``.
            value: The column of the values.

        Raises:
            ValueError: Names the file, the line and the column of what cannot be read.
        """
        columns = read_columns(path)
        for name in (*axes, value):
            if name not in columns:
                raise ValueError(f"{path}: no column {name!r}. {near_match_text(name, columns)}")
        return cls(tuple(axes), np.stack([columns[a] for a in axes], axis=1), columns[value])

    def __call__(self, x: Coordinates) -> Jet:
        """Return the interpolated value at the points, a field without derivatives."""
        wanted = np.stack(
            [getattr(x, axis).value.detach().cpu().numpy() for axis in self.axes], axis=1
        )
        found = torch.tensor(
            self._interpolate(wanted), dtype=x.points.dtype, device=x.points.device
        )
        return as_jet(found, x.frame)

    def _interpolate(self, wanted: Array) -> Array:
        if len(self.axes) == 1:
            order = np.argsort(self.points[:, 0])
            stations, values = self.points[order, 0], self.values[order]
            return np.asarray(np.interp(wanted[:, 0], stations, values), dtype=np.float64)
        from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

        inside = LinearNDInterpolator(self.points, self.values, rescale=True)(wanted)
        nearest = NearestNDInterpolator(self.points, self.values, rescale=True)(wanted)
        return np.asarray(np.where(np.isnan(inside), nearest, inside), dtype=np.float64)
