"""Newton's method for the head of a network with a fixed trunk, by orthogonal triangularisation.

The residual is a smooth function of few arguments per point, linear in them up to products of fields, so Gauss-Newton
converges in one step for linear physics and quadratically otherwise. If the full step does not lower the loss, shorter
and then damped ones are tried on the same triangle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.optimise.levenberg_marquardt import half_square
from pinnsolve.optimise.orthogonal import Triangle, triangularise
from pinnsolve.residuals import System


@dataclass(frozen=True)
class HeadState:
    """Where the iteration stands.

    Attributes:
        theta: Head weights and search variables of unknowns, shape (P,).
        loss: Half the sum of squared rows at theta.
        damping: Damping of the last step, relative to the columns' norms; 0 for one along the full step.
        accepted: Whether the last step moved.
        converged: Whether a full step reached what the linearised problem promised or gained hardly anything, or no
            step gained at all.
    """

    theta: Tensor
    loss: float
    damping: float = 0.0
    accepted: bool = True
    converged: bool = False


@dataclass(frozen=True)
class HeadNewton:
    """Gauss-Newton with a full step, a shorter or a damped one.

    Attributes:
        regularisation: Tikhonov term relative to the columns' norms, near the arithmetic's precision.
        shares: Lengths of step that are tried.
        dampings: Dampings that are tried after them, relative to the columns' norms.
    """

    regularisation: float = 1e-14
    shares: tuple[float, ...] = (1.0, 0.5, 0.25)
    dampings: tuple[float, ...] = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)

    def init(self, system: System, theta: Tensor, reduction: Reduction = ALONE) -> HeadState:
        """Return the state at the start.

        Args:
            system: The least-squares system, or this process's shard of it; tabulated for speed.
            theta: Head weights and search variables of unknowns, shape (P,).
            reduction: Adds up over processes.
        """
        with torch.no_grad():
            return HeadState(theta, half_square(system.residual(theta), reduction))

    def step(self, system: System, state: HeadState, reduction: Reduction = ALONE) -> HeadState:
        """Take one step; if nothing lowers the loss, stay and return ``accepted=False``.

        Args:
            system: The least-squares system, or this process's shard of it; tabulated for speed.
            state: Where the last step ended.
            reduction: Adds up over processes; all get the same state.
        """
        theta = state.theta
        # where the field is still flat, an unknown coefficient has no effect: another step has to look again
        final = not system.unknowns
        triangle = triangularise(
            lambda: system.linearised(theta),
            system.num_parameters,
            system.num_rows,
            damping=self.regularisation,
            reduction=reduction,
        )
        for candidate, share, damping in self._trials(triangle, theta):
            trial = reduction.agreed(candidate)
            with torch.no_grad():
                loss = half_square(system.residual(trial), reduction)
            if loss < state.loss:
                reached = final and loss <= _ENOUGH * triangle.least_loss
                converged = share == 1.0 and (reached or loss > _HARDLY * state.loss)
                return HeadState(trial, loss, damping, converged=converged)
        return HeadState(theta, state.loss, accepted=False, converged=True)

    def _trials(self, triangle: Triangle, theta: Tensor) -> Iterator[tuple[Tensor, float, float]]:
        """Yield what to try next, its share of a full step (0 if it is none), and its damping."""
        full = torch.from_numpy(triangle.step()).to(theta)
        for share in self.shares:
            yield theta + share * full, share, 0.0
        for damping in self.dampings:
            yield theta + torch.from_numpy(triangle.step(damping)).to(theta), 0.0, damping


_ENOUGH = 1.2
"""Loss over the linearised minimum at which a further step would gain nothing."""

_HARDLY = 0.5
"""Share of the loss that is left after a full step where a further one would gain nothing."""
