"""Make ``cooling_plate_thermocouples.csv``: twelve noisy thermocouples in the NAFEMS T4 plate.

The plate, 0.6 m x 1 m with k = 52 W/(m K), is held at 100 C along the bottom, insulated on the
left, and loses heat on the right and the top to air at 0 C with h = 750 W/(m2 K). Its temperature
is known as a series, so readings of known accuracy can be made: the exact temperature plus
independent Gaussian noise of 0.5 K. From them h is to be found again; the Cramer-Rao bound of its
standard deviation is 12 W/(m2 K), 1.6 %. ``python make_cooling_plate_data.py`` writes the file
anew.

Source: NAFEMS, "The Standard NAFEMS Benchmarks", TNSB rev. 3, 1990, test T4.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

WIDTH, HEIGHT = 0.6, 1.0
"""Size of the plate along x and y, m."""

CONDUCTIVITY = 52.0
"""Thermal conductivity k, W/(m K)."""

CONVECTION = 750.0
"""Heat transfer coefficient h on the right and the top, W/(m2 K): what is to be found again."""

BOTTOM_TEMPERATURE = 100.0
"""Temperature of the bottom, C; the air is at 0 C."""

SIGMA = 0.5
"""Standard deviation of a reading, K."""

SEED = 0
"""Seed of the noise."""

PLACES = np.array(
    [
        # Close under the cooled right side, where h is felt most.
        (0.58, 0.06),
        (0.58, 0.14),
        (0.58, 0.24),
        (0.58, 0.36),
        (0.58, 0.52),
        # Inside.
        (0.48, 0.16),
        (0.45, 0.40),
        (0.30, 0.25),
        (0.30, 0.60),
        (0.10, 0.40),
        # Close under the cooled top.
        (0.15, 0.97),
        (0.35, 0.97),
    ]
)
"""Places of the thermocouples, m, shape (12, 2)."""


def exact_temperature(
    points: FloatArray, convection: float = CONVECTION, num_terms: int = 400
) -> FloatArray:
    """Return the exact temperature by separation of variables.

    ``T = sum_n c_n cos(l_n x) Y_n(y)``, where ``l_n tan(l_n W) = h/k``, ``c_n`` expands the bottom
    temperature and ``Y_n`` falls from 1 at the bottom to a convecting top. Terms decay like
    ``exp(-l_n y)``, so the default number of terms is exact to rounding for y >= 0.03 m.

    Args:
        points: Points, m, shape (N, 2), with 0 < y.
        convection: Heat transfer coefficient h, W/(m2 K).
        num_terms: Number of terms of the series.

    Returns:
        Temperature, C, shape (N,).
    """
    ratio = convection / CONDUCTIVITY
    root = _eigenvalues(ratio, num_terms)
    coefficient = (
        BOTTOM_TEMPERATURE
        * (np.sin(WIDTH * root) / root)
        / (WIDTH / 2 + np.sin(2 * WIDTH * root) / (4 * root))
    )
    x, y = points[:, :1], points[:, 1:]
    # Y_n with its growing exponentials divided out: no overflow however many terms.
    reflected = (root - ratio) / (root + ratio)
    decay = (
        np.exp(-root * y)
        * (1 + reflected * np.exp(-2 * root * (HEIGHT - y)))
        / (1 + reflected * np.exp(-2 * root * HEIGHT))
    )
    return np.asarray((coefficient * np.cos(root * x) * decay).sum(axis=1))


def _eigenvalues(ratio: float, num_terms: int) -> FloatArray:
    """Return the first positive roots l of ``l tan(l W) = h/k``, 1/m, by bisection."""
    n = np.arange(num_terms)
    low, high = n * np.pi / WIDTH, (n + 0.5) * np.pi / WIDTH  # one root in each branch of tan
    for _ in range(60):
        middle = 0.5 * (low + high)
        above = middle * np.tan(middle * WIDTH) > ratio
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return 0.5 * (low + high)


def sensitivity(points: FloatArray, convection: float = CONVECTION) -> FloatArray:
    """Return dT/dh at points by central differences of the exact temperature.

    Args:
        points: Points, m, shape (N, 2).
        convection: Heat transfer coefficient h, W/(m2 K).

    Returns:
        Change of temperature with h, K/(W/(m2 K)), shape (N,).
    """
    step = 1e-4 * convection  # truncation 1e-8, rounding 1e-11 relative
    rise = exact_temperature(points, convection + step)
    fall = exact_temperature(points, convection - step)
    return np.asarray((rise - fall) / (2 * step))


def cramer_rao(points: FloatArray = PLACES, sigma: float = SIGMA) -> float:
    """Return the least standard deviation that an unbiased estimate of h can have.

    The Cramer-Rao bound of independent Gaussian readings with h alone unknown:
    ``sigma / sqrt(sum (dT/dh)^2)``.

    Args:
        points: Places of the readings, m, shape (N, 2).
        sigma: Standard deviation of a reading, K.

    Returns:
        Standard deviation of h, W/(m2 K).
    """
    return float(sigma / np.linalg.norm(sensitivity(points)))


def readings(seed: int = SEED) -> FloatArray:
    """Return one draw of the twelve readings.

    Args:
        seed: Seed of the noise.

    Returns:
        Temperature, C, shape (12,).
    """
    noise = np.random.default_rng(seed).normal(0.0, SIGMA, size=len(PLACES))
    return np.asarray(exact_temperature(PLACES) + noise)


def write_csv(path: Path) -> None:
    """Write places and readings as a comma-separated table with a header.

    Args:
        path: File to write.
    """
    lines = ["x_m,y_m,temperature_C"]
    lines += [f"{x:.3f},{y:.3f},{t:.3f}" for (x, y), t in zip(PLACES, readings(), strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_csv(Path(__file__).with_name("cooling_plate_thermocouples.csv"))
