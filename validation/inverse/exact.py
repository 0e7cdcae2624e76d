"""Exact forward models of the shipped inverse problems whose unknowns are numbers, and their Cramer-Rao bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from pinnsolve.problems.inverse import (
    flow_reconstruction,
    inverse_diffusivity,
    inverse_fin,
    inverse_ring,
    inverse_source,
    inverse_viscosity,
    make_cooling_plate_data,
)

import pinnsolve as ps

from .bounds import Forward, cramer_rao

Array = npt.NDArray[np.float64]

Model = Callable[[Array, Mapping[str, float]], Array]
"""Maps points (N, D) and unknowns by name to exact readings (N,), or (N, C) for several components."""


def _source(points: Array, z: Mapping[str, float]) -> Array:
    spread = z.get("s", inverse_source.SPREAD)
    return np.asarray(inverse_source.temperature(points, z["x"], z["y"], z["Q"], spread))


MODELS: Mapping[str, Model] = {
    "cooling_plate": lambda points, z: make_cooling_plate_data.exact_temperature(
        points, z["convection coefficient"]
    ),
    "flow_reconstruction": lambda points, z: flow_reconstruction.velocity(
        points, 1.0 / z["viscosity"]
    ),
    "inverse_convection": lambda points, z: make_cooling_plate_data.exact_temperature(
        points, z["convection coefficient"]
    ),
    "inverse_diffusivity": lambda points, z: inverse_diffusivity.temperature(
        points, z["diffusivity"]
    ),
    "inverse_fin": lambda points, z: inverse_fin.temperature(points, z["m squared"]),
    "inverse_ring": lambda points, z: inverse_ring.displacement(points, z["E"], z["nu"]),
    "inverse_source": _source,
    "inverse_viscosity": lambda points, z: inverse_viscosity.velocity(points, z["viscosity"]),
}
"""Exact readings by shipped problem."""

FAMILY_KNOWN = frozenset({"flow_reconstruction"})
"""Where the model knows more than the declaration says, boundary values for instance: no estimate reaches its bound."""


def exact_forward(problem: ps.Problem) -> Forward | None:
    """Return the exact forward model of a shipped problem in the order of its unknowns; None if there is none.

    Args:
        problem: A shipped problem.
    """
    model = MODELS.get(problem.origin)
    if model is None or not problem.data:
        return None
    names, points = [unknown.name for unknown in problem.unknowns], readings(problem).points

    def forward(values: Array) -> Array:
        return model(points, dict(zip(names, values, strict=True))).ravel()

    return forward


def readings(problem: ps.Problem) -> ps.Measurements:
    """Return the one set of measurements that a shipped inverse problem has.

    Raises:
        ValueError: If it has none, or several.
    """
    if len(problem.data) != 1:
        raise ValueError(f"{problem.name!r} has {len(problem.data)} sets of measurements, not one")
    return problem.data[0]


def noise_of(problem: ps.Problem) -> Array:
    """Return the standard deviations of all readings, point by point, shape (M,).

    Args:
        problem: A problem with measurements.

    Raises:
        ValueError: If it has none.
    """
    data = readings(problem)
    each = np.broadcast_to(np.asarray(data.sigma, dtype=np.float64), (len(data.points),))
    return np.repeat(each, len(data.values))


def readings_of(problem: ps.Problem) -> Array:
    """Return all readings, point by point, shape (M,).

    Args:
        problem: A problem with measurements.

    Raises:
        ValueError: If it has none.
    """
    return np.stack(list(readings(problem).values.values()), axis=1).ravel()


def bounds_of(problem: ps.Problem) -> dict[str, float]:
    """Return the Cramer-Rao bound of each unknown number by name; empty if there is no exact model.

    Args:
        problem: A shipped problem.
    """
    forward = exact_forward(problem)
    truths = [unknown.truth for unknown in problem.unknowns]
    known = [truth for truth in truths if truth is not None]
    if forward is None or len(known) < len(truths):
        return {}
    stds = cramer_rao(forward, known, noise_of(problem))
    return {u.name: float(std) for u, std in zip(problem.unknowns, stds, strict=True)}


def attainable_bounds(problem: ps.Problem) -> dict[str, float]:
    """Return the bounds that the estimates are held to: those of unknowns that the data do tell.

    None where the model knows more than the declaration, and none at all if one of the unknowns is lost: what is known
    beforehand, its interval, then shapes the estimates of the others too.

    Args:
        problem: A shipped problem.
    """
    bounds = {} if problem.origin in FAMILY_KNOWN else bounds_of(problem)
    lost = any(bounds[u.name] > _before(u) for u in problem.unknowns if u.name in bounds)
    return {} if lost else bounds


def _before(unknown: ps.Unknown) -> float:
    """Return the standard deviation of an unknown of which only its interval is known."""
    low, high = unknown.bounds or (-math.inf, math.inf)
    return (high - low) / math.sqrt(12.0)
