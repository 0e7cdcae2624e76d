"""Natural and mixed convection: Navier-Stokes and heat, coupled by buoyancy (Boussinesq approximation)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pinnsolve.jets import (
    Coordinates,
    Fields,
    Frame,
    Jet,
    advect,
    as_jet,
    component_names,
    div,
    dt,
    grad,
)
from pinnsolve.physics.navier_stokes import NavierStokes
from pinnsolve.physics.physics import Balance, Number, Physics, Value, check_positive, evaluate


@dataclass(frozen=True)
class Boussinesq(Physics):
    """A flow with heat, where density varies in the weight only.

    Solves ``rho (du/dt + u.grad u) = -grad p + mu lap u - rho beta (T - T0) g + b``, ``div u = 0``
    and ``rho c (dT/dt + u.grad T) = div(k grad T) + Q``.

    Attributes:
        flow: The fluid: density, viscosity, body force.
        conductivity: k in W/(m K).
        specific_heat: c in J/(kg K).
        expansion: beta, thermal expansion coefficient in 1/K; 0 uncouples the flow from the heat.
        gravity: g in m/s2, a vector, for instance (0, -9.81).
        reference_temperature: T0, where buoyancy vanishes.
        source: Q in W/m3; a number or a function of the coordinates.
    """

    flow: NavierStokes
    conductivity: Number
    specific_heat: Number
    expansion: Number
    gravity: Sequence[float]
    reference_temperature: Number = 0.0
    source: Value = 0.0

    def __post_init__(self) -> None:
        """Refuse parameters that are not positive."""
        check_positive("conductivity", self.conductivity, "W/(m K)")
        check_positive("specific_heat", self.specific_heat, "J/(kg K)")
        plain = (*self.gravity, self.expansion, self.reference_temperature)
        if not all(math.isfinite(v) for v in plain if isinstance(v, int | float)):
            raise ValueError(
                f"gravity, expansion and reference_temperature must be finite, got {tuple(self.gravity)}, "
                f"{self.expansion} and {self.reference_temperature}"
            )

    def field_shapes(self, space_dim: int) -> dict[str, tuple[int, ...]]:
        """Return ``velocity``, ``pressure`` and ``temperature``."""
        return {**self.flow.field_shapes(space_dim), "temperature": ()}

    def check(self, frame: Frame) -> None:
        """Refuse a gravity vector of another dimension."""
        self.flow.check(frame)
        if len(self.gravity) != frame.space_dim:
            raise ValueError(
                f"gravity needs {frame.space_dim} components, got {tuple(self.gravity)}"
            )

    def heat_flux(self, f: Fields, x: Coordinates) -> Jet:
        """Return the conducted heat q = -k grad T in W/m2."""
        return -(as_jet(self.conductivity, x.frame) * grad(f.temperature))

    def residual(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return ``momentum``, ``continuity`` and ``energy``."""
        equations = self.flow.residual(f, x)
        equations["momentum"] = equations["momentum"] - self._buoyancy(f, x)
        change = advect(f.velocity, f.temperature)
        if x.frame.has_time:
            change = change + dt(f.temperature)
        equations["energy"] = (
            self._capacity(x) * change
            + div(self.heat_flux(f, x))
            - evaluate(self.source, x, (), "heat source")
        )
        return equations

    def natural_fluxes(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return the stress for ``velocity`` and the conducted heat for ``temperature``."""
        return {**self.flow.natural_fluxes(f, x), "temperature": self.heat_flux(f, x)}

    def balances(self, f: Fields, x: Coordinates) -> dict[str, Balance]:
        """Mass, momentum (buoyancy included) and heat (conducted and carried)."""
        laws = self.flow.balances(f, x)
        momentum = laws["momentum"]
        laws["momentum"] = Balance(
            momentum.flux, momentum.source + self._buoyancy(f, x), momentum.unit
        )
        carried = self._capacity(x) * f.temperature * f.velocity
        source = evaluate(self.source, x, (), "heat source")
        if x.frame.has_time:
            source = source - self._capacity(x) * dt(f.temperature)
        laws["heat"] = Balance(self.heat_flux(f, x) + carried, source, "W")
        return laws

    def derived(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return those of the flow and ``heat_flux``."""
        return {**self.flow.derived(f, x), "heat_flux": self.heat_flux(f, x)}

    def needs_boundary_condition(self, space_dim: int) -> tuple[str, ...]:
        """Return the velocity components and the temperature."""
        return component_names({"velocity": (space_dim,), "temperature": ()})

    def needs_initial_condition(self, space_dim: int) -> tuple[str, ...]:
        """Return the velocity components and the temperature."""
        return self.needs_boundary_condition(space_dim)

    def determined_up_to_constant(self) -> tuple[str, ...]:
        """Return ``pressure``."""
        return ("pressure",)

    def units(self) -> dict[str, str]:
        """Return SI units."""
        return {**self.flow.units(), "temperature": "K", "heat_flux": "W/m2"}

    def _capacity(self, x: Coordinates) -> Jet:
        return as_jet(self.flow.density, x.frame) * as_jet(self.specific_heat, x.frame)

    def _buoyancy(self, f: Fields, x: Coordinates) -> Jet:
        frame = x.frame
        excess = f.temperature - as_jet(self.reference_temperature, frame)
        strength = as_jet(self.flow.density, frame) * as_jet(self.expansion, frame) * excess
        return strength * as_jet([-float(g) for g in self.gravity], frame)
