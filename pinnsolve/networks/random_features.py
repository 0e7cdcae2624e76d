"""A wide layer of fixed ridge functions ``tanh(w . x + b)`` with a trained linear head.

Only the head is trained, so a linear problem is one linear least-squares problem, and smooth solutions are met to ten
digits by a few hundred features (S. Dong & Z. Li, "Local extreme learning machines and domain decomposition for solving
linear and nonlinear partial differential equations", CMAME 387 (2021) 114129).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pinnsolve.jets.elementary import tanh_rule
from pinnsolve.multi_index import VALUE, MultiIndex, lower_set
from pinnsolve.networks.corners import CornerFunctions
from pinnsolve.networks.embedding import Embedding, Identity
from pinnsolve.networks.jump_flows import JumpFlow
from pinnsolve.networks.linear import LinearNetwork
from pinnsolve.networks.mlp import activate
from pinnsolve.networks.network import Network
from pinnsolve.networks.plane_corners import PlaneCornerFunctions
from pinnsolve.networks.start_corners import StartCornerFunctions

VectorSingular = PlaneCornerFunctions | JumpFlow
"""Singular vector fields of a corner of the plane."""

Singular = CornerFunctions | StartCornerFunctions
"""Singular functions of a corner of the plane, or of a wall at the start of time."""


@dataclass(frozen=True)
class FeatureTable:
    """Derivatives of the features at N points.

    Attributes:
        features: Shape (S, N, F).
        base: What is added to the outputs' streams, shape (S, N, C), or None.
        num_outputs: Number C of outputs.
        joint: Derivatives of features with one weight for all outputs, shape (S, N, C, J), or None.
    """

    features: Tensor
    base: Tensor | None
    num_outputs: int
    joint: Tensor | None = None

    @property
    def num_bytes(self) -> int:
        """Memory of the table."""
        held = self.features.numel() + (0 if self.joint is None else self.joint.numel())
        return held * self.features.element_size()

    def streams(self, parameters: Tensor) -> Tensor:
        """Return the streams (S, N, C)."""
        separate = self.num_outputs * self.features.shape[2]
        streams = self.features @ parameters[:separate].view(self.num_outputs, -1).T
        if self.joint is not None:
            streams = streams + self.joint @ parameters[separate:]
        return streams if self.base is None else streams + self.base

    def pullback(self, cotangent: Tensor, out: Tensor) -> None:
        """Add the rows of the Jacobian to ``out`` (N, P)."""
        num_features = self.features.shape[2]
        for c in range(self.num_outputs):
            columns = out[:, c * num_features : (c + 1) * num_features]
            for stream, slope in zip(self.features, cotangent[:, :, c], strict=True):
                if bool(slope.any()):
                    columns.addcmul_(stream, slope[:, None])
        if self.joint is not None:
            columns = out[:, self.num_outputs * num_features :][:, : self.joint.shape[3]]
            columns += torch.einsum("snc,sncj->nj", cotangent, self.joint)


@dataclass(frozen=True, eq=False)
class RandomFeatures(LinearNetwork):
    """Fixed ridge functions with a linear head; the head's weights are the parameters.

    Attributes:
        slopes: Direction times steepness w of each ridge, shape (R, D'), float64 on the CPU; a zero row is a constant.
        offsets: b of each ridge, shape (R,).
        num_outputs: Number C of field components.
        base: A trained network with its parameters, whose outputs are added; None for zero.
        embedding: What the ridges see of the D coordinates: D' numbers.
        corners: Singular functions of the coordinates, which are features too, after the ridges.
        plane_corners: Singular vector fields, each with one weight for all outputs; these weights are the last ones.
        spread: Standard deviation that is expected of the weights beforehand, where the field rests on data; infinite
            if nothing is expected.
    """

    slopes: Tensor
    offsets: Tensor
    num_outputs: int
    base: tuple[Network, Tensor] | None = None
    embedding: Embedding = Identity()  # noqa: RUF009 - a frozen value
    corners: tuple[Singular, ...] = ()
    plane_corners: tuple[VectorSingular, ...] = ()
    spread: float = math.inf

    def __post_init__(self) -> None:
        """Refuse shapes that do not belong together."""
        if self.slopes.ndim != 2 or self.offsets.shape != self.slopes.shape[:1]:
            raise ValueError(
                "random features need slopes of shape (F, D) and offsets of shape (F,), "
                f"got {tuple(self.slopes.shape)} and {tuple(self.offsets.shape)}"
            )
        if self.num_outputs < 1:
            raise ValueError(f"num_outputs must be >= 1, got {self.num_outputs}")
        if not self.spread > 0.0:
            raise ValueError(f"spread must be > 0 (inf expects nothing), got {self.spread}")
        if (self.corners or self.plane_corners) and self.slopes.shape[1] != 2:
            raise ValueError(
                f"corner functions are for two coordinates, got slopes for {self.slopes.shape[1]}"
            )

    def __repr__(self) -> str:
        """Say the sizes, not the numbers."""
        on = "" if self.base is None else f", on top of {self.base[0]!r}"
        if self.corners:
            on = f", {sum(c.num_features for c in self.corners)} of them singular at corners{on}"
        if self.plane_corners:
            on = f", {self.num_joint} singular vector fields{on}"
        inputs = self.slopes.shape[1]
        return f"RandomFeatures({self.num_features} features of {inputs} inputs, {self.num_outputs} outputs{on})"

    @property
    def num_features(self) -> int:
        """Number F of features."""
        return self.num_ridges + sum(corner.num_features for corner in self.corners)

    @property
    def num_ridges(self) -> int:
        """Number of ridge functions."""
        return len(self.slopes)

    @property
    def num_joint(self) -> int:
        """Number J of features with one weight for all outputs."""
        return sum(corner.num_features for corner in self.plane_corners)

    @property
    def num_parameters(self) -> int:
        """Number P = C F + J of head weights."""
        return self.num_outputs * self.num_features + self.num_joint

    def head(self, parameters: Tensor) -> Tensor:
        """Return the weights (C, F) of the features that every output has its own weights for."""
        return parameters[: self.num_outputs * self.num_features].view(self.num_outputs, -1)

    def tabulate(self, points: Tensor, indices: Sequence[MultiIndex]) -> FeatureTable:
        """Return the derivatives of all features at points (N, D)."""
        features = points.new_empty(len(indices), len(points), self.num_features)
        first = self.num_ridges
        if isinstance(self.embedding, Identity):
            self._fill_ridges(features[:, :, :first], points, indices)
        else:
            features[:, :, :first] = self._composed(points, indices)
        for corner in self.corners:
            features[:, :, first : first + corner.num_features] = corner.streams(points, indices)
            first += corner.num_features
        base = None
        if self.base is not None:
            network, parameters = self.base
            with torch.no_grad():
                base = network.streams(parameters.to(points), points, indices)
        joint = None
        if self.plane_corners:
            fields = [corner.streams(points, indices) for corner in self.plane_corners]
            joint = torch.cat(fields, dim=3)
        return FeatureTable(features, base, self.num_outputs, joint)

    def _fill_ridges(self, ridges: Tensor, points: Tensor, indices: Sequence[MultiIndex]) -> None:
        """Write the derivatives (S, N, R) of ridge functions of the coordinates.

        The derivative along axes i, j ... is ``w_i w_j ... tanh^(k)(w . x + b)``.
        """
        slopes, offsets = self.slopes.to(points), self.offsets.to(points)
        argument = torch.addmm(offsets, points, slopes.T)
        derivatives = tanh_rule(argument, max(len(index) for index in indices))
        for place, index in zip(ridges, indices, strict=True):
            if index == VALUE:
                place.copy_(derivatives[0])
            else:
                torch.mul(derivatives[len(index)], slopes[:, list(index)].prod(dim=1), out=place)

    def _composed(self, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the derivatives (S, N, R) of ridge functions of an embedding."""
        order = lower_set(indices)
        argument = self.embedding.streams(points, order) @ self.slopes.to(points).T
        argument[0] += self.offsets.to(points)
        features = activate(argument, order)
        return features[[order.index(index) for index in indices]]


def added_up(network: RandomFeatures, head: Tensor) -> tuple[RandomFeatures, Tensor]:
    """Return features on top of features as one layer of them, with its head; others as they are.

    Args:
        network: Features whose base may be features of the same embedding with no other corners.
        head: Their parameters, shape (P,).
    """
    base, below = network.base if network.base is not None else (None, head)
    if not isinstance(base, RandomFeatures) or base.embedding != network.embedding:
        return network, head
    if network.corners not in ((), base.corners):
        return network, head
    if network.plane_corners not in ((), base.plane_corners):
        return network, head
    below = below.to(head)
    upper, lower = network.head(head), base.head(below)
    corners = lower[:, base.num_ridges :].clone()
    if network.corners:
        corners += upper[:, network.num_ridges :]
    joint = below[base.num_parameters - base.num_joint :].clone()
    if network.plane_corners:
        joint += head[network.num_parameters - network.num_joint :]
    pieces = (lower[:, : base.num_ridges], upper[:, : network.num_ridges], corners)
    slopes = torch.cat((base.slopes, network.slopes))
    offsets = torch.cat((base.offsets, network.offsets))
    joined = replace(base, slopes=slopes, offsets=offsets)
    return joined, torch.cat((torch.cat(pieces, dim=1).flatten(), joint))


def draw_features(
    number: int, bandwidth: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return slopes (F, D) and offsets (F,) of features with random directions and centres in [-1, 1]^D.

    Args:
        number: F.
        bandwidth: Typical slope along each axis, shape (D,), float64 on the CPU; larger sees finer detail.
        generator: Source of the draw, on the CPU.
    """
    shape = (number, len(bandwidth))
    slopes = bandwidth * torch.randn(shape, generator=generator, dtype=torch.float64, device="cpu")
    uniform = torch.rand(shape, generator=generator, dtype=torch.float64, device="cpu")
    centres = _REACH * (2.0 * uniform - 1.0)
    return slopes, -(slopes * centres).sum(dim=1)


_REACH = 1.1
"""Centres lie in a box this much larger than the domain, so that its edges are as well covered as its inside."""
