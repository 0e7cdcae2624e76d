"""Which blocks of equations are evaluated together, in one pass through the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.blocks import Block
from pinnsolve.jets import MultiIndex
from pinnsolve.scaling import Scaling


@dataclass(frozen=True)
class Group:
    """Blocks that share streams and number of equations, as one batch of points.

    Attributes:
        blocks: Positions of the blocks.
        equations: Equation names, per block, aligned by rank.
        indices: Streams to propagate (a lower set).
        unit_points: Points in network units, shape (sets * N, D); the second set of
            pairs follows.
        num_points: N.
        num_sets: 1, or 2 for periodic pairs and the sides of interfaces, or the number of nodes of a mean.
    """

    blocks: tuple[int, ...]
    equations: tuple[tuple[str, ...], ...]
    indices: tuple[MultiIndex, ...]
    unit_points: Tensor
    num_points: int
    num_sets: int

    @property
    def num_equations(self) -> int:
        """Number of rows per point."""
        return len(self.equations[0])


def group_blocks(
    blocks: Sequence[Block],
    plans: Sequence[tuple[tuple[MultiIndex, ...], tuple[str, ...]]],
    scaling: Scaling,
    max_points: int,
) -> tuple[Group, ...]:
    """Return the blocks in groups that share streams, number of equations and kind of point sets.

    Args:
        blocks: The blocks, on their device, each of at most ``max_points`` points.
        plans: Streams and equation names of every block.
        scaling: Maps points to network units.
        max_points: Most points in one group.
    """
    buckets: dict[tuple[object, ...], list[list[int]]] = {}
    for i, (block, (indices, names)) in enumerate(zip(blocks, plans, strict=True)):
        key = (indices, len(names), len(block.point_sets), block.noise is not None)
        batches = buckets.setdefault(key, [[]])
        rows = sum(blocks[k].num_points for k in (*batches[-1], i))
        if rows * _points_per_row(block) > max_points:
            batches.append([])
        batches[-1].append(i)
    groups = []
    for members in (batch for batches in buckets.values() for batch in batches if batch):
        sets = len(blocks[members[0]].point_sets)
        unit = [scaling.to_unit(blocks[i].point_sets[k]) for k in range(sets) for i in members]
        groups.append(
            Group(
                blocks=tuple(members),
                equations=tuple(plans[i][1] for i in members),
                indices=plans[members[0]][0],
                unit_points=torch.cat(unit),
                num_points=sum(blocks[i].num_points for i in members),
                num_sets=sets,
            )
        )
    return tuple(groups)


def spans(block: Block, max_points: int) -> Iterator[tuple[int, int]]:
    """Yield first and last rows of the pieces of a block that are small enough for one batch.

    Args:
        block: The block.
        max_points: Most points in one batch.
    """
    most = max(1, max_points // _points_per_row(block))
    yield from ((start, start + most) for start in range(0, block.num_points, most))


def _points_per_row(block: Block) -> int:
    """Return how many points of a batch a row stands for; a pair counts as one."""
    sets = len(block.point_sets)
    return sets if sets > 2 else 1
