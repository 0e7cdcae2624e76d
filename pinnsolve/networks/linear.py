"""Networks whose outputs depend linearly on their parameters: a fixed trunk and a trained head.

For them the derivatives at given points can be tabulated once: values for any parameters are then one matrix product,
and the Jacobian of linear physics does not depend on the parameters at all.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from pinnsolve.multi_index import MultiIndex
from pinnsolve.networks.network import Network, Pullback


class Table(Protocol):
    """The derivatives of all features at N points."""

    @property
    def num_bytes(self) -> int:
        """Memory it holds."""

    def streams(self, parameters: Tensor) -> Tensor:
        """Return the streams (S, N, C) for parameters (P,)."""

    def pullback(self, cotangent: Tensor, out: Tensor) -> None:
        """Add ``sum_s,c cotangent[s, n, c] d streams[s, n, c] / d parameters`` to ``out[n]``.

        Args:
            cotangent: Shape (S, N, C).
            out: Shape (N, P); rows are added to it in place.
        """


class LinearNetwork(Network):
    """A network with a fixed trunk: streams are affine in the parameters."""

    @abstractmethod
    def tabulate(self, points: Tensor, indices: Sequence[MultiIndex]) -> Table:
        """Return the derivatives of all features at points (N, D), in the order of ``indices``."""

    def initial_parameters(
        self, generator: torch.Generator, *, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        """Return zeros, shape (P,): a head has no better start."""
        del generator
        return torch.zeros(self.num_parameters, dtype=dtype, device=device)

    def streams(self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the outputs' partial derivatives, shape (S, N, C)."""
        return self.tabulate(points, indices).streams(parameters)

    def linearised(
        self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]
    ) -> tuple[Tensor, Pullback]:
        """Return the streams together with their pullback to the parameters."""
        table = self.tabulate(points, indices)
        return table.streams(parameters).detach(), table.pullback
