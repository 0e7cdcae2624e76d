"""NAFEMS T1: a membrane with a hot spot.

A square membrane of 20 mm x 20 mm in plane stress, E = 100 GPa, nu = 0.3, free on its edges. A circle of radius 1 mm in
its middle is 1 K warmer and expands by alpha = 1e-3/K. Displacement and traction are continuous at its edge, strain and
hoop stress jump. Target: sigma_yy = 50 MPa just outside of the circle on the x axis (NAFEMS, "The Standard NAFEMS
Benchmarks", 1990), which is E alpha / 2 in an infinite membrane. In the square it is 50.446 MPa: the tractions of
the infinite membrane on the edges, taken off by a series of complex potentials ``z^(4k+1)``, ``z^(4k+3)``.
"""

from __future__ import annotations

import pinnsolve as ps

_POISSONS_RATIO = 0.3
_RADIUS, _HALF_SIDE = 1e-3, 10e-3


def nafems_t1(
    youngs_modulus: float = 100e9, expansion: float = 1e-3, excess: float = 1.0
) -> ps.Problem:
    """Membrane with a hot spot, in plane stress (NAFEMS T1).

    Args:
        youngs_modulus: E in Pa.
        expansion: alpha of the hot spot in 1/K.
        excess: By how much it is warmer, in K.
    """
    spot = ps.Disk((0.0, 0.0), _RADIUS, name="spot")
    scale = youngs_modulus * expansion * excess / 100e6
    return ps.Problem(
        name="nafems_t1",
        domain=ps.Rectangle((0.0, 0.0), (_HALF_SIDE, _HALF_SIDE)),
        physics=ps.Elasticity(
            youngs_modulus=youngs_modulus,
            poissons_ratio=_POISSONS_RATIO,
            plane="stress",
            expansion=ps.by_region({spot: expansion}, otherwise=0.0),
            temperature=excess,
        ),
        conditions=[
            ps.Symmetry("left"),
            ps.Symmetry("bottom"),
            ps.Traction("right"),
            ps.Traction("top"),
            ps.Interface(spot, "edge of the spot"),
        ],
        quantities=[
            ps.point_value(
                "sigma_yy(1 mm, 0) outside",
                "stress",
                (_RADIUS * (1.0 + 1e-6), 0.0),
                component=(1, 1),
                unit="Pa",
                target=50.446e6 * scale,
                tolerance=0.005 * 50.446e6 * abs(scale),
                source="series for the square; NAFEMS T1 prints 50 MPa",
            )
        ],
        accuracy=1e-3,
        description="membrane with a hot spot; sigma_yy = 50.4 MPa beside it",
    )
