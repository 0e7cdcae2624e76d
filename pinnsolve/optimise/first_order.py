"""Adam on values, in full or mixed precision: for networks too wide for a Gram matrix, and to start with.

D. P. Kingma & J. Ba, "Adam: A method for stochastic optimization", 2015, arXiv:1412.6980.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.optimise.learning_rate import WarmUpCosine
from pinnsolve.optimise.mixed import Gradient, Scales, initial_scales, loss_and_gradient
from pinnsolve.optimise.precision import FLOAT64, Policy
from pinnsolve.residuals import System


class UndampedState:
    """What every state of a first-order method answers to who asks for damping."""

    @property
    def damping(self) -> float:
        """Zero: a first-order method damps nothing."""
        return 0.0

    @property
    def floor(self) -> float:
        """Zero: there is no damping that rounding could hold up."""
        return 0.0

    @property
    def why(self) -> str:
        """Empty: the arithmetic never changes within this method."""
        return ""


@dataclass(frozen=True)
class AdamState(UndampedState):
    """Where Adam stands.

    Attributes:
        theta: Parameters, shape (P,).
        loss: Half the sum of squared rows where the last gradient was taken.
        first: Running mean of the gradient, shape (P,).
        second: Running mean of its square, shape (P,).
        scales: Of mixed precision.
        updates: Updates made.
        skipped: Updates left out because a value was not finite.
        accepted: Whether the last step made any update.
        rung: Arithmetic, by the name of its policy.
    """

    theta: Tensor
    loss: float
    first: Tensor
    second: Tensor
    scales: Scales
    updates: int = 0
    skipped: int = 0
    accepted: bool = True
    rung: str = "float64"


@dataclass(frozen=True)
class Adam:
    """Adam with a learning-rate schedule.

    Attributes:
        learning_rate: By number of updates.
        policy: Arithmetic; ``autocast`` makes it mixed precision.
        updates_per_step: Updates on the same points in one :meth:`step`.
        decay_first: Memory of the mean of the gradient.
        decay_second: Memory of the mean of its square.
        epsilon: Added to the root of the mean square.
    """

    learning_rate: WarmUpCosine = field(default_factory=WarmUpCosine)
    policy: Policy = FLOAT64
    updates_per_step: int = 1
    decay_first: float = 0.9
    decay_second: float = 0.999
    epsilon: float = 1e-12

    def __post_init__(self) -> None:
        """Refuse memories outside of [0, 1) and steps without updates."""
        check_first_order(self.decay_first, self.decay_second, self.updates_per_step)

    def init(self, system: System, theta: Tensor, reduction: Reduction = ALONE) -> AdamState:
        """Return the state at the start.

        Args:
            system: The least-squares system, in ``policy.residual``.
            theta: Initial parameters, shape (P,), in ``policy.residual``.
            reduction: Adds up over processes.
        """
        zero = torch.zeros_like(theta)
        scales = initial_scales(system, self.policy, reduction)
        return AdamState(theta, math.inf, zero, zero, scales, rung=self.policy.name)

    def step(self, system: System, state: AdamState, reduction: Reduction = ALONE) -> AdamState:
        """Make ``updates_per_step`` updates; those with values that are not finite are skipped.

        Args:
            system: The least-squares system, or this process's shard of it; possibly on new points.
            state: Where the last step ended.
            reduction: Adds up over processes; all get the same state.
        """
        before = state.updates
        for _ in range(self.updates_per_step):
            state = self._updated(system, state, reduction)
        return replace(state, accepted=state.updates > before)

    def _updated(self, system: System, state: AdamState, reduction: Reduction) -> AdamState:
        gradient = loss_and_gradient(system, state.theta, self.policy, state.scales, reduction)
        return self.moved(state, gradient, reduction)

    def moved(
        self, state: AdamState, gradient: Gradient, reduction: Reduction = ALONE
    ) -> AdamState:
        """Make one update by a gradient, whatever it is the gradient of; skip it if it is not finite.

        Args:
            state: Where the last update ended.
            gradient: The loss's gradient there, over all processes.
            reduction: Agrees on the parameters over processes.
        """
        if not gradient.finite:
            return replace(state, scales=gradient.scales, skipped=state.skipped + 1)
        count = state.updates + 1
        first = torch.lerp(gradient.value, state.first, self.decay_first)
        second = torch.lerp(gradient.value.square(), state.second, self.decay_second)
        mean = first / (1.0 - self.decay_first**count)
        root = (second / (1.0 - self.decay_second**count)).sqrt()
        length = self.learning_rate.at(count)
        return replace(
            state,
            theta=reduction.agreed(state.theta - length * mean / (root + self.epsilon)),
            loss=gradient.loss,
            first=first,
            second=second,
            scales=gradient.scales,
            updates=count,
        )


def check_first_order(decay_first: float, decay_second: float, updates_per_step: int) -> None:
    """Refuse settings that no first-order method can have.

    Raises:
        ValueError: If a memory is outside of [0, 1) or a step makes no update.
    """
    for name, decay in (("decay_first", decay_first), ("decay_second", decay_second)):
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"{name} must lie in [0, 1), got {decay}")
    if updates_per_step < 1:
        raise ValueError(f"updates_per_step must be >= 1, got {updates_per_step}")
