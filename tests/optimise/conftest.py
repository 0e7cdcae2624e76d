"""A heat problem as a least-squares system, in any size."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

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
from pinnsolve.unknowns import Unknown

PlateSystem = Callable[..., tuple[System, Tensor]]


def wall(x):
    return sin(3.0 * x.x) * cosh(3.0 * x.y)


def _plate_system(
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
def plate_system() -> PlateSystem:
    """Make a weighted system and its initial parameters."""
    return _plate_system
