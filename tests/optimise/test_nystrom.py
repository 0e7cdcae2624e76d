"""The randomised approximation and its preconditioner against dense matrices."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pinnsolve.optimise.nystrom import Nystrom, nystrom, sketched


def matrix(decay: float, size: int = 30, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64)).Q
    values = decay ** torch.arange(size, dtype=torch.float64)
    return basis @ torch.diag(values) @ basis.T


def subspace(size: int, rank: int) -> Tensor:
    return torch.linalg.qr(torch.randn(size, rank, dtype=torch.float64)).Q


def dense(approximation: Nystrom) -> Tensor:
    return approximation.basis @ torch.diag(approximation.eigenvalues) @ approximation.basis.T


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_matrix_of_low_rank_is_found_exactly(seed) -> None:
    factor = torch.randn(40, 6, dtype=torch.float64)
    A = factor @ factor.T
    omega = subspace(40, 10)
    found = nystrom(omega, A @ omega)
    torch.testing.assert_close(dense(found), A, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(found.basis.T @ found.basis, torch.eye(10, dtype=torch.float64))


@pytest.mark.parametrize("rank", [5, 10, 20])
def test_it_lies_below_the_matrix_and_close_to_it(rank) -> None:
    A = matrix(0.5)
    omega = subspace(30, rank)
    found = nystrom(omega, A @ omega)
    error = torch.linalg.eigvalsh(A - dense(found))
    assert float(error.min()) > -1e-12
    assert float(error.max()) < 20.0 * 0.5 ** (rank - 2)
    assert (found.eigenvalues.diff() <= 0.0).all()


def test_the_preconditioned_matrix_is_well_conditioned() -> None:
    """Frangella, Tropp & Udell, proposition 5.3: the condition number is at most
    (smallest + lam + |A - A_nys|) / lam."""
    A, lam = matrix(0.3), 1e-5
    omega = subspace(30, 15)
    found = nystrom(omega, A @ omega)
    eye = torch.eye(30, dtype=torch.float64)
    inverse = torch.stack([found.inverse(column, lam) for column in eye.unbind()])
    torch.testing.assert_close(inverse, inverse.T)
    assert float(torch.linalg.eigvalsh(inverse).min()) > 0.0
    values = torch.linalg.eigvals(inverse @ (A + lam * eye)).real
    error = float(torch.linalg.eigvalsh(A - dense(found)).max())
    bound = (float(found.eigenvalues[-1]) + lam + error) / lam
    assert float(values.max() / values.min()) <= bound * (1.0 + 1e-6)
    assert bound < 1.5


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_nothing_to_approximate_means_no_preconditioner(value) -> None:
    omega = subspace(8, 3)
    found = nystrom(omega, torch.full_like(omega, value))
    assert len(found.eigenvalues) == 0
    v = torch.randn(8, dtype=torch.float64)
    assert torch.equal(found.inverse(v, 0.1), v)


@pytest.mark.parametrize("max_points", [7, 1000])
def test_a_systems_sketch_is_that_of_its_gram_matrix(wall_system, max_points) -> None:
    system, theta = wall_system(hidden=(4,), unknown=True)
    jacobian = torch.cat([chunk for _, chunk in system.linearised(theta)])
    size = system.num_parameters
    found = sketched(
        system,
        theta,
        rank=10 * size,
        max_points=max_points,
        generator=torch.Generator().manual_seed(3),
    )
    assert found.basis.shape == (size, size)
    torch.testing.assert_close(dense(found), jacobian.T @ jacobian, rtol=1e-8, atol=1e-10)


def test_the_generator_decides(wall_system) -> None:
    system, theta = wall_system(hidden=(6,))
    first, again, other = (
        sketched(system, theta, rank=5, max_points=64, generator=torch.Generator().manual_seed(s))
        for s in (1, 1, 2)
    )
    assert torch.equal(first.basis, again.basis)
    assert not torch.equal(first.basis, other.basis)
