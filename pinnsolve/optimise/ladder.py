"""Gauss-Newton whose Gram matrix is made in float32 until rounding holds the damping up, then in float64.

Only J^T J is ever in low precision: it shapes the step. Residual, gradient J^T r (by reverse mode),
acceleration and trial losses are in the arithmetic of theta, so an accepted step is a true descent
and the fixed point is that of float64 (the idea of iterative refinement: N. J. Higham, "Accuracy
and Stability of Numerical Algorithms", 2nd ed. 2002, ch. 12).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.optimise.gauss_newton import GaussNewton, cholesky_solver
from pinnsolve.optimise.gram import gram_of
from pinnsolve.optimise.levenberg_marquardt import GaussNewtonState
from pinnsolve.optimise.precision import FLOAT32_GRAM, noise_floor, should_climb
from pinnsolve.residuals import System


@dataclass(frozen=True)
class Ladder:
    """Gauss-Newton that starts with a float32 Gram matrix and climbs to float64.

    Attributes:
        optimiser: The Gauss-Newton method that takes the steps.
        least_parameters: Length of theta below which it begins in float64: what float32 saves
            grows with P, and it costs the last digits of reproducibility between units or machines.
    """

    optimiser: GaussNewton = field(default_factory=GaussNewton)
    least_parameters: int = 0

    def init(self, system: System, theta: Tensor, reduction: Reduction = ALONE) -> GaussNewtonState:
        """Return the state at the start, on the lowest rung.

        Args:
            system: The least-squares system, in float64.
            theta: Initial parameters, shape (P,), in float64.
            reduction: Adds up over processes.

        Raises:
            ValueError: If theta is not float64.
        """
        if theta.dtype != torch.float64:
            raise ValueError(
                f"a precision ladder ends in float64, so theta must be float64, got {theta.dtype}; "
                "convert it, or use GaussNewton alone"
            )
        state = self.optimiser.init(system, theta, reduction)
        if system.num_parameters < self.least_parameters:
            return state
        return replace(state, rung=FLOAT32_GRAM.name)

    def step(
        self, system: System, state: GaussNewtonState, reduction: Reduction = ALONE
    ) -> GaussNewtonState:
        """Take one step; a rung that finds no step is left at once, and the step taken above it.

        Args:
            system: The least-squares system, or this process's shard of it; possibly on new points.
            state: Where the last step ended; ``rung`` says in which arithmetic to go on.
            reduction: Adds up over processes.
        """
        if state.rung != FLOAT32_GRAM.name:
            return self.optimiser.step(system, state, reduction)
        theta = state.theta
        gram, gradient, rows = mixed_normal_equations(system, theta, torch.float32, reduction)
        trace = float(gram.diagonal().sum())
        why = should_climb(state.damping, trace, torch.float32)
        if why is None:
            low = replace(state, floor=noise_floor(torch.float32, trace))
            solver = cholesky_solver(system, theta, gram, gradient, rows, reduction)
            taken = self.optimiser.descend(system, low, rows, solver, reduction)
            why = should_climb(taken.damping, trace, torch.float32, accepted=taken.accepted)
            if taken.accepted:
                return taken if why is None else replace(taken, rung="float64", why=why)
        return self.optimiser.step(system, replace(state, rung="float64", why=why or ""), reduction)


def mixed_normal_equations(
    system: System, theta: Tensor, dtype: torch.dtype, reduction: Reduction = ALONE
) -> tuple[Tensor, Tensor, Tensor]:
    """Return ``(J^T J, J^T r, r)`` in the arithmetic of theta, with J^T J computed in ``dtype``.

    The first two are those of all processes.

    Args:
        system: The least-squares system, or this process's shard of it.
        theta: Parameters, shape (P,).
        dtype: Arithmetic of the Jacobian and of its products.
        reduction: Adds up over processes.
    """
    low = system.to(dtype=dtype)
    chunks = (jacobian for _, jacobian in low.linearised(theta.to(dtype)))
    gram = reduction.sum(gram_of(chunks, system.num_parameters)).to(theta.dtype)
    variable = theta.detach().requires_grad_()
    with torch.enable_grad():
        rows = system.residual(variable)
        half = 0.5 * rows.square().sum()
    (gradient,) = torch.autograd.grad(half, variable)
    return gram, reduction.sum(gradient), rows.detach()
