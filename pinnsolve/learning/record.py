"""What a fit leaves behind besides the model: losses by epoch, sizes, arithmetic, versions."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import cache


class FitStop(Enum):
    """The ways a fit ends."""

    CONVERGED = "converged"
    EARLY_STOPPING = "early_stopping"
    MAX_STEPS = "max_steps"
    MAX_SECONDS = "max_seconds"
    NON_FINITE = "non_finite"


@dataclass(frozen=True)
class EpochRecord:
    """One epoch of one network: a pass over the rows, or one Gauss-Newton step on all of them.

    Attributes:
        epoch: Its number, from 1, over all networks of the fit.
        member: Which network, from 0.
        network: That network in words.
        seconds: Wall time since the fit began.
        loss: Mean loss on the training rows: half the mean square in units of the targets' variance, or the mean
            negative log-likelihood of a class.
        validation_loss: The same on rows left out; nan where there are none.
        gradient_norm: Norm of the loss's gradient, the last one of the epoch; nan where there is none.
        learning_rate: Of first-order methods; 0 for others.
    """

    epoch: int
    member: int
    network: str
    seconds: float
    loss: float
    validation_loss: float = math.nan
    gradient_norm: float = math.nan
    learning_rate: float = 0.0


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """Return the versions that numbers may depend on."""
    from importlib.metadata import version

    packages = ("pinnsolve", "torch", "numpy", "scipy", "scikit-learn")
    return (("python", platform.python_version()), *((name, version(name)) for name in packages))


@dataclass(frozen=True)
class FitRecord:
    """How a model was found.

    Attributes:
        estimator: Name of the class that was fitted.
        architecture: The networks, in words, with their weights in the mean.
        num_parameters: Trained numbers in all networks together.
        optimiser: ``gauss-newton``, ``lbfgs``, ``adamw`` or ``soap``.
        precision: Arithmetic that ran.
        why_precision: Why that one, in words; with the measured times, if ``auto`` measured.
        epochs: One record per epoch, network after network.
        validation: How the choice between candidates was made, in words.
        validation_loss: Loss on rows left out of the model that was chosen; nan if there was no choice.
        num_rows: Rows that were learned from.
        input_names: Columns as they were given.
        target_names: Targets as they were given; of a classifier the classes.
        seconds: Wall time of the whole fit.
        seed: Seed of splits and initial parameters.
        device: Device used.
        stop: Why the last network's training ended.
        versions: Version by package.
        num_processes: Processes that shared the rows.
    """

    estimator: str
    architecture: str
    num_parameters: int
    optimiser: str
    precision: str
    why_precision: str
    epochs: tuple[EpochRecord, ...]
    validation: str
    validation_loss: float
    num_rows: int
    input_names: tuple[str, ...]
    target_names: tuple[str, ...]
    seconds: float
    seed: int
    device: str
    stop: FitStop
    versions: tuple[tuple[str, str], ...] = field(default_factory=versions)
    num_processes: int = 1

    @property
    def loss(self) -> float:
        """Last loss on the training rows."""
        return self.epochs[-1].loss if self.epochs else math.inf


FitObserver = Callable[[EpochRecord], None]
"""Called after every epoch, for progress bars, logs and alarms."""
