"""Linear elasticity: div(sigma) + b = 0 with Hooke's law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pinnsolve.jets import Coordinates, Fields, Frame, Jet, as_jet, div, identity, sym_grad, trace
from pinnsolve.physics.hooke import (
    check_expansion,
    check_moduli,
    free_expansion,
    lame_parameters,
    moduli,
    von_mises,
)
from pinnsolve.physics.physics import Balance, Coefficient, Number, Physics, Value, evaluate


@dataclass(frozen=True)
class Elasticity(Physics):
    """Static linear elasticity of an isotropic solid at small strain.

    Solves ``div(sigma) + b = 0``, ``sigma = lam tr(eps) I + 2 mu eps``, ``eps = sym_grad(u)``. In
    plane stress lam is replaced by ``2 lam mu / (lam + 2 mu)`` (Timoshenko & Goodier, Theory of
    Elasticity, art. 17). A given temperature adds ``-E alpha (T - T_ref) / (1 - 2 nu) I``, in plane
    stress ``-E alpha (T - T_ref) / (1 - nu) I`` (the same, art. 153).

    Attributes:
        youngs_modulus: E in Pa; a number or a function of the coordinates.
        poissons_ratio: nu, in (-1, 0.5); a number or a function of the coordinates.
        plane: ``"stress"`` or ``"strain"`` in 2-D; None in 3-D.
        body_force: b in N/m3; a list of components or a function of the coordinates; None for none.
        expansion: alpha in 1/K, a number or a function of the coordinates; None without heat.
        temperature: T in K or degC, a number or a function of the coordinates; with ``expansion``.
        reference_temperature: T_ref without thermal strain, in the unit of ``temperature``.
    """

    youngs_modulus: Coefficient
    poissons_ratio: Coefficient
    plane: Literal["stress", "strain"] | None = None
    body_force: Value = None
    expansion: Value = None
    temperature: Value = None
    reference_temperature: Number = 0.0

    def __post_init__(self) -> None:
        """Refuse moduli without a positive strain energy, and half of a thermal strain."""
        check_moduli(self.youngs_modulus, self.poissons_ratio)
        check_expansion(self.expansion, self.temperature, self.reference_temperature)
        if self.plane not in (None, "stress", "strain"):
            raise ValueError(f"plane must be 'stress', 'strain' or None (3-D), got {self.plane!r}")

    def field_shapes(self, space_dim: int) -> dict[str, tuple[int, ...]]:
        """Return the one field, ``displacement`` in m."""
        return {"displacement": (space_dim,)}

    def check(self, frame: Frame) -> None:
        """Refuse 2-D without a plane assumption, 3-D with one, and time."""
        if frame.has_time:
            raise ValueError("Elasticity is static: leave out time=")
        if frame.space_dim == 1:
            raise ValueError(
                "Elasticity is for 2-D and 3-D; write a bar as own physics: div(E * grad(u))"
            )
        if frame.space_dim == 2 and self.plane is None:
            raise ValueError("2-D elasticity needs plane='stress' (thin) or plane='strain' (thick)")
        if frame.space_dim != 2 and self.plane is not None:
            raise ValueError(f"plane={self.plane!r} is for 2-D; this domain is {frame.space_dim}-D")

    def stress(self, f: Fields, x: Coordinates) -> Jet:
        """Return the Cauchy stress in Pa, shape (D, D)."""
        lam, mu = self._lame(x)
        strain = sym_grad(f.displacement)
        pressure = lam * trace(strain)
        free = self._free_expansion(x)
        if free is not None:
            pressure = pressure - self._thermal_modulus(x) * free
        return pressure * identity(x.frame) + 2.0 * mu * strain

    def residual(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return the equilibrium of forces in N/m3."""
        return {"equilibrium": div(self.stress(f, x)) + self._body_force(x)}

    def natural_fluxes(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return the stress, whose normal component is the traction."""
        return {"displacement": self.stress(f, x)}

    def balances(self, f: Fields, x: Coordinates) -> dict[str, Balance]:
        """Tractions and body forces sum to zero."""
        return {"force": Balance(self.stress(f, x), -self._body_force(x), "N")}

    def derived(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return ``stress``, ``strain`` (that of heat included) and the von Mises stress ``von_mises``."""
        stress, strain = self.stress(f, x), sym_grad(f.displacement)
        mises = von_mises(stress, self._stress_across(stress, x))
        return {"stress": stress, "strain": strain, "von_mises": mises}

    def units(self) -> dict[str, str]:
        """Return SI units."""
        return {"displacement": "m", "stress": "Pa", "strain": "", "von_mises": "Pa"}

    def _lame(self, x: Coordinates) -> tuple[Jet, Jet]:
        """Return the effective Lame parameters of this plane assumption."""
        lam, mu = lame_parameters(self.youngs_modulus, self.poissons_ratio, x)
        if self.plane == "stress":
            e, nu = moduli(self.youngs_modulus, self.poissons_ratio, x)
            return e * nu / ((1.0 - nu) * (1.0 + nu)), mu
        return lam, mu

    def _free_expansion(self, x: Coordinates) -> Jet | None:
        return free_expansion(self.expansion, self.temperature, self.reference_temperature, x)

    def _thermal_modulus(self, x: Coordinates) -> Jet:
        """Return the pressure in Pa that holds a unit of free expansion back."""
        e, nu = moduli(self.youngs_modulus, self.poissons_ratio, x)
        return e / (1.0 - nu) if self.plane == "stress" else e / (1.0 - 2.0 * nu)

    def _stress_across(self, stress: Jet, x: Coordinates) -> Jet | None:
        """Return the normal stress across the plane in Pa; None in 3-D."""
        if self.plane is None:
            return None
        if self.plane == "stress":
            return as_jet(0.0, x.frame)
        e, nu = moduli(self.youngs_modulus, self.poissons_ratio, x)
        across, free = nu * trace(stress), self._free_expansion(x)
        return across if free is None else across - e * free

    def _body_force(self, x: Coordinates) -> Jet:
        dim = x.frame.space_dim
        return evaluate(
            [0.0] * dim if self.body_force is None else self.body_force, x, (dim,), "body_force"
        )
