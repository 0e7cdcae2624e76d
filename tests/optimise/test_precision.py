"""Noise floors bound the rounding they stand for; the ladder climbs for a reason that it tells."""

from __future__ import annotations

import math

import pytest
import torch

from pinnsolve.optimise.precision import (
    BF16_MIXED,
    FLOAT64,
    FP16_MIXED,
    Policy,
    noise_floor,
    refuse_unsupported,
    should_climb,
)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_the_floor_bounds_the_rounding_of_a_gram_matrix(size: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    jacobian = size * torch.randn(300, 40, generator=generator, dtype=torch.float64)
    exact = jacobian.T @ jacobian
    low = (jacobian.float().T @ jacobian.float()).double()
    rounding = float(torch.linalg.matrix_norm(low - exact, 2))
    floor = noise_floor(torch.float32, float(exact.trace()))
    assert 1e-3 * floor < rounding < floor


def test_the_floor_scales_with_trace_and_arithmetic() -> None:
    assert noise_floor(torch.float32, 4.0) == pytest.approx(4.0 * 2.0**-23, rel=1e-12)
    assert noise_floor(torch.float64, 4.0) == pytest.approx(4.0 * 2.0**-52, rel=1e-12)


@pytest.mark.parametrize(
    ("damping", "trace", "accepted", "reason"),
    [
        (1e-3, 5.0, True, None),
        (1e-7, 5.0, True, "the damping 1.0e-07 reached the noise floor 6.0e-07 of float32"),
        (1e-3, 5.0, False, "no damping lowered the loss with a Gram matrix in float32"),
        (1e-3, math.inf, True, "the Gram matrix is not finite in float32"),
        (1e-3, math.nan, True, "the Gram matrix is not finite in float32"),
    ],
)
def test_when_to_climb(damping: float, trace: float, accepted: bool, reason: str | None) -> None:
    assert should_climb(damping, trace, torch.float32, accepted=accepted) == reason


@pytest.mark.parametrize(
    ("jacobian", "residual", "autocast", "message"),
    [
        (torch.float32, torch.float16, None, "the residual must be float32 or float64"),
        (torch.bfloat16, torch.float32, None, "the Jacobian must be float32 or float64"),
        (torch.float32, torch.float32, torch.float32, "must be None, bfloat16 or float16"),
    ],
)
def test_policies_that_cannot_work_are_refused(jacobian, residual, autocast, message) -> None:
    with pytest.raises(ValueError, match=message):
        Policy("own", jacobian, residual, autocast)


@pytest.mark.parametrize("policy", [FLOAT64, BF16_MIXED, FP16_MIXED], ids=lambda p: p.name)
def test_the_cpu_has_all_of_them(policy: Policy) -> None:
    refuse_unsupported(policy, torch.device("cpu"))


def test_a_device_without_the_arithmetic_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'fp16-mixed' needs matrix products in float16, which"):
        refuse_unsupported(FP16_MIXED, torch.device("mps"))
