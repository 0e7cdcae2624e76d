"""A straight fin with every convection coefficient in a range: train once, evaluate for any.

A plate fin of length 0.05 m and thickness 4 mm, k = 200 W/(m K), its base at 100 degC in air of 20 degC. Heat leaves
through both faces and the tip: ``k T'' = 2 h (T - ambient) / thickness``. Exact (T. L. Bergman et al., "Fundamentals
of Heat and Mass Transfer", 7th ed. 2011, table 3.4, case A): with m^2 = 2 h / (k thickness), q = h / (m k) and s the
distance from the tip, excess = base excess * (cosh m s + q sinh m s) / (cosh m L + q sinh m L).
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pinnsolve as ps


def fin_range(
    least: float = 20.0,
    most: float = 500.0,
    conductivity: float = 200.0,
    length: float = 0.05,
    thickness: float = 0.004,
) -> ps.Problem:
    """Steady temperature of a fin as a function of place and convection coefficient.

    Args:
        least: Lower end of the convection coefficient h in W/(m2 K).
        most: Its upper end.
        conductivity: k in W/(m K).
        length: Length in m.
        thickness: Thickness in m.
    """
    sizes = {"conductivity": conductivity, "length": length, "thickness": thickness}
    for name, value in sizes.items():
        if not value > 0.0:
            raise ValueError(f"{name} must be > 0, got {value}")
    base, ambient = 100.0, 20.0
    coefficient = ps.Range("coefficient", least, most, logarithmic=True, unit="W/(m2 K)")

    def flux(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> dict[str, ps.Jet]:
        del x
        return {"temperature": -m.conductivity * ps.grad(f.temperature)}

    def energy(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> ps.Jet:
        lost: ps.Jet = 2.0 / thickness * (f.temperature - ambient) * m.coefficient
        conducted = ps.div(flux(f, x, m)["temperature"])
        return conducted + lost

    def exact(x: ps.Coordinates) -> dict[str, object]:
        m = ps.sqrt(x.coefficient * (2.0 / (conductivity * thickness)))
        q = x.coefficient / (m * conductivity)
        here, whole = m * (length - x.x), m * length
        shape = (ps.cosh(here) + q * ps.sinh(here)) / (ps.cosh(whole) + q * ps.sinh(whole))
        return {"temperature": ambient + (base - ambient) * shape}

    def efficiency(solution: Any) -> float:  # noqa: ANN401 - a Solution at one coefficient
        return (float(solution.average("temperature")) - ambient) / (base - ambient)

    return ps.Problem(
        name="fin_range",
        domain=ps.Interval(0.0, length),
        physics=ps.CustomPhysics(
            fields={"temperature": ()},
            equations=energy,
            parameters={"conductivity": conductivity, "coefficient": coefficient},
            fluxes=flux,
        ),
        conditions=[
            ps.Dirichlet("left", temperature=base),
            ps.Convection("right", coefficient=coefficient, ambient=ambient),
        ],
        exact=exact,
        quantities=[ps.Quantity("mean excess / base excess", efficiency)],
        accuracy=1e-3,
        description="fin with convection, for every coefficient in a range at once; exact solution known",
    )
