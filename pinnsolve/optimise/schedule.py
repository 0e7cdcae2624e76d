"""Stages of training as a value: first-order in low precision, then second-order in high precision.

A :class:`Schedule` has ``init`` and ``step`` like any optimiser, so a training loop need not know
that there are stages. When to hand over is a pure function of what the loop knows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.optimise.precision import Policy
from pinnsolve.residuals import System


class OptimiserState(Protocol):
    """What every optimiser's state tells the training loop."""

    @property
    def theta(self) -> Tensor:
        """Parameters, shape (P,)."""

    @property
    def loss(self) -> float:
        """Half the sum of squared rows."""

    @property
    def damping(self) -> float:
        """Levenberg-Marquardt damping; 0 for methods without."""

    @property
    def floor(self) -> float:
        """Damping below which rounding matters; 0 for methods without."""

    @property
    def accepted(self) -> bool:
        """Whether the last step moved."""

    @property
    def rung(self) -> str:
        """Arithmetic of the next step, by the name of its policy."""

    @property
    def why(self) -> str:
        """Why the arithmetic last changed; empty if it never did."""


class Optimiser(Protocol):
    """An optimiser as a value."""

    def init(self, system: System, theta: Tensor, reduction: Reduction = ALONE) -> OptimiserState:
        """Return the state at the start."""

    def step(
        self,
        system: System,
        state: Any,  # noqa: ANN401 - its own state
        reduction: Reduction = ALONE,
    ) -> OptimiserState:
        """Take one step; ``reduction`` adds up over processes that hold shards of the system."""


@dataclass(frozen=True)
class HandOver:
    """When a stage ends.

    Attributes:
        share: Share of the budget (steps or seconds) after which it ends in any case.
        window: Steps over which the loss is smoothed, by its geometric mean.
        least_fall: Relative fall of the smoothed loss from one window to the next below which it
            is a plateau.
        most_refusals: Steps in a row without progress after which it ends.
    """

    share: float = 0.25
    window: int = 5
    least_fall: float = 0.2
    most_refusals: int = 3

    def __post_init__(self) -> None:
        """Refuse a hand-over that comes never, or at once."""
        if not 0.0 < self.share <= 1.0:
            raise ValueError(f"the share of the budget must lie in (0, 1], got {self.share}")
        if self.window < 1 or self.most_refusals < 1:
            raise ValueError(f"window and most_refusals must be >= 1, got {self}")
        if not 0.0 <= self.least_fall < 1.0:
            raise ValueError(f"least_fall must lie in [0, 1), got {self.least_fall}")

    def why(self, losses: Sequence[float], refusals: int, spent: float) -> str | None:
        """Return why to hand over now, or None.

        Args:
            losses: Loss after every step of the stage, oldest first.
            refusals: Steps in a row, up to now, without progress.
            spent: Share of the budget of the whole run that is spent.
        """
        if refusals >= self.most_refusals:
            return f"no progress in {refusals} steps: values were not finite"
        if spent >= self.share:
            return f"{100.0 * self.share:.0f} % of the budget were spent"
        if len(losses) >= 2 * self.window:
            old = _geometric_mean(losses[-2 * self.window : -self.window])
            new = _geometric_mean(losses[-self.window :])
            if not new < (1.0 - self.least_fall) * old:
                return f"the loss stays at {new:.1e}"
        return None


@dataclass(frozen=True)
class Stage:
    """One stage of training.

    Attributes:
        optimiser: What takes the steps.
        policy: The arithmetic; system and theta are converted to ``policy.residual``.
        hand_over: When it ends; None for the last stage.
    """

    optimiser: Optimiser
    policy: Policy
    hand_over: HandOver | None = None


@dataclass(frozen=True)
class ScheduleState:
    """Where a schedule stands.

    Attributes:
        theta: Parameters in the arithmetic that training began with, shape (P,).
        inner: State of the present stage's optimiser.
        stage: Position of the present stage.
        losses: Loss after every step of the present stage.
        refusals: Steps in a row, up to now, without progress.
        steps: Steps taken in each stage so far.
        handed_over: Why the last stage ended; empty in the first one.
        at_floor: Whether the damping ever reached the noise floor in the present stage.
    """

    theta: Tensor
    inner: OptimiserState
    stage: int = 0
    losses: tuple[float, ...] = ()
    refusals: int = 0
    steps: tuple[int, ...] = (0,)
    handed_over: str = ""
    at_floor: bool = False

    @property
    def loss(self) -> float:
        """Half the sum of squared rows."""
        return self.inner.loss

    @property
    def damping(self) -> float:
        """Levenberg-Marquardt damping; 0 for methods without."""
        return self.inner.damping

    @property
    def floor(self) -> float:
        """Damping below which rounding matters; 0 for methods without."""
        return self.inner.floor

    @property
    def accepted(self) -> bool:
        """Whether the last step moved."""
        return self.inner.accepted

    @property
    def rung(self) -> str:
        """Arithmetic of the next step, by the name of its policy."""
        return self.inner.rung

    @property
    def why(self) -> str:
        """Why the arithmetic last changed."""
        return self.inner.why or self.handed_over


@dataclass(frozen=True)
class Schedule:
    """Stages, one after the other.

    Attributes:
        stages: At least one; all but the last say when they end.
    """

    stages: tuple[Stage, ...] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        """Refuse stages that never end, and none at all."""
        if not self.stages:
            raise ValueError("a schedule needs at least one stage")
        for position, stage in enumerate(self.stages):
            last = position == len(self.stages) - 1
            if last != (stage.hand_over is None):
                raise ValueError(
                    f"stage {position + 1} of {len(self.stages)}: every stage but the last needs a "
                    f"hand_over, the last must have none; got {stage.hand_over}"
                )

    def init(self, system: System, theta: Tensor, reduction: Reduction = ALONE) -> ScheduleState:
        """Return the state at the start of the first stage.

        Args:
            system: The least-squares system, or this process's shard of it.
            theta: Initial parameters, shape (P,).
            reduction: Adds up over processes.
        """
        return ScheduleState(theta, _started(self.stages[0], system, theta, reduction))

    def step(
        self,
        system: System,
        state: ScheduleState,
        reduction: Reduction = ALONE,
        *,
        spent: float = 0.0,
    ) -> ScheduleState:
        """Take one step of the present stage, then hand over if it is time.

        Args:
            system: The least-squares system, or this process's shard of it; possibly on new points.
            state: Where the last step ended.
            reduction: Adds up over processes; all get the same state.
            spent: Share of the budget of the whole run that is spent, before this step.
        """
        stage = self.stages[state.stage]
        low = _converted(system, stage.policy.residual)
        inner = stage.optimiser.step(low, state.inner, reduction)
        taken = replace(
            state,
            theta=inner.theta.to(state.theta.dtype),
            inner=inner,
            losses=(*state.losses, inner.loss),
            refusals=0 if inner.accepted else state.refusals + 1,
            steps=(*state.steps[:-1], state.steps[-1] + 1),
            at_floor=state.at_floor or inner.damping < inner.floor,
        )
        if stage.hand_over is None:
            return taken
        why = stage.hand_over.why(taken.losses, taken.refusals, spent)
        return taken if why is None else self._handed_over(system, taken, why, reduction)

    def is_last(self, state: ScheduleState) -> bool:
        """Whether the last stage has begun: only there can a run have converged, or stalled."""
        return state.stage == len(self.stages) - 1

    def _handed_over(
        self, system: System, state: ScheduleState, why: str, reduction: Reduction
    ) -> ScheduleState:
        position = state.stage + 1
        inner = _started(self.stages[position], system, state.theta, reduction)
        steps = (*state.steps, 0)
        return ScheduleState(state.theta, inner, position, steps=steps, handed_over=why)


def _started(stage: Stage, system: System, theta: Tensor, reduction: Reduction) -> OptimiserState:
    dtype = stage.policy.residual
    return stage.optimiser.init(_converted(system, dtype), theta.to(dtype), reduction)


def _converted(system: System, dtype: torch.dtype) -> System:
    return system if system.scaling.offset.dtype == dtype else system.to(dtype=dtype)


def _geometric_mean(losses: Sequence[float]) -> float:
    smallest = 5e-324
    return math.exp(sum(math.log(max(loss, smallest)) for loss in losses) / len(losses))
