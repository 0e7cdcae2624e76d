"""Sensors of some extent: their means are exact, and their rows have the right Jacobian in any batches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.blocks import data_blocks
from pinnsolve.jets import Fields
from pinnsolve.measurements.averages import sensor_rules
from pinnsolve.training.trunk import prepare

PLATE = ps.Rectangle((0.0, 0.0), (2.0, 1.0))
ROUND = ps.PatchAverage(ps.Disk((0.0, 0.0), 0.1))
SQUARE = ps.PatchAverage(ps.Rectangle((-0.1, -0.1), (0.1, 0.1)), 9)
CENTRES = np.array([[0.5, 0.5], [1.5, 0.4], [1.0, 0.7]])


def plate(data: object, physics: ps.Physics | None = None) -> ps.Problem:
    heat = ps.Heat(ps.Unknown("k", 2.0)) if physics is None else physics
    return ps.Problem("plate", PLATE, heat, [], measurements=data)


@pytest.mark.parametrize("num", [1, 2, 5])
def test_lines_are_exact_for_polynomials(num: int) -> None:
    """Degree ``2 num - 1`` along the line from (1, 2) to (4, 6): x = 1 + 3 s."""
    degree = 2 * num - 1
    offsets, shares = ps.LineAverage((1.0, 2.0), (4.0, 6.0), num).rule()
    exact = (4.0 ** (degree + 1) - 1.0) / (3.0 * (degree + 1))
    assert shares @ offsets[:, 0] ** degree == pytest.approx(exact, rel=1e-12)


def test_a_disk_reads_more_than_its_centre_by_the_laplacian() -> None:
    """The mean of ``x^2 + 3 y^2`` over a disk of radius R is the value at its centre plus R^2."""
    offsets, shares = ROUND.rule()
    assert shares @ (offsets[:, 0] ** 2 + 3.0 * offsets[:, 1] ** 2) == pytest.approx(0.01, rel=1e-9)


def test_the_row_is_the_mean_of_the_field_minus_the_reading() -> None:
    over = (
        ps.LineAverage((-0.2, 0.0), (0.2, 0.0)),
        ROUND,
        ps.LineAverage((0.0, -0.1), (0.0, 0.2), 3),
    )
    data = ps.Measurements(CENTRES, {"temperature": [1.0, 2.0, 3.0]}, 0.1, over=over)
    problem = plate(data, ps.Heat(1.0))
    (block,) = data_blocks(problem)
    x = block.coordinates(problem.frame)
    fields = tuple(Fields({"temperature": at.x * at.x + 3.0 * at.y * at.y}) for at in x)
    squares = CENTRES[:, 0] ** 2 + 3.0 * CENTRES[:, 1] ** 2
    # along y from -0.1 to 0.2: mean of 3 (y0 + s)^2 is 3 (y0^2 + 2 y0 * 0.05 + 0.01)
    extra = np.array([0.04 / 3.0, 0.01, 3.0 * (2.0 * 0.7 * 0.05 + 0.01)])
    row = block.rows(fields, x, {})["temperature"].value.numpy()
    assert row == pytest.approx(squares + extra - [1.0, 2.0, 3.0], abs=1e-12)


def test_shares_of_sensors_with_fewer_nodes_are_filled_with_zeros() -> None:
    over = (ps.LineAverage((0.0, 0.0), (1.0, 0.0), 2), ps.LineAverage((0.0, 0.0), (1.0, 0.0), 5))
    nodes, shares = sensor_rules(CENTRES[:2], over)
    assert len(nodes) == 5
    assert shares.sum(axis=1) == pytest.approx(1.0)
    assert (shares[0, 2:] == 0.0).all()


def averaged(seed: int) -> ps.Measurements:
    readings = np.random.default_rng(seed).normal(size=(2, 3))
    return ps.Measurements(
        CENTRES,
        {"heat_flux_x": readings[0], "d temperature / dy": readings[1]},
        0.1,
        over=SQUARE,
        likelihood="student",
    )


SMALL = ps.Method(hidden=(5,), points=ps.PointCounts(20, 16))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_jacobian_is_that_of_automatic_differentiation(seed: int) -> None:
    system, theta = prepare(plate(averaged(seed)), SMALL, seed=seed)
    assert any(len(block.point_sets) == 9 for block in system.blocks)
    jacobian = torch.cat([rows for _, rows in system.linearised(theta)])
    exact = torch.autograd.functional.jacobian(system.residual, theta)
    assert torch.allclose(jacobian, exact, rtol=1e-9, atol=1e-12)


def test_batches_do_not_matter() -> None:
    """Pieces of two sensors, and of one."""
    system, theta = prepare(plate(averaged(0)), SMALL, seed=0)
    whole = system.rows_by_key(theta)
    nodes = max(len(block.point_sets) for block in system.blocks)
    for most in (2 * nodes, 4):
        parts = system.rebatched(most)
        assert parts.num_rows == system.num_rows
        assert all(
            torch.allclose(rows, whole[key]) for key, rows in parts.rows_by_key(theta).items()
        )
        gram = sum(rows.T @ rows for _, rows in parts.linearised(theta))
        full = sum(rows.T @ rows for _, rows in system.linearised(theta))
        assert torch.allclose(gram, full, rtol=1e-9)


def test_shards_add_up() -> None:
    system, theta = prepare(plate(averaged(0)), SMALL, seed=0)
    shards = [system.shard(rank, 2) for rank in range(2)]
    losses = [float(shard.residual(theta).square().sum()) for shard in shards]
    assert sum(losses) == pytest.approx(float(system.residual(theta).square().sum()), rel=1e-12)


def test_sensors_of_an_unsteady_problem_move_in_space_only() -> None:
    problem = ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(1.0, density=1.0, specific_heat=1.0),
        [],
        time=ps.TimeInterval(0.0, 2.0),
        measurements=ps.Measurements(
            [[0.5, 0.3], [0.5, 1.9]],
            {"temperature": [1.0, 2.0]},
            0.1,
            over=ps.LineAverage([-0.1], [0.1]),
        ),
    )
    (block,) = data_blocks(problem)
    assert all(points[:, 1].tolist() == [0.3, 1.9] for points in block.point_sets)


REFUSED = {
    "a line of no length": (lambda: ps.LineAverage((1.0,), (1.0,)), "needs a line of some length"),
    "ends of two dimensions": (lambda: ps.LineAverage((1.0,), (1.0, 2.0)), "two finite points"),
    "no nodes": (lambda: ps.LineAverage((0.0,), (1.0,), 0), "LineAverage needs num >= 1, got 0"),
    "a patch that is none": (lambda: ps.PatchAverage(3.0), "takes a shape, such as Disk"),
    "a patch without nodes": (lambda: replace(ROUND, num=0), "PatchAverage needs num >= 1"),
    "too few footprints": (
        lambda: ps.Measurements(CENTRES, {"temperature": [0.0] * 3}, 0.1, over=[ROUND]),
        "or one for each of the 3 points",
    ),
    "a footprint that is none": (
        lambda: ps.Measurements(CENTRES, {"temperature": [0.0] * 3}, 0.1, over=3.0),
        "over needs a LineAverage or PatchAverage",
    ),
    "a footprint of another dimension": (
        lambda: plate(
            ps.Measurements(
                CENTRES, {"temperature": [0.0] * 3}, 0.1, over=ps.LineAverage([0.0], [0.1])
            )
        ),
        "over needs footprints in 2-D, as the domain is",
    ),
    "a footprint beyond the domain": (
        lambda: plate(
            ps.Measurements([[1.0, 0.5], [1.95, 0.5]], {"temperature": [0.0] * 2}, 0.1, over=ROUND)
        ),
        "1 of 2 points with their footprints lie outside the domain, rows 2",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case) -> None:
    act, match = REFUSED[case]
    with pytest.raises(ValueError, match=match):
        act()


def test_footprints_read_coordinates_of_their_own() -> None:
    """A derived quantity that depends on the place takes it from the node, not from the sensor."""
    problem = plate(
        ps.Measurements(
            [[1.0, 0.5]], {"heat_flux_x": [0.0]}, 0.1, over=ps.LineAverage((-0.5, 0.0), (0.5, 0.0))
        ),
        ps.Heat(lambda T, x: x.x),
    )
    (block,) = data_blocks(problem)
    at = block.coordinates(problem.frame)
    fields = tuple(Fields({"temperature": item.x * item.x}) for item in at)
    # q = -x * 2 x, whose mean from 0.5 to 1.5 is -2 (1 + 1/12)
    row = block.rows(fields, at, {})["heat_flux_x"].value
    assert float(row) == pytest.approx(-2.0 * (1.0 + 1.0 / 12.0), rel=1e-12)
