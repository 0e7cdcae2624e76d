"""Freezing or melting with a moving front, on coordinates that move with it (one-phase Stefan problem)."""

from __future__ import annotations

from dataclasses import dataclass

from pinnsolve.jets import Coordinates, Fields, Frame, Jet, as_jet, dt, grad
from pinnsolve.physics.physics import Balance, Number, Physics, check_positive


@dataclass(frozen=True)
class Stefan(Physics):
    """The layer between a wall and a front, whose thickness s(t) is a field of its own.

    The other phase is at the temperature of the phase change. The front is fixed by ``eta = x / s(t)`` (H. G. Landau,
    "Heat conduction in a melting solid", Quart. Appl. Math. 8 (1950) 81-94), so the domain is ``Interval(0, 1)`` in
    eta. There ``rho c (T_t - eta s'/s T_eta) = k T_eta_eta / s^2`` holds, here multiplied by s^2, and s does not depend
    on eta. At the front, eta = 1, ``rho L s' = k T_x`` for freezing and ``-k T_x`` for melting: that is
    ``Neumann("right", front=0.0)``.

    Attributes:
        conductivity: k in W/(m K), of the growing phase.
        density: rho in kg/m3, the same in both phases.
        specific_heat: c in J/(kg K), of the growing phase.
        latent_heat: L in J/kg.
        melting: Whether the growing phase is the liquid.
    """

    conductivity: Number
    density: Number
    specific_heat: Number
    latent_heat: Number
    melting: bool = False

    def __post_init__(self) -> None:
        """Refuse parameters that are not positive."""
        check_positive("conductivity", self.conductivity, "W/(m K)")
        check_positive("density", self.density, "kg/m3")
        check_positive("specific_heat", self.specific_heat, "J/(kg K)")
        check_positive("latent_heat", self.latent_heat, "J/kg")

    def field_shapes(self, space_dim: int) -> dict[str, tuple[int, ...]]:
        """Return ``temperature`` in K or degC and ``front`` in m."""
        del space_dim
        return {"temperature": (), "front": ()}

    def check(self, frame: Frame) -> None:
        """Refuse what is not unsteady and one-dimensional."""
        if frame.space_dim != 1 or not frame.has_time:
            raise ValueError(
                "Stefan is for an Interval and an unsteady problem (time=TimeInterval(start, end)), "
                f"got {frame.space_dim}-D {'unsteady' if frame.has_time else 'steady'}"
            )

    def residual(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return ``energy`` in W/m, the equation in W/m3 times the square of the thickness, and ``front``."""
        conducted: Jet = as_jet(self.conductivity, x.frame) * grad(grad(f.temperature)[0])[0]
        return {"energy": self._stored(f, x) - conducted, "front": grad(f.front)[0]}

    def natural_fluxes(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return, times the thickness, conducted heat, and what the front binds less what it is brought."""
        conducted = -(as_jet(self.conductivity, x.frame) * grad(f.temperature))
        bound = as_jet(self.density, x.frame) * as_jet(self.latent_heat, x.frame)
        rate = bound * f.front * dt(f.front)
        brought = conducted[0] if self.melting else -conducted[0]
        return {"temperature": conducted, "front": as_jet([rate - brought], x.frame)}

    def balances(self, f: Fields, x: Coordinates) -> dict[str, Balance]:
        """Heat out through both ends equals less heat stored, all times the thickness."""
        conducted = self.natural_fluxes(f, x)["temperature"]
        return {"heat": Balance(conducted, -self._stored(f, x), "W/m")}

    def needs_boundary_condition(self, space_dim: int) -> tuple[str, ...]:
        """Return the temperature; the front has its condition at one end only."""
        del space_dim
        return ("temperature",)

    def units(self) -> dict[str, str]:
        """Return SI units."""
        return {"temperature": "K", "front": "m"}

    def _stored(self, f: Fields, x: Coordinates) -> Jet:
        capacity = as_jet(self.density, x.frame) * as_jet(self.specific_heat, x.frame)
        still = f.front * dt(f.temperature) - x.x * dt(f.front) * grad(f.temperature)[0]
        return capacity * f.front * still
