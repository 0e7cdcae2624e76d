"""Coverings of domains: they fill the domain, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.interop.cells import Cells, cover, grid_cells, masked_grid, spaced, triangulated

SQUARE = ps.Rectangle((0.0, 0.0), (1.0, 1.0))
POLYGONS = {
    "rectangle": ps.Rectangle((-1.0, 0.0), (2.0, 0.7)),
    "thin": ps.Rectangle((0.0, 0.0), (1.0, 0.01)),
    "L": ps.Polygon([(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)]),
    "frame": SQUARE - ps.Rectangle((0.3, 0.4), (0.6, 0.7)),
}
ROUND = {
    "disk": ps.Disk((1.0, -2.0), 0.3),
    "hole": SQUARE - ps.Disk((0.5, 0.5), 0.2),
    "lens": ps.Disk((0.0, 0.0), 1.0) & ps.Disk((1.0, 0.0), 1.0),
}


def areas(cells: Cells) -> np.ndarray:
    corners = cells.points[cells.blocks["triangle"]]
    (ax, ay), (bx, by) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    return 0.5 * np.abs(ax * by - ay * bx)


@pytest.mark.parametrize("resolution", [7, 20, 53])
@pytest.mark.parametrize("name", POLYGONS)
def test_triangles_fill_polygons_exactly(name: str, resolution: int) -> None:
    shape = POLYGONS[name]
    assert areas(triangulated(shape, resolution)).sum() == pytest.approx(shape.measure, rel=1e-9)


@pytest.mark.parametrize("name", ROUND)
def test_triangles_fill_round_shapes(name: str) -> None:
    shape = ROUND[name]
    errors = [abs(areas(triangulated(shape, n)).sum() / shape.measure - 1.0) for n in (12, 24, 48)]
    assert errors[-1] < 4e-3


@pytest.mark.parametrize("name", [*POLYGONS, *ROUND])
def test_points_lie_in_the_domain_and_are_used(name: str) -> None:
    shape = {**POLYGONS, **ROUND}[name]
    cells = triangulated(shape, 25)
    assert shape.contains(cells.points, tolerance=1e-9).all()
    assert len(np.unique(cells.points, axis=0)) == len(cells.points)
    assert len(np.unique(cells.blocks["triangle"])) == len(cells.points)


def test_a_box_is_filled_with_hexahedra() -> None:
    box = ps.Box((0.0, 0.0, 0.0), (1.0, 0.5, 0.25))
    cells = cover(box, 9)
    (corners,) = (cells.points[numbers] for numbers in cells.blocks.values())
    edges = corners[:, [1, 3, 4]] - corners[:, [0]]
    volumes = np.linalg.det(edges)
    assert (volumes > 0.0).all()
    assert volumes.sum() == pytest.approx(box.measure)


def test_hexahedra_of_a_ball_lie_inside() -> None:
    ball = ps.Sphere((0.0, 0.0, 0.0), 1.0)
    cells = cover(ball, 15)
    assert list(cells.blocks) == ["hexahedron"]
    assert ball.contains(cells.points).all()
    assert cells.blocks["hexahedron"].max() == len(cells.points) - 1


def test_a_line_is_cut_in_pieces() -> None:
    cells = cover(ps.Interval(1.0, 2.0), 5)
    np.testing.assert_allclose(cells.points[:, 0], [1.0, 1.25, 1.5, 1.75, 2.0])
    np.testing.assert_array_equal(cells.blocks["line"], [[0, 1], [1, 2], [2, 3], [3, 4]])


def test_grid_cells_go_around() -> None:
    np.testing.assert_array_equal(grid_cells((2, 2)), [[0, 2, 3, 1]])
    np.testing.assert_array_equal(grid_cells((2, 2, 2)), [[0, 4, 6, 2, 1, 5, 7, 3]])


def test_spacing_is_about_equal() -> None:
    x, y = spaced(np.array([0.0, 0.0]), np.array([2.0, 1.0]), 21)
    assert (len(x), len(y)) == (21, 11)


def test_masked_grid_in_the_plane() -> None:
    axis = np.linspace(0.0, 1.0, 5)
    cells = masked_grid(POLYGONS["frame"], [axis, axis])
    assert list(cells.blocks) == ["quad"]
    assert len(cells.blocks["quad"]) < 16


@pytest.mark.parametrize("resolution", [1, 0, -3])
def test_low_resolution_is_refused(resolution: int) -> None:
    with pytest.raises(ValueError, match=f"resolution must be >= 2 .*got {resolution}"):
        cover(SQUARE, resolution)


def test_too_low_resolution_for_the_shape_is_refused() -> None:
    shell = ps.Sphere((0.0, 0.0, 0.0), 1.0) - ps.Sphere((0.0, 0.0, 0.0), 0.97)
    with pytest.raises(ValueError, match=r"no cell fits inside .* 5 points"):
        cover(shell, 5)
