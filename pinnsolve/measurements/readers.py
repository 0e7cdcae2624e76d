"""Measurements from files and labelled arrays: columns by name, with the units that the source states."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pinnsolve.csv_columns import read_table
from pinnsolve.measurements.measurements import Measurements, Sigma
from pinnsolve.measurements.units import is_unit, parsed
from pinnsolve.naming import near_match_text

if TYPE_CHECKING:
    import xarray

Array = npt.NDArray[np.float64]

_AXES = ("x", "y", "z", "t")

_MEANT = {"C": "degC", "F": "degF"}
"""What headings mean by units that would be coulomb and farad."""

_WORDS = ("flux",)
"""Ends of names that would be units: femtolux."""


@dataclass(frozen=True)
class Table:
    """Columns of one length.

    Attributes:
        source: Where they came from.
        columns: Values by heading, shape (N,) each.
        units: Unit by heading, where the source states one.
    """

    source: str
    columns: Mapping[str, Array]
    units: Mapping[str, str]

    def measurements(
        self,
        sigma: Sigma | Mapping[str, Sigma],
        columns: Mapping[str, str] | None,
        units: Mapping[str, str] | None,
    ) -> Measurements:
        """Return the columns as measurements.

        Args:
            sigma: Standard deviation of the noise.
            columns: Which heading stands for which name; None takes all. Coordinates have their own headings if none
                of them is named.
            units: Unit by name; goes before what the source states, and has to agree with it.

        Raises:
            ValueError: If a column is missing, or two stand for one name.
        """
        chosen = dict(columns) if columns is not None else self._by_name()
        named = {split_heading(heading)[0]: heading for heading in self.columns}
        if not any(name in chosen for name in _AXES):
            chosen |= {name: named[name] for name in _AXES if name in named}
        for name, heading in chosen.items():
            chosen[name] = heading if heading in self.columns else named.get(heading, heading)
            if chosen[name] not in self.columns:
                raise ValueError(
                    f"{self.source}: no column {heading!r}. {near_match_text(heading, self.columns)}"
                )
        picked = {name: self.columns[heading] for name, heading in chosen.items()}
        axes = [name for name in _AXES if name in picked]
        if "x" not in axes:
            raise ValueError(
                f"{self.source}: no column 'x' for the position. {near_match_text('x', picked)}"
            )
        return Measurements(
            points=np.stack([picked.pop(name) for name in axes], axis=1),
            values=picked,
            sigma=sigma,
            source=self.source,
            units=self._units_of(chosen, units or {}),
        )

    def _by_name(self) -> dict[str, str]:
        """Return every heading by its name without unit; refuse two headings of one name."""
        chosen: dict[str, str] = {}
        for heading in self.columns:
            name, _ = split_heading(heading)
            if name in chosen:
                raise ValueError(
                    f"{self.source}: columns {chosen[name]!r} and {heading!r} both stand for {name!r}; keep one"
                )
            chosen[name] = heading
        return chosen

    def _units_of(self, chosen: Mapping[str, str], said: Mapping[str, str]) -> dict[str, str]:
        """Return the units by name: what the caller says, else the source, else its headings."""
        units = dict(said)
        for name, heading in chosen.items():
            stated = self.units.get(heading) or split_heading(heading)[1]
            if stated and name in units and parsed(stated) != parsed(units[name]):
                raise ValueError(
                    f"{self.source}: column {heading!r} is in {stated}, units= says {units[name]!r} for {name}; "
                    "keep one"
                )
            if stated:
                units.setdefault(name, stated)
        return units


def split_heading(heading: str) -> tuple[str, str]:
    """Return name and unit of a heading: of ``T [degC]``, ``x (mm)``, ``x_mm``, ``velocity_x_m/s``.

    The unit is empty where there is none; what follows an underscore counts only if it is a unit.
    """
    match = re.fullmatch(r"(.+?)\s*[\[(]\s*(.*?)\s*[\])]", heading.strip())
    if match:
        return match[1], _MEANT.get(match[2], match[2])
    head, _, tail = heading.strip().rpartition("_")
    if not head or tail in (*_AXES, *_WORDS) or tail.isdigit() or not is_unit(tail):
        return heading.strip(), ""
    return head, _MEANT.get(tail, tail)


def read_csv(path: str | Path, *, separator: str | None, encoding: str | None) -> Table:
    """Read a file of separated values with a header."""
    header, numbers = read_table(path, separator=separator, encoding=encoding)
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise ValueError(f"{path}: there are two columns {twice[0]!r}; keep one")
    return Table(str(path), dict(zip(header, numbers.T, strict=True)), {})


def read_npz(path: str | Path) -> Table:
    """Read the arrays of an .npz file."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, EOFError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read as an .npz file ({error})") from error
    columns = {name: _as_column(path, name, array) for name, array in arrays.items()}
    return Table(str(path), columns, {})


def read_hdf5(path: str | Path, group: str) -> Table:
    """Read the datasets of one group of an HDF5 file."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            if not isinstance(file.get(group), h5py.Group):
                groups = [name for name in file if isinstance(file[name], h5py.Group)]
                raise ValueError(f"{path}: no group {group!r}. {near_match_text(group, groups)}")
            datasets = {k: v for k, v in file[group].items() if isinstance(v, h5py.Dataset)}
            columns = {name: _as_column(path, name, item[...]) for name, item in datasets.items()}
            units = {k: str(v.attrs["units"]) for k, v in datasets.items() if "units" in v.attrs}
    except OSError as error:
        raise ValueError(f"{path}: cannot be read as an HDF5 file ({error})") from error
    return Table(str(path), columns, units)


def read_vtu(path: str | Path, *, space_dim: int, num: int | None, seed: int) -> Table:
    """Read points and point data of a mesh file, some of its points at random if wanted."""
    import meshio

    try:
        mesh = meshio.read(str(path))
    except (meshio.ReadError, OSError, SystemExit, ValueError) as error:
        raise ValueError(f"{path}: cannot be read as a mesh ({error})") from error
    if not mesh.point_data:
        raise ValueError(
            f"{path}: the mesh has no point data; write values at points, not in cells"
        )
    columns = {axis: mesh.points[:, k] for k, axis in enumerate("xyz"[:space_dim])}
    for name, array in mesh.point_data.items():
        parts = np.asarray(array, dtype=np.float64).reshape(len(mesh.points), -1)
        if parts.shape[1] == 1:
            columns[name] = parts[:, 0]
        elif parts.shape[1] <= 3:
            columns |= {
                f"{name}_{'xyz'[k]}": parts[:, k] for k in range(min(parts.shape[1], space_dim))
            }
    rows = np.arange(len(mesh.points))
    if num is not None:
        if not 1 <= num <= len(rows):
            raise ValueError(
                f"{path}: num must lie in 1 .. {len(rows)}, the number of points, got {num}"
            )
        rows = np.sort(np.random.default_rng(seed).permutation(len(rows))[:num])
    chosen = {name: np.asarray(v, dtype=np.float64)[rows] for name, v in columns.items()}
    return Table(str(path), chosen, {})


def read_xarray(data: xarray.Dataset | xarray.DataArray) -> Table:
    """Return labelled arrays as columns: one row for each combination of coordinates without a missing value."""
    import xarray

    if isinstance(data, xarray.DataArray):
        if data.name is None:
            raise ValueError(
                "xarray: the array has no name to know the quantity by; data.rename('temperature')"
            )
        data = data.to_dataset()
    if not isinstance(data, xarray.Dataset):
        raise ValueError(f"xarray: expected a Dataset or a DataArray, got {type(data).__name__}")
    variables = {str(name): data[name] for name in (*data.data_vars, *data.coords)}
    wide = xarray.broadcast(*variables.values())
    columns = {
        name: _as_column("xarray", name, item.values.ravel())
        for name, item in zip(variables, wide, strict=True)
    }
    there = np.all([~np.isnan(columns[str(name)]) for name in data.data_vars], axis=0)
    units = {k: str(v.attrs["units"]) for k, v in variables.items() if "units" in v.attrs}
    return Table("xarray", {name: column[there] for name, column in columns.items()}, units)


def _as_column(path: str | Path, name: str, array: npt.NDArray[np.generic]) -> Array:
    """Return an array of numbers, shape (N,)."""
    column = np.asarray(array)
    if column.ndim != 1 or column.dtype.kind not in "iuf":
        raise ValueError(
            f"{path}: {name!r} must be a column of numbers, shape (N,), got {column.dtype} of shape {column.shape}"
        )
    return np.asarray(column, dtype=np.float64)
