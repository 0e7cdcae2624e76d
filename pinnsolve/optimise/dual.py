"""The damped least-squares step from ``J J^T``, for systems with fewer rows than parameters.

``(J^T J + lam I)^-1 J^T = J^T (J J^T + lam I)^-1``: the matrix on the right is M x M.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def dual_solver(jacobian: Tensor) -> Callable[[float], Callable[[Tensor], Tensor]]:
    """Return, for every damping lam, the map from rows w (M,) to ``J^T (J J^T + lam I)^-1 w`` (P,).

    J J^T is formed once. What a map returns is not finite where the damped matrix is not
    positive definite in floating-point arithmetic.

    Args:
        jacobian: J, shape (M, P).
    """
    outer = jacobian @ jacobian.T

    def solver(damping: float) -> Callable[[Tensor], Tensor]:
        damped = outer.clone()
        damped.diagonal().add_(damping)
        factor, failed = torch.linalg.cholesky_ex(damped)

        def solve(w: Tensor) -> Tensor:
            if int(failed) != 0:
                return jacobian.new_full((jacobian.shape[1],), float("nan"))
            return jacobian.T @ torch.cholesky_solve(w[:, None], factor)[:, 0]

        return solve

    return solver


def damped_step(jacobian: Tensor, rows: Tensor, damping: float) -> Tensor:
    """Return d with ``(J^T J + lam I) d = -J^T r``, shape (P,).

    Args:
        jacobian: J, shape (M, P).
        rows: r, shape (M,).
        damping: lam > 0.
    """
    return -dual_solver(jacobian)(damping)(rows)
