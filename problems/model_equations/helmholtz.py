"""Helmholtz equation in a square with a manufactured solution.

Solves ``u_xx + u_yy + k^2 u = q`` in [-1, 1]^2 with u = 0 on the boundary and the source q of
``u = sin(a1 pi x) sin(a2 pi y)``. With k = 1 and (a1, a2) = (1, 4) it is the case of S. Wang, Y. Teng &
P. Perdikaris, "Understanding and mitigating gradient flow pathologies in physics-informed neural
networks", SIAM J. Sci. Comput. 43 (2021).
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import pinnsolve as ps


def helmholtz(wave_number: float = 1.0, waves_x: int = 1, waves_y: int = 4) -> ps.Problem:
    """Helmholtz equation with an exact solution of several waves.

    Args:
        wave_number: k in 1/m.
        waves_x: Number a1 of waves along x.
        waves_y: Number a2 of waves along y.
    """
    if min(waves_x, waves_y) < 1:
        raise ValueError(f"waves_x and waves_y must be >= 1, got {waves_x} and {waves_y}")
    along, across = waves_x * math.pi, waves_y * math.pi

    def wave(x: ps.Coordinates) -> ps.Jet:
        return ps.sin(along * x.x) * ps.sin(across * x.y)

    def equation(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> ps.Jet:
        square: float = m.wave_number**2
        return ps.laplacian(f.u) + square * f.u - (square - along**2 - across**2) * wave(x)

    def exact(x: ps.Coordinates) -> dict[str, object]:
        return {"u": wave(x)}

    domain = ps.Rectangle((-1.0, -1.0), (1.0, 1.0))
    return ps.Problem(
        name="helmholtz",
        domain=domain,
        physics=ps.CustomPhysics(
            fields={"u": ()}, equations=equation, parameters={"wave_number": wave_number}
        ),
        conditions=[ps.Dirichlet(part, u=0.0) for part in domain.parts],
        exact=exact,
        accuracy=1e-4,
        description="Helmholtz equation with an exact solution of one by four waves",
    )
