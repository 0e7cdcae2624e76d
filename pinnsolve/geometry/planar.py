"""The primitive shapes of the plane: rectangle, disk, ellipse and polygon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import cos, hypot, pi, sin

import numpy as np
import numpy.typing as npt

from pinnsolve.geometry.arcs import full_ellipse
from pinnsolve.geometry.boundary import Piece
from pinnsolve.geometry.checks import (
    Array,
    corners,
    finite,
    part_name,
    point_array,
    position,
    positive,
    read_only,
)
from pinnsolve.geometry.curves import closed_polygon
from pinnsolve.geometry.distances import (
    ball_distance,
    box_distance,
    ellipse_distance,
    polygon_distance,
)
from pinnsolve.geometry.shape import Shape


class PlanarShape(Shape):
    """A primitive shape of two dimensions."""

    @property
    def dim(self) -> int:
        """Return 2."""
        return 2


@dataclass(frozen=True)
class Rectangle(PlanarShape):
    """An axis-aligned rectangle with the parts ``left``, ``right``, ``bottom`` and ``top``.

    Attributes:
        lower: Lower left corner in m, (2,).
        upper: Upper right corner in m, (2,).

    Raises:
        ValueError: If a corner is malformed or the rectangle has no extent along an axis.
    """

    lower: Sequence[float]
    upper: Sequence[float]

    def __post_init__(self) -> None:
        """Check the corners."""
        lower, upper = corners(self.lower, self.upper, 2, "Rectangle")
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Return the two corners, (2,) each, in m."""
        return read_only(self.lower), read_only(self.upper)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Return the four sides."""
        (x0, y0), (x1, y1) = self.lower, self.upper
        vertices = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
        bottom, right, top, left = closed_polygon(vertices, ("bottom", "right", "top", "left"))
        return left, right, bottom, top

    @cached_property
    def measure(self) -> float:
        """Return the area in m^2."""
        return (self.upper[0] - self.lower[0]) * (self.upper[1] - self.lower[1])

    def signed_distance(self, points: npt.ArrayLike) -> Array:
        """Return the exact signed distance (N,) in m."""
        return box_distance(point_array(points, 2), *self.bounds)


@dataclass(frozen=True)
class Disk(PlanarShape):
    """A circular disk whose boundary is one part.

    Attributes:
        center: Center in m, (2,).
        radius: Radius in m.
        name: Name of the boundary.

    Raises:
        ValueError: If the center is malformed or the radius not positive.
    """

    center: Sequence[float]
    radius: float
    name: str = "circle"

    def __post_init__(self) -> None:
        """Check center, radius and name."""
        object.__setattr__(self, "center", position(self.center, 2, "Disk center"))
        object.__setattr__(self, "radius", positive(self.radius, "Disk radius"))
        part_name(self.name, "Disk name")

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Return the corners of the square around the disk, (2,) each, in m."""
        center = np.asarray(self.center)
        return read_only(center - self.radius), read_only(center + self.radius)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Return the circle."""
        return (full_ellipse(tuple(self.center), (self.radius, self.radius), 0.0, self.name),)

    @cached_property
    def measure(self) -> float:
        """Return the area in m^2."""
        return pi * self.radius**2

    def signed_distance(self, points: npt.ArrayLike) -> Array:
        """Return the exact signed distance (N,) in m."""
        return ball_distance(point_array(points, 2), np.asarray(self.center), self.radius)


@dataclass(frozen=True)
class Ellipse(PlanarShape):
    """An ellipse whose boundary is one part.

    Attributes:
        center: Center in m, (2,).
        semi_axes: The two semi-axes in m.
        angle: Angle in rad by which the first semi-axis is turned anticlockwise from the x axis.
        name: Name of the boundary.

    Raises:
        ValueError: If the center is malformed, a semi-axis not positive or the angle not finite.
    """

    center: Sequence[float]
    semi_axes: Sequence[float]
    angle: float = 0.0
    name: str = "ellipse"

    def __post_init__(self) -> None:
        """Check center, semi-axes, angle and name."""
        axes = position(self.semi_axes, 2, "Ellipse semi_axes")
        object.__setattr__(self, "center", position(self.center, 2, "Ellipse center"))
        object.__setattr__(self, "semi_axes", tuple(positive(a, "Ellipse semi-axis") for a in axes))
        object.__setattr__(self, "angle", finite(self.angle, "Ellipse angle"))
        part_name(self.name, "Ellipse name")

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Return the corners of the tightest rectangle around the ellipse, (2,) each, in m."""
        (a, b), c, s = self.semi_axes, cos(self.angle), sin(self.angle)
        reach = np.array([hypot(a * c, b * s), hypot(a * s, b * c)])
        return read_only(self.center - reach), read_only(self.center + reach)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Return the ellipse as one curve."""
        a, b = self.semi_axes
        return (full_ellipse(tuple(self.center), (a, b), self.angle, self.name),)

    @cached_property
    def measure(self) -> float:
        """Return the area in m^2."""
        return pi * self.semi_axes[0] * self.semi_axes[1]

    def signed_distance(self, points: npt.ArrayLike) -> Array:
        """Return the exact signed distance (N,) in m."""
        c, s = cos(self.angle), sin(self.angle)
        turned = (point_array(points, 2) - self.center) @ np.array([[c, -s], [s, c]])
        a, b = self.semi_axes
        return ellipse_distance(turned, (a, b))


@dataclass(frozen=True)
class Polygon(PlanarShape):
    """A simple polygon.

    Attributes:
        vertices: Corners in m in running order, clockwise or anticlockwise, (K, 2), not repeated at
            the end.
        sides: Name of the side that starts at each vertex; sides of one name form one part. By
            default ``side0``, ``side1``, ...

    Raises:
        ValueError: If there are fewer than three vertices, two in a row coincide, the polygon
            touches itself or has no area, or the number of names is not the number of sides.
    """

    vertices: Sequence[Sequence[float]]
    sides: Sequence[str] | None = None

    def __post_init__(self) -> None:
        """Check the vertices and name the sides."""
        vertices = tuple(
            position(vertex, 2, f"Polygon vertex {i}") for i, vertex in enumerate(self.vertices)
        )
        if len(vertices) < 3:
            raise ValueError(f"Polygon must have at least 3 vertices, got {len(vertices)}.")
        names = self.sides
        if isinstance(names, str):
            raise ValueError(f"Polygon sides must be a list of names, got the text {names!r}.")
        if names is None:
            names = tuple(f"side{i}" for i in range(len(vertices)))
        if len(names) != len(vertices):
            raise ValueError(
                f"Polygon must have one name per side, got {len(names)} names for "
                f"{len(vertices)} sides. Repeat a name to join sides into one part."
            )
        _check_simple(vertices)
        object.__setattr__(self, "vertices", vertices)
        object.__setattr__(self, "sides", tuple(part_name(name, "A side name") for name in names))

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Return the corners of the rectangle around the polygon, (2,) each, in m."""
        vertices = np.asarray(self.vertices)
        return read_only(vertices.min(axis=0)), read_only(vertices.max(axis=0))

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Return the sides in the order of the vertices, each run anticlockwise."""
        names = tuple(self.sides or ())
        segments = closed_polygon(np.asarray(self.vertices), names)
        if _doubled_area(np.asarray(self.vertices)) > 0.0:
            return segments
        return tuple(segment.flipped() for segment in segments)

    @cached_property
    def measure(self) -> float:
        """Return the area in m^2."""
        return 0.5 * abs(_doubled_area(np.asarray(self.vertices)))

    def signed_distance(self, points: npt.ArrayLike) -> Array:
        """Return the exact signed distance (N,) in m."""
        return polygon_distance(point_array(points, 2), np.asarray(self.vertices))


def _doubled_area(vertices: Array) -> float:
    """Return twice the area by the shoelace formula, positive for anticlockwise vertices."""
    x, y = (vertices - vertices[0]).T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def _check_simple(vertices: tuple[tuple[float, ...], ...]) -> None:
    """Refuse polygons that touch themselves or have no area."""
    import shapely

    for index, vertex in enumerate(vertices):
        if vertex == vertices[index - 1]:
            raise ValueError(
                f"Polygon vertices in a row must differ, got {vertex} twice (at index {index}). "
                f"Leave out the repeated one; the polygon closes itself."
            )
    reason = str(shapely.is_valid_reason(shapely.Polygon(vertices)))
    if reason != "Valid Geometry":
        raise ValueError(
            f"Polygon must not touch or cross itself, got: {reason}. "
            f"List the vertices in running order around the outline."
        )
    array = np.asarray(vertices)
    extent = float(np.max(np.ptp(array, axis=0)))
    if abs(_doubled_area(array)) <= 1e-12 * extent**2:
        raise ValueError(
            f"Polygon must have an area, got vertices on one line: {vertices}. Move one off it."
        )
