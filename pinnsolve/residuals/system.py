"""Problem + network + points -> one weighted residual vector r(theta) and its Jacobian, chunk by chunk.

theta holds the P network parameters, then the search variables of the unknowns. A row's derivative
with respect to the network factors through the streams at its own point: reverse mode on the
pointwise residual gives d row / d streams for all points at once, and the network pulls that back
to its parameters. Blocks that need the same streams share one pass through the network.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pinnsolve.blocks import Block
from pinnsolve.grouping import Group, group_blocks, spans
from pinnsolve.jets import Fields, Frame, MultiIndex
from pinnsolve.measurements.likelihood import likelihood_row
from pinnsolve.networks import LinearNetwork, Network, Pullback, Table
from pinnsolve.scaling import Scaling
from pinnsolve.streams import fields_of_streams, size_of_terms
from pinnsolve.unknowns import Unknown


@dataclass(frozen=True)
class RowKey:
    """One equation of one block; pieces of a block that was split share their key."""

    block: str
    equation: str


@dataclass(frozen=True)
class System:
    """The weighted least-squares system of a problem on given points.

    Attributes:
        frame: The coordinates.
        shapes: Field shapes by name.
        blocks: The blocks, on the system's device and in its dtype.
        groups: The blocks, grouped for evaluation.
        network: The network.
        scaling: Maps between SI and network units.
        unknowns: The numbers to be identified.
        weights: Factor of each equation's rows; missing means 1. Rows are divided by sqrt(N) of
            their block as well and by the root of the points' density, or by the noise if they are measurements.
        satisfied: Equations left out, since the network meets them whatever its parameters.
        tables: Tabulated features by group, of networks with a fixed trunk; empty computes them when needed.
        whole_sizes: Number of points by block name of the system that this one is a shard of;
            None if it is whole.
    """

    frame: Frame
    shapes: Mapping[str, tuple[int, ...]]
    blocks: tuple[Block, ...]
    groups: tuple[Group, ...]
    network: Network
    scaling: Scaling
    unknowns: tuple[Unknown, ...]
    weights: Mapping[RowKey, float]
    satisfied: frozenset[RowKey] = frozenset()
    tables: tuple[Table, ...] = ()
    whole_sizes: Mapping[str, int] | None = None

    def to(self, *, dtype: torch.dtype) -> System:
        """Return the same system in another precision; this one is left alone.

        Args:
            dtype: Of points, data, scaling and hence of rows and Jacobian.
        """
        device = self.scaling.offset.device
        return replace(
            self,
            blocks=tuple(block.to(dtype=dtype, device=device) for block in self.blocks),
            groups=tuple(
                replace(group, unit_points=group.unit_points.to(dtype)) for group in self.groups
            ),
            scaling=self.scaling.to(dtype=dtype, device=device),
        )

    @property
    def num_rows(self) -> int:
        """Number of scalar residuals."""
        return sum(group.num_points * group.num_equations for group in self.groups)

    @property
    def num_parameters(self) -> int:
        """Length of theta."""
        return self.network.num_parameters + len(self.unknowns)

    def residual(self, theta: Tensor) -> Tensor:
        """Return all weighted rows, shape (M,); differentiable in theta."""
        return torch.cat([row for rows in self._rows_by_group(theta) for row in rows])

    def tabulated(self) -> System:
        """Return the system with the features at its points held in memory; the network's trunk must be fixed."""
        if not isinstance(self.network, LinearNetwork):
            raise ValueError(f"only a network with a fixed trunk has tables, got {self.network!r}")
        network = self.network
        return replace(
            self, tables=tuple(network.tabulate(g.unit_points, g.indices) for g in self.groups)
        )

    @property
    def by_group(self) -> tuple[System, ...]:
        """One system per group; their rows, in this order, are the rows of this one."""
        return tuple(
            replace(self, groups=(group,), tables=self.tables[i : i + 1])
            for i, group in enumerate(self.groups)
        )

    @property
    def block_sizes(self) -> dict[str, int]:
        """Number of points by block name; of a shard, those of the whole system."""
        if self.whole_sizes is not None:
            return dict(self.whole_sizes)
        sizes: dict[str, int] = {}
        for block in self.blocks:
            sizes[block.name] = sizes.get(block.name, 0) + block.num_points
        return sizes

    @property
    def chunks(self) -> tuple[tuple[tuple[RowKey, int], ...], ...]:
        """Which keys, with how many rows each, make up each item that :meth:`linearised` yields."""
        return tuple(
            tuple(
                (RowKey(self.blocks[b].name, names[rank]), self.blocks[b].num_points)
                for b, names in zip(group.blocks, group.equations, strict=True)
            )
            for group in self.groups
            for rank in range(group.num_equations)
        )

    def rows_by_key(self, theta: Tensor) -> dict[RowKey, Tensor]:
        """Return the weighted rows by block and equation."""
        return self._by_key(row for rows in self._rows_by_group(theta) for row in rows)

    def term_sizes_by_key(self, theta: Tensor) -> dict[RowKey, Tensor]:
        """Return how large the terms are whose sum each weighted row is.

        A row is ``r(s)`` with s the streams at its point. Its terms are ``s_i dr/ds_i`` and what they leave of r; their
        size is the root of the sum of their squares. Streams that are small everywhere count as a hundredth of
        their unit, so that an equation between zeros is not held to its rounding errors.

        Args:
            theta: Network parameters and search variables, shape (P,).
        """
        return self._by_key(self._term_sizes(theta.detach()))

    def factor(self, block: Block, equation: str) -> Tensor | float:
        """Return what the rows of one equation of a block are multiplied by."""
        weight = self.weights.get(RowKey(block.name, equation), 1.0)
        if block.noise is not None:
            inverse: Tensor = weight / block.noise
            return inverse
        mean = weight / math.sqrt(self.block_sizes[block.name])
        return mean if block.density is None else mean / block.density.sqrt()

    def linearised(self, theta: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield, group by group and equation by equation, rows (N,) and their Jacobian (N, num_parameters)."""
        parameters, z = self._split(theta.detach())
        values, slopes = self._values(z), self._slopes(z)
        for position, group in enumerate(self.groups):
            streams, pullback = self._linearised_streams(position, parameters)
            streams = streams.requires_grad_()
            numbers = values.expand(group.num_points, -1).clone().requires_grad_()
            with torch.enable_grad():
                rows = self._rows(group, streams, numbers)
            for row in rows:
                signals, response = torch.autograd.grad(
                    row.sum(), (streams, numbers), retain_graph=True, allow_unused=True
                )
                jacobian = theta.new_zeros(len(group.unit_points), self.num_parameters)
                if signals is not None:
                    pullback(signals, jacobian[:, : self.network.num_parameters])
                if group.num_sets > 1:
                    apart = jacobian.reshape(group.num_sets, group.num_points, -1)
                    jacobian = apart.sum(dim=0)
                if response is not None:
                    jacobian[:, self.network.num_parameters :] = response * slopes
                yield row.detach(), jacobian

    def rebatched(self, max_points: int) -> System:
        """Return the same rows in other batches, and so in another order.

        Args:
            max_points: Most points in one batch.
        """
        pieces = [
            (position, slice(start, stop))
            for position, block in enumerate(self.blocks)
            for start, stop in spans(block, max_points)
        ]
        return self._of(pieces, max_points)

    def shard(self, rank: int, size: int) -> System:
        """Return one process's share of the rows: every ``size``-th point of every block.

        Rows keep the factors they have in the whole system, so J^T J, J^T r and the loss of the
        whole are the sums over the shards.

        Args:
            rank: Which share, from 0.
            size: Number of shares.

        Raises:
            ValueError: If there is no such share, or if there are too few points for so many.
        """
        if not 0 <= rank < size:
            raise ValueError(f"a shard needs 0 <= rank < size, got rank {rank} of {size}")
        largest = max(block.num_points for block in self.blocks)
        if largest < size:
            raise ValueError(
                f"{size} processes cannot share blocks of at most {largest} points; "
                "start fewer processes or give more points (Method(points=...))"
            )
        # blocks of one point go to the ranks in turn
        spans = (slice((rank - i) % size, None, size) for i in range(len(self.blocks)))
        return self._of(list(enumerate(spans)), max(group.num_points for group in self.groups))

    def _of(self, pieces: Sequence[tuple[int, slice]], max_points: int) -> System:
        """Return the system of some points of some blocks, scaled as in the whole."""
        plans = {
            position: (group.indices, names)
            for group in self.groups
            for position, names in zip(group.blocks, group.equations, strict=True)
        }
        taken = [(self.blocks[position].taken(span), plans[position]) for position, span in pieces]
        kept = [(block, plan) for block, plan in taken if block.num_points > 0]
        blocks = tuple(block for block, _ in kept)
        groups = group_blocks(blocks, [plan for _, plan in kept], self.scaling, max_points)
        part = replace(self, blocks=blocks, groups=groups, tables=(), whole_sizes=self.block_sizes)
        return part.tabulated() if self.tables else part

    def fields(self, streams: Tensor, indices: Sequence[MultiIndex]) -> Fields:
        """Return the fields, in SI units, of network streams (S, N, C)."""
        return fields_of_streams(streams, indices, self.scaling, self.shapes, self.frame)

    def _split(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        count = self.network.num_parameters
        return theta[:count], theta[count:]

    def _values(self, z: Tensor) -> Tensor:
        """Return the values of all unknowns at their search variables, shape (K,)."""
        pairs = zip(self.unknowns, z, strict=True)
        return torch.stack([unknown.value(v) for unknown, v in pairs]) if self.unknowns else z

    def _slopes(self, z: Tensor) -> Tensor:
        """Return d value / d z of all unknowns, shape (K,)."""
        inner = z.detach().requires_grad_()
        with torch.enable_grad():
            total = self._values(inner).sum()
        return torch.autograd.grad(total, inner)[0]

    def _rows_by_group(self, theta: Tensor) -> Iterator[list[Tensor]]:
        parameters, z = self._split(theta)
        values = self._values(z)
        for position, group in enumerate(self.groups):
            yield self._rows(group, self._streams(position, parameters), values)

    def _term_sizes(self, theta: Tensor) -> Iterator[Tensor]:
        """Yield the size of the terms of every item that :meth:`linearised` yields."""
        parameters, z = self._split(theta)
        values = self._values(z)
        for position, group in enumerate(self.groups):
            streams = self._streams(position, parameters).detach().requires_grad_()
            with torch.enable_grad():
                rows = self._rows(group, streams, values)
            for row in rows:
                yield size_of_terms(row, streams, group.num_sets)

    def _by_key(self, items: Iterable[Tensor]) -> dict[RowKey, Tensor]:
        """Return one tensor per block and equation, of one per item that :meth:`linearised` yields."""
        found: dict[RowKey, list[Tensor]] = {}
        for members, item in zip(self.chunks, items, strict=True):
            for (key, _), piece in zip(members, item.split([n for _, n in members]), strict=True):
                found.setdefault(key, []).append(piece)
        return {key: torch.cat(pieces) for key, pieces in found.items()}

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(unknown.name for unknown in self.unknowns)

    def _streams(self, position: int, parameters: Tensor) -> Tensor:
        if self.tables:
            return self.tables[position].streams(parameters)
        group = self.groups[position]
        return self.network.streams(parameters, group.unit_points, group.indices)

    def _linearised_streams(self, position: int, parameters: Tensor) -> tuple[Tensor, Pullback]:
        if self.tables:
            table = self.tables[position]
            return table.streams(parameters).detach(), table.pullback
        group = self.groups[position]
        return self.network.linearised(parameters, group.unit_points, group.indices)

    def _rows(self, group: Group, streams: Tensor, numbers: Tensor) -> list[Tensor]:
        """Return one weighted row vector per equation rank, blocks concatenated.

        Args:
            group: Which rows.
            streams: The network's, shape (S, num_sets N, C).
            numbers: Values of the unknowns, shape (K,) or, to tell the points' shares apart, (N, K).
        """
        pieces: list[list[Tensor]] = [[] for _ in range(group.num_equations)]
        start = 0
        for position, names in zip(group.blocks, group.equations, strict=True):
            block = self.blocks[position]
            n = block.num_points
            spans = [
                slice(k * group.num_points + start, k * group.num_points + start + n)
                for k in range(group.num_sets)
            ]
            fields = tuple(self.fields(streams[:, span], group.indices) for span in spans)
            x = block.coordinates(self.frame)
            here = numbers if numbers.ndim == 1 else numbers[start : start + n]
            values = dict(zip(self._names, here.unbind(-1), strict=True))
            rows = block.rows(fields, x, values)
            for rank, name in enumerate(names):
                pieces[rank].append(self._weighted(block, name, rows[name].value).expand(n))
            start += n
        return [torch.cat(piece) for piece in pieces]

    def _weighted(self, block: Block, name: str, row: Tensor) -> Tensor:
        """Return rows times their factor; of readings half the square is then the negative log-likelihood."""
        if block.noise is None or block.likelihood == "normal":
            return self.factor(block, name) * row
        weight = self.weights.get(RowKey(block.name, name), 1.0)
        return weight * likelihood_row(block.likelihood, row / block.noise)
