"""Views: the pictures show the whole domain, at the right place and time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pinnsolve.report.result import Result
from pinnsolve.report.views import View, points_of, split_by_view, views

ResultOf = Callable[..., Result]


def area(view: View) -> float:
    if len(view.axes) == 1:
        return 0.0
    corners = view.plane[view.triangles]
    (ax, ay), (bx, by) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    return float(0.5 * np.abs(ax * by - ay * bx).sum())


@pytest.mark.parametrize(
    ("name", "axes", "areas"),
    [
        ("rod", [("x",)], [0.0]),
        ("heat_rod", [("x", "t")], [0.1 * 32.0]),
        ("nafems_t4", [("x", "y")], [0.6]),
        ("nafems_le1", [("x", "y")], [5.4487]),
        ("taylor_green", [("x", "y")], [1.0]),
        ("block", [("x", "y"), ("x", "z"), ("y", "z")], [0.5, 0.75, 0.375]),
    ],
)
def test_views_cover_the_domain(
    result_of: ResultOf, name: str, axes: list[tuple[str, ...]], areas: list[float]
) -> None:
    problem = result_of(name).solution.problem
    found = views(problem)
    assert [view.axes for view in found] == axes
    assert [area(view) for view in found] == pytest.approx(areas, rel=1e-3)
    for view in found:
        assert view.points.shape == (len(view.plane), problem.frame.num_axes)
        columns = [problem.frame.axis_names.index(axis) for axis in view.axes]
        np.testing.assert_array_equal(view.points[:, columns], view.plane)


def test_unsteady_plane_problem_is_shown_at_the_end(result_of: ResultOf) -> None:
    problem = result_of("taylor_green").solution.problem
    (view,) = views(problem)
    assert (view.points[:, -1] == problem.time.end).all()
    assert view.title == "t = 1 s"


def test_slices_are_in_the_middle(result_of: ResultOf) -> None:
    problem = result_of("block").solution.problem
    assert [view.title for view in views(problem)] == ["z = 0.375 m", "y = 0.25 m", "x = 0.5 m"]


def test_values_are_split_as_they_were_joined(result_of: ResultOf) -> None:
    shown = views(result_of("block").solution.problem)
    for view, values in zip(shown, split_by_view(shown, points_of(shown)), strict=True):
        np.testing.assert_array_equal(view.points, values)
