"""Set algebra, classification of boundaries and the drop of shared sides."""

from math import pi

import numpy as np
import pytest

from pinnsolve.geometry import Box, Cylinder, Disk, Ellipse, Interval, Polygon, Rectangle, Sphere

PAIRS = {
    "overlapping rectangles": (Rectangle((0, 0), (2, 1)), Rectangle((1, 0.5), (3, 2))),
    "rectangles along a side": (Rectangle((0, 0), (2, 1)), Rectangle((1, 0), (3, 0.5))),
    "rectangle and disk": (Rectangle((0, 0), (1, 1)), Disk((1, 1), 0.7)),
    "ellipses": (Ellipse((0, 0), (3, 1)), Ellipse((0, 0), (1, 2), 0.2)),
    "polygon and disk": (Polygon([(0, 0), (4, 0), (0, 3)]), Disk((1, 1), 1.2)),
    "intervals": (Interval(0, 2), Interval(1, 5)),
    "boxes": (Box((0, 0, 0), (2, 2, 2)), Box((1, 1, 0), (3, 3, 2))),
    "balls": (Sphere((0, 0, 0), 1), Sphere((0.5, 0.4, 0.3), 1)),
    "box and cylinder": (Box((0, 0, 0), (1, 1, 1)), Cylinder((1, 0.5, 0), 0.4, 1)),
}


@pytest.fixture(scope="module", params=PAIRS)
def combined(request):
    """Return two shapes with their union, intersection and both differences."""
    a, b = PAIRS[request.param]
    return a, b, a | b, a & b, a - b, b - a


def test_inclusion_and_exclusion(combined):
    """|A u B| + |A n B| = |A| + |B| and |A - B| = |A| - |A n B|."""
    a, b, union, both, only_a, only_b = combined
    assert union.measure + both.measure == pytest.approx(a.measure + b.measure, rel=1e-8)
    assert only_a.measure == pytest.approx(a.measure - both.measure, rel=1e-8)
    assert only_b.measure == pytest.approx(b.measure - both.measure, rel=1e-8)


def test_membership_is_logical(combined):
    a, b, union, both, only_a, _ = combined
    lower, upper = union.bounds
    points = lower + np.random.default_rng(0).random((2000, a.dim)) * (upper - lower)
    in_a, in_b = a.contains(points), b.contains(points)
    assert (union.contains(points) == (in_a | in_b)).all()
    assert (both.contains(points) == (in_a & in_b)).all()
    assert (only_a.contains(points) == (in_a & ~in_b)).all()


def test_three_holes_keep_their_names():
    plate = Rectangle((0, 0), (3, 1))
    for number in range(3):
        plate = plate - Disk((0.5 + number, 0.5), 0.2, f"hole{number}")
    assert plate.parts == ("left", "right", "bottom", "top", "hole0", "hole1", "hole2")
    assert plate.measure == pytest.approx(3 - 3 * pi * 0.04, rel=1e-13)


def test_normals_of_a_cut_point_into_the_hole():
    plate = Rectangle((-1, -1), (1, 1)) - Disk((0, 0), 0.5, "hole")
    points = plate.sample_part("hole", 100, seed=0)
    assert points.normals == pytest.approx(-points.points / 0.5, abs=1e-12)


def test_equal_names_become_one_part():
    plate = Rectangle((0, 0), (2, 1)) - Disk((0.5, 0.5), 0.1) - Disk((1.5, 0.5), 0.2)
    assert plate.part_measure("circle") == pytest.approx(0.6 * pi, rel=1e-13)


def test_parts_that_vanish_are_dropped():
    quarter = Rectangle((0, 0), (1, 1)) & Disk((0, 0), 1)
    assert quarter.parts == ("left", "bottom", "circle")


def test_hole_that_cuts_two_holes():
    plate = Rectangle((0, 0), (4, 2)) - Disk((1, 1), 0.5, "a") - Disk((3, 1), 0.5, "b")
    slotted = plate - Rectangle((1, 0.9), (3, 1.1)).renamed({"top": "slot", "bottom": "slot"})
    reach = np.sqrt(0.25 - 0.01)
    assert slotted.part_measure("slot") == pytest.approx(2 * (2 - 2 * reach), rel=1e-12)
    assert "left" in slotted.parts
    assert slotted.part_measure("left") == pytest.approx(2.0)


def test_seams_of_a_union_are_no_boundary():
    """A hole through the shared side of two rectangles is a whole circle."""
    pair = Rectangle((0, 0), (1, 1)) | Rectangle((1, 0), (2, 1))
    plate = pair - Disk((1, 0.5), 0.25, "hole")
    assert plate.part_measure("hole") == pytest.approx(pi / 2, rel=1e-12)
    assert plate.measure == pytest.approx(2 - pi / 16, rel=1e-12)


def test_a_cut_along_a_seam():
    pair = Rectangle((0, 0), (1, 1)) | Rectangle((1, 0), (2, 1))
    rest = pair - Rectangle((1, 0.25), (1.5, 0.75))
    assert rest.measure == pytest.approx(1.75, rel=1e-12)
    assert rest.part_measure("left") == pytest.approx(1.5, rel=1e-12)


def test_tangent_disks_keep_their_circles():
    """Touching from within in one point: the crescent has both whole circles."""
    crescent = Disk((0, 0), 1, "outer") - Disk((0.5, 0), 0.5, "inner")
    assert crescent.part_measure("outer") == pytest.approx(2 * pi, rel=1e-6)
    assert crescent.part_measure("inner") == pytest.approx(pi, rel=1e-6)
    assert crescent.measure == pytest.approx(0.75 * pi, rel=1e-9)


def test_a_small_hole_is_not_missed():
    plate = Rectangle((0, 0), (1, 1)) - Disk((1.0, 0.123456), 1e-3, "nick")
    assert plate.part_measure("nick") == pytest.approx(pi * 1e-3, rel=1e-9)
    assert plate.part_measure("right") == pytest.approx(1 - 2e-3, rel=1e-9)


@pytest.mark.parametrize("shift", [(1e3, -1e3), (0.1, 0.7)])
def test_placement_does_not_matter(shift):
    here = Rectangle((0, 0), (1, 1)) - Disk((0, 0), 0.25)
    x, y = shift
    there = Rectangle((x, y), (x + 1, y + 1)) - Disk((x, y), 0.25)
    assert there.parts == here.parts
    assert there.measure == pytest.approx(here.measure, rel=1e-11)


def test_steinmetz_is_symmetric_in_its_operands():
    a, b = Cylinder((0, 0, -2), 1, 4), Cylinder((0, -2, 0), 1, 4, "y")
    assert (a & b).measure == pytest.approx((b & a).measure, rel=1e-8)


def test_interior_rule_of_a_solid_boolean_integrates():
    """The mean of z over a drilled cube is 1/2; equal weights reach about 1/N."""
    cube = Box((0, 0, 0), (1, 1, 1)) - Cylinder((0.5, 0.5, 0), 0.25, 1)
    points, weights = cube.interior_quadrature(4096)
    assert weights @ points[:, 2] / cube.measure == pytest.approx(0.5, abs=1e-3)
