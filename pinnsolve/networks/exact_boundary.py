"""Given boundary and initial values met exactly: every output is given values plus distance times network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from pinnsolve.geometry.quadrics import Quadric
from pinnsolve.jets import Coordinates, Frame, Jet
from pinnsolve.multi_index import MultiIndex
from pinnsolve.networks.extensions import Extension, product_of
from pinnsolve.networks.transformed import OutputTransform


@dataclass(frozen=True)
class Prescribed:
    """Where and how one component is given.

    Attributes:
        where: Names of the boundary parts, and ``start``, for display.
        factors: Quadrics of the space coordinates in network units, positive inside; each part is
            a zero of one of them.
        axis_of_start: Axis of time if the component is given at the start, else None.
        values: The given values, continued into the domain.
    """

    where: tuple[str, ...]
    factors: tuple[Quadric, ...] = field(repr=False)
    axis_of_start: int | None = field(repr=False)
    values: Extension = field(repr=False)

    def distance(self, u: Coordinates) -> Jet:
        """Return a smooth function that vanishes, with nonzero slope, exactly where the component is given."""
        inside = product_of(self.factors, u)
        if self.axis_of_start is None:
            return inside
        return inside * ((u[self.axis_of_start] + 1.0) * 0.5)


@dataclass(frozen=True)
class ExactBoundary(OutputTransform):
    """``u = g + A N`` per component: N the network, g continued given values, A a distance to where they hold.

    A is the product of one polynomial per plane or quadric, normalised to slope of order one, and
    of ``(t - start) / (end - start)`` where initial values are given (N. Sukumar & A. Srivastava,
    "Exact imposition of boundary conditions with distance functions in physics-informed deep neural
    networks", CMAME 389 (2022) 114333). Unlike their R-equivalence, the product has no singular
    second derivatives at corners, at which collocation would stumble.

    Attributes:
        frame: The coordinates.
        offset: Offset of each component, (C,).
        scale: Scale of each component, (C,).
        components: How each component is given; None where it is not.
    """

    frame: Frame
    offset: tuple[float, ...]
    scale: tuple[float, ...]
    components: tuple[Prescribed | None, ...]

    @property
    def num_inner_outputs(self) -> int:
        """Number C of field components."""
        return len(self.components)

    @property
    def num_outputs(self) -> int:
        """Number C of field components."""
        return len(self.components)

    def inner_indices(self, indices: Sequence[MultiIndex]) -> tuple[MultiIndex, ...]:
        """Return the indices themselves."""
        return tuple(indices)

    def apply(self, inner_streams: Tensor, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the outputs' partial derivatives, shape (S, N, C)."""
        u = Coordinates(points, self.frame)
        columns = [
            self._column(c, inner_streams[:, :, c], u, tuple(indices))
            for c in range(len(self.components))
        ]
        return torch.stack(columns, dim=2)

    def _column(
        self, component: int, inner: Tensor, u: Coordinates, indices: tuple[MultiIndex, ...]
    ) -> Tensor:
        """Return the streams of one component, shape (S, N)."""
        given = self.components[component]
        if given is None:
            return inner
        streams = dict(zip(indices, inner.unbind(0), strict=True))
        free = Jet.leaf(lambda index: streams[index], self.frame)
        known = (given.values.jet(u) - self.offset[component]) * (1.0 / self.scale[component])
        total = (given.distance(u) * free + known).parts[0]
        return torch.stack([torch.as_tensor(total.derivative(index)) for index in indices])
