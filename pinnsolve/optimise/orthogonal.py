"""Least squares by orthogonal triangularisation, for systems too ill-conditioned for normal equations.

J^T J squares the condition number: with features that are nearly dependent, half of the digits are lost. Householder's
QR of J keeps them. Rows are taken chunk by chunk, so memory is bounded by the triangle and one chunk. Processes that
share the rows make a triangle each and merge them (J. Demmel, L. Grigori, M. Hoemmen & J. Langou,
"Communication-optimal parallel and sequential QR and LU factorizations", 2012, arXiv:0808.2664).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.distributed import ALONE, Reduction

Array = npt.NDArray[np.float64]
Chunks = Callable[[], Iterable[tuple[Tensor, Tensor]]]
"""Called once per pass; yields rows (N,) and their Jacobian (N, P)."""


@dataclass(frozen=True)
class Triangle:
    """``min |J d + r|^2`` as ``min |R d + q|^2``, with columns scaled to norm one.

    Attributes:
        factor: Upper triangle R, shape (P, P).
        right: q, shape (P,).
        column_norms: What the columns of J were divided by, shape (P,).
        least_loss: Half the sum of squares at the minimiser.
    """

    factor: Array
    right: Array
    column_norms: Array
    least_loss: float

    def step(self, damping: float = 0.0) -> Array:
        """Return the minimiser d of ``|J d + r|^2 + damping^2 |column_norms d|^2``, shape (P,).

        Args:
            damping: Levenberg-Marquardt damping relative to the columns' norms; 0 solves with the triangle itself.
        """
        from scipy.linalg import solve_triangular

        factor, right = self.factor, self.right
        if damping > 0.0:
            size = len(right)
            stacked = np.zeros((2 * size, size + 1), order="F")
            stacked[:size, :size], stacked[:size, size] = factor, right
            stacked[size:, :size][np.diag_indices(size)] = damping
            upper = upper_triangle(stacked)
            factor, right = upper[:size, :size], upper[:size, size]
        scaled = solve_triangular(factor, -right, check_finite=False)
        return np.asarray(scaled / self.column_norms)


def triangularise(
    chunks: Chunks,
    num_parameters: int,
    num_rows: int,
    *,
    damping: float = 1e-14,
    max_rows: int = 8192,
    reduction: Reduction = ALONE,
) -> Triangle:
    """Return the triangle of a least-squares system given by row chunks.

    Costs ``2 M P^2`` operations and ``8 (P + max_rows) P`` bytes; n processes with M / n rows each, at most P^3 for
    each of them to merge their triangles.

    Args:
        chunks: Yields this process's rows and Jacobian; called twice.
        num_parameters: P.
        num_rows: M of this process.
        damping: Tikhonov term relative to the columns' norms, near the arithmetic's precision.
        max_rows: Rows gathered before they are merged into the triangle.
        reduction: Joins the rows of all processes; all get the same triangle.
    """
    if reduction.size > 1:
        return _shared(chunks, num_parameters, num_rows, damping, max_rows, reduction)
    if num_rows <= max(max_rows, num_parameters):
        return _at_once(chunks, num_parameters, num_rows, damping)
    norms = _nonzero(np.sqrt(_column_squares(chunks, num_parameters)))
    start = np.zeros((num_parameters, num_parameters + 1))
    np.fill_diagonal(start, damping)
    return _triangle(_streamed(chunks, norms, start, max_rows), norms)


def least_squares(
    chunks: Iterable[tuple[Tensor, Tensor]], num_parameters: int, *, damping: float = 1e-14
) -> Array:
    """Return the minimisers X of ``|A X - B|^2``, shape (P, K), from one triangle, chunk after chunk.

    Args:
        chunks: Yields rows of A, shape (N, P), and of B, shape (N, K).
        num_parameters: P.
        damping: Tikhonov term relative to the largest column of the first chunk, near the arithmetic's precision.
    """
    from scipy.linalg import solve_triangular

    upper: Array | None = None
    for rows, wanted in chunks:
        joined = np.hstack((rows.cpu().numpy(), wanted.cpu().numpy()))
        if upper is None:
            upper = np.zeros((num_parameters, joined.shape[1]))
            np.fill_diagonal(upper, damping * float(np.linalg.norm(joined, axis=0).max()))
        upper = upper_triangle(np.asfortranarray(np.vstack((upper, joined))))
    if upper is None:
        raise ValueError("there are no rows to fit")
    factor, right = upper[:num_parameters, :num_parameters], upper[:num_parameters, num_parameters:]
    return np.asarray(solve_triangular(factor, right, check_finite=False))


def _shared(
    chunks: Chunks,
    num_parameters: int,
    num_rows: int,
    damping: float,
    max_rows: int,
    reduction: Reduction,
) -> Triangle:
    """Return the triangle of the rows of all processes, merged from one triangle of each."""
    width = num_parameters + 1
    square = np.zeros((width, width))
    own = _streamed(chunks, np.ones(num_parameters), square[:0], min(max_rows, num_rows))
    square[: len(own)] = own
    # a triangle has the column norms of its rows, and scaling columns commutes with triangularising
    squares = torch.from_numpy(np.square(square[:, :-1]).sum(axis=0))
    norms = _nonzero(np.sqrt(reduction.sum(squares).numpy()))
    square[:, :-1] /= norms
    triangles = reduction.gathered(torch.from_numpy(square))
    term = np.diag([damping] * num_parameters + [0.0])
    return _triangle(reduce(_merged, [t.numpy() for t in triangles], term), norms)


def _streamed(chunks: Chunks, norms: Array, start: Array, max_rows: int) -> Array:
    """Return the upper triangle of ``start`` (K, P + 1) on top of all rows, their columns divided by the norms."""
    width = len(norms) + 1
    capacity = width + max(max_rows, width)  # room below a triangle with its right side
    stacked = np.zeros((capacity, width), order="F")
    filled = len(start)
    stacked[:filled] = start
    for rows, jacobian in chunks():
        done = 0
        while done < len(rows):
            take = min(len(rows) - done, capacity - filled)
            block = stacked[filled : filled + take]
            block[:, :-1] = jacobian[done : done + take].cpu().numpy()
            block[:, :-1] /= norms
            block[:, -1] = rows[done : done + take].cpu().numpy()
            filled, done = filled + take, done + take
            if filled == capacity:
                stacked[:width] = upper_triangle(stacked)
                filled = width
    return upper_triangle(stacked[:filled])


def _merged(upper: Array, other: Array) -> Array:
    """Return the upper triangle of two upper triangles (P, P), one on top of the other."""
    from scipy.linalg import lapack

    size = len(upper)
    found, _, _, info = lapack.dtpqrt(size, min(32, size), upper, other)
    if info != 0:
        raise ArithmeticError(f"LAPACK dtpqrt failed with info = {info}")
    return np.triu(found)


def _at_once(chunks: Chunks, num_parameters: int, num_rows: int, damping: float) -> Triangle:
    """Return the triangle of a system that fits into memory, in one pass and one factorisation."""
    stacked = np.zeros((num_rows + num_parameters, num_parameters + 1), order="F")
    filled = 0
    for rows, jacobian in chunks():
        stacked[filled : filled + len(rows), :-1] = jacobian.cpu().numpy()
        stacked[filled : filled + len(rows), -1] = rows.cpu().numpy()
        filled += len(rows)
    norms = _nonzero(np.sqrt(np.einsum("ij,ij->j", stacked[:, :-1], stacked[:, :-1])))
    stacked[:filled, :-1] /= norms
    stacked[filled + np.arange(num_parameters), np.arange(num_parameters)] = damping
    return _triangle(upper_triangle(stacked), norms)


def _column_squares(chunks: Chunks, num_parameters: int) -> Array:
    """Return the squared norms of the columns of J, shape (P,)."""
    squares = np.zeros(num_parameters)
    for _, jacobian in chunks():
        squares += jacobian.square().sum(dim=0).cpu().numpy()
    return squares


def _nonzero(norms: Array) -> Array:
    """Return the norms, with 1 for columns that are zero."""
    return np.where(norms > 0.0, norms, 1.0)


def _triangle(upper: Array, norms: Array) -> Triangle:
    size = len(norms)
    return Triangle(
        upper[:size, :size], upper[:size, size], norms, 0.5 * float(upper[size, size] ** 2)
    )


def upper_triangle(stacked: Array) -> Array:
    """Return the upper triangle (min(M, P), P) of a QR factorisation.

    Args:
        stacked: Rows, shape (M, P); overwritten if they are in Fortran's order.
    """
    from scipy.linalg import lapack

    work, _ = lapack.dgeqrf_lwork(*stacked.shape)
    packed, _, _, info = lapack.dgeqrf(stacked, lwork=int(work), overwrite_a=1)
    if info != 0:
        raise ArithmeticError(f"LAPACK dgeqrf failed with info = {info}")
    size = min(stacked.shape)
    return np.triu(packed[:size])
