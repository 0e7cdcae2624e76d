"""Lame's cylinder: a thick tube under inner pressure, in plane strain.

A quarter of the ring a < r < b with symmetry on the axes; pressure p on the inner wall, the outer one
free. G. Lame & B. P. E. Clapeyron 1833; S. P. Timoshenko & J. N. Goodier, Theory of Elasticity, art. 28:
sigma_r = A (1 - b^2/r^2), sigma_t = A (1 + b^2/r^2) with A = p a^2 / (b^2 - a^2).
"""

from __future__ import annotations

import pinnsolve as ps

_POISSONS_RATIO = 0.3


def lame_cylinder(
    inner_radius: float = 0.1,
    outer_radius: float = 0.2,
    pressure: float = 100e6,
    youngs_modulus: float = 210e9,
) -> ps.Problem:
    """Thick tube under inner pressure, in plane strain (Lame).

    Args:
        inner_radius: a in m.
        outer_radius: b in m.
        pressure: p in Pa on the inner wall.
        youngs_modulus: E in Pa.
    """
    if not 0.0 < inner_radius < outer_radius:
        raise ValueError(
            f"radii must be 0 < inner_radius < outer_radius, got {inner_radius} and {outer_radius}"
        )
    a, b, nu = inner_radius, outer_radius, _POISSONS_RATIO
    base = pressure * a**2 / (b**2 - a**2)

    def exact(x: ps.Coordinates) -> dict[str, object]:
        stretch = (1.0 - 2.0 * nu) + b**2 / (x.x**2 + x.y**2)
        scale = base * (1.0 + nu) / youngs_modulus
        return {"displacement": [scale * x.x * stretch, scale * x.y * stretch]}

    quadrant = ps.Rectangle((0.0, 0.0), (1.5 * b, 1.5 * b))
    ring = ps.Disk((0.0, 0.0), b, name="outer") - ps.Disk((0.0, 0.0), a, name="inner")
    moved = base * a * (1.0 + nu) / youngs_modulus * (1.0 - 2.0 * nu + (b / a) ** 2)
    hoop = base * (1.0 + (b / a) ** 2)
    return ps.Problem(
        name="lame_cylinder",
        domain=quadrant & ring,
        physics=ps.Elasticity(youngs_modulus=youngs_modulus, poissons_ratio=nu, plane="strain"),
        conditions=[
            ps.Symmetry("left"),
            ps.Symmetry("bottom"),
            ps.Traction("inner", pressure=pressure),
            ps.Traction("outer"),
        ],
        exact=exact,
        quantities=[
            ps.point_value(
                "u_r(a)",
                "displacement",
                (a, 0.0),
                component=(0,),
                unit="m",
                target=moved,
                tolerance=1e-4 * abs(moved),
                source="exact: Lame 1833",
            ),
            ps.point_value(
                "hoop stress(a)",
                "stress",
                (a, 0.0),
                component=(1, 1),
                unit="Pa",
                target=hoop,
                tolerance=1e-4 * abs(hoop),
                source="exact: Lame 1833",
            ),
        ],
        accuracy=1e-4,
        description="thick tube under inner pressure in plane strain; hoop stress A (1 + b^2/a^2)",
    )
