"""A block: N points where the same equations hold.

Its ``rows`` are pure functions of the fields; where the fields come from (a network, a grid, an exact solution) is not
its business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor

from pinnsolve.jets import Coordinates, Fields, Frame, Jet, as_jet, component_names
from pinnsolve.measurements import Likelihood

Kind = Literal["interior", "boundary", "initial", "periodic", "interface", "data", "gauge", "prior"]


@dataclass(frozen=True)
class Site:
    """The fields at a block's points, with what the block knows about these points.

    Attributes:
        fields: One entry per point set.
        x: Coordinates, one entry per point set.
        normal: Outward unit normal, or None inside.
        data: Measured values, shape (N,) each, by name.
        shares: Share of each point set in a mean, shape (N, number of point sets).
    """

    fields: tuple[Fields, ...]
    x: tuple[Coordinates, ...]
    normal: Jet
    data: Mapping[str, Tensor]
    shares: Tensor


Rows = Callable[[Site, Mapping[str, object]], dict[str, Jet]]
"""``rows(site, values)``: scalar equations by name, for given values of the unknowns."""


@dataclass(frozen=True)
class Block:
    """Equations at points.

    Attributes:
        name: For tables: ``interior``, ``left: Dirichlet`` ...
        kind: What sort of statement it is.
        point_sets: Points in SI units, each of shape (N, D); two sets for a periodic pair
            and for the sides of an interface, one for each node of a mean over a sensor, else one.
        law: The equations.
        normals: Outward unit normals, shape (N, space dimension); zeros where there is no boundary.
        data: Measured values by name, each of shape (N,), or what a prior is made with, (N, columns); else empty.
        noise: Standard deviation of the measured values, or of a prior's rows, shape (N,), or None.
        shares: Share of each point set in a mean, shape (N, number of point sets), or None.
        likelihood: How noise is distributed.
        density: How dense the points are beside a plain draw, whose root divides the rows, shape (N,), or None for 1.
    """

    name: str
    kind: Kind
    point_sets: tuple[Tensor, ...]
    law: Rows
    normals: Tensor
    data: Mapping[str, Tensor] = field(default_factory=dict)
    noise: Tensor | None = None
    shares: Tensor | None = None
    likelihood: Likelihood = "normal"
    density: Tensor | None = None

    @property
    def num_points(self) -> int:
        """Number N of points."""
        return len(self.point_sets[0])

    def coordinates(self, frame: Frame) -> tuple[Coordinates, ...]:
        """Return the coordinates of each point set."""
        return tuple(Coordinates(points, frame) for points in self.point_sets)

    def rows(
        self, fields: tuple[Fields, ...], x: tuple[Coordinates, ...], values: Mapping[str, object]
    ) -> dict[str, Jet]:
        """Return the scalar equations by name.

        Args:
            fields: Fields at each point set.
            x: Coordinates of each point set.
            values: A value for every unknown: a number or a tensor of shape () or (N,). The ranges
                take their values from the coordinates.
        """
        shares = self.normals.new_ones(self.num_points, 1) if self.shares is None else self.shares
        site = Site(fields, x, normal_jet(self.normals, x[0].frame), self.data, shares)
        return self.law(site, {**values, **x[0].parameters})

    def taken(self, span: slice | Tensor) -> Block:
        """Return the block at some of its points only."""
        return self._mapped(lambda t: t[span])

    def to(self, *, dtype: torch.dtype, device: torch.device) -> Block:
        """Return a copy in another precision or on another device."""
        return self._mapped(lambda t: t.to(dtype=dtype, device=device))

    def _mapped(self, change: Callable[[Tensor], Tensor]) -> Block:
        return replace(
            self,
            point_sets=tuple(change(points) for points in self.point_sets),
            normals=change(self.normals),
            data={name: change(column) for name, column in self.data.items()},
            noise=None if self.noise is None else change(self.noise),
            shares=None if self.shares is None else change(self.shares),
            density=None if self.density is None else change(self.density),
        )


def scalar_equations(equations: Mapping[str, Jet]) -> dict[str, Jet]:
    """Split vector equations into scalar ones: ``momentum`` becomes ``momentum_x``, ``momentum_y``."""
    rows: dict[str, Jet] = {}
    for name, row in equations.items():
        if row.shape == ():
            rows[name] = row
        else:
            rows |= dict(zip(component_names({name: row.shape}), row, strict=True))
    return rows


def normal_jet(normals: Tensor, frame: Frame) -> Jet:
    """Return unit normals (N, space dimension) as a constant vector field."""
    return as_jet(list(normals.unbind(1)), frame)
