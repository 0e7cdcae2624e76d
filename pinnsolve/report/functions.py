"""Identified functions as numbers: values on a grid with their spread, for pictures and for ``result.json``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pinnsolve.collocation import tensor
from pinnsolve.estimated_functions import EstimatedFunction
from pinnsolve.estimates import Estimate
from pinnsolve.jets import Coordinates, as_jet
from pinnsolve.problem import Problem
from pinnsolve.solution import Solution
from pinnsolve.unknowns import find_unknowns

Array = npt.NDArray[np.float64]

_ALONG = {1: 201, 2: 41}
"""Nodes along each coordinate, by their number."""


@dataclass(frozen=True)
class SampledFunction:
    """An identified function on a grid of its own coordinates.

    Attributes:
        name: Its name.
        unit: Its unit.
        coordinates: Nodes by coordinate, shape (n,) each.
        values: The function at the nodes, shape (n,) or (n, m); NaN outside of the domain, here and below.
        std: Its standard deviation, or None if it is not known.
        low: Lower end of the 95 % interval, or None.
        high: Its upper end, or None.
        truth: The true function where a synthetic case knows it, or None.
    """

    name: str
    unit: str
    coordinates: Mapping[str, Array]
    values: Array
    std: Array | None = None
    low: Array | None = None
    high: Array | None = None
    truth: Array | None = None

    @property
    def error(self) -> float | None:
        """Relative L2 difference to the truth over the nodes, or None if that is not known."""
        if self.truth is None:
            return None
        size = math.sqrt(float(np.nansum(self.truth**2)))
        return math.sqrt(float(np.nansum((self.values - self.truth) ** 2))) / (size or 1.0)

    @property
    def typical_std(self) -> float | None:
        """Median of the standard deviation over the nodes, or None if it is not known."""
        return None if self.std is None else float(np.nanmedian(self.std))


def sampled_functions(solution: Solution) -> tuple[SampledFunction, ...]:
    """Return all identified functions of a solution on grids.

    Args:
        solution: The solution.
    """
    found = solution.functions.values()
    return tuple(_sampled(solution.problem, item) for item in found)


def estimates_of_numbers(problem: Problem, estimates: Sequence[Estimate]) -> tuple[Estimate, ...]:
    """Return the estimates without the coefficients of functions, which say nothing one by one.

    Args:
        problem: The declaration.
        estimates: All of them.
    """
    coefficients = {unknown.name for unknown in find_unknowns(problem.functions)}
    return tuple(item for item in estimates if item.name not in coefficients)


def function_documents(functions: Sequence[SampledFunction]) -> list[dict[str, object]]:
    """Return functions as plain data, the member ``functions`` of ``result.json``.

    Each has ``name``, ``unit``, ``coordinates`` (nodes by name), and arrays over these nodes, the last coordinate
    fastest: ``values``, ``std``, ``low`` and ``high`` (ends of the 95 % interval) and ``truth``. Arrays that are not
    known are null, and so are numbers outside of the domain.

    Args:
        functions: Functions on grids.
    """

    def listed(values: Array | None) -> object:
        return None if values is None else values.tolist()

    return [
        {
            "name": item.name,
            "unit": item.unit,
            "coordinates": {name: nodes.tolist() for name, nodes in item.coordinates.items()},
            "values": listed(item.values),
            "std": listed(item.std),
            "low": listed(item.low),
            "high": listed(item.high),
            "truth": listed(item.truth),
            "relative_l2_error": item.error,
        }
        for item in functions
    ]


def _sampled(problem: Problem, found: EstimatedFunction) -> SampledFunction:
    of = found.function.of
    axes = {name: np.linspace(*ends, _ALONG[len(of)]) for name, ends in of.items()}
    nodes = np.stack(np.meshgrid(*axes.values(), indexing="ij"), axis=-1).reshape(-1, len(of))
    outside = _outside(problem, list(of), nodes)
    shape = tuple(len(values) for values in axes.values())

    def on_grid(values: Array) -> Array:
        return np.where(outside, np.nan, values).reshape(shape)

    known = found.covariance is not None
    low, high = found.interval(nodes) if known else (None, None)
    truth = truth_at(problem, found, nodes)
    return SampledFunction(
        found.function.name,
        found.function.unit,
        axes,
        on_grid(found(nodes)),
        on_grid(found.std(nodes)) if known else None,
        None if low is None else on_grid(low),
        None if high is None else on_grid(high),
        None if truth is None else on_grid(truth),
    )


def _outside(problem: Problem, axes: list[str], nodes: Array) -> npt.NDArray[np.bool_]:
    """Return which nodes lie outside of the domain; a function of only some of its coordinates has none."""
    domain = problem.domain
    names = problem.frame.axis_names[: domain.dim]
    if set(axes) != set(names):
        return np.zeros(len(nodes), dtype=bool)
    points = nodes[:, [axes.index(name) for name in names]]
    return ~np.asarray(domain.contains(points, 1e-9 * domain.size), dtype=bool)


def truth_at(problem: Problem, found: EstimatedFunction, nodes: Array) -> Array | None:
    """Return the true function, shape (N,), or None; coordinates that it is not of are in their middle.

    Args:
        problem: The declaration.
        found: The identified function.
        nodes: Its own coordinates, shape (N, number of coordinates).
    """
    declared = {item.name: item for item in problem.functions}[found.function.name]
    if declared.truth is None:
        return None
    points = np.tile(0.5 * (problem.bounds[0] + problem.bounds[1]), (len(nodes), 1))
    names = problem.frame.axis_names
    points[:, [names.index(name) for name in declared.of]] = nodes
    x = Coordinates(tensor(points), problem.frame)
    value = as_jet(declared.truth(x), problem.frame).value
    return np.asarray(value.expand(len(points)).cpu().numpy(), dtype=np.float64)
