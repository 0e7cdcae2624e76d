"""The temperature on top of a block from sensors at its bottom: Cauchy's problem for Laplace's equation.

Unit square, sides insulated. At the bottom no heat flows and 21 sensors read the temperature; on top, temperature and
flux are unknown. The truth is T = cos(n pi x) cosh(n pi y) / cosh(n pi). Noise at the bottom is blown up cosh(n pi)
times on the way to the top, 11.6, 268 and 6,200 times for n = 1, 2, 3. With noise of 0.01 K the amplitude of the first
wave is found to 4 %; that of the second one, 0.8 K uncertain, cannot be told from these data, and an honest answer says
so.

J. Hadamard, Lectures on Cauchy's Problem, 1923.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import pinnsolve as ps

Array = npt.NDArray[np.float64]


def sensors() -> Array:
    """Return the places of the readings, m, shape (21, 2)."""
    x = np.linspace(0.0, 1.0, 21)
    return np.column_stack((x, np.zeros_like(x)))


def temperature(points: Array, waves: int = 1) -> Array:
    """Return the exact temperature in K, shape (N,).

    Args:
        points: Places, m, shape (N, 2).
        waves: n, half waves along x.
    """
    rate = waves * math.pi
    return np.asarray(np.cos(rate * points[:, 0]) * np.cosh(rate * points[:, 1]) / np.cosh(rate))


def top_error(found: Callable[[Array], Array], waves: int = 1) -> float:
    """Return the relative L2 error of the temperature on top.

    Args:
        found: A temperature in K of the place along x in m.
        waves: n, half waves along x of the true one.
    """
    x = np.linspace(0.0, 1.0, 401)
    exact = np.cos(waves * math.pi * x)
    return float(np.linalg.norm(found(x) - exact) / np.linalg.norm(exact))


def error_in_deviations(found: Callable[[Array], Array], std: Array, waves: int = 1) -> float:
    """Return the root mean square of error over standard deviation of the temperature on top.

    Args:
        found: A temperature in K of the place along x in m.
        std: Its standard deviation in K at 401 places, evenly from 0 to 1 m.
        waves: n, half waves along x of the true one.
    """
    x = np.linspace(0.0, 1.0, 401)
    off = found(x) - np.cos(waves * math.pi * x)
    return float(np.sqrt(np.mean((off / std) ** 2)))


def inverse_cauchy(noise: float = 0.01, waves: int = 1, noise_seed: int = 0) -> ps.Problem:
    """Find the temperature on top of a block from sensors at its bottom.

    Args:
        noise: Standard deviation of a reading in K; the temperature on top is up to 1 K.
        waves: Half waves along x of the true temperature.
        noise_seed: Seed of the noise.
    """
    if waves < 1:
        raise ValueError(f"waves must be >= 1, got {waves}")
    points = sensors()
    drawn = np.random.default_rng(noise_seed).normal(size=len(points))

    def honesty(solution: Any) -> float:  # noqa: ANN401 - a Solution
        found = solution.functions["top temperature"]
        return error_in_deviations(found, found.std(np.linspace(0.0, 1.0, 401)), waves)

    unknown = ps.UnknownFunction(
        "top temperature", of={"x": (0.0, 1.0)}, num=13, initial=0.0, scale=1.0, unit="K"
    )
    return ps.Problem(
        name="inverse_cauchy",
        domain=ps.Rectangle((0.0, 0.0), (1.0, 1.0)),
        physics=ps.Heat(conductivity=1.0),
        conditions=[
            ps.Insulated("left"),
            ps.Insulated("right"),
            ps.Insulated("bottom"),
            ps.Dirichlet("top", temperature=unknown),
        ],
        measurements=ps.Measurements(
            points=points,
            values={"temperature": temperature(points, waves) + noise * drawn},
            sigma=noise,
        ),
        quantities=[
            ps.Quantity(
                "top temperature rel. L2 error",
                lambda solution: top_error(solution.functions["top temperature"], waves),
                source="exact",
            ),
            ps.Quantity(
                "top temperature, rms error / std",
                honesty,
                target=0.0,
                tolerance=2.0,
                source="exact; the error may be large, but the band has to say so",
            ),
        ],
        accuracy=1e-3,
        time_budget=120.0,
        description="unknown temperature on top of a block from 21 noisy sensors at its bottom",
    )
