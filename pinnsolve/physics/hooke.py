"""What the linear elastic solids share: moduli, free thermal expansion, von Mises stress."""

from __future__ import annotations

import math

from pinnsolve.jets import Coordinates, Jet, as_jet, identity, inner, sqrt, trace
from pinnsolve.physics.physics import Coefficient, Number, Value, check_positive, evaluate
from pinnsolve.physics.regions import ByRegion
from pinnsolve.ranges import Range


def check_moduli(youngs_modulus: Coefficient, poissons_ratio: Coefficient) -> None:
    """Refuse moduli without a positive strain energy."""
    check_positive("youngs_modulus", youngs_modulus, "Pa")
    nu = poissons_ratio
    values = nu.values if isinstance(nu, ByRegion) else (nu,)
    ends = [end for v in values for end in ((v.low, v.high) if isinstance(v, Range) else (v,))]
    if any(isinstance(end, int | float) and not -1.0 < end < 0.5 for end in ends):
        raise ValueError(
            f"poissons_ratio must lie in (-1, 0.5), got {nu}: at 0.5 the solid is incompressible and "
            "displacement alone cannot describe it; use 0.49 or less"
        )


def check_expansion(expansion: Value, temperature: Value, reference: Number) -> None:
    """Refuse half of a thermal strain, and numbers that are not finite."""
    if (expansion is None) != (temperature is None):
        given = "temperature" if expansion is None else "expansion"
        raise ValueError(
            f"thermal strain needs expansion= in 1/K and temperature= in K or degC, got only {given}=; "
            "give both or neither"
        )
    named = {
        "expansion": expansion,
        "temperature": temperature,
        "reference_temperature": reference,
    }
    for name, value in named.items():
        if isinstance(value, int | float) and not math.isfinite(value):
            raise ValueError(f"{name} must be finite, got {value}")


def free_expansion(
    expansion: Value, temperature: Value, reference: Number, x: Coordinates
) -> Jet | None:
    """Return the strain ``alpha (T - T_ref)`` that heat alone makes, or None without heat."""
    if expansion is None:
        return None
    alpha = evaluate(expansion, x, (), "expansion")
    return alpha * (evaluate(temperature, x, (), "temperature") - as_jet(reference, x.frame))


def moduli(
    youngs_modulus: Coefficient, poissons_ratio: Coefficient, x: Coordinates
) -> tuple[Jet, Jet]:
    """Return E in Pa and nu at the points."""
    e = evaluate(youngs_modulus, x, (), "youngs_modulus")
    return e, evaluate(poissons_ratio, x, (), "poissons_ratio")


def lame_parameters(
    youngs_modulus: Coefficient, poissons_ratio: Coefficient, x: Coordinates
) -> tuple[Jet, Jet]:
    """Return lam and mu in Pa."""
    e, nu = moduli(youngs_modulus, poissons_ratio, x)
    return e * nu / ((1.0 + nu) * (1.0 - 2.0 * nu)), e / (2.0 * (1.0 + nu))


def von_mises(stress: Jet, normal: Jet | None = None) -> Jet:
    """Return sqrt(3/2 s:s) of the deviator s.

    Args:
        stress: Cauchy stress in Pa, shape (D, D).
        normal: The stress across the plane in Pa, for a plane or axial section; None in 3-D.
    """
    first = trace(stress) if normal is None else trace(stress) + normal
    mean = first * (1.0 / 3.0)
    deviator = stress - mean * identity(stress.frame)
    square = inner(deviator, deviator)
    if normal is not None:
        square = square + (normal - mean) ** 2
    return sqrt(1.5 * square)
