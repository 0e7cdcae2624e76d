"""Exact solutions are compared at the level that solutions have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.catalogue import make_problem
from pinnsolve.exact_fields import exact_components
from pinnsolve.training.present import present_solution
from pinnsolve.training.trunk import prepare


def untrained(problem: ps.Problem) -> ps.Solution:
    system, theta = prepare(problem, ps.Method(hidden=(4,)), seed=0)
    return present_solution(problem, system, theta)


@pytest.mark.parametrize("name", ["taylor_green", "stokes_manufactured"])
def test_the_level_of_an_exact_pressure_does_not_matter(name: str) -> None:
    """Both flows are closed and have exact pressures of zero mean; a level that moves with time is taken off."""
    problem = make_problem(name)
    assert problem.exact is not None
    plain = problem.exact

    def raised(x: ps.Coordinates) -> dict[str, object]:
        fields = dict(plain(x))
        level = 3.0 + (ps.exp(x.t) if x.frame.has_time else 0.0)
        return {**fields, "pressure": fields["pressure"] + level}

    solution = untrained(replace(problem, exact=raised))
    points = np.random.default_rng(0).uniform(size=(50, problem.frame.num_axes))
    given = exact_components(untrained(problem), points)
    assert np.ptp(given[:, 2]) > 0.1
    np.testing.assert_allclose(exact_components(solution, points), given, rtol=0.0, atol=1e-9)


def test_there_must_be_an_exact_solution() -> None:
    problem = replace(make_problem("stokes_manufactured"), exact=None)
    with pytest.raises(ValueError, match="'stokes_manufactured' has no exact solution"):
        exact_components(untrained(problem), np.zeros((1, 2)))
