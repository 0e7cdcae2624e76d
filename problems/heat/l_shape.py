"""Laplace's equation in an L-shaped region, whose reentrant corner makes the gradient infinite.

The square (-1, 1)^2 without its lower right quarter; T = 0 on the two sides that meet at the origin, elsewhere the
values of the exact solution ``r^(2/3) sin(2 theta / 3)``, theta counted from the positive x axis (W. F. Mitchell, "A
collection of 2D elliptic problems for testing adaptive grid refinement algorithms", Appl. Math. Comput. 220 (2013)
350-364). The heat flux grows like r^(-1/3); T(-0.5, 0.5) = 0.793700526.

The exact solution is one of the singular functions that random features are given at such corners, so that it is met
to rounding; that says little about other problems with corners, which converge fast but not at once.
"""

from __future__ import annotations

import math

import pinnsolve as ps


def l_shape(conductivity: float = 1.0) -> ps.Problem:
    """Laplace's equation with a corner singularity and an exact solution.

    Args:
        conductivity: k in W/(m K); the temperature does not depend on it.
    """

    def singular(x: ps.Coordinates) -> ps.Jet:
        # theta = 3 pi / 4 + the angle from the bisector (-1, 1), here by half of it: no cut inside the region
        root = math.sqrt(0.5)
        along, across = root * (x.y - x.x), -root * (x.x + x.y)
        radius = ps.sqrt(x.x**2 + x.y**2 + 1e-30)  # defined at the corner, too
        angle = 0.75 * math.pi + 2.0 * ps.arctan(across / (radius + along))
        return ps.exp(ps.log(radius) * (2.0 / 3.0)) * ps.sin(2.0 / 3.0 * angle)

    vertices = [(0, 0), (1, 0), (1, 1), (-1, 1), (-1, -1), (0, -1)]
    sides = ["step_bottom", "right", "top", "left", "bottom", "step_side"]
    given = {part: ps.Dirichlet(part, temperature=singular) for part in sides[1:5]}
    return ps.Problem(
        name="l_shape",
        domain=ps.Polygon(vertices, sides),
        physics=ps.Heat(conductivity=conductivity),
        conditions=[
            ps.Dirichlet("step_bottom", temperature=0.0),
            ps.Dirichlet("step_side", temperature=0.0),
            *given.values(),
        ],
        exact=lambda x: {"temperature": singular(x)},
        quantities=[
            ps.point_value(
                "T(-0.5 m, 0.5 m)",
                "temperature",
                (-0.5, 0.5),
                unit="K",
                target=0.793700526,
                tolerance=8e-4,
                source="exact",
            )
        ],
        accuracy=1e-3,
        description="Laplace's equation in an L-shaped region with a corner singularity; exact solution known",
    )
