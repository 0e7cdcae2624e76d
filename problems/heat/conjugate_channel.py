"""Conjugate heat transfer: a fluid with a developed profile of velocity between plates that are heated from outside.

Half of a plane channel, half gap b = 5 mm, water (k = 0.6 W/(m K), rho c = 4.18 MJ/(m3 K)) of mean velocity 0.02 m/s,
u = 1.5 um (1 - (y/b)^2), and a plate of 3 mm, k = 15 W/(m K), that takes up q = 1000 W/m2 on its outer side. One
temperature field covers both. Far from the entrance, with Y = y/b and axial conduction in the fluid included,

    T_f = G x + (q b / k) (3/4 Y^2 - Y^4 / 8),  T_s = T_f(b) + q (y - b) / k_s,  G = q / (rho c um b).

This fulfils all equations (W. M. Kays & M. E. Crawford, Convective Heat and Mass Transfer: developed flow with a
constant heat rate). The wall is 5.2083 K warmer than the centre and 4.0476 K warmer than the bulk.
"""

from __future__ import annotations

import numpy as np

import pinnsolve as ps

_GAP, _PLATE, _LENGTH = 0.005, 0.003, 0.02
"""Half gap, thickness of the plate and length, in m."""

_DENSITY = 1000.0
"""Of water, in kg/m3; the plate is at rest, so only rho c of the fluid counts."""


def conjugate_channel(
    mean_velocity: float = 0.02,
    heat_flux: float = 1000.0,
    fluid_conductivity: float = 0.6,
    plate_conductivity: float = 15.0,
    heat_capacity: float = 4.18e6,
) -> ps.Problem:
    """Fluid in a channel with a heated plate, as one temperature field.

    Args:
        mean_velocity: um in m/s.
        heat_flux: q into the plate in W/m2.
        fluid_conductivity: k in W/(m K).
        plate_conductivity: k_s in W/(m K).
        heat_capacity: rho c of the fluid in J/(m3 K).
    """
    fluid = ps.Rectangle((0.0, 0.0), (_LENGTH, _GAP))
    conductivity = ps.by_region({fluid: fluid_conductivity}, otherwise=plate_conductivity)
    slope = heat_flux / (heat_capacity * mean_velocity * _GAP)
    across = heat_flux * _GAP / fluid_conductivity

    def profile(x: ps.Coordinates) -> ps.Jet:
        return 1.5 * mean_velocity * (1.0 - (x.y / _GAP) ** 2)

    flowing = ps.by_region({fluid: profile}, otherwise=0.0)

    def temperature(x: ps.Coordinates) -> ps.Jet:
        square = (x.y / _GAP) ** 2
        in_fluid = across * (0.75 * square - 0.125 * square**2)
        in_plate = 0.625 * across + (x.y - _GAP) * (heat_flux / plate_conductivity)
        return slope * x.x + ps.where(x.y <= _GAP, in_fluid, in_plate)

    middle, outer = 0.5 * _LENGTH, _GAP + _PLATE

    def at(solution: ps.Solution, y: float) -> float:
        return float(solution.at([(middle, y)]).temperature[0])

    def above_bulk(solution: ps.Solution) -> float:
        nodes, weights = np.polynomial.legendre.leggauss(16)
        shares = 0.5 * (nodes + 1.0)
        points = np.column_stack((np.full(16, middle), _GAP * shares))
        bulk = 0.5 * weights * 1.5 * (1.0 - shares**2) @ solution.at(points).temperature
        return at(solution, _GAP) - float(bulk)

    exact_value = "exact: fully developed, constant heat rate"
    return ps.Problem(
        name="conjugate_channel",
        domain=ps.Rectangle((0.0, 0.0), (_LENGTH, outer)),
        physics=ps.Heat(
            conductivity=conductivity,
            density=_DENSITY,
            specific_heat=heat_capacity / _DENSITY,
            velocity=lambda x: [flowing(x), 0.0],
        ),
        conditions=[
            ps.Dirichlet("left", temperature=temperature),
            ps.Neumann("right", temperature=lambda x: -slope * conductivity(x)),
            ps.Insulated("bottom"),
            ps.Neumann("top", temperature=-heat_flux),
            ps.Interface(fluid, "wetted wall"),
        ],
        exact=lambda x: {"temperature": temperature(x)},
        quantities=[
            ps.Quantity(
                "T wall - T centre",
                lambda solution: at(solution, _GAP) - at(solution, 0.0),
                "K",
                0.625 * across,
                1e-4 * abs(across),
                exact_value,
            ),
            ps.Quantity(
                "T outside - T wall",
                lambda solution: at(solution, outer) - at(solution, _GAP),
                "K",
                heat_flux * _PLATE / plate_conductivity,
                1e-4 * abs(heat_flux) * _PLATE / plate_conductivity,
                exact_value,
            ),
            ps.Quantity(
                "T wall - T bulk",
                above_bulk,
                "K",
                17 / 35 * across,
                1e-4 * abs(across),
                exact_value,
            ),
        ],
        accuracy=1e-4,
        description="fluid in a channel with a heated plate, one temperature field, with an exact solution",
    )
