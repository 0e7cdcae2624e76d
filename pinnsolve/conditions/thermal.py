"""Conditions on temperature: insulation and convection."""

from __future__ import annotations

from dataclasses import dataclass

from pinnsolve.conditions.condition import Condition, natural_flux, outward, require_field
from pinnsolve.jets import Coordinates, Fields, Frame, Jet, as_jet
from pinnsolve.physics.physics import Number, Physics, Value, check_positive, evaluate


@dataclass(frozen=True)
class Insulated(Condition):
    """No heat crosses the part."""

    part: str

    def residual(self, f: Fields, x: Coordinates, normal: Jet, physics: Physics) -> dict[str, Jet]:
        """Return the outward heat flux."""
        return {
            "temperature": outward(natural_flux("temperature", f, x, physics, self.label), normal)
        }

    def determines(self, physics: Physics, frame: Frame) -> frozenset[str]:
        """Return ``temperature``."""
        require_field("temperature", physics, frame, self.label)
        return frozenset({"temperature"})


@dataclass(frozen=True)
class Convection(Condition):
    """Newton's cooling: outward heat flux = coefficient (T - ambient), a Robin condition.

    Attributes:
        part: Name of the boundary part.
        coefficient: h in W/(m2 K); a number, an unknown or a range.
        ambient: Ambient temperature; a number or a function of the coordinates.
    """

    part: str
    coefficient: Number
    ambient: Value = 0.0

    def __post_init__(self) -> None:
        """Refuse a coefficient that would create heat."""
        check_positive(f"convection coefficient on {self.part!r}", self.coefficient, "W/(m2 K)")

    def residual(self, f: Fields, x: Coordinates, normal: Jet, physics: Physics) -> dict[str, Jet]:
        """Return outward flux minus h (T - ambient)."""
        across = outward(natural_flux("temperature", f, x, physics, self.label), normal)
        excess = f.temperature - evaluate(self.ambient, x, (), f"{self.label} ambient")
        return {"temperature": across - as_jet(self.coefficient, x.frame) * excess}

    def determines(self, physics: Physics, frame: Frame) -> frozenset[str]:
        """Return ``temperature``."""
        require_field("temperature", physics, frame, self.label)
        return frozenset({"temperature"})
