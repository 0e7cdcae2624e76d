"""How strongly a fin exchanges heat with the air, from eight noisy thermocouples along it.

T'' = m^2 (T - T_air) on 0 < x < 0.1 m: a straight fin with its base at 100 degC, an insulated tip and air of 20 degC.
Exact: T - T_air = (T_base - T_air) cosh(m (L - x)) / cosh(m L). Eight thermocouples, evenly from 12.5 mm to the tip,
have noise of 0.5 K. With m^2 = 225 1/m2 (perimeter times h over cross-section times k) the Cramer-Rao bound is
2.10 1/m2, or 0.93 %.

T. L. Bergman et al., Fundamentals of Heat and Mass Transfer, 7th ed. 2011, table 3.4, case B.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt

import pinnsolve as ps

Array = npt.NDArray[np.float64]

M_SQUARED = 225.0
"""m^2 behind the readings, 1/m2."""

LENGTH, BASE, AIR = 0.1, 100.0, 20.0
"""L in m, T_base and T_air in degC."""


def sensors() -> Array:
    """Return the places of the thermocouples, m, shape (8, 1)."""
    return np.linspace(LENGTH / 8.0, LENGTH, 8)[:, None]


def temperature(points: Array, m_squared: float = M_SQUARED) -> Array:
    """Return the exact temperature in degC, shape (N,).

    Args:
        points: Places, m, shape (N, 1).
        m_squared: m^2 in 1/m2.
    """
    m = math.sqrt(m_squared)
    return np.asarray(
        AIR + (BASE - AIR) * np.cosh(m * (LENGTH - points[:, 0])) / math.cosh(m * LENGTH)
    )


def slope(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> dict[str, ps.Jet]:
    """Return the heat flux over the conductivity, K/m, as the flux of the temperature."""
    del x, m
    return {"temperature": -ps.grad(f.temperature)}


def energy(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> ps.Jet:
    """Return the heat balance over conductivity and cross-section, K/m2."""
    del x
    lost: ps.Jet = m.m_squared * (f.temperature - AIR)
    return ps.laplacian(f.temperature) - lost


def inverse_fin(noise: float = 0.5, initial: float = 50.0, noise_seed: int = 0) -> ps.Problem:
    """Find m^2 of a fin, its exchange of heat with the air, from eight thermocouples.

    Args:
        noise: Standard deviation of a reading in K.
        initial: First guess of m^2 in 1/m2.
        noise_seed: Seed of the noise.
    """
    points = sensors()
    drawn = np.random.default_rng(noise_seed).normal(size=len(points))
    m_squared = ps.Unknown(
        "m squared", initial=initial, bounds=(1.0, 10_000.0), unit="1/m2", truth=M_SQUARED
    )
    return ps.Problem(
        name="inverse_fin",
        domain=ps.Interval(0.0, LENGTH),
        physics=ps.CustomPhysics(
            fields={"temperature": ()},
            equations=energy,
            parameters={"m_squared": m_squared},
            fluxes=slope,
        ),
        conditions=[ps.Dirichlet("left", temperature=BASE), ps.Insulated("right")],
        measurements=ps.Measurements(
            points=points,
            values={"temperature": temperature(points) + noise * drawn},
            sigma=noise,
        ),
        accuracy=1e-3,
        time_budget=60.0,
        description="unknown exchange of a fin with the air, m^2, from 8 noisy thermocouples",
    )
