"""Ranges: declared, bound, trained once, evaluated at any value; exact families hold everywhere."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.blocks import make_blocks
from pinnsolve.catalogue import make_problem
from pinnsolve.jets import Coordinates, Fields, Frame, as_jet
from pinnsolve.networks import MLP, FrozenInputs
from pinnsolve.ranges import sampled_values
from pinnsolve.scaling import find_scaling
from pinnsolve.unknowns import bind, find_ranges

RE = ps.Range("reynolds", 20.0, 60.0)
DECADES = ps.Range("h", 1.0, 1e4, logarithmic=True, unit="W/(m2 K)")


def test_shares_of_a_range() -> None:
    shares = np.array([0.0, 0.25, 0.5, 1.0])
    assert RE.at_shares(shares).tolist() == [20.0, 30.0, 40.0, 60.0]
    assert DECADES.at_shares(shares) == pytest.approx([1.0, 10.0, 100.0, 1e4])
    assert (RE.middle, DECADES.middle) == (40.0, pytest.approx(100.0))
    assert str(DECADES) == "h from 1 to 10000 W/(m2 K)"


@pytest.mark.parametrize(
    ("name", "low", "high", "logarithmic", "message"),
    [
        ("k", 2.0, 1.0, False, "must have low < high, got 2.0 to 1.0"),
        ("k", 1.0, 1.0, False, "write a single value as a plain number"),
        ("k", 1.0, math.inf, False, "ends must be finite"),
        ("k", math.nan, 1.0, False, "ends must be finite"),
        ("k", 0.0, 1.0, True, "a logarithmic range must be > 0"),
        ("k", -1.0, 1.0, True, "leave out logarithmic"),
        ("heat flux", 1.0, 2.0, False, "must be a Python name, got 'heat flux'"),
        ("t", 1.0, 2.0, False, "coordinates use this name already"),
        ("position", 1.0, 2.0, False, "coordinates use this name already"),
    ],
)
def test_refused_ranges(name, low, high, logarithmic, message) -> None:
    with pytest.raises(ValueError, match=message):
        ps.Range(name, low, high, logarithmic)


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda rod: rod(ps.Range("temperature", 1.0, 2.0)), "a field has this name already"),
        (lambda rod: rod(ps.Range("k", -1.0, 2.0)), "lower end of 'k' must be finite and > 0"),
        (
            lambda rod: ps.Elasticity(1.0, ps.Range("nu", 0.1, 0.6), "stress"),
            "poissons_ratio must lie",
        ),
        (
            lambda rod: rod(ps.Range("k", 1.0, 2.0), ranges=[ps.Range("k", 1.0, 3.0)]),
            "two different ranges are named 'k': k from 1 to 2 and k from 1 to 3",
        ),
        (
            lambda rod: rod(
                ps.Range("k", 1.0, 2.0),
                measurements=ps.Measurements([[0.5]], {"temperature": [0.5]}, sigma=0.1),
            ),
            "measurements belong to one value, a range to many",
        ),
        (
            lambda rod: rod(
                1.0,
                conditions=[
                    ps.Dirichlet("left", temperature=0.0),
                    ps.Dirichlet("right", temperature=lambda x: x.heat),
                ],
            ),
            "there is no coordinate 'heat' here, only x",
        ),
    ],
)
def test_refused_declarations(families, declare, message) -> None:
    with pytest.raises(ValueError, match=message):
        declare(families.rod)


def test_a_range_that_is_an_unknown_too_is_refused(families) -> None:
    physics = ps.Heat(conductivity=ps.Unknown("k", 1.0), source=ps.Range("k", 1.0, 2.0))
    data = ps.Measurements([[0.5]], {"temperature": [0.5]}, sigma=0.1)
    with pytest.raises(ValueError, match="an unknown has this name already"):
        replace(families.rod(1.0), physics=physics, measurements=data)


def test_one_range_in_two_places_is_one_coordinate(families) -> None:
    h = ps.Range("h", 1.0, 9.0)
    sides = [ps.Convection(part, coefficient=h) for part in ("left", "right")]
    problem = families.rod(ps.Range("k", 1.0, 2.0), conditions=sides)
    assert problem.frame.axis_names == ("x", "k", "h")
    assert [b.tolist() for b in problem.bounds] == [[0.0, 1.0, 1.0], [1.0, 2.0, 9.0]]
    assert find_ranges(problem.conditions) == (h,)
    assert bind(sides[0], {"h": 4.0}).coefficient == 4.0
    assert bind(sides[0], {"k": 4.0}).coefficient == h


def test_coordinates_know_their_parameters_open_or_held() -> None:
    frame = Frame(2, has_time=True, parameters=("k",), held=(("h", 7.0),))
    x = Coordinates(torch.rand(5, 4, dtype=torch.float64), frame)
    assert (frame.num_axes, frame.num_physical) == (4, 3)
    assert torch.equal(x.k.value, x.points[:, 3])
    assert torch.equal(x.parameters["k"], x.points[:, 3])
    assert float(x.h.value) == 7.0
    assert len(x.position) == 2


@pytest.mark.parametrize(
    ("name", "scale"), [("kovasznay", 60.0 * 10.0), ("fin", 2.0 / 0.004 * 500.0 * 80.0)]
)
def test_an_exact_family_fulfils_the_declaration(families, name: str, scale: float) -> None:
    problem = families.kovasznay() if name == "kovasznay" else make_problem("fin_range")
    cases = [
        problem,
        *(problem.given(**v) for v in sampled_values(problem.ranges, np.empty((0, 1)))),
    ]
    for case in cases:
        for block in make_blocks(case, ps.PointCounts(200, 80), seed=3):
            if block.kind == "gauge":
                continue
            x = Coordinates(block.point_sets[0], case.frame)
            given = case.exact(x)
            fields = Fields({n: as_jet(given[n], case.frame) for n in case.field_shapes})
            for row in block.rows((fields,), (x,), {}).values():
                assert float(row.value.abs().max()) < 1e-12 * scale


def test_points_fill_the_ranges(families) -> None:
    problem = families.rod(DECADES)
    values = make_blocks(problem, ps.PointCounts(512, 64), seed=1)[0].point_sets[0][:, 1].log10()
    counts = torch.histc(values, bins=8, min=0.0, max=4.0)
    assert counts.sum() == 512
    assert counts.min() > 55
    assert counts.max() < 73


def test_points_of_an_unsteady_problem_with_two_ranges(families) -> None:
    problem = families.cooling_rod()
    assert problem.frame.axis_names == ("x", "t", "k", "heat")
    blocks = {b.kind: b for b in make_blocks(problem, ps.PointCounts(64, 32, 32), seed=0)}
    lower, upper = (torch.tensor(corner) for corner in problem.bounds)
    for block in blocks.values():
        assert ((block.point_sets[0] >= lower) & (block.point_sets[0] <= upper)).all()
    start = blocks["initial"].point_sets[0]
    assert (start[:, 1] == 0.0).all()
    assert len(start[:, 2].unique()) == len(start)
    pairs = torch.corrcoef(blocks["interior"].point_sets[0].T) - torch.eye(4)
    assert pairs.abs().max() < 0.3


def test_given_numbers_take_the_place_of_ranges(families) -> None:
    problem = families.cooling_rod()
    half = problem.given(k=1.5)
    assert half.physics.conductivity == 1.5
    assert [item.name for item in half.ranges] == ["heat"]
    whole = half.given(heat=2.0)
    assert whole.ranges == ()
    assert dict(whole.held) == {"k": 1.5, "heat": 2.0}
    assert whole.frame.axis_names == ("x", "t")
    assert problem.physics.conductivity == problem.ranges[0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"k": 3.0}, r"k = 3 lies outside of what was trained, k from 0.5 to 2"),
        ({"k": math.nan}, "lies outside"),
        ({"kk": 1.0}, "there is no range 'kk' to give a value for.* Did you mean 'k'"),
        ({"k": [1.0, 2.0]}, r"use solution.at\(points, k=\[...\]\)"),
    ],
)
def test_refused_given_values(families, values, message) -> None:
    with pytest.raises(ValueError, match=message):
        families.cooling_rod().given(**values)


def test_the_scale_covers_the_whole_range(families) -> None:
    """The peak 4 / (8 k) is largest at the lowest conductivity."""
    for low in (1e-3, 1e-2):
        problem = families.rod(ps.Range("k", low, 1.0, logarithmic=True))
        blocks = make_blocks(problem, ps.PointCounts(64, 64), seed=5)
        assert 0.1 / low < float(find_scaling(problem, blocks).scale[0]) < 10.0 / low


def test_a_scale_that_is_given_stays_and_an_end_without_size_does_not_matter(families) -> None:
    k = ps.Range("k", 1e-2, 1.0)
    plain = families.rod(k, scales={"temperature": 7.0})
    blocks = make_blocks(plain, ps.PointCounts(64, 64), seed=5)
    assert find_scaling(plain, blocks).scale.tolist() == [7.0]
    heating = ps.Range("heating", 0.0, 3.0)
    sides = [ps.Dirichlet(part, temperature=0.0) for part in ("left", "right")]
    physics = ps.Heat(conductivity=1.0, source=heating)
    heated = replace(families.rod(1.0, conditions=sides), physics=physics)
    blocks = make_blocks(heated, ps.PointCounts(64, 64), seed=5)
    assert 0.1 < float(find_scaling(heated, blocks).scale[0]) < 10.0


def test_unit_coordinates_of_a_logarithmic_range(families) -> None:
    problem = families.rod(DECADES)
    scaling = find_scaling(problem, make_blocks(problem, ps.PointCounts(64, 64), seed=5))
    points = torch.tensor([[0.0, 1.0], [0.5, 100.0], [1.0, 1e4]], dtype=torch.float64)
    unit = torch.tensor([[-1.0, -1.0], [0.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    assert torch.allclose(scaling.to_unit(points), unit, atol=1e-14)
    assert torch.equal(scaling.without([1]).to_unit(points[:, :1]), scaling.to_unit(points)[:, :1])
    assert scaling.without([0]).logarithmic == (0,)


def test_a_network_with_frozen_inputs_is_the_same_network() -> None:
    whole = MLP(4, 2, (6, 5))
    frozen = FrozenInputs(whole, ((1, 0.25), (3, -0.5)))
    generator = torch.Generator().manual_seed(0)
    theta = frozen.initial_parameters(generator, dtype=torch.float64, device=torch.device("cpu"))
    points = torch.rand(7, 2, generator=generator, dtype=torch.float64)
    columns = [points[:, :1], torch.full((7, 1), 0.25), points[:, 1:], torch.full((7, 1), -0.5)]
    everywhere = torch.cat(columns, dim=1)
    indices = ((), (0,), (0, 0))
    assert torch.equal(
        frozen.streams(theta, points, indices), whole.streams(theta, everywhere, indices)
    )
    rows = []
    for network, where in ((frozen, points), (whole, everywhere)):
        streams, pullback = network.linearised(theta, where, indices)
        rows.append(theta.new_zeros(7, whole.num_parameters))
        pullback(torch.ones_like(streams), rows[-1])
    assert torch.equal(*rows)


@pytest.mark.parametrize("held", [(), ((2, 0.0), (1, 0.0)), ((1, 0.0), (1, 0.5)), ((0, 0.0),)])
def test_frozen_inputs_are_in_order(held) -> None:
    with pytest.raises(ValueError, match="held inputs must be in ascending order"):
        FrozenInputs(MLP(3, 1, (4,)), held)


def test_values_at_which_a_range_is_judged() -> None:
    extra = np.array([[0.25, 0.75]])
    pair = [ps.Range("a", 0.0, 4.0), ps.Range("b", 0.0, 8.0)]
    values = [tuple(v.values()) for v in sampled_values(pair, extra)]
    assert values == [(2.0, 4.0), (0.0, 0.0), (0.0, 8.0), (4.0, 0.0), (4.0, 8.0), (1.0, 6.0)]
    many = [ps.Range(name, 0.0, 1.0) for name in "abc"]
    assert [sum(v.values()) for v in sampled_values(many, np.empty((0, 3)))] == [1.5, 0.0, 3.0]
