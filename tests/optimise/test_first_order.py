"""Adam as torch has it; SOAP as its definition wants it; both skip what is not finite."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from pinnsolve.networks import MLP, LowPrecisionMLP
from pinnsolve.optimise import SOAP, Adam, WarmUpCosine
from pinnsolve.optimise.precision import BF16_MIXED, FLOAT32, FLOAT64, FP16_MIXED

NETWORK = MLP(3, 2, (4,))
RATE = WarmUpCosine(peak=1e-2, warm_up=10, total=200)


@dataclass(frozen=True)
class OneGroup:
    """A group that needs values only."""

    indices: tuple[tuple[int, ...], ...] = ((),)


@dataclass(frozen=True)
class Plain:
    """A least-squares system given by its residual, with the weight matrices of a network."""

    function: Callable[[Tensor], Tensor]
    network: MLP
    groups: tuple[OneGroup, ...] = (OneGroup(),)

    def residual(self, theta: Tensor) -> Tensor:
        return self.function(theta)


def random_tensor(*shape: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def linear(seed: int, net: MLP = NETWORK) -> tuple[Plain, Tensor]:
    """A linear system in the parameters of a network, and a start."""
    count = net.num_parameters
    matrix, right = random_tensor(40, count, seed=seed), random_tensor(40, seed=seed + 1)
    return Plain(lambda theta: matrix @ theta - right, net), random_tensor(count, seed=seed + 2)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_adam_is_adam(seed: int) -> None:
    system, theta = linear(seed)
    adam = Adam(RATE, epsilon=1e-8)
    state = adam.init(system, theta)
    variable = theta.clone().requires_grad_()
    theirs = torch.optim.Adam([variable], betas=(0.9, 0.999), eps=1e-8)
    for update in range(1, 60):
        state = adam.step(system, state)
        theirs.param_groups[0]["lr"] = RATE.at(update)
        theirs.zero_grad()
        (0.5 * system.residual(variable).square().sum()).backward()
        theirs.step()
    torch.testing.assert_close(state.theta, variable.detach(), rtol=1e-10, atol=1e-12)


def turned(theta: Tensor, turns: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Return ``U W V^T`` for every weight matrix of theta, biases as they are."""
    result, start = theta.clone(), 0
    for left, right in turns:
        rows, columns = len(left), len(right)
        span = slice(start, start + rows * columns)
        result[span] = (left @ theta[span].view(rows, columns) @ right.T).flatten()
        start += rows * columns + rows
    return result


def test_soap_does_not_depend_on_the_basis_of_a_layer() -> None:
    """Turning inputs and outputs of every layer turns the path, which is not so for Adam.

    Square matrices: a gradient without full rank leaves the rest of the first basis open.
    """
    system, theta = linear(0, MLP(3, 3, (3,)))
    turns = [
        tuple(torch.linalg.qr(random_tensor(n, n, seed=10 * k + n)).Q for n in shape)
        for k, shape in enumerate(((3, 3), (3, 3)))
    ]
    back = [(left.T, right.T) for left, right in turns]
    other = Plain(lambda moved: system.residual(turned(moved, back)), system.network)
    moved = {}
    for name, method in (("soap", SOAP(RATE, refresh_every=4)), ("adam", Adam(RATE))):
        first, second = method.init(system, theta), method.init(other, turned(theta, turns))
        for _ in range(30):
            first, second = method.step(system, first), method.step(other, second)
        moved[name] = float((turned(first.theta, turns) - second.theta).abs().max())
    assert moved["soap"] < 1e-9
    assert moved["adam"] > 1e-3


def test_soap_with_scalar_layers_is_adam() -> None:
    """One by one matrices have no eigenbasis but a sign."""
    net = MLP(1, 1, (1,))
    matrix, right = random_tensor(9, 4, seed=0), random_tensor(9, seed=1)
    system = Plain(lambda theta: matrix @ theta - right, net)
    soap = SOAP(RATE, decay_first=0.9, decay_second=0.99, refresh_every=3)
    adam = Adam(RATE, decay_first=0.9, decay_second=0.99)
    first, second = (m.init(system, random_tensor(4, seed=2)) for m in (soap, adam))
    for _ in range(25):
        first, second = soap.step(system, first), adam.step(system, second)
    torch.testing.assert_close(first.theta, second.theta, rtol=1e-12, atol=1e-13)


def test_bases_stay_orthogonal_and_become_eigenbases() -> None:
    """Under one gradient direction after another, the bases diagonalise L and R."""
    system, theta = linear(3)
    soap = SOAP(replace(RATE, peak=1e-12), decay_second=0.5, refresh_every=1, updates_per_step=60)
    state = soap.step(system, soap.init(system, theta))
    for pair in state.sides:
        for side in pair:
            unit = torch.eye(len(side.basis), dtype=torch.float64)
            torch.testing.assert_close(side.basis.T @ side.basis, unit, rtol=0.0, atol=1e-12)
            diagonal = side.basis.T @ side.covariance @ side.basis
            off = diagonal - torch.diag(diagonal.diagonal())
            assert float(off.norm()) < 1e-6 * float(diagonal.norm())


@pytest.mark.parametrize("method", [Adam, SOAP])
@pytest.mark.parametrize("policy", [FLOAT64, FLOAT32, BF16_MIXED, FP16_MIXED], ids=lambda p: p.name)
def test_every_policy_lowers_the_loss_and_repeats_itself(plate_system, method, policy) -> None:
    system, theta = plate_system(hidden=(8, 8, 8), points=60)
    low = system.to(dtype=policy.residual)
    optimiser = method(RATE, policy, updates_per_step=60)
    first = optimiser.init(low, theta.to(policy.residual))
    begin = 0.5 * float(system.residual(theta).square().sum())
    states = [optimiser.step(low, first) for _ in range(2)]
    assert torch.equal(states[0].theta, states[1].theta)
    assert states[0].theta.dtype == policy.residual
    assert states[0].loss < 0.3 * begin
    assert states[0].updates + states[0].skipped == 60
    assert states[0].rung == policy.name


@pytest.mark.parametrize("method", [Adam, SOAP])
def test_updates_that_are_not_finite_are_skipped(plate_system, method) -> None:
    """The parameters stay until the scale has fallen far enough, then the run goes on."""
    system, theta = plate_system(hidden=(8, 8, 8), points=60)
    low, single = system.to(dtype=torch.float32), theta.float()
    optimiser = method(RATE, FP16_MIXED)
    state = optimiser.init(low, single)
    state = replace(state, scales=replace(state.scales, loss=2.0**44))
    state = optimiser.step(low, state)
    assert not state.accepted
    assert (state.updates, state.skipped) == (0, 1)
    assert torch.equal(state.theta, single)
    for _ in range(60):
        state = optimiser.step(low, state)
    assert state.accepted
    assert state.skipped > 1
    assert state.updates + state.skipped == 61
    assert torch.isfinite(state.theta).all()


@pytest.mark.parametrize("method", [Adam, SOAP])
def test_the_given_state_is_left_alone(method) -> None:
    system, theta = linear(0)
    optimiser = method(RATE)
    state = optimiser.step(system, optimiser.init(system, theta))
    kept = [t.clone() for t in (state.theta, state.first, state.second)]
    optimiser.step(system, state)
    assert all(
        torch.equal(a, b)
        for a, b in zip(kept, (state.theta, state.first, state.second), strict=True)
    )


def test_learning_rate() -> None:
    assert RATE.at(5) == pytest.approx(5e-3)
    assert RATE.at(10) == pytest.approx(1e-2)
    assert RATE.at(105) == pytest.approx(1e-2 * (0.03 + 0.97 * 0.5))
    assert RATE.at(200) == RATE.at(10_000) == pytest.approx(3e-4)
    rates = [RATE.at(update) for update in range(10, 201)]
    assert rates == sorted(rates, reverse=True)
    assert WarmUpCosine(peak=1.0, warm_up=0, total=10).at(1) <= 1.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WarmUpCosine(peak=0.0), "peak learning rate must be finite and > 0, got 0.0"),
        (lambda: WarmUpCosine(peak=math.nan), "must be finite and > 0, got nan"),
        (lambda: WarmUpCosine(warm_up=9, total=9), r"warm_up must lie in \[0, total\), got 9 of 9"),
        (lambda: WarmUpCosine(final_share=1.5), r"final_share must lie in \[0, 1\], got 1.5"),
        (lambda: Adam(decay_first=1.0), r"decay_first must lie in \[0, 1\), got 1.0"),
        (lambda: SOAP(decay_second=-0.1), r"decay_second must lie in \[0, 1\), got -0.1"),
        (lambda: Adam(updates_per_step=0), "updates_per_step must be >= 1, got 0"),
        (lambda: SOAP(refresh_every=0), "refresh_every must be >= 1, got 0"),
    ],
)
def test_refusals(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_soap_refuses_a_network_without_weight_matrices() -> None:
    system, theta = linear(0)
    other = replace(system, network=LowPrecisionMLP(system.network, torch.bfloat16, (1.0,)))
    with pytest.raises(ValueError, match=r"needs the weight matrices of an MLP, got .*; use Adam"):
        SOAP().init(other, theta)
