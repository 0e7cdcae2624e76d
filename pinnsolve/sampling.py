"""Residual-adaptive collocation points.

Points where the residual is large are drawn more often (C. Wu et al., "A comprehensive study of non-adaptive and
residual-based adaptive sampling for physics-informed neural networks", CMAME 403 (2023) 115671). Without them a
network can hide a violation of the equations between the points, most easily at a singular corner.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from pinnsolve.blocks import Block, Draw
from pinnsolve.problem import Problem
from pinnsolve.residuals import System, build_system

_CANDIDATES = 4
"""Candidates drawn per adaptive point."""


def choose_adaptively(
    problem: Problem,
    system: System,
    theta: Tensor,
    share: float,
    draw: Draw,
    number: int,
    seed: int,
) -> Block:
    """Return a block at new points, some of them drawn in proportion to the residual.

    Args:
        problem: The declaration.
        system: The present system: network, scaling and weights.
        theta: The present parameters.
        share: Share of the points that follows the residual, in [0, 1).
        draw: Draws the block at uniform points.
        number: How many points.
        seed: Seed of the draw.
    """
    num_adaptive = min(round(share * number), number - 1)  # at least one stays uniform
    uniform = draw(number - num_adaptive, seed)
    if num_adaptive == 0:
        return uniform
    candidates = draw(_CANDIDATES * num_adaptive, seed + 3)
    size = residual_size(problem, system, theta, candidates)
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.multinomial(size, num_adaptive, replacement=False, generator=generator)
    return joined(uniform, candidates.taken(chosen))


def residual_size(problem: Problem, system: System, theta: Tensor, block: Block) -> Tensor:
    """Return the size of the weighted residual at a block's points, never quite zero, shape (N,) on the CPU."""
    probe = build_system(
        (block,),
        problem.field_shapes,
        problem.frame,
        system.network,
        system.scaling,
        problem.unknowns,
        weights=system.weights,
        max_points=max(4096, block.num_points),
    )
    with torch.no_grad():
        rows = torch.stack(list(probe.rows_by_key(theta).values()))
    size = rows.square().sum(dim=0).sqrt().to(dtype=torch.float64, device="cpu")
    size = torch.nan_to_num(size, nan=0.0, posinf=0.0)
    return size + 1e-3 * size.mean() + torch.finfo(torch.float64).tiny


def joined(first: Block, second: Block) -> Block:
    """Return one block at the points of two of the same law."""
    return replace(
        first,
        point_sets=tuple(
            torch.cat(pair) for pair in zip(first.point_sets, second.point_sets, strict=True)
        ),
        normals=torch.cat((first.normals, second.normals)),
    )
