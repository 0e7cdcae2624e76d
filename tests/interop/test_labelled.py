"""Labelled arrays: the same numbers as the solution's, NaN outside, units on everything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray

import pinnsolve as ps

SolutionOf = Callable[..., ps.Solution]


def test_values_are_those_of_the_solution(solution: ps.Solution) -> None:
    data = solution.to_xarray(resolution=7, num_times=3)
    names = solution.problem.frame.axis_names
    assert tuple(data.dims) == names
    stacked = data.stack(point=names).transpose("point", ...)
    points = np.stack([stacked[name].values for name in names], axis=1)
    dim = solution.problem.domain.dim
    inside = solution.problem.domain.contains(points[:, :dim])
    assert inside.any()
    for name, shape in solution.problem.field_shapes.items():
        values = solution.at(points[inside])[name]
        for axis in range(shape[0] if shape else 1):
            column = stacked[f"{name}_{'xyz'[axis]}" if shape else name].values
            np.testing.assert_array_equal(column[inside], values[:, axis] if shape else values)
            assert np.isnan(column[~inside]).all()


def test_outside_is_nan(solution_of: SolutionOf) -> None:
    data = solution_of("plate_with_hole").to_xarray(resolution=41)
    assert np.isnan(data.temperature.sel(x=0.7, y=0.5, method="nearest"))
    assert not np.isnan(data.temperature.sel(x=0.0, y=0.0))


def test_units(solution_of: SolutionOf) -> None:
    data = solution_of("flow").to_xarray(resolution=5, num_times=2)
    assert {name: data[name].attrs["units"] for name in data.variables} == {
        "x": "m",
        "y": "m",
        "t": "s",
        "velocity_x": "m/s",
        "velocity_y": "m/s",
        "pressure": "Pa",
    }


def test_netcdf_round_trip(solution_of: SolutionOf, tmp_path: Path) -> None:
    data = solution_of("flow").to_xarray(resolution=5, num_times=2)
    data.to_netcdf(tmp_path / "s.nc", engine="h5netcdf")
    with xarray.open_dataset(tmp_path / "s.nc", engine="h5netcdf") as again:
        xarray.testing.assert_identical(again.load(), data)


@pytest.mark.parametrize(("what", "number"), [("resolution", 1), ("num_times", 0)])
def test_too_few_points_are_refused(solution_of: SolutionOf, what: str, number: int) -> None:
    with pytest.raises(ValueError, match=f"{what} must be >= 2, got {number}"):
        solution_of("heated_rod").to_xarray(**{what: number})


def test_a_grid_that_misses_the_domain_is_refused(solution_of: SolutionOf) -> None:
    from dataclasses import replace

    frame = ps.Rectangle((0.0, 0.0), (1.0, 1.0)) & ps.Disk((0.5, 0.5), 0.2)
    problem = replace(
        solution_of("plate_with_hole").problem,
        domain=frame,
        conditions=[ps.Dirichlet(part, temperature=1.0) for part in frame.parts],
    )
    with pytest.raises(ValueError, match=r"no point of the grid lies in the domain; .* above 2"):
        replace(solution_of("plate_with_hole"), problem=problem).to_xarray(resolution=2)
