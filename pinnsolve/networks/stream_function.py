"""Plane velocities made from a stream function: free of divergence whatever the parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.multi_index import MultiIndex, lower_set, shifted
from pinnsolve.networks.transformed import OutputTransform


@dataclass(frozen=True)
class StreamFunction(OutputTransform):
    """Velocity ``u = d psi / dy, v = -d psi / dx`` in SI units; the other components pass.

    The inner network gives psi first, then the other components in their order. In network units
    an axis is measured in its own half-length and a velocity in its own scale, so the two
    derivatives carry factors ``Psi / (h_y U_x)`` and ``-Psi / (h_x U_y)``, where Psi, the scale of
    psi, is chosen such that the larger one is 1.

    Attributes:
        num_components: Number C of field components.
        velocity: Positions of u and v among them.
        half_lengths: Half the extents along x and y, in m.
        scales: Scales of u and v, in m/s.
    """

    num_components: int
    velocity: tuple[int, int]
    half_lengths: tuple[float, float]
    scales: tuple[float, float]

    def __post_init__(self) -> None:
        """Refuse positions that are no components, and sizes that are not positive."""
        u, v = self.velocity
        if u == v or min(u, v) < 0 or max(u, v) >= self.num_components:
            raise ValueError(
                f"velocity must be two positions among {self.num_components} components, got {self.velocity}"
            )
        sizes = (*self.half_lengths, *self.scales)
        if not all(math.isfinite(size) and size > 0.0 for size in sizes):
            raise ValueError(f"half_lengths and scales must be finite and > 0, got {sizes}")

    @property
    def factors(self) -> tuple[float, float]:
        """What psi's derivatives along y and x are multiplied by to give u and v, in network units."""
        for_u = 1.0 / (self.half_lengths[1] * self.scales[0])
        for_v = 1.0 / (self.half_lengths[0] * self.scales[1])
        largest = max(for_u, for_v)
        return for_u / largest, -for_v / largest

    @property
    def num_inner_outputs(self) -> int:
        """Number of components less one: psi stands for two."""
        return self.num_components - 1

    @property
    def num_outputs(self) -> int:
        """Number C of field components."""
        return self.num_components

    def inner_indices(self, indices: Sequence[MultiIndex]) -> tuple[MultiIndex, ...]:
        """Return the indices and those of one more derivative along x or y."""
        return lower_set(shifted(index, axis) for index in indices for axis in (0, 1))

    def apply(self, inner_streams: Tensor, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the outputs' partial derivatives, shape (S, N, C)."""
        del points
        position = {index: i for i, index in enumerate(self.inner_indices(indices))}
        streams = inner_streams.unbind(0)
        results = []
        for index in indices:
            along_x = streams[position[shifted(index, 0)]][:, 0]
            along_y = streams[position[shifted(index, 1)]][:, 0]
            others = list(streams[position[index]].unbind(1)[1:])
            made = {
                self.velocity[0]: self.factors[0] * along_y,
                self.velocity[1]: self.factors[1] * along_x,
            }
            columns = [made[c] if c in made else others.pop(0) for c in range(self.num_components)]
            results.append(torch.stack(columns, dim=1))
        return torch.stack(results)
