"""Networks for tables: a linear part that is always there, and what is added to it.

A model is a frozen architecture; its parameters are one flat tensor that is passed in, as everywhere in this library.
Hidden products may run in bfloat16 or float16; the linear part and the head stay in the arithmetic of the parameters.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import prod, sqrt

import torch
from torch import Tensor
from torch.nn.functional import layer_norm, linear, silu

from pinnsolve.multi_index import VALUE
from pinnsolve.networks import MLP, Fourier

FREE = 0
"""Group of the parameters that no prior holds: the biases of the outputs."""


class TableModel(ABC):
    """A map from F standardised inputs to C outputs of order one."""

    num_inputs: int
    num_outputs: int

    @property
    @abstractmethod
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the parameters in the order in which they lie in the flat tensor."""

    @property
    def num_parameters(self) -> int:
        """Number P of trainable parameters."""
        return sum(prod(shape) for shape in self.shapes)

    @abstractmethod
    def initial_parameters(
        self, generator: torch.Generator, *, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        """Return random initial parameters, shape (P,)."""

    @abstractmethod
    def outputs(self, theta: Tensor, x: Tensor, products: torch.dtype | None = None) -> Tensor:
        """Return the outputs, shape (N, C); differentiable in theta.

        Args:
            theta: Shape (P,).
            x: Shape (N, F).
            products: Arithmetic of the hidden layers; None is that of theta.
        """

    @abstractmethod
    def linearised(self, theta: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the outputs (N, C) and their Jacobian (C, N, P)."""

    @abstractmethod
    def describe(self) -> str:
        """Return the architecture in words."""

    @property
    def shapes_by_layer(self) -> tuple[int, ...]:
        """How many of the shapes after the linear part's belong to each layer, from the inputs to the head."""
        return ()

    @property
    def layers(self) -> tuple[slice, ...]:
        """Where in theta each layer lies, from the inputs to the head; the linear part lies before them."""
        found, sizes = [], [prod(shape) for shape in self.shapes]
        first, start = 1, sizes[0]
        for count in self.shapes_by_layer:
            found.append(slice(start, start + sum(sizes[first : first + count])))
            first, start = first + count, found[-1].stop
        return tuple(found)

    def parts(self, theta: Tensor) -> tuple[Tensor, ...]:
        """Return views of theta by shape."""
        sizes = [prod(shape) for shape in self.shapes]
        pieces = zip(theta.split(sizes), self.shapes, strict=True)
        return tuple(piece.view(shape) for piece, shape in pieces)

    @property
    def spans(self) -> list[tuple[slice, tuple[int, int]]]:
        """Where in theta each weight matrix lies, and its shape (outputs, inputs)."""
        found, start = [], 0
        for shape in self.shapes:
            if len(shape) == 2:
                found.append((slice(start, start + prod(shape)), (shape[0], shape[1])))
            start += prod(shape)
        return found

    def decayed(self) -> Tensor:
        """Return 1 for the weights that decay and 0 for biases, shape (P,), float64 on the CPU."""
        mask = torch.zeros(self.num_parameters, dtype=torch.float64, device="cpu")
        for span, _ in self.spans:
            mask[span] = 1.0
        return mask


class SmoothModel(TableModel):
    """A model whose Jacobian is known in closed form, and with a prior: for Gauss-Newton."""

    @abstractmethod
    def prior_groups(self) -> Tensor:
        """Return which group each parameter is in, shape (P,); groups share one width of their normal prior."""


@dataclass(frozen=True)
class Linear(SmoothModel):
    """Weights and biases only.

    Attributes:
        num_inputs: Number F of columns.
        num_outputs: Number C of outputs.
    """

    num_inputs: int
    num_outputs: int

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """A matrix and a bias."""
        return (self.num_outputs, self.num_inputs), (self.num_outputs,)

    def initial_parameters(
        self, generator: torch.Generator, *, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        """Return zeros: there is no better start."""
        del generator
        return torch.zeros(self.num_parameters, dtype=dtype, device=device)

    def outputs(self, theta: Tensor, x: Tensor, products: torch.dtype | None = None) -> Tensor:
        """Return ``x W^T + b``."""
        del products
        return linear(x, *self.parts(theta))

    def linearised(self, theta: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the outputs (N, C) and their Jacobian (C, N, P)."""
        jacobian = x.new_zeros(self.num_outputs, len(x), self.num_parameters)
        add_linear_rows(jacobian, x)
        jacobian[:, :, -self.num_outputs :] += torch.eye(self.num_outputs).to(x)[:, None]
        return self.outputs(theta, x), jacobian

    def prior_groups(self) -> Tensor:
        """All weights share one width."""
        weights = torch.ones(self.num_outputs * self.num_inputs, dtype=torch.long)
        return torch.cat((weights, torch.full((self.num_outputs,), FREE)))

    def describe(self) -> str:
        """Return ``linear``."""
        return "linear"


@dataclass(frozen=True)
class SkipMLP(SmoothModel):
    """``x A^T + MLP(x)``: what the linear part cannot do is left to the tanh network.

    Attributes:
        network: The network; its embedding may be :class:`pinnsolve.networks.Fourier`.
    """

    network: MLP

    @property
    def num_inputs(self) -> int:  # type: ignore[override]
        """Number F of columns."""
        return self.network.num_inputs

    @property
    def num_outputs(self) -> int:  # type: ignore[override]
        """Number C of outputs."""
        return self.network.num_outputs

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The matrix of the linear part, then matrix and bias of every layer."""
        layers = [shape for layer in self.network.layers for shape in (layer, (layer[0],))]
        return (self.num_outputs, self.num_inputs), *layers

    @property
    def shapes_by_layer(self) -> tuple[int, ...]:
        """Matrix and bias."""
        return (2,) * len(self.network.layers)

    def initial_parameters(
        self, generator: torch.Generator, *, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        """Return a linear part of zeros and the network's own start, shape (P,)."""
        own = self.network.initial_parameters(generator, dtype=dtype, device=device)
        return torch.cat((own.new_zeros(self.num_outputs * self.num_inputs), own))

    def outputs(self, theta: Tensor, x: Tensor, products: torch.dtype | None = None) -> Tensor:
        """Return the outputs, shape (N, C)."""
        skip, *rest = self.parts(theta)
        current = self.network.embedding.streams(x, (VALUE,))[0]
        for weight, bias in zip(rest[:-2:2], rest[1:-2:2], strict=True):
            current = torch.tanh(linear(*lowered((current, weight, bias), products)))
        return linear(x, skip) + linear(current.to(theta.dtype), rest[-2], rest[-1])

    def linearised(self, theta: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the outputs (N, C) and their Jacobian (C, N, P)."""
        first = self.num_outputs * self.num_inputs
        streams, pullback = self.network.linearised(theta[first:], x, (VALUE,))
        jacobian = x.new_zeros(self.num_outputs, len(x), self.num_parameters)
        add_linear_rows(jacobian, x)
        for k in range(self.num_outputs):
            cotangent = torch.zeros_like(streams)
            cotangent[:, :, k] = 1.0
            pullback(cotangent, jacobian[k, :, first:])
        return streams[0] + linear(x, theta[:first].view(self.num_outputs, -1)), jacobian

    def prior_groups(self) -> Tensor:
        """Each input of the first layer has a width of its own, so that those that do not matter fade."""
        groups = [torch.ones(self.num_outputs * self.num_inputs, dtype=torch.long)]
        last, following = len(self.network.layers) - 1, 2
        for layer, (rows, columns) in enumerate(self.network.layers):
            own = columns if layer == 0 else 1
            ids = torch.arange(following, following + own)
            groups.append(ids.expand(rows, columns).flatten())
            following += own
            groups.append(torch.full((rows,), FREE if layer == last else following))
            following += layer != last
        return torch.cat(groups)

    def describe(self) -> str:
        """Return for instance ``linear + mlp 16 x 16``."""
        widths = " x ".join(str(width) for width in self.network.hidden)
        kind = "fourier" if isinstance(self.network.embedding, Fourier) else "mlp"
        return f"linear + {kind} {widths}"


@dataclass(frozen=True)
class GatedResidual(TableModel):
    """Residual blocks whose second product is gated: ``h + W (silu(G n) * (U n))`` with n the normalised h.

    The gate is that of N. Shazeer, "GLU variants improve transformer", 2020, arXiv:2002.05202; residual networks on
    tables: Y. Gorishniy et al., "Revisiting deep learning models for tabular data", 2021, arXiv:2106.11959.

    Attributes:
        num_inputs: Number F of columns.
        num_outputs: Number C of outputs.
        width: Width of h.
        depth: Number of blocks.
    """

    num_inputs: int
    num_outputs: int
    width: int = 64
    depth: int = 2

    def __post_init__(self) -> None:
        """Refuse sizes that are not positive."""
        if min(self.num_inputs, self.num_outputs, self.width, self.depth) < 1:
            raise ValueError(f"a gated network needs positive sizes, got {self}")

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Linear part, entrance, blocks (gate, values, bias, way out), exit."""
        w = self.width
        entrance: list[tuple[int, ...]] = [
            (self.num_outputs, self.num_inputs),
            (w, self.num_inputs),
            (w,),
        ]
        blocks: list[tuple[int, ...]] = [(w, w), (w,), (w, w), (w,), (w, w)] * self.depth
        return *entrance, *blocks, (self.num_outputs, w), (self.num_outputs,)

    @property
    def shapes_by_layer(self) -> tuple[int, ...]:
        """Entrance, every block, exit."""
        return (2, *[5] * self.depth, 2)

    def initial_parameters(
        self, generator: torch.Generator, *, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        """Return normal weights of variance 1 / inputs, blocks that begin as small changes, zero biases."""
        pieces = []
        for number, shape in enumerate(self.shapes):
            drawn = torch.zeros(prod(shape), dtype=torch.float64, device=generator.device)
            if len(shape) == 2 and number > 0:
                drawn.normal_(generator=generator).div_(sqrt(shape[1]))
                if shape == (self.width, self.width) and (number - 3) % 5 == 4:
                    drawn *= 0.3
            pieces.append(drawn)
        return torch.cat(pieces).to(device=device, dtype=dtype)

    def outputs(self, theta: Tensor, x: Tensor, products: torch.dtype | None = None) -> Tensor:
        """Return the outputs, shape (N, C)."""
        parts = self.parts(theta)
        skip, entrance, shift = parts[:3]
        h = linear(*lowered((x, entrance, shift), products))
        for block in range(self.depth):
            gate, gate_bias, value, value_bias, out = lowered(
                parts[3 + 5 * block : 8 + 5 * block], products
            )
            n = layer_norm(h, (self.width,))
            h = h + linear(silu(linear(n, gate, gate_bias)) * linear(n, value, value_bias), out)
        ready = layer_norm(h.to(theta.dtype), (self.width,))
        return linear(x, skip) + linear(silu(ready), parts[-2], parts[-1])

    def linearised(self, theta: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the outputs (N, C) and their Jacobian (C, N, P)."""

        def of_row(at: Tensor, row: Tensor) -> Tensor:
            return self.outputs(at, row[None])[0]

        rows = torch.func.vmap(torch.func.jacrev(of_row), in_dims=(None, 0))(theta, x)
        return self.outputs(theta, x), rows.transpose(0, 1)

    def describe(self) -> str:
        """Return for instance ``linear + gated 64 x 2``."""
        return f"linear + gated {self.width} x {self.depth}"


def add_linear_rows(jacobian: Tensor, x: Tensor) -> None:
    """Add the derivatives by the matrix of a linear part, which lies first, to a Jacobian (C, N, P) in place."""
    for k in range(len(jacobian)):
        jacobian[k, :, k * x.shape[1] : (k + 1) * x.shape[1]] += x


def lowered(tensors: tuple[Tensor, ...], dtype: torch.dtype | None) -> tuple[Tensor, ...]:
    """Return tensors in another arithmetic; None leaves them alone."""
    return tensors if dtype is None else tuple(tensor.to(dtype) for tensor in tensors)
