"""Where materials or sources jump, found by trying the declaration with a uniform field along lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pinnsolve.jets import Coordinates, Fields, Jet
from pinnsolve.jets.scalar import Leaf
from pinnsolve.multi_index import MultiIndex
from pinnsolve.problem import Problem
from pinnsolve.reference.stencils import Array

_NUM_POINTS = 513
"""Points on a line; what is thinner than the space between two may be missed."""

_NUM_LINES = 9
"""Lines along each axis."""

_MOST_EDGES = 8
"""More different places of jumps along an axis than this are no layers."""

_SMALLEST = 1e-3
"""Smallest jump that counts, relative to the largest value."""

_HALVINGS = 36

_SAME = 1e-9
"""Distance below which two places are one, relative to the length of the box."""


@dataclass(frozen=True)
class Jumps:
    """Places where fluxes or sources of a uniform field jump.

    Attributes:
        edges: For each space axis the coordinates in m of the planes at which they do, increasing.
        off_grid: Whether they also jump at places that are no plane normal to an axis.
    """

    edges: tuple[tuple[float, ...], ...]
    off_grid: bool

    def __bool__(self) -> bool:
        return self.off_grid or any(self.edges)


Tried = Callable[[Problem, Fields, Coordinates], list[Jet]]
"""What of a problem is tried."""


def fluxes(problem: Problem, fields: Fields, x: Coordinates) -> list[Jet]:
    """Return all components of the fluxes of a problem's balances and of its natural fluxes."""
    balances = [balance.flux for balance in problem.physics.balances(fields, x).values()]
    natural = problem.physics.natural_fluxes(fields, x).values()
    return [entry for flux in (*balances, *natural) for entry in _entries(flux)]


def fluxes_and_sources(problem: Problem, fields: Fields, x: Coordinates) -> list[Jet]:
    """Return what :func:`fluxes` returns and all components of the sources."""
    balances = problem.physics.balances(fields, x).values()
    sources = [entry for balance in balances for entry in _entries(balance.source)]
    return fluxes(problem, fields, x) + sources


def find_jumps(problem: Problem, tried: Tried) -> Jumps:
    """Return where a problem on a box jumps.

    Differences between neighbouring points of a line are followed by bisection: those of functions
    that are merely steep vanish, those of jumps stay.

    Args:
        problem: The declaration, its unknowns bound to numbers.
        tried: Fluxes, or fluxes and sources.
    """
    dim = problem.domain.dim
    shares = torch.quasirandom.SobolEngine(dim, scramble=True, seed=0).draw(
        1 if dim == 1 else _NUM_LINES, dtype=torch.float64
    )
    edges, off_grid = [], False
    for axis in range(dim):
        found = _along(problem, tried, axis, shares.numpy())
        places, counts = _distinct(found)
        planes = places[counts >= min(2, len(shares))]
        if len(planes) > _MOST_EDGES:
            planes = planes[:0]
        off_grid = off_grid or len(planes) < len(places)
        lower, upper = (float(corner[axis]) for corner in problem.domain.bounds)
        edges.append(tuple((lower + (upper - lower) * planes).tolist()))
    return Jumps(tuple(edges), off_grid)


def _along(problem: Problem, tried: Tried, axis: int, shares: Array) -> Array:
    """Return the places of all jumps along lines, as shares of the length of the box."""
    ends = np.linspace(0.0, 1.0, _NUM_POINTS)
    lines = np.repeat(shares, _NUM_POINTS, axis=0)
    lines[:, axis] = np.tile(ends, len(shares))
    values = _values(problem, tried, lines)
    scale = np.abs(values).max(axis=0)
    scale[scale == 0.0] = 1.0
    table = (values / scale).reshape(len(shares), _NUM_POINTS, -1)
    line, place = np.nonzero(_gap(table[:, :-1], table[:, 1:]) > _SMALLEST)
    left, right = (lines.reshape(*table.shape[:2], -1)[line, p] for p in (place, place + 1))
    low, high = table[line, place], table[line, place + 1]
    for _ in range(_HALVINGS):
        if not len(left):
            break
        middle = 0.5 * (left + right)
        value = _values(problem, tried, middle) / scale
        first = (_gap(low, value) >= _gap(value, high))[:, None]
        left, right = np.where(first, left, middle), np.where(first, middle, right)
        low, high = np.where(first, low, value), np.where(first, value, high)
        still = _gap(low, high) > _SMALLEST
        left, right, low, high = left[still], right[still], low[still], high[still]
    found: Array = right[:, axis]
    return found[(found > _SAME) & (found < 1.0 - _SAME)]


def _distinct(found: Array) -> tuple[Array, Array]:
    """Return the places that differ, increasing, and how often each was found."""
    line = np.sort(found)
    first = np.flatnonzero(np.diff(line, prepend=-1.0) > _SAME)
    return line[first], np.diff(first, append=len(line))


def _gap(first: Array, second: Array) -> Array:
    gap: Array = np.abs(first - second).max(axis=-1, initial=0.0)
    return gap


def _values(problem: Problem, tried: Tried, shares: Array) -> Array:
    """Return what is tried at shares (N, D) of the box, halfway through the time, shape (N, K)."""
    lower, upper = (np.asarray(corner) for corner in problem.domain.bounds)
    points = torch.from_numpy(lower + (upper - lower) * shares)
    one = torch.ones(len(points), dtype=torch.float64, device="cpu")
    if problem.time is not None:
        middle = problem.time.start + 0.5 * problem.time.duration
        points = torch.cat((points, middle * one[:, None]), dim=1)

    def source(index: MultiIndex) -> Tensor:
        return one if len(index) < 2 else torch.zeros_like(one)

    x = Coordinates(points, problem.frame)
    leaves = [Leaf(source) for _ in problem.component_names]
    fields = Fields.from_components(problem.field_shapes, list(leaves), problem.frame)
    columns = [jet.value.expand(len(points)) for jet in tried(problem, fields, x)]
    found: Array = torch.stack([*columns, 0.0 * one], dim=1).detach().numpy()
    found[~np.isfinite(found)] = 0.0
    return found


def _entries(jet: Jet) -> list[Jet]:
    """Return the scalar components of a field."""
    if jet.shape == ():
        return [jet]
    return [entry for part in jet for entry in _entries(part)]
