"""What a run leaves behind besides the answer: convergence, sizes, versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pinnsolve.energy import Energy
from pinnsolve.optimise.precision import RungRecord
from pinnsolve.status import Status


@dataclass(frozen=True)
class StepRecord:
    """One optimiser step.

    Attributes:
        step: Its number, from 1.
        seconds: Wall time since the start of training.
        loss: Half the weighted sum of squares.
        error_estimate: Estimated relative error of the fields (see :mod:`pinnsolve.training`); inf
            at first.
        damping: Levenberg-Marquardt damping.
        accepted: Whether the step lowered the loss.
    """

    step: int
    seconds: float
    loss: float
    error_estimate: float
    damping: float
    accepted: bool = True


@dataclass(frozen=True)
class RunRecord:
    """How an answer was found.

    Attributes:
        status: Why the run stopped.
        history: One record per step.
        seconds: Wall time of the whole solve, preparation included.
        seed: Seed of points and parameters.
        precision: Arithmetic of residual and parameters at the end.
        device: Device used.
        num_parameters: Length of theta.
        num_points: Collocation points by block name.
        network: The network in words.
        versions: Version by package.
        rungs: Every change of arithmetic, with its reason; the first one says what it began with.
        noise: Standard deviation of the noise by block, where it was estimated from the residuals.
        noise_freedom: Degrees of freedom that the field and the unknowns took of the readings, by block.
        energy: What training consumed, of a run that went on from a checkpoint since then; None in files
            written before it was recorded.
    """

    status: Status
    history: tuple[StepRecord, ...]
    seconds: float
    seed: int
    precision: str
    device: str
    num_parameters: int
    num_points: Mapping[str, int]
    network: str
    versions: Mapping[str, str]
    rungs: tuple[RungRecord, ...] = ()
    noise: Mapping[str, float] = field(default_factory=dict)
    noise_freedom: Mapping[str, float] = field(default_factory=dict)
    energy: Energy | None = field(default=None, compare=False)

    @property
    def num_steps(self) -> int:
        """Number of steps taken."""
        return len(self.history)

    @property
    def loss(self) -> float:
        """Last loss."""
        return self.history[-1].loss if self.history else float("inf")
