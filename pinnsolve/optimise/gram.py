"""The normal equations J^T J and J^T r, accumulated chunk by chunk so that J is never stored."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def normal_equations(
    chunks: Iterable[tuple[Tensor, Tensor]], num_parameters: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return ``(J^T J, J^T r, r)`` from row chunks.

    On the CPU the symmetric rank-k product of BLAS does half the work of a general product; only
    the lower triangle of the result is then meaningful, which is all that a Cholesky factorisation
    reads.

    Args:
        chunks: Pairs of rows (N,) and Jacobian (N, P).
        num_parameters: P.
    """
    gram: Tensor | None = None
    gradient: Tensor | None = None
    all_rows: list[Tensor] = []
    for rows, jacobian in chunks:
        if gram is None or gradient is None:
            gram = jacobian.new_zeros(num_parameters, num_parameters)
            gradient = jacobian.new_zeros(num_parameters)
        gradient += jacobian.T @ rows
        all_rows.append(rows)
        _add_gram(gram, jacobian)
    if gram is None or gradient is None:
        raise ValueError("a least-squares system needs at least one row")
    return gram, gradient, torch.cat(all_rows)


def gram_of(jacobians: Iterable[Tensor], num_parameters: int) -> Tensor:
    """Return ``J^T J`` from chunks of J, of which the lower triangle is meaningful.

    Args:
        jacobians: Chunks of shape (N, P).
        num_parameters: P.
    """
    gram: Tensor | None = None
    for jacobian in jacobians:
        if gram is None:
            gram = jacobian.new_zeros(num_parameters, num_parameters)
        _add_gram(gram, jacobian)
    if gram is None:
        raise ValueError("a least-squares system needs at least one row")
    return gram


def _add_gram(gram: Tensor, jacobian: Tensor) -> None:
    """Add ``J^T J`` to the lower triangle of ``gram`` in place (to all of it off the CPU)."""
    if gram.device.type != "cpu" or gram.dtype not in (torch.float32, torch.float64):
        gram += jacobian.T @ jacobian
        return
    from scipy.linalg import blas

    rank_k = blas.dsyrk if gram.dtype == torch.float64 else blas.ssyrk
    # Fortran order sees the transposes: upper there is lower here, and J^T is the given matrix.
    rank_k(1.0, jacobian.numpy().T, beta=1.0, c=gram.numpy().T, trans=0, lower=0, overwrite_c=1)
