"""Which corners are found, with which exponents, and what random features make of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.architecture import corner_functions
from pinnsolve.multi_index import VALUE
from pinnsolve.training import train

SEEDS = (0, 1, 2)
RANDOM = ps.Method(trunk="random")
L_VERTICES = [(0, 0), (1, 0), (1, 1), (-1, 1), (-1, -1), (0, -1)]
UNIT = ps.Rectangle((0.0, 0.0), (1.0, 1.0))


def heated(
    domain: ps.Shape,
    *,
    insulated: Sequence[str] = (),
    source: float = 1.0,
    accuracy: float = 1e-6,
    values: dict[str, float] | None = None,
) -> ps.Problem:
    given = {part: 0.0 for part in domain.parts if part not in insulated} | (values or {})
    return ps.Problem(
        "corners",
        domain,
        ps.Heat(conductivity=1.0, source=source),
        [
            *(ps.Dirichlet(part, temperature=value) for part, value in given.items()),
            *(ps.Insulated(part) for part in insulated),
        ],
        accuracy=accuracy,
    )


def exponents(problem: ps.Problem) -> list[list[tuple[float, int]]]:
    return [[(round(a, 9), q) for a, q, _ in c.terms] for c in corner_functions(problem)]


def test_a_reentrant_corner_comes_first() -> None:
    problem = heated(ps.Polygon(L_VERTICES))
    first, *others = corner_functions(problem)
    assert first.center == (0.0, 0.0)
    assert first.direction % (2.0 * math.pi) == pytest.approx(0.75 * math.pi)
    third = 1.0 / 3.0
    wanted = [(2 * third, 0), (4 * third, 0), (2.0, 1), (8 * third, 0), (10 * third, 0), (4.0, 1)]
    assert [a for a, *_ in first.terms] == pytest.approx([a for a, _ in wanted])
    assert [q for _, q, _ in first.terms] == [q for _, q in wanted]
    assert len(others) == 5
    assert all(c.terms == ((2.0, 1, 0), (4.0, 1, 0)) for c in others)


def test_order_of_the_vertices_does_not_matter() -> None:
    there, back = ps.Polygon(L_VERTICES), ps.Polygon(L_VERTICES[::-1])
    found = [corner_functions(heated(domain))[0] for domain in (there, back)]
    assert found[0].center == found[1].center
    assert [a for a, *_ in found[0].terms] == pytest.approx([a for a, *_ in found[1].terms])
    assert math.cos(found[0].direction - found[1].direction) == pytest.approx(1.0)


def test_exponents_are_halved_where_values_meet_fluxes() -> None:
    problem = heated(UNIT, insulated=["left"])
    mixed = [(1.0, 1), (2.0, 1), (2.0, 2), (3.0, 1), (3.0, 2)]
    pure = [(2.0, 1), (4.0, 1)]
    assert exponents(problem) == [mixed, mixed, pure, pure]


def test_a_change_of_conditions_on_a_straight_side_is_a_corner() -> None:
    side = ps.Polygon([(-1, 0), (0, 0), (1, 0), (1, 1), (-1, 1)], ["a", "b", "c", "d", "e"])
    first = exponents(heated(side, insulated=["b"]))[0]
    assert first == [(0.5, 0), (1.0, 1), (1.5, 0), (2.0, 1), (2.0, 2), (2.5, 0), (3.0, 1), (3.0, 2)]


def test_proportions_are_those_of_the_domain() -> None:
    corner = corner_functions(heated(ps.Rectangle((1.0, 2.0), (4.0, 6.0))))[0]
    assert corner.lengths == pytest.approx((0.6, 0.8))
    assert set(corner.center) <= {-1.0, 1.0}


def test_cuts_stay_outside_of_the_region() -> None:
    """In a spanner's mouth: along straight paths inside the region all functions are continuous."""
    mouth = [(0, 0), (3, 0), (3, 1), (1, 1), (1, 2), (3, 2), (3, 3), (0, 3)]
    problem = heated(ps.Polygon(mouth))
    found = corner_functions(problem)
    assert len(found) == 8
    points = problem.domain.sample_interior(400, seed=0)
    lower, upper = problem.bounds
    near = points + 1e-7
    unit, nearby = (
        torch.from_numpy((p - 0.5 * (lower + upper)) / (0.5 * (upper - lower)))
        for p in (points, near)
    )
    for corner in found:
        change = corner.streams(nearby, (VALUE,)) - corner.streams(unit, (VALUE,))
        assert float(change.abs().max()) < 1e-3


def test_corners_of_holes_are_left_out() -> None:
    hole = ps.Rectangle((0.4, 0.4), (0.6, 0.6))
    inner = hole.renamed({part: f"hole {part}" for part in hole.parts})
    assert len(corner_functions(heated(UNIT - inner))) == 4


def test_there_is_room_for_the_worst_corners_only() -> None:
    angles = np.arange(100) * math.pi / 50
    wheel = ps.Polygon([(math.cos(a), math.sin(a)) for a in angles])
    assert 0 < sum(c.num_features for c in corner_functions(heated(wheel))) <= 90


@pytest.mark.parametrize(
    "problem",
    [
        heated(ps.Disk((0.0, 0.0), 1.0)),
        heated(ps.Interval(0.0, 1.0)),
        heated(ps.Box((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))),
        ps.Problem(
            "unsteady",
            UNIT,
            ps.Heat(1.0, 1.0, 1.0),
            [
                ps.Initial(temperature=1.0),
                *(ps.Dirichlet(part, temperature=1.0) for part in UNIT.parts),
            ],
            time=ps.TimeInterval(0.0, 1.0),
        ),
        ps.Problem(
            "two components",
            UNIT,
            ps.Elasticity(1.0, 0.3, "stress"),
            [ps.Fixed("left"), *(ps.Traction(p, [1.0, 0.0]) for p in ("right", "bottom", "top"))],
        ),
    ],
    ids=lambda p: p.name + p.domain.title(),
)
def test_none_where_they_do_not_belong(problem: ps.Problem) -> None:
    assert corner_functions(problem) == ()


@pytest.mark.parametrize("seed", SEEDS)
def test_membrane_under_load_on_a_square(seed: int) -> None:
    """Right angles with a source: r^2 log r. u(1/2, 1/2) = 0.0736713533 (Fourier series)."""
    solution = train(heated(UNIT), RANDOM, seed=seed).solution
    assert solution.status.reason is ps.StopReason.CONVERGED
    assert abs(float(solution.at([(0.5, 0.5)]).temperature[0]) - 0.0736713533) < 1e-8


@pytest.mark.parametrize("seed", SEEDS)
def test_motz_problem(seed: int) -> None:
    """The stress intensity of the change of conditions is 401.162453745 (Z. C. Li et al., 1987)."""
    domain = ps.Polygon(
        [(-1, 0), (0, 0), (1, 0), (1, 1), (-1, 1)], ["cold", "even", "hot", "b", "c"]
    )
    problem = heated(
        domain,
        insulated=["even", "b", "c"],
        source=0.0,
        accuracy=1e-8,
        values={"hot": 500.0},
    )
    solution = train(problem, RANDOM, seed=seed).solution
    assert solution.status.reason is ps.StopReason.CONVERGED
    radius = np.array([1e-3, 2e-3])
    first, second = solution.at(np.stack([radius, 0.0 * radius], axis=1)).temperature / radius**0.5
    assert 2.0 * first - second == pytest.approx(401.162453745, rel=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_source_in_an_l_shaped_region(seed: int) -> None:
    """Three independent draws agree, where without corner functions growth stalls at 1e-4."""
    solution = train(heated(ps.Polygon(L_VERTICES)), RANDOM, seed=seed).solution
    assert solution.status.reason is ps.StopReason.CONVERGED
    found = solution.at([(-0.5, 0.5), (-0.1, 0.1), (0.5, 0.5)]).temperature
    assert found == pytest.approx([0.13105296, 0.09806647, 0.10236216], abs=2e-7)
