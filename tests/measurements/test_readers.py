"""The same readings from every kind of file, in whatever units, separators and encodings."""

from __future__ import annotations

from pathlib import Path

import h5py
import meshio
import numpy as np
import pytest
import xarray

import pinnsolve as ps
from pinnsolve.csv_columns import read_table
from pinnsolve.measurements.readers import split_heading
from pinnsolve.measurements.units import in_si, is_unit, of_one_dimension, si_unit

X_MM, Y_MM = np.array([10.0, 20.0, 30.0]), np.array([1.0, 2.0, 4.0])
DEG_F = np.array([32.0, 212.0, 68.0])
POINTS, DEG_C = np.stack((X_MM, Y_MM), axis=1) / 1000.0, np.array([0.0, 100.0, 20.0])


def check(data: ps.Measurements) -> None:
    assert data.points == pytest.approx(POINTS, rel=1e-14)
    assert data.values["temperature"] == pytest.approx(DEG_C, abs=1e-12)
    assert data.sigma == pytest.approx(0.5)
    assert dict(data.units)["temperature"] == "degC"


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "sensors.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("comma", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separators_decimal_commas_and_encodings(tmp_path, separator, comma, encoding) -> None:
    numbers = np.column_stack((X_MM, Y_MM, DEG_F))
    quote = '"' if comma and separator == "," else ""
    lines = [separator.join(("x [mm]", "y_mm", "temperature (°F)"))]
    for row in numbers:
        entries = [f"{v:.3f}".replace(".", "," if comma else ".") for v in row]
        lines.append(separator.join(f"{quote}{entry}{quote}" for entry in entries))
    check(ps.Measurements.from_csv(written(tmp_path, "\n".join(lines), encoding), sigma=0.9))


def test_an_encoding_that_is_named(tmp_path) -> None:
    text = "x [mm],y [mm],T [°F]\n" + "\n".join(
        f"{a},{b},{c}" for a, b, c in zip(X_MM, Y_MM, DEG_F, strict=True)
    )
    path = written(tmp_path, text, "cp1252")
    with pytest.raises(ValueError, match=r"sensors.csv.*utf-8-sig: byte 0xb0 in line 1.*cp1252"):
        ps.Measurements.from_csv(path, sigma=0.9)
    columns = {"x": "x", "y": "y", "temperature": "T"}
    check(ps.Measurements.from_csv(path, sigma=0.9, columns=columns, encoding="cp1252"))


REFUSED_TABLES = {
    "decimal commas between commas": ("x,temperature\n0,5,20,1\n", "line 2 has 4.*decimal commas"),
    "points and commas": ("x;temperature\n0,5;20.1\n", "'0,5' has a decimal comma, '20.1' a point"),
    "spaces": ("x temperature\n0.5 20.1\n", "separated by spaces; separate them by"),
    "a column twice": ("x,T,T\n0,1,2\n", "two columns 'T'"),
    "two columns of one name": ("x_m,x_mm,T\n0,1,2\n", "'x_m' and 'x_mm' both stand for 'x'"),
    "a length in seconds": ("x_s,T\n0,1\n", "the coordinate x is in m, its unit cannot be 's'"),
    "thousands": ("x;T\n0;1,000,000\n", "line 2, column 'T': '1,000,000' is not a number"),
}


@pytest.mark.parametrize("case", REFUSED_TABLES)
def test_tables_that_cannot_be_read(tmp_path, case) -> None:
    text, match = REFUSED_TABLES[case]
    with pytest.raises(ValueError, match=match) as caught:
        ps.Measurements.from_csv(written(tmp_path, text), sigma=1.0)
    assert "sensors.csv" in str(caught.value)


def test_an_encoding_that_is_none(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"cannot be read as a CSV file.*unknown encoding"):
        read_table(written(tmp_path, "x,T\n0,1\n"), encoding="klingon")


@pytest.mark.parametrize(
    ("heading", "name", "unit"),
    [
        ("T [degC]", "T", "degC"),
        ("temperature_C", "temperature", "degC"),
        ("T (F)", "T", "degF"),
        ("x (mm)", "x", "mm"),
        ("velocity_x_m/s", "velocity_x", "m/s"),
        ("velocity_x", "velocity_x", ""),
        ("heat_flux", "heat_flux", ""),
        ("von_mises", "von_mises", ""),
        ("strain_xx", "strain_xx", ""),
        ("d temperature / dx [K/m]", "d temperature / dx", "K/m"),
    ],
)
def test_headings(heading, name, unit) -> None:
    assert split_heading(heading) == (name, unit)


def test_npz(tmp_path) -> None:
    np.savez(tmp_path / "a.npz", x=X_MM, y=Y_MM, reading=DEG_F)
    data = ps.Measurements.from_npz(
        tmp_path / "a.npz",
        sigma=0.9,
        columns={"x": "x", "y": "y", "temperature": "reading"},
        units={"x": "mm", "y": "mm", "temperature": "degF"},
    )
    check(data)


def test_hdf5_with_units_in_attributes(tmp_path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, column, unit in (
            ("x", X_MM, "mm"),
            ("y", Y_MM, "mm"),
            ("temperature", DEG_F, "degF"),
        ):
            file[f"run/{name}"] = column
            file[f"run/{name}"].attrs["units"] = unit
    check(ps.Measurements.from_hdf5(tmp_path / "a.h5", sigma=0.9, group="run"))
    with pytest.raises(
        ValueError, match=r"a.h5: no group 'runs'. There are run. Did you mean 'run'"
    ):
        ps.Measurements.from_hdf5(tmp_path / "a.h5", sigma=0.9, group="runs")


def test_vtu_points_and_vectors(tmp_path) -> None:
    points = np.column_stack((POINTS, np.zeros(3)))
    velocity = np.column_stack((DEG_C, DEG_C**2, np.zeros(3)))
    mesh = meshio.Mesh(
        points, [("triangle", [[0, 1, 2]])], {"temperature": DEG_F, "velocity": velocity}
    )
    mesh.write(tmp_path / "a.vtu")
    units = {"temperature": "degF"}
    data = ps.Measurements.from_vtu(tmp_path / "a.vtu", sigma=0.9, space_dim=2, units=units)
    assert data.points == pytest.approx(POINTS)
    assert data.values["temperature"] == pytest.approx(DEG_C, abs=1e-12)
    assert data.values["velocity_y"] == pytest.approx(DEG_C**2)
    some = ps.Measurements.from_vtu(tmp_path / "a.vtu", sigma=0.9, space_dim=2, num=2)
    assert len(some.points) == 2
    with pytest.raises(ValueError, match=r"num must lie in 1 .. 3"):
        ps.Measurements.from_vtu(tmp_path / "a.vtu", sigma=0.9, space_dim=2, num=4)


def test_xarray_grid_without_its_missing_values() -> None:
    grid = np.array([[32.0, np.nan], [np.nan, 212.0], [np.nan, 68.0]])
    labelled = xarray.DataArray(
        grid,
        {"x": ("x", X_MM, {"units": "mm"}), "t": ("t", [0.0, 1.0], {"units": "min"})},
        name="temperature",
        attrs={"units": "degF"},
    )
    data = ps.Measurements.from_xarray(labelled, sigma=0.9)
    assert data.points == pytest.approx(np.array([[0.01, 0.0], [0.02, 60.0], [0.03, 60.0]]))
    assert data.values["temperature"] == pytest.approx(DEG_C, abs=1e-12)
    assert data.sigma == pytest.approx(0.5)


def test_what_a_solution_writes_is_what_readers_read() -> None:
    dataset = xarray.Dataset(
        {"temperature": (("x", "y"), np.arange(6.0).reshape(2, 3))},
        {"x": [0.0, 1.0], "y": [0.0, 0.5, 1.0]},
    )
    data = ps.Measurements.from_xarray(dataset, sigma=1.0)
    assert len(data.points) == 6
    assert data.values["temperature"] == pytest.approx(np.arange(6.0))


@pytest.mark.parametrize(
    ("reader", "name", "what"),
    [
        ("from_npz", "a.npz", "an .npz file"),
        ("from_hdf5", "a.h5", "an HDF5 file"),
    ],
)
def test_files_that_are_something_else(tmp_path, reader, name, what) -> None:
    (tmp_path / name).write_bytes(b"these are not the arrays")
    with pytest.raises(ValueError, match=f"{name}: cannot be read as {what}"):
        getattr(ps.Measurements, reader)(tmp_path / name, sigma=1.0)


def test_labelled_arrays_without_a_name() -> None:
    with pytest.raises(ValueError, match="the array has no name to know the quantity by"):
        ps.Measurements.from_xarray(xarray.DataArray([1.0], {"x": [0.0]}), sigma=1.0)
    with pytest.raises(ValueError, match="expected a Dataset or a DataArray, got list"):
        ps.Measurements.from_xarray([1.0], sigma=1.0)  # type: ignore[arg-type]
    dated = xarray.DataArray([1.0], {"x": np.array(["2020-01-01"], "datetime64[ns]")}, name="T")
    with pytest.raises(ValueError, match="'x' must be a column of numbers"):
        ps.Measurements.from_xarray(dated, sigma=1.0)


def test_a_mesh_without_values(tmp_path) -> None:
    mesh = meshio.Mesh(np.eye(3), [("triangle", [[0, 1, 2]])])
    mesh.write(tmp_path / "a.vtu")
    with pytest.raises(ValueError, match=r"a.vtu: the mesh has no point data; write values at poi"):
        ps.Measurements.from_vtu(tmp_path / "a.vtu", sigma=1.0, space_dim=2)


def test_a_mesh_that_is_none(tmp_path) -> None:
    (tmp_path / "a.vtu").write_text("<none/>")
    with pytest.raises(ValueError, match=r"a.vtu: cannot be read as a mesh"):
        ps.Measurements.from_vtu(tmp_path / "a.vtu", sigma=1.0, space_dim=2)


def test_columns_that_are_no_columns(tmp_path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((2, 2)), temperature=np.zeros(2))
    with pytest.raises(ValueError, match=r"'x' must be a column of numbers, shape \(N,\)"):
        ps.Measurements.from_npz(tmp_path / "a.npz", sigma=1.0)


@pytest.mark.parametrize(
    ("value", "unit", "si", "into"),
    [
        (1.0, "mm", 1e-3, "m"),
        (2.0, "MPa", 2e6, "Pa"),
        (3.0, "W/cm2", 3e4, "W/m2"),
        (1.0, "kcal/(h m2 K)", 4184.0 / 3600.0, "W/(m2 K)"),
        (20.0, "°C", 20.0, "degC"),
        (20.0, "K", 20.0, "K"),
        (68.0, "degF", 20.0, "degC"),
        (5.0, "um/m", 5e-6, "1"),
        (5.0, "microstrain", 5e-6, "1"),
        (5.0, "%", 0.05, "1"),
        (5.0, "-", 5.0, "1"),
        (2.0, "degF/inch", 2.0 * 5.0 / 9.0 / 0.0254, "K/m"),
    ],
)
def test_units_against_hand_conversion(value, unit, si, into) -> None:
    assert float(in_si(np.array(value), unit)) == pytest.approx(si, rel=1e-12)
    assert si_unit(unit) == into
    assert of_one_dimension(unit, into)
    assert float(in_si(np.array(si), into)) == pytest.approx(si)  # converting again changes nothing


def test_a_standard_deviation_is_a_difference() -> None:
    assert float(in_si(np.array(1.8), "degF", difference=True)) == pytest.approx(1.0)
    assert float(in_si(np.array(1.8), "degC", difference=True)) == pytest.approx(1.8)


def test_unknown_units() -> None:
    assert not is_unit("furlogs")
    with pytest.raises(ValueError, match=r"rig: unit 'furlogs' is not known; write it as 'mm'"):
        ps.Measurements([[1.0]], {"T": [1.0]}, 1.0, source="rig", units={"x": "furlogs"})


def test_units_said_twice(tmp_path) -> None:
    path = written(tmp_path, "x_mm,T [degC]\n0,1\n")
    with pytest.raises(
        ValueError, match=r"column 'x_mm' is in mm, units= says 'cm' for x; keep one"
    ):
        ps.Measurements.from_csv(path, sigma=1.0, units={"x": "cm"})
    with pytest.raises(
        ValueError, match=r"no coordinate or measured name 'TT'. .*Did you mean 'T'"
    ):
        ps.Measurements.from_csv(path, sigma=1.0, units={"TT": "degC"})


def test_one_sigma_for_two_units_becomes_one_each() -> None:
    data = ps.Measurements([[1.0]], {"u": [1.0], "v": [2.0]}, 0.1, units={"u": "mm", "v": "m"})
    assert isinstance(data.sigma, dict)
    assert data.sigma["u"] == pytest.approx(1e-4)
    assert data.sigma["v"] == pytest.approx(0.1)


def test_likelihood_and_holdout_of_a_csv_file(tmp_path: Path) -> None:
    path = tmp_path / "rig.csv"
    path.write_text("x [mm],temperature [degF]\n" + "".join(f"{i},{50 + i}\n" for i in range(10)))
    plain = ps.Measurements.from_csv(path, sigma=0.9)
    robust = ps.Measurements.from_csv(path, sigma=0.9, likelihood="student", holdout=0.2)
    assert (robust.likelihood, robust.holdout) == ("student", 0.2)
    np.testing.assert_array_equal(robust.values["temperature"], plain.values["temperature"])
    np.testing.assert_array_equal(robust.points, plain.points)
    with pytest.raises(ValueError, match="likelihood must be one of normal, student, huber"):
        ps.Measurements.from_csv(path, sigma=0.9, likelihood="cauchy")  # type: ignore[arg-type]
