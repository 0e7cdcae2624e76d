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

from pinnsolve.optimise.gauss_newton import GaussNewton, GaussNewtonState
from pinnsolve.optimise.gram import gram_of
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

    def init(self, system: System, theta: Tensor) -> GaussNewtonState:
        """Return the state at the start, on the lowest rung.

        Args:
            system: The least-squares system, in float64.
            theta: Initial parameters, shape (P,), in float64.

        Raises:
            ValueError: If theta is not float64.
        """
        if theta.dtype != torch.float64:
            raise ValueError(
                f"a precision ladder ends in float64, so theta must be float64, got {theta.dtype}; "
                "convert it, or use GaussNewton alone"
            )
        state = self.optimiser.init(system, theta)
        if system.num_parameters < self.least_parameters:
            return state
        return replace(state, rung=FLOAT32_GRAM.name)

    def step(self, system: System, state: GaussNewtonState) -> GaussNewtonState:
        """Take one step; a rung that finds no step is left at once, and the step taken above it.

        Args:
            system: The least-squares system, possibly on new points.
            state: Where the last step ended; ``rung`` says in which arithmetic to go on.
        """
        if state.rung != FLOAT32_GRAM.name:
            return self.optimiser.step(system, state)
        gram, gradient, rows = mixed_normal_equations(system, state.theta, torch.float32)
        trace = float(gram.diagonal().sum())
        why = should_climb(state.damping, trace, torch.float32)
        if why is None:
            low = replace(state, floor=noise_floor(torch.float32, trace))
            taken = self.optimiser.descend(system, low, gram, gradient, rows)
            why = should_climb(taken.damping, trace, torch.float32, accepted=taken.accepted)
            if taken.accepted:
                return taken if why is None else replace(taken, rung="float64", why=why)
        return self.optimiser.step(system, replace(state, rung="float64", why=why or ""))


def mixed_normal_equations(
    system: System, theta: Tensor, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    """Return ``(J^T J, J^T r, r)`` in the arithmetic of theta, with J^T J computed in ``dtype``.

    Args:
        system: The least-squares system.
        theta: Parameters, shape (P,).
        dtype: Arithmetic of the Jacobian and of its products.
    """
    low = system.to(dtype=dtype)
    chunks = (jacobian for _, jacobian in low.linearised(theta.to(dtype)))
    gram = gram_of(chunks, system.num_parameters).to(theta.dtype)
    variable = theta.detach().requires_grad_()
    with torch.enable_grad():
        rows = system.residual(variable)
        half = 0.5 * rows.square().sum()
    (gradient,) = torch.autograd.grad(half, variable)
    return gram, gradient, rows.detach()
