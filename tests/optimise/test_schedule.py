"""When one stage hands over to the next, and that the next one begins where it ended."""

from __future__ import annotations

import pytest
import torch

from pinnsolve.optimise import GaussNewton, HandOver, Schedule, Stage, WarmUpCosine
from pinnsolve.optimise.first_order import Adam
from pinnsolve.optimise.precision import BF16_MIXED, FLOAT32, FLOAT64

FALLING = [0.5**k for k in range(10)]
ADAM = Stage(Adam(WarmUpCosine(total=100, warm_up=5), BF16_MIXED, 3), BF16_MIXED, HandOver(0.5))
GAUSS = Stage(GaussNewton(), FLOAT64)


@pytest.mark.parametrize(
    ("losses", "refusals", "spent", "reason"),
    [
        (FALLING, 0, 0.1, None),
        (FALLING, 0, 0.25, "25 % of the budget were spent"),
        (FALLING, 3, 0.1, "no progress in 3 steps: values were not finite"),
        ([1e-3] * 10, 0, 0.1, "the loss stays at 1.0e-03"),
        ([1e-3] * 9, 0, 0.1, None),
        ([*FALLING[:5], *FALLING[:5]], 0, 0.1, "the loss stays at 2.5e-01"),
        ([float("nan")] * 10, 0, 0.1, "the loss stays at nan"),
    ],
)
def test_when_to_hand_over(losses, refusals, spent, reason) -> None:
    assert HandOver().why(losses, refusals, spent) == reason


def test_noise_on_a_falling_loss_is_no_plateau() -> None:
    losses = [0.8**k * (1.5 if k % 2 else 1.0) for k in range(30)]
    assert all(HandOver().why(losses[:n], 0, 0.0) is None for n in range(1, 31))


def test_the_next_stage_begins_where_the_last_one_ended(plate_system) -> None:
    system, theta = plate_system(hidden=(6, 6), points=40)
    schedule = Schedule((ADAM, GAUSS))
    state = schedule.init(system, theta)
    assert not schedule.is_last(state)
    assert state.inner.theta.dtype == torch.float32
    state = schedule.step(system, state, spent=0.1)
    assert (state.rung, state.steps, state.why) == ("bf16-mixed", (1,), "")
    assert state.theta.dtype == torch.float64
    state = schedule.step(system, state, spent=0.6)
    assert schedule.is_last(state)
    assert (state.rung, state.steps) == ("float64", (2, 0))
    assert state.why == "50 % of the budget were spent"
    assert torch.equal(state.theta, state.inner.theta)
    assert state.inner.theta.dtype == torch.float64
    with torch.no_grad():
        assert state.loss == 0.5 * float(system.residual(state.theta).square().sum())
    after = schedule.step(system, state, spent=0.7)
    assert after.loss < state.loss
    assert after.steps == (2, 1)


def test_one_stage_is_its_optimiser(plate_system) -> None:
    system, theta = plate_system(hidden=(6, 6), points=40)
    schedule, alone = Schedule((GAUSS,)), GaussNewton()
    state, other = schedule.init(system, theta), alone.init(system, theta)
    for _ in range(4):
        state, other = schedule.step(system, state, spent=0.9), alone.step(system, other)
    assert torch.equal(state.theta, other.theta)
    assert (state.loss, state.damping) == (other.loss, other.damping)


def test_the_noise_floor_is_remembered(plate_system) -> None:
    system, theta = plate_system(hidden=(6, 6), points=40)
    schedule = Schedule((Stage(GaussNewton(), FLOAT32),))
    state = schedule.init(system.to(dtype=torch.float32), theta.float())
    for _ in range(3):
        state = schedule.step(system.to(dtype=torch.float32), state)
    assert not state.at_floor
    for _ in range(20):
        state = schedule.step(system.to(dtype=torch.float32), state)
    assert state.at_floor


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Schedule(()), "needs at least one stage"),
        (lambda: Schedule((GAUSS, GAUSS)), "stage 1 of 2: every stage but the last needs a hand"),
        (lambda: Schedule((ADAM,)), "stage 1 of 1: .* the last must have none"),
        (lambda: HandOver(share=0.0), r"share of the budget must lie in \(0, 1\], got 0.0"),
        (lambda: HandOver(window=0), "window and most_refusals must be >= 1"),
        (lambda: HandOver(least_fall=1.0), r"least_fall must lie in \[0, 1\), got 1.0"),
    ],
)
def test_refusals(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
