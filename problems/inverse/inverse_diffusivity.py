"""The diffusivity of a rod from nine noisy sensors.

u_t = a u_xx on 0 < x < 1 m with u = 0 at both ends and u(x, 0) = sin(pi x) + sin(3 pi x) / 2, so that
u = exp(-a pi^2 t) sin(pi x) + exp(-9 a pi^2 t) sin(3 pi x) / 2. Nine sensors at x = 0.1 to 0.9 m read 30 times,
evenly from 0.01 to 0.30 s. With a = 0.35 m2/s the Cramer-Rao bound for a is 0.27 % for noise of 0.01 K and 1.35 % for
0.05 K.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

import pinnsolve as ps

Array = npt.NDArray[np.float64]

DIFFUSIVITY = 0.35
"""a behind the readings, m2/s."""


def sensors() -> Array:
    """Return places and times of the readings, m and s, shape (270, 2)."""
    places, times = np.linspace(0.1, 0.9, 9), np.linspace(0.01, 0.30, 30)
    return np.stack(np.meshgrid(places, times, indexing="ij"), axis=-1).reshape(-1, 2)


def temperature(points: Array, diffusivity: float = DIFFUSIVITY) -> Array:
    """Return the exact temperature in K, shape (N,).

    Args:
        points: Places and times, m and s, shape (N, 2).
        diffusivity: a in m2/s.
    """
    x, t = points[:, 0], points[:, 1]
    rate = diffusivity * math.pi**2
    slow = np.exp(-rate * t) * np.sin(math.pi * x)
    return np.asarray(slow + 0.5 * np.exp(-9.0 * rate * t) * np.sin(3.0 * math.pi * x))


def inverse_diffusivity(
    noise: float = 0.01, initial: float = 0.1, noise_seed: int = 0
) -> ps.Problem:
    """Find the diffusivity of a rod from nine sensors.

    Args:
        noise: Standard deviation of a reading in K.
        initial: First guess of the diffusivity in m2/s.
        noise_seed: Seed of the noise.
    """
    points = sensors()
    drawn = np.random.default_rng(noise_seed).normal(size=len(points))
    diffusivity = ps.Unknown(
        "diffusivity", initial=initial, bounds=(0.01, 10.0), unit="m2/s", truth=DIFFUSIVITY
    )

    def start(x: ps.Coordinates) -> ps.Jet:
        return ps.sin(math.pi * x.x) + 0.5 * ps.sin(3.0 * math.pi * x.x)

    return ps.Problem(
        name="inverse_diffusivity",
        domain=ps.Interval(0.0, 1.0),
        time=ps.TimeInterval(0.0, 0.3),
        physics=ps.Heat(conductivity=diffusivity, density=1.0, specific_heat=1.0),
        conditions=[
            ps.Dirichlet("left", temperature=0.0),
            ps.Dirichlet("right", temperature=0.0),
            ps.Initial(temperature=start),
        ],
        measurements=ps.Measurements(
            points=points,
            values={"temperature": temperature(points) + noise * drawn},
            sigma=noise,
        ),
        accuracy=1e-3,
        time_budget=120.0,
        description="unknown diffusivity of a rod from 270 noisy temperatures",
    )
