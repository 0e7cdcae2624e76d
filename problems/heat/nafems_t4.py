"""NAFEMS T4: two-dimensional steady heat conduction with convection.

A 0.6 m x 1.0 m plate, k = 52 W/(m K): 100 degC at the bottom, insulated on the left, convection
with h = 750 W/(m2 K) to 0 degC on the right and on top. Target: T(0.6, 0.2) = 18.25 degC (NAFEMS,
"The Standard NAFEMS Benchmarks", 1990); the exact series gives 18.2537565. The corner (0.6, 0) is
singular: given temperature meets convection.
"""

from __future__ import annotations

import pinnsolve as ps


def nafems_t4(conductivity: float = 52.0, coefficient: float = 750.0) -> ps.Problem:
    """Steady conduction in a plate with convection (NAFEMS T4).

    Args:
        conductivity: k in W/(m K).
        coefficient: Convection coefficient h in W/(m2 K).
    """
    standard = conductivity == 52.0 and coefficient == 750.0
    return ps.Problem(
        name="nafems_t4",
        domain=ps.Rectangle((0.0, 0.0), (0.6, 1.0)),
        physics=ps.Heat(conductivity=conductivity),
        conditions=[
            ps.Dirichlet("bottom", temperature=100.0),
            ps.Insulated("left"),
            ps.Convection("right", coefficient=coefficient, ambient=0.0),
            ps.Convection("top", coefficient=coefficient, ambient=0.0),
        ],
        quantities=[
            ps.point_value(
                "T(0.6, 0.2)",
                "temperature",
                (0.6, 0.2),
                unit="degC",
                target=18.2537565 if standard else None,
                tolerance=0.05,
                source="exact series; NAFEMS T4 prints 18.25",
            )
        ],
        accuracy=5e-3,
        description="steady heat conduction in a plate with convection; T(0.6, 0.2) = 18.25 degC",
    )
