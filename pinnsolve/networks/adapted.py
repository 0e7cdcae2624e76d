"""Low-rank adapters: every layer's matrix W becomes W + A B, and only the thin A and B need to be trained.

After E. J. Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022, arXiv:2106.09685: B begins
random and A at zero, so that the network begins as the one that is adapted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.multi_index import MultiIndex
from pinnsolve.networks.mlp import MLP
from pinnsolve.networks.network import Network, Pullback


@dataclass(frozen=True)
class LowRank:
    """Thin A and B for some matrices of a flat tensor of parameters, after which they lie.

    Attributes:
        matrices: Where each W is among the parameters, and its shape (rows, columns).
        rank: r, the number of columns of A and of rows of B; less where a matrix has no such rank.
        count: Number P of parameters that are adapted.
    """

    matrices: tuple[tuple[slice, tuple[int, int]], ...]
    rank: int
    count: int

    def __post_init__(self) -> None:
        """Refuse ranks that would not be low."""
        most = max(min(shape) for _, shape in self.matrices)
        if not 1 <= self.rank <= most:
            raise ValueError(
                f"adapter_rank must lie between 1 and {most}, the largest rank of the matrices that are held, got "
                f"{self.rank}; give a smaller one"
            )

    @property
    def num_parameters(self) -> int:
        """Number of parameters of all A and B."""
        return sum(min(self.rank, *shape) * sum(shape) for _, shape in self.matrices)

    def begun_at(self, parameters: Tensor, generator: torch.Generator) -> Tensor:
        """Return parameters (P,) with adapters after them that change nothing yet.

        Args:
            parameters: Those that are adapted.
            generator: Source of B, on the CPU.
        """
        pieces = [parameters]
        for _, (rows, columns) in self.matrices:
            rank = min(self.rank, rows, columns)
            drawn = torch.randn(
                rank, columns, generator=generator, dtype=torch.float64, device="cpu"
            )
            pieces += [parameters.new_zeros(rows * rank), (drawn / columns**0.5).flatten()]
        return torch.cat([piece.to(parameters) for piece in pieces])

    def merged(self, parameters: Tensor) -> Tensor:
        """Return the parameters (P,) with the adapters added; differentiable."""
        added = parameters.new_zeros(self.count)
        for span, a, b in self.adapters(parameters):
            added = torch.cat((added[: span.start], (a @ b).flatten(), added[span.stop :]))
        return parameters[: self.count] + added

    def adapters(self, parameters: Tensor) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Yield, by matrix, where W is among the parameters, A (rows, r) and B (r, columns)."""
        start = self.count
        for span, (rows, columns) in self.matrices:
            rank = min(self.rank, rows, columns)
            middle, end = start + rows * rank, start + rank * (rows + columns)
            yield (
                span,
                parameters[start:middle].view(rows, rank),
                parameters[middle:end].view(rank, columns),
            )
            start = end


@dataclass(frozen=True)
class Adapted(Network):
    """An MLP with an adapter on some layers; its parameters are those of the MLP, then A and B of each layer.

    Attributes:
        inner: The network that is adapted.
        rank: r, the number of columns of A and of rows of B; less where a matrix has no such rank.
        layers: Which layers have an adapter, ascending, 0 the first.
    """

    inner: MLP
    rank: int
    layers: tuple[int, ...]

    def __post_init__(self) -> None:
        """Refuse ranks that would not be low, and layers that there are not."""
        known = range(len(self.inner.layers))
        if not self.layers or list(self.layers) != sorted(set(self.layers) & set(known)):
            raise ValueError(
                f"adapters need ascending layers among 0 ... {len(known) - 1}, got {self.layers}"
            )
        _ = self.low_rank  # refuses ranks that would not be low

    def rank_of(self, layer: int) -> int:
        """Return the rank of a layer's adapter: at most that of its matrix."""
        return min(self.rank, *self.inner.layers[layer])

    @property
    def low_rank(self) -> LowRank:
        """The adapters."""
        matrices = tuple((self.inner.weight_span(k), self.inner.layers[k]) for k in self.layers)
        return LowRank(matrices, self.rank, self.inner.num_parameters)

    @property
    def num_parameters(self) -> int:
        """Number of parameters of the MLP and of the adapters."""
        return self.inner.num_parameters + self.low_rank.num_parameters

    def initial_parameters(
        self, generator: torch.Generator, *, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        """Return random parameters of the MLP, zeros for A and random numbers for B."""
        start = self.inner.initial_parameters(generator, dtype=dtype, device=device)
        return self.begun_at(start, generator)

    def begun_at(self, parameters: Tensor, generator: torch.Generator) -> Tensor:
        """Return parameters of the MLP (P,) with adapters after them that change nothing yet.

        Args:
            parameters: Of the MLP.
            generator: Source of B, on the CPU.
        """
        return self.low_rank.begun_at(parameters, generator)

    def merged(self, parameters: Tensor) -> Tensor:
        """Return the parameters (P,) of the MLP with the adapters added; differentiable."""
        return self.low_rank.merged(parameters)

    def streams(self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the outputs' partial derivatives, shape (S, N, C)."""
        return self.inner.streams(self.merged(parameters), points, indices)

    def linearised(
        self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]
    ) -> tuple[Tensor, Pullback]:
        """Return the streams (S, N, C) and the pullback: ``dA = dW B^T`` and ``dB = A^T dW``."""
        held = parameters.detach()
        streams, pull_inner = self.inner.linearised(self.merged(held), points, indices)
        count = self.inner.num_parameters

        def pullback(cotangent: Tensor, out: Tensor) -> None:
            whole = out.new_zeros(len(out), count)
            pull_inner(cotangent, whole)
            out[:, :count] += whole
            start = count
            for span, a, b in self.adapters(held):
                matrices = whole[:, span].reshape(len(out), len(a), b.shape[1])
                for product in (matrices @ b.T, a.T @ matrices):
                    flat = product.flatten(1)
                    out[:, start : start + flat.shape[1]] += flat
                    start += flat.shape[1]

        return streams, pullback

    def adapters(self, parameters: Tensor) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Yield, by layer, where W is among the MLP's parameters, A (rows, r) and B (r, columns)."""
        return self.low_rank.adapters(parameters)
