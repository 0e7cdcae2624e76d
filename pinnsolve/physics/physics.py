"""What a physics declares: fields, residuals, natural fluxes and balances, all as pure functions of jets."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from pinnsolve.jets import Coordinates, Fields, Frame, Jet, as_jet, component_names
from pinnsolve.physics.regions import ByRegion
from pinnsolve.ranges import Range
from pinnsolve.unknowns import Unknown

Number = float | Unknown | Range | Tensor
"""A parameter: a number in SI units, an unknown to be found, a range, or (while solving) its current value."""

Coefficient = Number | Callable[[Coordinates], Jet]
"""A parameter that may depend on the place: a number, or a function of the coordinates such as by_region(...)."""

Value = object
"""A given field: a number, a list of components, or a function of :class:`Coordinates` that returns one."""


@dataclass(frozen=True)
class Balance:
    """A conservation law in integral form: the flux through the whole boundary equals the source inside.

    Attributes:
        flux: Vector (D,) or, for several laws at once, tensor (C, D).
        source: Scalar or vector (C,); storage ``-d(...)/dt`` included.
        unit: Unit of the flux integral (per metre of depth in 2-D).
    """

    flux: Jet
    source: Jet
    unit: str = ""


class Physics(ABC):
    """Equations on a region; subclasses are frozen dataclasses of material parameters in SI units."""

    @abstractmethod
    def field_shapes(self, space_dim: int) -> dict[str, tuple[int, ...]]:
        """Return each field's name with its shape, ``()`` or ``(C,)``."""

    @abstractmethod
    def residual(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return the equations by name, each as left side minus right side.

        Equations come in the order of the fields' components: the k-th scalar equation is the one
        that mainly determines the k-th component, which is how grids pair them.
        """

    def natural_fluxes(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return, by field, the flux whose normal component is the natural boundary datum."""
        del f, x
        return {}

    def balances(self, f: Fields, x: Coordinates) -> dict[str, Balance]:
        """Return the conservation laws that an answer must satisfy."""
        del f, x
        return {}

    def derived(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return further quantities by name, for instance stress or heat flux."""
        del f, x
        return {}

    def check(self, frame: Frame) -> None:
        """Refuse a dimension or a steadiness this physics does not cover."""
        del frame

    def needs_boundary_condition(self, space_dim: int) -> tuple[str, ...]:
        """Return the components that every boundary part must say something about."""
        return component_names(self.field_shapes(space_dim))

    def needs_initial_condition(self, space_dim: int) -> tuple[str, ...]:
        """Return the components that must be given at the start of an unsteady problem."""
        return component_names(self.field_shapes(space_dim))

    def determined_up_to_constant(self) -> tuple[str, ...]:
        """Return scalar fields that enter by their gradient only, unless a condition sets their level."""
        return ()

    def units(self) -> dict[str, str]:
        """Return the SI unit of each field and derived quantity, for tables and plots."""
        return {}


def evaluate(value: Value, x: Coordinates, shape: tuple[int, ...], what: str) -> Jet:
    """Return a given value as a field of the wanted shape.

    Args:
        value: A number, a list of components, an unknown's current value, or a function of the
            coordinates.
        x: The coordinates.
        shape: The shape it must have.
        what: Its name, for the message.

    Raises:
        ValueError: If the value has another shape.
    """
    given = value(x) if callable(value) else value
    try:
        jet = as_jet(given, x.frame)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error
    if jet.shape != shape:
        wanted = "a scalar" if shape == () else f"{shape[0]} components"
        raise ValueError(f"{what} must be {wanted}, got shape {jet.shape}: {given!r}")
    return jet


def check_positive(what: str, value: object, unit: str = "") -> None:
    """Refuse a plain number or a range that is not finite and > 0, in any region; unknowns and functions pass."""
    if isinstance(value, ByRegion):
        for item in value.values:
            check_positive(f"{what} by region", item, unit)
    if isinstance(value, Range):
        check_positive(f"{what}: the lower end of {value.name!r}", value.low, unit)
    if isinstance(value, int | float) and not (math.isfinite(value) and value > 0):
        raise ValueError(f"{what} must be finite and > 0{f' {unit}' if unit else ''}, got {value}")


Law = Callable[[Fields, Coordinates], Mapping[str, Jet]]
"""Named jets computed from the fields."""
