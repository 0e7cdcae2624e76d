"""Residual-adaptive collocation points.

Points where the residual is large are drawn more often (C. Wu et al., "A comprehensive study of non-adaptive and
residual-based adaptive sampling for physics-informed neural networks", CMAME 403 (2023) 115671). Without them a
network can hide a violation of the equations between the points, most easily at a singular corner.

Where one network is trained on draw after draw, the points come with their density, which divides the squares of
their rows (:func:`choose_by_importance`). Every draw then estimates the same integral, and best where the density
follows the residual (A. B. Owen, "Monte Carlo theory, methods and examples", 2013, ch. 9); without it each draw is
another least-squares problem, and the last digits jump from one solution to another.
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

_MANY_CANDIDATES = 16
"""The same for points with their density, which can be so much denser than uniform ones: in a thin layer that is a
thousandth of the region, 1,000 points have 16 candidates, and a network of 1,000 parameters fits as many by heart."""


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
    uniform, candidates, num_adaptive = _drawn(draw, number, seed, share, _CANDIDATES)
    if candidates is None:
        return uniform
    size = residual_size(problem, system, theta, candidates)
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.multinomial(size, num_adaptive, replacement=False, generator=generator)
    return joined(uniform, candidates.taken(chosen))


def choose_by_importance(
    problem: Problem,
    system: System,
    theta: Tensor,
    share: float,
    draw: Draw,
    number: int,
    seed: int,
) -> Block:
    """Return a block at new points with their density, some of them drawn in proportion to the residual.

    Args:
        problem: The declaration.
        system: The present system: network, scaling and weights.
        theta: The present parameters.
        share: Share of the points that follows the residual, in [0, 1).
        draw: Draws the block at uniform points.
        number: How many points.
        seed: Seed of the draw.
    """
    uniform, candidates, num_adaptive = _drawn(draw, number, seed, share, _MANY_CANDIDATES)
    if candidates is None:
        return uniform
    # neighbours in space are neighbours in the list, of which equal steps then take one here, one there
    candidates = candidates.taken(along_curve(candidates.point_sets[0]))
    both = joined(uniform, candidates)
    size = residual_size(problem, system, theta, both)
    known = uniform.num_points
    factor = inclusion_factor(size[known:], num_adaptive)
    probability = (factor * size).clamp_max(1.0)
    generator = torch.Generator().manual_seed(seed)
    chosen = known + systematic_sample(probability[known:], generator)
    taken = torch.cat((torch.arange(known, device="cpu"), chosen))
    density = (known + candidates.num_points * probability[taken]) / len(taken)
    return replace(both.taken(taken), density=density)


def _drawn(
    draw: Draw, number: int, seed: int, share: float, each: int
) -> tuple[Block, Block | None, int]:
    """Return uniform points, candidates for the adaptive ones (``each`` for one), and how many of these to choose."""
    num_adaptive = min(round(share * number), number - 1)  # at least one stays uniform
    uniform = draw(number - num_adaptive, seed)
    candidates = draw(each * num_adaptive, seed + 3) if num_adaptive else None
    return uniform, candidates, num_adaptive


def inclusion_factor(size: Tensor, number: int) -> float:
    """Return the factor a with which ``min(1, a size)`` add up to ``number``.

    Args:
        size: Positive, shape (N,).
        number: Less than N.
    """
    falling = size.sort(descending=True).values
    rest = falling.flip(0).cumsum(0).flip(0)  # of the k-th and all smaller ones
    left = number - torch.arange(number, dtype=size.dtype, device=size.device)
    factors = left / rest[:number]  # if the first k are certain
    certain = (factors * falling[:number] >= 1.0).sum()
    return float(factors[min(int(certain), number - 1)])


def systematic_sample(probability: Tensor, generator: torch.Generator) -> Tensor:
    """Return positions, each of which is in the sample with its own probability.

    W. G. Madow, "On the theory of systematic sampling, II", Annals of Mathematical Statistics 20 (1949) 333-354: one
    random number, then equal steps through the cumulated probabilities. How many are taken is their sum, rounded.

    Args:
        probability: Shape (N,), in [0, 1], on the CPU.
        generator: Of the one random number.
    """
    begin = torch.rand((), generator=generator, dtype=probability.dtype, device="cpu")
    passed = torch.floor(probability.cumsum(0) + begin)
    before = torch.cat((passed.new_zeros(1), passed[:-1]))
    return torch.nonzero(passed > before)[:, 0]


def along_curve(points: Tensor) -> Tensor:
    """Return the order of points along a curve that fills space, shape (N,).

    It is the Z-order of G. M. Morton (1966): the digits of the binary coordinates, in turns, make one number.

    Args:
        points: Shape (N, D).
    """
    low, high = points.amin(dim=0), points.amax(dim=0)
    axes = points.shape[1]
    digits = min(16, 62 // axes)
    width = (high - low).clamp_min(torch.finfo(points.dtype).tiny)  # points of one time have none
    cells = ((points - low) / width * (2**digits - 1)).to(torch.int64)
    place = torch.zeros_like(cells[:, 0])
    for digit in range(digits):
        for axis in range(axes):
            place |= ((cells[:, axis] >> digit) & 1) << (digit * axes + axis)
    return place.argsort(stable=True)


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
        max_points=4096,
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
