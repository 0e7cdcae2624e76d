"""Noise from residuals against ordinary least squares, on rods whose field is a straight line.

``T'' = 0`` without conditions leaves the two numbers of ``a + b x`` to the data, as linear regression does.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.measurements.groups import first_guess
from pinnsolve.noise_estimates import needs_two_rounds, with_noise
from pinnsolve.training import train
from pinnsolve.training.noise_rounds import train_in_rounds

METHOD = ps.Method(hidden=(8,), points=ps.PointCounts(30, 2), max_steps=40, max_seconds=60.0)
X = np.linspace(0.05, 0.95, 12)
LINE = 20.0 + 30.0 * X


def rod(*data: ps.Measurements, conditions: tuple[ps.Condition, ...] = ()) -> ps.Problem:
    heat = ps.Heat(1.0)
    return ps.Problem(
        "rod", ps.Interval(0.0, 1.0), heat, conditions, measurements=data, accuracy=1e-6
    )


def readings(sigma: float, seed: int, x: np.ndarray = X) -> np.ndarray:
    return 20.0 + 30.0 * x + np.random.default_rng(seed).normal(0.0, sigma, len(x))


def unstated(values: np.ndarray, x: np.ndarray = X) -> ps.Measurements:
    return ps.Measurements(x[:, None], {"temperature": values}, None)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_noise_and_freedom_are_those_of_linear_regression(seed: int) -> None:
    values = readings(0.4, seed)
    trained = train(rod(unstated(values)), METHOD, seed=seed)
    record = trained.solution.record
    residuals = values - np.polyval(np.polyfit(X, values, 1), X)
    assert record.noise_freedom == pytest.approx({"measurements: temperature": 2.0}, rel=1e-3)
    expected = math.sqrt(float(residuals @ residuals) / (len(X) - 2))
    assert record.noise["measurements: temperature"] == pytest.approx(expected, rel=2e-3)


def test_an_unknown_takes_one_degree_and_gets_its_interval_from_the_noise() -> None:
    """``T = 100 - q x / k``: ordinary least squares of one slope."""
    flux, x = 600.0, np.linspace(0.1, 1.0, 10)
    values = 100.0 - flux * x / 4.0 + np.random.default_rng(3).normal(0.0, 0.5, len(x))
    problem = ps.Problem(
        "heated",
        ps.Interval(0.0, 1.0),
        ps.Heat(ps.Unknown("k", 2.0, bounds=(0.5, 50.0))),
        [ps.Dirichlet("left", temperature=100.0), ps.Neumann("right", temperature=flux)],
        measurements=ps.Measurements(x[:, None], {"temperature": values}, None),
        accuracy=1e-6,
    )
    solution = train(problem, replace(METHOD, max_steps=60)).solution
    slope = float(x @ (100.0 - values)) / float(x @ x)
    residuals = 100.0 - slope * x - values
    sigma = math.sqrt(float(residuals @ residuals) / (len(x) - 1))
    (estimate,) = solution.estimates
    assert solution.record.noise_freedom["measurements: temperature"] == pytest.approx(
        1.0, rel=1e-3
    )
    assert solution.record.noise["measurements: temperature"] == pytest.approx(sigma, rel=1e-3)
    assert estimate.value == pytest.approx(flux / slope, abs=0.1 * estimate.std)
    bound = sigma / np.linalg.norm(flux * x / estimate.value**2)
    assert estimate.std == pytest.approx(bound, rel=2e-3)


def test_two_groups_weigh_by_their_own_noise() -> None:
    """Against regression with the same two rounds: a guess for each group, then what its residuals say."""
    fine, coarse = readings(0.1, 5), readings(3.0, 6, X + 0.01)
    problem = rod(unstated(fine), unstated(coarse, X + 0.01))
    assert needs_two_rounds(problem)
    solution = train(problem, METHOD).solution
    sigma = np.array([first_guess(fine), first_guess(coarse)])
    design = np.stack((np.ones(24), np.concatenate((X, X + 0.01))), axis=1)
    values, group = np.concatenate((fine, coarse)), np.repeat([0, 1], 12)
    for _ in range(2):
        scaled = design / sigma[group, None]
        fit = np.linalg.lstsq(scaled, values / sigma[group], rcond=None)[0]
        taken = np.sum(scaled * (scaled @ np.linalg.inv(scaled.T @ scaled)), axis=1)
        squares = (values - design @ fit) ** 2
        sigma = np.array(
            [math.sqrt(squares[group == k].sum() / (12 - taken[group == k].sum())) for k in (0, 1)]
        )
    names = ["measurements 1: temperature", "measurements 2: temperature"]
    assert [solution.record.noise[n] for n in names] == pytest.approx(sigma.tolist(), rel=1e-2)
    assert sum(solution.record.noise_freedom.values()) == pytest.approx(2.0, rel=1e-3)
    ends = solution.at([[0.0], [1.0]]).temperature
    assert ends == pytest.approx([fit[0], fit[0] + fit[1]], abs=0.02)
    steps = [step.step for step in solution.record.history]
    assert steps == list(range(1, len(steps) + 1))


def test_outliers_do_not_carry_a_robust_fit_away() -> None:
    """Two of twelve thermocouples are off by 25 K: Student's t against scipy's optimum, normal noise against it."""
    from scipy.optimize import minimize
    from scipy.stats import t

    values = readings(0.3, 7)
    values[[2, 9]] += [25.0, -25.0]
    ends = {}
    for likelihood in ("normal", "student", "huber"):
        data = ps.Measurements(X[:, None], {"temperature": values}, 0.3, likelihood=likelihood)
        ends[likelihood] = train(rod(data), METHOD).solution.at([[0.0], [1.0]]).temperature

    def loss(fit: np.ndarray) -> float:
        return -float(t.logpdf((values - fit[0] - fit[1] * X) / 0.3, 4).sum())

    best = minimize(
        loss, [20.0, 30.0], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9}
    ).x
    assert ends["student"] == pytest.approx([best[0], best.sum()], abs=0.01)
    error = {k: np.abs(v - [20.0, 50.0]).max() for k, v in ends.items()}
    assert error["student"] < 0.5
    assert error["huber"] < 1.5
    assert error["normal"] > 5.0


def test_noise_beneath_outliers() -> None:
    """With Student's t the scale comes from the median: two wild readings of twelve hardly move it."""
    values = readings(0.3, 8)
    values[[2, 9]] += [25.0, -25.0]
    data = replace(unstated(values), likelihood="student")
    solution = train(rod(data), METHOD).solution
    assert 0.1 < solution.record.noise["measurements: temperature"] < 0.6


def test_a_fit_that_takes_all_freedom_has_no_noise() -> None:
    values = readings(0.4, 1)[[0, 11]]
    record = train(rod(unstated(values, X[[0, 11]])), METHOD).solution.record
    assert record.noise == {"measurements: temperature": math.inf}
    assert record.noise_freedom["measurements: temperature"] == pytest.approx(2.0, rel=1e-3)


def test_stating_noise_that_was_found() -> None:
    problem = rod(
        unstated(LINE),
        ps.Measurements(X[:, None], {"d temperature / dx": X}, {"d temperature / dx": None}),
    )
    names = ["measurements 1: temperature", "measurements 2: d temperature / dx"]
    stated = with_noise(problem, dict(zip(names, [0.5, math.inf], strict=True)))
    first, second = stated.data
    assert first.sigma == {"temperature": 0.5}
    assert second.sigma == {"d temperature / dx": pytest.approx(first_guess(X))}


def test_two_rounds_have_a_checkpoint_each(tmp_path) -> None:
    """The same call again returns at once what was found."""
    problem = rod(unstated(readings(0.1, 5)), unstated(readings(3.0, 6, X + 0.01), X + 0.01))
    short = replace(METHOD, max_steps=8)
    once = train(problem, short, checkpoint=tmp_path / "run.h5")
    assert sorted(path.name for path in tmp_path.glob("*.h5")) == ["run.h5", "run.second.h5"]
    again = train(problem, short, checkpoint=tmp_path / "run.h5")
    assert again.solution.record.noise == once.solution.record.noise
    assert np.array_equal(again.theta.numpy(), once.theta.numpy())


def test_noise_of_nothing_is_refused() -> None:
    """A problem without measurements never comes here by way of train()."""
    ends = (ps.Dirichlet("left", temperature=20.0), ps.Dirichlet("right", temperature=50.0))
    problem = rod(conditions=ends)
    trained = train(problem, METHOD)
    with pytest.raises(ValueError, match="estimated from measurements, but nothing was measured"):
        train_in_rounds(problem, METHOD, None, None, None, lambda *_: trained)
