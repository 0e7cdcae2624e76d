"""Tables of measurements: round trips through CSV, and every way a table can be wrong."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from pinnsolve.measurements import Measurements


@pytest.fixture
def table(tmp_path):
    def write(text: str | bytes) -> Path:
        path = tmp_path / "sensors.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_csv_round_trip(table, seed) -> None:
    numbers = np.random.default_rng(seed).normal(size=(7, 5))
    lines = ["x_m,y_m,t_s,temperature_K,velocity_x_m/s"]
    lines += [",".join(repr(float(v)) for v in row) for row in numbers]
    data = Measurements.from_csv(table("\n".join(lines)), sigma=0.5)
    assert np.array_equal(data.points, numbers[:, :3])
    assert list(data.values) == ["temperature", "velocity_x"]
    assert np.array_equal(data.values["temperature"], numbers[:, 3])
    assert np.array_equal(data.values["velocity_x"], numbers[:, 4])
    assert data.num_values == 14
    assert data.sigma == 0.5


def test_columns_are_taken_by_name_not_by_place(table) -> None:
    path = table("T,time,height,width\n1,2,3,4\n5,6,7,8\n")
    columns = {"temperature": "T", "t": "time", "y": "height", "x": "width"}
    data = Measurements.from_csv(path, sigma=1.0, columns=columns)
    assert data.points.tolist() == [[4.0, 3.0, 2.0], [8.0, 7.0, 6.0]]
    assert data.values["temperature"].tolist() == [1.0, 5.0]


@pytest.mark.parametrize("name", ["velocity_x", "displacement_y", "temperature", "pressure"])
def test_component_names_need_no_unit(table, name) -> None:
    data = Measurements.from_csv(table(f"x,{name}\n0,1\n"), sigma=1.0)
    assert list(data.values) == [name]


def test_comments_blank_lines_and_spreadsheet_marks_are_skipped(table) -> None:
    path = table(b"\xef\xbb\xbf# rig 7\r\nx, temperature\r\n\r\n0.1, 20\r\n# later\r\n0.2, 21\r\n")
    data = Measurements.from_csv(path, sigma=1.0)
    assert data.values["temperature"].tolist() == [20.0, 21.0]


def test_a_spreadsheet_mark_before_the_header_is_skipped(table) -> None:
    data = Measurements.from_csv(table(b"\xef\xbb\xbfx,temperature\n0,1\n"), sigma=1.0)
    assert data.points.tolist() == [[0.0]]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("y,temperature\n0,1\n", "no column 'x' for the position"),
        ("x,temperature\n0,1\n0.5\n", "line 3 has 1 entries, the header has 2"),
        ("x,temperature\n0,1,2\n", "line 2 has 3 entries, the header has 2"),
        ("x,temperature\n0,1\n0.5,warm\n", "line 3, column 'temperature': 'warm' is not a number"),
        ("x,temperature\n0,\n", "line 2, column 'temperature': '' is not a number"),
        ("x,temperature\n0,1\n1,nan\n", "temperature is not a finite number in row"),
        ("x,temperature\ninf,1\n", "points is not a finite number in row"),
        ("x,temperature\n", "needs a header and at least one row of numbers, got 1 rows"),
        ("", "needs a header and at least one row"),
        ("x\n0\n", "no measured component was given"),
        ("x,temperature,temperature\n0,1,2\n", "temperature"),
        ("x_m,x_cm,temperature\n0,0,1\n", "'x_m' and 'x_cm' both stand for 'x'"),
        (b"x,temperature\n0,\xff\xfe\n", "cannot be read as a CSV file"),
    ],
)
def test_broken_tables_are_refused_by_file_line_and_column(table, text, match) -> None:
    with pytest.raises(ValueError, match=match) as caught:
        Measurements.from_csv(table(text), sigma=1.0)
    assert "sensors.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("header", "points"),
    [
        ("x_mm,temperature", [[1e-3]]),
        ("x_m,y_um,temperature", [[1.0, 1e-6]]),
        ("x,t_min,temperature", [[1.0, 60.0]]),
    ],
)
def test_coordinates_in_other_units_become_si(table, header, points) -> None:
    path = table(f"{header}\n{','.join('1' for _ in header.split(','))}\n")
    assert Measurements.from_csv(path, sigma=1.0).points == pytest.approx(np.array(points))


def test_lines_are_counted_as_an_editor_counts_them(table) -> None:
    with pytest.raises(ValueError, match="line 5, column 'temperature'"):
        Measurements.from_csv(table("# rig\nx,temperature\n\n0,1\n1,hot\n"), sigma=1.0)


def test_missing_column_names_the_near_match(table) -> None:
    path = table("x_m,T_degC\n0,1\n")
    with pytest.raises(ValueError, match=r"no column 'T_C'. .*Did you mean 'T_degC'"):
        Measurements.from_csv(path, sigma=1.0, columns={"x": "x_m", "temperature": "T_C"})


def test_missing_file_is_one_error(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"absent.csv: cannot be read as a CSV file"):
        Measurements.from_csv(tmp_path / "absent.csv", sigma=1.0)


POINTS = np.array([[0.0, 0.0], [1.0, 0.5]])
GOOD = {"temperature": np.array([1.0, 2.0])}


@pytest.mark.parametrize(
    ("points", "values", "sigma", "match"),
    [
        (np.zeros(3), GOOD, 1.0, r"points must be of shape \(N, D\) with N >= 1, got \(3,\)"),
        (np.zeros((0, 2)), GOOD, 1.0, r"got \(0, 2\)"),
        (POINTS, {}, 1.0, "no measured component was given"),
        (
            POINTS,
            {"temperature": np.ones(3)},
            1.0,
            r"one value per point, shape \(2,\), got \(3,\)",
        ),
        (POINTS, {"temperature": np.ones((2, 1))}, 1.0, r"got \(2, 1\)"),
        (POINTS, {"temperature": [1.0, math.nan]}, 1.0, "not a finite number in row 2"),
        (POINTS, {"temperature": [math.inf, math.nan]}, 1.0, "in row 1 and 1 more"),
        (POINTS * math.nan, GOOD, 1.0, "points is not a finite number in row 1"),
        (POINTS, GOOD, 0.0, "sigma must be > 0"),
        (POINTS, GOOD, -1.0, "sigma must be > 0"),
        (POINTS, GOOD, math.nan, "sigma must be > 0"),
        (POINTS, GOOD, np.array([1.0, 0.0]), "sigma must be > 0"),
        (POINTS, GOOD, np.ones(3), "one number or one per point"),
    ],
)
def test_bad_arrays(points, values, sigma, match) -> None:
    with pytest.raises(ValueError, match=match):
        Measurements(points, values, sigma)


def test_one_number_for_all_values_is_not_broadcast() -> None:
    with pytest.raises(ValueError, match="one value per point"):
        Measurements(POINTS, {"temperature": 1.0}, 1.0)


def test_naming_a_quantity_leaves_the_coordinates_to_their_headings(table) -> None:
    path = table(b"x [mm];y [mm];T [degF];note\n10,0;20,0;68,0;1\n")
    data = Measurements.from_csv(path, sigma=0.9, columns={"temperature": "T"})
    np.testing.assert_allclose(data.points, [[0.01, 0.02]])
    assert list(data.values) == ["temperature"]
    assert data.values["temperature"] == pytest.approx([20.0])
    assert data.sigma == pytest.approx(0.5)
    along = Measurements.from_csv(path, sigma=0.9, columns={"x": "x", "temperature": "T"})
    np.testing.assert_allclose(along.points, [[0.01]])
