"""Gauss-Newton without matrices, for networks that are too large for J^T J.

The damped systems of every step are solved by conjugate gradients with products ``J v`` and
``J^T w``, preconditioned by a randomised low-rank approximation of J^T J that is renewed every few
steps and serves every damping.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.optimise.conjugate_gradients import damped_least_squares
from pinnsolve.optimise.levenberg_marquardt import LevenbergMarquardt, Solve, half_square
from pinnsolve.optimise.nystrom import Nystrom, sketched
from pinnsolve.optimise.products import products
from pinnsolve.residuals import System


@dataclass(frozen=True)
class MatrixFreeState:
    """Where the optimiser stands.

    Attributes:
        theta: Parameters, shape (P,).
        loss: Half the sum of squared rows at theta.
        damping: lam of the next step.
        accepted: Whether the last step moved.
        taken: Number of steps so far.
        sketch: The approximation of J^T J in use.
    """

    theta: Tensor
    loss: float
    damping: float
    accepted: bool = True
    taken: int = 0
    sketch: Nystrom | None = None


@dataclass(frozen=True)
class MatrixFree(LevenbergMarquardt):
    """Levenberg-Marquardt by preconditioned conjugate gradients, beyond about 10,000 parameters.

    Memory: about ``(4 rank + max_sketch_points + 10) P + 10 M`` numbers, the activations of the
    largest group of points, and the graphs of ``max_held_rows`` rows: some
    ``10 streams * neurons`` numbers each.

    Attributes:
        rank: Rank of the preconditioner.
        refresh_every: Steps after which it is renewed.
        tolerance: Relative residual of the linear systems; a Gauss-Newton step need not be exact.
        max_iterations: Most iterations on one linear system.
        max_sketch_points: Most rows of J that are held at once while the preconditioner is made.
        max_held_rows: Rows whose graphs are kept between products, which halves the time of a
            product; 0 keeps none.
        seed: Seed of the preconditioner's random directions.
    """

    rank: int = 200
    refresh_every: int = 1
    tolerance: float = 1e-2
    max_iterations: int = 100
    max_sketch_points: int = 256
    max_held_rows: int = 20_000
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that allow nothing."""
        for name in ("rank", "refresh_every", "max_iterations", "max_sketch_points"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be >= 1, got {getattr(self, name)}")
        if not 0.0 < self.tolerance < 1.0:
            raise ValueError(
                f"tolerance must lie in (0, 1), got {self.tolerance}: it is the relative residual "
                "of a step's linear system"
            )
        if self.max_held_rows < 0:
            raise ValueError(f"max_held_rows must be >= 0 (0 none), got {self.max_held_rows}")

    def init(self, system: System, theta: Tensor, reduction: Reduction = ALONE) -> MatrixFreeState:
        """Return the state at the start.

        Args:
            system: The least-squares system, or this process's shard of it.
            theta: Initial parameters, shape (P,).
            reduction: Adds up over processes.
        """
        with torch.no_grad():
            loss = half_square(system.residual(theta), reduction)
        return MatrixFreeState(theta, loss, self.initial_damping)

    def step(
        self, system: System, state: MatrixFreeState, reduction: Reduction = ALONE
    ) -> MatrixFreeState:
        """Take one step; if no damping lowers the loss, stay and return ``accepted=False``.

        Args:
            system: The least-squares system, or this process's shard of it; possibly on new points.
            state: Where the last step ended.
            reduction: Adds up over processes; all get the same state.
        """
        theta, sketch = state.theta, state.sketch
        if sketch is None or state.taken % self.refresh_every == 0:
            sketch = sketched(
                system,
                theta,
                rank=self.rank,
                max_points=self.max_sketch_points,
                generator=torch.Generator().manual_seed(self.seed + state.taken),
                reduction=reduction,
            )
        matrix = products(system, theta, self.max_held_rows)

        def solver(damping: float) -> Solve:
            def solve(w: Tensor) -> Tensor:
                return damped_least_squares(
                    matrix.push,
                    matrix.pull,
                    w,
                    damping,
                    precondition=lambda vector: sketch.inverse(vector, damping),
                    tolerance=self.tolerance,
                    max_iterations=self.max_iterations,
                    reduction=reduction,
                ).x

            return solve

        end = self.descend(system, theta, matrix.rows, state.damping, solver, reduction)
        return MatrixFreeState(
            end.theta, end.loss, end.damping, end.accepted, state.taken + 1, sketch
        )
