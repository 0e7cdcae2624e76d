"""Fields on a regular grid as an xarray Dataset with labelled coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pinnsolve.interop.cells import spaced
from pinnsolve.interop.derived import unit_of
from pinnsolve.jets import component_names
from pinnsolve.solution import Solution, component_values

if TYPE_CHECKING:
    import xarray


def to_dataset(solution: Solution, *, resolution: int = 64, num_times: int = 33) -> xarray.Dataset:
    """Return every field component on a regular grid; points outside of the domain are NaN.

    Args:
        solution: The solution.
        resolution: Points along the longest side.
        num_times: Times from start to end, for an unsteady problem.

    Returns:
        Variables ``temperature``, ``velocity_x`` ... over the coordinates x, y, z and t, with
        units.

    Raises:
        ValueError: If a number of points is below 2.
    """
    import xarray

    for what, number in {"resolution": resolution, "num_times": num_times}.items():
        if number < 2:
            raise ValueError(f"{what} must be >= 2, got {number}")
    problem = solution.problem
    axes = spaced(*problem.domain.bounds, resolution)
    space = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    inside = problem.domain.contains(space)
    if not inside.any():
        raise ValueError(
            f"no point of the grid lies in the domain; give a resolution above {resolution}"
        )
    points = space[inside]
    if problem.time is not None:
        times = np.linspace(problem.time.start, problem.time.end, num_times)
        points = np.column_stack(
            (np.repeat(points, num_times, axis=0), np.tile(times, len(points)))
        )
        inside = np.repeat(inside, num_times)
        axes = [*axes, times]
    names = problem.frame.axis_names
    values = np.full((len(inside), len(problem.component_names)), np.nan)
    values[inside] = component_values(solution, points)
    shape = tuple(len(axis) for axis in axes)
    owners = {c: n for n, s in problem.field_shapes.items() for c in component_names({n: s})}
    return xarray.Dataset(
        {
            name: (names, values[:, i].reshape(shape), {"units": unit_of(solution, owners[name])})
            for i, name in enumerate(problem.component_names)
        },
        coords={
            name: (name, axis, {"units": "s" if name == "t" else "m"})
            for name, axis in zip(names, axes, strict=True)
        },
        attrs={
            "problem": problem.name,
            "source": f"pinnsolve {solution.record.versions['pinnsolve']}",
        },
    )
