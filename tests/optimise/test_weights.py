"""Balanced weights: every equation's rows have unit norm, whatever its units."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import pinnsolve as ps
from pinnsolve.blocks import PointCounts, make_blocks
from pinnsolve.conditions import Dirichlet, Fixed, NoSlip, Periodic, Traction
from pinnsolve.geometry import Rectangle
from pinnsolve.networks import MLP
from pinnsolve.optimise.weights import balanced
from pinnsolve.physics import Elasticity, NavierStokes
from pinnsolve.problem import Problem
from pinnsolve.residuals import System, build_system
from pinnsolve.scaling import find_scaling
from pinnsolve.training import prepare

PLATE = Rectangle((0.0, 0.0), (2.0, 1.0))


def solid(modulus: float = 2.1e11) -> Problem:
    return Problem(
        "solid",
        PLATE,
        Elasticity(modulus, 0.3, "stress"),
        [
            Fixed("left"),
            Traction("right", [1e6 * modulus / 2.1e11, 0.0]),
            Traction("top"),
            Dirichlet("bottom", displacement_x=0.0),
            Dirichlet("bottom", displacement_y=0.0),
        ],
    )


def channel() -> Problem:
    return Problem(
        "channel",
        PLATE,
        NavierStokes(1.0, 0.1, body_force=[1.0, 0.0]),
        [Periodic("left", "right"), NoSlip("top"), NoSlip("bottom")],
    )


def system_of(problem: Problem, seed: int, max_points: int = 4096) -> tuple[System, Tensor]:
    blocks = make_blocks(problem, PointCounts(30, 40), seed=seed)
    net = MLP(2, len(problem.component_names), (6, 5))
    scaling = find_scaling(problem, blocks)
    shapes, frame = problem.field_shapes, problem.frame
    system = build_system(blocks, shapes, frame, net, scaling, (), max_points=max_points)
    generator = torch.Generator().manual_seed(seed)
    theta = net.initial_parameters(generator, dtype=torch.float64, device=torch.device("cpu"))
    return system, theta


def square_norms(system: System, theta: Tensor) -> dict[tuple[str, str], float]:
    """Sum over an equation's N rows of their squared norms: 1 if the rms norm is 1/sqrt(N)."""
    sums: dict[tuple[str, str], float] = {}
    chunks = iter(system.linearised(theta))
    for group in system.groups:
        for rank in range(group.num_equations):
            _, jacobian = next(chunks)
            pieces = jacobian.split([system.blocks[b].num_points for b in group.blocks])
            for b, names, piece in zip(group.blocks, group.equations, pieces, strict=True):
                key = (system.blocks[b].name, names[rank])
                sums[key] = sums.get(key, 0.0) + float(piece.square().sum())
    return sums


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("max_points", [11, 4096])
@pytest.mark.parametrize("make", [solid, channel])
def test_rows_of_every_equation_have_unit_rms_norm(make, max_points, seed) -> None:
    system, theta = system_of(make(), seed, max_points)
    norms = square_norms(balanced(system, theta), theta)
    assert list(norms.values()) == pytest.approx([1.0] * len(norms), rel=1e-10)


def test_balancing_twice_changes_nothing() -> None:
    system, theta = system_of(solid(), 0)
    once = balanced(system, theta)
    twice = balanced(once, theta)
    for key, weight in once.weights.items():
        assert twice.weights[key] == pytest.approx(weight, rel=1e-12)


def test_chunks_of_one_equation_share_a_weight() -> None:
    whole, theta = system_of(solid(), 0)
    cut, _ = system_of(solid(), 0, max_points=7)
    wanted = balanced(whole, theta).weights
    found = balanced(cut, theta).weights
    assert found.keys() == wanted.keys()
    for key, weight in found.items():
        assert weight == pytest.approx(wanted[key], rel=1e-10)


def test_the_size_of_a_modulus_cancels() -> None:
    """Steel and rubber under the same strain train alike."""
    rows = []
    for modulus in (2.1e11, 2.1e11 * 2.0**-16):
        system, theta = system_of(solid(modulus), 0)
        rows.append(balanced(system, theta).residual(theta))
    torch.testing.assert_close(*rows, rtol=1e-9, atol=1e-10)


def test_the_system_itself_is_left_alone() -> None:
    system, theta = system_of(solid(), 0)
    balanced(system, theta)
    assert system.weights == {}


def measured_rod(sigma: object) -> ps.Problem:
    data = ps.Measurements([[0.2], [0.5], [0.9]], {"temperature": [30.0, 50.0, 80.0]}, sigma=sigma)
    ends = [ps.Dirichlet("left", temperature=10.0), ps.Dirichlet("right", temperature=90.0)]
    conductivity = ps.Unknown("k", 2.0)
    heat = ps.Heat(conductivity, source=50.0)
    return ps.Problem("rod", ps.Interval(0.0, 1.0), heat, ends, measurements=data)


@pytest.mark.parametrize("sigma", [1e-6, 1e-3, 1.0, 1e3])
def test_measurements_stay_small_beside_the_physics(sigma: float) -> None:
    """However precise or noisy they are; the equations have a norm of 1."""
    method = ps.Method(hidden=(5,), points=ps.PointCounts(12, 2))
    system, theta = prepare(measured_rod(sigma), method, seed=0)
    norms = square_norms(system, theta)
    assert 0.0 < norms.pop(("measurements", "temperature")) <= 0.1**2 * (1.0 + 1e-9)
    assert list(norms.values()) == pytest.approx([1.0] * len(norms), rel=1e-10)


def test_measurements_weigh_by_their_noise_among_each_other() -> None:
    sigma = np.array([1.0, 0.1, 0.01])
    method = ps.Method(hidden=(5,), points=ps.PointCounts(12, 2))
    system, _ = prepare(measured_rod(sigma), method, seed=0)
    (block,) = (b for b in system.blocks if b.noise is not None)
    factors = system.factor(block, "temperature")
    assert isinstance(factors, torch.Tensor)
    np.testing.assert_allclose((factors / factors[0]).numpy(), 1.0 / sigma, rtol=1e-12)
