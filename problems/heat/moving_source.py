"""A Gaussian heat source that moves across a plate, with its exact solution.

``T_t = a lap T + S`` in the plane with ``S = P / (2 pi s^2) exp(-((x - v t)^2 + y^2) / (2 s^2))``, T = 0 at t = 0. Each
moment's heat spreads as a Gaussian (T. W. Eagar & N.-S. Tsai, "Temperature fields produced by traveling distributed
heat sources", Welding Journal 62 (1983) 346s-355s): with ``w = s^2 + 2 a (t - q)``,

    T = integral over q from 0 to t of  P / (2 pi w) exp(-((x - v q)^2 + y^2) / (2 w)).

Here a = 0.1, v = 1, s = 0.1, P = 1, on the upper half of a box around the path, with the exact values on its sides. At
t = 1: T(0.8, 0) = 1.573120219, T(0.5, 0.2) = 0.803959931, T(1, 0) = 1.553597333.
"""

from __future__ import annotations

import math

import numpy as np

import pinnsolve as ps


def moving_source(diffusivity: float = 0.1, speed: float = 1.0, width: float = 0.1) -> ps.Problem:
    """Transient temperature under a moving Gaussian source, with rho c = 1 J/(m3 K) and P = 1 W/m.

    Args:
        diffusivity: a in m2/s.
        speed: v of the source in m/s, along x.
        width: Standard deviation s of the source in m.
    """
    if not width > 0.0:
        raise ValueError(f"width must be > 0, got {width}")
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    shares = list(zip((0.5 * (nodes + 1.0)).tolist(), (0.5 * weights).tolist(), strict=True))

    def temperature(x: ps.Coordinates) -> ps.Jet:
        """Return the time integral: Gauss nodes at fixed shares of the time gone by."""
        total = 0.0 * x.t
        for share, weight in shares:
            spread = width**2 + 2.0 * diffusivity * (1.0 - share) * x.t
            squared = (x.x - speed * share * x.t) ** 2 + x.y**2
            total = total + weight * x.t / spread * ps.exp(-0.5 * squared / spread)
        return total / (2.0 * math.pi)

    def source(x: ps.Coordinates) -> ps.Jet:
        squared = (x.x - speed * x.t) ** 2 + x.y**2
        return ps.exp(-0.5 / width**2 * squared) / (2.0 * math.pi * width**2)

    standard = (diffusivity, speed, width) == (0.1, 1.0, 0.1)
    targets = {(0.8, 0.0): 1.573120219, (0.5, 0.2): 0.803959931, (1.0, 0.0): 1.553597333}
    return ps.Problem(
        name="moving_source",
        domain=ps.Rectangle((-0.5, 0.0), (1.5, 0.6)),
        time=ps.TimeInterval(0.0, 1.0),
        physics=ps.Heat(conductivity=diffusivity, density=1.0, specific_heat=1.0, source=source),
        conditions=[
            ps.Symmetry("bottom"),
            *(ps.Dirichlet(part, temperature=temperature) for part in ("left", "right", "top")),
            ps.Initial(temperature=0.0),
        ],
        exact=lambda x: {"temperature": temperature(x)},
        quantities=[
            ps.point_value(
                f"T({place[0]:g} m, {place[1]:g} m, 1 s)",
                "temperature",
                (*place, 1.0),
                unit="K",
                target=target if standard else None,
                tolerance=1.5e-4,
                source="exact integral",
            )
            for place, target in targets.items()
        ],
        accuracy=1e-4,
        time_budget=240.0,
        description="a moving Gaussian heat source on a plate; exact solution known",
    )


_NODES = 40
"""Gauss nodes of the time integral: enough for 12 digits at the standard values."""
