"""A conservation law over the surroundings of a node, for materials that jump on grid lines.

The surroundings of a node are cut by the grid lines into 2^D shares, each within one cell and so within one material.
The law ``div F = S`` is integrated over them: the fluxes through the two outer faces of each share in every axis, at
their centres, less the source at the centre of the share. Values there are interpolated within the cell. Where nodes
are equidistant and nothing jumps the order is two; a jump of the material on a grid line does not lower it, and in one
dimension the fluxes are those of the harmonic mean. Control volumes about nodes: S. V. Patankar, "Numerical Heat
Transfer and Fluid Flow", 1980.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from itertools import product

import numpy as np

from pinnsolve.collocation import tensor
from pinnsolve.jets import Coordinates, Fields, Jet
from pinnsolve.problem import Problem
from pinnsolve.reference.grid_law import Law, Row
from pinnsolve.reference.grids import Grid, Nodes
from pinnsolve.reference.stencils import Array
from pinnsolve.trial import trial_fields

_SIDES = (-1, 1)


def has_cell_balances(problem: Problem) -> bool:
    """Whether the physics declares one balance with a row for each component."""
    middle = np.mean(np.asarray(problem.bounds), axis=0)[None]
    x = Coordinates(tensor(middle), problem.frame)
    fields = trial_fields(problem.field_shapes, x, 1.0)
    found = list(problem.physics.balances(fields, x).values())
    return len(found) == 1 and len(found[0].source.parts) == len(problem.component_names)


def cell_laws(problem: Problem, grid: Grid, component: int) -> list[Law]:
    """Return the balance of a component about every node that is not on a side of the box.

    Args:
        problem: The declaration; it has one balance with a row for each component.
        grid: The node sets.
        component: Position of the component.

    Returns:
        Laws whose rows are to be added up.
    """
    lines = [_Line(grid, component, axis) for axis in range(grid.dim)]
    numbers = grid.nodes[component].numbers
    for axis in set(range(grid.dim)) - grid.periodic:
        numbers = np.take(numbers, range(1, numbers.shape[axis] - 1), axis=axis)
    name = f"balance of {grid.names[component]}"
    laws = []
    for places, factors, row in _pieces(problem, component, lines):
        target = Nodes(tuple(places))
        chosen = np.arange(target.size, dtype=np.intp)
        factor: Array = reduce(np.multiply.outer, factors).ravel()
        piece = Law(name, component, target, chosen, numbers.ravel(), row, "equation", factor, name)
        laws.append(piece)
    return laws


def _pieces(
    problem: Problem, component: int, lines: list[_Line]
) -> Iterator[tuple[list[Array], list[Array], Row]]:
    """Yield places and factors along each axis, and what is evaluated there."""
    dim = len(lines)
    for sides in product(_SIDES, repeat=dim):
        centres = [line.centre(side) for line, side in zip(lines, sides, strict=True)]
        widths = [line.share(side) for line, side in zip(lines, sides, strict=True)]
        yield centres, [-widths[0], *widths[1:]], _source(problem, component)
        for axis, (line, side) in enumerate(zip(lines, sides, strict=True)):
            places, factors = list(centres), list(widths)
            places[axis], factors[axis] = line.face(side), side / line.width
            yield places, factors, _flux(problem, component, axis)


def _flux(problem: Problem, component: int, axis: int) -> Row:
    def row(f: Fields, x: Coordinates) -> Jet:
        (balance,) = problem.physics.balances(f, x).values()
        return (balance.flux if len(balance.flux.shape) == 1 else balance.flux[component])[axis]

    return row


def _source(problem: Problem, component: int) -> Row:
    def row(f: Fields, x: Coordinates) -> Jet:
        (balance,) = problem.physics.balances(f, x).values()
        return balance.source if balance.source.shape == () else balance.source[component]

    return row


class _Line:
    """The nodes of an axis that are not at its ends, each with its surroundings."""

    def __init__(self, grid: Grid, component: int, axis: int) -> None:
        nodes = grid.nodes[component].axes[axis]
        self._lower, self._period = float(grid.lower[axis]), 0.0
        if axis in grid.periodic:
            self._period = float(grid.upper[axis] - grid.lower[axis])
            nodes = np.concatenate((nodes[-1:] - self._period, nodes, nodes[:1] + self._period))
        self._nodes, gaps = nodes[1:-1], np.diff(nodes)
        self._gaps = {-1: gaps[:-1], 1: gaps[1:]}
        self.width: Array = 0.5 * (gaps[:-1] + gaps[1:])

    def face(self, side: int) -> Array:
        """Return where the surroundings end."""
        return self._wrapped(self._nodes + 0.5 * side * self._gaps[side])

    def centre(self, side: int) -> Array:
        """Return the middle between node and end."""
        return self._wrapped(self._nodes + 0.25 * side * self._gaps[side])

    def share(self, side: int) -> Array:
        """Return which share of the surroundings lies on a side."""
        share: Array = 0.5 * self._gaps[side] / self.width
        return share

    def _wrapped(self, places: Array) -> Array:
        if not self._period:
            return places
        return self._lower + (places - self._lower) % self._period
