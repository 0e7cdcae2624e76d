"""Given values, at the boundary or at the start, and given fluxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pinnsolve.conditions.condition import (
    Condition,
    by_component,
    check_finite,
    components_of,
    differences,
    natural_flux,
    outward,
    require_field,
)
from pinnsolve.jets import Coordinates, Fields, Frame, Jet
from pinnsolve.physics.physics import Physics, Value, evaluate


@dataclass(frozen=True, init=False)
class Dirichlet(Condition):
    """Given values: ``Dirichlet("bottom", temperature=100.0)``, ``Dirichlet("left", displacement_x=0.0)``.

    Attributes:
        part: Name of the boundary part.
        values: Given value by field or component name: a number, a list, or a function of the
            coordinates.
    """

    part: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def __init__(self, part: str, **values: Value) -> None:
        """Store the given values; their names are checked against the physics by Problem."""
        if not values:
            raise ValueError(f"Dirichlet({part!r}) needs a value, for instance temperature=100.0")
        check_finite(f"Dirichlet({part!r})", values)
        object.__setattr__(self, "part", part)
        object.__setattr__(self, "values", dict(values))

    @property
    def label(self) -> str:
        """Short name for tables, with the fields: several may stand on one part."""
        return f"{self.part}: Dirichlet {', '.join(self.values)}"

    def residual(self, f: Fields, x: Coordinates, normal: Jet, physics: Physics) -> dict[str, Jet]:
        """Return field minus given, per component."""
        del normal
        return differences(self.values, f, x, physics, self.label)

    def determines(self, physics: Physics, frame: Frame) -> frozenset[str]:
        """Return the named components."""
        return components_of(self.values, physics, frame, self.label)


@dataclass(frozen=True, init=False)
class Initial(Condition):
    """Values at the start of an unsteady problem: ``Initial(temperature=20.0)``."""

    part: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def __init__(self, **values: Value) -> None:
        """Store the given values; their names are checked against the physics by Problem."""
        if not values:
            raise ValueError("Initial() needs a value, for instance temperature=20.0")
        check_finite("Initial()", values)
        object.__setattr__(self, "part", "start")
        object.__setattr__(self, "values", dict(values))

    @property
    def label(self) -> str:
        """Short name for tables, with the fields: several may stand at the start."""
        return f"start: Initial {', '.join(self.values)}"

    def residual(self, f: Fields, x: Coordinates, normal: Jet, physics: Physics) -> dict[str, Jet]:
        """Return field minus given, per component."""
        del normal
        return differences(self.values, f, x, physics, self.label)

    def determines(self, physics: Physics, frame: Frame) -> frozenset[str]:
        """Return the named components."""
        return components_of(self.values, physics, frame, self.label)


@dataclass(frozen=True, init=False)
class Neumann(Condition):
    """Given outward flux: ``Neumann("top", temperature=-500.0)`` lets 500 W/m2 in; traction for displacement.

    Attributes:
        part: Name of the boundary part.
        fluxes: Outward normal component of the field's natural flux, by field name, in SI units.
    """

    part: str
    fluxes: Mapping[str, Value] = field(default_factory=dict)

    def __init__(self, part: str, **fluxes: Value) -> None:
        """Store the given fluxes; their names are checked against the physics by Problem."""
        if not fluxes:
            raise ValueError(
                f"Neumann({part!r}) needs an outward flux, for instance temperature=0.0"
            )
        check_finite(f"Neumann({part!r})", fluxes)
        object.__setattr__(self, "part", part)
        object.__setattr__(self, "fluxes", dict(fluxes))

    @property
    def label(self) -> str:
        """Short name for tables, with the fields: several may stand on one part."""
        return f"{self.part}: Neumann {', '.join(self.fluxes)}"

    def residual(self, f: Fields, x: Coordinates, normal: Jet, physics: Physics) -> dict[str, Jet]:
        """Return outward flux minus given, per component."""
        rows: dict[str, Jet] = {}
        for name, given in self.fluxes.items():
            across = outward(natural_flux(name, f, x, physics, self.label), normal)
            rows |= by_component(name, across - evaluate(given, x, across.shape, self.label))
        return rows

    def determines(self, physics: Physics, frame: Frame) -> frozenset[str]:
        """Return the components of the named fields."""
        for name in self.fluxes:
            require_field(name, physics, frame, self.label)
        return components_of(self.fluxes, physics, frame, self.label)
