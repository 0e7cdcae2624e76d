"""Shards of a system add up to the whole; batches of any size hold the same rows."""

from __future__ import annotations

import math

import pytest
import torch

from pinnsolve.blocks import PointCounts, make_blocks
from pinnsolve.conditions import Dirichlet, Initial, NoSlip, Outlet, Periodic
from pinnsolve.geometry import Interval, Rectangle, TimeInterval
from pinnsolve.jets import sin
from pinnsolve.measurements import Measurements
from pinnsolve.networks import MLP
from pinnsolve.optimise.gram import normal_equations
from pinnsolve.optimise.weights import balanced
from pinnsolve.physics import Heat, NavierStokes
from pinnsolve.problem import Problem
from pinnsolve.residuals import System, build_system
from pinnsolve.scaling import find_scaling
from pinnsolve.unknowns import Unknown


def ring() -> Problem:
    """Unsteady and periodic: two point sets for a block, and time."""
    return Problem(
        "ring",
        Interval(0.0, 2.0),
        Heat(0.3, density=1.5, specific_heat=2.0),
        [Periodic("left", "right"), Initial(temperature=lambda x: sin(math.pi * x.x))],
        time=TimeInterval(1.0, 1.5),
    )


def flow() -> Problem:
    """An unknown, and measurements with noise of their own."""
    readings = Measurements(
        [[0.1, 0.2], [0.3, 0.7], [0.5, 0.5]], {"velocity_x": [0.1, 0.2, 0.3]}, sigma=[0.1, 0.2, 0.3]
    )
    return Problem(
        "flow",
        Rectangle((0.0, 0.0), (0.6, 1.0)),
        NavierStokes(1.2, Unknown("mu", 0.02, bounds=(1e-3, 1.0))),
        [
            Dirichlet("left", velocity=lambda x: [x.y * (1.0 - x.y), 0.0]),
            NoSlip("top"),
            NoSlip("bottom"),
            Outlet("right"),
        ],
        measurements=readings,
    )


def bar() -> Problem:
    """Boundaries of one point each: a process may get none of them."""
    walls = [Dirichlet(part, temperature=float(part == "left")) for part in ("left", "right")]
    return Problem("bar", Interval(0.0, 1.0), Heat(1.0), walls)


def system_of(problem: Problem, max_points: int = 4096) -> tuple[System, torch.Tensor]:
    blocks = make_blocks(problem, PointCounts(50, 30, 20), seed=0)
    net = MLP(problem.frame.num_axes, len(problem.component_names), (6, 6))
    scaling = find_scaling(problem, blocks)
    shape = problem.field_shapes, problem.frame, net, scaling, problem.unknowns
    system = build_system(blocks, *shape, max_points=max_points)
    generator = torch.Generator().manual_seed(0)
    theta = net.initial_parameters(generator, dtype=torch.float64, device=torch.device("cpu"))
    theta = torch.cat((theta, theta.new_tensor([item.start for item in problem.unknowns])))
    return balanced(system, theta), theta


PROBLEMS = pytest.mark.parametrize("problem", [ring, flow, bar])


@PROBLEMS
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_shards_add_up_to_the_whole(problem, size) -> None:
    system, theta = system_of(problem(), max_points=20)
    gram, gradient, rows = normal_equations(system.linearised(theta), len(theta))
    parts = [
        normal_equations(system.shard(rank, size).linearised(theta), len(theta))
        for rank in range(size)
    ]
    scale = float(gram.norm())
    total = sum(part[0].tril() for part in parts)
    torch.testing.assert_close(total, gram.tril(), rtol=1e-10, atol=1e-12 * scale)
    torch.testing.assert_close(
        sum(part[1] for part in parts), gradient, rtol=1e-10, atol=1e-12 * scale
    )
    everything = torch.cat([part[2] for part in parts])
    torch.testing.assert_close(everything.sort().values, rows.sort().values)


@PROBLEMS
@pytest.mark.parametrize("size", [2, 3])
def test_shares_are_fair(problem, size) -> None:
    system, _ = system_of(problem())
    counts = [system.shard(rank, size).num_rows for rank in range(size)]
    assert sum(counts) == system.num_rows
    equations = max(group.num_equations for group in system.groups)
    assert max(counts) - min(counts) <= len(system.blocks) * equations


@PROBLEMS
def test_a_shard_of_a_shard_is_scaled_by_the_whole(problem) -> None:
    system, theta = system_of(problem())
    quarters = [
        system.shard(i, 2).shard(j, 2).residual(theta).square().sum()
        for i in range(2)
        for j in range(2)
    ]
    assert float(sum(quarters)) == pytest.approx(float(system.residual(theta).square().sum()))
    assert system.shard(0, 2).shard(0, 2).block_sizes == system.block_sizes


@PROBLEMS
@pytest.mark.parametrize("max_points", [3, 17, 10**6])
def test_other_batches_hold_the_same_rows(problem, max_points) -> None:
    system, theta = system_of(problem(), max_points=20)
    other = system.rebatched(max_points)
    assert all(group.num_points <= max_points for group in other.groups)
    ours, theirs = (s.residual(theta).sort().values for s in (system, other))
    torch.testing.assert_close(ours, theirs)
    ours, theirs = (normal_equations(s.linearised(theta), len(theta))[0] for s in (system, other))
    torch.testing.assert_close(ours.tril(), theirs.tril(), rtol=1e-10, atol=1e-12)


@PROBLEMS
def test_groups_one_by_one_are_the_whole(problem) -> None:
    system, theta = system_of(problem(), max_points=20)
    assert len(system.by_group) == len(system.groups)
    assert torch.equal(
        torch.cat([group.residual(theta) for group in system.by_group]), system.residual(theta)
    )


@pytest.mark.parametrize(("rank", "size"), [(2, 2), (-1, 2), (0, 0)])
def test_no_such_shard(rank, size) -> None:
    with pytest.raises(ValueError, match=f"0 <= rank < size, got rank {rank} of {size}"):
        system_of(bar())[0].shard(rank, size)


def test_more_processes_than_points() -> None:
    with pytest.raises(ValueError, match="51 processes cannot share blocks of at most 50 points"):
        system_of(bar())[0].shard(0, 51)
