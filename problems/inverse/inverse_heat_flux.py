"""The heat flux into a slab from a sensor on its other side.

Slab 0 < x < 1 m, conductivity and heat capacity 1, at 0 K; the flux q(t) at x = 0 is unknown, x = 1 m is insulated and
holds the sensor. The true flux is a triangle: it rises to 0.6 W/m2 at 0.6 s, falls to 0 at 1.2 s and stays there. 50
readings from 0.03 to 1.5 s have noise of 0.0017 K, half a percent of the highest one. Diffusion hides what is quick
about the flux: this is an ill-posed problem, and only as smooth a flux as the data ask for is found.

After J. V. Beck, B. Blackwell & C. R. St. Clair, Inverse Heat Conduction: Ill-posed Problems, 1985.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import pinnsolve as ps

Array = npt.NDArray[np.float64]

PEAK, END = 0.6, 1.5
"""Time and height of the highest flux, s and W/m2; end of the readings, s."""


@dataclass(frozen=True)
class Inward:
    """Minus a flux: what goes in, where the outward flux is asked for."""

    flux: ps.UnknownFunction

    def __call__(self, x: ps.Coordinates) -> object:
        """Return the outward flux in W/m2."""
        return -self.flux(x)


def flux(t: Array) -> Array:
    """Return the true flux in W/m2.

    Args:
        t: Times in s.
    """
    return np.asarray(np.maximum(0.0, PEAK - np.abs(t - PEAK)))


def true_flux(x: ps.Coordinates) -> ps.Jet:
    """Return the true flux in W/m2 as a function of the coordinates."""
    height = PEAK - ps.sqrt((x.t - PEAK) ** 2)
    return 0.5 * (height + ps.sqrt(height**2))


def temperature(x: float, t: Array, num_terms: int = 200) -> Array:
    """Return the exact temperature in K: the triangle is made of three ramps, each with its own series.

    A flux that grows by 1 W/m2 a second makes ``t^2/2 + t (3 (1-x)^2 - 1)/6 - (2/pi^4) sum cos(n pi x)
    (1 - exp(-n^2 pi^2 t)) / n^4``.

    Args:
        x: Place in m.
        t: Times in s, shape (N,).
        num_terms: Number of terms of the series; what is left is below 1e-9 K.
    """
    n = np.arange(1, num_terms + 1)

    def ramp(since: Array) -> Array:
        s = np.maximum(since, 0.0)
        waves = np.cos(n * math.pi * x) / n**4 * -np.expm1(-((n * math.pi) ** 2) * s[:, None])
        level = 0.5 * s**2 + s * (3.0 * (1.0 - x) ** 2 - 1.0) / 6.0
        return np.asarray(level - 2.0 / math.pi**4 * waves.sum(axis=1))

    return ramp(t) - 2.0 * ramp(t - PEAK) + ramp(t - 2.0 * PEAK)


def sensors() -> Array:
    """Return places and times of the readings, m and s, shape (50, 2)."""
    times = np.linspace(0.03, END, 50)
    return np.column_stack((np.ones_like(times), times))


def total_heat(found: Callable[[Array], Array]) -> float:
    """Return the heat that goes in until the end of the readings, J/m2.

    Args:
        found: A flux in W/m2 of the time in s.
    """
    t = np.linspace(0.0, END, 1501)
    return float(np.trapezoid(found(t), t))


def flux_error(found: Callable[[Array], Array]) -> float:
    """Return the relative L2 error of a flux.

    Args:
        found: A flux in W/m2 of the time in s.
    """
    t = np.linspace(0.0, END, 1501)
    return float(np.linalg.norm(found(t) - flux(t)) / np.linalg.norm(flux(t)))


def inverse_heat_flux(noise: float = 0.0017, noise_seed: int = 0) -> ps.Problem:
    """Find the heat flux into a slab from a sensor on its other side.

    Args:
        noise: Standard deviation of a reading in K.
        noise_seed: Seed of the noise.
    """
    points = sensors()
    drawn = np.random.default_rng(noise_seed).normal(size=len(points))
    unknown = ps.UnknownFunction(
        "flux",
        of={"t": (0.0, END)},
        num=31,
        initial=0.0,
        scale=0.5,
        unit="W/m2",
        truth=true_flux,
    )
    return ps.Problem(
        name="inverse_heat_flux",
        domain=ps.Interval(0.0, 1.0),
        time=ps.TimeInterval(0.0, END),
        physics=ps.Heat(conductivity=1.0, density=1.0, specific_heat=1.0),
        conditions=[
            ps.Neumann("left", temperature=Inward(unknown)),
            ps.Insulated("right"),
            ps.Initial(temperature=0.0),
        ],
        measurements=ps.Measurements(
            points=points,
            values={"temperature": temperature(1.0, points[:, 1]) + noise * drawn},
            sigma=noise,
        ),
        quantities=[
            ps.Quantity(
                "total heat",
                lambda solution: total_heat(solution.functions["flux"]),
                unit="J/m2",
                target=PEAK**2,
                tolerance=0.02 * PEAK**2,
                source="exact: area of the triangle",
            ),
            ps.Quantity(
                "flux rel. L2 error",
                lambda solution: flux_error(solution.functions["flux"]),
                target=0.0,
                tolerance=0.15,
                source="the flux behind the readings",
            ),
        ],
        accuracy=1e-3,
        time_budget=120.0,
        description="unknown heat flux into a slab from one noisy sensor on its other side",
    )
