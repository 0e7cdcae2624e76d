"""What every shape can do: the interface, and all that follows from the pieces of its boundary."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pinnsolve.geometry.boundary import (
    BoundaryPoints,
    Piece,
    Predicate,
    Where,
    integrate_pieces,
    nearest_of_pieces,
    sample_pieces,
)
from pinnsolve.geometry.checks import Array, Mask, count, part_name, point_array
from pinnsolve.geometry.gauss import Rule
from pinnsolve.geometry.sobol import accepted_points
from pinnsolve.naming import near_match_text

_MEASURE_WORDS = {1: "length {:.6g} m", 2: "area {:.6g} m2", 3: "volume {:.6g} m3"}


class Shape(ABC):
    """A closed, bounded region of 1-, 2- or 3-dimensional space with a named boundary.

    Shapes are immutable. Coordinates are in m; arrays of points have shape (N, D).
    A new primitive defines ``dim``, ``bounds``, ``pieces`` and ``signed_distance``; the rest
    follows.
    """

    @property
    @abstractmethod
    def dim(self) -> int:
        """Return the number of coordinates D."""

    @property
    @abstractmethod
    def bounds(self) -> tuple[Array, Array]:
        """Return the lower and the upper corner (D,) of a box around the shape, in m."""

    @property
    @abstractmethod
    def pieces(self) -> tuple[Piece, ...]:
        """Return the smooth pieces that the boundary is made of."""

    @abstractmethod
    def signed_distance(self, points: npt.ArrayLike) -> Array:
        """Return the distance (N,) in m to the boundary: negative inside, positive outside.

        Exact for the primitives. For unions, intersections and differences the sign is right and
        the value is a lower bound of the true distance, by minimum and maximum; on sides that the
        operands of a union share it is 0. For the accuracy with meshes see there.
        """

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """Return the names of the boundary parts, in a stable order."""
        return tuple(dict.fromkeys(piece.part for piece in self.pieces))

    @cached_property
    def measure(self) -> float:
        """Return the length in m, the area in m^2 or the volume in m^3."""
        return sum(piece.flux(self._center) for piece in self.pieces) / self.dim

    @cached_property
    def size(self) -> float:
        """Return the diagonal of the bounding box in m, the yardstick of all tolerances."""
        lower, upper = self.bounds
        return float(np.linalg.norm(upper - lower))

    @cached_property
    def rounding(self) -> float:
        """Return the distance in m below which rounding of coordinates decides."""
        return 16.0 * float(np.finfo(np.float64).eps) * float(np.max(np.abs(self.bounds)))

    @property
    def can_be_combined(self) -> bool:
        """Tell whether ``|``, ``&`` and ``-`` work with this shape."""
        return True

    def contains(self, points: npt.ArrayLike, tolerance: float = 0.0) -> Mask:
        """Tell which points lie in the closed region.

        Args:
            points: Positions, (N, D).
            tolerance: Distance in m by which the region is grown. Rounding is allowed for anyway.

        Returns:
            Truth values, (N,).
        """
        inside: Mask = self.signed_distance(points) <= tolerance + self.rounding
        return inside

    def sample_interior(self, num_points: int, *, seed: int) -> Array:
        """Return distinct quasi-random points strictly inside, uniform by measure.

        Args:
            num_points: Number of points N.
            seed: The same seed gives the same points.

        Returns:
            Positions, (N, D).
        """
        lower, upper = self.bounds

        def propose(unit: Array) -> tuple[Array, Mask]:
            points = lower + unit * (upper - lower)
            return points, self.signed_distance(points) < -self.rounding

        return accepted_points(propose, count(num_points), self.dim, seed=seed)

    def interior_quadrature(self, num_points: int) -> Rule:
        """Return a rule for integrals over the interior.

        Primitives and all shapes in 1-D and 2-D use Gauss rules that follow the boundary. Booleans
        in 3-D use equal weights at quasi-random points, with an error of about 1/N for smooth
        integrands that vanish on the boundary and N^(-2/3) for others.

        Args:
            num_points: Number of points wanted; there may be somewhat more.

        Returns:
            Positions (N, D) and positive weights (N,) that sum to ``measure``.
        """
        from pinnsolve.geometry import interior_rules

        return interior_rules.interior_rule(self, count(num_points))

    def part_measure(self, part: str) -> float:
        """Return the measure of a part: number of points in 1-D, length in m, area in m^2.

        Raises:
            ValueError: If there is no such part.
        """
        return float(sum(piece.measure for piece in self.pieces_of(part)))

    def sample_part(self, part: str, num_points: int, *, seed: int) -> BoundaryPoints:
        """Return quasi-random points on a part, uniform by measure, with outward normals.

        In 1-D a part is a single point, which is then repeated.

        Args:
            part: Name of the part.
            num_points: Number of points N.
            seed: The same seed gives the same points.

        Raises:
            ValueError: If there is no such part.
        """
        return sample_pieces(self.pieces_of(part), self.dim, count(num_points), seed=seed)

    def part_quadrature(self, part: str, num_points: int) -> tuple[BoundaryPoints, Array]:
        """Return a rule for integrals over a part: Gauss-Legendre along curves and faces.

        Args:
            part: Name of the part.
            num_points: Number of points wanted; there may be somewhat more.

        Returns:
            The points with outward normals, and weights (N,) that sum to ``part_measure(part)``.

        Raises:
            ValueError: If there is no such part.
        """
        points, normals, weights = integrate_pieces(self.pieces_of(part), count(num_points))
        return BoundaryPoints(points, normals), weights

    def on_part(self, part: str, points: npt.ArrayLike, tolerance: float | None = None) -> Mask:
        """Tell which points lie on a part.

        Args:
            part: Name of the part.
            points: Positions, (N, D).
            tolerance: Largest distance in m; by default 1e-9 of the size of the shape.

        Returns:
            Truth values, (N,).

        Raises:
            ValueError: If there is no such part.
        """
        reach = 1e-9 * self.size + self.rounding if tolerance is None else tolerance
        array = point_array(points, self.dim)
        on: Mask = nearest_of_pieces(self.pieces_of(part), array)[0] <= reach
        return on

    def normals_at(self, part: str, points: npt.ArrayLike) -> Array:
        """Return the unit outward normals (N, D) of a part at its points nearest to those given.

        Raises:
            ValueError: If there is no such part.
        """
        return nearest_of_pieces(self.pieces_of(part), point_array(points, self.dim))[1]

    def pieces_of(self, part: str) -> tuple[Piece, ...]:
        """Return the pieces of a part.

        Raises:
            ValueError: If there is no such part; the text lists the parts there are.
        """
        found = tuple(piece for piece in self.pieces if piece.part == part)
        if not found:
            raise ValueError(
                f"No boundary part is named {part!r}. {near_match_text(str(part), self.parts)}"
            )
        return found

    def renamed(self, names: Mapping[str, str]) -> Shape:
        """Return the same region with other names on its boundary.

        Args:
            names: New names by old names, for example ``{"left": "inlet"}``. Parts that get the
                same name become one part.

        Raises:
            ValueError: If an old name does not exist or a new name is not a non-empty string.
        """
        for old, new in names.items():
            self.pieces_of(old)
            part_name(new, f"The new name of part {old!r}")
        return self._with_pieces([p.named(names.get(p.part, p.part)) for p in self.pieces])

    def with_part(self, name: str, *, of: str, where: Predicate) -> Shape:
        """Return the same region with a boundary part split in two.

        Args:
            name: Name of the new part. An existing name enlarges that part.
            of: The part that gives.
            where: Tells for points (N, D) which of them (N,) belong to the new part. In 2-D the
                limits are found to rounding, in 3-D areas to about 1e-8; features below 1/2000 of
                a curve or 1/500 of a face may be missed. Meshes are split by facet centers.

        Raises:
            ValueError: If ``of`` does not exist, or none or all of it belongs to the new part.
        """
        part_name(name)
        given = self.pieces_of(of)
        result: list[Piece] = []
        num_taken = num_left = 0
        for piece in self.pieces:
            if piece not in given:
                result.append(piece)
                continue
            taken = piece.cut(Where(where))
            left = piece.cut(Where(where, holds=False))
            num_taken, num_left = num_taken + len(taken), num_left + len(left)
            result += left + [one.named(name) for one in taken]
        if not num_taken:
            raise ValueError(
                f"No point of part {of!r} satisfies the predicate of the new part {name!r}. "
                f"Check its coordinates: the shape reaches {self._extent_text()}."
            )
        if not num_left:
            raise ValueError(
                f"All of part {of!r} satisfies the predicate of the new part {name!r}, so nothing "
                f"would be left of it. Use renamed({{{of!r}: {name!r}}}) or a narrower predicate."
            )
        return self._with_pieces(result)

    def outline(self) -> list[tuple[str, Array]]:
        """Return what draws the boundary: part names with polylines (K, D), closed if round.

        In 1-D a polyline is a single point; in 3-D the polylines are a wire frame.
        """
        return [(piece.part, line) for piece in self.pieces for line in piece.outline()]

    def describe(self) -> str:
        """Return one line: what it is, how large, and the names of its parts."""
        amount = _MEASURE_WORDS[self.dim].format(self.measure)
        return f"{self.title()}: {amount}, {self._extent_text()}, parts {', '.join(self.parts)}"

    def title(self) -> str:
        """Return what the shape is called in a description."""
        return type(self).__name__

    def __or__(self, other: Shape) -> Shape:
        """Return the union of two shapes; see :mod:`pinnsolve.geometry.booleans`."""
        from pinnsolve.geometry.booleans import union

        return union(self, other)

    def __and__(self, other: Shape) -> Shape:
        """Return the intersection of two shapes; see :mod:`pinnsolve.geometry.booleans`."""
        from pinnsolve.geometry.booleans import intersection

        return intersection(self, other)

    def __sub__(self, other: Shape) -> Shape:
        """Return this shape without the other; see :mod:`pinnsolve.geometry.booleans`."""
        from pinnsolve.geometry.booleans import difference

        return difference(self, other)

    @property
    def _center(self) -> Array:
        lower, upper = self.bounds
        center: Array = 0.5 * (lower + upper)
        return center

    def _extent_text(self) -> str:
        lower, upper = self.bounds
        return f"from {_point_text(lower)} to {_point_text(upper)} m"

    def _with_pieces(self, pieces: Sequence[Piece]) -> Shape:
        from pinnsolve.geometry.relabelled import Relabelled

        return Relabelled(self, pieces)


def _point_text(point: Array) -> str:
    return f"({', '.join(f'{x:.6g}' for x in point)})"
