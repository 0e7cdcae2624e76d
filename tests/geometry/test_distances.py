"""Signed distances of primitives are exact: against brute force, and |grad d| = 1."""

from itertools import product
from math import pi

import numpy as np
import pytest

from pinnsolve.geometry import Box, Cylinder, Disk, Ellipse, Interval, Polygon, Rectangle, Sphere

SHAPES = (
    Interval(-1, 2),
    Rectangle((0, 0), (2, 1)),
    Disk((1, 1), 0.5),
    Ellipse((0.3, -0.2), (2, 0.5), 0.7),
    Ellipse((0, 0), (0.1, 4)),
    Ellipse((0, 0), (1, 1)),
    Polygon([(0, 0), (3, 0), (3, 1), (1, 1), (1, 2), (0, 2)]),
    Box((0, 0, 0), (1, 2, 3)),
    Sphere((1, 0, 0), 2),
    Cylinder((0, 1, 0), 1, 2, "y"),
)


def _around(shape, num, seed):
    lower, upper = shape.bounds
    generator = np.random.default_rng(seed)
    return lower + (1.6 * generator.random((num, shape.dim)) - 0.3) * (upper - lower)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: s.title())
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_distance_is_that_of_the_nearest_piece(shape, seed):
    points = _around(shape, 300, seed)
    distance = np.min([piece.nearest(points)[0] for piece in shape.pieces], axis=0)
    assert np.abs(shape.signed_distance(points)) == pytest.approx(distance, abs=1e-9 * shape.size)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: s.title())
def test_distance_solves_the_eikonal_equation(shape):
    points = _around(shape, 200, 0)
    step = 1e-6 * shape.size
    gradient = np.stack(
        [
            (shape.signed_distance(points + h) - shape.signed_distance(points - h)) / (2 * step)
            for h in step * np.eye(shape.dim)
        ],
        axis=1,
    )
    norm = np.linalg.norm(gradient, axis=1)
    assert np.median(np.abs(norm - 1.0)) < 1e-8
    assert (norm < 1.0 + 1e-6).all()


@pytest.mark.parametrize("axes", [(2.0, 1.0), (1.0, 2.0), (1.0, 1.0), (50.0, 1.0), (1.0, 1.001)])
def test_ellipse_on_its_axes(axes):
    a, b = axes
    ellipse = Ellipse((0, 0), axes)
    points = np.array([[0, 0], [a, 0], [0, b], [-2 * a, 0], [0, -3 * b], [0, 0.5 * b]])
    expected = [-min(a, b), 0, 0, a, 2 * b]
    assert ellipse.signed_distance(points)[:5] == pytest.approx(expected, abs=1e-14 * max(a, b))
    assert ellipse.signed_distance(points)[5] < 0


def test_ellipse_against_a_search_along_it():
    ellipse = Ellipse((0, 0), (3, 1))
    for x, y in product((0.0, 0.4, 2.666, 2.9, 4.0), (0.0, 1e-9, 0.3, 2.0)):
        angle, width = np.linspace(0, pi / 2, 1001), pi / 1000
        for _ in range(3):
            distance = np.hypot(3 * np.cos(angle) - x, np.sin(angle) - y)
            best = angle[np.argmin(distance)]
            angle, width = np.linspace(best - width, best + width, 1001), width / 250
        found = abs(ellipse.signed_distance([[x, y]])[0])
        assert found == pytest.approx(np.min(distance), abs=1e-12)


def test_cylinder_corners():
    cylinder = Cylinder((0, 0, 0), 1, 2)
    points = [[2, 0, 3], [0, 0, 3], [2, 0, 1], [0, 0, 1], [0.75, 0, 1]]
    expected = [2**0.5, 1, 1, -1, -0.25]
    assert cylinder.signed_distance(points) == pytest.approx(expected)
