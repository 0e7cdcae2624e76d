"""How to solve: network, points, optimiser, precision and limits, as one frozen value with working defaults."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

import torch

from pinnsolve.blocks import PointCounts
from pinnsolve.networks import MLP, Network
from pinnsolve.optimise import GaussNewton, LevenbergMarquardt
from pinnsolve.problem import Problem

Precision = Literal["auto", "float64", "float32"]
"""Arithmetic of the run; ``auto`` is float64, the only one that reaches small errors."""


@dataclass(frozen=True)
class Method:
    """A way to solve a problem. Everything left at None is chosen from the declaration.

    Attributes:
        hidden: Widths of the hidden layers.
        points: Numbers of collocation points.
        bandwidth: Factor on the first layer's initial weights; larger sees finer detail.
        resample_every: Steps after which new collocation points are drawn, so that none are
            overfitted; 0 never.
        adaptive_share: Share of the new interior points that is drawn in proportion to the residual.
        max_steps: Most optimiser steps.
        max_seconds: Most wall time of the training loop, in s.
        precision: Arithmetic.
        device: ``cpu``, ``cuda``, ``cuda:1`` ...
        optimiser: The least-squares optimiser: dense, or matrix-free for large networks.
        max_batch_points: Most points in one Jacobian chunk; bounds memory.
    """

    hidden: tuple[int, ...] | None = None
    points: PointCounts | None = None
    bandwidth: float = 2.0
    resample_every: int = 5
    adaptive_share: float = 0.5
    max_steps: int = 400
    max_seconds: float = 120.0
    precision: Precision = "auto"
    device: str = "cpu"
    optimiser: LevenbergMarquardt = field(default_factory=GaussNewton)
    max_batch_points: int = 4096

    def __post_init__(self) -> None:
        """Refuse limits that allow nothing, and unknown arithmetic."""
        if not 0.0 <= self.adaptive_share < 1.0:
            raise ValueError(f"adaptive_share must lie in [0, 1), got {self.adaptive_share}")
        if self.resample_every < 0:
            raise ValueError(f"resample_every must be >= 0 (0 never), got {self.resample_every}")
        if self.max_steps < 1:
            raise ValueError(f"max_steps must be >= 1, got {self.max_steps}")
        if self.max_batch_points < 1:
            raise ValueError(f"max_batch_points must be >= 1, got {self.max_batch_points}")
        if not (math.isfinite(self.max_seconds) and self.max_seconds > 0):
            raise ValueError(f"max_seconds must be finite and > 0, got {self.max_seconds}")
        if self.precision not in get_args(Precision):
            raise ValueError(
                f"precision must be one of {', '.join(get_args(Precision))}, got {self.precision!r}"
            )
        _device(self.device)

    @property
    def torch_device(self) -> torch.device:
        """The device."""
        return _device(self.device)

    @property
    def dtype(self) -> torch.dtype:
        """The arithmetic."""
        return torch.float32 if self.precision == "float32" else torch.float64

    def network_for(self, problem: Problem) -> Network:
        """Return the network: four hidden layers, wider for several components or coordinates."""
        axes, components = problem.frame.num_axes, len(problem.component_names)
        if self.hidden is not None:
            hidden = self.hidden
        elif axes == 1:
            hidden = (12, 12)
        else:
            hidden = (16 if components == 1 and axes == 2 else 20 if axes <= 3 else 24,) * 4
        return MLP(axes, components, hidden, self.bandwidth)

    def points_for(self, problem: Problem, network: Network) -> PointCounts:
        """Return point counts that give about three rows per parameter."""
        if self.points is not None:
            return self.points
        components = len(problem.component_names)
        rows = (2.6 if components == 1 else 2.1) * network.num_parameters
        interior = max(64, math.ceil(rows / components))
        if problem.frame.num_axes == 1:
            return PointCounts(interior, 2)
        initial = round(0.28 * interior) if problem.time is not None else 0
        return PointCounts(interior, max(48, round(0.28 * interior)), initial)


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"no such device: {name!r}; use cpu, cuda or cuda:1") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f"device {name!r} was asked for, but torch sees no CUDA device; use device='cpu'"
        )
    if device.type not in ("cpu", "cuda"):
        raise ValueError(f"device {name!r} is not supported; use cpu or cuda")
    return device
