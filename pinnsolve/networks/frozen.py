"""A network some of whose inputs are held at numbers: the view of a parametric solution at one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.multi_index import MultiIndex
from pinnsolve.networks.network import Network, Pullback


@dataclass(frozen=True)
class FrozenInputs(Network):
    """Another network with some inputs held; the parameters are the other network's.

    Held inputs stand behind the inputs that are differentiated for (space, then time), so a
    derivative has the same name before and after.

    Attributes:
        network: The whole network.
        held: Position among its inputs and value, in network units, in ascending order.
    """

    network: Network
    held: tuple[tuple[int, float], ...]

    def __post_init__(self) -> None:
        """Refuse positions that are not ascending."""
        positions = [position for position, _ in self.held]
        if not positions or positions != sorted(set(positions)) or positions[0] < 1:
            raise ValueError(
                f"held inputs must be in ascending order, behind the first, got positions {positions}"
            )

    @property
    def num_parameters(self) -> int:
        """Number P of parameters of the whole network."""
        return self.network.num_parameters

    def initial_parameters(
        self, generator: torch.Generator, *, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        """Return initial parameters of the whole network, shape (P,)."""
        return self.network.initial_parameters(generator, dtype=dtype, device=device)

    def streams(self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the outputs' partial derivatives, shape (S, N, C)."""
        return self.network.streams(parameters, self._whole(points), indices)

    def linearised(
        self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]
    ) -> tuple[Tensor, Pullback]:
        """Return the streams (S, N, C) and the pullback to the whole network's parameters."""
        return self.network.linearised(parameters, self._whole(points), indices)

    def _whole(self, points: Tensor) -> Tensor:
        """Return points with the held inputs in their places."""
        columns = list(points.unbind(1))
        for position, value in self.held:
            columns.insert(position, torch.full_like(columns[0], value))
        return torch.stack(columns, dim=1)
