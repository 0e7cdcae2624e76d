"""Taylor-Green vortices: an exact unsteady solution of the Navier-Stokes equations.

G. I. Taylor & A. E. Green, "Mechanism of the production of small eddies from large ones", Proc. R.
Soc. A 158 (1937).
"""

from __future__ import annotations

import math

import pinnsolve as ps


def taylor_green(viscosity: float = 0.05, end_time: float = 1.0) -> ps.Problem:
    """Decaying vortices in the unit square with exact velocity on the boundary and at the start.

    Args:
        viscosity: Kinematic viscosity in m2/s (density 1).
        end_time: Length of the time interval in s.
    """
    pi = math.pi

    def exact(x: ps.Coordinates) -> dict[str, object]:
        decay = ps.exp(-2.0 * pi**2 * viscosity * x.t)
        return {
            "velocity": [
                -ps.cos(pi * x.x) * ps.sin(pi * x.y) * decay,
                ps.sin(pi * x.x) * ps.cos(pi * x.y) * decay,
            ],
            "pressure": -0.25 * (ps.cos(2.0 * pi * x.x) + ps.cos(2.0 * pi * x.y)) * decay * decay,
        }

    def velocity(x: ps.Coordinates) -> object:
        return exact(x)["velocity"]

    domain = ps.Rectangle((0.0, 0.0), (1.0, 1.0))
    return ps.Problem(
        name="taylor_green",
        domain=domain,
        time=ps.TimeInterval(0.0, end_time),
        physics=ps.NavierStokes(density=1.0, dynamic_viscosity=viscosity),
        conditions=[
            *(ps.Dirichlet(part, velocity=velocity) for part in domain.parts),
            ps.Initial(velocity=velocity),
        ],
        exact=exact,
        accuracy=8e-5,
        description="exact decaying vortices, unsteady; viscosity settable",
    )
