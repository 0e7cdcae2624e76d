"""Poisson's equation on the unit square: steady heat conduction with a smooth source and a known answer.

Solves ``-div(k grad T) = 2 pi^2 k A sin(pi x) sin(pi y)`` with T = 0 on the boundary, whose solution is
``T = A sin(pi x) sin(pi y)``.
"""

from __future__ import annotations

import math

import pinnsolve as ps


def poisson(conductivity: float = 1.0, amplitude: float = 1.0) -> ps.Problem:
    """Poisson's equation in the unit square with an exact solution.

    Args:
        conductivity: k in W/(m K).
        amplitude: Largest temperature in K.
    """
    pi = math.pi

    def bump(x: ps.Coordinates) -> ps.Jet:
        return amplitude * ps.sin(pi * x.x) * ps.sin(pi * x.y)

    def source(x: ps.Coordinates) -> ps.Jet:
        return 2.0 * pi**2 * conductivity * bump(x)

    def exact(x: ps.Coordinates) -> dict[str, object]:
        return {"temperature": bump(x)}

    domain = ps.Rectangle((0.0, 0.0), (1.0, 1.0))
    return ps.Problem(
        name="poisson",
        domain=domain,
        physics=ps.Heat(conductivity=conductivity, source=source),
        conditions=[ps.Dirichlet(part, temperature=0.0) for part in domain.parts],
        exact=exact,
        accuracy=1e-5,
        description="Poisson's equation in the unit square with an exact solution",
    )
