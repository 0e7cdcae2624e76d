"""Method of lines: BDF2 steps of a grid system, started so that the second order is kept.

Conditions and continuity are algebraic rows of the same system and hold at every new level.
"""

from __future__ import annotations

import numpy as np
import torch

from pinnsolve.conditions import Initial
from pinnsolve.jets import Coordinates, Fields
from pinnsolve.jets.scalar import Constant
from pinnsolve.problem import Problem
from pinnsolve.reference.grid_system import GridSystem, Instant
from pinnsolve.reference.grids import Grid
from pinnsolve.reference.newton import Solve, solve_newton
from pinnsolve.reference.stencils import Array


def march(problem: Problem, system: GridSystem, times: Array) -> tuple[Array, int]:
    """Return nodal values (T, num_unknowns) at all levels, and the number of factorisations.

    Args:
        problem: The declaration; its initial conditions are used.
        system: The equations.
        times: Equidistant levels in s, shape (T,), T >= 4.

    Raises:
        NotSolvedError: If a step cannot be solved.
    """
    step = float(times[1] - times[0])
    start, given = initial_values(problem, system.grid)
    system = system.balanced(start, backward_euler(start, float(times[1]), step))
    levels = np.empty((len(times), system.num_unknowns))
    levels[0] = start
    levels[1], count = _first_level(system, start, float(times[1]), step)
    solve: Solve | None = None
    for n in range(2, len(times)):
        instant = bdf2(levels[n - 1], levels[n - 2], float(times[n]), step)
        forecast = 2.0 * levels[n - 1] - levels[n - 2] if n > 2 else levels[1].copy()
        solved = solve_newton(system, forecast, instant, solve)
        levels[n], solve = solved.u, solved.solve
        count += solved.num_factors
    values = np.stack([system.nodal_values(u) for u in levels])
    # What has no initial condition, as pressure, is continued backwards by a parabola.
    values[0, ~given] = (3.0 * values[1] - 3.0 * values[2] + values[3])[~given]
    return values, count


def bdf2(last: Array, before: Array, time: float, step: float) -> Instant:
    """Return the instant whose time derivative is ``(3 u - 4 u_last + u_before) / (2 step)``."""
    return Instant(time, 1.5 / step, (before - 4.0 * last) / (2.0 * step))


def backward_euler(last: Array, time: float, step: float) -> Instant:
    """Return the instant whose time derivative is ``(u - u_last) / step``."""
    return Instant(time, 1.0 / step, -last / step)


def initial_values(
    problem: Problem, grid: Grid
) -> tuple[Array, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Return the values at the start (num_unknowns,), and where they are given at all."""
    values = np.zeros(grid.num_unknowns)
    given = np.zeros(grid.num_unknowns, dtype=bool)
    start = problem.bounds[0][-1]
    zero = Fields.from_components(
        problem.field_shapes, [Constant(0.0) for _ in grid.names], problem.frame
    )
    for condition in (c for c in problem.conditions if isinstance(c, Initial)):
        for name in condition.determines(problem.physics, problem.frame):
            component = grid.names.index(name)
            space = torch.from_numpy(grid.nodes[component].points)
            x = Coordinates(
                torch.cat((space, torch.full_like(space[:, :1], start)), 1), problem.frame
            )
            # The residual is field minus given, so at a vanishing field it is minus the given.
            rows = condition.residual(zero, x, x.position, problem.physics)
            values[grid.span(component)] = -rows[name].value.numpy()
            given[grid.span(component)] = True
    return values, given


def _first_level(system: GridSystem, start: Array, time: float, step: float) -> tuple[Array, int]:
    """Return the first level by backward Euler, extrapolated from one step and two half steps.

    A plain backward Euler step would leave a first-order error in what follows the rate of change,
    as pressure.
    """
    whole = solve_newton(system, start, backward_euler(start, time, step))
    half = 0.5 * step
    middle = solve_newton(system, start, backward_euler(start, time - half, half))
    end = solve_newton(system, middle.u, backward_euler(middle.u, time, half), middle.solve)
    count = whole.num_factors + middle.num_factors + end.num_factors
    return 2.0 * end.u - whole.u, count
