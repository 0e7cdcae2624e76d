"""How far parameters of a classifier should move for new rows, on which the logits depend linearly.

The penalised likelihood ``-sum log p + w/2 |d|^2`` is minimised by Newton for one width w of the prior after the other,
from strong to weak; the width is the one with the smallest loss on rows that are left out, which one more linear solve
approximates (K. Rad & A. Maleki, J. R. Stat. Soc. B 82 (2020) 965-996).
"""

from __future__ import annotations

import torch
from torch import Tensor


def likeliest_move(jacobian: Tensor, logits: Tensor, wanted: Tensor) -> Tensor:
    """Return the move d of the parameters, shape (K,).

    Args:
        jacobian: Of the logits, shape (C, N, K).
        logits: Where the parameters are, shape (N, C).
        wanted: 1 for the class of each row, shape (N, C).
    """
    classes, count, columns = jacobian.shape
    stacked = jacobian.transpose(0, 1).reshape(count * classes, columns)
    u, s, vt = torch.linalg.svd(stacked, full_matrices=False)
    rows = (u * s).reshape(count, classes, len(s))
    best = move = torch.zeros_like(s)
    least = _loss(logits, wanted)
    worse = 0
    for exponent in _EXPONENTS:
        width = (10.0**exponent) * float(s[0]) ** 2
        move, shift = minimiser(rows, logits, wanted, width, move)
        loss = _loss(logits + rows @ move + shift, wanted)
        if loss < least:
            best, least, worse = move, loss, 0
        else:
            worse += 1
        if worse == _GIVEN_UP:
            break
    found: Tensor = vt.T @ best
    return found


def minimiser(
    rows: Tensor, logits: Tensor, wanted: Tensor, width: float, move: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the minimiser for one width, and how each row's own logits (N, C) change when it is left out.

    Args:
        rows: The Jacobian by row, shape (N, C, K).
        logits: Where no parameter has moved, shape (N, C).
        wanted: 1 for the class of each row, shape (N, C).
        width: w.
        move: Where to begin, shape (K,).
    """
    identity = torch.eye(len(move)).to(move)
    for _ in range(_NEWTON_STEPS):
        missing, factor = _slopes(rows, logits + rows @ move, wanted, width * identity)
        slope = torch.einsum("nck,nc->k", rows, missing) + width * move
        step = torch.cholesky_solve(slope[:, None], factor)[:, 0]
        move = _shorter(rows, logits, wanted, width, move, step)
        if float(step.norm()) <= _SETTLED * (1.0 + float(move.norm())):
            break
    missing, factor = _slopes(rows, logits + rows @ move, wanted, width * identity)
    solved = torch.cholesky_solve(rows.flatten(0, 1).T, factor).T.reshape(rows.shape)
    leverage = torch.einsum("nck,nek->nce", rows, solved)
    curvature = _curvature(logits + rows @ move)
    unit = torch.eye(rows.shape[1]).to(move)
    left = torch.linalg.solve(unit - curvature @ leverage, missing[:, :, None])
    return move, (leverage @ left)[:, :, 0]


def _slopes(rows: Tensor, logits: Tensor, wanted: Tensor, prior: Tensor) -> tuple[Tensor, Tensor]:
    """Return the loss' gradient by the logits (N, C), and the Cholesky factor of its Hessian by the move."""
    curvature = _curvature(logits)
    hessian = torch.einsum("nck,nce,nel->kl", rows, curvature, rows) + prior
    return torch.softmax(logits, dim=1) - wanted, torch.linalg.cholesky(hessian)


def _curvature(logits: Tensor) -> Tensor:
    """Return ``diag(p) - p p^T``, shape (N, C, C)."""
    p = torch.softmax(logits, dim=1)
    return torch.diag_embed(p) - p[:, :, None] * p[:, None, :]


def _shorter(
    rows: Tensor, logits: Tensor, wanted: Tensor, width: float, move: Tensor, step: Tensor
) -> Tensor:
    """Return the move after a Newton step, halved until the penalised loss falls."""

    def penalised(at: Tensor) -> float:
        return _loss(logits + rows @ at, wanted) + 0.5 * width * float(at @ at)

    now = penalised(move)
    for halvings in range(_HALVINGS):
        after = move - 0.5**halvings * step
        if penalised(after) < now:
            return after
    return move


def _loss(logits: Tensor, wanted: Tensor) -> float:
    """Return ``-sum log p`` of the classes."""
    return -float((wanted * torch.log_softmax(logits, dim=1)).sum())


_EXPONENTS = range(3, -11, -1)
"""Decades of the prior's weight, relative to the largest squared singular value, from strong to weak."""

_GIVEN_UP = 2
"""Decades in a row without gain after which weaker priors are not tried."""

_NEWTON_STEPS = 12
"""Most Newton steps for one width."""

_SETTLED = 1e-8
"""Relative length of a step that ends them."""

_HALVINGS = 12
"""Most halvings of a step."""
