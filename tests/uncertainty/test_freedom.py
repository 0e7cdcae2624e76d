"""Degrees of freedom of a fit: traces of hat matrices that are known in closed form."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.interop.hdf5 import read_solution
from pinnsolve.judging_data import data_checks
from pinnsolve.training import Trained, train
from pinnsolve.unknown_functions import UnknownFunction

from .conftest import METHOD

X = np.linspace(0.05, 1.0, 20)
SIGMA, SMOOTHNESS, COUNT = 0.01, 0.02, 16


def source() -> UnknownFunction:
    return UnknownFunction("s", of={"x": (0.0, 1.0)}, num=COUNT, scale=1.0, smoothness=SMOOTHNESS)


def design(x: np.ndarray = X) -> np.ndarray:
    """Return the derivative by the coefficients of ``T = integral of min(x, y) s(y) dy``, shape (N, K)."""
    y = (np.arange(4000) + 0.5) / 4000
    return np.minimum(x[:, None], y) @ source().basis(y) / len(y)


def hat() -> np.ndarray:
    rows = design() / SIGMA
    prior = SMOOTHNESS * source().second_differences()
    return np.asarray(rows @ np.linalg.solve(rows.T @ rows + prior.T @ prior, rows.T))


def heated(seed: int) -> ps.Problem:
    """Return ``-T'' = s(x)``, ``T(0) = 0``, ``T'(1) = 0`` with an unknown source; the true one is a sine."""
    drawn = np.random.default_rng(seed).normal(0.0, SIGMA, len(X))
    y = (np.arange(4000) + 0.5) / 4000
    exact = np.minimum(X[:, None], y) @ np.sin(2.0 * math.pi * y) / len(y)
    return ps.Problem(
        "heated",
        ps.Interval(0.0, 1.0),
        ps.Heat(1.0, source=source()),
        [ps.Dirichlet("left", temperature=0.0), ps.Insulated("right")],
        measurements=ps.Measurements(X[:, None], {"temperature": exact + drawn}, sigma=SIGMA),
        accuracy=1e-4,
    )


@pytest.fixture(scope="module")
def solutions() -> list[ps.Solution]:
    method = ps.Method(max_seconds=60.0)
    return [train(heated(seed), method, seed=seed).solution for seed in (0, 1, 2)]


def test_a_function_takes_the_trace_of_its_hat_matrix(solutions: list[ps.Solution]) -> None:
    """16 coefficients that a prior holds take about four degrees of freedom."""
    expected = float(np.trace(hat()))
    assert 3.0 < expected < 6.0
    for solution in solutions:
        assert solution.posterior is not None
        taken = solution.posterior.freedom["measurements"]
        assert taken == pytest.approx(expected, rel=0.01)


def test_chi_square_is_one_on_average() -> None:
    """Over draws of the source from its prior and of the noise; coefficients counted as ones would make it 4."""
    generator, residual = np.random.default_rng(0), np.eye(len(X)) - hat()
    rows = design() / SIGMA
    rough = np.linalg.pinv(SMOOTHNESS * source().second_differences())
    drawn = rough @ generator.normal(size=(COUNT - 2, 4000))
    readings = rows @ drawn + generator.normal(size=(len(X), 4000))
    freedom = len(X) - np.trace(hat())
    chi2 = np.sum((residual @ readings) ** 2, axis=0) / freedom
    assert chi2.mean() == pytest.approx(1.0, abs=0.03)


def test_the_check_is_chi_per_freedom(solutions: list[ps.Solution]) -> None:
    for solution in solutions:
        (check,) = data_checks(solution)
        ratios = (
            solution.at(X[:, None]).temperature - solution.problem.data[0].values["temperature"]
        ) / SIGMA
        freedom = len(X) - float(np.trace(hat()))
        assert check.value == pytest.approx(math.sqrt(np.sum(ratios**2) / freedom), rel=1e-3)
        assert check.limit == pytest.approx(
            math.sqrt(1.0 + 3.0 * math.sqrt(2.0 / freedom)), rel=1e-3
        )
        assert check.passed


def test_plain_unknowns_take_one_each(trained: Trained) -> None:
    known = trained.solution.posterior
    assert known is not None
    assert known.freedom == {"measurements": pytest.approx(2.0, abs=1e-3)}


def test_open_directions_are_taken_from_the_readings_that_settle_them() -> None:
    """``T = a + b x`` without conditions: two directions, settled by the set whose noise is small."""
    exact, rough = (
        ps.Measurements(x[:, None], {"temperature": 20.0 + 30.0 * x}, sigma)
        for x, sigma in ((X, 0.1), (X - 0.02, 100.0))
    )
    problem = ps.Problem(
        "open", ps.Interval(0.0, 1.0), ps.Heat(2.0), [], measurements=[exact, rough]
    )
    known = train(problem, METHOD).solution.posterior
    assert known is not None
    assert known.freedom["measurements 1"] == pytest.approx(2.0, abs=1e-3)
    assert known.freedom["measurements 2"] == pytest.approx(0.0, abs=1e-3)


def test_it_is_saved(solutions: list[ps.Solution], tmp_path: Path) -> None:
    solution = solutions[0]
    solution.save(tmp_path / "a.h5")
    again = read_solution(tmp_path / "a.h5", solution.problem)
    assert again.posterior is not None
    assert solution.posterior is not None
    assert again.posterior.freedom == solution.posterior.freedom
    assert data_checks(again) == data_checks(solution)
