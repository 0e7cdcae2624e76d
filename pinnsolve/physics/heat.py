"""Heat conduction: rho c dT/dt = div(k grad T) + Q."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pinnsolve.jets import Coordinates, Fields, Frame, Jet, as_jet, div, dt, grad
from pinnsolve.physics.physics import (
    Balance,
    Coefficient,
    Number,
    Physics,
    Value,
    check_positive,
    evaluate,
)

Conductivity = Number | Callable[[Jet, Coordinates], Jet]
"""A number in W/(m K), or a function ``k(T, x)`` of temperature and coordinates."""


@dataclass(frozen=True)
class Heat(Physics):
    """Heat conduction in a solid, steady or (with ``time=`` on the problem) transient.

    Solves ``rho c dT/dt = div(k grad T) + Q``; the natural flux is Fourier's ``q = -k grad T`` in
    W/m2.

    Attributes:
        conductivity: k in W/(m K); a number, an unknown, a function ``k(T, x)``, or by region.
        density: rho in kg/m3; needed when transient; a number or a function of the coordinates.
        specific_heat: c in J/(kg K); needed when transient; a number or a function of the coordinates.
        source: Q in W/m3; a number or a function of the coordinates.
    """

    conductivity: Conductivity
    density: Coefficient | None = None
    specific_heat: Coefficient | None = None
    source: Value = 0.0

    def __post_init__(self) -> None:
        """Refuse parameters that are not positive."""
        check_positive("conductivity", self.conductivity, "W/(m K)")
        check_positive("density", self.density, "kg/m3")
        check_positive("specific_heat", self.specific_heat, "J/(kg K)")

    def field_shapes(self, space_dim: int) -> dict[str, tuple[int, ...]]:
        """Return the one field, ``temperature`` in K or degC."""
        del space_dim
        return {"temperature": ()}

    def check(self, frame: Frame) -> None:
        """Refuse a transient problem without heat capacity."""
        if frame.has_time and (self.density is None or self.specific_heat is None):
            raise ValueError(
                "transient heat needs Heat(density=..., specific_heat=...) in kg/m3 and J/(kg K)"
            )

    def heat_flux(self, f: Fields, x: Coordinates) -> Jet:
        """Return q = -k grad T in W/m2."""
        return -(self._conductivity(f, x) * grad(f.temperature))

    def residual(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return the energy equation in W/m3."""
        return {"energy": div(self.heat_flux(f, x)) - self._net_source(f, x)}

    def natural_fluxes(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return the heat flux as the flux of ``temperature``."""
        return {"temperature": self.heat_flux(f, x)}

    def balances(self, f: Fields, x: Coordinates) -> dict[str, Balance]:
        """Heat out through the boundary equals heat released inside less heat stored."""
        return {"heat": Balance(self.heat_flux(f, x), self._net_source(f, x), "W")}

    def derived(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return ``heat_flux``."""
        return {"heat_flux": self.heat_flux(f, x)}

    def units(self) -> dict[str, str]:
        """Return SI units."""
        return {"temperature": "K", "heat_flux": "W/m2"}

    def _conductivity(self, f: Fields, x: Coordinates) -> Jet:
        k = self.conductivity
        return as_jet(k(f.temperature, x) if callable(k) else k, x.frame)

    def _net_source(self, f: Fields, x: Coordinates) -> Jet:
        source = evaluate(self.source, x, (), "heat source")
        if not x.frame.has_time:
            return source
        density = evaluate(self.density, x, (), "density")
        capacity = density * evaluate(self.specific_heat, x, (), "specific_heat")
        return source - capacity * dt(f.temperature)
