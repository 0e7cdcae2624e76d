"""Points closer and closer to singular corners.

Functions of a corner that are nearly alike can add up to steep ones that only show very near to it, a leak of a flow
say. Points that are uniform over the region see none of it; these are uniform in the logarithm of the distance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from pinnsolve.architecture import Corner
from pinnsolve.blocks import Block, condition_block, interior_block
from pinnsolve.collocation import tensor
from pinnsolve.problem import Problem
from pinnsolve.sampling import joined


def with_corner_points(
    problem: Problem, blocks: Sequence[Block], corners: Sequence[Corner], number: int, *, seed: int
) -> tuple[Block, ...]:
    """Return blocks with more points near corners.

    Args:
        problem: The declaration, a steady one in the plane.
        blocks: Its blocks.
        corners: The corners.
        number: Points inside, for each corner; on each of its sides there are a third of them.
        seed: Seed of the draw.
    """
    by_name = {block.name: block for block in blocks}
    for near in corner_blocks(problem, corners, number, seed=seed):
        by_name[near.name] = joined(by_name[near.name], near)
    return tuple(by_name[block.name] for block in blocks)


def corner_blocks(
    problem: Problem, corners: Sequence[Corner], number: int, *, seed: int
) -> Iterator[Block]:
    """Yield the equations and the conditions near corners of a steady plane problem.

    Args:
        problem: The declaration.
        corners: The corners.
        number: Points inside, for each corner; on each of its sides there are a third of them.
        seed: Seed of the draw.
    """
    generator = np.random.default_rng(seed)
    reach = _REACH * problem.domain.size
    for corner in corners:
        distances = reach * 10.0 ** (-_DECADES * generator.random(number))
        angles = corner.start + corner.angle * generator.random(number)
        towards = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        points = corner.place + distances[:, None] * towards
        points = points[problem.domain.contains(points)]
        if len(points):
            place = interior_block(problem, 1, seed)
            located = tensor(points)
            yield replace(place, point_sets=(located,), normals=located.new_zeros(len(points), 2))
        for curve, from_start in ((corner.after_curve, True), (corner.before_curve, False)):
            length = float(np.hypot(*curve.velocity(np.array([0.5]))[0]))
            share = min(1.0, reach / length)
            t = share * 10.0 ** (-_DECADES * generator.random(math.ceil(number / 3)))
            t = t if from_start else 1.0 - t
            for condition in problem.conditions:
                if condition.part == curve.part:
                    at, normals = tensor(curve.at(t)), tensor(curve.normals(t))
                    yield condition_block(problem, condition, at, normals)


_REACH = 0.2
"""Largest distance from the corner, as a share of the region's size."""

_DECADES = 5.0
"""Powers of ten over which distances spread."""
