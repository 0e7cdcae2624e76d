"""Conditions on solids: clamps and tractions."""

from __future__ import annotations

from dataclasses import dataclass

from pinnsolve.conditions.condition import (
    Condition,
    by_component,
    natural_flux,
    require_field,
    vector_field,
)
from pinnsolve.jets import Coordinates, Fields, Frame, Jet, component_names, dot
from pinnsolve.physics.physics import Physics, Value, evaluate


@dataclass(frozen=True)
class Traction(Condition):
    """Given force per area on a solid or fluid: ``sigma n = vector``.

    Attributes:
        part: Name of the boundary part.
        vector: Traction in Pa; a list of components or a function of the coordinates. None leaves
            it free.
        pressure: Compression along the inward normal in Pa, added to ``vector``; negative pulls
            outward.
    """

    part: str
    vector: Value = None
    pressure: Value = 0.0

    def residual(self, f: Fields, x: Coordinates, normal: Jet, physics: Physics) -> dict[str, Jet]:
        """Return traction minus given, per component."""
        name = vector_field(physics, x.frame, self.label)
        traction = dot(natural_flux(name, f, x, physics, self.label), normal)
        given = evaluate(self.pressure, x, (), f"{self.label} pressure") * normal
        row = traction + given
        if self.vector is not None:
            row = row - evaluate(self.vector, x, traction.shape, self.label)
        return by_component(name, row)

    def determines(self, physics: Physics, frame: Frame) -> frozenset[str]:
        """Return all components of the vector field."""
        name = vector_field(physics, frame, self.label)
        return frozenset(component_names({name: (frame.space_dim,)}))


@dataclass(frozen=True)
class Fixed(Condition):
    """A clamped part of a solid: no displacement."""

    part: str

    def residual(self, f: Fields, x: Coordinates, normal: Jet, physics: Physics) -> dict[str, Jet]:
        """Return the displacement."""
        del x, normal, physics
        return by_component("displacement", f.displacement)

    def determines(self, physics: Physics, frame: Frame) -> frozenset[str]:
        """Return the displacement components."""
        require_field("displacement", physics, frame, self.label)
        return frozenset(component_names({"displacement": (frame.space_dim,)}))
