"""A multilayer perceptron whose hidden layers multiply matrices in bfloat16 or float16.

Derivatives of order k of a network grow like the k-th power of its frequencies, so second
derivatives overflow float16 (largest number 65504) while the values are of order one. Each order
therefore has its own scale, a power of two, which is exact: streams of order k are multiplied by
scale[k] before they are cast, and divided by it after the product. The first layer, whose inputs
are coordinates, the activations, which combine streams of several orders, and the head stay in the
arithmetic of the parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.multi_index import MultiIndex
from pinnsolve.networks.mlp import MLP, activate
from pinnsolve.networks.network import Network, Pullback


@dataclass(frozen=True)
class LowPrecisionMLP(Network):
    """An MLP with the same parameters, evaluated with hidden products in low precision.

    Attributes:
        full: The network it stands for.
        dtype: Arithmetic of the hidden layers' products.
        scales: Factor on the streams of each derivative order before the cast; powers of two.
    """

    full: MLP
    dtype: torch.dtype
    scales: tuple[float, ...]

    @property
    def num_parameters(self) -> int:
        """Number P of trainable parameters, those of the full network."""
        return self.full.num_parameters

    def initial_parameters(
        self, generator: torch.Generator, *, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        """Return the full network's random initial parameters, shape (P,)."""
        return self.full.initial_parameters(generator, dtype=dtype, device=device)

    def streams(self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the outputs' partial derivatives, shape (S, N, C), in the arithmetic of the parameters.

        Args:
            parameters: Shape (P,).
            points: Shape (N, D).
            indices: A lower set of multi-indices that starts with the value.

        Raises:
            ValueError: If an order has no scale.
        """
        order = tuple(indices)
        highest = max(len(index) for index in order)
        if highest >= len(self.scales):
            raise ValueError(
                f"derivatives of order {highest} need {highest + 1} scales, got {self.scales}"
            )
        factors = points.new_tensor([self.scales[len(index)] for index in order])[:, None, None]
        current = self.full.embedding.streams(points, order)
        start, last = 0, len(self.full.layers) - 1
        for layer, (rows, columns) in enumerate(self.full.layers):
            weight = parameters[start : start + rows * columns].view(rows, columns)
            start += rows * columns
            bias = parameters[start : start + rows]
            start += rows
            if layer > 0:
                current = activate(current, order)
            if 0 < layer < last:
                product = (current * factors).to(self.dtype) @ weight.to(self.dtype).T
                current = product.to(parameters.dtype) / factors
            else:
                current = current @ weight.T
            on_value_only = torch.cat((bias[None], bias.new_zeros(len(order) - 1, rows)))
            current = current + on_value_only[:, None, :]
        return current

    def linearised(
        self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]
    ) -> tuple[Tensor, Pullback]:
        """Return the full network's streams and pullback: a Jacobian in low precision serves no method."""
        return self.full.linearised(parameters, points, indices)
