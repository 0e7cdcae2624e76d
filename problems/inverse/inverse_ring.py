"""Young's modulus and Poisson's ratio of a ring under inner pressure, from eight displacements.

A quarter of the ring 1 m < r < 2 m in plane stress under an inner pressure of 1 Pa, with E = 1 Pa and nu = 0.3 (moduli
in units of the pressure). Lame: u_r = ((1 - nu) A r + (1 + nu) A b^2 / r) / E with A = p a^2 / (b^2 - a^2). Eight
radial displacements along the lower edge, evenly from a to b, have noise of 1 % of the largest; the Cramer-Rao bounds
are 0.9 % for E and 0.026, or 9 %, for nu.

S. P. Timoshenko & J. N. Goodier, Theory of Elasticity, art. 28.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

import pinnsolve as ps

Array = npt.NDArray[np.float64]

YOUNGS_MODULUS, POISSONS_RATIO = 1.0, 0.3
"""E in Pa and nu behind the readings."""

INNER, OUTER, PRESSURE = 1.0, 2.0, 1.0
"""a and b in m, p in Pa."""


def sensors() -> Array:
    """Return the places of the readings, m, shape (8, 2)."""
    return np.column_stack((np.linspace(INNER, OUTER, 8), np.zeros(8)))


def displacement(
    points: Array, youngs_modulus: float = YOUNGS_MODULUS, poissons_ratio: float = POISSONS_RATIO
) -> Array:
    """Return the exact radial displacement in m, shape (N,).

    Args:
        points: Places, m, shape (N, 2).
        youngs_modulus: E in Pa.
        poissons_ratio: nu.
    """
    radius = np.hypot(points[:, 0], points[:, 1])
    base = PRESSURE * INNER**2 / (OUTER**2 - INNER**2) / youngs_modulus
    return np.asarray(
        base * ((1.0 - poissons_ratio) * radius + (1.0 + poissons_ratio) * OUTER**2 / radius)
    )


def inverse_ring(noise: float = 0.01, noise_seed: int = 0) -> ps.Problem:
    """Find Young's modulus and Poisson's ratio of a ring from eight displacements.

    Args:
        noise: Standard deviation of a reading, as a share of the largest one.
        noise_seed: Seed of the noise.
    """
    points = sensors()
    exact = displacement(points)
    sigma = noise * float(exact.max())
    drawn = np.random.default_rng(noise_seed).normal(size=len(points))
    modulus = ps.Unknown("E", initial=2.0, bounds=(0.05, 20.0), unit="Pa", truth=YOUNGS_MODULUS)
    ratio = ps.Unknown("nu", initial=0.2, bounds=(0.0, 0.5), truth=POISSONS_RATIO)
    quadrant = ps.Rectangle((0.0, 0.0), (1.5 * OUTER, 1.5 * OUTER))
    ring = ps.Disk((0.0, 0.0), OUTER, name="outer") - ps.Disk((0.0, 0.0), INNER, name="inner")
    return ps.Problem(
        name="inverse_ring",
        domain=quadrant & ring,
        physics=ps.Elasticity(youngs_modulus=modulus, poissons_ratio=ratio, plane="stress"),
        conditions=[
            ps.Symmetry("left"),
            ps.Symmetry("bottom"),
            ps.Traction("inner", pressure=PRESSURE),
            ps.Traction("outer"),
        ],
        measurements=ps.Measurements(
            points=points,
            values={"displacement_x": exact + sigma * drawn},
            sigma=sigma,
        ),
        accuracy=1e-3,
        time_budget=120.0,
        description="unknown moduli E and nu of a ring from 8 noisy radial displacements",
    )
