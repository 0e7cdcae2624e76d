"""Gauss-Newton with Levenberg-Marquardt damping and geodesic acceleration.

The step d solves ``(J^T J + lam I) d = -J^T r``. The acceleration a corrects for the curvature of
the residual along d: ``(J^T J + lam I) a = -1/2 J^T r''`` with r'' the second directional
derivative; the pair is accepted only if ``2 |a| <= ratio |d|`` and the loss falls (M. K. Transtrum
& J. P. Sethna, "Improvements to the Levenberg-Marquardt algorithm for nonlinear least-squares
minimization", 2012,
arXiv:1201.5885).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pinnsolve.optimise.gram import normal_equations
from pinnsolve.optimise.precision import noise_floor
from pinnsolve.residuals import System


@dataclass(frozen=True)
class GaussNewtonState:
    """Where the optimiser stands.

    Attributes:
        theta: Parameters, shape (P,).
        loss: Half the sum of squared rows at theta.
        damping: lam of the next step.
        accepted: Whether the last step moved.
        floor: Damping below which rounding of the last Gram matrix matters.
        rung: Arithmetic of the next step, by the name of its policy.
        why: Why that is so, in words; empty if it never changed.
    """

    theta: Tensor
    loss: float
    damping: float
    accepted: bool = True
    floor: float = 0.0
    rung: str = "float64"
    why: str = ""


@dataclass(frozen=True)
class GaussNewton:
    """Levenberg-Marquardt with geodesic acceleration.

    Attributes:
        initial_damping: First lam.
        shrink: Factor on lam after success.
        acceleration_ratio: Largest ``2 |a| / |d|`` that is trusted.
        difference_step: h of the second difference along d.
        max_trials: Dampings tried on one Jacobian before the step is given up.
        smallest_damping: Floor of lam.
    """

    initial_damping: float = 1e-2
    shrink: float = 1.0 / 3.0
    acceleration_ratio: float = 0.75
    difference_step: float = 0.1
    max_trials: int = 8
    smallest_damping: float = 1e-16

    def init(self, system: System, theta: Tensor) -> GaussNewtonState:
        """Return the state at the start.

        Args:
            system: The least-squares system.
            theta: Initial parameters, shape (P,).
        """
        with torch.no_grad():
            loss = half_square(system.residual(theta))
        rung = str(theta.dtype).removeprefix("torch.")
        return GaussNewtonState(theta, loss, self.initial_damping, rung=rung)

    def step(self, system: System, state: GaussNewtonState) -> GaussNewtonState:
        """Take one step; if no damping lowers the loss, stay and return ``accepted=False``.

        Args:
            system: The least-squares system, possibly on new points.
            state: Where the last step ended.
        """
        chunks = system.linearised(state.theta)
        gram, gradient, rows = normal_equations(chunks, system.num_parameters)
        floor = noise_floor(gram.dtype, float(gram.diagonal().sum()))
        return self.descend(system, replace(state, floor=floor), gram, gradient, rows)

    def descend(
        self,
        system: System,
        state: GaussNewtonState,
        gram: Tensor,
        gradient: Tensor,
        rows: Tensor,
    ) -> GaussNewtonState:
        """Take one step with given normal equations; stay if no damping lowers the loss.

        Args:
            system: The least-squares system.
            state: Where the last step ended.
            gram: J^T J at ``state.theta``, shape (P, P); the lower triangle is read.
            gradient: J^T r, shape (P,).
            rows: r, shape (M,).
        """
        theta = state.theta
        loss, damping, growth = half_square(rows), state.damping, 2.0
        for _ in range(self.max_trials):
            trial = self._trial(system, theta, rows, gram, gradient, damping)
            if trial is not None:
                with torch.no_grad():
                    new_loss = half_square(system.residual(trial))
                if new_loss < loss:
                    lower = max(damping * self.shrink, self.smallest_damping)
                    return replace(state, theta=trial, loss=new_loss, damping=lower, accepted=True)
            damping, growth = damping * growth, growth * 1.5
        return replace(state, loss=loss, damping=10.0 * state.damping, accepted=False)

    def _trial(
        self,
        system: System,
        theta: Tensor,
        rows: Tensor,
        gram: Tensor,
        gradient: Tensor,
        damping: float,
    ) -> Tensor | None:
        """Return theta + d + a for one damping, or None if it cannot be trusted."""
        damped = gram.clone()
        damped.diagonal().add_(damping)
        factor, failed = torch.linalg.cholesky_ex(damped)
        if int(failed) != 0:
            return None

        def solve(right: Tensor) -> Tensor:
            return torch.cholesky_solve(right[:, None], factor)[:, 0]

        step = -solve(gradient)
        if not torch.isfinite(step).all():
            return None
        curvature = self._second_difference(system, theta, rows, step)
        acceleration = -0.5 * solve(jacobian_transpose_product(system, theta, curvature))
        ratio = 2.0 * float(acceleration.norm()) / max(float(step.norm()), 1e-300)
        if not ratio <= self.acceleration_ratio:
            return None
        return theta + step + acceleration

    def _second_difference(
        self, system: System, theta: Tensor, rows: Tensor, step: Tensor
    ) -> Tensor:
        h = self.difference_step
        with torch.no_grad():
            ahead, behind = (system.residual(theta + s * step) for s in (h, -h))
        return (ahead - 2.0 * rows + behind) / h**2


def jacobian_transpose_product(system: System, theta: Tensor, rows: Tensor) -> Tensor:
    """Return ``J^T rows`` by one reverse pass, shape (P,)."""
    variable = theta.detach().requires_grad_()
    with torch.enable_grad():
        product = (system.residual(variable) * rows).sum()
    gradient: Tensor = torch.autograd.grad(product, variable)[0]
    return gradient


def half_square(rows: Tensor) -> float:
    """Return half the sum of squares, infinite if any row is not finite."""
    value = 0.5 * float(rows.detach().square().sum())
    return value if value == value else float("inf")
