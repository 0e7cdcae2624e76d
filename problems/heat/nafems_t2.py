"""NAFEMS T2: one-dimensional steady heat conduction with radiation.

A bar of 0.1 m, k = 55.6 W/(m K), at 1000 K on the left; its right end, of emissivity 0.98, radiates to surroundings of
300 K. Target: T(0.1 m) = 927 K (NAFEMS, "The Standard NAFEMS Benchmarks", 1990). Temperature is linear along the bar,
and its end temperature the root of ``k (1000 - T) / 0.1 = 0.98 sigma (T^4 - 300^4)``: 927.007606 K with sigma = 5.67e-8
W/(m2 K4) as NAFEMS has it, which is used here; 927.003950 K with the CODATA value.
"""

from __future__ import annotations

import pinnsolve as ps


def nafems_t2(emissivity: float = 0.98, ambient: float = 300.0) -> ps.Problem:
    """Steady conduction in a bar with radiation at its end (NAFEMS T2).

    Args:
        emissivity: Of the right end, at most 1.
        ambient: Temperature of the surroundings in K.
    """
    conductivity, length, hot, sigma = 55.6, 0.1, 1000.0, 5.67e-8
    end = _end_temperature(conductivity / length, emissivity * sigma, hot, ambient)

    def exact(x: ps.Coordinates) -> dict[str, object]:
        return {"temperature": hot + (end - hot) / length * x.x}

    return ps.Problem(
        name="nafems_t2",
        domain=ps.Interval(0.0, length),
        physics=ps.Heat(conductivity=conductivity),
        conditions=[
            ps.Dirichlet("left", temperature=hot),
            ps.Radiation("right", emissivity=emissivity, ambient=ambient, constant=sigma),
        ],
        exact=exact,
        quantities=[
            ps.point_value(
                "T(0.1 m)",
                "temperature",
                (length,),
                unit="K",
                target=927.007606 if (emissivity, ambient) == (0.98, 300.0) else None,
                tolerance=0.005,
                source="exact; NAFEMS T2 prints 927",
            )
        ],
        accuracy=1e-5,
        description="steady heat conduction in a bar with radiation; T(0.1 m) = 927.0 K",
    )


def _end_temperature(conductance: float, radiance: float, hot: float, ambient: float) -> float:
    """Return the root T of ``conductance (hot - T) = radiance (T^4 - ambient^4)``, by Newton's method from above."""
    end = max(hot, ambient)
    for _ in range(50):  # the excess is convex and increasing: steps from above never overshoot
        excess = radiance * (end**4 - ambient**4) - conductance * (hot - end)
        end -= excess / (4.0 * radiance * end**3 + conductance)
    return end
