"""The exact solution of a problem, as components at points that compare with those of a solution."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pinnsolve.collocation import tensor
from pinnsolve.jets import Coordinates, as_jet
from pinnsolve.levels import mean_level
from pinnsolve.problem import Problem
from pinnsolve.solution import Solution

Array = npt.NDArray[np.float64]


def exact_components(solution: Solution, points: Array) -> Array:
    """Return the exact solution's components at points, shape (N, C).

    A field whose level nothing sets gets zero mean over the domain at every time, as solutions have.

    Args:
        solution: Of a problem with an exact solution.
        points: Shape (N, D).

    Raises:
        ValueError: If the problem has no exact solution.
    """
    problem = solution.problem
    columns = []
    for name in problem.field_shapes:
        values = _exact_values(problem, name, points)
        if name in problem.floating_fields:
            values = values - _exact_level(solution, name, points)
        columns.append(values)
    return np.concatenate(columns, axis=1)


def _exact_values(problem: Problem, name: str, points: Array) -> Array:
    """Return an exact field at points (N, D), shape (N, components)."""
    if problem.exact is None:
        raise ValueError(f"problem {problem.name!r} has no exact solution")
    given = as_jet(problem.exact(Coordinates(tensor(points), problem.frame))[name], problem.frame)
    value = given.value.expand(len(points), *given.shape)
    return np.asarray(value.reshape(len(points), -1).numpy(), dtype=np.float64)


def _exact_level(solution: Solution, name: str, points: Array) -> Array:
    """Return the mean of an exact scalar over the domain at the times of the points, shape (N, 1) or (1,)."""

    def average(name: str, time: float | None) -> Array:
        located, _, weights = solution.quadrature(None, time)
        values = _exact_values(solution.problem, name, located)[:, 0]
        return np.asarray(weights @ values / weights.sum())

    interval = solution.problem.time
    level = mean_level(average, name, interval)
    times = np.zeros(1) if interval is None else points[:, solution.problem.domain.dim]
    return level.derivative(times)[:, None]
