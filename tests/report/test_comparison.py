"""Relative differences: identities that hold for any solution."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pinnsolve.report.comparison import exact_differences, relative_differences
from pinnsolve.report.result import Result
from pinnsolve.report.views import points_of, views
from pinnsolve.solution import component_values

ResultOf = Callable[..., Result]
FAMILY = ("rod", "heat_rod", "nafems_le1", "taylor_green", "block")


@pytest.mark.parametrize("name", FAMILY)
def test_no_difference_to_itself(result_of: ResultOf, name: str) -> None:
    solution = result_of(name).solution
    found = relative_differences(solution, lambda points: component_values(solution, points))
    assert set(found.values()) == {0.0}
    parts = set(solution.problem.field_shapes) | set(solution.problem.component_names)
    assert set(found) == parts


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("factor", [2.0, -1.0, 1.01])
def test_multiples(result_of: ResultOf, name: str, factor: float) -> None:
    solution = result_of(name).solution
    found = relative_differences(
        solution, lambda points: factor * component_values(solution, points)
    )
    expected = abs(1.0 - 1.0 / factor)
    assert list(found.values()) == pytest.approx([expected] * len(found))


def test_level_of_a_floating_field_does_not_count(result_of: ResultOf) -> None:
    solution = result_of("taylor_green").solution
    if "pressure" not in solution.problem.floating_fields:
        pytest.skip("its level is set")
    lifted = np.array([0.0, 0.0, 5.0])
    found = relative_differences(
        solution, lambda points: component_values(solution, points) + lifted
    )
    assert found["pressure"] == pytest.approx(0.0, abs=1e-12)


def test_component_that_vanishes_has_no_relative_error(result_of: ResultOf) -> None:
    solution = result_of("nafems_le1").solution
    only_x = np.array([1.0, 0.0])
    found = relative_differences(
        solution, lambda points: component_values(solution, points) * only_x
    )
    assert found["displacement_x"] == 0.0
    assert np.isnan(found["displacement_y"])
    assert found["displacement"] > 0.0


def test_exact_differences(result_of: ResultOf) -> None:
    solution = result_of("rod").solution
    line = relative_differences(solution, lambda points: 1.0 + 2.0 * points)
    assert exact_differences(solution) == pytest.approx(line)
    assert exact_differences(result_of("nafems_t4").solution) == {}


def test_reference_values_are_those_in_the_pictures(result_of: ResultOf) -> None:
    result = result_of("taylor_green", reference=True)
    reference = result.companions.reference
    points = points_of(views(result.solution.problem))
    np.testing.assert_array_equal(reference.points, points)
    np.testing.assert_allclose(reference.values, 1.01 * component_values(result.solution, points))
    assert reference.differences["velocity"] == pytest.approx(1.0 - 1.0 / 1.01)
