"""What all flows of an incompressible Newtonian fluid share: fields, stress and what they need at boundaries."""

from __future__ import annotations

from pinnsolve.jets import (
    Coordinates,
    Fields,
    Frame,
    Jet,
    as_jet,
    component_names,
    curl,
    grad,
    identity,
    laplacian,
    sym_grad,
)
from pinnsolve.physics.physics import Number, Physics, Value, check_positive, evaluate


class IncompressibleFlow(Physics):
    """Velocity and pressure of an incompressible Newtonian fluid; subclasses say what inertia it has.

    The natural flux is the stress ``-p I + mu (grad u + grad u^T)``.

    Attributes:
        dynamic_viscosity: mu in Pa s.
        body_force: b in N/m3; a list of components or a function of the coordinates; None for none.
    """

    dynamic_viscosity: Number
    body_force: Value

    def __post_init__(self) -> None:
        """Refuse a viscosity that is not positive."""
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

    def _unbalanced_stress(self, f: Fields, x: Coordinates) -> Jet:
        """Return ``grad p - mu lap u - b`` in N/m3, which inertia has to make up for."""
        mu = as_jet(self.dynamic_viscosity, x.frame)
        return grad(f.pressure) - mu * laplacian(f.velocity) - self._body_force(x)

    def _body_force(self, x: Coordinates) -> Jet:
        dim = x.frame.space_dim
        return evaluate(
            [0.0] * dim if self.body_force is None else self.body_force, x, (dim,), "body_force"
        )
