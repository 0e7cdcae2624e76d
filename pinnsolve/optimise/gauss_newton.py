"""Gauss-Newton on a dense matrix: J^T J, or J J^T where there are fewer rows than parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.optimise.dual import dual_solver
from pinnsolve.optimise.gram import normal_equations
from pinnsolve.optimise.levenberg_marquardt import GaussNewtonState, LevenbergMarquardt, Solve
from pinnsolve.optimise.products import jacobian_transpose_product
from pinnsolve.residuals import System


@dataclass(frozen=True)
class GaussNewton(LevenbergMarquardt):
    """Levenberg-Marquardt by Cholesky factorisation, for up to about 10,000 parameters."""

    def step(
        self, system: System, state: GaussNewtonState, reduction: Reduction = ALONE
    ) -> GaussNewtonState:
        """Take one step, as :meth:`LevenbergMarquardt.step` says."""
        theta = state.theta
        # the rows of J J^T are spread over the processes, those of J^T J add up
        if reduction.size == 1 and system.num_rows < system.num_parameters:
            rows, solver = _dual(system, theta)
        else:
            rows, solver = _primal(system, theta, reduction)
        return self.descend(system, theta, rows, state.damping, solver, reduction)


def _primal(
    system: System, theta: Tensor, reduction: Reduction
) -> tuple[Tensor, Callable[[float], Solve]]:
    """Return the rows and a solver by Cholesky factorisation of ``J^T J + lam I``."""
    gram, gradient, rows = normal_equations(system.linearised(theta), system.num_parameters)
    reduction.sum(gram)
    reduction.sum(gradient)

    def solver(damping: float) -> Solve:
        damped = gram.clone()
        damped.diagonal().add_(damping)
        factor, failed = torch.linalg.cholesky_ex(damped)

        def solve(w: Tensor) -> Tensor:
            known = w is rows
            right = (
                gradient if known else reduction.sum(jacobian_transpose_product(system, theta, w))
            )
            if int(failed) != 0:
                return torch.full_like(gradient, float("nan"))
            return torch.cholesky_solve(right[:, None], factor)[:, 0]

        return solve

    return rows, solver


def _dual(system: System, theta: Tensor) -> tuple[Tensor, Callable[[float], Solve]]:
    """Return the rows and a solver by Cholesky factorisation of ``J J^T + lam I``."""
    chunks = list(system.linearised(theta))
    jacobian = torch.cat([chunk for _, chunk in chunks])
    return torch.cat([rows for rows, _ in chunks]), dual_solver(jacobian)
