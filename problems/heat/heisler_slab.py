"""A hot slab in a cold stream: cooling by convection on both faces, with the exact series of Heisler's charts.

A steel plate of 0.1 m, k = 40 W/(m K), rho = 7800 kg/m3, c = 500 J/(kg K), at 800 degC, is put into a stream of
20 degC. With the half thickness L, Bi = h L / k and Fo = k t / (rho c L^2), the share of the first excess over the
stream is ``sum C_n exp(-z_n^2 Fo) cos(z_n x / L)``, z tan z = Bi, C = 4 sin z / (2 z + sin 2 z) (M. P. Heisler,
"Temperature charts for induction and constant-temperature heating", Trans. ASME 69 (1947) 227-236; T. L. Bergman et al,
"Fundamentals of Heat and Mass Transfer", 7th ed. 2011, sec. 5.5). At Bi = 1, Fo = 0.5 it is 0.772526383 in the middle
and 0.504521928 on the faces. At the start the flux on the faces jumps.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

import pinnsolve as ps

Array = npt.NDArray[np.float64]

_NUM_TERMS = 400
"""Terms of the series; from a thousandth of the time on they give all digits for Bi up to 10."""


def heisler_slab(biot: float = 1.0, fourier: float = 0.5, faces: int = 2) -> ps.Problem:
    """Transient cooling of a slab by convection.

    Args:
        biot: Bi = h L / k, L being half the thickness.
        fourier: Fo at the end of the time interval.
        faces: 2 for both; 1 for half of the slab, insulated in the middle.
    """
    for name, value in {"biot": biot, "fourier": fourier}.items():
        if not value > 0.0:
            raise ValueError(f"{name} must be > 0, got {value}")
    if faces not in (1, 2):
        raise ValueError(f"faces must be 1 or 2, got {faces}")
    half, conductivity, density, specific_heat = 0.05, 40.0, 7800.0, 500.0
    hot, stream = 800.0, 20.0
    end_time = fourier * half**2 * density * specific_heat / conductivity
    convection = ps.Convection("right", coefficient=biot * conductivity / half, ambient=stream)

    def temperature(x: Array, t: Array) -> Array:
        return stream + (hot - stream) * excess(x / half, fourier * t / end_time, biot)

    def error(solution: Any) -> float:  # noqa: ANN401 - a Solution
        x, t = np.meshgrid(np.linspace(0.0, half, 21), end_time * np.logspace(-3.0, 0.0, 25))
        wanted = temperature(x.ravel(), t.ravel())
        found = solution.at(np.stack([x.ravel(), t.ravel()], axis=1)).temperature
        return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted - stream))

    def at_the_end(name: str, place: float) -> ps.Quantity:
        return ps.point_value(
            name,
            "temperature",
            (place, end_time),
            unit="degC",
            target=float(temperature(np.array([place]), np.array([end_time]))[0]),
            tolerance=1e-3,
            source="exact series",
        )

    return ps.Problem(
        name="heisler_slab",
        domain=ps.Interval(-half if faces == 2 else 0.0, half),
        time=ps.TimeInterval(0.0, end_time),
        physics=ps.Heat(conductivity, density, specific_heat),
        conditions=[
            ps.Initial(temperature=hot),
            replace(convection, part="left") if faces == 2 else ps.Insulated("left"),
            convection,
        ],
        quantities=[
            at_the_end("T in the middle", 0.0),
            at_the_end("T on the face", half),
            ps.Quantity("excess rel. L2 error", error, "", 0.0, 1e-6, "exact series"),
        ],
        accuracy=1e-6,
        time_budget=30.0,
        description="cooling of a slab by convection on its faces; exact series known",
    )


def excess(place: Array, fourier: Array, biot: float) -> Array:
    """Return the excess over the stream as a share of the first one, shape (N,).

    Args:
        place: Distance from the middle over half the thickness, shape (N,).
        fourier: Fo, shape (N,).
        biot: Bi.
    """
    z = roots(biot)
    weights = 4.0 * np.sin(z) / (2.0 * z + np.sin(2.0 * z))
    shapes = np.exp(-np.multiply.outer(fourier, z**2)) * np.cos(np.multiply.outer(place, z))
    return np.asarray(shapes @ weights, dtype=np.float64)


def roots(biot: float) -> Array:
    """Return the first roots of z tan z = Bi, by bisection: one in the first half of every interval of length pi."""
    low = math.pi * np.arange(_NUM_TERMS, dtype=np.float64)
    high = low + 0.5 * math.pi
    for _ in range(60):
        middle = 0.5 * (low + high)
        # (-1)^n sin z and (-1)^n cos z are positive there
        above = np.abs(middle * np.sin(middle)) > biot * np.abs(np.cos(middle))
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return 0.5 * (low + high)
