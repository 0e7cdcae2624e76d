"""Hidden products in low precision: exact scales, expected rounding, no overflow where orders are scaled."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pinnsolve.networks import MLP, LowPrecisionMLP

ORDERS = ((), (0,), (1,), (0, 0), (0, 1), (1, 1))
FULL = MLP(2, 3, (16, 16, 16))


def numbers(seed: int = 0, steepness: float = 1.0) -> tuple[Tensor, Tensor]:
    """Parameters and points; the first layer is steeper by a factor."""
    generator = torch.Generator().manual_seed(seed)
    cpu = torch.device("cpu")
    theta = FULL.initial_parameters(generator, dtype=torch.float64, device=cpu)
    theta[:32] *= steepness  # not the biases
    return theta, 2.0 * torch.rand(50, 2, generator=generator, dtype=torch.float64) - 1.0


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_powers_of_two_change_no_bit(seed: int) -> None:
    theta, x = numbers(seed)
    scaled = LowPrecisionMLP(FULL, torch.float64, (1.0, 2.0**-7, 2.0**12))
    plain = LowPrecisionMLP(FULL, torch.float64, (1.0, 1.0, 1.0))
    assert torch.equal(scaled.streams(theta, x, ORDERS), plain.streams(theta, x, ORDERS))
    torch.testing.assert_close(
        plain.streams(theta, x, ORDERS), FULL.streams(theta, x, ORDERS), rtol=1e-13, atol=1e-13
    )


@pytest.mark.parametrize(("dtype", "bound"), [(torch.bfloat16, 2e-2), (torch.float16, 2e-3)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_streams_are_right_to_rounding(dtype: torch.dtype, bound: float, seed: int) -> None:
    theta, x = numbers(seed)
    low = LowPrecisionMLP(FULL, dtype, (1.0, 1.0, 1.0)).streams(theta.float(), x.float(), ORDERS)
    exact = FULL.streams(theta, x, ORDERS)
    assert low.dtype == torch.float32
    for ours, theirs in zip(low.double(), exact, strict=True):
        error = float((ours - theirs).norm() / theirs.norm())
        assert 1e-6 < error < bound  # and it is low precision indeed


def test_second_derivatives_of_a_million_need_their_own_scale() -> None:
    theta, x = numbers(steepness=4000.0)
    x = x / 4000.0  # where tanh is not saturated
    exact = FULL.streams(theta, x, ORDERS)
    assert float(exact[3:].abs().max()) > 1e6
    bare = LowPrecisionMLP(FULL, torch.float16, (1.0, 1.0, 1.0))
    assert not torch.isfinite(bare.streams(theta, x, ORDERS)).all()
    scaled = LowPrecisionMLP(FULL, torch.float16, (1.0, 2.0**-4, 2.0**-10))
    low = scaled.streams(theta, x, ORDERS)
    for ours, theirs in zip(low, exact, strict=True):
        assert float((ours - theirs).norm() / theirs.norm()) < 1e-2


def test_parameters_and_jacobian_are_those_of_the_full_network() -> None:
    low = LowPrecisionMLP(FULL, torch.bfloat16, (1.0, 1.0, 1.0))
    theta, x = numbers()
    assert low.num_parameters == FULL.num_parameters == len(theta)
    again = low.initial_parameters(
        torch.Generator().manual_seed(0), dtype=torch.float64, device=torch.device("cpu")
    )
    assert torch.equal(again, theta)
    assert torch.equal(low.linearised(theta, x, ORDERS)[0], FULL.linearised(theta, x, ORDERS)[0])


def test_an_order_without_scale_is_refused() -> None:
    theta, x = numbers()
    with pytest.raises(ValueError, match="derivatives of order 2 need 3 scales"):
        LowPrecisionMLP(FULL, torch.float16, (1.0, 1.0)).streams(theta, x, ORDERS)
