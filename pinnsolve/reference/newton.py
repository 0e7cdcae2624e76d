"""Newton's method with sparse LU factors, damped, and with factors kept as long as they serve.

All tests are on corrections, never on residuals, so units and scalings of the equations do not
matter (P. Deuflhard, "Newton Methods for Nonlinear Problems", 2004, algorithm NLEQ-ERR).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pinnsolve.reference.grid_system import GridSystem, Instant
from pinnsolve.reference.stencils import Array

_TOLERANCE = 1e-9
_ROUNDING = 1e-6
_SMALLEST_DAMPING = 1e-4
_MAX_FACTORS = 40
_CHORD_RATE = 0.3
_LEAST_RECOVERY = 1e-4
_SINGULAR = "the discrete equations are singular: the conditions do not determine the solution"

Solve = Callable[[Array], Array]


class NotSolvedError(ArithmeticError):
    """The discrete equations could not be solved; the text says why and what may help."""


class NotConvergedError(NotSolvedError):
    """Newton's method did not converge; a finer grid or a better start may."""


@dataclass(frozen=True, eq=False)
class Solved:
    """Unknowns that satisfy the equations, and the factorisation that got there.

    Attributes:
        u: The unknowns.
        solve: Solves with the last Jacobian.
        num_factors: How many factorisations it took.
    """

    u: Array
    solve: Solve
    num_factors: int


@np.errstate(over="ignore", invalid="ignore")  # trial steps that overflow are rejected
def solve_newton(
    system: GridSystem, u: Array, instant: Instant, solve: Solve | None = None
) -> Solved:
    """Return the solution of the discrete equations near ``u``.

    A linear problem takes one factorisation, or none where ``solve`` is given.

    Args:
        system: The equations.
        u: First guess.
        instant: When they hold.
        solve: Solves with the Jacobian of a similar problem, to be tried first.

    Raises:
        NotSolvedError: If the Jacobian is singular or the iteration does not converge.
    """
    if solve is not None:
        start = -solve(system.residual(u, instant))
        u, done = _chord_steps(system, u, start, instant, solve)
        if done:
            return Solved(u, solve, 0)
    damping = 1.0
    for count in range(1, _MAX_FACTORS + 1):
        residual, jacobian = system.linearised(u, instant)
        solve = factorised(jacobian)
        step = -solve(residual)
        u, after, damping, stalled = _damped_step(system, u, step, instant, solve, damping)
        if stalled:
            return Solved(u, solve, count)
        if damping == 1.0:
            u, done = _chord_steps(system, u, after, instant, solve)
            if done:
                return Solved(u, solve, count)
    raise NotConvergedError(f"Newton's method did not converge in {_MAX_FACTORS} factorisations")


def factorised(matrix: Any) -> Solve:  # noqa: ANN401
    """Return a function that solves with a sparse matrix.

    Raises:
        NotSolvedError: If the matrix is singular or not finite.
    """
    from scipy.sparse.linalg import splu

    if not np.isfinite(matrix.data).all():
        raise NotSolvedError("the equations are not finite at the present values")
    try:
        factors = splu(matrix)
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError):
            raise NotSolvedError(
                "the factors of the discrete equations exceed the memory"
            ) from error
        raise NotSolvedError(_SINGULAR) from error
    solve: Solve = factors.solve
    if not _recovers(matrix, solve):
        raise NotSolvedError(_SINGULAR)
    return solve


def _recovers(matrix: Any, solve: Solve) -> bool:  # noqa: ANN401
    """Whether solving gives back known values, as it does unless the matrix is singular."""
    largest = abs(matrix).max(axis=0).toarray().ravel()
    known = np.random.default_rng(0).standard_normal(len(largest))
    scale = np.where(largest > 0.0, largest, 1.0)
    found = solve(matrix @ (known / scale)) * scale
    return bool(np.max(np.abs(found - known)) <= _LEAST_RECOVERY)


def _damped_step(
    system: GridSystem, u: Array, step: Array, instant: Instant, solve: Solve, damping: float
) -> tuple[Array, Array, float, bool]:
    """Take as much of a Newton step as shortens the correction that would follow.

    Returns:
        The new unknowns, the simplified correction there, the damping used, and whether rounding
        stops all further progress.
    """
    size = _size(system, step, u + step)
    damping = min(1.0, 4.0 * damping)
    while damping > _SMALLEST_DAMPING:
        trial = u + damping * step
        after = -solve(system.residual(trial, instant))
        ratio = _size(system, after, u + step) / size if size > 0.0 else 0.0
        if np.isfinite(ratio) and ratio <= 1.0 - 0.25 * damping:
            return trial, after, damping, False
        if damping == 1.0 and size < _ROUNDING:
            return trial, after, damping, True
        damping *= 0.5
    raise NotConvergedError(
        "Newton's method found no step that improves; the problem may have no solution or need a "
        "finer grid"
    )


def _chord_steps(
    system: GridSystem, u: Array, step: Array, instant: Instant, solve: Solve
) -> tuple[Array, bool]:
    """Repeat corrections with one factorisation while they shrink fast; tell if they are small."""
    size = _size(system, step, u + step)
    while np.isfinite(size):
        trial = u + step
        if size <= _TOLERANCE:
            return trial, True
        following = -solve(system.residual(trial, instant))
        next_size = _size(system, following, trial)
        if not next_size <= _CHORD_RATE * size:
            return (trial, size < _ROUNDING) if next_size <= size else (u, False)
        u, step, size = trial, following, next_size
    return u, False


def _size(system: GridSystem, step: Array, u: Array) -> float:
    """Return the size of a correction relative to the fields: the largest over the fields."""
    scales, changes, start = [], [], 0
    for shape in system.shapes.values():
        stop = start + int(np.prod(shape, dtype=int))
        spans = slice(system.grid.offsets[start], system.grid.offsets[stop])
        scales.append(float(np.sqrt(np.mean(u[spans] ** 2))))
        changes.append(float(np.sqrt(np.mean(step[spans] ** 2))))
        start = stop
    # A field that vanishes up to rounding has no size of its own.
    floor = 1e-10 * max(scales) or 1.0
    return max(change / max(scale, floor) for change, scale in zip(changes, scales, strict=True))
