"""Points with their density: every draw estimates the same loss, and better than uniform points do."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor

import pinnsolve as ps
from pinnsolve.blocks import (
    Block,
    Choose,
    Draw,
    PointCounts,
    boundary_block,
    initial_block,
    interior_block,
    make_blocks,
)
from pinnsolve.optimise import GaussNewton
from pinnsolve.optimise.levenberg_marquardt import half_square
from pinnsolve.residuals import System, build_system
from pinnsolve.sampling import choose_by_importance, inclusion_factor, systematic_sample
from pinnsolve.training import on_fresh_points, prepare
from pinnsolve.training.positions import TrunkPosition
from pinnsolve.training.trunk import system_at, with_more_points

SEEDS = (0, 1, 2)
NUMBER = 400
METHOD = ps.Method(hidden=(4,), points=PointCounts(NUMBER, 20))
WIDTH = 0.01


def ridge(x: ps.Coordinates) -> ps.Jet:
    """Heat released in a layer that is about a fiftieth of the plate."""
    return 1e3 * ps.exp(-0.5 * ((x.x - 0.7) / WIDTH) ** 2)


@pytest.fixture(scope="module")
def plate() -> ps.Problem:
    domain = ps.Rectangle((0.0, 0.0), (1.0, 1.0))
    sides = [ps.Dirichlet(part, temperature=0.0) for part in domain.parts]
    return ps.Problem("plate", domain, ps.Heat(conductivity=1.0, source=ridge), sides)


@pytest.fixture(scope="module")
def constant(plate: ps.Problem) -> tuple[System, Tensor]:
    """A network that is zero, so the residual is the source."""
    system, theta = prepare(plate, METHOD, seed=0)
    return system, torch.zeros_like(theta)


def chosen(
    plate: ps.Problem, constant: tuple[System, Tensor], seed: int, share: float = 0.5
) -> Block:
    draw = partial(interior_block, plate)
    return choose_by_importance(plate, *constant, share, draw, NUMBER, seed)


def losses(
    plate: ps.Problem, constant: tuple[System, Tensor], share: float, number: int = 24
) -> Tensor:
    """Return the loss on one draw after the other."""
    system, theta = constant
    method = replace(METHOD, adaptive_share=share)
    draws = (on_fresh_points(plate, method, system, theta, seed=7919 * k) for k in range(number))
    return torch.tensor([half_square(drawn.residual(theta)) for drawn in draws])


# -- the mathematics of the draw --


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("number", [1, 7, 50, 99])
def test_probabilities_add_up_to_the_number(seed: int, number: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    size = torch.rand(100, generator=generator, dtype=torch.float64) ** 6 + 1e-9
    probability = (inclusion_factor(size, number) * size).clamp_max(1.0)
    assert float(probability.sum()) == pytest.approx(number, rel=1e-9)


def test_the_largest_are_certain_and_the_others_share_the_rest() -> None:
    size = torch.tensor([1.0, 100.0, 1.0, 50.0, 2.0], dtype=torch.float64)
    factor = inclusion_factor(size, 3)
    assert factor == pytest.approx(1.0 / 4.0)
    probability = (factor * size).clamp_max(1.0)
    torch.testing.assert_close(
        probability, torch.tensor([0.25, 1.0, 0.25, 1.0, 0.5], dtype=torch.float64)
    )


def test_every_position_is_taken_as_often_as_its_probability_says() -> None:
    probability = torch.tensor([0.1, 0.9, 0.35, 1.0, 0.05, 0.6], dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    counts = torch.zeros(6, dtype=torch.float64)
    for _ in range(4000):
        taken = systematic_sample(probability, generator)
        assert len(taken) == 3
        counts[taken] += 1.0
    error = (probability * (1.0 - probability) / 4000).sqrt()
    assert ((counts / 4000 - probability).abs() <= 4.0 * error + 1e-12).all()


def test_losses_of_all_draws_have_the_integral_as_their_mean(
    plate: ps.Problem, constant: tuple[System, Tensor]
) -> None:
    """Half the integral of the squared source, times the weight: a Gaussian of width sigma / sqrt(2)."""
    system, _ = constant
    (weight,) = (w for key, w in system.weights.items() if key.block == "interior")
    exact = 0.5 * weight**2 * 1e6 * math.sqrt(math.pi) * WIDTH
    found = losses(plate, constant, share=0.5)
    standard_error = float(found.std()) / math.sqrt(len(found))
    assert abs(float(found.mean()) - exact) < 4.0 * standard_error
    assert standard_error < 0.02 * exact


def test_losses_of_draws_differ_less_than_those_of_uniform_points(
    plate: ps.Problem, constant: tuple[System, Tensor]
) -> None:
    adaptive = losses(plate, constant, share=0.5)
    uniform = losses(plate, constant, share=0.0)
    assert float(adaptive.std()) < 0.5 * float(uniform.std())


def test_steps_on_different_draws_agree_better_than_on_uniform_points() -> None:
    """A line through a jump-like function: what least squares gives must not hang on the draw."""
    rod = ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.CustomPhysics(fields={"u": ()}, equations=lambda f, x, m: f.u - ps.tanh(200.0 * x.x)),
        [ps.Dirichlet("left", u=0.0), ps.Dirichlet("right", u=1.0)],
    )
    method = ps.Method(hidden=(4,), points=PointCounts(NUMBER, 2))
    system, theta = prepare(rod, method, seed=0)
    start = GaussNewton(initial_damping=1e-6).init(system, theta)

    def spread(share: float) -> float:
        ends = []
        for seed in range(12):
            how = replace(method, adaptive_share=share)
            drawn = on_fresh_points(rod, how, system, theta, seed=7919 * seed)
            stepped = GaussNewton(initial_damping=1e-6).step(drawn, start)
            ends.append(system.residual(stepped.theta))
        return float(torch.stack(ends).std(dim=0).norm())

    assert spread(0.5) < spread(0.0)


# -- the points --


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_layers_are_filled(
    plate: ps.Problem, constant: tuple[System, Tensor], share: float, seed: int
) -> None:
    """Within two widths there is a 25th of the plate: of 16 candidates per point nearly all in it are taken."""
    block = chosen(plate, constant, seed, share)
    points = block.point_sets[0]
    adaptive = points[NUMBER - round(share * NUMBER) :]
    assert len(points) == NUMBER == len(torch.unique(points, dim=0))
    inside = (adaptive[:, 0] - 0.7).abs() < 2.0 * WIDTH
    assert float(inside.double().mean()) > 0.6


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_density_measures_the_region(
    plate: ps.Problem, constant: tuple[System, Tensor], share: float, seed: int
) -> None:
    """The sum of 1 / (N density) estimates the region's share of itself, 1, and that of its left half, 1/2."""
    block = chosen(plate, constant, seed, share)
    assert block.density is not None
    shares = 1.0 / (block.num_points * block.density)
    left = block.point_sets[0][:, 0] < 0.5
    assert float(shares.sum()) == pytest.approx(1.0, abs=0.1)
    assert float(shares[left].sum()) == pytest.approx(0.5, abs=0.1)


def test_no_share_gives_plain_points(plate: ps.Problem, constant: tuple[System, Tensor]) -> None:
    block = chosen(plate, constant, 0, share=0.0)
    assert block.density is None
    assert torch.equal(block.point_sets[0], interior_block(plate, NUMBER, 0).point_sets[0])


def test_same_seed_same_points(plate: ps.Problem, constant: tuple[System, Tensor]) -> None:
    first, other = chosen(plate, constant, 3), chosen(plate, constant, 4)
    torch.manual_seed(99)
    again = chosen(plate, constant, 3)
    assert first.density is not None
    assert again.density is not None
    assert torch.equal(first.point_sets[0], again.point_sets[0])
    assert torch.equal(first.density, again.density)
    assert not torch.equal(first.point_sets[0], other.point_sets[0])


def unsteady() -> ps.Problem:
    return ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(1.0, density=1.0, specific_heat=1.0),
        [
            ps.Dirichlet("left", temperature=0.0),
            ps.Convection("right", 3.0, 1.0),
            ps.Initial(temperature=lambda x: ps.sin(9.0 * x.x)),
        ],
        time=ps.TimeInterval(0.0, 1.0),
    )


def the_boundary(problem: ps.Problem) -> Draw:
    return partial(boundary_block, problem, problem.conditions[1])


def the_start(problem: ps.Problem) -> Draw:
    """Has a few points more than were asked for, on the boundary."""
    return partial(initial_block, problem, problem.conditions[2])


@pytest.mark.parametrize("drawn_from", [the_boundary, the_start])
def test_conditions_have_densities_too(drawn_from: Callable[[ps.Problem], Draw]) -> None:
    problem = unsteady()
    system, theta = prepare(problem, METHOD, seed=0)
    block = choose_by_importance(problem, system, theta, 0.5, drawn_from(problem), NUMBER, 0)
    assert block.density is not None
    assert float((1.0 / block.density).mean()) == pytest.approx(1.0, abs=0.1)


def test_a_density_divides_the_squares_of_rows(
    plate: ps.Problem, constant: tuple[System, Tensor]
) -> None:
    system, theta = constant

    def rows(choose: Choose) -> Tensor:
        blocks = make_blocks(plate, PointCounts(60, 20), seed=0, choose=choose)
        return built(plate, system, blocks).residual(theta)

    def thrice(draw: Draw, number: int, seed: int) -> Block:
        block = draw(number, seed)
        return replace(block, density=torch.full((number,), 3.0, dtype=torch.float64))

    plain = rows(lambda draw, number, seed: draw(number, seed))
    torch.testing.assert_close(rows(thrice), plain / math.sqrt(3.0))


def built(plate: ps.Problem, like: System, blocks: tuple[Block, ...]) -> System:
    return build_system(
        blocks,
        plate.field_shapes,
        plate.frame,
        like.network,
        like.scaling,
        (),
        weights=like.weights,
    )


@pytest.mark.parametrize("size", [2, 3])
def test_shards_add_up(plate: ps.Problem, constant: tuple[System, Tensor], size: int) -> None:
    system, theta = constant
    whole = on_fresh_points(plate, METHOD, system, theta, seed=1)
    parts = [half_square(whole.shard(k, size).residual(theta)) for k in range(size)]
    assert sum(parts) == pytest.approx(half_square(whole.residual(theta)), rel=1e-12)


# -- more points --


def position(plate: ps.Problem, *fresh: float, loss: float, multiple: int = 1) -> TrunkPosition:
    system, theta = prepare(plate, METHOD, seed=0)
    state = ps.Method().schedule.init(system, theta)
    state = replace(state, inner=replace(state.inner, loss=loss))
    return TrunkPosition(0.0, 1, 30, state, 30, theta, (), multiple=multiple, fresh=fresh)


STUCK = (9.0, 1.0, 1.2, 1.1, 3.0, 1.0)
"""Losses on new points; for four draws no lower than the lowest before."""


def test_points_are_doubled_where_draws_raise_what_steps_lowered(plate: ps.Problem) -> None:
    more = with_more_points(ps.Method(), position(plate, *STUCK, loss=0.01))
    assert more.multiple == 2
    assert more.fresh == ()
    again = with_more_points(ps.Method(), replace(more, fresh=STUCK))
    assert again.multiple == 4


@pytest.mark.parametrize(
    ("fresh", "loss", "multiple", "method"),
    [
        pytest.param(STUCK[:4], 0.01, 1, ps.Method(), id="too early to say"),
        pytest.param((*STUCK, 0.9), 0.01, 1, ps.Method(), id="still falling"),
        pytest.param(STUCK, 0.9, 1, ps.Method(), id="steps gain little on these points too"),
        pytest.param(STUCK, 0.01, 8, ps.Method(), id="as many as there may be"),
        pytest.param(STUCK, 0.01, 1, METHOD, id="the number was given"),
    ],
)
def test_points_stay_as_many(
    plate: ps.Problem,
    fresh: tuple[float, ...],
    loss: float,
    multiple: int,
    method: ps.Method,
) -> None:
    at = position(plate, *fresh, loss=loss, multiple=multiple)
    assert with_more_points(method, at) is at


def test_a_position_has_its_number_of_points(plate: ps.Problem) -> None:
    at = position(plate, loss=1.0, multiple=4)
    sizes = system_at(plate, METHOD, at, seed=0).block_sizes
    plain = make_blocks(plate, PointCounts(4 * NUMBER, 80), seed=0)
    assert sizes == {block.name: block.num_points for block in plain}
