"""Timoshenko's cantilever: a beam in plane stress with a parabolic shear at its end.

Length L, height D, clamped around x = 0, end load P per thickness; S. P. Timoshenko & J. N. Goodier,
Theory of Elasticity, art. 21. The exact displacements are given at x = 0: a rigid clamp there is another
problem, with singular corners. With the numbers usual in the literature on mesh-free methods (L = 48,
D = 12, E = 3e7, nu = 0.3, P = 1000; C. E. Augarde & A. J. Deeks, Finite Elements in Analysis and Design
44 (2008)) the tip falls, or for this sign rises, by 0.0089.
"""

from __future__ import annotations

import pinnsolve as ps

_POISSONS_RATIO = 0.3


def timoshenko_cantilever(
    length: float = 48.0, height: float = 12.0, load: float = 1000.0, youngs_modulus: float = 3e7
) -> ps.Problem:
    """Beam in plane stress with a parabolic shear at its end (Timoshenko).

    Args:
        length: L in m.
        height: D in m.
        load: P in N/m, upward at x = L.
        youngs_modulus: E in Pa.
    """
    if not (length > 0.0 and height > 0.0):
        raise ValueError(f"length and height must be > 0, got {length} and {height}")
    L, D, P, E, nu = length, height, load, youngs_modulus, _POISSONS_RATIO
    inertia = D**3 / 12.0

    def displacement(x: ps.Coordinates) -> list[ps.Jet]:
        factor = P / (6.0 * E * inertia)
        u = (6.0 * L - 3.0 * x.x) * x.x + (2.0 + nu) * (x.y**2 - 0.25 * D**2)
        v = 3.0 * nu * x.y**2 * (L - x.x) + 0.25 * (4.0 + 5.0 * nu) * D**2 * x.x
        return [-factor * x.y * u, factor * (v + (3.0 * L - x.x) * x.x**2)]

    def end_shear(x: ps.Coordinates) -> list[object]:
        return [0.0, P / (2.0 * inertia) * (0.25 * D**2 - x.y**2)]

    tip = P * L / (6.0 * E * inertia) * (0.25 * (4.0 + 5.0 * nu) * D**2 + 2.0 * L**2)
    bending = -P * L * D / (2.0 * inertia)
    return ps.Problem(
        name="timoshenko_cantilever",
        domain=ps.Rectangle((0.0, -0.5 * D), (L, 0.5 * D)),
        physics=ps.Elasticity(youngs_modulus=E, poissons_ratio=nu, plane="stress"),
        conditions=[
            ps.Dirichlet("left", displacement=displacement),
            ps.Traction("right", vector=end_shear),
            ps.Traction("bottom"),
            ps.Traction("top"),
        ],
        exact=lambda x: {"displacement": displacement(x)},
        quantities=[
            ps.point_value(
                "v(L, 0)",
                "displacement",
                (L, 0.0),
                component=(1,),
                unit="m",
                target=tip,
                tolerance=1e-4 * abs(tip),
                source="exact: Timoshenko & Goodier, art. 21",
            ),
            ps.point_value(
                "sigma_xx(0, D/2)",
                "stress",
                (0.0, 0.5 * D),
                component=(0, 0),
                unit="Pa",
                target=bending,
                tolerance=1e-4 * abs(bending),
                source="exact: Timoshenko & Goodier, art. 21",
            ),
        ],
        accuracy=1e-4,
        description="cantilever with a parabolic end shear in plane stress; tip moves by 0.0089 m",
    )
