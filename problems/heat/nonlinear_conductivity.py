"""A wall whose conductivity grows with temperature, with the exact solution of Kirchhoff's transformation.

A wall of 0.05 m between 20 and 500 degC, k = 15 (1 + 1e-3 (T - 20)) W/(m K), about that of austenitic steel. The
integral of k over T is harmonic (G. Kirchhoff, "Vorlesungen ueber die Theorie der Waerme", 1894), so with
e = T - 20: ``e + 1e-3 e^2 / 2`` is linear in x. T at the middle is 283.012272 degC, the flux 178560 W/m2.
"""

from __future__ import annotations

import math
from typing import Any

import pinnsolve as ps


def nonlinear_conductivity(
    slope: float = 1e-3, hot: float = 500.0, thickness: float = 0.05
) -> ps.Problem:
    """Steady conduction through a wall with k = 15 (1 + slope (T - 20)) W/(m K).

    Args:
        slope: Relative growth of the conductivity in 1/K.
        hot: Temperature of the right face in degC, above 20.
        thickness: Of the wall in m.
    """
    for name, value in {"slope": slope, "hot - 20": hot - 20.0, "thickness": thickness}.items():
        if not value > 0.0:
            raise ValueError(f"{name} must be > 0, got {value}")
    least, cold = 15.0, 20.0
    rise = hot - cold
    whole = rise + 0.5 * slope * rise**2

    def conductivity(temperature: ps.Jet, x: ps.Coordinates) -> ps.Jet:
        del x
        return least * (1.0 + slope * (temperature - cold))

    def exact(x: ps.Coordinates) -> dict[str, object]:
        root = ps.sqrt(1.0 + 2.0 * slope * whole / thickness * x.x)
        return {"temperature": cold + (root - 1.0) / slope}

    def flux(solution: Any) -> float:  # noqa: ANN401 - a Solution
        return float(solution.outflow("temperature", "left"))

    return ps.Problem(
        name="nonlinear_conductivity",
        domain=ps.Interval(0.0, thickness),
        physics=ps.Heat(conductivity=conductivity),
        conditions=[
            ps.Dirichlet("left", temperature=cold),
            ps.Dirichlet("right", temperature=hot),
        ],
        exact=exact,
        quantities=[
            ps.point_value(
                "T at the middle",
                "temperature",
                (0.5 * thickness,),
                unit="degC",
                target=cold + (math.sqrt(1.0 + slope * whole) - 1.0) / slope,
                tolerance=0.03,
                source="exact, by Kirchhoff's transformation",
            ),
            ps.Quantity(
                "heat flux",
                flux,
                unit="W/m2",
                target=least * whole / thickness,
                tolerance=1e-4 * least * whole / thickness,
                source="exact, by Kirchhoff's transformation",
            ),
        ],
        accuracy=1e-4,
        description="a wall with conductivity that depends on temperature; exact solution known",
    )
