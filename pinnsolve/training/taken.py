"""What every kind of training yields after a step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from pinnsolve.record import StepRecord
from pinnsolve.residuals import System
from pinnsolve.status import StopReason
from pinnsolve.training.positions import Position

Phase = Literal["growth", "trunk"]

Clock = Callable[[], float]
"""Returns the seconds since training began."""


@dataclass(frozen=True)
class Mark:
    """A step that was taken, without its points: what a checkpoint keeps of it.

    Attributes:
        record: What to show and to keep of it.
        theta: Where it led.
        rung: Arithmetic of the next step, by the name of its policy.
        position: What to go on from; its class says the kind of training.
        why: Why the arithmetic last changed; empty if it never did.
        detail: What the arithmetic cost, if it cost anything; for the status.
        stop: Why training of this kind ends here, or None to go on.
    """

    record: StepRecord
    theta: Tensor
    rung: str
    position: Position
    why: str = ""
    detail: str = ""
    stop: StopReason | None = None


@dataclass(frozen=True)
class Taken:
    """A step that was taken.

    Attributes:
        phase: The kind of training: ``growth`` of a layer of fixed features, or of the whole ``trunk``.
        mark: The step.
        system: The system it was taken on.
    """

    phase: Phase
    mark: Mark
    system: System

    @property
    def record(self) -> StepRecord:
        """What to show and to keep of it."""
        return self.mark.record

    @property
    def theta(self) -> Tensor:
        """Where it led."""
        return self.mark.theta
