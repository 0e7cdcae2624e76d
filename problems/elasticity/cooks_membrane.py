"""Cook's membrane: a tapered panel, clamped on the left and sheared on the right.

The panel (0, 0), (48, 44), (48, 60), (0, 44) in plane stress with E = 1, nu = 1/3, clamped at x = 0; a
uniform shear of total 1 pulls the right edge up. R. D. Cook, Journal of the Structural Division 100
(1974). The middle of the loaded edge, (48, 52), rises by 23.96774 and its upper corner by 25.18937
(converged p-version finite elements; 23.96 is printed). The clamped corner at (0, 44) is singular, with an
exponent of 0.677: there the equations in strong form have no finite mean square, and smooth features alone are
10 % low. With the singular fields of the corners both values come out to five digits.
"""

from __future__ import annotations

import pinnsolve as ps


def cooks_membrane(load: float = 1.0, youngs_modulus: float = 1.0) -> ps.Problem:
    """Tapered panel in plane stress, clamped and sheared (Cook).

    Args:
        load: Total shear force per thickness on the right edge in N/m.
        youngs_modulus: E in Pa.
    """
    ratio = load / youngs_modulus
    panel = ps.Polygon(
        [(0.0, 0.0), (48.0, 44.0), (48.0, 60.0), (0.0, 44.0)],
        sides=("bottom", "right", "top", "left"),
    )
    return ps.Problem(
        name="cooks_membrane",
        domain=panel,
        physics=ps.Elasticity(
            youngs_modulus=youngs_modulus, poissons_ratio=1.0 / 3.0, plane="stress"
        ),
        conditions=[
            ps.Fixed("left"),
            ps.Traction("right", vector=[0.0, load / 16.0]),
            ps.Traction("bottom"),
            ps.Traction("top"),
        ],
        quantities=[
            ps.point_value(
                f"u_y(48, {y:g})",
                "displacement",
                (48.0, y),
                component=(1,),
                unit="m",
                target=target * ratio,
                tolerance=0.01 * abs(target * ratio),
                source="converged p-version finite elements; Cook's problem, 23.96 in the literature",
            )
            for y, target in ((52.0, 23.96774), (60.0, 25.18937))
        ],
        accuracy=1e-2,
        description="tapered panel, clamped and sheared; the middle of the edge rises by 23.968",
    )
