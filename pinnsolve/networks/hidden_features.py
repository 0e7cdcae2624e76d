"""The hidden layers of a trained network as fixed features: what is left to solve for is the head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.multi_index import VALUE, MultiIndex, lower_set
from pinnsolve.networks.linear import LinearNetwork
from pinnsolve.networks.mlp import MLP, activate
from pinnsolve.networks.random_features import FeatureTable


@dataclass(frozen=True, eq=False)
class HiddenFeatures(LinearNetwork):
    """An MLP with its hidden layers held; the parameters are the head's, output by output: weights, then bias.

    Attributes:
        inner: The network.
        held: All its parameters, shape (P,); those of its head do not matter.
    """

    inner: MLP
    held: Tensor

    def __repr__(self) -> str:
        """Say the sizes, not the numbers."""
        return f"HiddenFeatures({self.num_features} features of {self.inner!r})"

    @property
    def num_features(self) -> int:
        """Number F of features, the constant included."""
        return self.inner.hidden[-1] + 1

    @property
    def num_parameters(self) -> int:
        """Number C F of the head's weights and biases."""
        return self.inner.num_outputs * self.num_features

    def tabulate(self, points: Tensor, indices: Sequence[MultiIndex]) -> FeatureTable:
        """Return the derivatives of all features at points (N, D)."""
        order = lower_set(indices)
        held = self.held.to(points)
        last = activate(self.inner.hidden_streams(held, points, order), order)
        rows = [order.index(index) for index in indices]
        constant = last.new_zeros(len(rows), len(points), 1)
        constant[[i for i, index in enumerate(indices) if index == VALUE]] = 1.0
        features = torch.cat((last[rows], constant), dim=2)
        return FeatureTable(features, None, self.inner.num_outputs)

    def head_of(self, parameters: Tensor) -> Tensor:
        """Return the head's parameters (C F,) of all those of the network (P,)."""
        weights = parameters[self.inner.weight_span(len(self.inner.hidden))]
        table = weights.view(self.inner.num_outputs, -1)
        bias = parameters[-self.inner.num_outputs :, None]
        return torch.cat((table, bias), dim=1).flatten()

    def whole(self, head: Tensor) -> Tensor:
        """Return all parameters (P,) of the network with a head (C F,)."""
        table = head.view(self.inner.num_outputs, -1)
        first = self.inner.weight_span(len(self.inner.hidden)).start
        return torch.cat((self.held.to(head)[:first], table[:, :-1].flatten(), table[:, -1]))
