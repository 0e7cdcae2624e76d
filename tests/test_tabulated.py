"""Given values from data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pinnsolve import Tabulated
from pinnsolve.jets import Coordinates, Frame


def at(points: list[list[float]], frame: Frame) -> Coordinates:
    return Coordinates(torch.tensor(points, dtype=torch.float64), frame)


def test_linear_data_are_reproduced_along_one_axis_in_any_order() -> None:
    table = Tabulated(("y",), np.array([[1.0], [0.0], [0.25]]), np.array([3.0, 1.0, 1.5]))
    x = at([[9.0, 0.0], [9.0, 0.1], [9.0, 0.6], [9.0, 1.0]], Frame(2))
    assert table(x).value.tolist() == pytest.approx([1.0, 1.2, 2.2, 3.0], abs=1e-14)


def test_the_nearest_value_holds_outside_the_range() -> None:
    table = Tabulated(("t",), np.array([[0.0], [1.0]]), np.array([5.0, 7.0]))
    x = at([[0.0, -3.0], [0.0, 4.0]], Frame(1, has_time=True))
    assert table(x).value.tolist() == [5.0, 7.0]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_linear_data_are_reproduced_over_two_axes(seed: int) -> None:
    generator = np.random.default_rng(seed)
    points = np.concatenate((generator.random((40, 2)), [[0, 0], [0, 1], [1, 0], [1, 1]]))
    table = Tabulated(("x", "y"), points, 2.0 * points[:, 0] - 3.0 * points[:, 1] + 1.0)
    wanted = generator.random((20, 2))
    found = table(at(wanted.tolist(), Frame(2))).value.numpy()
    assert found == pytest.approx(2.0 * wanted[:, 0] - 3.0 * wanted[:, 1] + 1.0, abs=1e-12)


def test_a_file_gives_the_same_as_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "inlet.csv"
    path.write_text("y_m,velocity_x_m/s\n0,0\n0.5,1.5\n1,0\n")
    table = Tabulated.from_csv(path, axes=("y",), value="velocity_x")
    assert table(at([[0.0, 0.25]], Frame(2))).value.tolist() == [0.75]


@pytest.mark.parametrize(
    ("points", "values", "message"),
    [
        ([[0.0], [1.0]], [1.0], "needs points of shape"),
        ([[0.0]], [1.0], "at least 2 rows"),
        ([[0.0], [float("nan")]], [1.0, 2.0], "row 2 is not finite"),
        ([[0.5], [0.5]], [1.0, 2.0], "same y"),
    ],
)
def test_refusals(points: list[list[float]], values: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Tabulated(("y",), np.array(points), np.array(values))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "inlet.csv"
    path.write_text("y_m,speed\n0,0\n1,0\n")
    with pytest.raises(ValueError, match=r"no column 'velocity'.*speed"):
        Tabulated.from_csv(path, axes=("y",), value="velocity")
