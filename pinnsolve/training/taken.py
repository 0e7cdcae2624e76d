"""What every kind of training yields after a step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from pinnsolve.record import StepRecord
from pinnsolve.residuals import System
from pinnsolve.status import StopReason

Phase = Literal["growth", "trunk"]

Clock = Callable[[], float]
"""Returns the seconds since training began."""


@dataclass(frozen=True)
class Taken:
    """A step that was taken.

    Attributes:
        phase: The kind of training: ``growth`` of a layer of fixed features, or of the whole ``trunk``.
        record: What to show and to keep of it.
        system: The system it was taken on.
        theta: Where it led.
        rung: Arithmetic of the next step, by the name of its policy.
        why: Why the arithmetic last changed; empty if it never did.
        detail: What the arithmetic cost, if it cost anything; for the status.
        stop: Why training of this kind ends here, or None to go on.
    """

    phase: Phase
    record: StepRecord
    system: System
    theta: Tensor
    rung: str
    why: str = ""
    detail: str = ""
    stop: StopReason | None = None
