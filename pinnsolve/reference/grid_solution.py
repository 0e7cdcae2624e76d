"""A solution on a grid, as a smooth function of space and time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from pinnsolve.reference.grids import Grid
from pinnsolve.reference.stencils import Array


@dataclass(frozen=True, eq=False)
class GridSolution:
    """Nodal values of all components, interpolated by tensor products of cubic splines.

    Attributes:
        grid: The node sets.
        cells: Number of cells along each space axis.
        times: Time levels in s, shape (T,); None if steady.
        values: Nodal values, shape (T, num_unknowns); T = 1 if steady.
        num_factors: How many sparse factorisations it took.
        seconds: Wall time in s.
    """

    grid: Grid
    cells: tuple[int, ...]
    times: Array | None
    values: Array
    num_factors: int
    seconds: float

    @property
    def num_unknowns(self) -> int:
        """Number of unknowns of the discrete system, at one time."""
        return self.grid.num_unknowns

    def evaluate(self, points: npt.ArrayLike) -> Array:
        """Return all components at points.

        Args:
            points: Shape (N, D), space in m, then time in s.

        Returns:
            Values (N, C) in the order of ``grid.names``.

        Raises:
            ValueError: If the points have another number of columns.
        """
        array = np.asarray(points, dtype=np.float64)
        columns = self.grid.dim + (self.times is not None)
        if array.ndim != 2 or array.shape[1] != columns:
            raise ValueError(f"points must be of shape (N, {columns}), got {array.shape}")
        return np.stack([spline(array) for spline in self._splines], axis=1)

    def component(self, name: str) -> Array:
        """Return the nodal values of a component, shape (*nodes) or (*nodes, T) if transient."""
        position = self.grid.names.index(name)
        block = self.values[:, self.grid.span(position)].T
        shape = self.grid.nodes[position].shape
        return block.reshape(shape if self.times is None else (*shape, -1))

    @cached_property
    def _splines(self) -> tuple[Any, ...]:
        time = () if self.times is None else (self.times,)
        splines = []
        for position, name in enumerate(self.grid.names):
            axes, values = self.grid.unrolled(position, self.component(name))
            splines.append(tensor_spline((*axes, *time), values, self.grid.edges))
        return tuple(splines)


def tensor_spline(
    axes: tuple[Array, ...], values: Array, kinks: tuple[tuple[float, ...], ...] = ()
) -> Any:  # noqa: ANN401
    """Return the spline through values on a tensor grid, cubic along axes with four nodes.

    Args:
        axes: Increasing coordinates, one array per axis.
        values: Shape (len(axis), ...).
        kinks: For the first axes, those of their coordinates at which the derivative may jump.

    Returns:
        A SciPy NdBSpline: maps points (N, D) to values (N,).
    """
    from scipy.interpolate import NdBSpline, make_interp_spline

    knots, degrees, coefficients = [], [], values
    for position, axis in enumerate(axes):
        degree = min(3, len(axis) - 1)
        inner = kinks[position] if position < len(kinks) else ()
        spline = make_interp_spline(
            axis, np.moveaxis(coefficients, position, 0), degree, _knots(axis, inner)
        )
        knots.append(spline.t)
        degrees.append(degree)
        coefficients = np.moveaxis(spline.c, 0, position)
    return NdBSpline(tuple(knots), np.ascontiguousarray(coefficients), tuple(degrees))


def _knots(axis: Array, kinks: tuple[float, ...]) -> Array | None:
    """Return the knots of separate cubics between kinks, joined by their values alone."""
    if not kinks:
        return None
    places = [0, *(int(np.abs(axis - kink).argmin()) for kink in kinks), len(axis) - 1]
    knots = [axis[:1]]
    for first, last in pairwise(places):
        knots += [np.repeat(axis[first], 3), axis[first + 2 : last - 1]]
    return np.concatenate((*knots, np.repeat(axis[-1], 4)))
