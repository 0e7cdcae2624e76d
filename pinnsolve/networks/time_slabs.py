"""Networks that follow one another in time: each point is evaluated by the network of its slab."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.multi_index import MultiIndex
from pinnsolve.networks.network import Network, Pullback


@dataclass(frozen=True)
class TimeSlabs(Network):
    """Several networks, one to a time slab; the parameters are theirs, one after the other.

    In slab k the output is ``offset + factor * network(x, s)``, where the local time s runs from -1 to 1 between the
    slab's edges. At an edge the earlier slab counts; before the first edge and after the last one the networks at the
    ends are continued.

    Attributes:
        networks: K networks of the same inputs and outputs.
        edges: K + 1 times in network units, ascending.
        axis: Which input is time.
        offsets: What is added to the outputs of each network, shape (K, C).
        factors: What they are multiplied by before that, shape (K, C).
    """

    networks: tuple[Network, ...]
    edges: tuple[float, ...]
    axis: int
    offsets: tuple[tuple[float, ...], ...]
    factors: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        """Refuse numbers that do not belong together."""
        number = len(self.networks)
        if not number or len(self.edges) != number + 1:
            raise ValueError(
                f"time slabs need K >= 1 networks and K + 1 edges, got {number} and {len(self.edges)}"
            )
        if list(self.edges) != sorted(set(self.edges)):
            raise ValueError(f"the edges of time slabs must ascend, got {self.edges}")
        if self.axis < 0:
            raise ValueError(f"axis must be >= 0, got {self.axis}")
        if {len(self.offsets), len(self.factors)} != {number}:
            raise ValueError(
                f"time slabs need offsets and factors for each of {number} networks, got {len(self.offsets)} and "
                f"{len(self.factors)}"
            )

    def __repr__(self) -> str:
        """Say what follows what, not the numbers."""
        return f"TimeSlabs({', '.join(map(repr, self.networks))})"

    @property
    def num_parameters(self) -> int:
        """Number P of parameters of all networks together."""
        return sum(network.num_parameters for network in self.networks)

    def initial_parameters(
        self, generator: torch.Generator, *, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        """Return initial parameters of all networks, shape (P,)."""
        return torch.cat(
            [n.initial_parameters(generator, dtype=dtype, device=device) for n in self.networks]
        )

    def streams(self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the outputs' partial derivatives, shape (S, N, C)."""
        found = points.new_zeros(len(indices), len(points), len(self.offsets[0]))
        for slab in self._slabs(points):
            own = slab.network.streams(parameters[slab.parameters], slab.points, indices)
            found[:, slab.rows] = self._outwards(own, slab.number, indices)
        return found

    def linearised(
        self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]
    ) -> tuple[Tensor, Pullback]:
        """Return the streams (S, N, C) and the pullback that adds Jacobian rows; zero beside a point's own slab."""
        found = points.new_zeros(len(indices), len(points), len(self.offsets[0]))
        pulls: list[tuple[_Slab, Pullback]] = []
        for slab in self._slabs(points):
            own, pull = slab.network.linearised(parameters[slab.parameters], slab.points, indices)
            found[:, slab.rows] = self._outwards(own, slab.number, indices)
            pulls.append((slab, pull))

        def pullback(cotangent: Tensor, out: Tensor) -> None:
            for slab, pull in pulls:
                signal = cotangent[:, slab.rows] * self._slopes(slab.number, indices, cotangent)
                rows = out.new_zeros(len(slab.points), slab.network.num_parameters)
                pull(signal, rows)
                out[slab.rows, slab.parameters] += rows

        return found, pullback

    def _slabs(self, points: Tensor) -> list[_Slab]:
        """Return the slabs that have points, with their points in local time."""
        times = points[:, self.axis].contiguous()
        numbers = torch.bucketize(times, times.new_tensor(self.edges[1:-1]))
        slabs, start = [], 0
        for number, network in enumerate(self.networks):
            stop = start + network.num_parameters
            rows = torch.nonzero(numbers == number)[:, 0]
            if len(rows):
                local = points[rows].clone()
                middle = 0.5 * (self.edges[number] + self.edges[number + 1])
                local[:, self.axis] = (local[:, self.axis] - middle) / self._half(number)
                slabs.append(_Slab(number, network, slice(start, stop), rows, local))
            start = stop
        return slabs

    def _half(self, number: int) -> float:
        return 0.5 * (self.edges[number + 1] - self.edges[number])

    def _slopes(self, number: int, indices: Sequence[MultiIndex], like: Tensor) -> Tensor:
        """Return what turns a slab's own streams into those of the whole, shape (S, 1, C)."""
        powers = [self._half(number) ** -index.count(self.axis) for index in indices]
        return like.new_tensor(powers)[:, None, None] * like.new_tensor(self.factors[number])

    def _outwards(self, own: Tensor, number: int, indices: Sequence[MultiIndex]) -> Tensor:
        """Return streams of the whole from those of a slab's network, both of shape (S, N, C)."""
        value = own.new_tensor([float(not index) for index in indices])[:, None, None]
        return own * self._slopes(number, indices, own) + value * own.new_tensor(
            self.offsets[number]
        )


@dataclass(frozen=True)
class _Slab:
    """The points of one slab.

    Attributes:
        number: Which slab.
        network: Its network.
        parameters: Where its parameters are.
        rows: Which points these are, shape (N',).
        points: Their inputs, in local time, shape (N', D).
    """

    number: int
    network: Network
    parameters: slice
    rows: Tensor
    points: Tensor
