"""The way to readings with heavy tails from far away: reweighted least squares, with noise that narrows to what it is.

Far beyond sigma the rows of a heavy-tailed likelihood are nearly flat, so Gauss-Newton steps overshoot, and a first
guess that is wrong everywhere looks like nothing but outliers. Here every reading is normal, with a weight that falls
with its distance (P. W. Holland & R. E. Welsch, "Robust regression using iteratively reweighted least-squares",
Communications in Statistics A6 (1977) 813-827), counted in a noise as wide as the largest misfit at first: graduated
non-convexity (A. Blake & A. Zisserman, Visual Reconstruction, 1987).
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from pinnsolve.blocks import Block
from pinnsolve.distributed import ALONE, Reduction
from pinnsolve.measurements.likelihood import likelihood_weight
from pinnsolve.optimise.reduced_newton import ReducedNewton, ReducedState
from pinnsolve.residuals import System

_NARROWER = 2.0
"""Factor between the noise of one round and that of the next."""

_LAST_ROUNDS = 3
"""Rounds with the noise as it is."""

_STEPS = 12
"""Most steps of a round."""


def approached(system: System, theta: Tensor, reduction: Reduction = ALONE) -> Tensor:
    """Return parameters near the optimum of readings with heavy tails; as they are if all noise is normal.

    Args:
        system: The least-squares system, or this process's shard of it; tabulated for speed.
        theta: Where to begin, search variables of unknowns last, shape (P,).
        reduction: Adds up over processes.
    """
    if all(block.likelihood == "normal" for block in system.blocks):
        return theta
    plain = replace(system, blocks=tuple(replace(b, likelihood="normal") for b in system.blocks))
    state = _settled(plain, theta, reduction)
    widest = math.sqrt(2.0 * state.misfit)  # no reading is farther off
    rounds = max(math.ceil(math.log(max(widest, 1.0), _NARROWER)), 0)
    for width in [_NARROWER**k for k in range(rounds - 1, 0, -1)] + [1.0] * _LAST_ROUNDS:
        state = _settled(_reweighted(system, plain, state.theta, width), state.theta, reduction)
    return state.theta


def _settled(system: System, theta: Tensor, reduction: Reduction) -> ReducedState:
    optimiser = ReducedNewton()
    state = optimiser.init(system, theta, reduction)
    for _ in range(_STEPS):
        state = optimiser.step(system, state, reduction)
        if state.converged:
            break
    return state


def _reweighted(system: System, plain: System, theta: Tensor, width: float) -> System:
    """Return the system with normal noise, larger the farther a reading is off, in ``width`` times its noise."""
    with torch.no_grad():
        rows = plain.rows_by_key(theta)
    squares: dict[str, list[Tensor]] = {}
    for key, row in rows.items():
        squares.setdefault(key.block, []).append(
            (row / plain.weights.get(key, 1.0)).detach().square()
        )
    blocks = tuple(
        _with_weight(block, plainly, squares.get(block.name, []), width)
        for block, plainly in zip(system.blocks, plain.blocks, strict=True)
    )
    return replace(system, blocks=blocks)


def _with_weight(block: Block, plain: Block, squares: list[Tensor], width: float) -> Block:
    if block.likelihood == "normal" or block.noise is None or not squares:
        return plain
    # quantities that share their noise share a weight
    ratio = torch.stack(squares).mean(dim=0).sqrt() / width
    weight = likelihood_weight(block.likelihood, ratio)
    return replace(plain, noise=block.noise / weight.to(block.noise).sqrt())
