"""Residual-adaptive points: concentrated where the residual is large, uniform elsewhere."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

import pinnsolve as ps
from pinnsolve.blocks import Block, boundary_block, interior_block, make_blocks
from pinnsolve.residuals import System
from pinnsolve.sampling import choose_adaptively
from pinnsolve.training import on_fresh_points, prepare

METHOD = ps.Method(hidden=(4,), points=ps.PointCounts(50, 20))
SEEDS = (0, 1, 2)
NUMBER = 400


def hot_spot(x: ps.Coordinates) -> ps.Jet:
    return 1e3 * ps.exp(-0.5 * ((x.x - 0.7) ** 2 + (x.y - 0.4) ** 2) / 0.05**2)


def near_hot_spot(points: Tensor) -> Tensor:
    return (points - torch.tensor([0.7, 0.4], dtype=torch.float64)).norm(dim=1) < 0.1


@pytest.fixture(scope="module")
def plate() -> ps.Problem:
    domain = ps.Rectangle((0.0, 0.0), (1.0, 1.0))
    sides = [ps.Dirichlet(part, temperature=0.0) for part in domain.parts]
    return ps.Problem("plate", domain, ps.Heat(conductivity=1.0, source=hot_spot), sides)


@pytest.fixture(scope="module")
def constant(plate: ps.Problem) -> tuple[System, Tensor]:
    """A network that is constant, so the residual is the source."""
    system, theta = prepare(plate, METHOD, seed=0)
    return system, torch.zeros_like(theta)


def chosen(
    plate: ps.Problem,
    constant: tuple[System, Tensor],
    share: float,
    seed: int,
    number: int = NUMBER,
) -> Block:
    return choose_adaptively(plate, *constant, share, partial(interior_block, plate), number, seed)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_points_concentrate_where_the_residual_is_large(
    plate: ps.Problem, constant: tuple[System, Tensor], share: float, seed: int
) -> None:
    """The hot spot is 3 % of the plate: of four candidates per point nearly all in it are taken."""
    points = chosen(plate, constant, share, seed).point_sets[0]
    adaptive = points[NUMBER - round(share * NUMBER) :]
    candidates = 4.0 * len(adaptive) * np.pi * 0.1**2
    assert float(near_hot_spot(adaptive).sum()) > 0.8 * candidates - 3.0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.9])
def test_uniform_share_stays(
    plate: ps.Problem, constant: tuple[System, Tensor], share: float, seed: int
) -> None:
    points = chosen(plate, constant, share, seed).point_sets[0]
    rest = NUMBER - round(share * NUMBER)
    assert points.shape == (NUMBER, 2)
    assert torch.equal(points[:rest], interior_block(plate, rest, seed).point_sets[0])


@pytest.mark.parametrize("seed", SEEDS)
def test_points_are_distinct_and_inside(
    plate: ps.Problem, constant: tuple[System, Tensor], seed: int
) -> None:
    points = chosen(plate, constant, 0.5, seed).point_sets[0]
    assert len(torch.unique(points, dim=0)) == NUMBER
    assert ((points > 0.0) & (points < 1.0)).all()


def test_same_seed_same_points(plate: ps.Problem, constant: tuple[System, Tensor]) -> None:
    first = chosen(plate, constant, 0.5, 3).point_sets[0]
    torch.manual_seed(99)
    assert torch.equal(first, chosen(plate, constant, 0.5, 3).point_sets[0])
    assert not torch.equal(first, chosen(plate, constant, 0.5, 4).point_sets[0])


def test_no_residual_at_all_gives_uniform_points(plate: ps.Problem) -> None:
    """Zero everywhere, as for a solved problem: the choice must not divide by zero."""
    still = ps.Problem(
        "still", plate.domain, ps.Heat(1.0), plate.conditions, scales={"temperature": 1.0}
    )
    system, theta = prepare(still, METHOD, seed=0)
    points = chosen(still, (system, torch.zeros_like(theta)), 0.5, 0).point_sets[0]
    quarters = [int(((points[:, 0] > a) & (points[:, 0] < a + 0.25)).sum()) for a in (0, 0.25, 0.5)]
    assert min(quarters) > 0.2 * NUMBER
    assert len(torch.unique(points, dim=0)) == NUMBER


def test_points_without_a_finite_residual_are_not_sought(plate: ps.Problem) -> None:
    """A source that is NaN on a thin strip, which the declaration's own trial points miss."""

    def source(x: ps.Coordinates) -> ps.Jet:
        return ps.where(x.x > 0.999, ps.log(0.0 * x.x - 1.0), 1.0)

    torn = ps.Problem("torn", plate.domain, ps.Heat(1.0, source=source), plate.conditions)
    system, theta = prepare(torn, METHOD, seed=0)
    block = chosen(torn, (system, torch.zeros_like(theta)), 0.5, 0, number=4000)
    adaptive = block.point_sets[0][2000:]
    assert int((adaptive[:, 0] > 0.999).sum()) == 0


def test_normals_stay_with_their_points() -> None:
    disk = ps.Disk((1.0, 2.0), 3.0)
    (rim,) = disk.parts
    condition = ps.Dirichlet(rim, temperature=lambda x: ps.exp(x.x))
    problem = ps.Problem("disk", disk, ps.Heat(1.0), [condition])
    system, theta = prepare(problem, METHOD, seed=0)
    block = choose_adaptively(
        problem, system, theta, 0.5, partial(boundary_block, problem, condition), 60, 0
    )
    outward = (block.point_sets[0] - torch.tensor([1.0, 2.0], dtype=torch.float64)) / 3.0
    assert block.num_points == 60
    torch.testing.assert_close(block.normals, outward)


def test_periodic_points_stay_in_pairs() -> None:
    domain = ps.Rectangle((0.0, 0.0), (1.0, 2.0))
    pair = ps.Periodic("left", "right")
    sides = [ps.Dirichlet("bottom", temperature=0.0), ps.Dirichlet("top", temperature=1.0)]
    problem = ps.Problem("strip", domain, ps.Heat(1.0), [pair, *sides])
    system, theta = prepare(problem, METHOD, seed=0)
    block = choose_adaptively(
        problem, system, theta, 0.5, partial(boundary_block, problem, pair), 60, 0
    )
    first, second = block.point_sets
    torch.testing.assert_close(second - first, torch.tensor([[1.0, 0.0]]).double().expand(60, 2))


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9, 0.99])
def test_every_share_works_for_parts_of_one_point(share: float) -> None:
    """The ends of a steady rod have one point each, which cannot be shared out."""
    rod = ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(1.0),
        [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=1.0)],
    )
    method = ps.Method(hidden=(4,), points=ps.PointCounts(8, 2), adaptive_share=share)
    system, theta = prepare(rod, method, seed=0)
    fresh = on_fresh_points(rod, method, system, theta, seed=1)
    assert fresh.block_sizes == system.block_sizes
    assert fresh.weights == system.weights


def test_counts_are_those_of_uniform_points(plate: ps.Problem) -> None:
    system, theta = prepare(plate, METHOD, seed=0)
    fresh = on_fresh_points(plate, METHOD, system, theta, seed=1)
    plain = make_blocks(plate, ps.PointCounts(50, 20), seed=1)
    assert fresh.block_sizes == {block.name: block.num_points for block in plain}
