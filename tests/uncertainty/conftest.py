"""A rod in which everything is known in closed form: ``T = 100 - q x / k + s (x - x^2 / 2) / k``, linear in s and q."""

from __future__ import annotations

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.training import Trained, train

K, FLUX, SOURCE, SIGMA = 4.0, 600.0, 300.0, 0.3
SENSORS = np.linspace(0.2, 1.0, 5)
METHOD = ps.Method(hidden=(8,), points=ps.PointCounts(40, 2), max_steps=50)


def design(x: np.ndarray) -> np.ndarray:
    """Return the derivative of the temperature by (s, q), shape (N, 2)."""
    return np.column_stack((x - 0.5 * x**2, -x)) / K


def temperature(x: np.ndarray, source: float = SOURCE, flux: float = FLUX) -> np.ndarray:
    return 100.0 + design(x) @ [source, flux]


def rod(
    source: object,
    flux: object,
    x: np.ndarray = SENSORS,
    sigma: float | np.ndarray = SIGMA,
    seed: int = 5,
    **settings: object,
) -> ps.Problem:
    """Return the rod with noisy readings at x."""
    noise = np.random.default_rng(seed).normal(0.0, 1.0, len(x)) * sigma
    data = ps.Measurements(x[:, None], {"temperature": temperature(x) + noise}, sigma=sigma)
    return ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(K, source=source),
        [ps.Dirichlet("left", temperature=100.0), ps.Neumann("right", temperature=flux)],
        measurements=data,
        accuracy=1e-6,
        **settings,
    )


def both() -> ps.Problem:
    """Return the rod with both numbers unknown, without bounds: a linear problem."""
    return rod(ps.Unknown("s", 200.0), ps.Unknown("q", 500.0))


@pytest.fixture(scope="session")
def trained() -> Trained:
    return train(both(), METHOD)
