"""Small systems that several tests of the optimisers share."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import pinnsolve as ps
from pinnsolve.blocks import PointCounts, make_blocks
from pinnsolve.conditions import Convection, Dirichlet
from pinnsolve.geometry import Rectangle
from pinnsolve.jets import cosh, sin
from pinnsolve.measurements import Measurements
from pinnsolve.networks import MLP
from pinnsolve.optimise.weights import balanced
from pinnsolve.physics import Heat
from pinnsolve.problem import Problem
from pinnsolve.residuals import System, build_system
from pinnsolve.scaling import find_scaling
from pinnsolve.training import prepare
from pinnsolve.unknowns import Unknown


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


WallSystem = Callable[..., tuple[System, Tensor]]


def wall(x):
    return sin(3.0 * x.x) * cosh(3.0 * x.y)


def _wall_system(
    seed: int = 0,
    hidden: tuple[int, ...] = (10, 10),
    counts: PointCounts | None = None,
    *,
    unknown: bool = False,
    max_points: int = 4096,
) -> tuple[System, Tensor]:
    counts = counts if counts is not None else PointCounts(80, 64)
    plate = Rectangle((0.0, 0.0), (1.0, 1.0))
    conductivity = Unknown("k", 1.5, bounds=(0.1, 10.0)) if unknown else 1.0
    conditions = [Dirichlet(part, temperature=wall) for part in plate.parts if part != "top"]
    top = Convection("top", 2.0, 1.0) if unknown else Dirichlet("top", temperature=wall)
    readings = Measurements([[0.2, 0.3], [0.6, 0.7]], {"temperature": [1.0, 2.0]}, sigma=0.1)
    problem = Problem(
        "plate",
        plate,
        Heat(conductivity, source=3.0),
        [*conditions, top],
        measurements=readings if unknown else None,
    )
    blocks = make_blocks(problem, counts, seed=seed)
    net = MLP(2, 1, hidden)
    system = build_system(
        blocks,
        problem.field_shapes,
        problem.frame,
        net,
        find_scaling(problem, blocks),
        problem.unknowns,
        max_points=max_points,
    )
    generator = torch.Generator().manual_seed(seed)
    theta = net.initial_parameters(generator, dtype=torch.float64, device=torch.device("cpu"))
    theta = torch.cat((theta, theta.new_tensor([item.start for item in problem.unknowns])))
    return balanced(system, theta), theta


@pytest.fixture
def wall_system() -> WallSystem:
    """``wall_system(seed, hidden, counts, unknown=, max_points=)``: a weighted system and its initial parameters."""
    return _wall_system
