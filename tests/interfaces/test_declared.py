"""Materials by region and interfaces: what they say, where their points are, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.blocks import Block, make_blocks
from pinnsolve.catalogue import make_problem
from pinnsolve.geometry.partition import interior_rule, part_rule
from pinnsolve.jets import Coordinates, Fields, Frame, as_jet
from pinnsolve.physics.regions import ByRegion
from pinnsolve.reference import Reference
from pinnsolve.reference.find import find_reference
from pinnsolve.scaling import find_scaling
from pinnsolve.unknowns import find_unknowns

SQUARE = ps.Rectangle((0.0, 0.0), (2.0, 1.0))
DISK = ps.Disk((0.8, 0.5), 0.25)
LAYER = ps.Rectangle((0.0, 0.0), (2.0, 0.4))


def two_materials(*interfaces: ps.Interface, physics: ps.Physics | None = None) -> ps.Problem:
    shape = interfaces[0].shape
    if physics is None:
        physics = ps.Heat(conductivity=ps.by_region({shape: 3.0}, otherwise=1.0))
    sides = [ps.Dirichlet(part, temperature=lambda x: x.x) for part in SQUARE.parts]
    return ps.Problem("two", SQUARE, physics, [*sides, *interfaces])


def interface_of(problem: ps.Problem) -> Block:
    blocks = make_blocks(problem, ps.PointCounts(64, 64), seed=0)
    return next(block for block in blocks if block.kind == "interface")


def at(points: list[list[float]]) -> Coordinates:
    return Coordinates(torch.tensor(points, dtype=torch.float64), Frame(2))


def test_the_first_region_that_holds_a_point_counts() -> None:
    value = ps.by_region({DISK: 3.0, LAYER: lambda x: 10.0 * x.x}, otherwise=1.0)
    x = at([[0.8, 0.3], [0.2, 0.3], [0.2, 0.9]])
    assert value(x).value.tolist() == [3.0, 2.0, 1.0]
    assert value(x.x, x).value.tolist() == [3.0, 2.0, 1.0]
    assert ps.grad(value(x)).value.tolist() == [[0.0, 0.0], [10.0, 0.0], [0.0, 0.0]]


def test_unknowns_in_a_region_are_found() -> None:
    value = ps.by_region({DISK: ps.Unknown("k", 2.0)}, otherwise=1.0)
    assert [u.name for u in find_unknowns(ps.Heat(value))] == ["k"]


def test_moduli_by_region() -> None:
    x = at([[0.8, 0.5], [0.1, 0.1]])
    f = Fields({"displacement": as_jet([x.x, 0.0 * x.y], x.frame)})
    modulus = ps.by_region({DISK: 2.0}, otherwise=1.0)
    stress = ps.Elasticity(modulus, 0.0, plane="stress").stress(f, x).value
    assert stress[:, 0, 0].tolist() == [2.0, 1.0]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: ps.by_region({}, otherwise=1.0), "at least one region"),
        (lambda: ps.by_region({"disk": 1.0}, otherwise=1.0), "values by shape.*got 'disk'"),
        (lambda: ps.Heat(ps.by_region({DISK: -1.0}, 1.0)), "conductivity by region must be finite"),
        (lambda: ps.Elasticity(1.0, ps.by_region({DISK: 0.5}, 0.3), "stress"), "must lie in"),
        (lambda: ps.Interface("disk"), "Interface takes the shape"),
    ],
)
def test_refused_at_once(make, match) -> None:
    with pytest.raises(ValueError, match=match):
        make()


@pytest.mark.parametrize("shape", [DISK, LAYER])
def test_pairs_lie_on_either_side(shape) -> None:
    block = interface_of(two_materials(ps.Interface(shape)))
    inside, outside = (points.numpy() for points in block.point_sets)
    assert (shape.signed_distance(inside) < 0.0).all()
    assert (shape.signed_distance(outside) > 0.0).all()
    assert np.abs(inside - outside).max() < 1e-5
    step = (outside - inside) / np.linalg.norm(outside - inside, axis=1)[:, None]
    np.testing.assert_allclose(step, block.normals.numpy(), atol=1e-9)


def test_sides_on_the_boundary_are_no_interface() -> None:
    inside, _ = interface_of(two_materials(ps.Interface(LAYER))).point_sets
    np.testing.assert_allclose(inside[:, 1].numpy(), 0.4, atol=1e-5)


def test_half_of_the_points_lie_around_a_small_inclusion() -> None:
    spot = ps.Disk((0.8, 0.5), 0.02)
    blocks = make_blocks(two_materials(ps.Interface(spot)), ps.PointCounts(400, 64), seed=0)
    points = blocks[0].point_sets[0].numpy()
    assert len(points) == 400
    assert 195 <= np.count_nonzero(spot.signed_distance(points) <= 0.02) <= 215
    assert SQUARE.contains(points).all()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_jump_of_the_flux_is_that_of_the_materials(seed) -> None:
    """A field with one gradient on both sides: -k grad T . n jumps by the difference of k."""
    problem = two_materials(ps.Interface(DISK))
    block = interface_of(problem)
    x = block.coordinates(problem.frame)
    slope = np.random.default_rng(seed).normal(size=2)
    fields = tuple(
        Fields({"temperature": slope[0] * c.x + slope[1] * c.y + ps.sin(c.x * c.y)}) for c in x
    )
    (row,) = block.rows(fields, x, {}).values()
    middle = 0.5 * (block.point_sets[0] + block.point_sets[1])
    m = Coordinates(middle, problem.frame)
    gradient = ps.grad(slope[0] * m.x + slope[1] * m.y + ps.sin(m.x * m.y)).value
    expected = 2.0 * (gradient * block.normals).sum(dim=1)
    torch.testing.assert_close(row.value, expected, rtol=0.0, atol=1e-10)


def test_integrals_are_exact_on_either_side() -> None:
    points, weights = interior_rule(SQUARE, [DISK], 400)
    assert weights @ (DISK.signed_distance(points) < 0.0) == pytest.approx(math.pi / 16, rel=1e-12)
    assert weights.sum() == pytest.approx(2.0, rel=1e-12)
    points, normals, weights = part_rule(SQUARE, "left", [LAYER, DISK], 32)
    assert weights @ (points[:, 1] < 0.4) == pytest.approx(0.4, rel=1e-12)
    assert weights.sum() == pytest.approx(1.0)
    assert (normals == [-1.0, 0.0]).all()


def test_size_follows_from_a_free_strain() -> None:
    """Nothing but the jump of the thermal stress drives the hot spot."""
    problem = make_problem("nafems_t1")
    scaling = find_scaling(problem, make_blocks(problem, ps.PointCounts(64, 64), seed=0))
    assert 1e-7 < float(scaling.scale[0]) < 1e-5


OWN = ps.CustomPhysics(
    {"temperature": ()}, lambda f, x, m: ps.laplacian(f.temperature), boundary_components=None
)


@pytest.mark.parametrize(
    ("shape", "physics", "match"),
    [
        (ps.Disk((5.0, 0.5), 0.2), None, "no boundary of Disk runs inside the domain"),
        (ps.Rectangle((-1.0, -1.0), (3.0, 2.0)), None, "no boundary of Rectangle runs inside"),
        (ps.Interval(0.0, 1.0), None, "Interval has 1 dimensions and the domain 2"),
        (ps.Rectangle((0.5, 0.2), (1.0, 0.6)), None, "goes on through the inside of the domain"),
        (DISK, ps.Heat(conductivity=2.0), "the physics is the same on both sides"),
        (DISK, OWN, "declares no natural flux of 'temperature'"),
    ],
)
def test_interfaces_that_are_none_are_refused(shape, physics, match) -> None:
    if physics is None:
        physics = ps.Heat(conductivity=ps.by_region({DISK: 3.0}, otherwise=1.0))
    with pytest.raises(ValueError, match=match):
        two_materials(ps.Interface(shape), physics=physics)


def test_a_source_in_a_region_is_enough() -> None:
    heated = ps.Heat(conductivity=2.0, source=ps.by_region({DISK: 5.0}, otherwise=0.0))
    assert two_materials(ps.Interface(DISK), physics=heated).materials == (DISK,)


def test_an_interface_has_no_residual_on_one_side() -> None:
    x = at([[0.8, 0.3]])
    f = Fields({"temperature": x.x})
    with pytest.raises(TypeError, match="residual_between"):
        ps.Interface(DISK).residual(f, x, as_jet([1.0, 0.0], x.frame), ps.Heat(1.0))


def test_a_round_interface_has_a_reference_with_an_error_bar() -> None:
    found = find_reference(two_materials(ps.Interface(DISK)))
    assert isinstance(found, Reference)
    assert 0.0 < found.error["temperature"] < 0.2


def test_values_by_region_need_coordinates() -> None:
    with pytest.raises(TypeError, match="needs the coordinates"):
        ByRegion(((DISK, 1.0),), 2.0)(at([[0.0, 0.0]]).x)
