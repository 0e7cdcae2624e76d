"""A convection coefficient from ten noisy thermometers inside the NAFEMS T4 plate.

The plate of ``nafems_t4``, cooled by h = 750 W/(m2 K) on the right and the top. Ten thermometers, all of them inside
and none nearer to the air than 5 cm, have noise of 0.5 K. Their readings are made from the exact series.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

import pinnsolve as ps

from .make_cooling_plate_data import CONDUCTIVITY, CONVECTION, HEIGHT, WIDTH, exact_temperature

Array = npt.NDArray[np.float64]


def sensors() -> Array:
    """Return the places of the thermometers, m, shape (10, 2): two columns, denser towards the hot side."""
    return np.array([(x, y) for x in (0.40, 0.55) for y in (0.10, 0.20, 0.30, 0.45, 0.65)])


def inverse_convection(
    noise: float = 0.5, initial: float = 200.0, noise_seed: int = 0
) -> ps.Problem:
    """Find the convection coefficient of a cooled plate from thermometers inside of it.

    Args:
        noise: Standard deviation of a reading in K.
        initial: First guess of the coefficient in W/(m2 K).
        noise_seed: Seed of the noise.
    """
    points = sensors()
    drawn = np.random.default_rng(noise_seed).normal(size=len(points))
    coefficient = ps.Unknown(
        "convection coefficient",
        initial=initial,
        bounds=(10.0, 10_000.0),
        unit="W/(m2 K)",
        truth=CONVECTION,
    )
    return ps.Problem(
        name="inverse_convection",
        domain=ps.Rectangle((0.0, 0.0), (WIDTH, HEIGHT)),
        physics=ps.Heat(conductivity=CONDUCTIVITY),
        conditions=[
            ps.Dirichlet("bottom", temperature=100.0),
            ps.Insulated("left"),
            ps.Convection("right", coefficient=coefficient, ambient=0.0),
            ps.Convection("top", coefficient=coefficient, ambient=0.0),
        ],
        measurements=ps.Measurements(
            points=points,
            values={"temperature": exact_temperature(points) + noise * drawn},
            sigma=noise,
        ),
        accuracy=2e-3,
        time_budget=120.0,
        description="unknown convection coefficient from 10 noisy thermometers inside a plate",
    )
