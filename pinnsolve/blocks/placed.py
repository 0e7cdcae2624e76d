"""Blocks whose points are not drawn: readings where they were taken, levels that nothing sets, and priors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pinnsolve.blocks.block import Block, Site
from pinnsolve.collocation import in_full, no_normals, tensor
from pinnsolve.jets import Jet, as_jet
from pinnsolve.measurements import DataGroup, data_groups, mean_measured
from pinnsolve.prior_rows import PriorRows, prior_rows
from pinnsolve.problem import Problem
from pinnsolve.unknowns import bind


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
        no_normals(problem, nodes[0]),
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
        "level of " + ", ".join(floating), "gauge", (located,), law, no_normals(problem, located)
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
        none = no_normals(problem, points)
        blocks.append(Block(item.name, "prior", (points,), law, none, data, noise))
    return tuple(blocks)
