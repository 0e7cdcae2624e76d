"""Kirsch's plate: tension around a circular hole, with the exact tractions on the outer sides.

A quarter of an infinite plate in plane stress is cut out: hole radius a, outer sides at 4 a, tension S
along x. Symmetry on the axes, the hole is free. G. Kirsch, "Die Theorie der Elastizitaet und die
Beduerfnisse der Festigkeitslehre", Zeitschrift des VDI 42 (1898); S. P. Timoshenko & J. N. Goodier,
Theory of Elasticity, art. 35. The stress concentration factor is 3.
"""

from __future__ import annotations

import pinnsolve as ps

_POISSONS_RATIO = 0.3


def kirsch(
    hole_radius: float = 0.1, tension: float = 10e6, youngs_modulus: float = 210e9
) -> ps.Problem:
    """Plate with a circular hole under tension, in plane stress (Kirsch).

    Args:
        hole_radius: a in m.
        tension: S in Pa, far away along x.
        youngs_modulus: E in Pa.
    """
    if not hole_radius > 0:
        raise ValueError(f"hole_radius must be > 0, got {hole_radius}")

    def exact(x: ps.Coordinates) -> dict[str, object]:
        return {"displacement": _displacement(x, hole_radius, tension / youngs_modulus)}

    def right(x: ps.Coordinates) -> list[ps.Jet]:
        stress = _stress(x, hole_radius, tension)
        return [stress["xx"], stress["xy"]]

    def top(x: ps.Coordinates) -> list[ps.Jet]:
        stress = _stress(x, hole_radius, tension)
        return [stress["xy"], stress["yy"]]

    side = 4.0 * hole_radius
    hole = ps.Disk((0.0, 0.0), hole_radius)
    domain = (ps.Rectangle((0.0, 0.0), (side, side)) - hole).renamed({"circle": "hole"})
    return ps.Problem(
        name="kirsch",
        domain=domain,
        physics=ps.Elasticity(
            youngs_modulus=youngs_modulus, poissons_ratio=_POISSONS_RATIO, plane="stress"
        ),
        conditions=[
            ps.Symmetry("left"),
            ps.Symmetry("bottom"),
            ps.Traction("right", vector=right),
            ps.Traction("top", vector=top),
            ps.Traction("hole"),
        ],
        exact=exact,
        quantities=[
            ps.point_value(
                "sigma_xx(0, a)",
                "stress",
                (0.0, hole_radius),
                component=(0, 0),
                unit="Pa",
                target=3.0 * tension,
                tolerance=0.003 * abs(tension),
                source="exact: stress concentration factor 3",
            )
        ],
        accuracy=1e-4,
        description="plate with a circular hole under tension; stress concentration factor 3",
    )


def _stress(x: ps.Coordinates, radius: float, tension: float) -> dict[str, ps.Jet]:
    """Return the exact stress in Pa by component, from Kirsch's polar formulas turned to x and y."""
    square = x.x**2 + x.y**2
    near = radius**2 / square
    cos2, sin2 = (x.x**2 - x.y**2) / square, 2.0 * x.x * x.y / square
    cos4, sin4 = 2.0 * cos2 * cos2 - 1.0, 2.0 * sin2 * cos2
    far = 1.5 * near * near
    return {
        "xx": tension * (1.0 - near * (1.5 * cos2 + cos4) + far * cos4),
        "yy": tension * (-near * (0.5 * cos2 - cos4) - far * cos4),
        "xy": tension * (-near * (0.5 * sin2 + sin4) + far * sin4),
    }


def _displacement(x: ps.Coordinates, radius: float, strain: float) -> list[ps.Jet]:
    """Return the exact displacement in m; ``strain`` is S / E, kappa = (3 - nu) / (1 + nu)."""
    nu = _POISSONS_RATIO
    kappa, scale = (
        (3.0 - nu) / (1.0 + nu),
        strain * (1.0 + nu) / 4.0,
    )  # S / (8 mu) = S (1 + nu) / (4 E)
    square = x.x**2 + x.y**2
    near = radius**2 / square
    cube_x = (x.x**2 - 3.0 * x.y**2) / square  # cos(3 theta) = (x / r) (x^2 - 3 y^2) / r^2
    cube_y = (3.0 * x.x**2 - x.y**2) / square  # sin(3 theta) = (y / r) (3 x^2 - y^2) / r^2
    u = kappa + 1.0 + 2.0 * near * (kappa + 1.0 + cube_x) - 2.0 * near * near * cube_x
    v = kappa - 3.0 + 2.0 * near * (1.0 - kappa + cube_y) - 2.0 * near * near * cube_y
    return [scale * x.x * u, scale * x.y * v]
