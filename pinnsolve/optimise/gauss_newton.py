"""Gauss-Newton on a dense matrix: J^T J, or J J^T where there are fewer rows than parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.optimise.dual import dual_solver
from pinnsolve.optimise.gram import normal_equations
from pinnsolve.optimise.levenberg_marquardt import GaussNewtonState, LevenbergMarquardt, Solve
from pinnsolve.optimise.precision import noise_floor
from pinnsolve.optimise.products import jacobian_transpose_product
from pinnsolve.residuals import System


@dataclass(frozen=True)
class GaussNewton(LevenbergMarquardt):
    """Levenberg-Marquardt by Cholesky factorisation, for up to about 10,000 parameters."""

    def step(
        self, system: System, state: GaussNewtonState, reduction: Reduction = ALONE
    ) -> GaussNewtonState:
        """Take one step, as :meth:`LevenbergMarquardt.step` says."""
        # the rows of J J^T are spread over the processes, those of J^T J add up
        if reduction.size == 1 and system.num_rows < system.num_parameters:
            return self._dual_step(system, state)
        chunks = system.linearised(state.theta)
        gram, gradient, rows = normal_equations(chunks, system.num_parameters)
        reduction.sum(gram)
        reduction.sum(gradient)
        floor = noise_floor(gram.dtype, float(gram.diagonal().sum()))
        solver = cholesky_solver(system, state.theta, gram, gradient, rows, reduction)
        return self.descend(system, replace(state, floor=floor), rows, solver, reduction)

    def _dual_step(self, system: System, state: GaussNewtonState) -> GaussNewtonState:
        """Take one step by Cholesky factorisation of ``J J^T + lam I``."""
        chunks = list(system.linearised(state.theta))
        jacobian = torch.cat([chunk for _, chunk in chunks])
        rows = torch.cat([rows for rows, _ in chunks])
        # J J^T and J^T J have the same trace
        floor = noise_floor(jacobian.dtype, float(jacobian.square().sum()))
        return self.descend(system, replace(state, floor=floor), rows, dual_solver(jacobian))


def cholesky_solver(
    system: System,
    theta: Tensor,
    gram: Tensor,
    gradient: Tensor,
    rows: Tensor,
    reduction: Reduction = ALONE,
) -> Callable[[float], Solve]:
    """Return, for every damping lam, the solver by Cholesky factorisation of ``J^T J + lam I``.

    Args:
        system: The least-squares system, or this process's shard of it.
        theta: Where J was taken, shape (P,).
        gram: J^T J over all processes, shape (P, P); the lower triangle is read.
        gradient: J^T r over all processes, shape (P,).
        rows: r of ``system``, shape (M,).
        reduction: Adds up over processes.
    """

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

    return solver
