"""Levenberg-Marquardt with geodesic acceleration, whatever solves the damped linear systems.

The step d solves ``(J^T J + lam I) d = -J^T r``. The acceleration a corrects for the curvature of
the residual along d: ``(J^T J + lam I) a = -1/2 J^T r''`` with r'' the second directional
derivative; the pair is accepted only if ``2 |a| <= ratio |d|`` and the loss falls (M. K. Transtrum
& J. P. Sethna, "Improvements to the Levenberg-Marquardt algorithm for nonlinear least-squares
minimization", 2012, arXiv:1201.5885).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor

from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.residuals import System

Solve = Callable[[Tensor], Tensor]
"""Maps this process's rows w (M,) to ``(J^T J + lam I)^-1 J^T w`` (P,); not finite if that fails."""


@dataclass(frozen=True)
class GaussNewtonState:
    """Where the optimiser stands.

    Attributes:
        theta: Parameters, shape (P,).
        loss: Half the sum of squared rows at theta.
        damping: lam of the next step.
        accepted: Whether the last step moved.
        floor: Damping below which rounding of the last Gram matrix matters; 0 without one.
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


State = TypeVar("State", bound=GaussNewtonState)


@dataclass(frozen=True)
class LevenbergMarquardt(ABC):
    """The damping and the acceleration that dense and matrix-free Gauss-Newton share.

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

    def init(self, system: System, theta: Tensor, reduction: Reduction = ALONE) -> GaussNewtonState:
        """Return the state at the start.

        Args:
            system: The least-squares system, or this process's shard of it.
            theta: Initial parameters, shape (P,).
            reduction: Adds up over processes.
        """
        with torch.no_grad():
            loss = half_square(system.residual(theta), reduction)
        rung = str(theta.dtype).removeprefix("torch.")
        return GaussNewtonState(theta, loss, self.initial_damping, rung=rung)

    @abstractmethod
    def step(
        self, system: System, state: GaussNewtonState, reduction: Reduction = ALONE
    ) -> GaussNewtonState:
        """Take one step; if no damping lowers the loss, stay and return ``accepted=False``.

        Args:
            system: The least-squares system, or this process's shard of it; possibly on new points.
            state: Where the last step ended.
            reduction: Adds up over processes; all get the same state.
        """

    def descend(
        self,
        system: System,
        state: State,
        rows: Tensor,
        solver: Callable[[float], Solve],
        reduction: Reduction = ALONE,
    ) -> State:
        """Try dampings until the loss falls; if none does, stay.

        Args:
            system: The least-squares system, or this process's shard of it.
            state: Where the last step ended, and where J was taken; its lam is the first to try.
            rows: Rows of ``system`` at ``state.theta``, shape (M,).
            solver: The damped linear solver for a given lam.
            reduction: Adds up over processes.
        """
        theta = state.theta
        loss = half_square(rows, reduction)
        last, lam, growth = state.damping, state.damping, 2.0
        for _ in range(self.max_trials):
            trial = self._trial(system, theta, rows, solver(lam), reduction)
            if trial is not None:
                with torch.no_grad():
                    new_loss = half_square(system.residual(trial), reduction)
                if new_loss < loss:
                    lower = max(lam * self.shrink, self.smallest_damping)
                    return replace(state, theta=trial, loss=new_loss, damping=lower, accepted=True)
            last, lam, growth = lam, lam * growth, growth * 1.5
        # go on from where the trials ended, but not from so far up that the way down takes long
        higher = max(10.0 * state.damping, min(last, self.initial_damping))
        return replace(state, loss=loss, damping=higher, accepted=False)

    def _trial(
        self, system: System, theta: Tensor, rows: Tensor, solve: Solve, reduction: Reduction
    ) -> Tensor | None:
        """Return theta + d + a for one damping, or None if it cannot be trusted."""
        step = reduction.agreed(-solve(rows))
        if not torch.isfinite(step).all():
            return None
        curvature = self._second_difference(system, theta, rows, step)
        acceleration = reduction.agreed(-0.5 * solve(curvature))
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


def half_square(rows: Tensor, reduction: Reduction = ALONE) -> float:
    """Return half the sum of squares over all processes, infinite if any row is not finite."""
    value = 0.5 * float(reduction.sum(rows.detach().square().sum()))
    return value if value == value else float("inf")
