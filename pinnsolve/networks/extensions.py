"""Given boundary and initial values continued smoothly into the domain.

Everything here is a function of the coordinates in network units, [-1, 1] along each axis, and
returns jets in these units, so that derivatives of any order come out exact.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from pinnsolve.conditions import Condition
from pinnsolve.geometry.quadrics import Quadric
from pinnsolve.jets import Coordinates, Fields, Jet, as_jet
from pinnsolve.jets.scalar import Numeric
from pinnsolve.multi_index import MultiIndex
from pinnsolve.physics import Physics

Place = Callable[[Coordinates], Jet]
"""A scalar field of the coordinates in network units."""


class Extension(ABC):
    """A smooth function on the whole domain that takes given values where they are given."""

    @abstractmethod
    def jet(self, u: Coordinates) -> Jet:
        """Return the function, in SI units, with derivatives in network units.

        Args:
            u: Coordinates in network units.
        """


@dataclass(frozen=True)
class GivenValue(Extension):
    """The value that a condition gives a component, by the condition's own formula wherever that is evaluated.

    Attributes:
        condition: A condition whose residual is field minus given value.
        component: The component.
        physics: The physics, with numbers in place of unknowns.
        center: Center of the coordinates' box in SI units, (D,).
        half_lengths: Half its extents, (D,).
    """

    condition: Condition
    component: str
    physics: Physics
    center: tuple[float, ...]
    half_lengths: tuple[float, ...]

    def jet(self, u: Coordinates) -> Jet:
        """Return the given value."""
        frame, lengths = u.frame, self.half_lengths
        middle, half = (u.points.new_tensor(v) for v in (self.center, lengths))
        shapes = self.physics.field_shapes(frame.space_dim)
        zero = Fields({n: as_jet([0.0] * s[0] if s else 0.0, frame) for n, s in shapes.items()})
        normal = as_jet([0.0] * frame.space_dim, frame)
        x = Coordinates(middle + half * u.points, frame)
        row = self.condition.residual(zero, x, normal, self.physics)[self.component].parts[0]

        def source(index: MultiIndex) -> Numeric:
            return -math.prod(lengths[axis] for axis in index) * row.derivative(index)

        return Jet.leaf(source, frame)


@dataclass(frozen=True)
class Coons(Extension):
    """Blends the values given on planes ``u_k = position``, at most two per axis.

    The Boolean sum of linear interpolations along the axes (W. J. Gordon & C. A. Hall, "Transfinite
    element methods: blending-function interpolation over arbitrary curved element domains", Numer.
    Math. 21 (1973) 109-129). It takes all given values if they agree where planes meet.

    Attributes:
        faces: Triples (axis, position, value).
    """

    faces: tuple[tuple[int, float, Extension], ...]

    def jet(self, u: Coordinates) -> Jet:
        """Return the Boolean sum: single planes, minus intersections of two, plus those of three ..."""
        axes = sorted({axis for axis, _, _ in self.faces})
        choices = [[None, *(face for face in self.faces if face[0] == axis)] for axis in axes]
        total = as_jet(0.0, u.frame)
        for chosen in product(*choices):
            members = [face for face in chosen if face is not None]
            if not members:
                continue
            held = {axis: position for axis, position, _ in members}
            term = held_at(members[0][2].jet, u, held)
            for axis, position, _ in members:
                term = term * self._blend(u, axis, position)
            total = total + term * (-1.0) ** (len(members) + 1)
        return total

    def _blend(self, u: Coordinates, axis: int, position: float) -> Jet:
        """Return the linear function that is 1 on one plane and 0 on the other; 1 if there is no other."""
        others = [p for a, p, _ in self.faces if a == axis and p != position]
        if not others:
            return as_jet(1.0, u.frame)
        return (u[axis] - others[0]) * (1.0 / (position - others[0]))


@dataclass(frozen=True)
class InverseDistance(Extension):
    """The mean of several given values, weighted by the inverse of the distance to where each holds.

    Transfinite interpolation after V. L. Rvachev et al., "Transfinite interpolation over implicitly
    defined sets", Comput. Aided Geom. Des. 18 (2001) 195-220; smooth if the places do not touch.

    Attributes:
        members: Pairs of the quadrics that vanish where a value holds, and the value.
    """

    members: tuple[tuple[tuple[Quadric, ...], Extension], ...]

    def jet(self, u: Coordinates) -> Jet:
        """Return ``sum_i w_i value_i / sum_i w_i``, w_i the product of the others' distances."""
        distances = [product_of(quadrics, u) for quadrics, _ in self.members]
        total, weights = as_jet(0.0, u.frame), as_jet(0.0, u.frame)
        for i, (_, value) in enumerate(self.members):
            weight = as_jet(1.0, u.frame)
            for j, distance in enumerate(distances):
                weight = weight if i == j else weight * distance
            total, weights = total + weight * value.jet(u), weights + weight
        return total / weights


@dataclass(frozen=True)
class FromStart(Extension):
    """A function that takes boundary values at all times and initial values at the start.

    ``G(x, t) + f(x) - G(x, start)``: it takes both if they agree on the boundary at the start.

    Attributes:
        boundary: G, the continued boundary values.
        start: f, the initial values.
        axis: Axis of time; the start is at -1 in network units.
    """

    boundary: Extension
    start: Extension
    axis: int

    def jet(self, u: Coordinates) -> Jet:
        """Return the sum."""
        held = {self.axis: -1.0}
        first = held_at(self.start.jet, u, held) - held_at(self.boundary.jet, u, held)
        return self.boundary.jet(u) + first


def held_at(place: Place, u: Coordinates, held: Mapping[int, float]) -> Jet:
    """Return a field with some coordinates held fixed; it does not change along their axes.

    Args:
        place: The field.
        u: The coordinates.
        held: Fixed position by axis.
    """
    points = u.points.clone()
    for axis, position in held.items():
        points[:, axis] = position
    base = place(Coordinates(points, u.frame)).parts[0]

    def source(index: MultiIndex) -> Numeric:
        return 0.0 if any(axis in held for axis in index) else base.derivative(index)

    return Jet.leaf(source, u.frame)


def product_of(quadrics: Sequence[Quadric], u: Coordinates) -> Jet:
    """Return the product of quadrics of the space coordinates; 1 if there are none."""
    result = as_jet(1.0, u.frame)
    for quadric in quadrics:
        result = result * quadric_jet(quadric, u)
    return result


def quadric_jet(quadric: Quadric, u: Coordinates) -> Jet:
    """Return a quadric of the space coordinates as a field."""
    dim = u.frame.space_dim
    points = u.points[:, :dim]
    linear = points.new_tensor(quadric.linear)
    matrix = points.new_tensor(quadric.quadratic)
    slopes = linear + 2.0 * points @ matrix
    values = quadric.constant + points @ linear + ((points @ matrix) * points).sum(dim=1)

    def source(index: MultiIndex) -> Numeric:
        if len(index) > 2 or any(axis >= dim for axis in index):
            return 0.0
        if len(index) == 2:
            return 2.0 * quadric.quadratic[index[0]][index[1]]
        return slopes[:, index[0]] if index else values

    return Jet.leaf(source, u.frame)
