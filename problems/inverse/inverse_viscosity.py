"""The viscosity of a fluid from noisy velocities in a decaying vortex.

A Taylor-Green vortex in a box of 1 m with sides that it slides along: u = sin(pi x) cos(pi y) E,
v = -cos(pi x) sin(pi y) E, E = exp(-2 pi^2 nu t), nu = 0.05 m2/s. Both components are measured at 50 points and 11
times from 0 to 1 s, with noise of 0.02 m/s; the Cramer-Rao bound for nu is then 0.42 %.

G. I. Taylor & A. E. Green, Proc. R. Soc. A 158 (1937).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

import pinnsolve as ps

Array = npt.NDArray[np.float64]

VISCOSITY = 0.05
"""nu behind the readings, m2/s (density 1 kg/m3)."""


def sensors() -> Array:
    """Return places and times of the readings, m and s, shape (550, 3): 50 random places, always the same."""
    places = np.random.default_rng(50).uniform(size=(50, 2))
    times = np.linspace(0.0, 1.0, 11)
    return np.column_stack((np.repeat(places, len(times), axis=0), np.tile(times, len(places))))


def velocity(points: Array, viscosity: float = VISCOSITY) -> Array:
    """Return the exact velocity in m/s, shape (N, 2).

    Args:
        points: Places and times, m and s, shape (N, 3).
        viscosity: nu in m2/s.
    """
    x, y = math.pi * points[:, 0], math.pi * points[:, 1]
    decay = np.exp(-2.0 * math.pi**2 * viscosity * points[:, 2])
    return np.stack((np.sin(x) * np.cos(y) * decay, -np.cos(x) * np.sin(y) * decay), axis=1)


def inverse_viscosity(
    noise: float = 0.02, initial: float = 0.02, noise_seed: int = 0
) -> ps.Problem:
    """Find the viscosity of a fluid from velocities in a decaying vortex.

    Args:
        noise: Standard deviation of a velocity component in m/s.
        initial: First guess of the viscosity in Pa s.
        noise_seed: Seed of the noise.
    """
    points = sensors()
    exact = velocity(points)
    measured = exact + noise * np.random.default_rng(noise_seed).normal(size=exact.shape)
    viscosity = ps.Unknown(
        "viscosity", initial=initial, bounds=(1e-3, 1.0), unit="Pa s", truth=VISCOSITY
    )

    def start(x: ps.Coordinates) -> list[ps.Jet]:
        return [
            ps.sin(math.pi * x.x) * ps.cos(math.pi * x.y),
            -ps.cos(math.pi * x.x) * ps.sin(math.pi * x.y),
        ]

    box = ps.Rectangle((0.0, 0.0), (1.0, 1.0))
    return ps.Problem(
        name="inverse_viscosity",
        domain=box,
        time=ps.TimeInterval(0.0, 1.0),
        physics=ps.NavierStokes(density=1.0, dynamic_viscosity=viscosity),
        conditions=[
            *(ps.Symmetry(part) for part in box.parts),
            ps.Initial(velocity=start),
        ],
        measurements=ps.Measurements(
            points=points,
            values={"velocity_x": measured[:, 0], "velocity_y": measured[:, 1]},
            sigma=noise,
        ),
        accuracy=1e-3,
        time_budget=120.0,
        description="unknown viscosity from 1100 noisy velocities in a decaying vortex",
    )
