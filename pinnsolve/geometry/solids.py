"""The primitive shapes of space: box, sphere and cylinder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, pi

import numpy as np
import numpy.typing as npt

from pinnsolve.geometry.boundary import Piece
from pinnsolve.geometry.checks import (
    Array,
    corners,
    count,
    part_name,
    point_array,
    position,
    positive,
    read_only,
)
from pinnsolve.geometry.distances import ball_distance, box_distance, cylinder_distance
from pinnsolve.geometry.gauss import Rule, counts_per_axis, tensor_rule, unit_rule
from pinnsolve.geometry.patches import CylinderSide, Disc, Parallelogram, SphereSurface
from pinnsolve.geometry.shape import Shape
from pinnsolve.naming import near_match_text


class SolidShape(Shape):
    """A primitive shape of three dimensions."""

    @property
    def dim(self) -> int:
        """Return 3."""
        return 3


@dataclass(frozen=True)
class Box(SolidShape):
    """An axis-aligned box.

    The parts are ``left`` and ``right`` along x, ``front`` and ``back`` along y, ``bottom`` and
    ``top`` along z.

    Attributes:
        lower: Corner with the least coordinates in m, (3,).
        upper: Corner with the greatest coordinates in m, (3,).

    Raises:
        ValueError: If a corner is malformed or the box has no extent along an axis.
    """

    lower: Sequence[float]
    upper: Sequence[float]

    def __post_init__(self) -> None:
        """Check the corners."""
        lower, upper = corners(self.lower, self.upper, 3, "Box")
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Return the two corners, (3,) each, in m."""
        return read_only(self.lower), read_only(self.upper)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Return the six faces."""
        lower, upper = self.bounds
        names = (("left", "right"), ("front", "back"), ("bottom", "top"))
        return tuple(
            _box_face(lower, upper, axis, is_upper=is_upper, part=part)
            for axis, pair in enumerate(names)
            for is_upper, part in enumerate(pair)
        )

    @cached_property
    def measure(self) -> float:
        """Return the volume in m^3."""
        lower, upper = self.bounds
        return float(np.prod(upper - lower))

    def signed_distance(self, points: npt.ArrayLike) -> Array:
        """Return the exact signed distance (N,) in m."""
        return box_distance(point_array(points, 3), *self.bounds)

    def interior_quadrature(self, num_points: int) -> Rule:
        """Return a product of Gauss-Legendre rules: points (N, 3) and weights (N,)."""
        lower, upper = self.bounds
        extents = tuple(float(extent) for extent in upper - lower)
        counts = counts_per_axis(count(num_points), extents)
        nodes, weights = tensor_rule(*(unit_rule(num) for num in counts))
        return lower + nodes * (upper - lower), self.measure * weights


@dataclass(frozen=True)
class Sphere(SolidShape):
    """A solid sphere whose boundary is one part.

    Attributes:
        center: Center in m, (3,).
        radius: Radius in m.
        name: Name of the boundary.

    Raises:
        ValueError: If the center is malformed or the radius not positive.
    """

    center: Sequence[float]
    radius: float
    name: str = "sphere"

    def __post_init__(self) -> None:
        """Check center, radius and name."""
        object.__setattr__(self, "center", position(self.center, 3, "Sphere center"))
        object.__setattr__(self, "radius", positive(self.radius, "Sphere radius"))
        part_name(self.name, "Sphere name")

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Return the corners of the cube around the sphere, (3,) each, in m."""
        center = np.asarray(self.center)
        return read_only(center - self.radius), read_only(center + self.radius)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Return the sphere as one piece."""
        return (SphereSurface(center=np.asarray(self.center), radius=self.radius, part=self.name),)

    @cached_property
    def measure(self) -> float:
        """Return the volume in m^3."""
        return 4.0 / 3.0 * pi * self.radius**3

    def signed_distance(self, points: npt.ArrayLike) -> Array:
        """Return the exact signed distance (N,) in m."""
        return ball_distance(point_array(points, 3), np.asarray(self.center), self.radius)

    def interior_quadrature(self, num_points: int) -> Rule:
        """Return a rule in spherical coordinates: points (N, 3) and weights (N,)."""
        across = max(2, ceil((count(num_points) / 2.0) ** (1.0 / 3.0)))
        shells, shell_weights = unit_rule(across)
        around = tensor_rule(unit_rule(across), unit_rule(max(4, 2 * across), periodic=True))
        directions = self.pieces[0].place(around[0])[1]
        points = self.center + self.radius * shells[:, None, None] * directions
        weights = 3.0 * self.measure * np.outer(shell_weights * shells**2, around[1])
        return points.reshape(-1, 3), weights.ravel()


@dataclass(frozen=True)
class Cylinder(SolidShape):
    """A circular cylinder with the parts ``bottom``, ``top`` and ``side``.

    Attributes:
        base_center: Center of the bottom in m, (3,).
        radius: Radius in m.
        height: Length along the axis in m, from the bottom towards greater coordinates.
        axis: ``"x"``, ``"y"`` or ``"z"``.

    Raises:
        ValueError: If the base center is malformed, a length not positive or the axis unknown.
    """

    base_center: Sequence[float]
    radius: float
    height: float
    axis: str = "z"

    def __post_init__(self) -> None:
        """Check base center, lengths and axis."""
        base = position(self.base_center, 3, "Cylinder base_center")
        object.__setattr__(self, "base_center", base)
        object.__setattr__(self, "radius", positive(self.radius, "Cylinder radius"))
        object.__setattr__(self, "height", positive(self.height, "Cylinder height"))
        if self.axis not in ("x", "y", "z"):
            raise ValueError(
                f"Cylinder axis must be one of the coordinate axes, got {self.axis!r}. "
                f"{near_match_text(str(self.axis), 'xyz')}"
            )

    @property
    def _frame(self) -> Array:
        """Right-handed unit vectors as rows, the last one along the axis, (3, 3)."""
        return np.roll(np.eye(3), "zyx".index(self.axis), axis=0)

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Return the corners of the box around the cylinder, (3,) each, in m."""
        base, axis = np.asarray(self.base_center), self._frame[2]
        reach = self.radius * (1.0 - axis)
        return read_only(base - reach), read_only(base + reach + self.height * axis)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Return bottom, top and side."""
        base, frame, radius = np.asarray(self.base_center), self._frame, self.radius
        lid = base + self.height * frame[2]
        return (
            Disc(center=base, frame=frame, radius=radius, sign=-1.0, part="bottom"),
            Disc(center=lid, frame=frame, radius=radius, part="top"),
            CylinderSide(base=base, frame=frame, radius=radius, height=self.height, part="side"),
        )

    @cached_property
    def measure(self) -> float:
        """Return the volume in m^3."""
        return pi * self.radius**2 * self.height

    def signed_distance(self, points: npt.ArrayLike) -> Array:
        """Return the exact signed distance (N,) in m."""
        local = (point_array(points, 3) - self.base_center) @ self._frame.T
        return cylinder_distance(local, self.radius, self.height)

    def interior_quadrature(self, num_points: int) -> Rule:
        """Return a rule in cylindrical coordinates: points (N, 3) and weights (N,)."""
        across = max(2, ceil((count(num_points) / 4.0) ** (1.0 / 3.0)))
        disc = tensor_rule(unit_rule(across), unit_rule(max(4, 2 * across), periodic=True))
        heights, height_weights = unit_rule(2 * across)
        flat = self.pieces[0].place(disc[0])[0]
        lift = self.height * heights[:, None, None] * self._frame[2]
        weights = self.measure * np.outer(height_weights, disc[1])
        return (flat + lift).reshape(-1, 3), weights.ravel()


def _box_face(lower: Array, upper: Array, axis: int, *, is_upper: int, part: str) -> Parallelogram:
    """Return one face of a box, with its normal outward."""
    extent = np.diag(upper - lower)
    corner = lower + is_upper * extent[axis]
    first, second = extent[(axis + 1) % 3], extent[(axis + 2) % 3]
    sign = 1.0 if is_upper else -1.0
    return Parallelogram(corner=corner, first=first, second=second, sign=sign, part=part)
