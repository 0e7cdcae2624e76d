"""Rules against integrals in closed form, and their observed orders."""

from math import pi

import numpy as np
import pytest

from pinnsolve.geometry import Box, Cylinder, Disk, Ellipse, Interval, Polygon, Rectangle, Sphere
from pinnsolve.geometry.gauss import counts_per_axis, gauss_legendre, tensor_rule, unit_rule
from pinnsolve.geometry.sobol import accepted_points, unit_points


@pytest.mark.parametrize("num", [1, 2, 5, 16])
def test_gauss_is_exact_to_its_degree(num):
    nodes, weights = gauss_legendre(num)
    for degree in range(2 * num):
        assert weights @ nodes**degree == pytest.approx(1 / (degree + 1), rel=1e-14)


@pytest.mark.parametrize("num", [3, 32, 33, 100])
@pytest.mark.parametrize("periodic", [False, True])
def test_unit_rule_has_enough_points_inside(num, periodic):
    nodes, weights = unit_rule(num, periodic=periodic)
    assert len(nodes) >= num
    assert weights.sum() == pytest.approx(1.0, rel=1e-14)
    assert (nodes > 0).all()
    assert (nodes < 1).all()


def test_trapezoid_is_exponential_for_periodic_functions():
    nodes, weights = unit_rule(20, periodic=True)
    bessel = 1.2660658777520084  # I0(1)
    assert weights @ np.exp(np.cos(2 * pi * nodes)) == pytest.approx(bessel, rel=1e-14)


def test_tensor_rule_and_counts():
    nodes, weights = tensor_rule(unit_rule(3), unit_rule(4))
    assert nodes.shape == (12, 2)
    assert weights @ (nodes[:, 0] ** 2 * nodes[:, 1] ** 3) == pytest.approx(1 / 12)
    assert np.prod(counts_per_axis(100, (10.0, 1.0, 1.0))) >= 100


@pytest.mark.parametrize(
    ("shape", "second_moment"),
    [
        (Interval(-1, 1), 2 / 3),
        (Rectangle((-1, 0), (1, 3)), 2.0),
        (Disk((0, 0), 2), 4 * pi),
        (Ellipse((0, 0), (2, 1)), 2 * pi),
        (Polygon([(0, 0), (1, 0), (0, 1)]), 1 / 12),
        (Rectangle((-1, -1), (1, 1)) - Disk((0, 0), 0.5), 4 / 3 - pi / 64),
        (Rectangle((0, 0), (1, 1)) & Disk((0, 0), 1), pi / 16),
        (Box((-1, 0, 0), (1, 1, 1)), 2 / 3),
        (Sphere((0, 0, 0), 1), 4 * pi / 15),
        (Cylinder((0, 0, 0), 1, 2), pi / 2),
        (Cylinder((-1, 0, 0), 1, 2, "x"), 2 * pi / 3),
    ],
    ids=lambda value: value.title() if hasattr(value, "title") else "",
)
def test_interior_rule_integrates_x_squared(shape, second_moment):
    points, weights = shape.interior_quadrature(400)
    assert weights @ points[:, 0] ** 2 == pytest.approx(second_moment, rel=1e-9)


@pytest.mark.parametrize("num", [1, 10, 100, 1000])
@pytest.mark.parametrize(
    "shape", [Interval(0, 1), Disk((0, 0), 1), Box((0, 0, 0), (1, 2, 9)), Sphere((0, 0, 0), 1)],
    ids=lambda s: s.title(),
)  # fmt: skip
def test_interior_rule_has_about_the_number_asked_for(shape, num):
    assert num <= len(shape.interior_quadrature(num)[0]) <= max(150, 4 * num)


@pytest.mark.parametrize(
    "shape", [Disk((1, 0), 1), Ellipse((1, 0), (3, 1)), Ellipse((1, 0), (20, 1))]
)
def test_flux_of_a_polynomial_through_a_curve(shape):
    """The flux of (x^2, 0) is the integral of 2 x, twice the area times the center's x."""
    points, weights = shape.part_quadrature(shape.parts[0], 100)
    flux = weights @ (points.points[:, 0] ** 2 * points.normals[:, 0])
    assert flux == pytest.approx(2 * shape.measure, rel=1e-7)


def test_flux_through_a_sphere():
    points, weights = Sphere((0, 0, 1), 2).part_quadrature("sphere", 200)
    flux = weights @ (points.points[:, 2] ** 2 * points.normals[:, 2])
    assert flux == pytest.approx(2 * 32 * pi / 3, rel=1e-12)


def test_interior_rule_of_a_disk_converges_exponentially():
    errors = []
    for num in (30, 120, 480):
        points, weights = (Disk((0, 0), 1) - Disk((0.3, 0), 0.3)).interior_quadrature(num)
        errors.append(abs(weights @ np.cos(points[:, 1] * 3) - 1.0))
    spread = np.abs(np.diff(errors))
    assert spread[1] < 1e-3 * max(spread[0], 1e-9) or spread[1] < 1e-9


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_sobol_points_are_distinct_in_every_coordinate(seed):
    points = unit_points(4096, 3, seed=seed)
    assert (points > 0).all()
    assert (points < 1).all()
    assert all(len(np.unique(column)) == 4096 for column in points.T)
    counts = np.histogram(points[:, 0], bins=4096, range=(0, 1))[0]
    assert (counts == 1).all()  # one point in each elementary interval


def test_sobol_leaves_the_global_generator_alone():
    import torch

    before = torch.random.get_rng_state()
    unit_points(100, 2, seed=5)
    assert torch.equal(before, torch.random.get_rng_state())


def test_hopeless_rejection_ends():
    with pytest.raises(ValueError, match=r"too thin to sample\. Give it more extent"):
        accepted_points(lambda unit: (unit, unit[:, 0] < 0), 10, 1, seed=0)
