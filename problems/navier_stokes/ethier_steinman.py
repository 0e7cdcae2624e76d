"""Ethier and Steinman's flow: an exact unsteady solution in three dimensions.

C. R. Ethier & D. A. Steinman, "Exact fully 3D Navier-Stokes solutions for benchmarking", Int. J. Numer.
Methods Fluids 19 (1994) 369-375. Vorticity is parallel to velocity, so that the inertia is a gradient,
which pressure balances, and the flow decays as a whole.
"""

from __future__ import annotations

import math

import pinnsolve as ps

_A, _D = math.pi / 4.0, math.pi / 2.0
"""Wave numbers a and d of the paper's example in 1/m."""


def ethier_steinman(viscosity: float = 0.7, end_time: float = 0.25) -> ps.Problem:
    """Decaying flow in the cube [-1, 1]^3 with exact velocity on the boundary and at the start.

    By default it decays to 65 % of its first velocity. Random features need about 55 s of CPU time; where
    that is more than half a minute, give them time: ``ps.Method(trunk="random", max_seconds=240)``.

    Args:
        viscosity: Kinematic viscosity in m2/s (density 1).
        end_time: Length of the time interval in s.
    """

    def exact(x: ps.Coordinates) -> dict[str, object]:
        decay = ps.exp(-viscosity * _D**2 * x.t)
        return {
            "velocity": [part * decay for part in _velocity(x)],
            "pressure": _pressure(x) * decay * decay,
        }

    def velocity(x: ps.Coordinates) -> object:
        return exact(x)["velocity"]

    domain = ps.Box((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0))
    return ps.Problem(
        name="ethier_steinman",
        domain=domain,
        time=ps.TimeInterval(0.0, end_time),
        physics=ps.NavierStokes(density=1.0, dynamic_viscosity=viscosity),
        conditions=[
            *(ps.Dirichlet(part, velocity=velocity) for part in domain.parts),
            ps.Initial(velocity=velocity),
        ],
        exact=exact,
        accuracy=1e-4,
        time_budget=240.0,
        description="exact decaying flow in a cube, unsteady; viscosity settable",
    )


def _velocity(x: ps.Coordinates) -> list[ps.Jet]:
    """Return the velocity at the start; its components follow from each other by turning x, y, z."""
    places = (x.x, x.y, x.z)
    turned = [(places[i], places[(i + 1) % 3], places[(i + 2) % 3]) for i in range(3)]
    return [
        -_A * (ps.exp(_A * r) * ps.sin(_A * s + _D * t) + ps.exp(_A * t) * ps.cos(_A * r + _D * s))
        for r, s, t in turned
    ]


def _pressure(x: ps.Coordinates) -> ps.Jet:
    """Return the pressure at the start."""
    places = (x.x, x.y, x.z)
    total = ps.exp(2.0 * _A * x.x) + ps.exp(2.0 * _A * x.y) + ps.exp(2.0 * _A * x.z)
    for i in range(3):
        r, s, t = places[i], places[(i + 1) % 3], places[(i + 2) % 3]
        waves = ps.sin(_A * r + _D * s) * ps.cos(_A * t + _D * r)
        total = total + 2.0 * waves * ps.exp(_A * (s + t))
    return -0.5 * _A**2 * total
