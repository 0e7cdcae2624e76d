"""Blocks at drawn points: field equations inside, conditions on their parts, interfaces and the start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from pinnsolve.blocks.block import Block, Site, scalar_equations
from pinnsolve.blocks.placed import data_blocks, gauge_block, prior_blocks
from pinnsolve.collocation import in_full, no_normals, tensor
from pinnsolve.conditions import Condition, Initial, Interface, Periodic
from pinnsolve.geometry.partition import sample_around
from pinnsolve.jets import Jet
from pinnsolve.problem import Problem
from pinnsolve.unknowns import bind


@dataclass(frozen=True)
class PointCounts:
    """How many collocation points to draw.

    Attributes:
        interior: Points inside.
        boundary: Points over the whole boundary, shared out by measure.
        initial: Points at the start, if unsteady.
    """

    interior: int
    boundary: int
    initial: int = 0

    def __post_init__(self) -> None:
        """Refuse counts that leave an equation without points."""
        if self.interior < 1 or self.boundary < 1 or self.initial < 0:
            raise ValueError(f"point counts must be >= 1, got {self}")


Draw = Callable[[int, int], Block]
"""``draw(number, seed)``: a block at that many new points."""

Choose = Callable[[Draw, int, int], Block]
"""``choose(draw, number, seed)``: a block at chosen points, made from one or more draws."""


def draw_uniformly(draw: Draw, number: int, seed: int) -> Block:
    """Return one draw: points uniform by measure."""
    return draw(number, seed)


def make_blocks(
    problem: Problem, counts: PointCounts, *, seed: int, choose: Choose = draw_uniformly
) -> tuple[Block, ...]:
    """Draw collocation points and return the problem's blocks.

    Args:
        problem: The declaration.
        counts: How many points.
        seed: Seed of the quasi-random points; the same seed gives the same points.
        choose: How points are chosen; uniformly by default.
    """
    inside = partial(interior_block, problem, around=_AROUND_INTERFACES)
    blocks = [choose(inside, counts.interior, seed)]
    total = sum(problem.domain.part_measure(part) for part in problem.domain.parts)
    for i, condition in enumerate(problem.conditions):
        if isinstance(condition, Initial):
            draw: Draw = partial(initial_block, problem, condition)
            number = max(counts.initial, 1)
        elif isinstance(condition, Interface):
            draw = partial(interface_block, problem, condition)
            share = condition.measure(problem.domain) / total
            number = max(round(counts.boundary * share), _LEAST_ON_INTERFACES)
        else:
            draw = partial(boundary_block, problem, condition)
            share = problem.domain.part_measure(condition.part) / total
            floor = 1 if problem.frame.num_axes == 1 else 16
            number = max(round(counts.boundary * share), floor)
        blocks.append(choose(draw, number, seed + 101 * (i + 1)))
    blocks += data_blocks(problem)
    if problem.floating_fields:
        blocks.append(gauge_block(problem))
    return (*blocks, *prior_blocks(problem))


def interior_block(problem: Problem, number: int, seed: int, *, around: float = 0.0) -> Block:
    """Return the field equations at ``number`` points inside.

    Args:
        problem: The declaration.
        number: How many points.
        seed: Seed of the draw.
        around: Share of the points that is drawn around interfaces, if there are any; the rest is uniform.
    """
    each = int(around * number / max(len(problem.materials), 1))
    near = [
        sample_around(shape, problem.domain, each, seed=seed + 7 * (i + 1))
        for i, shape in enumerate(problem.materials if each else ())
    ]
    uniform = problem.domain.sample_interior(number - sum(map(len, near)), seed=seed)
    points = in_full(problem, np.concatenate((uniform, *near)), seed=seed + 1)

    def law(site: Site, values: Mapping[str, object]) -> dict[str, Jet]:
        return scalar_equations(bind(problem.physics, values).residual(site.fields[0], site.x[0]))

    return Block("interior", "interior", (points,), law, no_normals(problem, points))


def boundary_block(problem: Problem, condition: Condition, number: int, seed: int) -> Block:
    """Return one condition at ``number`` points of its part."""
    sample = problem.domain.sample_part(condition.part, number, seed=seed)
    points = in_full(problem, sample.points, seed=seed + 1)
    normals = tensor(sample.normals)
    if isinstance(condition, Periodic):
        return _periodic_block(problem, condition, points, normals)
    return condition_block(problem, condition, points, normals)


def condition_block(
    problem: Problem, condition: Condition, points: Tensor, normals: Tensor
) -> Block:
    """Return one condition at given points.

    Args:
        problem: The declaration.
        condition: Any condition but a periodic one.
        points: Shape (N, D), time and parameters included.
        normals: Outward unit normals, shape (N, space dimension).
    """

    def law(site: Site, values: Mapping[str, object]) -> dict[str, Jet]:
        physics = bind(problem.physics, values)
        return bind(condition, values).residual(site.fields[0], site.x[0], site.normal, physics)

    return Block(condition.label, "boundary", (points,), law, normals)


def interface_block(problem: Problem, condition: Interface, number: int, seed: int) -> Block:
    """Return an interface at ``number`` pairs of points, just inside its shape and just outside of it."""
    sample = condition.sample(problem.domain, number, seed=seed)
    points, normals = in_full(problem, sample.points, seed=seed + 1), tensor(sample.normals)
    offset = condition.offset(problem.domain)
    step = torch.zeros_like(points)
    step[:, : problem.domain.dim] = offset * normals

    def law(site: Site, values: Mapping[str, object]) -> dict[str, Jet]:
        physics = bind(problem.physics, values)
        (first, second), (inner, outer) = site.fields, site.x
        return condition.residual_between(
            (first, second), (inner, outer), site.normal, physics, offset
        )

    return Block(condition.label, "interface", (points - step, points + step), law, normals)


_AROUND_INTERFACES = 0.5
"""Share of the interior points that is drawn around interfaces: a small inclusion would have few of uniform ones."""

_LEAST_ON_INTERFACES = 32
"""Least number of pairs of points on an interface; it may consist of several pieces."""


def initial_block(problem: Problem, condition: Initial, number: int, seed: int) -> Block:
    """Return an initial condition at ``number`` points of the domain, its boundary included."""
    inside = problem.domain.sample_interior(number, seed=seed)
    parts = problem.domain.parts
    each = max(1, number // (8 * len(parts)))
    edge = [problem.domain.sample_part(part, each, seed=seed).points for part in parts]
    points = np.concatenate((inside, *edge))
    start = problem.time.start if problem.time is not None else 0.0
    located = in_full(problem, points, seed=seed + 1, time=start)
    block = condition_block(problem, condition, located, no_normals(problem, located))
    return replace(block, kind="initial")


def _periodic_block(
    problem: Problem, condition: Periodic, points: Tensor, normals: Tensor
) -> Block:
    shift = _centre(problem, condition.other) - _centre(problem, condition.part)
    partner = points.clone()
    partner[:, : problem.domain.dim] += shift

    def law(site: Site, values: Mapping[str, object]) -> dict[str, Jet]:
        physics = bind(problem.physics, values)
        first, second = site.fields
        return condition.residual_between(first, second, site.normal, physics, site.x[0].frame)

    return Block(condition.label, "periodic", (points, partner), law, normals)


def _centre(problem: Problem, part: str) -> Tensor:
    """Return the centroid of a boundary part."""
    points, weights = problem.domain.part_quadrature(part, 64)
    return tensor((points.points * weights[:, None]).sum(axis=0) / weights.sum())
