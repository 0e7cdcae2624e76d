"""A flow and its viscosity from 100 noisy velocities, without boundary conditions.

Kovasznay's flow at Reynolds number 40 on (-0.5, 1) x (-0.5, 1.5) m. Both velocity components are measured at 100
random points with noise of 0.02 m/s; neither boundary values nor any pressure is known. Were the family of
Kovasznay's flows known, the Cramer-Rao bound for the Reynolds number would be 0.77 %; with nothing known at the
boundary it is wider.

L. I. G. Kovasznay, Math. Proc. Cambridge Phil. Soc. 44 (1948) 58-62.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import pinnsolve as ps

Array = npt.NDArray[np.float64]

REYNOLDS = 40.0
"""Reynolds number behind the readings."""

LOWER, UPPER = (-0.5, -0.5), (1.0, 1.5)
"""Corners of the region, m."""


def sensors() -> Array:
    """Return the places of the readings, m, shape (100, 2): random, always the same."""
    return np.random.default_rng(100).uniform(LOWER, UPPER, size=(100, 2))


def velocity(points: Array, reynolds: float = REYNOLDS) -> Array:
    """Return the exact velocity in m/s, shape (N, 2).

    Args:
        points: Places, m, shape (N, 2).
        reynolds: Reynolds number.
    """
    rate = reynolds / 2.0 - math.sqrt(reynolds**2 / 4.0 + 4.0 * math.pi**2)
    wave = 2.0 * math.pi
    decay = np.exp(rate * points[:, 0])
    u = 1.0 - decay * np.cos(wave * points[:, 1])
    v = rate / wave * decay * np.sin(wave * points[:, 1])
    return np.stack((u, v), axis=1)


def velocity_error(found: Callable[[Array], Array]) -> float:
    """Return the relative L2 error of a velocity on 4,000 points.

    Args:
        found: A velocity in m/s, shape (N, 2), of places in m, shape (N, 2).
    """
    points = np.random.default_rng(1).uniform(LOWER, UPPER, size=(4000, 2))
    exact = velocity(points)
    off = found(points) - exact
    return float(np.linalg.norm(off) / np.linalg.norm(exact))


def covered_share(found: Array, std: Array, points: Array) -> float:
    """Return the share of the true velocities along y that lie within 1.96 standard deviations of those found.

    Args:
        found: The velocity along y in m/s, shape (N,).
        std: Its standard deviation in m/s, shape (N,).
        points: Where, m, shape (N, 2).
    """
    return float(np.mean(np.abs(found - velocity(points)[:, 1]) < 1.96 * std))


def flow_reconstruction(noise: float = 0.02, noise_seed: int = 0) -> ps.Problem:
    """Reconstruct a flow and its viscosity from 100 noisy velocities.

    Args:
        noise: Standard deviation of a velocity component in m/s.
        noise_seed: Seed of the noise.
    """
    points = sensors()
    exact = velocity(points)
    measured = exact + noise * np.random.default_rng(noise_seed).normal(size=exact.shape)
    inside = np.random.default_rng(2).uniform(LOWER, UPPER, size=(1000, 2))

    def honesty(solution: Any) -> float:  # noqa: ANN401 - a Solution
        found, std = solution.at(inside).velocity[:, 1], solution.std_at(inside).velocity[:, 1]
        return covered_share(np.asarray(found), np.asarray(std), inside)

    viscosity = ps.Unknown(
        "viscosity", initial=0.1, bounds=(1e-3, 1.0), unit="Pa s", truth=1.0 / REYNOLDS
    )
    return ps.Problem(
        name="flow_reconstruction",
        domain=ps.Rectangle(LOWER, UPPER),
        physics=ps.NavierStokes(density=1.0, dynamic_viscosity=viscosity),
        conditions=[],
        measurements=ps.Measurements(
            points=points,
            values={"velocity_x": measured[:, 0], "velocity_y": measured[:, 1]},
            sigma=noise,
        ),
        quantities=[
            ps.Quantity(
                "velocity rel. L2 error",
                lambda solution: velocity_error(lambda at: np.asarray(solution.at(at).velocity)),
                target=0.0,
                tolerance=0.02,
                source="exact: Kovasznay 1948",
            ),
            ps.Quantity(
                "share of v within its 95 % band",
                honesty,
                target=1.0,
                tolerance=0.15,
                source="exact; v is small against the noise, but its band has to cover it",
            ),
        ],
        accuracy=5e-3,
        time_budget=120.0,
        description="flow and viscosity from 100 noisy velocities without boundary conditions",
    )
