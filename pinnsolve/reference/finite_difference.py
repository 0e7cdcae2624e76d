"""Finite differences for the declaration that a network is trained on: one grid, one solution."""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pinnsolve.architecture.periods import periodic_axes
from pinnsolve.conditions import Condition, Initial, Periodic
from pinnsolve.problem import Problem
from pinnsolve.reference.grid_balances import has_cell_balances
from pinnsolve.reference.grid_jumps import find_jumps, fluxes, fluxes_and_sources
from pinnsolve.reference.grid_laws import node_laws
from pinnsolve.reference.grid_solution import GridSolution
from pinnsolve.reference.grid_system import GridSystem, Instant, make_system
from pinnsolve.reference.grids import Grid, make_grid
from pinnsolve.reference.newton import solve_newton
from pinnsolve.reference.stencils import Array
from pinnsolve.reference.transient import march


def finite_difference(
    problem: Problem,
    *,
    shape: Sequence[int],
    num_steps: int | None = None,
    order: int = 2,
    guess: GridSolution | None = None,
) -> GridSolution:
    """Solve a problem on a box with finite differences on one grid.

    The residuals of physics and conditions are evaluated on finite-difference jets, so nothing is
    declared twice. Nodes are uniform; flows are staggered. Time steps are BDF2.

    Args:
        problem: The declaration, its unknowns bound to numbers (:meth:`Problem.bound`).
        shape: Number of cells along each space axis.
        num_steps: Number of time steps; by default as many as cells along the longest side.
        order: Order of accuracy in space: 2 (three-point stencils) or 4 (five-point stencils).
        guess: A solution on another grid, where Newton's method starts.

    Returns:
        The solution; floating fields have zero mean.

    Raises:
        ValueError: If the problem does not suit this method, or the numbers are out of range.
        NotSolvedError: If the discrete equations cannot be solved.
    """
    reason = why_no_grid(problem)
    if reason is not None:
        raise ValueError(f"finite differences cannot solve {problem.name!r}: {reason}")
    _check_numbers(problem, shape, num_steps, order)
    begin = clock.perf_counter()
    grid = grid_on(problem, shape, order)
    laws = node_laws(problem, grid)
    system = make_system(grid, laws, problem.frame, problem.field_shapes, problem.floating_fields)
    if problem.time is None:
        solved = solve_newton(*_steady_start(system, guess), Instant())
        values, times, count = system.nodal_values(solved.u)[None], None, solved.num_factors
    else:
        times = np.linspace(problem.time.start, problem.time.end, (num_steps or max(shape)) + 1)
        values, count = march(problem, system, times)
    return GridSolution(grid, tuple(shape), times, values, count, clock.perf_counter() - begin)


def grid_on(problem: Problem, shape: Sequence[int], order: int = 2) -> Grid:
    """Return the nodes that finite differences use for a problem.

    Args:
        problem: The declaration.
        shape: Number of cells along each space axis.
        order: Order of accuracy in space.

    Raises:
        ValueError: If there are too few cells for the materials along an axis.
    """
    lower, upper = (np.asarray(corner, dtype=np.float64) for corner in problem.domain.bounds)
    periodic = frozenset(axis for axis, _ in periodic_axes(problem))
    edges, cellwise = _layers(problem, order)
    return make_grid(
        problem.field_shapes, lower, upper, shape, order, periodic, edges, cellwise=cellwise
    )


def why_no_grid(problem: Problem) -> str | None:
    """Return why finite differences cannot solve a problem, or None if they can try."""
    if problem.unknowns:
        names = ", ".join(unknown.name for unknown in problem.unknowns)
        return f"{names} unknown; bind values first with problem.bound({{...}})"
    if problem.ranges:
        return f"{problem.ranges[0]} is a range; take one value: problem.given(...)"
    lower, upper = problem.domain.bounds
    box = float(np.prod(np.asarray(upper) - np.asarray(lower)))
    if abs(problem.domain.measure - box) > 1e-9 * box:
        return f"the domain is not an axis-aligned box ({problem.domain.describe()})"
    repeated = {axis for axis, _ in periodic_axes(problem)}
    for condition in problem.conditions:
        if (
            isinstance(condition, Periodic)
            and _normal_axis(problem, condition.part) not in repeated
        ):
            return f"{condition.label}: periodic conditions must join two whole sides of the box"
    reason = _why_no_balance(problem)
    if reason is not None:
        return reason
    try:
        declared = _without_data(problem)
    except ValueError as error:
        return f"without its data the problem is not complete: {error}"
    for name in set(declared.floating_fields) - set(problem.floating_fields):
        return f"only data or initial values set the level of {name}; set it on the boundary"
    return None


def _layers(problem: Problem, order: int) -> tuple[tuple[tuple[float, ...], ...], bool]:
    """Return where there must be nodes, and whether field equations hold as balances over cells.

    Raises:
        ValueError: If materials jump and the order is not 2.
    """
    jumps = find_jumps(problem, fluxes_and_sources) if has_cell_balances(problem) else None
    if not jumps:
        return (), False
    if order != 2:
        raise ValueError(f"order {order} needs materials and sources that do not jump; take 2")
    return jumps.edges, True


def _why_no_balance(problem: Problem) -> str | None:
    """Return why jumping materials cannot be treated, or None."""
    if has_cell_balances(problem):
        edges = find_jumps(problem, fluxes_and_sources).edges
        if any(edges[axis] for axis, _ in periodic_axes(problem)):
            return "its materials jump along a periodic axis"
    elif find_jumps(problem, fluxes):
        return (
            f"its materials jump, and {type(problem.physics).__name__} declares no single balance"
        )
    return None


def _normal_axis(problem: Problem, part: str) -> int:
    """Return the axis that a flat part is normal to."""
    sample, _ = problem.domain.part_quadrature(part, 8)
    return int(np.abs(sample.normals[0]).argmax())


def _without_data(problem: Problem) -> Problem:
    """Return the problem without measurements and without initial values that have no effect."""
    memoryless = problem.physics.determined_up_to_constant()
    conditions: list[Condition] = []
    for condition in problem.conditions:
        if isinstance(condition, Initial):
            lasting = {n: v for n, v in condition.values.items() if n not in memoryless}
            conditions += [Initial(**lasting)] if lasting else []
        else:
            conditions.append(condition)
    return replace(problem, measurements=None, conditions=conditions)


def _check_numbers(
    problem: Problem, shape: Sequence[int], num_steps: int | None, order: int
) -> None:
    if order not in (2, 4):
        raise ValueError(f"order must be 2 or 4, got {order}")
    least = order + 2
    if len(shape) != problem.domain.dim or any(cells < least for cells in shape):
        raise ValueError(
            f"shape must give {problem.domain.dim} numbers of cells, each at least {least}, "
            f"got {tuple(shape)}"
        )
    if problem.time is None and num_steps is not None:
        raise ValueError("num_steps is for transient problems; this one is steady")
    if num_steps is not None and num_steps < 4:
        raise ValueError(f"num_steps must be at least 4, got {num_steps}")


def _steady_start(system: GridSystem, guess: GridSolution | None) -> tuple[GridSystem, Array]:
    """Return the balanced system and the values Newton's method starts from."""
    if guess is not None:
        columns = [
            guess.evaluate(nodes.points)[:, position]
            for position, nodes in enumerate(system.grid.nodes)
        ]
        u = system.unknowns_of(np.concatenate(columns))
    else:
        u = system.constant_start()
    return system.balanced(u, Instant()), u
