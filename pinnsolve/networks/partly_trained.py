"""A network of which only some parameters are trained, each at its own rate; the others stay as they are.

In a least-squares method a parameter that is held is a column of the Jacobian left out, and a parameter that is to
move less is a column made smaller: with ``theta = base + rate p`` the damping of p is that of theta over ``rate^2``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.multi_index import MultiIndex
from pinnsolve.networks.network import Network, Pullback


@dataclass(frozen=True, eq=False)
class PartlyTrained(Network):
    """Another network whose parameters are ``base + rates p`` at some positions and ``base`` elsewhere.

    Attributes:
        inner: The whole network.
        base: Its parameters where training begins, shape (P,).
        positions: Which of them are trained, ascending, shape (K,).
        rates: What each is moved by for a step of one, shape (K,).
    """

    inner: Network
    base: Tensor
    positions: Tensor
    rates: Tensor

    def __post_init__(self) -> None:
        """Refuse shapes that do not belong together, and rates that move nothing."""
        if self.base.shape != (self.inner.num_parameters,):
            raise ValueError(
                f"base must hold the {self.inner.num_parameters} parameters of the network, "
                f"got shape {tuple(self.base.shape)}"
            )
        if self.positions.ndim != 1 or self.rates.shape != self.positions.shape:
            raise ValueError(
                "positions and rates must be of one shape (K,), "
                f"got {tuple(self.positions.shape)} and {tuple(self.rates.shape)}"
            )
        if not len(self.positions) or not bool((self.rates > 0.0).all()):
            raise ValueError("there must be parameters to train, each with a rate > 0")

    def __repr__(self) -> str:
        """Say the sizes, not the numbers."""
        return (
            f"PartlyTrained({self.num_parameters} of {len(self.base)} parameters of {self.inner!r})"
        )

    @property
    def num_parameters(self) -> int:
        """Number K of parameters that are trained."""
        return len(self.positions)

    def initial_parameters(
        self, generator: torch.Generator, *, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        """Return zeros, shape (K,): training begins at the base."""
        del generator
        return torch.zeros(self.num_parameters, dtype=dtype, device=device)

    def whole(self, parameters: Tensor) -> Tensor:
        """Return the parameters (P,) of the whole network for trained ones (K,); differentiable in these."""
        base = self.base.to(parameters)
        moves = self.rates.to(parameters) * parameters
        return base.index_add(0, self.positions.to(base.device), moves)

    def streams(self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the outputs' partial derivatives, shape (S, N, C)."""
        return self.inner.streams(self.whole(parameters), points, indices)

    def linearised(
        self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]
    ) -> tuple[Tensor, Pullback]:
        """Return the streams (S, N, C) and the pullback to the parameters that are trained."""
        streams, pull_inner = self.inner.linearised(self.whole(parameters), points, indices)
        positions, rates = self.positions.to(points.device), self.rates.to(parameters)

        def pullback(cotangent: Tensor, out: Tensor) -> None:
            columns = out.new_zeros(len(out), len(self.base))
            pull_inner(cotangent, columns)
            out += columns[:, positions] * rates

        return streams, pullback
