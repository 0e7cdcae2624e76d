"""Kovasznay flow: an exact steady solution behind a two-dimensional grid.

L. I. G. Kovasznay, "Laminar flow behind a two-dimensional grid", Math. Proc. Cambridge Phil. Soc.
44 (1948) 58-62.
"""

from __future__ import annotations

import math

import pinnsolve as ps


def kovasznay(reynolds: float = 40.0) -> ps.Problem:
    """Kovasznay flow with exact velocity on the boundary.

    Args:
        reynolds: Reynolds number, 1 / kinematic viscosity.
    """
    if not reynolds > 0:
        raise ValueError(f"reynolds must be > 0, got {reynolds}")
    rate = reynolds / 2.0 - math.sqrt(reynolds**2 / 4.0 + 4.0 * math.pi**2)
    wave = 2.0 * math.pi

    def exact(x: ps.Coordinates) -> dict[str, object]:
        decay = ps.exp(rate * x.x)
        return {
            "velocity": [
                1.0 - decay * ps.cos(wave * x.y),
                rate / wave * decay * ps.sin(wave * x.y),
            ],
            "pressure": 0.5 * (1.0 - decay * decay),
        }

    def velocity(x: ps.Coordinates) -> object:
        return exact(x)["velocity"]

    domain = ps.Rectangle((-0.5, -0.5), (1.0, 1.5))
    return ps.Problem(
        name="kovasznay",
        domain=domain,
        physics=ps.NavierStokes(density=1.0, dynamic_viscosity=1.0 / reynolds),
        conditions=[ps.Dirichlet(part, velocity=velocity) for part in domain.parts],
        exact=exact,
        accuracy=1e-5,
        description="exact steady flow behind a grid; reynolds settable",
    )
