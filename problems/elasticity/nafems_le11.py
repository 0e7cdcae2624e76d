"""NAFEMS LE11: a solid of revolution, cylinder to taper to sphere, heated unevenly.

The section (r, z) in m has the arc of radius 1 from (1, 0) to (0.70711, 0.70711) and a vertical line up
to z = 1.79711 inside; outside the arc of radius 1.4 from (1.4, 0) to (1.20830, 0.70711), a taper to (1.0,
1.39711) and a vertical line. T = r + z in degC, alpha = 2.3e-4 / K, E = 210 GPa, nu = 0.3; u_z = 0 at
both ends, nothing else is held. Target: sigma_zz at (1, 0) is -105 MPa (NAFEMS, The Standard NAFEMS
Benchmarks, 1990, printed for a mesh); it converges to -106.0407 MPa. Both ends of the taper are reentrant
corners, weakly singular, where the equations in strong form have no finite mean square. So is the point of
the target: mirrored at z = 0 the temperature has a kink, and the stress there goes like r log(r).
"""

from __future__ import annotations

import math

import pinnsolve as ps

_HEIGHT = 1.79711


def nafems_le11(youngs_modulus: float = 210e9, expansion: float = 2.3e-4) -> ps.Problem:
    """Solid of revolution under a temperature that varies in it (NAFEMS LE11).

    Args:
        youngs_modulus: E in Pa.
        expansion: alpha in 1/K.
    """
    size = (youngs_modulus / 210e9) * (expansion / 2.3e-4)

    def stress(name: str, at: tuple[float, float], target: float) -> ps.Quantity:
        return ps.point_value(
            name,
            "stress",
            at,
            component=(1, 1),
            unit="Pa",
            target=target * size,
            tolerance=0.005 * 106.0407e6 * abs(size),
            source="converged p-version finite elements; NAFEMS LE11 prints -105 MPa",
        )

    return ps.Problem(
        name="nafems_le11",
        domain=_section(),
        physics=ps.AxisymmetricElasticity(
            youngs_modulus=youngs_modulus,
            poissons_ratio=0.3,
            expansion=expansion,
            temperature=lambda x: x.x + x.y,
        ),
        conditions=[
            ps.Symmetry("bottom"),
            ps.Symmetry("top"),
            ps.Traction("inner"),
            ps.Traction("outer"),
        ],
        quantities=[
            stress("sigma_zz(1, 0)", (1.0, 0.0), -106.0407e6),
            stress("sigma_zz(1.4, 0)", (1.4, 0.0), -41.9388e6),
        ],
        accuracy=1e-3,
        description="heated solid of revolution; sigma_zz(1, 0) = -106.04 MPa",
    )


def _section() -> ps.Shape:
    """Return the section; the polygon reaches beyond both arcs, which then cut it."""
    bend = math.sqrt(0.5)
    shoulder = (math.sqrt(1.4**2 - 0.5), bend)
    outline = ps.Polygon(
        [
            (bend, 0.0),
            (1.6, 0.0),
            (1.6, 0.6),
            shoulder,
            (1.0, 1.39711),
            (1.0, _HEIGHT),
            (bend, _HEIGHT),
        ],
        sides=("bottom", "outer", "outer", "outer", "outer", "top", "inner"),
    )
    origin = (0.0, 0.0)
    beyond = ps.Rectangle((0.9, -1.0), (3.0, bend)) - ps.Disk(origin, 1.4, name="outer")
    return outline - ps.Disk(origin, 1.0, name="inner") - beyond
