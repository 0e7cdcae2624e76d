"""Sparse measurements: values of named quantities at points in space and time, with their noise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
import numpy.typing as npt

from pinnsolve.measurements.averages import Footprint, LineAverage, PatchAverage
from pinnsolve.measurements.likelihood import Likelihood
from pinnsolve.measurements.units import in_si, of_one_dimension, si_unit
from pinnsolve.naming import near_match_text

if TYPE_CHECKING:
    import xarray

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

Sigma = float | Array | None
"""Standard deviation of the noise of one quantity: one number, one per row, or None to estimate it."""


@dataclass(frozen=True)
class Measurements:
    """Measured values of one or more quantities.

    Example:
        >>> Measurements([[10.0], [20.0]], {"temperature": [68.0, 86.0]}, 0.9, units={"x": "mm", "temperature": "degF"})

    Attributes:
        points: Where (and when) they were taken, shape (N, D) in m (and s): space, then time.
        values: Measured values by name, each of shape (N,); NaN is refused. A name is a component of a field or of a
            derived quantity (``temperature``, ``velocity_x``, ``heat_flux_y``, ``strain_xx``), or a derivative of one
            (``d temperature / dx``, ``d temperature / dt``).
        sigma: Standard deviation of the noise, in the unit of the values; one number, or shape (N,), or either by
            name. None estimates it from the residuals, one number for each name.
        source: Where they came from, for messages and reports.
        units: Units of coordinates (``x``, ``y``, ``z``, ``t``) and of values by name, where they are not those of the
            problem. Points, values and sigma are converted to SI when this value is made; temperatures in K and degC
            stay as they are, those in degF become degC.
        over: What a sensor reads the mean over, around its point: a footprint for all rows, or one for each; None
            for points.
        likelihood: How noise is assumed to be distributed; ``student`` and ``huber`` bear outliers.
        holdout: Share of the places whose rows are kept from training and compared afterwards, in [0, 1).
        holdout_seed: Seed of the choice of these places.
    """

    points: Array
    values: Mapping[str, Array]
    sigma: Sigma | Mapping[str, Sigma]
    source: str = "measurements"
    units: Mapping[str, str] = field(default_factory=dict)
    over: Footprint | Sequence[Footprint] | None = None
    likelihood: Likelihood = "normal"
    holdout: float = 0.0
    holdout_seed: int = 0

    def __post_init__(self) -> None:
        """Refuse data that are not numbers, and noise that is not positive; convert units.

        Raises:
            ValueError: Names the source, the quantity and the row.
        """
        object.__setattr__(self, "points", _points(self.source, self.points))
        values = {
            name: np.asarray(column, dtype=np.float64) for name, column in self.values.items()
        }
        for name, column in {**values, "points": self.points}.items():
            _check_column(self.source, name, column, len(self.points))
        if not values:
            raise ValueError(f"{self.source}: no measured component was given")
        object.__setattr__(self, "values", values)
        self._check_sigma()
        if self.units:
            self._convert()
        if self.likelihood not in get_args(Likelihood):
            raise ValueError(
                f"{self.source}: likelihood must be one of {', '.join(get_args(Likelihood))}, "
                f"got {self.likelihood!r}"
            )
        if not 0.0 <= self.holdout < 1.0:
            raise ValueError(
                f"{self.source}: holdout is a share of the places in [0, 1), got {self.holdout}"
            )
        self._check_footprints()

    @property
    def num_values(self) -> int:
        """Number of measured numbers."""
        return len(self.points) * len(self.values)

    @property
    def has_one_noise(self) -> bool:
        """Whether one sigma, known, is that of all quantities."""
        return self.sigma is not None and not isinstance(self.sigma, Mapping)

    def noise_of(self, name: str) -> Array | None:
        """Return the standard deviation of the noise of one quantity, shape (N,), or None to estimate it."""
        sigma = self.sigma[name] if isinstance(self.sigma, Mapping) else self.sigma
        if sigma is None:
            return None
        return np.broadcast_to(np.asarray(sigma, dtype=np.float64), len(self.points)).copy()

    def held_out(self, space_dim: int) -> Mask:
        """Return which rows are kept from training, by place, shape (N,).

        Args:
            space_dim: Number of space coordinates.
        """
        places, place_of = np.unique(self.points[:, :space_dim], axis=0, return_inverse=True)
        number = math.ceil(self.holdout * len(places) - 1e-9)
        order = np.random.default_rng(self.holdout_seed).permutation(len(places))
        return np.asarray(np.isin(place_of.ravel(), order[:number]))

    @classmethod
    def from_csv(
        cls,
        path: str | Path,
        *,
        sigma: Sigma | Mapping[str, Sigma],
        columns: Mapping[str, str] | None = None,
        units: Mapping[str, str] | None = None,
        separator: str | None = None,
        encoding: str | None = None,
        likelihood: Likelihood = "normal",
        holdout: float = 0.0,
    ) -> Measurements:
        """Read measurements from a file of separated values with a header.

        Args:
            path: The file.
            sigma: Standard deviation of the noise, in the unit of the values; see the class.
            columns: Which header stands for which name (``x``, ``y``, ``z``, ``t`` or a quantity), with or without
                its unit, for example ``{"temperature": "T"}``; other quantities are left out, coordinates are
                found by their headers if none is named. None takes every header.
            units: Unit by name; else that of the header: ``T [degC]``, ``x (mm)``, ``x_mm``.
            separator: What separates columns; None finds comma, semicolon or tab, and decimal commas.
            encoding: Encoding of the file; None reads UTF-8 and, with a byte order mark, UTF-16.
            likelihood: How noise is assumed to be distributed; see the class.
            holdout: Share of the places that is kept from training; see the class.

        Raises:
            ValueError: Names the file, the row and the column of what cannot be read.
        """
        from pinnsolve.measurements.readers import read_csv

        table = read_csv(path, separator=separator, encoding=encoding)
        found = table.measurements(sigma, columns, units)
        return replace(found, likelihood=likelihood, holdout=holdout)

    @classmethod
    def from_npz(
        cls,
        path: str | Path,
        *,
        sigma: Sigma | Mapping[str, Sigma],
        columns: Mapping[str, str] | None = None,
        units: Mapping[str, str] | None = None,
    ) -> Measurements:
        """Read measurements from arrays of one length in an .npz file; arguments as for :meth:`from_csv`."""
        from pinnsolve.measurements.readers import read_npz

        return read_npz(path).measurements(sigma, columns, units)

    @classmethod
    def from_hdf5(
        cls,
        path: str | Path,
        *,
        sigma: Sigma | Mapping[str, Sigma],
        group: str = "/",
        columns: Mapping[str, str] | None = None,
        units: Mapping[str, str] | None = None,
    ) -> Measurements:
        """Read measurements from the datasets of one length in a group of an HDF5 file.

        Units are those of the datasets' attribute ``units``; the other arguments are as for :meth:`from_csv`.

        Args:
            path: The file.
            sigma: Standard deviation of the noise.
            group: The group that the datasets are in.
            columns: Which dataset stands for which name.
            units: Unit by name; goes before the attributes.
        """
        from pinnsolve.measurements.readers import read_hdf5

        return read_hdf5(path, group).measurements(sigma, columns, units)

    @classmethod
    def from_vtu(
        cls,
        path: str | Path,
        *,
        sigma: Sigma | Mapping[str, Sigma],
        space_dim: int,
        columns: Mapping[str, str] | None = None,
        units: Mapping[str, str] | None = None,
        num: int | None = None,
        seed: int = 0,
    ) -> Measurements:
        """Read the point data of a mesh file that meshio reads; vectors become ``velocity_x`` and so on.

        Args:
            path: The file.
            sigma: Standard deviation of the noise.
            space_dim: Number of space coordinates of the problem; the file has always three.
            columns: Which array stands for which name; None takes all.
            units: Unit by name; the file says none.
            num: How many points to draw; None takes all.
            seed: Seed of the draw.
        """
        from pinnsolve.measurements.readers import read_vtu

        table = read_vtu(path, space_dim=space_dim, num=num, seed=seed)
        return table.measurements(sigma, columns, units)

    @classmethod
    def from_xarray(
        cls,
        data: xarray.Dataset | xarray.DataArray,
        *,
        sigma: Sigma | Mapping[str, Sigma],
        columns: Mapping[str, str] | None = None,
        units: Mapping[str, str] | None = None,
    ) -> Measurements:
        """Take labelled arrays: every combination of their coordinates is a row, missing values (NaN) are left out.

        Units are those of the attribute ``units``; the other arguments are as for :meth:`from_csv`.

        Args:
            data: Its coordinates or dimensions are ``x``, ``y``, ``z``, ``t``, or what ``columns`` says.
            sigma: Standard deviation of the noise.
            columns: Which variable or coordinate stands for which name.
            units: Unit by name; goes before the attributes.
        """
        from pinnsolve.measurements.readers import read_xarray

        return read_xarray(data).measurements(sigma, columns, units)

    def _check_sigma(self) -> None:
        by_name = self.sigma if isinstance(self.sigma, Mapping) else {"": self.sigma}
        if isinstance(self.sigma, Mapping) and set(by_name) != set(self.values):
            odd = sorted(set(by_name) ^ set(self.values))[0]
            raise ValueError(
                f"{self.source}: sigma by name needs every measured name and no other; {odd!r} is in one of them "
                f"only. {near_match_text(odd, self.values)}"
            )
        for name, sigma in by_name.items():
            if sigma is None:
                continue
            array = np.asarray(sigma, dtype=np.float64)
            fits = array.shape in ((), (len(self.points),))
            if not (fits and np.isfinite(array).all() and (array > 0).all()):
                raise ValueError(
                    f"{self.source}: sigma must be > 0, one number or one per point, got {sigma!r}"
                    f"{f' for {name!r}' if name else ''}"
                )

    def _convert(self) -> None:
        """Put points, values and sigma into SI units."""
        axes = _axes_of(self.points.shape[1], self.units)
        wrong = [name for name in self.units if name not in (*axes, *self.values)]
        if wrong:
            raise ValueError(
                f"{self.source}: units: no coordinate or measured name {wrong[0]!r}. "
                f"{near_match_text(wrong[0], [*axes, *self.values])}"
            )
        points = self.points.copy()
        values, sigmas = dict(self.values), {name: self._sigma_of(name) for name in self.values}
        try:
            for name, unit in self.units.items():
                if name in values:
                    values[name] = in_si(values[name], unit)
                    sigma = sigmas[name]
                    if sigma is not None:
                        sigmas[name] = in_si(np.asarray(sigma), unit, difference=True)
                    continue
                _check_coordinate_unit(name, unit)
                points[:, axes.index(name)] = in_si(points[:, axes.index(name)], unit)
            units = {name: si_unit(unit) for name, unit in self.units.items() if name in values}
        except ValueError as error:
            raise ValueError(f"{self.source}: {error}") from error
        first = next(iter(sigmas.values()))
        same = all(np.array_equal(np.asarray(first), np.asarray(s)) for s in sigmas.values())
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "units", units)
        if self.sigma is not None:
            object.__setattr__(self, "sigma", first if same and self.has_one_noise else sigmas)

    def _sigma_of(self, name: str) -> Sigma:
        return self.sigma[name] if isinstance(self.sigma, Mapping) else self.sigma

    def _check_footprints(self) -> None:
        if self.over is None or isinstance(self.over, LineAverage | PatchAverage):
            return
        each = tuple(self.over) if isinstance(self.over, Iterable) else (self.over,)
        if len(each) != len(self.points) or not all(
            isinstance(item, LineAverage | PatchAverage) for item in each
        ):
            raise ValueError(
                f"{self.source}: over needs a LineAverage or PatchAverage, or one for each of the "
                f"{len(self.points)} points, got {self.over!r}"
            )
        object.__setattr__(self, "over", each)


def _points(source: str, given: Array) -> Array:
    points = np.asarray(given, dtype=np.float64)
    if points.ndim != 2 or not len(points):
        raise ValueError(
            f"{source}: points must be of shape (N, D) with N >= 1, got {points.shape}"
        )
    return points


def _check_column(source: str, name: str, column: Array, number: int) -> None:
    """Refuse a column of another length, and values that are not finite."""
    if column.ndim == 0 or len(column) != number or (name != "points" and column.ndim != 1):
        raise ValueError(
            f"{source}: {name} must have one value per point, shape ({number},), got {column.shape}"
        )
    bad = np.flatnonzero(~np.isfinite(column.reshape(number, -1)).all(axis=1))
    if bad.size:
        raise ValueError(
            f"{source}: {name} is not a finite number in row {bad[0] + 1}"
            f"{f' and {bad.size - 1} more' if bad.size > 1 else ''}; remove or repair these rows"
        )


def _axes_of(number: int, units: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the columns of points; the last one is time if there is a unit of time."""
    return (*"xyz"[: number - 1], "t") if "t" in units else tuple("xyz"[:number])


def _check_coordinate_unit(name: str, unit: str) -> None:
    wanted = "s" if name == "t" else "m"
    if not of_one_dimension(unit, wanted):
        raise ValueError(f"the coordinate {name} is in {wanted}, its unit cannot be {unit!r}")
