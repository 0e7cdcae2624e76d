"""What was asked for and what was found: what both kinds of fitting share."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from pinnsolve.learning.candidates import Architecture
from pinnsolve.learning.record import FitStop
from pinnsolve.learning.selection import Member


@dataclass(frozen=True)
class Settings:
    """What the user asked for; see :class:`pinnsolve.learning.estimators.TableEstimator`."""

    architecture: Architecture
    precision: str
    optimiser: str
    max_seconds: float
    max_steps: int
    validation_share: float
    seed: int
    device: torch.device


@dataclass(frozen=True)
class Found:
    """The networks and how they were found.

    Attributes:
        members: The networks.
        optimiser: What trained them.
        precision: Arithmetic that ran.
        why_precision: Why that one.
        validation: How candidates were compared, in words.
        validation_loss: Loss on rows left out.
        stop: Why the last training ended.
    """

    members: tuple[Member, ...]
    optimiser: str
    precision: str
    why_precision: str
    validation: str
    validation_loss: float
    stop: FitStop
