"""Linear solvers: sparse factors, and a multigrid iteration for large solids."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pinnsolve.reference.fem_forms import UnsuitedError
from pinnsolve.reference.fem_levels import Array
from pinnsolve.reference.fem_space import Matrix

Solve = Callable[[Array], Array]
"""Maps a right-hand side (N,) to the solution (N,)."""

_FEW = 2000
"""Number of unknowns below which factors cost nothing."""

_RTOL = 1e-6
_RESTART = 40
_MAX_CYCLES = 5


def factorised(matrix: Matrix) -> Solve:
    """Return a direct solver for a sparse matrix of symmetric pattern.

    Raises:
        UnsuitedError: If the matrix is singular.
    """
    from scipy.sparse.linalg import splu

    try:
        factors = splu(
            matrix.tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.01,
            options={"SymmetricMode": True},
        )
    except RuntimeError as error:
        raise UnsuitedError(f"the finite element matrix is singular ({error})") from error

    def solve(load: Array) -> Array:
        solution: Array = factors.solve(load)
        return solution

    return solve


def multigrid(matrix: Matrix, prolongations: Sequence[Matrix]) -> Solve:
    """Return a solver to a relative residual of 1e-6, by GMRES with a multigrid V-cycle.

    A cycle is a forward Gauss-Seidel sweep, a correction on the coarse space and a backward sweep
    (Hackbusch, Multi-Grid Methods and Applications, 1985).

    Args:
        matrix: The system, (N, N).
        prolongations: From the unknowns of the next nested space (M,) to those here (N,), and so
            on.

    Raises:
        UnsuitedError: If the matrix is singular, or the iteration does not converge.
    """
    from scipy.sparse.linalg import LinearOperator, gmres

    preconditioner = LinearOperator(
        matrix.shape, matvec=_cycle(matrix, prolongations), dtype=np.float64
    )

    def solve(load: Array) -> Array:
        solution, failure = gmres(
            matrix, load, rtol=_RTOL, restart=_RESTART, maxiter=_MAX_CYCLES, M=preconditioner
        )
        if failure:
            raise UnsuitedError("multigrid does not converge; mesh without flat cells")
        found: Array = solution
        return found

    return solve


def _cycle(matrix: Matrix, prolongations: Sequence[Matrix]) -> Solve:
    """Return one V-cycle from zero; an exact solution where the system is small."""
    from scipy.sparse import tril
    from scipy.sparse.linalg import splu

    if not prolongations or matrix.shape[0] < _FEW:
        return factorised(matrix)
    prolongation = prolongations[0]
    coarse = _cycle(prolongation.T @ matrix @ prolongation, prolongations[1:])
    sweep = splu(tril(matrix).tocsc(), permc_spec="NATURAL", diag_pivot_thresh=0.0)

    def cycle(load: Array) -> Array:
        values = sweep.solve(load)
        values = values + prolongation @ coarse(prolongation.T @ (load - matrix @ values))
        result: Array = values + sweep.solve(load - matrix @ values, trans="T")
        return result

    return cycle
