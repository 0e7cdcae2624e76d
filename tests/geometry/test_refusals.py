"""What shapes refuse, with the rule, the value and the cure in the text."""

import numpy as np
import pytest

from pinnsolve.geometry import (
    BoundaryPoints,
    Box,
    Cylinder,
    Disk,
    Ellipse,
    Interval,
    Polygon,
    Rectangle,
    Sphere,
    TimeInterval,
)

SQUARE = Rectangle((0, 0), (1, 1))
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Interval(1, 1), r"start < end, got 1\.0 and 1\.0\. Swap"),
        (lambda: Interval(2, 1), "start < end"),
        (lambda: Interval(0, INF), "Interval end must be finite, got inf"),
        (lambda: Interval("a", 1), "Interval start must be a number in SI units, got 'a'"),
        (lambda: TimeInterval(1, 0), r"start < end, got 1\.0 s and 0\.0 s"),
        (lambda: TimeInterval(NAN, 0), "TimeInterval start must be finite, got nan"),
        (lambda: Rectangle((0, 0), (1, 0)), r"lower < upper .* got 0\.0 and 0\.0 along axis 1"),
        (lambda: Rectangle((1, 0), (0, 1)), "along axis 0. Swap"),
        (lambda: Rectangle((0, 0, 0), (1, 1)), "lower corner must be 2 numbers, got 3"),
        (lambda: Rectangle(0, (1, 1)), "lower corner must be 2 numbers, got 0"),
        (lambda: Rectangle((0, NAN), (1, 1)), "lower corner must be finite, got nan"),
        (lambda: Disk((0, 0), 0), r"Disk radius must be positive, got 0\.0"),
        (lambda: Disk((0, 0), -1), r"Disk radius must be positive, got -1\.0. Give a length"),
        (lambda: Disk((0, 0), 1, ""), "Disk name must be a non-empty string"),
        (lambda: Disk((0,), 1), "Disk center must be 2 numbers, got 1"),
        (lambda: Ellipse((0, 0), (1, 0)), "Ellipse semi-axis must be positive"),
        (lambda: Ellipse((0, 0), (1, 2), INF), "Ellipse angle must be finite"),
        (lambda: Ellipse((0, 0), (1, 2, 3)), "semi_axes must be 2 numbers, got 3"),
        (lambda: Polygon([(0, 0), (1, 0)]), "at least 3 vertices, got 2"),
        (lambda: Polygon([(0, 0), (1, 0), (1, 0), (0, 1)]), r"in a row must differ.* index 2"),
        (lambda: Polygon([(0, 0), (1, 0), (0, 1), (0, 0)]), "the polygon closes itself"),
        (lambda: Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), "must not touch or cross itself"),
        (lambda: Polygon([(0, 0), (1, 0), (2, 0)]), "Polygon must"),
        (lambda: Polygon([(0, 0), (1, 0), (0, 1)], ["a"]), "got 1 names for 3 sides"),
        (lambda: Polygon([(0, 0), (1, 0), (0, 1)], "abc"), "list of names"),
        (lambda: Polygon([(0, 0), (1, 0), (0, 1, 2)]), "vertex 2 must be 2 numbers"),
        (lambda: Box((0, 0, 0), (1, 1, -1)), "along axis 2"),
        (lambda: Sphere((0, 0, 0), -1), "Sphere radius must be positive"),
        (lambda: Cylinder((0, 0, 0), 1, 0), "Cylinder height must be positive"),
        (lambda: Cylinder((0, 0, 0), 1, 1, "Z"), "got 'Z'. There are x, y, z. Did you mean 'z'"),
        (lambda: BoundaryPoints(np.zeros((2, 2)), np.zeros((3, 2))), "one normal per point"),
    ],
)
def test_shapes_that_are_none(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: SQUARE.part_measure("rigth"), "named 'rigth'. There are left, .*mean 'right'"),
        (lambda: SQUARE.sample_part("wxyz", 3, seed=0), "There are left, right, bottom, top.$"),
        (lambda: SQUARE.part_quadrature("lft", 3), "Did you mean 'left'"),
        (lambda: SQUARE.on_part("Top", [[0, 0]]), "Did you mean 'top'"),
        (lambda: SQUARE.normals_at("tp", [[0, 0]]), "Did you mean 'top'"),
        (lambda: SQUARE.renamed({"botom": "inlet"}), "Did you mean 'bottom'"),
        (lambda: SQUARE.renamed({"left": " "}), "new name of part 'left' must be a non-empty"),
        (lambda: SQUARE.with_part("hot", of="tpo", where=lambda p: p[:, 0] < 1), "mean 'top'"),
        (lambda: SQUARE.with_part("", of="top", where=lambda p: p[:, 0] < 1), "non-empty"),
        (
            lambda: SQUARE.with_part("hot", of="top", where=lambda p: p[:, 0] > 2),
            r"No point of part 'top' .* reaches from \(0, 0\) to \(1, 1\) m",
        ),
        (
            lambda: SQUARE.with_part("hot", of="top", where=lambda p: p[:, 0] < 2),
            r"Use renamed\(\{'top': 'hot'\}\)",
        ),
        (
            lambda: SQUARE.with_part("hot", of="top", where=lambda p: p < 0.5),
            "must return 17 booleans for 17 points, got shape",
        ),
        (lambda: SQUARE.with_part("hot", of="top", where=lambda p: p[:, 0]), "of float64"),
        (lambda: SQUARE.contains([0.0, 0.0]), r"shape \(N, 2\), got \(2,\)"),
        (lambda: SQUARE.signed_distance([[0.0, 0.0, 0.0]]), r"shape \(N, 2\), got \(1, 3\)"),
        (lambda: SQUARE.contains([[0.0, NAN]]), "must be finite, got .* in row 0"),
        (lambda: SQUARE.contains([["a", "b"]]), "array of numbers"),
        (lambda: SQUARE.sample_interior(0, seed=0), "num_points must be at least 1, got 0"),
        (lambda: SQUARE.sample_interior(2.5, seed=0), "num_points must be an integer, got 2.5"),
        (lambda: SQUARE.sample_part("top", True, seed=0), "must be an integer, got True"),
        (lambda: SQUARE.interior_quadrature(-1), "at least 1"),
    ],
)
def test_uses_that_make_no_sense(use, message):
    with pytest.raises(ValueError, match=message):
        use()


@pytest.mark.parametrize(
    ("combine", "message"),
    [
        (lambda: SQUARE - Disk((3, 3), 0.5), "nothing would be taken away. Check the placement"),
        (lambda: SQUARE - Rectangle((1, 0), (2, 1)), "nothing would be taken away"),
        (lambda: SQUARE - Disk((1.5, 0.5), 0.5), "nothing would be taken away"),
        (lambda: SQUARE - Disk((0.5, 0.5), 2), "leave nothing: the second covers the first"),
        (lambda: SQUARE - SQUARE, "leave nothing"),
        (lambda: SQUARE & Disk((3, 3), 0.5), "intersection is empty. Check the placement"),
        (lambda: SQUARE & Rectangle((1, 0), (2, 1)), "intersection is empty"),
        (lambda: SQUARE | Disk((3, 3), 0.5), "do not touch, so their union would fall apart"),
        (lambda: SQUARE | Rectangle((1, 1), (2, 2)), "do not touch"),
        (lambda: SQUARE | Interval(0, 1), "same dimension .* Rectangle with 2 and Interval with 1"),
        (lambda: SQUARE | 3, "Only shapes can be combined with shapes, got 3"),
        (lambda: Interval(0, 1) | Interval(2, 3), "do not touch"),
        (lambda: Box((0, 0, 0), (1, 1, 1)) - Sphere((3, 0, 0), 1), "nothing would be taken away"),
        (lambda: Sphere((0, 0, 0), 1) - Sphere((0, 0, 0), 2), "leave nothing"),
    ],
)
def test_shapes_that_are_misplaced(combine, message):
    with pytest.raises(ValueError, match=message):
        combine()
