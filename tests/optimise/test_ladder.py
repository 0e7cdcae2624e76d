"""Only the Gram matrix is in low precision; the steps end where those in float64 end."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pinnsolve.optimise import GaussNewton, Ladder
from pinnsolve.optimise.gram import gram_of, normal_equations
from pinnsolve.optimise.ladder import mixed_normal_equations
from pinnsolve.optimise.precision import noise_floor

SEEDS = (0, 1, 2)


def whole(lower: torch.Tensor) -> torch.Tensor:
    return lower.tril() + lower.tril(-1).T


@pytest.mark.parametrize("seed", SEEDS)
def test_residual_and_gradient_are_those_of_float64(plate_system, seed: int) -> None:
    system, theta = plate_system(seed)
    exact = normal_equations(system.linearised(theta), system.num_parameters)
    gram, gradient, rows = mixed_normal_equations(system, theta, torch.float32)
    torch.testing.assert_close(gradient, exact[1], rtol=1e-10, atol=1e-13)
    torch.testing.assert_close(rows, exact[2], rtol=1e-10, atol=1e-13)
    rounding = float(torch.linalg.matrix_norm(whole(gram) - whole(exact[0]), 2))
    assert 0.0 < rounding < noise_floor(torch.float32, float(exact[0].trace()))
    assert {t.dtype for t in (gram, gradient, rows)} == {torch.float64}


def test_the_same_arithmetic_gives_the_same_equations(plate_system) -> None:
    system, theta = plate_system()
    exact = normal_equations(system.linearised(theta), system.num_parameters)
    gram, _, _ = mixed_normal_equations(system, theta, torch.float64)
    torch.testing.assert_close(gram.tril(), exact[0].tril(), rtol=1e-13, atol=1e-15)


def test_a_system_in_another_precision_is_a_copy(plate_system) -> None:
    system, theta = plate_system()
    before = system.residual(theta)
    low = system.to(dtype=torch.float32)
    rows = low.residual(theta.float())
    assert rows.dtype == torch.float32
    torch.testing.assert_close(rows.double(), before, rtol=1e-4, atol=1e-5)
    assert torch.equal(system.residual(theta), before)
    assert low.to(dtype=torch.float64).residual(theta).dtype == torch.float64


@pytest.mark.parametrize("seed", SEEDS)
def test_same_error_as_float64_after_as_many_steps(plate_system, plate_error, seed: int) -> None:
    system, theta = plate_system(seed, hidden=(7, 7), points=140)
    errors = []
    for optimiser in (GaussNewton(), Ladder()):
        state = optimiser.init(system, theta)
        for _ in range(25):
            state = optimiser.step(system, state)
        errors.append(plate_error(system, state.theta))
    assert errors[1] < 2.0 * errors[0]


def test_it_climbs_once_and_says_why(plate_system) -> None:
    system, theta = plate_system()
    ladder = Ladder()
    state = ladder.init(system, theta)
    rungs = [state.rung]
    for _ in range(20):
        state = ladder.step(system, state)
        rungs.append(state.rung)
    climbed = rungs.index("float64")
    assert climbed > 3
    assert set(rungs[:climbed]) == {"float32-gram"}
    assert set(rungs[climbed:]) == {"float64"}
    assert "reached the noise floor" in state.why


def test_small_systems_may_begin_in_float64(plate_system) -> None:
    system, theta = plate_system()
    count = system.num_parameters
    assert Ladder(least_parameters=count).init(system, theta).rung == "float32-gram"
    ladder, plain = Ladder(least_parameters=count + 1), GaussNewton()
    states = [method.step(system, method.init(system, theta)) for method in (ladder, plain)]
    assert states[0].rung == "float64"
    assert torch.equal(states[0].theta, states[1].theta)


def test_a_step_that_float32_cannot_find_is_taken_in_float64(plate_system) -> None:
    """Below the floor of float32 the very same step is that of Gauss-Newton in float64."""
    system, theta = plate_system()
    ladder = Ladder(GaussNewton(initial_damping=1e-9))
    start = ladder.init(system, theta)
    ours = ladder.step(system, start)
    theirs = ladder.optimiser.step(system, replace(start, rung="float64"))
    assert torch.equal(ours.theta, theirs.theta)
    assert ours.rung == "float64"


def test_refusal_by_both_leaves_theta_alone(plate_system) -> None:
    system, theta = plate_system()
    ladder = Ladder(GaussNewton(acceleration_ratio=0.0))
    state = ladder.step(system, ladder.init(system, theta))
    assert not state.accepted
    assert torch.equal(state.theta, theta)
    assert state.why == "no damping lowered the loss with a Gram matrix in float32"


def test_single_precision_parameters_are_refused(plate_system) -> None:
    system, theta = plate_system()
    with pytest.raises(ValueError, match=r"theta must be float64, got torch\.float32"):
        Ladder().init(system.to(dtype=torch.float32), theta.float())


def test_no_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="needs at least one row"):
        gram_of([], 7)
