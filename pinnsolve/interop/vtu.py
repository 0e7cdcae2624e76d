"""VTU files for ParaView: all fields and derived quantities on cells that cover the domain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from pinnsolve.interop.cells import cover
from pinnsolve.interop.derived import shapes_by_name
from pinnsolve.replacing import replacing
from pinnsolve.solution import Solution

Array = npt.NDArray[np.float64]


def write_vtu(
    solution: Solution, path: Path, *, resolution: int = 64, time: float | None = None
) -> None:
    """Write a solution at one time.

    Vectors are padded to 3 components and tensors to 9 (row by row), as VTK has them.

    Args:
        solution: The solution.
        path: The file; its folder must exist and its name end with ``.vtu``.
        resolution: Points along the longest side, unless the domain is a mesh.
        time: When, for an unsteady problem; None is the end.

    Raises:
        ValueError: If the path, the resolution or the time does not fit.
    """
    import meshio

    if path.suffix.lower() != ".vtu":
        raise ValueError(f"{path}: the name must end with .vtu")
    cells = cover(solution.problem.domain, resolution)
    points = located(solution, cells.points, time)
    data = {
        name: _padded(solution.at(points)[name], shape)
        for name, shape in shapes_by_name(solution).items()
    }
    mesh = meshio.Mesh(_columns(cells.points, 3), list(cells.blocks.items()), point_data=data)
    with replacing(path) as temporary:
        mesh.write(temporary, file_format="vtu")


def located(solution: Solution, points: Array, time: float | None) -> Array:
    """Return points of the domain (N, d) with the time as last column, if the problem is unsteady.

    Args:
        solution: The solution.
        points: Positions, shape (N, d).
        time: When; None is the end.

    Raises:
        ValueError: If a time is given for a steady problem, or one outside of the interval.
    """
    interval = solution.problem.time
    if interval is None:
        if time is not None:
            raise ValueError(
                f"problem {solution.problem.name!r} is steady: give no time, got {time}"
            )
        return points
    when = interval.end if time is None else time
    if not interval.start <= when <= interval.end:
        raise ValueError(f"time must be from {interval.start} to {interval.end} s, got {time}")
    return np.column_stack((points, np.full(len(points), when)))


def _padded(values: Array, shape: tuple[int, ...]) -> Array:
    if len(shape) == 1:
        return _columns(values, 3)
    if len(shape) == 2:
        full = np.zeros((len(values), 3, 3))
        full[:, : shape[0], : shape[1]] = values
        return full.reshape(-1, 9)
    return values


def _columns(values: Array, number: int) -> Array:
    """Return an array with columns of zeros added up to a number of columns."""
    return np.column_stack((values, np.zeros((len(values), number - values.shape[1]))))
