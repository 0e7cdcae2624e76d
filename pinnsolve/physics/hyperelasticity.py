"""Finite strain: div(P) + b = 0 in the undeformed body, for a compressible neo-Hookean solid."""

from __future__ import annotations

from dataclasses import dataclass

from pinnsolve.jets import (
    Coordinates,
    Fields,
    Frame,
    Jet,
    as_jet,
    div,
    dot,
    grad,
    identity,
    log,
    transpose,
    where,
)
from pinnsolve.physics.hooke import check_moduli, lame_parameters, von_mises
from pinnsolve.physics.physics import Balance, Coefficient, Physics, Value, evaluate


@dataclass(frozen=True)
class HyperElasticity(Physics):
    """Static finite strain of a compressible neo-Hookean solid; plane strain in 2-D.

    The strain energy is ``W = mu/2 (I1 - 3 - 2 ln J) + lam/2 (ln J)^2`` with ``F = I + grad(u)``,
    ``J = det F`` (Bonet & Wood, Nonlinear Continuum Mechanics, sec. 6.4.3). Coordinates are those of
    the undeformed body; solves ``div(P) + b = 0`` with the first Piola-Kirchhoff stress
    ``P = mu F + (lam ln J - mu) F^-T``. So ``Traction`` is force per undeformed area, in the
    direction it is given in, and ``pressure`` acts along the undeformed normal.

    Below ``J = 0.1`` the factor ``(lam ln J - mu) / J`` of the cofactor of F is continued by its tangent,
    so that trial fields that fold the body over stay finite; an answer has ``volume_ratio`` above it.

    Attributes:
        youngs_modulus: E in Pa at small strain.
        poissons_ratio: nu at small strain, in (-1, 0.5).
        body_force: b in N per undeformed m3; a list or a function of the coordinates; None for none.
    """

    youngs_modulus: Coefficient
    poissons_ratio: Coefficient
    body_force: Value = None

    def __post_init__(self) -> None:
        """Refuse moduli without a positive strain energy."""
        check_moduli(self.youngs_modulus, self.poissons_ratio)

    def field_shapes(self, space_dim: int) -> dict[str, tuple[int, ...]]:
        """Return the one field, ``displacement`` in m."""
        return {"displacement": (space_dim,)}

    def check(self, frame: Frame) -> None:
        """Refuse 1-D and time."""
        if frame.has_time:
            raise ValueError("HyperElasticity is static: leave out time=")
        if frame.space_dim == 1:
            raise ValueError("HyperElasticity is for 2-D (plane strain) and 3-D")

    def first_piola_kirchhoff(self, f: Fields, x: Coordinates) -> Jet:
        """Return P in Pa, force per undeformed area, shape (D, D)."""
        _, mu = lame_parameters(self.youngs_modulus, self.poissons_ratio, x)
        gradient = _deformation_gradient(f, x)
        cofactor = _cofactor(gradient)
        return mu * gradient + self._volumetric(_determinant(gradient, cofactor), x) * cofactor

    def stress(self, f: Fields, x: Coordinates) -> Jet:
        """Return the Cauchy stress ``P F^T / J`` in Pa, shape (D, D)."""
        gradient = _deformation_gradient(f, x)
        volume = _determinant(gradient, _cofactor(gradient))
        return 1.0 / volume * dot(self.first_piola_kirchhoff(f, x), transpose(gradient))

    def residual(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return the equilibrium of forces in N per undeformed m3."""
        return {"equilibrium": div(self.first_piola_kirchhoff(f, x)) + self._body_force(x)}

    def natural_fluxes(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return P, whose normal component is the traction per undeformed area."""
        return {"displacement": self.first_piola_kirchhoff(f, x)}

    def balances(self, f: Fields, x: Coordinates) -> dict[str, Balance]:
        """Tractions and body forces sum to zero."""
        return {"force": Balance(self.first_piola_kirchhoff(f, x), -self._body_force(x), "N")}

    def derived(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return the Cauchy ``stress``, ``first_piola_kirchhoff``, ``volume_ratio`` J and ``von_mises``."""
        gradient = _deformation_gradient(f, x)
        volume = _determinant(gradient, _cofactor(gradient))
        stress, across = self.stress(f, x), None
        if x.frame.space_dim == 2:
            _, mu = lame_parameters(self.youngs_modulus, self.poissons_ratio, x)
            across = mu / volume + self._volumetric(volume, x)
        return {
            "stress": stress,
            "first_piola_kirchhoff": self.first_piola_kirchhoff(f, x),
            "volume_ratio": volume,
            "von_mises": von_mises(stress, across),
        }

    def units(self) -> dict[str, str]:
        """Return SI units."""
        return {
            "displacement": "m",
            "stress": "Pa",
            "first_piola_kirchhoff": "Pa",
            "volume_ratio": "",
            "von_mises": "Pa",
        }

    def _volumetric(self, volume: Jet, x: Coordinates) -> Jet:
        """Return ``(lam ln J - mu) / J`` in Pa, continued by its tangent below the least J."""
        lam, mu = lame_parameters(self.youngs_modulus, self.poissons_ratio, x)
        least = as_jet(_LEAST_VOLUME, volume.frame)
        inside = volume > _LEAST_VOLUME
        kept = where(inside, volume, least)
        value = (lam * log(least) - mu) / _LEAST_VOLUME
        slope = (lam - lam * log(least) + mu) / _LEAST_VOLUME**2
        return where(inside, (lam * log(kept) - mu) / kept, value + slope * (volume - least))

    def _body_force(self, x: Coordinates) -> Jet:
        dim = x.frame.space_dim
        return evaluate(
            [0.0] * dim if self.body_force is None else self.body_force, x, (dim,), "body_force"
        )


_LEAST_VOLUME = 0.1
"""Volume ratio that a meaningful answer exceeds everywhere: the model is not meant for such compression."""


def _deformation_gradient(f: Fields, x: Coordinates) -> Jet:
    return identity(x.frame) + grad(f.displacement)


def _cofactor(a: Jet) -> Jet:
    """Return ``det(a) a^-T`` of a 2-D or 3-D tensor, without a division."""
    if len(a) == 2:
        return as_jet([[a[1][1], -a[1][0]], [-a[0][1], a[0][0]]], a.frame)
    return as_jet([_cross(a[1], a[2]), _cross(a[2], a[0]), _cross(a[0], a[1])], a.frame)


def _cross(a: Jet, b: Jet) -> Jet:
    pairs = ((1, 2), (2, 0), (0, 1))
    return as_jet([a[i] * b[j] - a[j] * b[i] for i, j in pairs], a.frame)


def _determinant(a: Jet, cofactor: Jet) -> Jet:
    return dot(a[0], cofactor[0])
