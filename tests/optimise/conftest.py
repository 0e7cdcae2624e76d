"""Small systems that several tests of the optimisers share."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import pinnsolve as ps
from pinnsolve.residuals import System
from pinnsolve.training import prepare


def plate(accuracy: float = 1e-9) -> ps.Problem:
    """Poisson's equation with the solution sin(pi x) sin(pi y)."""
    square = ps.Rectangle((0.0, 0.0), (1.0, 1.0))

    def wave(x: ps.Coordinates) -> ps.Jet:
        return ps.sin(math.pi * x.x) * ps.sin(math.pi * x.y)

    return ps.Problem(
        "plate",
        square,
        ps.Heat(1.0, source=lambda x: 2.0 * math.pi**2 * wave(x)),
        [ps.Dirichlet(part, temperature=0.0) for part in square.parts],
        scales={"temperature": 1.0},
        exact=lambda x: {"temperature": wave(x)},
        accuracy=accuracy,
    )


def system_of(
    seed: int = 0, hidden: tuple[int, ...] = (10, 10, 10), points: int = 120
) -> tuple[System, Tensor]:
    """Its balanced system in float64, and initial parameters."""
    method = ps.Method(hidden=hidden, points=ps.PointCounts(points, points // 2))
    return prepare(plate(), method, seed=seed)


def error_of(system: System, theta: Tensor) -> float:
    """Relative L2 error of the plate on a grid."""
    axis = torch.linspace(0.0, 1.0, 41, dtype=torch.float64)
    points = torch.cartesian_prod(axis, axis)
    unit = system.scaling.to_unit(points)
    values = system.network.streams(theta, unit, ((),))[0, :, 0]
    values = system.scaling.offset[0] + system.scaling.scale[0] * values
    exact = torch.sin(math.pi * points[:, 0]) * torch.sin(math.pi * points[:, 1])
    return float((values - exact).norm() / exact.norm())


@pytest.fixture
def plate_system() -> Callable[..., tuple[System, Tensor]]:
    """``plate_system(seed, hidden, points)``: the balanced system and initial parameters."""
    return system_of


@pytest.fixture
def plate_error() -> Callable[[System, Tensor], float]:
    """``plate_error(system, theta)``: relative L2 error."""
    return error_of
