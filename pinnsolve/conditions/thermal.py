"""Conditions on temperature: insulation, convection and radiation."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pinnsolve.conditions.condition import Condition, natural_flux, outward, require_field
from pinnsolve.jets import Coordinates, Fields, Frame, Jet
from pinnsolve.physics.physics import Coefficient, Physics, Value, check_positive, evaluate
from pinnsolve.ranges import Range

STEFAN_BOLTZMANN = 5.670374419e-8
"""Stefan-Boltzmann constant in W/(m2 K4) (CODATA 2018; exact but for rounding)."""


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
        coefficient: h in W/(m2 K); a number, an unknown, a range or a function of the coordinates.
        ambient: Ambient temperature; a number or a function of the coordinates.
    """

    part: str
    coefficient: Coefficient
    ambient: Value = 0.0

    def __post_init__(self) -> None:
        """Refuse a coefficient that would create heat."""
        check_positive(f"convection coefficient on {self.part!r}", self.coefficient, "W/(m2 K)")

    def residual(self, f: Fields, x: Coordinates, normal: Jet, physics: Physics) -> dict[str, Jet]:
        """Return outward flux minus h (T - ambient)."""
        across = outward(natural_flux("temperature", f, x, physics, self.label), normal)
        excess = f.temperature - evaluate(self.ambient, x, (), f"{self.label} ambient")
        coefficient = evaluate(self.coefficient, x, (), f"{self.label} coefficient")
        return {"temperature": across - coefficient * excess}

    def determines(self, physics: Physics, frame: Frame) -> frozenset[str]:
        """Return ``temperature``."""
        require_field("temperature", physics, frame, self.label)
        return frozenset({"temperature"})


@dataclass(frozen=True)
class Radiation(Condition):
    """Radiation to surroundings: outward heat flux = emissivity sigma (T^4 - ambient^4), temperatures in K.

    A grey surface that sees nothing but black surroundings of one temperature.

    Attributes:
        part: Name of the boundary part.
        emissivity: Between 0 and 1; a number, an unknown, a range or a function of the coordinates.
        ambient: Temperature of the surroundings in K; a number or a function of the coordinates.
        constant: sigma in W/(m2 K4); older publications round it.
    """

    part: str
    emissivity: Coefficient
    ambient: Value = 0.0
    constant: float = STEFAN_BOLTZMANN

    def __post_init__(self) -> None:
        """Refuse emissivities that no surface has, and temperatures below absolute zero."""
        what = f"emissivity on {self.part!r}"
        check_positive(what, self.emissivity)
        highest = self.emissivity.high if isinstance(self.emissivity, Range) else self.emissivity
        if isinstance(highest, int | float) and highest > 1.0:
            raise ValueError(f"{what} must be <= 1, that of a black body, got {highest}")
        if isinstance(self.ambient, int | float) and not (
            math.isfinite(self.ambient) and self.ambient >= 0.0
        ):
            raise ValueError(
                f"ambient temperature of Radiation on {self.part!r} must be finite and >= 0 K, got "
                f"{self.ambient}; radiation needs all temperatures in K"
            )
        check_positive("Stefan-Boltzmann constant", self.constant, "W/(m2 K4)")

    def residual(self, f: Fields, x: Coordinates, normal: Jet, physics: Physics) -> dict[str, Jet]:
        """Return outward flux minus emissivity sigma (T^4 - ambient^4)."""
        across = outward(natural_flux("temperature", f, x, physics, self.label), normal)
        ambient = evaluate(self.ambient, x, (), f"{self.label} ambient")
        excess = self.constant * (f.temperature**4 - ambient**4)
        emissivity = evaluate(self.emissivity, x, (), f"{self.label} emissivity")
        return {"temperature": across - emissivity * excess}

    def determines(self, physics: Physics, frame: Frame) -> frozenset[str]:
        """Return ``temperature``."""
        require_field("temperature", physics, frame, self.label)
        return frozenset({"temperature"})
