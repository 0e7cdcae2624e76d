"""Gauss-Newton without matrices, for networks that are too large for J^T J.

The damped systems of every step are solved by conjugate gradients with products ``J v`` and
``J^T w``, preconditioned by a randomised low-rank approximation of J^T J that is renewed every few
steps, best of all every step, and serves every damping.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.optimise.conjugate_gradients import damped_least_squares
from pinnsolve.optimise.levenberg_marquardt import GaussNewtonState, LevenbergMarquardt, Solve
from pinnsolve.optimise.nystrom import Nystrom, sketched
from pinnsolve.optimise.products import Products, products
from pinnsolve.residuals import System


@dataclass(frozen=True)
class MatrixFreeState(GaussNewtonState):
    """Where the optimiser stands, with its preconditioner.

    Attributes:
        taken: Number of steps so far.
        sketch: The approximation of J^T J in use.
    """

    taken: int = 0
    sketch: Nystrom | None = None


@dataclass(frozen=True)
class MatrixFree(LevenbergMarquardt):
    """Levenberg-Marquardt by preconditioned conjugate gradients, beyond about 10,000 parameters.

    Memory: about ``(6 rank + max_sketch_points + 10) P + 10 M`` numbers, the activations of the
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
        """Return the state at the start, as :meth:`LevenbergMarquardt.init` says."""
        return _with_room(super().init(system, theta, reduction))

    def step(
        self, system: System, state: GaussNewtonState, reduction: Reduction = ALONE
    ) -> MatrixFreeState:
        """Take one step, as :meth:`LevenbergMarquardt.step` says."""
        here = _with_room(state)
        sketch = here.sketch
        if sketch is None or here.taken % self.refresh_every == 0:
            sketch = self._sketch(system, here.theta, here.taken, reduction)
        matrix = products(system, here.theta, self.max_held_rows)
        solver = partial(self._solver, matrix, sketch, reduction)
        end = self.descend(system, here, matrix.rows, solver, reduction)
        return replace(end, taken=here.taken + 1, sketch=sketch)

    def _sketch(self, system: System, theta: Tensor, taken: int, reduction: Reduction) -> Nystrom:
        return sketched(
            system,
            theta,
            rank=self.rank,
            max_points=self.max_sketch_points,
            generator=torch.Generator().manual_seed(self.seed + taken),
            reduction=reduction,
        )

    def _solver(
        self, matrix: Products, sketch: Nystrom, reduction: Reduction, damping: float
    ) -> Solve:
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


def _with_room(state: GaussNewtonState) -> MatrixFreeState:
    """Return the state with room for a preconditioner."""
    if isinstance(state, MatrixFreeState):
        return state
    common = state.theta, state.loss, state.damping, state.accepted
    return MatrixFreeState(*common, state.floor, state.rung, state.why)
