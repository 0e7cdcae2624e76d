"""VTU files, read back by the library that ParaView's files come from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import meshio
import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.interop.derived import shapes_by_name
from pinnsolve.interop.vtu import located

SolutionOf = Callable[..., ps.Solution]

WIDTH = {0: None, 1: 3, 2: 9}


def test_all_fields_come_back(solution: ps.Solution, tmp_path: Path) -> None:
    solution.to_vtu(tmp_path / "s.vtu", resolution=9)
    mesh = meshio.read(tmp_path / "s.vtu")
    dim = solution.problem.domain.dim
    assert mesh.points.shape[1] == 3
    assert not mesh.points[:, dim:].any()
    points = located(solution, mesh.points[:, :dim], None)
    for name, shape in shapes_by_name(solution).items():
        found = mesh.point_data[name].reshape(len(points), -1)
        assert found.shape[1] == (WIDTH[len(shape)] or 1)
        values = solution.at(points)[name]
        if len(shape) == 2:
            found = found.reshape(-1, 3, 3)[:, : shape[0], : shape[1]]
        np.testing.assert_array_equal(
            found.reshape(values.shape) if len(shape) != 1 else found[:, : shape[0]], values
        )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("rod", "line"),
        ("plate_with_hole", "triangle"),
        ("block_under_load", "hexahedron"),
        ("meshed", "triangle6"),
    ],
)
def test_cells_suit_the_domain(
    solution_of: SolutionOf, tmp_path: Path, name: str, kind: str
) -> None:
    solution_of(name).to_vtu(tmp_path / "s.vtu", resolution=9)
    assert list(meshio.read(tmp_path / "s.vtu").cells_dict) == [kind]


def test_derived_quantities_are_there(solution_of: SolutionOf, tmp_path: Path) -> None:
    solution_of("block_under_load").to_vtu(tmp_path / "s.vtu", resolution=5)
    assert {"displacement", "stress", "von_mises"} <= set(
        meshio.read(tmp_path / "s.vtu").point_data
    )


def test_time_can_be_chosen(solution_of: SolutionOf, tmp_path: Path) -> None:
    solution = solution_of("heated_rod")
    values = {}
    for time in (1.0, 2.0, None):
        solution.to_vtu(tmp_path / "s.vtu", resolution=5, time=time)
        values[time] = meshio.read(tmp_path / "s.vtu").point_data["temperature"]
    assert not np.array_equal(values[1.0], values[2.0])
    end = np.column_stack((np.linspace(0.0, 0.1, 5), np.full(5, 3.0)))
    np.testing.assert_array_equal(values[None], solution.at(end).temperature)


@pytest.mark.parametrize(
    ("name", "time", "words"),
    [("rod", 1.0, "is steady: give no time"), ("heated_rod", 9.0, "from 1.0 to 3.0 s, got 9.0")],
)
def test_times_that_do_not_fit_are_refused(
    solution_of: SolutionOf, tmp_path: Path, name: str, time: float, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        solution_of(name).to_vtu(tmp_path / "s.vtu", time=time)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("path", "words"), [("nowhere/s.vtu", "there is no folder"), ("s.vtk", r"must end with \.vtu")]
)
def test_paths_that_do_not_fit_are_refused(
    solution_of: SolutionOf, tmp_path: Path, path: str, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        solution_of("rod").to_vtu(tmp_path / path)


def test_low_resolution_is_refused(solution_of: SolutionOf, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="resolution must be >= 2"):
        solution_of("rod").to_vtu(tmp_path / "s.vtu", resolution=1)
