"""Incompressible Navier-Stokes equations of a Newtonian fluid."""

from __future__ import annotations

from dataclasses import dataclass

from pinnsolve.jets import Coordinates, Fields, Jet, advect, as_jet, div, dt, outer
from pinnsolve.physics.flow import IncompressibleFlow
from pinnsolve.physics.physics import Balance, Number, Value, check_positive


@dataclass(frozen=True)
class NavierStokes(IncompressibleFlow):
    """Incompressible flow, steady or (with ``time=`` on the problem) unsteady, in 2-D or 3-D.

    Solves ``rho (du/dt + u.grad u) = -grad p + mu lap u + b`` and ``div u = 0``. The natural flux
    is the stress ``-p I + mu (grad u + grad u^T)``.

    Attributes:
        density: rho in kg/m3.
        dynamic_viscosity: mu in Pa s.
        body_force: b in N/m3; a list of components or a function of the coordinates; None for none.
    """

    density: Number = 1.0
    dynamic_viscosity: Number = 1.0
    body_force: Value = None

    def __post_init__(self) -> None:
        """Refuse parameters that are not positive."""
        check_positive("density", self.density, "kg/m3")
        super().__post_init__()

    def residual(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return ``momentum`` in N/m3 and ``continuity`` in 1/s."""
        rho = as_jet(self.density, x.frame)
        u = f.velocity
        inertia = rho * advect(u, u)
        if x.frame.has_time:
            inertia = inertia + rho * dt(u)
        return {"momentum": inertia + self._unbalanced_stress(f, x), "continuity": div(u)}

    def balances(self, f: Fields, x: Coordinates) -> dict[str, Balance]:
        """Mass in equals mass out; forces equal the change of momentum."""
        rho = as_jet(self.density, x.frame)
        u = f.velocity
        force = self._body_force(x)
        if x.frame.has_time:
            force = force - rho * dt(u)
        zero = as_jet(0.0, x.frame)
        return {
            "mass": Balance(rho * u, zero, "kg/s"),
            "momentum": Balance(rho * outer(u, u) - self.stress(f, x), force, "N"),
        }
