"""A thick tube that is hot inside and cold outside, free of load, in plane strain.

Conduction makes T = dT ln(b/r) / ln(b/a) across the wall a < r < b; both walls are free. S. P. Timoshenko
& J. N. Goodier, Theory of Elasticity, art. 151 (with no axial strain): with c = E alpha dT / (2 (1 - nu)
ln(b/a)) and k = a^2 ln(b/a) / (b^2 - a^2),
sigma_r = c (-ln(b/r) - k (1 - b^2/r^2)), sigma_t = c (1 - ln(b/r) - k (1 + b^2/r^2)).
"""

from __future__ import annotations

import math

import pinnsolve as ps

_POISSONS_RATIO = 0.3


def thermoelastic_cylinder(
    inner_radius: float = 0.1,
    outer_radius: float = 0.2,
    difference: float = 100.0,
    youngs_modulus: float = 210e9,
    expansion: float = 1.2e-5,
) -> ps.Problem:
    """Thick tube with a hot inner wall, free of load, in plane strain.

    Args:
        inner_radius: a in m.
        outer_radius: b in m.
        difference: dT in K, how much hotter the inner wall is than the outer one.
        youngs_modulus: E in Pa.
        expansion: alpha in 1/K.
    """
    if not 0.0 < inner_radius < outer_radius:
        raise ValueError(
            f"radii must be 0 < inner_radius < outer_radius, got {inner_radius} and {outer_radius}"
        )
    a, b, nu = inner_radius, outer_radius, _POISSONS_RATIO
    decay = math.log(b / a)
    k = a**2 * decay / (b**2 - a**2)
    size = youngs_modulus * expansion * difference / (2.0 * (1.0 - nu) * decay)

    def temperature(x: ps.Coordinates) -> ps.Jet:
        return (difference / decay) * _logarithm(x, b)

    def exact(x: ps.Coordinates) -> dict[str, object]:
        # u_r = r eps_t, from eps_t = ((1 - nu) sigma_t - nu sigma_r) (1 + nu) / E + (1 + nu) alpha T
        square = x.x**2 + x.y**2
        within = (1.0 - nu) - k * (1.0 - 2.0 * nu) - k * b**2 / square + _logarithm(x, b)
        stretch = (size * (1.0 + nu) / youngs_modulus) * within
        return {"displacement": [stretch * x.x, stretch * x.y]}

    def hoop(r: float) -> float:
        return size * (1.0 - math.log(b / r) - k * (1.0 + (b / r) ** 2))

    quadrant = ps.Rectangle((0.0, 0.0), (1.5 * b, 1.5 * b))
    ring = ps.Disk((0.0, 0.0), b, name="outer") - ps.Disk((0.0, 0.0), a, name="inner")
    return ps.Problem(
        name="thermoelastic_cylinder",
        domain=quadrant & ring,
        physics=ps.Elasticity(
            youngs_modulus=youngs_modulus,
            poissons_ratio=nu,
            plane="strain",
            expansion=expansion,
            temperature=temperature,
        ),
        conditions=[
            ps.Symmetry("left"),
            ps.Symmetry("bottom"),
            ps.Traction("inner"),
            ps.Traction("outer"),
        ],
        exact=exact,
        quantities=[
            ps.point_value(
                f"hoop stress({name})",
                "stress",
                (r, 0.0),
                component=(1, 1),
                unit="Pa",
                target=hoop(r),
                tolerance=1e-4 * abs(hoop(a)),
                source="exact: Timoshenko & Goodier, art. 151",
            )
            for name, r in (("a", a), ("middle", 0.5 * (a + b)), ("b", b))
        ],
        accuracy=1e-4,
        description="thick tube, hot inside, free of load, in plane strain; exact thermal stress",
    )


def _logarithm(x: ps.Coordinates, radius: float) -> ps.Jet:
    """Return ln(radius / r)."""
    return 0.5 * (2.0 * math.log(radius) - ps.log(x.x**2 + x.y**2))
