"""Loss and gradient in mixed precision: expected rounding, back-off, growth."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pinnsolve.optimise.mixed import Scales, initial_scales, loss_and_gradient, lowered
from pinnsolve.optimise.precision import BF16_MIXED, FLOAT32, FLOAT64, FP16_MIXED, Policy

SEEDS = (0, 1, 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_full_precision_is_the_gradient_of_the_loss(plate_system, seed: int) -> None:
    system, theta = plate_system(seed)
    found = loss_and_gradient(system, theta, FLOAT64, initial_scales(system, FLOAT64))
    variable = theta.clone().requires_grad_()
    loss = 0.5 * system.residual(variable).square().sum()
    (expected,) = torch.autograd.grad(loss, variable)
    assert found.loss == pytest.approx(float(loss.detach()), rel=1e-12)
    torch.testing.assert_close(found.value, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    ("policy", "bound"),
    [(FLOAT32, 1e-5), (BF16_MIXED, 2e-2), (FP16_MIXED, 2e-3)],
    ids=lambda value: value.name if isinstance(value, Policy) else "",
)
@pytest.mark.parametrize("seed", SEEDS)
def test_gradients_are_right_to_rounding(plate_system, policy, bound, seed: int) -> None:
    system, theta = plate_system(seed)
    exact = loss_and_gradient(system, theta, FLOAT64, initial_scales(system, FLOAT64))
    low = system.to(dtype=torch.float32)
    found = loss_and_gradient(low, theta.float(), policy, initial_scales(system, policy))
    assert found.finite
    assert found.value.dtype == torch.float32
    error = float((found.value.double() - exact.value).norm() / exact.value.norm())
    assert 0.0 < error < bound


def steep(system, theta, factor: float):
    """Parameters whose second derivatives are larger by factor^2."""
    rows, columns = system.network.layers[0]
    changed = theta.clone()
    changed[: rows * columns] *= factor
    return changed


def test_float16_overflows_unless_orders_are_scaled(plate_system) -> None:
    """Only the scales that are needed shrink, and then the gradient is right."""
    system, theta = plate_system(hidden=(12, 12, 12))
    theta = steep(system, theta, 1000.0)
    low, single = system.to(dtype=torch.float32), theta.float()
    scales = replace(initial_scales(system, FP16_MIXED), loss=2.0**-10)
    first = loss_and_gradient(low, single, FP16_MIXED, scales)
    assert not first.finite
    assert first.scales.orders == (1.0, 1.0, 0.5)
    found = first
    for _ in range(30):
        found = loss_and_gradient(low, single, FP16_MIXED, found.scales)
        if found.finite:
            break
    assert found.finite
    assert found.scales.orders[:2] == (1.0, 1.0)
    assert found.scales.orders[2] <= 0.25
    exact = loss_and_gradient(system, theta, FLOAT64, scales)
    assert found.loss == pytest.approx(exact.loss, rel=1e-2)
    assert float((found.value.double() - exact.value).norm() / exact.value.norm()) < 1e-2


def test_a_gradient_that_overflows_halves_the_scale_of_the_loss(plate_system) -> None:
    system, theta = plate_system()
    low = system.to(dtype=torch.float32)
    scales = replace(initial_scales(system, FP16_MIXED), loss=2.0**60)
    found = loss_and_gradient(low, theta.float(), FP16_MIXED, scales)
    assert not found.finite
    assert found.scales.loss == 2.0**59
    assert found.scales.orders == scales.orders


def test_residuals_that_are_not_finite_blame_no_scale(plate_system) -> None:
    """The network is finite: it is not the arithmetic's fault."""
    system, theta = plate_system()
    low = system.to(dtype=torch.float32)
    weights = {key: float("inf") for key in low.weights}
    scales = initial_scales(system, FP16_MIXED)
    found = loss_and_gradient(replace(low, weights=weights), theta.float(), FP16_MIXED, scales)
    assert not found.finite
    assert found.scales == scales


def test_scales_grow_after_good_steps_only() -> None:
    scales = Scales((1.0, 0.25), loss=4.0, growth_interval=3)
    for _ in range(2):
        scales = scales.grown()
        assert (scales.orders, scales.loss) == ((1.0, 0.25), 4.0)
    assert scales.backed_off(1).good_steps == 0
    scales = scales.grown()
    assert (scales.orders, scales.loss, scales.good_steps) == ((2.0, 0.5), 8.0, 0)
    large = Scales((2.0**8,), loss=2.0**24, growth_interval=1).grown()
    assert (large.orders, large.loss) == ((2.0**8,), 2.0**24)
    constant = Scales((1.0,))
    for _ in range(5):
        constant = constant.grown()
    assert (constant.orders, constant.loss) == ((1.0,), 1.0)


def test_bfloat16_needs_no_scales(plate_system) -> None:
    system, _ = plate_system()
    assert initial_scales(system, BF16_MIXED) == Scales((1.0, 1.0, 1.0))


def test_theta_in_the_wrong_precision_is_refused(plate_system) -> None:
    system, theta = plate_system()
    with pytest.raises(ValueError, match=r"'bf16-mixed' needs theta in torch\.float32, got"):
        loss_and_gradient(system, theta, BF16_MIXED, initial_scales(system, BF16_MIXED))


def test_a_network_without_low_precision_is_refused(plate_system) -> None:
    system, _ = plate_system()
    scales = initial_scales(system, BF16_MIXED)
    once = lowered(system, torch.bfloat16, scales)
    with pytest.raises(ValueError, match=r"mixed precision needs an MLP, got .*LowPrecisionMLP"):
        lowered(once, torch.bfloat16, scales)
