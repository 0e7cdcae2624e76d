"""Blocks and a network -> a system: which streams every block needs, and which blocks are evaluated together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from pinnsolve.blocks import Block
from pinnsolve.grouping import group_blocks, spans
from pinnsolve.jets import Frame, MultiIndex
from pinnsolve.networks import Network
from pinnsolve.residuals.system import RowKey, System
from pinnsolve.scaling import Scaling
from pinnsolve.streams import needed_streams
from pinnsolve.unknowns import Unknown


def build_system(
    blocks: Sequence[Block],
    shapes: Mapping[str, tuple[int, ...]],
    frame: Frame,
    network: Network,
    scaling: Scaling,
    unknowns: tuple[Unknown, ...],
    *,
    weights: Mapping[RowKey, float] | None = None,
    max_points: int = 4096,
    satisfied: frozenset[RowKey] = frozenset(),
) -> System:
    """Group blocks for evaluation.

    Args:
        blocks: The blocks, float64 on the CPU.
        shapes: Field shapes by name.
        frame: The coordinates.
        network: The network.
        scaling: Its scaling; sets dtype and device of everything.
        unknowns: The numbers to be identified.
        weights: Factor by equation; None weights all alike.
        max_points: Most points in one batch; bounds the memory of a Jacobian chunk to
            ``max_points * num_parameters`` numbers.
        satisfied: Equations to leave out, since the network meets them whatever its parameters.
    """
    like = scaling.offset
    # tensors: a number 0.0 would count as structurally zero and hide the derivatives it multiplies
    values = {u.name: torch.tensor(u.initial, dtype=torch.float64, device="cpu") for u in unknowns}
    pieces = [
        block.taken(slice(start, stop))
        for block in blocks
        for start, stop in spans(block, max_points)
    ]
    pieces, plans = _planned(pieces, shapes, frame, values, satisfied)
    moved = tuple(piece.to(dtype=like.dtype, device=like.device) for piece in pieces)
    return System(
        frame,
        dict(shapes),
        moved,
        group_blocks(moved, plans, scaling, max_points),
        network,
        scaling,
        unknowns,
        dict(weights or {}),
        satisfied,
    )


def _planned(
    pieces: Sequence[Block],
    shapes: Mapping[str, tuple[int, ...]],
    frame: Frame,
    values: Mapping[str, object],
    satisfied: frozenset[RowKey],
) -> tuple[list[Block], list[tuple[tuple[MultiIndex, ...], tuple[str, ...]]]]:
    """Return the pieces that have equations left, each with its streams and these equations' names."""
    kept, plans = [], []
    for piece in pieces:
        indices, names = needed_streams(piece, shapes, frame, values)
        left = tuple(name for name in names if RowKey(piece.name, name) not in satisfied)
        if left or not names:
            kept.append(piece)
            plans.append((indices, left))
    return kept, plans
