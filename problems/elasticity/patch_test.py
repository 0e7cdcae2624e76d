"""Patch test: displacements that are linear on the boundary make the strain constant inside.

R. H. MacNeal & R. L. Harder, "A proposed standard set of problems to test finite element accuracy",
Finite Elements in Analysis and Design 1 (1985), sec. 3: a plate of 0.24 m x 0.12 m, E = 1 MPa, nu = 0.25,
with u = 1e-3 (x + y/2), v = 1e-3 (y + x/2) on its boundary. There in psi and inches; the stresses are
1333.3333 and 400 in the unit of E = 1e6.
"""

from __future__ import annotations

import pinnsolve as ps

_POISSONS_RATIO = 0.25


def patch_test(youngs_modulus: float = 1e6, strain: float = 1e-3) -> ps.Problem:
    """Plate in plane stress with linear displacements given on its boundary (MacNeal & Harder).

    Args:
        youngs_modulus: E in Pa.
        strain: Normal strain in both directions, which is also the shear strain gamma_xy.
    """

    def displacement(x: ps.Coordinates) -> list[ps.Jet]:
        return [strain * (x.x + 0.5 * x.y), strain * (x.y + 0.5 * x.x)]

    normal = youngs_modulus * strain / (1.0 - _POISSONS_RATIO)
    shear = youngs_modulus * strain / (2.0 * (1.0 + _POISSONS_RATIO))
    return ps.Problem(
        name="patch_test",
        domain=ps.Rectangle((0.0, 0.0), (0.24, 0.12)),
        physics=ps.Elasticity(
            youngs_modulus=youngs_modulus, poissons_ratio=_POISSONS_RATIO, plane="stress"
        ),
        conditions=[
            ps.Dirichlet(side, displacement=displacement)
            for side in ("left", "right", "bottom", "top")
        ],
        exact=lambda x: {"displacement": displacement(x)},
        quantities=[
            ps.point_value(
                name,
                "stress",
                (0.08, 0.07),
                component=component,
                unit="Pa",
                target=target,
                tolerance=1e-4 * abs(normal),
                source="exact: MacNeal & Harder 1985",
            )
            for name, component, target in (
                ("sigma_xx", (0, 0), normal),
                ("sigma_yy", (1, 1), normal),
                ("tau_xy", (0, 1), shear),
            )
        ],
        accuracy=1e-6,
        description="patch test: linear displacements on the boundary, constant stress inside",
    )
