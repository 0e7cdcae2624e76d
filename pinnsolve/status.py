"""Why a run stopped, with the cure in the message; accuracy is the Verdict's business, not the Status's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class StopReason(Enum):
    """The ways a run ends."""

    CONVERGED = "converged"
    MAX_STEPS = "max_steps"
    MAX_SECONDS = "max_seconds"
    STALLED = "stalled"
    INTERRUPTED = "interrupted"
    NON_FINITE = "non_finite"
    PRECISION = "precision"
    LOST_PROCESS = "lost_process"
    OUT_OF_MEMORY = "out_of_memory"
    RUNAWAY = "runaway"


_MESSAGES = {
    StopReason.CONVERGED: "the estimated error fell below the accuracy asked for",
    StopReason.MAX_STEPS: "the step limit was reached; give more steps (Method(max_steps=...)) if not trusted",
    StopReason.MAX_SECONDS: "the time limit was reached; give more time (--max-seconds) if not trusted",
    StopReason.STALLED: (
        "no step lowers the loss any more; if not trusted, use a wider network or more points, "
        "and check the declaration for contradictions"
    ),
    StopReason.INTERRUPTED: "interrupted; this is the last good state",
    StopReason.NON_FINITE: (
        "the residual is not finite, even after more damping; this is the last good state. "
        "Check functions in the declaration (roots, logarithms, divisions) and the scales"
    ),
    StopReason.PRECISION: (
        "the arithmetic limits the accuracy: the damping reached the noise floor of float32, "
        "below which float64 goes on; use precision='auto'"
    ),
    StopReason.LOST_PROCESS: (
        "another process of this run died or did not answer; this is the last good state. "
        "Look for its error message, then start all processes again (resume from checkpoint, if there is one)"
    ),
    StopReason.OUT_OF_MEMORY: (
        "memory ran out even in the smallest batches of points; this is the last good state. "
        "Use a narrower network, or Method(optimiser=MatrixFree()), whose memory grows with the parameters, "
        "not with their square"
    ),
    StopReason.RUNAWAY: (
        "an unknown ran to its bound or far from its initial value: the data do not hold it. "
        "Give bounds or a better initial value, measure where it matters, and check units and signs"
    ),
}


@dataclass(frozen=True)
class Status:
    """Why a run stopped.

    Attributes:
        reason: The way it ended.
        message: What that means and what to do.
    """

    reason: StopReason
    message: str

    @classmethod
    def of(cls, reason: StopReason, detail: str = "") -> Status:
        """Return the status with its standard message.

        Args:
            reason: The way it ended.
            detail: Put in front of the message, for instance a number.
        """
        return cls(reason, f"{detail}: {_MESSAGES[reason]}" if detail else _MESSAGES[reason])
