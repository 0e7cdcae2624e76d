"""Conditions on flows: walls, inlets and outlets."""

from __future__ import annotations

from dataclasses import dataclass

from pinnsolve.conditions.condition import (
    Condition,
    by_component,
    components_of,
    differences,
    natural_flux,
    outward,
)
from pinnsolve.jets import Coordinates, Fields, Frame, Jet, as_jet, dot, grad
from pinnsolve.physics.boussinesq import Boussinesq
from pinnsolve.physics.flow import IncompressibleFlow
from pinnsolve.physics.physics import Physics, Value, evaluate


@dataclass(frozen=True)
class NoSlip(Condition):
    """A solid wall: the fluid moves with it.

    Attributes:
        part: Name of the boundary part.
        velocity: Wall velocity in m/s; None is at rest.
    """

    part: str
    velocity: Value = None

    def residual(self, f: Fields, x: Coordinates, normal: Jet, physics: Physics) -> dict[str, Jet]:
        """Return velocity minus the wall's."""
        del normal
        given: Value = [0.0] * x.frame.space_dim if self.velocity is None else self.velocity
        return differences({"velocity": given}, f, x, physics, self.label)

    def determines(self, physics: Physics, frame: Frame) -> frozenset[str]:
        """Return the velocity components."""
        return components_of({"velocity": None}, physics, frame, self.label)


@dataclass(frozen=True)
class Inlet(Condition):
    """Given velocity where fluid enters.

    Attributes:
        part: Name of the boundary part.
        velocity: In m/s; a list of components or a function of the coordinates.
    """

    part: str
    velocity: Value

    def residual(self, f: Fields, x: Coordinates, normal: Jet, physics: Physics) -> dict[str, Jet]:
        """Return velocity minus given."""
        del normal
        return differences({"velocity": self.velocity}, f, x, physics, self.label)

    def determines(self, physics: Physics, frame: Frame) -> frozenset[str]:
        """Return the velocity components."""
        return components_of({"velocity": None}, physics, frame, self.label)


@dataclass(frozen=True)
class Outlet(Condition):
    """Do-nothing outflow: ``mu du/dn - p n = -pressure n`` (Heywood, Rannacher & Turek 1996).

    Attributes:
        part: Name of the boundary part.
        pressure: Pressure level behind the outlet in Pa.
    """

    part: str
    pressure: Value = 0.0

    def residual(self, f: Fields, x: Coordinates, normal: Jet, physics: Physics) -> dict[str, Jet]:
        """Return the pseudo-traction minus that of the outside pressure; no conducted heat leaves."""
        viscosity = as_jet(_flow(physics, self.label).dynamic_viscosity, x.frame)
        level = f.pressure - evaluate(self.pressure, x, (), f"{self.label} pressure")
        rows = by_component("velocity", viscosity * dot(grad(f.velocity), normal) - level * normal)
        if isinstance(physics, Boussinesq):
            rows["temperature"] = outward(
                natural_flux("temperature", f, x, physics, self.label), normal
            )
        return rows

    def determines(self, physics: Physics, frame: Frame) -> frozenset[str]:
        """Return the velocity components, and the temperature if there is one."""
        _flow(physics, self.label)
        return frozenset(physics.needs_boundary_condition(frame.space_dim))


def _flow(physics: Physics, label: str) -> IncompressibleFlow:
    if isinstance(physics, Boussinesq):
        return physics.flow
    if isinstance(physics, IncompressibleFlow):
        return physics
    raise ValueError(f"{label} needs a flow, but the physics is {type(physics).__name__}")
