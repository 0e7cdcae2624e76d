"""Loss and gradient in mixed precision, with one scale per derivative order and one for the loss.

Scaling the loss keeps small gradients from vanishing in float16 (P. Micikevicius et al., "Mixed
precision training", 2018, arXiv:1710.03740). Physics-informed losses need more: derivatives of
different order differ by many powers of ten, so each order has a scale of its own in the forward
pass. A value that is not finite costs one skipped step: the scale at fault is halved; after enough
good steps all are doubled again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.networks import MLP, LowPrecisionMLP
from pinnsolve.optimise.precision import Policy
from pinnsolve.residuals import System

_LARGEST_ORDER_SCALE = 2.0**8
_LARGEST_LOSS_SCALE = 2.0**24


@dataclass(frozen=True)
class Scales:
    """Powers of two that keep low precision within its range.

    Attributes:
        orders: Factor on the streams of derivative order 0, 1, ... before the cast.
        loss: Factor on the loss before the backward pass.
        growth_interval: Good steps in a row after which all scales double; 0 never.
        good_steps: Good steps since a scale last changed.
    """

    orders: tuple[float, ...]
    loss: float = 1.0
    growth_interval: int = 0
    good_steps: int = 0

    def backed_off(self, order: int | None) -> Scales:
        """Return the scales with one halved: that of a derivative order, or (None) of the loss."""
        if order is None:
            return replace(self, loss=0.5 * self.loss, good_steps=0)
        halved = tuple(0.5 * s if k == order else s for k, s in enumerate(self.orders))
        return replace(self, orders=halved, good_steps=0)

    def grown(self) -> Scales:
        """Return the scales after one more good step."""
        if self.growth_interval == 0 or self.good_steps + 1 < self.growth_interval:
            return replace(self, good_steps=self.good_steps + 1)
        return replace(
            self,
            orders=tuple(min(2.0 * s, _LARGEST_ORDER_SCALE) for s in self.orders),
            loss=min(2.0 * self.loss, _LARGEST_LOSS_SCALE),
            good_steps=0,
        )


@dataclass(frozen=True)
class Gradient:
    """What one evaluation of the loss gave.

    Attributes:
        loss: Half the sum of squared rows.
        value: Its gradient, shape (P,); of no use unless ``finite``.
        finite: Whether loss and gradient are finite: if not, skip the step.
        scales: Scales for the next evaluation.
    """

    loss: float
    value: Tensor
    finite: bool
    scales: Scales


def initial_scales(system: System, policy: Policy, reduction: Reduction = ALONE) -> Scales:
    """Return the scales to begin with: those that float16 needs, or 1 where the range is wide enough.

    Args:
        system: The least-squares system, or this process's shard of it; its highest derivative sets
            the number of scales.
        policy: The arithmetic.
        reduction: Finds the highest derivative over processes.
    """
    own = max(len(index) for group in system.groups for index in group.indices)
    highest = int(reduction.largest(torch.tensor(own, device="cpu")))
    orders = (1.0,) * (highest + 1)
    if policy.autocast is not torch.float16:
        return Scales(orders)
    return Scales(orders, loss=2.0**16, growth_interval=200)


def loss_and_gradient(
    system: System,
    theta: Tensor,
    policy: Policy,
    scales: Scales,
    reduction: Reduction = ALONE,
) -> Gradient:
    """Return half the sum of squares and its gradient by one reverse pass.

    Args:
        system: The least-squares system, or this process's shard of it, in ``policy.residual``.
        theta: Parameters, shape (P,), in ``policy.residual``.
        policy: The arithmetic.
        scales: Present scales; used only where ``policy.autocast`` is set.
        reduction: Adds up over processes; all get the same.

    Raises:
        ValueError: If theta is in another precision, or the network has no low-precision form.
    """
    if theta.dtype != policy.residual:
        raise ValueError(
            f"policy {policy.name!r} needs theta in {policy.residual}, got {theta.dtype}; "
            "convert theta and the system with .to"
        )
    scaled = system if policy.autocast is None else lowered(system, policy.autocast, scales)
    variable = theta.detach().requires_grad_()
    with torch.enable_grad():
        half = 0.5 * scaled.residual(variable).square().sum()
        (slope,) = torch.autograd.grad(scales.loss * half, variable)
    half, gradient = reduction.sum(half.detach()), reduction.sum(slope) / scales.loss
    loss = float(half)
    if not torch.isfinite(half):
        order = _overflowing_order(scaled, theta, reduction)
        return Gradient(
            loss, gradient, False, scales if order is None else scales.backed_off(order)
        )
    if not torch.isfinite(gradient).all():
        return Gradient(loss, gradient, False, scales.backed_off(None))
    return Gradient(loss, gradient, True, scales.grown())


def lowered(system: System, dtype: torch.dtype, scales: Scales) -> System:
    """Return the system with the hidden layers' products of its network in ``dtype``.

    Args:
        system: The least-squares system.
        dtype: bfloat16 or float16.
        scales: Scales by derivative order.

    Raises:
        ValueError: If the network is not an MLP.
    """
    if not isinstance(system.network, MLP):
        raise ValueError(
            f"mixed precision needs an MLP, got a network of class {type(system.network).__name__}; "
            "use precision='float64'"
        )
    return replace(system, network=LowPrecisionMLP(system.network, dtype, scales.orders))


def _overflowing_order(system: System, theta: Tensor, reduction: Reduction) -> int | None:
    """Return the lowest derivative order whose streams are not finite on any process, None if all are.

    Streams of order k feed those of order k and above, so the lowest one is where it began.
    """
    parameters = theta[: system.network.num_parameters]
    found: list[int] = []
    with torch.no_grad():
        for group in system.groups:
            streams = system.network.streams(parameters, group.unit_points, group.indices)
            found += [
                len(index)
                for index, stream in zip(group.indices, streams, strict=True)
                if not torch.isfinite(stream).all()
            ]
    lowest = -float(reduction.largest(theta.new_tensor(-min(found, default=math.inf))))
    return int(lowest) if math.isfinite(lowest) else None
