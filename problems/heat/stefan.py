"""Ice that grows on a cold wall: one-phase Stefan problem with Neumann's similarity solution.

Water at 0 degC freezes on a wall of -10 degC; ice has k = 2.22 W/(m K), rho = 917 kg/m3, c = 2100 J/(kg K), L = 334e3
J/kg. With a = k / (rho c) and the Stefan number St = c 10 K / L, the front is at ``s = 2 lam sqrt(a t)`` where
``lam exp(lam^2) erf(lam) = St / sqrt(pi)`` (H. S. Carslaw & J. C. Jaeger, "Conduction of Heat in Solids", 2nd ed. 1959,
section 11.2), and ``T = -10 (1 - erf(lam x / s) / erf(lam))``: lam = 0.175490642, s(1 h) = 22.6108756 mm.
Training starts from the exact solution at t = 36 s, when the ice is 2.3 mm thick; the front is an unknown function of
time, and x in the solution is the share ``eta`` of the thickness.
"""

from __future__ import annotations

import math

import pinnsolve as ps


def stefan(wall: float = -10.0, start: float = 36.0, end: float = 3600.0) -> ps.Problem:
    """Thickness of ice on a cold wall as a function of time.

    Args:
        wall: Temperature of the wall in degC, below 0.
        start: Time in s at which the exact solution is taken over.
        end: End of the time interval in s.
    """
    if not wall < 0.0:
        raise ValueError(f"wall must be < 0 degC for ice to grow, got {wall}")
    if not start > 0.0:
        raise ValueError(f"start must be > 0: there is no ice at time 0, got {start}")
    ice = ps.Stefan(conductivity=2.22, density=917.0, specific_heat=2100.0, latent_heat=334e3)
    diffusivity = 2.22 / (917.0 * 2100.0)
    lam = _similarity(-wall * 2100.0 / 334e3)

    def temperature(x: ps.Coordinates) -> ps.Jet:
        return wall * (1.0 - ps.erf(lam * x.x) / math.erf(lam))

    def front(x: ps.Coordinates) -> ps.Jet:
        return 2.0 * lam * math.sqrt(diffusivity) * ps.sqrt(x.t)

    thickness = 2.0 * lam * math.sqrt(diffusivity * end)
    return ps.Problem(
        name="stefan",
        domain=ps.Interval(0.0, 1.0),
        time=ps.TimeInterval(start, end),
        physics=ice,
        conditions=[
            ps.Dirichlet("left", temperature=wall),
            ps.Dirichlet("right", temperature=0.0),
            ps.Neumann("right", front=0.0),
            ps.Initial(temperature=temperature, front=front),
        ],
        exact=lambda x: {"temperature": temperature(x), "front": front(x)},
        quantities=[
            ps.point_value(
                f"s({end:g} s)",
                "front",
                (1.0, end),
                unit="m",
                target=thickness,
                tolerance=1e-3 * thickness,
                source="Neumann's similarity solution",
            )
        ],
        accuracy=1e-4,
        scales={"front": thickness},
        time_budget=240.0,
        description="ice growing on a cold wall (Stefan problem); s(1 h) = 22.61 mm, exact solution known",
    )


def _similarity(stefan_number: float) -> float:
    """Return the root lam of ``lam exp(lam^2) erf(lam) = St / sqrt(pi)``, by bisection."""
    low, high = 0.0, 1.0 + stefan_number
    for _ in range(200):
        middle = 0.5 * (low + high)
        small = middle * math.exp(middle**2) * math.erf(middle) < stefan_number / math.sqrt(math.pi)
        low, high = (middle, high) if small else (low, middle)
    return 0.5 * (low + high)
