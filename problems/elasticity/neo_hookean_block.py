"""A rubber block under uniaxial tension at finite strain.

A unit cube of the compressible neo-Hookean solid W = mu/2 (I1 - 3 - 2 ln J) + lam/2 (ln J)^2, held by
three planes of symmetry, is pulled along x by the force per undeformed area P that stretches it by
``stretch``; its sides are free. The lateral stretch l_t solves mu (l_t^2 - 1) + lam ln(l l_t^2) = 0; then
sigma_xx = mu (l^2 - l_t^2) / J, P = J sigma_xx / l, J = l l_t^2 (J. Bonet & R. D. Wood, Nonlinear Continuum
Mechanics for Finite Element Analysis, sec. 6.4). The strain is uniform and the problem far from linear.
"""

from __future__ import annotations

import math

import pinnsolve as ps

_POISSONS_RATIO = 0.3


def neo_hookean_block(stretch: float = 1.5, youngs_modulus: float = 1e6) -> ps.Problem:
    """Neo-Hookean cube under uniaxial tension, exact at any stretch.

    Args:
        stretch: Length of the deformed edge over that of the undeformed one.
        youngs_modulus: E at small strain in Pa.
    """
    if not 0.3 <= stretch <= 3.0:
        raise ValueError(f"stretch must lie in [0.3, 3], got {stretch}")
    nu = _POISSONS_RATIO
    lam = youngs_modulus * nu / ((1.0 + nu) * (1.0 - 2.0 * nu))
    mu = youngs_modulus / (2.0 * (1.0 + nu))
    lateral = _lateral_stretch(stretch, lam / mu)
    volume = stretch * lateral**2
    cauchy = mu * (stretch**2 - lateral**2) / volume

    def exact(x: ps.Coordinates) -> dict[str, object]:
        sideways = lateral - 1.0
        return {"displacement": [(stretch - 1.0) * x.x, sideways * x.y, sideways * x.z]}

    return ps.Problem(
        name="neo_hookean_block",
        domain=ps.Box((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
        physics=ps.HyperElasticity(youngs_modulus=youngs_modulus, poissons_ratio=nu),
        conditions=[
            ps.Symmetry("left"),
            ps.Symmetry("front"),
            ps.Symmetry("bottom"),
            ps.Traction("right", vector=[volume * cauchy / stretch, 0.0, 0.0]),
            ps.Traction("back"),
            ps.Traction("top"),
        ],
        exact=exact,
        quantities=[
            ps.point_value(
                "sigma_xx",
                "stress",
                (0.5, 0.5, 0.5),
                component=(0, 0),
                unit="Pa",
                target=cauchy,
                tolerance=1e-4 * abs(cauchy),
                source="exact: uniaxial stretch",
            ),
            ps.point_value(
                "lateral contraction",
                "displacement",
                (1.0, 1.0, 1.0),
                component=(1,),
                unit="m",
                target=lateral - 1.0,
                tolerance=1e-4 * abs(lateral - 1.0),
                source="exact: uniaxial stretch",
            ),
        ],
        accuracy=1e-4,
        time_budget=240.0,
        description="neo-Hookean cube under uniaxial tension at finite strain; exact stress",
    )


def _lateral_stretch(stretch: float, ratio: float) -> float:
    """Return l_t with ``l_t^2 - 1 + (lam / mu) ln(l l_t^2) = 0`` by bisection: the left side rises with l_t."""
    low, high = 0.1, 10.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        rest = middle**2 - 1.0 + ratio * math.log(stretch * middle**2)
        low, high = (middle, high) if rest < 0.0 else (low, middle)
    return 0.5 * (low + high)
