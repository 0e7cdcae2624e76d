"""Randomised Nystrom approximation of J^T J, and the preconditioner it gives.

Z. Frangella, J. A. Tropp & M. Udell, "Randomized Nystrom preconditioning", SIAM J. Matrix Anal.
Appl. 44 (2023) 718-752, algorithms 2.1 and 5.1 with the preconditioner of section 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.residuals import System


@dataclass(frozen=True)
class Nystrom:
    """``J^T J`` is about ``U diag(eigenvalues) U^T``.

    Attributes:
        basis: U, orthonormal columns, shape (P, rank).
        eigenvalues: Largest first, >= 0, shape (rank,).
    """

    basis: Tensor
    eigenvalues: Tensor

    def inverse(self, vector: Tensor, damping: float) -> Tensor:
        """Return the preconditioner's inverse, times a vector.

        It is ``(smallest + lam) U (diag(eigenvalues) + lam)^-1 U^T + (I - U U^T)``, which turns
        ``J^T J + lam I`` into about ``(smallest + lam) I`` on the span of U.

        Args:
            vector: Shape (P,).
            damping: lam > 0.
        """
        if len(self.eigenvalues) == 0:
            return vector
        inside = self.basis.T @ vector
        factors = (self.eigenvalues[-1] + damping) / (self.eigenvalues + damping)
        return vector + self.basis @ ((factors - 1.0) * inside)


def sketched(
    system: System,
    theta: Tensor,
    *,
    rank: int,
    max_points: int,
    generator: torch.Generator,
    reduction: Reduction = ALONE,
) -> Nystrom:
    """Return the approximation of a system's ``J^T J``; of rank 0 where there is nothing finite.

    ``J^T (J omega)`` is summed over slices of J of ``max_points`` rows, which costs far less than
    ``rank`` pairs of products without J. Memory: about ``(6 rank + max_points) P`` numbers.

    Args:
        system: The system, or this process's shard of it.
        theta: Parameters, shape (P,).
        rank: Number of random directions; more than P counts as P.
        max_points: Most rows of J at once.
        generator: Draws the directions; the same on all processes.
        reduction: Adds up over processes.
    """
    size = system.num_parameters
    directions = torch.randn(
        size, min(rank, size), generator=generator, dtype=theta.dtype, device=generator.device
    )
    omega = torch.linalg.qr(directions.to(theta.device)).Q.contiguous()
    reduction.agreed(omega)
    product = torch.zeros_like(omega)
    for _, jacobian in system.rebatched(max_points).linearised(theta):
        product.addmm_(jacobian.T, jacobian @ omega)
    return nystrom(omega, reduction.sum(product))


def nystrom(omega: Tensor, product: Tensor) -> Nystrom:
    """Return the approximation of a symmetric positive semidefinite A from its action on a subspace.

    Args:
        omega: Orthonormal columns, shape (P, rank).
        product: A omega, shape (P, rank).
    """
    scale = float(product.norm())
    nothing = Nystrom(omega[:, :0], omega.new_zeros(0))
    if not 0.0 < scale < float("inf"):
        return nothing
    # the shift makes the core positive definite in floating-point arithmetic; it is taken off again
    shift = omega.shape[0] ** 0.5 * torch.finfo(omega.dtype).eps * scale
    shifted = product + shift * omega
    core = omega.T @ shifted
    factor, failed = torch.linalg.cholesky_ex(0.5 * (core + core.T))
    if int(failed) != 0:
        return nothing
    root = torch.linalg.solve_triangular(factor, shifted.T, upper=False).T
    basis, values, _ = torch.linalg.svd(root, full_matrices=False)
    return Nystrom(basis.contiguous(), (values.square() - shift).clamp_min(0.0))
