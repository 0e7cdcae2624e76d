"""A problem at points: named blocks of scalar equations, the functional core that every discretisation shares.

A block is a set of N points where the same equations hold: the interior, a boundary part, the
start, the sensors. Its ``rows`` are pure functions of the fields; where the fields come from (a
network, a grid, an exact solution) is not its business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from pinnsolve.collocation import in_full, tensor
from pinnsolve.conditions import Condition, Initial, Interface, Periodic
from pinnsolve.geometry.partition import sample_around
from pinnsolve.jets import Coordinates, Fields, Frame, Jet, as_jet, component_names
from pinnsolve.measurements import DataGroup, Likelihood, data_groups, mean_measured
from pinnsolve.prior_rows import PriorRows, prior_rows
from pinnsolve.problem import Problem
from pinnsolve.unknowns import bind

Kind = Literal["interior", "boundary", "initial", "periodic", "interface", "data", "gauge", "prior"]


@dataclass(frozen=True)
class Site:
    """The fields at a block's points, with what the block knows about these points.

    Attributes:
        fields: One entry per point set.
        x: Coordinates, one entry per point set.
        normal: Outward unit normal, or None inside.
        data: Measured values, shape (N,) each, by name.
        shares: Share of each point set in a mean, shape (N, number of point sets).
    """

    fields: tuple[Fields, ...]
    x: tuple[Coordinates, ...]
    normal: Jet
    data: Mapping[str, Tensor]
    shares: Tensor


Rows = Callable[[Site, Mapping[str, object]], dict[str, Jet]]
"""``rows(site, values)``: scalar equations by name, for given values of the unknowns."""


@dataclass(frozen=True)
class Block:
    """Equations at points.

    Attributes:
        name: For tables: ``interior``, ``left: Dirichlet`` ...
        kind: What sort of statement it is.
        point_sets: Points in SI units, each of shape (N, D); two sets for a periodic pair
            and for the sides of an interface, one for each node of a mean over a sensor, else one.
        law: The equations.
        normals: Outward unit normals, shape (N, space dimension); zeros where there is no boundary.
        data: Measured values by name, each of shape (N,), or what a prior is made with, (N, columns); else empty.
        noise: Standard deviation of the measured values, or of a prior's rows, shape (N,), or None.
        shares: Share of each point set in a mean, shape (N, number of point sets), or None.
        likelihood: How noise is distributed.
        density: How dense the points are beside a plain draw, whose root divides the rows, shape (N,), or None for 1.
    """

    name: str
    kind: Kind
    point_sets: tuple[Tensor, ...]
    law: Rows
    normals: Tensor
    data: Mapping[str, Tensor] = field(default_factory=dict)
    noise: Tensor | None = None
    shares: Tensor | None = None
    likelihood: Likelihood = "normal"
    density: Tensor | None = None

    @property
    def num_points(self) -> int:
        """Number N of points."""
        return len(self.point_sets[0])

    def coordinates(self, frame: Frame) -> tuple[Coordinates, ...]:
        """Return the coordinates of each point set."""
        return tuple(Coordinates(points, frame) for points in self.point_sets)

    def rows(
        self, fields: tuple[Fields, ...], x: tuple[Coordinates, ...], values: Mapping[str, object]
    ) -> dict[str, Jet]:
        """Return the scalar equations by name.

        Args:
            fields: Fields at each point set.
            x: Coordinates of each point set.
            values: A value for every unknown: a number or a tensor of shape () or (N,). The ranges
                take their values from the coordinates.
        """
        shares = self.normals.new_ones(self.num_points, 1) if self.shares is None else self.shares
        site = Site(fields, x, normal_jet(self.normals, x[0].frame), self.data, shares)
        return self.law(site, {**values, **x[0].parameters})

    def taken(self, span: slice | Tensor) -> Block:
        """Return the block at some of its points only."""
        return self._mapped(lambda t: t[span])

    def to(self, *, dtype: torch.dtype, device: torch.device) -> Block:
        """Return a copy in another precision or on another device."""
        return self._mapped(lambda t: t.to(dtype=dtype, device=device))

    def _mapped(self, change: Callable[[Tensor], Tensor]) -> Block:
        return replace(
            self,
            point_sets=tuple(change(points) for points in self.point_sets),
            normals=change(self.normals),
            data={name: change(column) for name, column in self.data.items()},
            noise=None if self.noise is None else change(self.noise),
            shares=None if self.shares is None else change(self.shares),
            density=None if self.density is None else change(self.density),
        )


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

    return Block("interior", "interior", (points,), law, _no_normals(problem, points))


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
    block = condition_block(problem, condition, located, _no_normals(problem, located))
    return replace(block, kind="initial")


def data_blocks(
    problem: Problem, *, noise: Mapping[str, float] | None = None, held_out: bool = False
) -> tuple[Block, ...]:
    """Return measured quantities minus readings, one block for each group of them that shares its noise.

    Args:
        problem: The declaration.
        noise: Noise that was estimated, by block.
        held_out: Whether to return the rows that are kept from training instead.
    """
    groups = data_groups(problem.data, problem.domain.dim, noise=noise, held_out=held_out)
    return tuple(_data_block(problem, group) for group in groups)


def _data_block(problem: Problem, group: DataGroup) -> Block:
    def law(site: Site, values: Mapping[str, object]) -> dict[str, Jet]:
        physics = bind(problem.physics, values)
        return {
            name: mean_measured(name, site.fields, site.x, site.shares, physics) - reading
            for name, reading in site.data.items()
        }

    nodes = tuple(tensor(points) for points in group.nodes)
    return Block(
        group.name,
        "data",
        nodes,
        law,
        _no_normals(problem, nodes[0]),
        {name: tensor(column) for name, column in group.values.items()},
        tensor(group.noise),
        tensor(group.shares),
        group.likelihood,
    )


_NUM_GAUGES = 33
"""Times, or values of a range, at which a level is fixed; its square for several of these."""


def gauge_block(problem: Problem) -> Block:
    """Return ``field = 0`` at one point (at several times and parameters) for fields whose level nothing sets."""
    floating = problem.floating_fields
    anchor = problem.domain.sample_interior(1, seed=0)
    if problem.ranges:
        open_axes = len(problem.ranges) + int(problem.time is not None)
        number = _NUM_GAUGES ** min(open_axes, 2)
        located = in_full(problem, np.repeat(anchor, number, axis=0), seed=0)
    elif problem.time is not None:
        times = np.linspace(problem.time.start, problem.time.end, _NUM_GAUGES)
        located = tensor(np.column_stack((np.repeat(anchor, _NUM_GAUGES, axis=0), times)))
    else:
        located = tensor(anchor)

    def law(site: Site, values: Mapping[str, object]) -> dict[str, Jet]:
        del values
        return {name: site.fields[0][name] for name in floating}

    return Block(
        "level of " + ", ".join(floating), "gauge", (located,), law, _no_normals(problem, located)
    )


def prior_blocks(problem: Problem) -> tuple[Block, ...]:
    """Return the priors of the unknowns as rows with a noise; the point that each is given has no part in it."""
    blocks = []
    for item in prior_rows(problem.unknowns, problem.functions):

        def law(site: Site, values: Mapping[str, object], item: PriorRows = item) -> dict[str, Jet]:
            return {item.equation: as_jet(item.law(values, site.data["weights"]), site.x[0].frame)}

        points = tensor(problem.bounds[0]).expand(len(item.weights), -1)
        noise = points.new_full((len(points),), item.noise)
        data = {"weights": item.weights}
        none = _no_normals(problem, points)
        blocks.append(Block(item.name, "prior", (points,), law, none, data, noise))
    return tuple(blocks)


def scalar_equations(equations: Mapping[str, Jet]) -> dict[str, Jet]:
    """Split vector equations into scalar ones: ``momentum`` becomes ``momentum_x``, ``momentum_y``."""
    rows: dict[str, Jet] = {}
    for name, row in equations.items():
        if row.shape == ():
            rows[name] = row
        else:
            rows |= dict(zip(component_names({name: row.shape}), row, strict=True))
    return rows


def normal_jet(normals: Tensor, frame: Frame) -> Jet:
    """Return unit normals (N, space dimension) as a constant vector field."""
    return as_jet(list(normals.unbind(1)), frame)


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


def _no_normals(problem: Problem, points: Tensor) -> Tensor:
    return points.new_zeros(len(points), problem.domain.dim)


def _centre(problem: Problem, part: str) -> Tensor:
    """Return the centroid of a boundary part."""
    points, weights = problem.domain.part_quadrature(part, 64)
    return tensor((points.points * weights[:, None]).sum(axis=0) / weights.sum())
