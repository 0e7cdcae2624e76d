"""A thick tube under inner pressure once more, as a solid of revolution on its section.

The section a < r < b, 0 < z < h with symmetry at both ends, so that the tube is held in length: plane strain, and the
answer is Lame's (see ``lame_cylinder``), with u_r = p a^2 / (b^2 - a^2) (1 + nu) / E ((1 - 2 nu) r + b^2 / r). S. P.
Timoshenko & J. N. Goodier, Theory of Elasticity, art. 28.
"""

from __future__ import annotations

import pinnsolve as ps

_POISSONS_RATIO = 0.3


def pressure_tube(
    inner_radius: float = 0.1,
    outer_radius: float = 0.2,
    height: float = 0.1,
    pressure: float = 100e6,
    youngs_modulus: float = 210e9,
) -> ps.Problem:
    """Thick tube under inner pressure, axisymmetric (Lame).

    Args:
        inner_radius: a in m.
        outer_radius: b in m.
        height: h in m.
        pressure: p in Pa on the inner wall.
        youngs_modulus: E in Pa.
    """
    if not 0.0 < inner_radius < outer_radius:
        raise ValueError(
            f"radii must be 0 < inner_radius < outer_radius, got {inner_radius} and {outer_radius}"
        )
    a, b, nu = inner_radius, outer_radius, _POISSONS_RATIO
    base = pressure * a**2 / (b**2 - a**2)
    scale = base * (1.0 + nu) / youngs_modulus

    def exact(x: ps.Coordinates) -> dict[str, object]:
        return {"displacement": [scale * ((1.0 - 2.0 * nu) * x.x + b**2 / x.x), 0.0 * x.y]}

    middle = (a, 0.5 * height)
    hoop, moved = base * (1.0 + (b / a) ** 2), scale * a * (1.0 - 2.0 * nu + (b / a) ** 2)
    return ps.Problem(
        name="pressure_tube",
        domain=ps.Rectangle((a, 0.0), (b, height)),
        physics=ps.AxisymmetricElasticity(youngs_modulus=youngs_modulus, poissons_ratio=nu),
        conditions=[
            ps.Symmetry("bottom"),
            ps.Symmetry("top"),
            ps.Traction("left", pressure=pressure),
            ps.Traction("right"),
        ],
        exact=exact,
        quantities=[
            ps.point_value(
                "u_r(a)",
                "displacement",
                middle,
                component=(0,),
                unit="m",
                target=moved,
                tolerance=1e-4 * abs(moved),
                source="exact: Lame 1833",
            ),
            ps.point_value(
                "hoop stress(a)",
                "hoop_stress",
                middle,
                unit="Pa",
                target=hoop,
                tolerance=1e-4 * abs(hoop),
                source="exact: Lame 1833",
            ),
        ],
        accuracy=1e-4,
        description="thick tube under inner pressure as a solid of revolution; hoop stress A (1 + b^2/a^2)",
    )
