"""Thick sphere under inner pressure in three dimensions.

An octant of the shell a < R < b with symmetry on the three planes; pressure p on the inner wall, the
outer one free. G. Lame 1852; S. P. Timoshenko & J. N. Goodier, Theory of Elasticity, art. 136:
sigma_R = A (1 - b^3/R^3), sigma_t = A (1 + b^3/(2 R^3)) with A = p a^3 / (b^3 - a^3).
"""

from __future__ import annotations

import pinnsolve as ps

_POISSONS_RATIO = 0.3


def thick_sphere(
    inner_radius: float = 0.1,
    outer_radius: float = 0.2,
    pressure: float = 100e6,
    youngs_modulus: float = 210e9,
) -> ps.Problem:
    """Thick sphere under inner pressure, an octant in 3-D (Lame).

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
    base = pressure * a**3 / (b**3 - a**3)

    def exact(x: ps.Coordinates) -> dict[str, object]:
        cube = (x.x**2 + x.y**2 + x.z**2) ** 1.5
        stretch = (1.0 - 2.0 * nu) + (0.5 * (1.0 + nu) * b**3) / cube
        scale = base / youngs_modulus
        return {"displacement": [scale * c * stretch for c in (x.x, x.y, x.z)]}

    origin = (0.0, 0.0, 0.0)
    octant = ps.Box(origin, (1.5 * b, 1.5 * b, 1.5 * b))
    shell = ps.Sphere(origin, b, name="outer") - ps.Sphere(origin, a, name="inner")
    moved = base * a / youngs_modulus * (1.0 - 2.0 * nu + 0.5 * (1.0 + nu) * (b / a) ** 3)
    hoop = base * (1.0 + 0.5 * (b / a) ** 3)
    return ps.Problem(
        name="thick_sphere",
        domain=octant & shell,
        physics=ps.Elasticity(youngs_modulus=youngs_modulus, poissons_ratio=nu),
        conditions=[
            ps.Symmetry("left"),
            ps.Symmetry("front"),
            ps.Symmetry("bottom"),
            ps.Traction("inner", pressure=pressure),
            ps.Traction("outer"),
        ],
        exact=exact,
        quantities=[
            ps.point_value(
                "u_R(a)",
                "displacement",
                (a, 0.0, 0.0),
                component=(0,),
                unit="m",
                target=moved,
                tolerance=1e-4 * abs(moved),
                source="exact: Lame 1852",
            ),
            ps.point_value(
                "hoop stress(a)",
                "stress",
                (a, 0.0, 0.0),
                component=(1, 1),
                unit="Pa",
                target=hoop,
                tolerance=1e-3 * abs(hoop),
                source="exact: Lame 1852",
            ),
        ],
        accuracy=1e-4,
        time_budget=240.0,
        description="thick sphere under inner pressure, an octant in 3-D",
    )
