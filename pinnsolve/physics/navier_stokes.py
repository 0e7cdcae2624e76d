"""Incompressible Navier-Stokes equations of a Newtonian fluid."""

from __future__ import annotations

from dataclasses import dataclass

from pinnsolve.jets import (
    Coordinates,
    Fields,
    Frame,
    Jet,
    advect,
    as_jet,
    component_names,
    curl,
    div,
    dt,
    grad,
    identity,
    laplacian,
    outer,
    sym_grad,
)
from pinnsolve.physics.physics import Balance, Number, Physics, Value, check_positive, evaluate


@dataclass(frozen=True)
class NavierStokes(Physics):
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
        check_positive("dynamic_viscosity", self.dynamic_viscosity, "Pa s")

    def field_shapes(self, space_dim: int) -> dict[str, tuple[int, ...]]:
        """Return ``velocity`` in m/s and ``pressure`` in Pa."""
        return {"velocity": (space_dim,), "pressure": ()}

    def check(self, frame: Frame) -> None:
        """Refuse 1-D, where an incompressible flow is a constant."""
        if frame.space_dim == 1:
            raise ValueError(
                "incompressible flow needs a 2-D or 3-D domain; in 1-D velocity is constant"
            )

    def residual(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return ``momentum`` in N/m3 and ``continuity`` in 1/s."""
        rho, mu = as_jet(self.density, x.frame), as_jet(self.dynamic_viscosity, x.frame)
        u = f.velocity
        inertia = rho * advect(u, u)
        if x.frame.has_time:
            inertia = inertia + rho * dt(u)
        momentum = inertia + grad(f.pressure) - mu * laplacian(u) - self._body_force(x)
        return {"momentum": momentum, "continuity": div(u)}

    def stress(self, f: Fields, x: Coordinates) -> Jet:
        """Return the Cauchy stress in Pa, shape (D, D)."""
        mu = as_jet(self.dynamic_viscosity, x.frame)
        return 2.0 * mu * sym_grad(f.velocity) - f.pressure * identity(x.frame)

    def pseudo_stress(self, f: Fields, x: Coordinates) -> Jet:
        """Return ``-p I + mu grad u``, whose normal component vanishes at a do-nothing outlet."""
        mu = as_jet(self.dynamic_viscosity, x.frame)
        return mu * grad(f.velocity) - f.pressure * identity(x.frame)

    def natural_fluxes(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return the stress as the flux of ``velocity``."""
        return {"velocity": self.stress(f, x)}

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

    def derived(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return ``vorticity`` and ``stress``."""
        return {"vorticity": curl(f.velocity), "stress": self.stress(f, x)}

    def needs_boundary_condition(self, space_dim: int) -> tuple[str, ...]:
        """Return the velocity components; pressure needs none."""
        return component_names({"velocity": (space_dim,)})

    def needs_initial_condition(self, space_dim: int) -> tuple[str, ...]:
        """Return the velocity components; pressure has no memory."""
        return component_names({"velocity": (space_dim,)})

    def determined_up_to_constant(self) -> tuple[str, ...]:
        """Return ``pressure``."""
        return ("pressure",)

    def units(self) -> dict[str, str]:
        """Return SI units."""
        return {"velocity": "m/s", "pressure": "Pa", "vorticity": "1/s", "stress": "Pa"}

    def _body_force(self, x: Coordinates) -> Jet:
        dim = x.frame.space_dim
        return evaluate(
            [0.0] * dim if self.body_force is None else self.body_force, x, (dim,), "body_force"
        )
