"""Linear elasticity of solids of revolution, on their section: coordinates r and z."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from pinnsolve.jets import (
    Coordinates,
    Fields,
    Frame,
    Jet,
    as_jet,
    div,
    grad,
    identity,
    sym_grad,
    trace,
    where,
)
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
class AxisymmetricElasticity(Physics):
    """Static linear elasticity of a solid of revolution under axisymmetric load, without torsion.

    The domain is the section, with ``x.x = r >= 0`` and ``x.y = z``; the displacement is (u_r, u_z).
    Solves, with the hoop strain ``u_r / r`` (Timoshenko & Goodier, Theory of Elasticity, ch. 12),

        d(r s_rr)/dr + d(r s_rz)/dz - s_tt + r b_r = 0,
        d(r s_rz)/dr + d(r s_zz)/dz + r b_z = 0,
        sigma = (lam tr(eps) - E alpha (T - T_ref) / (1 - 2 nu)) I + 2 mu eps.

    This is equilibrium times r: nothing grows without bound towards the axis. On the axis itself u_r / r
    is its limit du_r/dr; an edge on the axis is a ``Symmetry``. ``Traction`` is in Pa as everywhere;
    integrals over the section or its edges are those of the section, without the factor 2 pi r.

    Attributes:
        youngs_modulus: E in Pa; a number or a function of the coordinates.
        poissons_ratio: nu, in (-1, 0.5); a number or a function of the coordinates.
        body_force: (b_r, b_z) in N/m3; a list or a function of the coordinates; None for none.
        expansion: alpha in 1/K, a number or a function of the coordinates; None without heat.
        temperature: T in K or degC, a number or a function of the coordinates; with ``expansion``.
        reference_temperature: T_ref without thermal strain, in the unit of ``temperature``.
    """

    youngs_modulus: Coefficient
    poissons_ratio: Coefficient
    body_force: Value = None
    expansion: Value = None
    temperature: Value = None
    reference_temperature: Number = 0.0

    def __post_init__(self) -> None:
        """Refuse moduli without a positive strain energy, and half of a thermal strain."""
        check_moduli(self.youngs_modulus, self.poissons_ratio)
        check_expansion(self.expansion, self.temperature, self.reference_temperature)

    def field_shapes(self, space_dim: int) -> dict[str, tuple[int, ...]]:
        """Return the one field, ``displacement`` (u_r, u_z) in m."""
        return {"displacement": (space_dim,)}

    def check(self, frame: Frame) -> None:
        """Refuse all but a steady plane section."""
        if frame.has_time:
            raise ValueError("AxisymmetricElasticity is static: leave out time=")
        if frame.space_dim != 2:
            raise ValueError(
                "AxisymmetricElasticity needs the section in 2-D, with x = r and y = z; "
                f"this domain is {frame.space_dim}-D"
            )

    def stress(self, f: Fields, x: Coordinates) -> Jet:
        """Return the Cauchy stress in the section in Pa, shape (2, 2): rr, rz; rz, zz."""
        pressure, mu = self._isotropic(f, x)
        return pressure * identity(x.frame) + 2.0 * mu * sym_grad(f.displacement)

    def hoop_stress(self, f: Fields, x: Coordinates) -> Jet:
        """Return the stress around the axis in Pa."""
        pressure, mu = self._isotropic(f, x)
        return pressure + 2.0 * mu * _hoop_strain(f, x)

    def residual(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return the equilibrium of forces times r, in N/m2."""
        return {"equilibrium": div(x.x * self.stress(f, x)) - self._released(f, x)}

    def natural_fluxes(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return the stress in the section, whose normal component is the traction."""
        return {"displacement": self.stress(f, x)}

    def balances(self, f: Fields, x: Coordinates) -> dict[str, Balance]:
        """Forces on a wedge of one radian sum to zero, radially with the hoop stress on its two faces."""
        return {"force": Balance(x.x * self.stress(f, x), self._released(f, x), "N/rad")}

    def derived(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return ``stress`` and ``strain`` in the section, those around the axis, and ``von_mises``."""
        stress, hoop = self.stress(f, x), self.hoop_stress(f, x)
        return {
            "stress": stress,
            "hoop_stress": hoop,
            "strain": sym_grad(f.displacement),
            "hoop_strain": _hoop_strain(f, x),
            "von_mises": von_mises(stress, hoop),
        }

    def units(self) -> dict[str, str]:
        """Return SI units."""
        return {
            "displacement": "m",
            "stress": "Pa",
            "hoop_stress": "Pa",
            "strain": "",
            "hoop_strain": "",
            "von_mises": "Pa",
        }

    def _isotropic(self, f: Fields, x: Coordinates) -> tuple[Jet, Jet]:
        """Return the part of the stress that is the same in all directions, and mu, in Pa."""
        lam, mu = lame_parameters(self.youngs_modulus, self.poissons_ratio, x)
        pressure = lam * (trace(grad(f.displacement)) + _hoop_strain(f, x))
        free = free_expansion(self.expansion, self.temperature, self.reference_temperature, x)
        if free is not None:
            e, nu = moduli(self.youngs_modulus, self.poissons_ratio, x)
            pressure = pressure - e / (1.0 - 2.0 * nu) * free
        return pressure, mu

    def _released(self, f: Fields, x: Coordinates) -> Jet:
        """Return what ``div(r sigma)`` equals: the hoop stress, less r times the body force, in N/m2."""
        around = as_jet([self.hoop_stress(f, x), 0.0], x.frame)
        if self.body_force is None:
            return around
        return around - x.x * evaluate(self.body_force, x, (2,), "body_force")


def _hoop_strain(f: Fields, x: Coordinates) -> Jet:
    """Return u_r / r, on the axis its limit du_r/dr.

    Raises:
        ValueError: If a point lies at negative r.
    """
    radius = x.points[:, 0]
    if bool((radius < -_ROUNDING * radius.abs().max()).any()):
        raise ValueError(
            f"the section of a solid of revolution has r >= 0, got a point at r = {float(radius.min()):g}: "
            "x is the distance from the axis; move the domain or cut it at x = 0"
        )
    outside = radius > _ROUNDING * radius.abs().max()
    safe = where(outside, x.x, torch.ones_like(radius), x.frame)
    radial = f.displacement[0]
    return where(outside, radial / safe, grad(radial)[0])


_ROUNDING = 1e-12
"""Share of the largest radius that counts as the axis."""
