"""Names on boundaries: renaming, splitting, asking which point lies where."""

from math import pi

import numpy as np
import pytest

from pinnsolve.geometry import Box, Disk, Ellipse, Interval, Polygon, Rectangle, Sphere
from pinnsolve.naming import near_match_text

SQUARE = Rectangle((0, 0), (1, 1))


def test_renaming_keeps_region_and_order():
    named = SQUARE.renamed({"left": "inlet", "right": "outlet"})
    assert named.parts == ("inlet", "outlet", "bottom", "top")
    assert named.measure == 1.0
    assert (named.sample_interior(10, seed=0) == SQUARE.sample_interior(10, seed=0)).all()
    assert SQUARE.parts == ("left", "right", "bottom", "top")


def test_renaming_to_one_name_joins_parts():
    walls = SQUARE.renamed(dict.fromkeys(("left", "top", "bottom"), "wall"))
    assert walls.parts == ("wall", "right")
    assert walls.part_measure("wall") == 3.0


def test_names_can_be_swapped():
    swapped = SQUARE.renamed({"left": "right", "right": "left"})
    assert swapped.normals_at("left", [[1.0, 0.5]]) == pytest.approx(np.array([[1.0, 0.0]]))


@pytest.mark.parametrize("limit", [0.1, 1 / 3, 0.123456789, 0.999])
def test_split_is_found_to_rounding(limit):
    split = SQUARE.with_part("hot", of="top", where=lambda p: p[:, 0] < limit)
    assert split.part_measure("hot") == pytest.approx(limit, rel=1e-13)
    assert split.part_measure("top") == pytest.approx(1 - limit, rel=1e-12)
    assert (split.sample_part("hot", 200, seed=0).points[:, 0] <= limit).all()


def test_split_may_fall_in_several_pieces():
    where = Disk((0, 0), 1).with_part("upper", of="circle", where=lambda p: np.abs(p[:, 1]) > 0.5)
    assert where.part_measure("upper") == pytest.approx(4 * pi / 3, rel=1e-12)


def test_split_can_be_repeated_and_enlarged():
    twice = SQUARE.with_part("a", of="top", where=lambda p: p[:, 0] < 0.25).with_part(
        "a", of="top", where=lambda p: p[:, 0] > 0.75
    )
    assert twice.parts == ("left", "right", "bottom", "top", "a")
    assert twice.part_measure("a") == pytest.approx(0.5)


def test_split_ellipse_is_sampled_by_arc_length():
    split = Ellipse((0, 0), (3, 1)).with_part("tip", of="ellipse", where=lambda p: p[:, 0] > 2.5)
    points = split.sample_part("tip", 1024, seed=0).points
    assert abs(np.count_nonzero(points[:, 1] > 0) - 512) <= 8
    assert split.part_measure("tip") + split.part_measure("ellipse") == pytest.approx(
        Ellipse((0, 0), (3, 1)).part_measure("ellipse"), rel=1e-12
    )


def test_cap_of_a_sphere_is_archimedes():
    ball = Sphere((0, 0, 0), 2).with_part("cap", of="sphere", where=lambda p: p[:, 2] > 1)
    assert ball.part_measure("cap") == pytest.approx(4 * pi, rel=1e-8)
    assert (ball.sample_part("cap", 100, seed=0).points[:, 2] > 1).all()


def test_a_split_shape_can_be_cut():
    box = Box((0, 0, 0), (1, 1, 1)).with_part("spot", of="top", where=lambda p: p[:, 0] < 0.5)
    drilled = box - Sphere((0, 0, 1), 0.25, "dent")
    assert drilled.part_measure("spot") == pytest.approx(0.5 - pi / 64, rel=1e-7)
    assert drilled.part_measure("top") == pytest.approx(0.5, rel=1e-7)


def test_points_on_corners_lie_on_both_parts():
    corner = [[1.0, 1.0]]
    assert SQUARE.on_part("top", corner).all()
    assert SQUARE.on_part("right", corner).all()
    assert not SQUARE.on_part("left", corner).any()


def test_tolerance_of_on_part_is_absolute():
    assert SQUARE.on_part("top", [[0.5, 1.001]], tolerance=2e-3).all()
    assert not SQUARE.on_part("top", [[0.5, 1.001]], tolerance=0.5e-3).any()


def test_interval_ends():
    line = Interval(-1, 2)
    assert line.sample_part("left", 3, seed=0).points.tolist() == [[-1.0]] * 3
    assert line.normals_at("left", [[0.0]]).tolist() == [[-1.0]]
    assert line.part_quadrature("right", 10)[1].tolist() == [1.0]


def test_sides_of_a_clockwise_polygon_keep_their_names():
    names = ["a", "b", "c", "d"]
    clockwise = Polygon([(0, 0), (0, 1), (1, 1), (1, 0)], names)
    assert clockwise.normals_at("a", [[0.0, 0.5]]) == pytest.approx(np.array([[-1.0, 0.0]]))
    assert clockwise.parts == tuple(names)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lef", "There are left, right. Did you mean 'left'?"),
        ("LEFT", "There are left, right. Did you mean 'left'?"),
        ("zzz", "There are left, right."),
    ],
)
def test_near_match_text(name, text):
    assert near_match_text(name, ["left", "right"]) == text


def test_near_match_text_of_nothing():
    assert near_match_text("left", []) == "There are none."
