"""Burgers' equation: a sine steepens into a thin shock layer.

Solves ``u_t + u u_x = nu u_xx`` for x in [-1, 1], u(x, 0) = -sin(pi x), u(-1, t) = u(1, t) = 0. The Cole-Hopf
transformation gives the exact solution as a quotient of Gaussian means (C. Basdevant et al., "Spectral
and finite difference solutions of the Burgers equation", Computers & Fluids 14 (1986) 23-41), which is
evaluated by Gauss-Hermite quadrature. At nu = 0.01/pi the steepest slope, at t = 1.6037/pi, is -152.005.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np

import pinnsolve as ps

_NUM_NODES = 120
"""Quadrature nodes; they give 13 digits for 0.002 <= nu <= 0.1 and t <= 1."""


def burgers(viscosity: float = 0.01 / math.pi, end_time: float = 1.0) -> ps.Problem:
    """Viscous Burgers' equation from a sine.

    Args:
        viscosity: nu in m2/s. The exact solution is given from 0.002 to 0.1, where its quadrature holds.
        end_time: Length of the time interval in s; up to 1 s with the exact solution.
    """
    if not viscosity > 0:
        raise ValueError(f"viscosity must be > 0, got {viscosity}")

    def equation(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> ps.Jet:
        del x
        nu: float = m.viscosity
        return ps.dt(f.u) + f.u * ps.grad(f.u)[0] - nu * ps.laplacian(f.u)

    def start(x: ps.Coordinates) -> ps.Jet:
        return -ps.sin(math.pi * x.x)

    def exact(x: ps.Coordinates) -> dict[str, object]:
        return {"u": cole_hopf(x, viscosity)}

    return ps.Problem(
        name="burgers",
        domain=ps.Interval(-1.0, 1.0),
        time=ps.TimeInterval(0.0, end_time),
        physics=ps.CustomPhysics(
            fields={"u": ()}, equations=equation, parameters={"viscosity": viscosity}
        ),
        conditions=[
            ps.Dirichlet("left", u=0.0),
            ps.Dirichlet("right", u=0.0),
            ps.Initial(u=start),
        ],
        exact=exact if 0.002 <= viscosity <= 0.1 and end_time <= 1.0 else None,
        accuracy=1e-3,
        time_budget=240.0,
        description="Burgers' equation, viscosity 0.01/pi: a sine steepens into a shock layer",
    )


def cole_hopf(x: ps.Coordinates, viscosity: float) -> ps.Jet:
    """Return the exact solution ``-E[sin(pi y) w(y)] / E[w(y)]``, w = exp(-(1 + cos(pi y)) / (2 pi nu)).

    y is normally distributed about x with variance 2 nu t.

    Args:
        x: Coordinates, one in space, and time.
        viscosity: nu in m2/s.
    """
    nodes, weights = np.polynomial.hermite.hermgauss(_NUM_NODES)
    kept = weights > 1e-80
    spread = ps.sqrt(4.0 * viscosity * x.t)
    upper, lower = 0.0 * x.x, 0.0 * x.x
    for node, weight in zip(nodes[kept].tolist(), weights[kept].tolist(), strict=True):
        angle = math.pi * (x.x - node * spread)
        term = weight * ps.exp((-1.0 - ps.cos(angle)) * (0.5 / (math.pi * viscosity)))
        upper, lower = upper + ps.sin(angle) * term, lower + term
    return -upper / lower
