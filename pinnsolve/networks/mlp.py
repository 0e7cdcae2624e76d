"""A fully connected tanh network that propagates partial derivatives forward, all in plain matrix products.

Per layer ``Z = X W^T + b`` acts on every stream alike (the bias on the value alone), and the
activation combines streams by the Faa di Bruno formula. Row n of the Jacobian is, layer by layer,
the sum over streams of (back-propagated signal) x (layer input), so one reverse sweep per equation
gives all N rows at once: the cost is that of a gradient, not of N gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor

from pinnsolve.jets.elementary import tanh_rule
from pinnsolve.multi_index import VALUE, MultiIndex, faa_di_bruno, lower_set
from pinnsolve.networks.embedding import Embedding, Identity
from pinnsolve.networks.network import Network, Pullback


@dataclass(frozen=True)
class Tape:
    """What one forward pass leaves behind for the reverse sweeps.

    Attributes:
        layer_inputs: Per layer, shape (S, N, inputs of the layer).
        pre_activations: Per layer, shape (S, N, outputs of the layer); the last one is the output.
    """

    layer_inputs: tuple[Tensor, ...]
    pre_activations: tuple[Tensor, ...]


@dataclass(frozen=True)
class MLP(Network):
    """A multilayer perceptron with tanh activations and a linear head.

    Attributes:
        num_inputs: Number D of coordinates.
        num_outputs: Number C of field components.
        hidden: Widths of the hidden layers.
        bandwidth: Factor on the first layer's initial weights; larger sees finer detail.
        embedding: What the first layer sees of the coordinates.
    """

    num_inputs: int
    num_outputs: int
    hidden: tuple[int, ...] = (24, 24, 24)
    bandwidth: float = 1.0
    embedding: Embedding = Identity()  # noqa: RUF009 - a frozen value

    def __post_init__(self) -> None:
        """Refuse sizes that are not positive."""
        if not self.hidden or min((self.num_inputs, self.num_outputs, *self.hidden)) < 1:
            raise ValueError(
                f"an MLP needs positive widths and at least one hidden layer, got {self}"
            )
        if not self.bandwidth > 0.0:
            raise ValueError(f"bandwidth must be > 0, got {self.bandwidth}")
        self.embedding.num_features(self.num_inputs)

    @property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """Shapes (outputs, inputs) of the weight matrices."""
        features = self.embedding.num_features(self.num_inputs)
        widths = (features, *self.hidden, self.num_outputs)
        return tuple((widths[i + 1], widths[i]) for i in range(len(widths) - 1))

    @property
    def num_parameters(self) -> int:
        """Number P of weights and biases."""
        return sum(rows * (columns + 1) for rows, columns in self.layers)

    def weight_span(self, layer: int) -> slice:
        """Return where a layer's weights are among the parameters; its biases follow them.

        Args:
            layer: Its number, 0 the first; the last is the head.
        """
        start = sum(rows * (columns + 1) for rows, columns in self.layers[:layer])
        rows, columns = self.layers[layer]
        return slice(start, start + rows * columns)

    def initial_parameters(
        self, generator: torch.Generator, *, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        """Return Glorot-normal weights (first layer times ``bandwidth``) and small random biases, shape (P,)."""
        pieces = []
        for layer, (rows, columns) in enumerate(self.layers):
            spread = sqrt(2.0 / (rows + columns)) * (self.bandwidth if layer == 0 else 1.0)
            weight = spread * torch.randn(
                rows, columns, generator=generator, dtype=torch.float64, device=generator.device
            )
            bias_spread = self.bandwidth * spread if layer == 0 else 0.1
            bias = bias_spread * torch.randn(
                rows, generator=generator, dtype=torch.float64, device=generator.device
            )
            pieces += [weight.flatten(), bias]
        return torch.cat(pieces).to(device=device, dtype=dtype)

    def streams(self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the outputs' partial derivatives, shape (S, N, C)."""
        return self._forward(parameters, points, tuple(indices)).pre_activations[-1]

    def hidden_streams(
        self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]
    ) -> Tensor:
        """Return the partial derivatives of what the last activation acts on, shape (S, N, width)."""
        return self._forward(parameters, points, tuple(indices)).pre_activations[-2]

    def linearised(
        self, parameters: Tensor, points: Tensor, indices: Sequence[MultiIndex]
    ) -> tuple[Tensor, Pullback]:
        """Return the streams (S, N, C), detached, and the pullback that adds Jacobian rows."""
        order = tuple(indices)
        with torch.enable_grad():
            tape = self._forward(parameters.detach().requires_grad_(), points, order)
        output = tape.pre_activations[-1]
        sources = [z.detach().permute(1, 0, 2).contiguous() for z in tape.layer_inputs]

        def pullback(cotangent: Tensor, out: Tensor) -> None:
            signals = torch.autograd.grad(
                output, tape.pre_activations, grad_outputs=cotangent, retain_graph=True
            )
            start = 0
            for (rows, columns), source, signal in zip(self.layers, sources, signals, strict=True):
                weights = torch.bmm(signal.permute(1, 2, 0).contiguous(), source)
                out[:, start : start + rows * columns] += weights.flatten(1)
                start += rows * columns
                out[:, start : start + rows] += signal[0]
                start += rows

        return output.detach(), pullback

    def _forward(self, parameters: Tensor, points: Tensor, indices: tuple[MultiIndex, ...]) -> Tape:
        if set(lower_set(indices)) != set(indices) or indices[0] != VALUE:
            raise ValueError(
                f"streams must be a lower set that starts with the value, got {indices}"
            )
        current = self.embedding.streams(points, indices)
        inputs: list[Tensor] = []
        outputs: list[Tensor] = []
        start = 0
        for layer, (rows, columns) in enumerate(self.layers):
            weight = parameters[start : start + rows * columns].view(rows, columns)
            start += rows * columns
            bias = parameters[start : start + rows]
            start += rows
            if layer > 0:
                current = activate(outputs[-1], indices)
            on_value_only = torch.cat((bias[None], bias.new_zeros(len(indices) - 1, rows)))
            inputs.append(current)
            outputs.append(current @ weight.T + on_value_only[:, None, :])
        return Tape(tuple(inputs), tuple(outputs))


def activate(streams: Tensor, indices: tuple[MultiIndex, ...]) -> Tensor:
    """Return the streams of ``tanh(z)`` from those of ``z``, both of shape (S, N, H)."""
    position = {index: i for i, index in enumerate(indices)}
    inner = streams.unbind(0)  # unlike indexing, its reverse fills no zeros
    outer = tanh_rule(inner[0], max(len(index) for index in indices))
    results = [outer[0]]
    for index in indices[1:]:
        total: Tensor | None = None
        for count, blocks in faa_di_bruno(index):
            term = outer[len(blocks)]
            for block in blocks:
                term = term * inner[position[block]]
            term = term if count == 1 else count * term
            total = term if total is None else total + term
        results.append(total if total is not None else torch.zeros_like(outer[0]))
    return torch.stack(results)
