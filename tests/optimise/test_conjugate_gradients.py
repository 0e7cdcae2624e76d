"""Damped least squares by conjugate gradients against dense solutions."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from pinnsolve.optimise.conjugate_gradients import Solved, damped_least_squares
from pinnsolve.optimise.dual import damped_step, dual_solver


def solved(J: Tensor, w: Tensor, damping: float, **options) -> Solved:
    settings = {"precondition": lambda g: g, "tolerance": 1e-13, "max_iterations": 200} | options
    return damped_least_squares(lambda v: J @ v, lambda u: J.T @ u, w, damping, **settings)


def direct(J: Tensor, w: Tensor, damping: float) -> Tensor:
    eye = torch.eye(J.shape[1], dtype=J.dtype)
    return torch.linalg.solve(J.T @ J + damping * eye, J.T @ w)


@pytest.mark.parametrize("shape", [(30, 12), (12, 30)])
@pytest.mark.parametrize("damping", [1e-3, 1.0])
def test_the_solution_is_that_of_the_normal_equations(shape, damping) -> None:
    J, w = torch.randn(*shape, dtype=torch.float64), torch.randn(shape[0], dtype=torch.float64)
    found = solved(J, w, damping)
    torch.testing.assert_close(found.x, direct(J, w, damping), rtol=1e-9, atol=1e-10)
    assert found.relative_residual <= 1e-13


def test_as_many_iterations_as_distinct_eigenvalues() -> None:
    """Conjugate gradients on a matrix with three distinct eigenvalues take three iterations."""
    J = torch.diag(torch.tensor([1.0, 1.0, 2.0, 2.0, 3.0, 3.0], dtype=torch.float64))
    found = solved(J, torch.randn(6, dtype=torch.float64), 0.1, tolerance=1e-10)
    assert found.num_iterations == 3


def test_the_inverse_as_preconditioner_takes_one_iteration() -> None:
    J, w = torch.randn(20, 8, dtype=torch.float64), torch.randn(20, dtype=torch.float64)
    inverse = torch.linalg.inv(J.T @ J + 0.1 * torch.eye(8, dtype=torch.float64))
    found = solved(J, w, 0.1, precondition=lambda g: inverse @ g, tolerance=1e-10)
    assert found.num_iterations == 1
    torch.testing.assert_close(found.x, direct(J, w, 0.1))


@pytest.mark.parametrize("num", [1, 2, 5])
def test_every_iterate_lowers_the_damped_least_squares(num) -> None:
    J, w = torch.randn(20, 8, dtype=torch.float64), torch.randn(20, dtype=torch.float64)

    def objective(x: Tensor) -> float:
        return float((J @ x - w).square().sum() + 0.1 * x.square().sum())

    before, after = (solved(J, w, 0.1, max_iterations=n).x for n in (num - 1, num))
    assert objective(after) < objective(before)


def test_nothing_to_solve() -> None:
    J = torch.randn(5, 3, dtype=torch.float64)
    found = solved(J, torch.zeros(5, dtype=torch.float64), 0.1)
    assert found.num_iterations == 0
    assert torch.equal(found.x, torch.zeros(3, dtype=torch.float64))


def test_rows_that_are_not_finite_give_a_step_that_is_not() -> None:
    J = torch.randn(5, 3, dtype=torch.float64)
    assert solved(J, torch.full((5,), math.nan, dtype=torch.float64), 0.1).x.isnan().all()


@pytest.mark.parametrize("shape", [(30, 12), (12, 30), (9, 9)])
@pytest.mark.parametrize("damping", [1e-4, 1.0])
def test_dual_and_primal_steps_are_the_same(shape, damping) -> None:
    J, r = torch.randn(*shape, dtype=torch.float64), torch.randn(shape[0], dtype=torch.float64)
    torch.testing.assert_close(
        damped_step(J, r, damping), -direct(J, r, damping), rtol=1e-9, atol=1e-9
    )


def test_a_dual_matrix_that_cannot_be_factorised_gives_a_step_that_is_not_finite() -> None:
    J = torch.tensor([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]], dtype=torch.float64)
    assert dual_solver(J)(-1.0)(torch.ones(2, dtype=torch.float64)).isnan().all()
