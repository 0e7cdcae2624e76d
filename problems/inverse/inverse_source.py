"""Where a heat source is and how strong, from nine thermometers.

-lap T = Q / (2 pi s^2) exp(-r^2 / (2 s^2)) on the unit square with T = 0 on the walls, r the distance from
(0.63, 0.37) m, s = 0.05 m, Q = 1 W/m. Nine thermometers at 0.25, 0.5 and 0.75 m have noise of 1 % of the highest
temperature that they see. The Cramer-Rao bounds are 0.0015 m for the position and 0.53 % for Q. With the spread s
unknown too, its bound is 0.56 m: far away, wide and narrow sources heat alike, and the data cannot tell.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

import pinnsolve as ps

Array = npt.NDArray[np.float64]

POSITION, SPREAD, STRENGTH = (0.63, 0.37), 0.05, 1.0
"""Centre in m, s in m and Q in W/m of the source behind the readings."""

_NUM_WAVES = 60
"""Sine functions along each axis: for s = 0.05 m the next one is 1e-19 of the first."""


def sensors() -> Array:
    """Return the places of the thermometers, m, shape (9, 2)."""
    places = np.array([0.25, 0.5, 0.75])
    return np.stack(np.meshgrid(places, places, indexing="ij"), axis=-1).reshape(-1, 2)


def temperature(
    points: Array,
    x: float = POSITION[0],
    y: float = POSITION[1],
    strength: float = STRENGTH,
    spread: float = SPREAD,
) -> Array:
    """Return the exact temperature in K (conductivity 1 W/(m K)), shape (N,), as a double sine series.

    The series is that of a source with mirror images beyond the walls; they release less than 1e-12 of its heat inside
    as long as it is seven spreads away from the walls.

    Args:
        points: Places, m, shape (N, 2).
        x: Centre of the source in m.
        y: Centre of the source in m.
        strength: Q in W/m.
        spread: s in m.
    """
    wave = math.pi * np.arange(1, _NUM_WAVES + 1)
    width = np.exp(-0.5 * (wave * spread) ** 2)
    along_x = np.sin(wave * x) * width
    along_y = np.sin(wave * y) * width
    amplitude = 4.0 * strength * np.outer(along_x, along_y) / (wave[:, None] ** 2 + wave**2)
    modes_x, modes_y = np.sin(np.outer(points[:, 0], wave)), np.sin(np.outer(points[:, 1], wave))
    return np.asarray(np.einsum("nk,kl,nl->n", modes_x, amplitude, modes_y))


def inverse_source(
    noise: float = 0.01, noise_seed: int = 0, unknown_spread: bool = False
) -> ps.Problem:
    """Find position and strength of a heat source from nine thermometers.

    Args:
        noise: Standard deviation of a reading, as a share of the highest one.
        noise_seed: Seed of the noise.
        unknown_spread: Whether the spread is to be found too, which these data do not allow.
    """
    points = sensors()
    exact = temperature(points)
    sigma = noise * float(exact.max())
    drawn = np.random.default_rng(noise_seed).normal(size=len(points))
    spread = ps.Unknown("s", initial=0.08, bounds=(0.02, 0.15), unit="m", truth=SPREAD)
    source = ps.GaussianSource(
        position=(
            ps.Unknown("x", initial=0.5, bounds=(0.1, 0.9), unit="m", truth=POSITION[0]),
            ps.Unknown("y", initial=0.5, bounds=(0.1, 0.9), unit="m", truth=POSITION[1]),
        ),
        width=spread if unknown_spread else SPREAD,
        strength=ps.Unknown("Q", initial=0.5, bounds=(0.05, 20.0), unit="W/m", truth=STRENGTH),
    )
    square = ps.Rectangle((0.0, 0.0), (1.0, 1.0))
    return ps.Problem(
        name="inverse_source",
        domain=square,
        physics=ps.Heat(conductivity=1.0, source=source),
        conditions=[ps.Dirichlet(part, temperature=0.0) for part in square.parts],
        measurements=ps.Measurements(
            points=points, values={"temperature": exact + sigma * drawn}, sigma=sigma
        ),
        accuracy=1e-3,
        time_budget=120.0,
        description="unknown position and strength of a heat source from 9 noisy thermometers",
    )
