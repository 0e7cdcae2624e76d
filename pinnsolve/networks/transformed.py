"""Networks followed by a fixed transform of their outputs, which builds into the answer what is known of it.

A transform acts on the streams of the inner network and on the points, so it may be linear or not,
and may use derivatives of the inner outputs. The Jacobian of the whole is the reverse mode of the
transform followed by the inner pullback.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.multi_index import MultiIndex
from pinnsolve.networks.network import Network, Pullback


class OutputTransform(ABC):
    """A fixed pointwise map from the streams of an inner network to those of the outputs; a frozen value."""

    @property
    @abstractmethod
    def num_inner_outputs(self) -> int:
        """Number C' of outputs that the inner network must have."""

    @property
    @abstractmethod
    def num_outputs(self) -> int:
        """Number C of field components."""

    @abstractmethod
    def inner_indices(self, indices: Sequence[MultiIndex]) -> tuple[MultiIndex, ...]:
        """Return the streams of the inner network that ``indices`` of the outputs are made of: a lower set."""

    @abstractmethod
    def apply(self, inner_streams: Tensor, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the outputs' partial derivatives, shape (S, N, C); differentiable in the inner streams.

        Args:
            inner_streams: Shape (S', N, C'), in the order of ``inner_indices(indices)``.
            points: Shape (N, D), in network units.
            indices: A lower set of multi-indices.
        """


@dataclass(frozen=True)
class Transformed(Network):
    """An inner network whose outputs pass through a transform.

    Attributes:
        inner: The network with the parameters.
        transform: What its outputs pass through.
    """

    inner: Network
    transform: OutputTransform

    @property
    def num_parameters(self) -> int:
        """Number P of the inner network's parameters: a transform has none."""
        return self.inner.num_parameters

    def initial_parameters(
        self, generator: torch.Generator, *, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        """Return initial parameters of the inner network, shape (P,)."""
        return self.inner.initial_parameters(generator, dtype=dtype, device=device)

    def streams(self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the outputs' partial derivatives, shape (S, N, C)."""
        inner = self.inner.streams(parameters, points, self.transform.inner_indices(indices))
        return self.transform.apply(inner, points, indices)

    def linearised(
        self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]
    ) -> tuple[Tensor, Pullback]:
        """Return the streams (S, N, C), detached, and the pullback that adds Jacobian rows."""
        inner, pull_inner = self.inner.linearised(
            parameters, points, self.transform.inner_indices(indices)
        )
        inner = inner.requires_grad_()
        with torch.enable_grad():
            outputs = self.transform.apply(inner, points, indices)

        def pullback(cotangent: Tensor, out: Tensor) -> None:
            (signal,) = torch.autograd.grad(
                outputs, inner, grad_outputs=cotangent, retain_graph=True
            )
            pull_inner(signal, out)

        return outputs.detach(), pullback
