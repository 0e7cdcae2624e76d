"""Where two materials meet inside the domain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pinnsolve.conditions.condition import Condition, by_component, outward
from pinnsolve.geometry import BoundaryPoints, Shape
from pinnsolve.geometry.boundary import Piece, sample_pieces
from pinnsolve.geometry.partition import pieces_within
from pinnsolve.jets import Coordinates, Fields, Frame, Jet, component_names, dot, grad
from pinnsolve.physics.physics import Physics

_OFFSET = 1e-6
"""Distance from the interface, relative to the size of the shape, at which either side is looked at."""


@dataclass(frozen=True)
class Interface(Condition):
    """Materials meet at the boundary of a shape, in perfect contact: fields and normal fluxes are continuous.

    Counts where that boundary runs inside the domain; what lies on the domain's own boundary is left to the
    conditions there. Gradients may jump across it: networks get a kink there. Which material is where, the physics
    says (:func:`pinnsolve.by_region`).

    Attributes:
        shape: One of the materials' regions; the other one lies around it.
        name: How tables name it.
    """

    shape: Shape
    name: str = "interface"

    def __post_init__(self) -> None:
        """Refuse what is no shape."""
        if not isinstance(self.shape, Shape):
            raise ValueError(
                f"Interface takes the shape whose boundary it is, such as Disk(...), got {self.shape!r}"
            )

    @property
    def label(self) -> str:
        """Short name for tables."""
        return f"{self.name}: Interface"

    def pieces(self, domain: Shape) -> tuple[Piece, ...]:
        """Return what of the shape's boundary runs inside a domain, with normals out of the shape."""
        return pieces_within(self.shape, domain)

    def offset(self, domain: Shape) -> float:
        """Return the distance in m from the interface at which either side is looked at."""
        return _OFFSET * min(self.shape.size, domain.size)

    def sample(self, domain: Shape, num_points: int, *, seed: int) -> BoundaryPoints:
        """Return quasi-random points on the interface, uniform by measure.

        Args:
            domain: The domain.
            num_points: Number of points N.
            seed: The same seed gives the same points.
        """
        return sample_pieces(self.pieces(domain), domain.dim, num_points, seed=seed)

    def measure(self, domain: Shape) -> float:
        """Return the number of points, the length in m or the area in m^2 inside a domain."""
        return float(np.sum([piece.measure for piece in self.pieces(domain)]))

    def residual(self, f: Fields, x: Coordinates, normal: Jet, physics: Physics) -> dict[str, Jet]:
        """Refuse: an interface compares two sets of points; see :meth:`residual_between`."""
        raise TypeError("an Interface compares two sides: use residual_between()")

    def residual_between(
        self,
        fields: tuple[Fields, Fields],
        x: tuple[Coordinates, Coordinates],
        normal: Jet,
        physics: Physics,
        offset: float,
    ) -> dict[str, Jet]:
        """Return the jump of the normal flux from inside to outside, per component.

        Both fluxes are continued to the interface along the normal, to first order.

        Args:
            fields: Fields just inside the shape and just outside of it.
            x: The coordinates there.
            normal: Unit normal out of the shape.
            physics: The physics.
            offset: Distance in m of the points from the interface.
        """
        inner, outer = (physics.natural_fluxes(f, at) for f, at in zip(fields, x, strict=True))
        rows: dict[str, Jet] = {}
        for name in inner:
            before = _continued(outward(inner[name], normal), normal, offset)
            behind = _continued(outward(outer[name], normal), normal, -offset)
            rows |= by_component(name, behind - before)
        return rows

    def determines(self, physics: Physics, frame: Frame) -> frozenset[str]:
        """Return all components: a field is continuous, and its flux is too."""
        return frozenset(component_names(physics.field_shapes(frame.space_dim)))


def _continued(across: Jet, normal: Jet, distance: float) -> Jet:
    """Return a flux at a distance along the normal."""
    return across + distance * dot(grad(across), normal)
