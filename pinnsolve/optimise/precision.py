"""The arithmetic of a run as values: policies, their noise floors, and the record of every change.

In Gauss-Newton low precision serves the early steps only. The Gram matrix is known to about
``eps |J^T J|``; a damping below that no longer tells curvature from rounding, the steps stop being
descent directions and the loss stalls, whatever the network could do ("FP64 is all you need:
Rethinking failure modes in physics-informed neural networks", 2025, arXiv:2505.10949). So the
arithmetic climbs when the damping reaches the floor of the one in use; switching upwards in mid-run
by a curvature criterion follows arXiv:2606.04736 (2026), which reads it off L-BFGS pairs instead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Policy:
    """Which arithmetic a stage of training uses for what.

    Attributes:
        name: How records name it.
        jacobian: Of the Jacobian and the Gram matrix.
        residual: Of parameters, residual, gradient, first layer, activations and head.
        autocast: Of the hidden layers' matrix products in first-order training; None: as
            ``residual``.
    """

    name: str
    jacobian: torch.dtype
    residual: torch.dtype
    autocast: torch.dtype | None = None

    def __post_init__(self) -> None:
        """Refuse a residual that could not carry the result."""
        if self.residual not in (torch.float32, torch.float64):
            raise ValueError(
                f"policy {self.name!r}: the residual must be float32 or float64, got {self.residual}; "
                "give the lower precision as autocast"
            )
        if self.jacobian not in (torch.float32, torch.float64):
            raise ValueError(
                f"policy {self.name!r}: the Jacobian must be float32 or float64, got {self.jacobian}: "
                "with fewer digits Gauss-Newton stalls at once"
            )
        if self.autocast not in (None, torch.bfloat16, torch.float16):
            raise ValueError(
                f"policy {self.name!r}: autocast must be None, bfloat16 or float16, got {self.autocast}"
            )


FLOAT64 = Policy("float64", torch.float64, torch.float64)
"""Everything in float64."""

FLOAT32 = Policy("float32", torch.float32, torch.float32)
"""Everything in float32; reaches relative errors of about 1e-3 to 1e-4 only."""

FLOAT32_GRAM = Policy("float32-gram", torch.float32, torch.float64)
"""Jacobian and Gram matrix in float32; residual, gradient and trial losses in float64."""

BF16_MIXED = Policy("bf16-mixed", torch.float32, torch.float32, torch.bfloat16)
"""First-order training: the hidden layers' products in bfloat16, all else in float32."""

FP16_MIXED = Policy("fp16-mixed", torch.float32, torch.float32, torch.float16)
"""First-order training: the hidden layers' products in float16, all else in float32."""


@dataclass(frozen=True)
class RungRecord:
    """One change of arithmetic in a run; the first one says what it began with.

    Attributes:
        step: Step after which it changed; 0 for the start.
        seconds: Wall time since the start of training.
        before: Name of the policy until then; empty at the start.
        after: Name of the policy from then on.
        why: The reason, in words.
    """

    step: int
    seconds: float
    before: str
    after: str
    why: str


def noise_floor(dtype: torch.dtype, gram_trace: float) -> float:
    """Return the damping below which rounding of the Gram matrix matters: ``eps tr(J^T J)``.

    The trace bounds the spectral norm of J^T J from above, at no cost.

    Args:
        dtype: Arithmetic of the Jacobian and the Gram matrix.
        gram_trace: Trace of J^T J.
    """
    return torch.finfo(dtype).eps * gram_trace


def should_climb(
    damping: float, gram_trace: float, dtype: torch.dtype, *, accepted: bool = True
) -> str | None:
    """Return why the next step needs a higher precision than ``dtype``, or None.

    Args:
        damping: lam of the next step.
        gram_trace: Trace of J^T J.
        dtype: Arithmetic of the Jacobian and the Gram matrix.
        accepted: Whether the last step in this arithmetic lowered the loss.
    """
    name = str(dtype).removeprefix("torch.")
    if not math.isfinite(gram_trace):
        return f"the Gram matrix is not finite in {name}"
    floor = noise_floor(dtype, gram_trace)
    if damping <= floor:
        return f"the damping {damping:.1e} reached the noise floor {floor:.1e} of {name}"
    if not accepted:
        return f"no damping lowered the loss with a Gram matrix in {name}"
    return None


def refuse_unsupported(policy: Policy, device: torch.device) -> None:
    """Refuse a policy whose arithmetic the device does not have.

    Args:
        policy: The policy.
        device: The device.

    Raises:
        ValueError: If the device cannot multiply matrices in one of its types.
    """
    wanted = {policy.residual, policy.jacobian, policy.autocast} - {None}
    for dtype in sorted(wanted, key=str):
        try:
            square = torch.ones(8, 8, dtype=dtype, device=device)
            finite = bool(torch.isfinite(square @ square).all())
        except (RuntimeError, AssertionError, TypeError) as error:
            # torch words it in many ways, some of them pages long
            raise ValueError(_unsupported(policy, dtype, device)) from error
        if not finite:
            raise ValueError(_unsupported(policy, dtype, device))


def _unsupported(policy: Policy, dtype: torch.dtype | None, device: torch.device) -> str:
    name = str(dtype).removeprefix("torch.")
    return (
        f"policy {policy.name!r} needs matrix products in {name}, which device '{device}' does not have; "
        "use another device or precision='float64'"
    )
