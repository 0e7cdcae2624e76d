"""Linear elasticity: div(sigma) + b = 0 with Hooke's law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pinnsolve.jets import (
    Coordinates,
    Fields,
    Frame,
    Jet,
    as_jet,
    div,
    identity,
    inner,
    sqrt,
    sym_grad,
    trace,
)
from pinnsolve.physics.physics import Balance, Coefficient, Physics, Value, check_positive, evaluate
from pinnsolve.physics.regions import ByRegion
from pinnsolve.ranges import Range


@dataclass(frozen=True)
class Elasticity(Physics):
    """Static linear elasticity of an isotropic solid at small strain.

    Solves ``div(sigma) + b = 0``, ``sigma = lam tr(eps) I + 2 mu eps``, ``eps = sym_grad(u)``. In
    plane stress lam is replaced by ``2 lam mu / (lam + 2 mu)`` (Timoshenko & Goodier, Theory of
    Elasticity, art. 17).

    Attributes:
        youngs_modulus: E in Pa; a number or a function of the coordinates.
        poissons_ratio: nu, in (-1, 0.5); a number or a function of the coordinates.
        plane: ``"stress"`` or ``"strain"`` in 2-D; None in 3-D.
        body_force: b in N/m3; a list of components or a function of the coordinates; None for none.
    """

    youngs_modulus: Coefficient
    poissons_ratio: Coefficient
    plane: Literal["stress", "strain"] | None = None
    body_force: Value = None

    def __post_init__(self) -> None:
        """Refuse moduli without a positive strain energy."""
        check_positive("youngs_modulus", self.youngs_modulus, "Pa")
        nu = self.poissons_ratio
        values = nu.values if isinstance(nu, ByRegion) else (nu,)
        ends = [end for v in values for end in ((v.low, v.high) if isinstance(v, Range) else (v,))]
        if any(isinstance(end, int | float) and not -1.0 < end < 0.5 for end in ends):
            raise ValueError(
                f"poissons_ratio must lie in (-1, 0.5), got {nu}: at 0.5 the solid is incompressible and "
                "displacement alone cannot describe it; use 0.49 or less"
            )
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
        return lam * trace(strain) * identity(x.frame) + 2.0 * mu * strain

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
        """Return ``stress``, ``strain`` and the von Mises stress ``von_mises``."""
        stress, strain = self.stress(f, x), sym_grad(f.displacement)
        return {"stress": stress, "strain": strain, "von_mises": self._von_mises(stress, x)}

    def units(self) -> dict[str, str]:
        """Return SI units."""
        return {"displacement": "m", "stress": "Pa", "strain": "", "von_mises": "Pa"}

    def _lame(self, x: Coordinates) -> tuple[Jet, Jet]:
        """Return the effective Lame parameters of this plane assumption."""
        e = evaluate(self.youngs_modulus, x, (), "youngs_modulus")
        nu = evaluate(self.poissons_ratio, x, (), "poissons_ratio")
        mu = e / (2.0 * (1.0 + nu))
        if self.plane == "stress":
            return e * nu / ((1.0 - nu) * (1.0 + nu)), mu
        return e * nu / ((1.0 + nu) * (1.0 - 2.0 * nu)), mu

    def _von_mises(self, stress: Jet, x: Coordinates) -> Jet:
        """Return sqrt(3/2 s:s) of the deviator s, the out-of-plane stress included."""
        first, frame = trace(stress), x.frame
        normal = as_jet(0.0, frame)
        if self.plane == "strain":
            normal = evaluate(self.poissons_ratio, x, (), "poissons_ratio") * first
        mean = (first + normal) * (1.0 / 3.0)
        deviator = stress - mean * identity(frame)
        square = inner(deviator, deviator)
        if self.plane is not None:
            square = square + (normal - mean) ** 2
        return sqrt(1.5 * square)

    def _body_force(self, x: Coordinates) -> Jet:
        dim = x.frame.space_dim
        return evaluate(
            [0.0] * dim if self.body_force is None else self.body_force, x, (dim,), "body_force"
        )
