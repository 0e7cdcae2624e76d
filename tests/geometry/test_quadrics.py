"""Quadrics that vanish on pieces of a boundary."""

from __future__ import annotations

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.geometry.quadrics import Quadric, vanishing_quadric

FAMILY = [
    ps.Interval(1.0, 3.0),
    ps.Rectangle((1.0, 2.0), (3.0, 5.0)),
    ps.Box((0.0, 0.0, 0.0), (1.0, 2.0, 3.0)),
    ps.Disk((1.0, 2.0), 3.0),
    ps.Ellipse((1.0, 2.0), (3.0, 1.0), 0.3),
    ps.Sphere((1.0, 2.0, 3.0), 2.0),
    ps.Cylinder((1.0, 2.0, 3.0), 2.0, 4.0, "x"),
    ps.Polygon([(0.0, 0.0), (2.0, 0.0), (1.0, 2.0)]),
    ps.Rectangle((0.0, 0.0), (2.0, 2.0)) - ps.Disk((1.0, 1.0), 0.5),
    ps.Box((0.0, 0.0, 0.0), (1.0, 2.0, 3.0)) - ps.Sphere((0.0, 1.0, 1.5), 0.3),
]


@pytest.mark.parametrize("shape", FAMILY, ids=lambda shape: shape.title())
def test_it_vanishes_on_the_piece_and_slopes_across_it(shape: ps.Shape) -> None:
    lower, upper = shape.bounds
    center, half = 0.5 * (lower + upper), 0.5 * (upper - lower)
    for piece in shape.pieces:
        quadric = vanishing_quadric(piece)
        assert quadric is not None
        points, normals, _ = piece.quadrature(20)
        assert np.abs(quadric.values(points)).max() < 1e-13
        in_units = quadric.in_units(center, half)
        assert np.abs(in_units.values((points - center) / half)).max() < 1e-13
        step = 1e-6 * float(half.min())
        across = quadric.values(points + step * normals) - quadric.values(points - step * normals)
        assert np.abs(across / (2.0 * step)).min() > 1e-3


def test_units_and_factors() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(3, 3))
    quadric = Quadric.of(0.3, rng.normal(size=3), matrix + matrix.T)
    center, half, u = rng.normal(size=3), rng.random(3) + 0.5, rng.normal(size=(7, 3))
    expected = quadric.values(center + half * u)
    np.testing.assert_allclose(quadric.in_units(center, half).values(u), expected, rtol=1e-12)
    np.testing.assert_allclose(quadric.times(-2.0).values(u), -2.0 * quadric.values(u))


def test_axes_of_planes() -> None:
    planes = [vanishing_quadric(p) for p in ps.Rectangle((0.0, 0.0), (1.0, 1.0)).pieces]
    assert [plane.plane_axis for plane in planes if plane is not None] == [0, 0, 1, 1]
    slanted, circle = ps.Polygon([(0.0, 0.0), (1.0, 1.0), (0.0, 1.0)]), ps.Disk((0.0, 0.0), 1.0)
    for piece in (slanted.pieces[0], circle.pieces[0]):
        found = vanishing_quadric(piece)
        assert found is not None
        assert found.plane_axis is None


def test_a_curved_side_of_a_mesh_lies_on_none() -> None:
    mesh = ps.catalogue.make_problem("nafems_le1").domain
    found = [vanishing_quadric(piece) for piece in mesh.pieces]
    assert None in found
    assert any(quadric is not None for quadric in found)
