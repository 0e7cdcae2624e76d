"""NAFEMS T3: one-dimensional transient heat conduction.

A rod of 0.1 m, k = 35 W/(m K), rho = 7200 kg/m3, c = 440.5 J/(kg K), at 0 degC; one end stays at 0
degC, the other follows 100 sin(pi t / 40) degC. Target: T(0.08 m, 32 s) = 36.60 degC (NAFEMS); the
exact series
gives 36.603116.
"""

from __future__ import annotations

import math

import pinnsolve as ps


def heat_rod(end_time: float = 32.0, amplitude: float = 100.0) -> ps.Problem:
    """Transient conduction in a rod with an oscillating end (NAFEMS T3).

    Args:
        end_time: Length of the time interval in s.
        amplitude: Amplitude of the end temperature in K.
    """

    def heated_end(x: ps.Coordinates) -> ps.Jet:
        return amplitude * ps.sin(math.pi / 40.0 * x.t)

    standard = end_time >= 32.0 and amplitude == 100.0
    quantities = [
        ps.point_value(
            "T(0.08 m, 32 s)",
            "temperature",
            (0.08, 32.0),
            unit="degC",
            target=36.603116 if standard else None,
            tolerance=0.02,
            source="exact series; NAFEMS T3 prints 36.60",
        )
    ]
    return ps.Problem(
        name="heat_rod",
        domain=ps.Interval(0.0, 0.1),
        time=ps.TimeInterval(0.0, end_time),
        physics=ps.Heat(conductivity=35.0, density=7200.0, specific_heat=440.5),
        conditions=[
            ps.Dirichlet("left", temperature=0.0),
            ps.Dirichlet("right", temperature=heated_end),
            ps.Initial(temperature=0.0),
        ],
        quantities=quantities if end_time >= 32.0 else [],
        accuracy=1e-3,
        description="transient heat conduction in a rod; T(0.08 m, 32 s) = 36.60 degC",
    )
