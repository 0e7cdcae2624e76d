"""Streams, the partial derivatives that a network gives: which ones a block needs, and the fields made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from pinnsolve.blocks import Block
from pinnsolve.jets import Fields, Frame, MultiIndex
from pinnsolve.jets.scalar import Leaf, Numeric
from pinnsolve.multi_index import VALUE, lower_set
from pinnsolve.scaling import Scaling
from pinnsolve.trial import trial_fields


def fields_of_streams(
    streams: Tensor,
    indices: Sequence[MultiIndex],
    scaling: Scaling,
    shapes: Mapping[str, tuple[int, ...]],
    frame: Frame,
) -> Fields:
    """Return fields in SI units from network streams (S, N, C)."""
    position = {index: i for i, index in enumerate(indices)}
    columns = [stream.unbind(1) for stream in streams.unbind(0)]
    factors = {index: scaling.stream_factor(index).tolist() for index in indices}
    offsets = scaling.offset.tolist()

    def leaf(component: int) -> Leaf:
        def source(index: MultiIndex) -> Numeric:
            value: Tensor = factors[index][component] * columns[position[index]][component]
            return value + offsets[component] if index == VALUE else value

        return Leaf(source)

    parts = [leaf(c) for c in range(len(offsets))]
    return Fields.from_components(shapes, list(parts), frame)


def needed_streams(
    block: Block, shapes: Mapping[str, tuple[int, ...]], frame: Frame, values: Mapping[str, object]
) -> tuple[tuple[MultiIndex, ...], tuple[str, ...]]:
    """Dry-run a block's residual and return the streams it needs and its equation names.

    Args:
        block: The block.
        shapes: Field shapes.
        frame: The coordinates.
        values: A value for every unknown.
    """
    few = block.taken(slice(0, 3))
    asked: set[tuple[str, MultiIndex]] = set()
    x = few.coordinates(frame)
    fields = tuple(trial_fields(shapes, item, 1.0, watch=asked) for item in x)
    rows = few.rows(fields, x, values)
    for row in rows.values():
        for part in row.parts:
            part.derivative(VALUE)
    return lower_set(index for _, index in asked), tuple(rows)


def size_of_terms(row: Tensor, streams: Tensor, num_sets: int) -> Tensor:
    """Return how large the terms are whose sum each row is, shape (N,).

    Args:
        row: One row per point, shape (N,).
        streams: What they are made of, shape (S, num_sets N, C).
        num_sets: Number of point sets.
    """
    (slopes,) = torch.autograd.grad(row.sum(), streams, retain_graph=True, allow_unused=True)
    if slopes is None:
        return row.detach().abs()
    terms = (slopes * streams).detach()
    squares = terms.square() + (_LEAST_STREAM * slopes).square()
    pairs = squares.sum(dim=(0, 2)).reshape(num_sets, -1)
    rest = row.detach() - terms.sum(dim=(0, 2)).reshape(num_sets, -1).sum(dim=0)
    return (pairs.sum(dim=0) + rest.square()).sqrt()


_LEAST_STREAM = 0.01
"""Least size of a stream in network units, where terms are compared with their sum."""
