"""Covariance, evidence and bands against the closed forms of linear-Gaussian problems."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.training import Trained, train
from pinnsolve.uncertainty import laplace
from pinnsolve.uncertainty.laplace import unknowns_given
from pinnsolve.uncertainty.linearisation import linearise
from pinnsolve.uncertainty.marginal import marginalise

from .conftest import METHOD, SENSORS, SIGMA, design, rod, temperature

PLACES = np.linspace(0.0, 1.0, 7)


def covariance(x: np.ndarray = SENSORS, sigma: float = SIGMA) -> np.ndarray:
    return sigma**2 * np.linalg.inv(design(x).T @ design(x))


def test_covariance_and_correlation_are_those_of_linear_regression(trained: Trained) -> None:
    known = trained.solution.posterior
    assert known is not None
    assert known.names == ("s", "q")
    np.testing.assert_allclose(known.covariance, covariance(), rtol=2e-3)
    np.testing.assert_allclose(known.std, np.sqrt(np.diag(covariance())), rtol=1e-3)
    np.testing.assert_allclose(known.bound, known.std, rtol=1e-9)
    expected = covariance()[0, 1] / math.sqrt(covariance()[0, 0] * covariance()[1, 1])
    assert known.correlation[0, 1] == pytest.approx(expected, rel=1e-3)
    np.testing.assert_allclose(np.diag(known.correlation), 1.0)


@pytest.mark.parametrize("stiffness", [1e3, 1e5, 1e6])
def test_the_answer_does_not_depend_on_how_stiff_the_physics_is(
    trained: Trained, stiffness: float
) -> None:
    other = laplace(trained.system, trained.theta, stiffness=stiffness)
    np.testing.assert_allclose(other.std, np.sqrt(np.diag(covariance())), rtol=2e-3)
    assert other.log_evidence == pytest.approx(
        laplace(trained.system, trained.theta).log_evidence, abs=0.01
    )


def test_weights_and_batches_of_training_do_not_matter(trained: Trained) -> None:
    noisy = {block.name for block in trained.system.blocks if block.noise is not None}
    weights = {
        key: weight * (0.03 if key.block in noisy else 1.0)
        for key, weight in trained.system.weights.items()
    }
    other = laplace(replace(trained.system, weights=weights).rebatched(7), trained.theta)
    np.testing.assert_allclose(other.std, laplace(trained.system, trained.theta).std, rtol=1e-5)


def test_the_band_of_the_field_is_that_of_linear_regression(trained: Trained) -> None:
    rows = design(PLACES)
    expected = np.sqrt(np.einsum("ni,ij,nj->n", rows, covariance(), rows))
    found = trained.solution.std_at(PLACES[:, None]).temperature
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-4 * SIGMA)


def open_rod(seed: int = 0) -> ps.Problem:
    """``T = 1 + s x`` with no condition on the right: the slope is a direction of the field, not an unknown."""
    noise = np.random.default_rng(seed).normal(0.0, 0.02, len(SENSORS))
    return ps.Problem(
        "open_rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(1.0),
        [ps.Dirichlet("left", temperature=1.0)],
        measurements=ps.Measurements(
            SENSORS[:, None], {"temperature": 1.0 + 2.0 * SENSORS + noise}, sigma=0.02
        ),
        scales={"temperature": 1.0},
    )


def test_a_field_that_rests_on_data_alone_has_a_band() -> None:
    solution = train(open_rod(), ps.Method(max_steps=40)).solution
    assert solution.estimates == ()
    known = solution.posterior
    assert known is not None
    assert known.num_open == pytest.approx(1.0, abs=0.01)
    expected = 0.02 * PLACES / np.linalg.norm(SENSORS)
    found = solution.std_at(PLACES[:, None]).temperature
    np.testing.assert_allclose(found, expected, rtol=0.02, atol=1e-4)


def test_band_and_intervals_cover_the_truth_as_often_as_they_say(trained: Trained) -> None:
    """The problem is linear, so one Gauss-Newton step from any solution is the whole way."""
    system, theta = trained.system, trained.theta
    rows = linearise(system, theta)
    marginal = marginalise(rows)
    (data,) = [block for block in system.blocks if block.noise is not None]
    readings = data.data["temperature"].numpy()
    count = system.network.num_parameters
    known, generator = trained.solution.posterior, np.random.default_rng(0)
    assert known is not None
    std = known.std
    band = trained.solution.std_at(PLACES[1:, None]).temperature
    with pytest.raises(ValueError, match=r"of fields alone, not of 'heat_flux'.*'?temperature"):
        trained.solution.std_at(PLACES[1:, None])["heat_flux"]
    inside = []
    for _ in range(300):
        drawn = temperature(SENSORS) + generator.normal(0.0, SIGMA, len(SENSORS))
        moved = replace(marginal, misfit=_projected(rows, marginal, (readings - drawn) / SIGMA))
        step = unknowns_given(moved, ()).step
        numbers = known.mean + known.slopes * step
        field = temperature(PLACES[1:], *numbers)
        errors = np.concatenate((numbers - [300.0, 600.0], field - temperature(PLACES[1:])))
        inside.append(np.abs(errors) < 1.96 * np.concatenate((std, band)))
    shares = np.mean(inside, axis=0)
    assert ((shares > 0.91) & (shares < 0.985)).all(), shares
    assert count == len(marginal.response)


def _projected(rows: object, marginal: object, change: np.ndarray) -> np.ndarray:
    """Return the misfit after other readings; no direction of the field is open, so nothing is projected out."""
    assert marginal.num_open < 1e-3  # type: ignore[attr-defined]
    del rows
    return np.asarray(marginal.misfit + change)  # type: ignore[attr-defined]


def test_priors_narrow_the_interval_and_make_the_evidence_exact() -> None:
    """``log N(d; A m, sigma^2 + A S A^T)`` with priors N(m, S) of both numbers."""
    mean, spread = np.array([250.0, 550.0]), np.array([30.0, 20.0])
    s = ps.Unknown("s", 200.0, prior=ps.Normal(mean[0], spread[0]))
    q = ps.Unknown("q", 500.0, prior=ps.Normal(mean[1], spread[1]))
    problem = rod(s, q)
    known = train(problem, METHOD).solution.posterior
    assert known is not None
    precision = np.linalg.inv(covariance()) + np.diag(spread**-2.0)
    np.testing.assert_allclose(known.covariance, np.linalg.inv(precision), rtol=5e-3)
    np.testing.assert_allclose(known.bound, np.sqrt(np.diag(covariance())), rtol=2e-3)
    data = problem.measurements
    assert data is not None
    rest = data.values["temperature"] - temperature(SENSORS, *mean)
    total = SIGMA**2 * np.eye(5) + design(SENSORS) @ np.diag(spread**2) @ design(SENSORS).T
    size = np.linalg.slogdet(2.0 * math.pi * total)[1]
    expected = -0.5 * (rest @ np.linalg.solve(total, rest) + size)
    assert known.log_evidence == pytest.approx(expected, abs=0.05)


def test_a_worse_model_has_less_evidence() -> None:
    right = train(rod(ps.Unknown("s", 200.0, (1.0, 1e4)), 600.0), METHOD).solution.posterior
    wrong = train(rod(ps.Unknown("s", 200.0, (1.0, 1e4)), 500.0), METHOD).solution.posterior
    assert right is not None
    assert wrong is not None
    assert right.log_evidence > wrong.log_evidence + 2.0


def test_intervals_stay_within_bounds_and_are_wider_at_higher_levels(trained: Trained) -> None:
    known = trained.solution.posterior
    assert known is not None
    narrow, wide = known.interval("s", 0.5), known.interval("s", 0.999)
    assert wide[0] < narrow[0] < known.mean[0] < narrow[1] < wide[1]
    k = ps.Unknown("k", 2.0, bounds=(1.0, 5.0))
    loose = replace(
        known,
        unknowns=(k,),
        search=np.array([0.3]),
        search_covariance=np.array([[9.0]]),
        data_factor=np.array([[1.0 / 3.0]]),
        prior_factor=np.zeros((0, 1)),
    )
    low, high = loose.interval("k")
    assert 1.0 < low < high < 5.0
    assert low == pytest.approx(float(k.value(torch.tensor(0.3 - 1.959964 * 3.0).double())))
    untold = replace(loose, search_covariance=np.array([[1e20]]))
    assert untold.interval("k") == (1.0, 5.0)
    assert untold.std[0] == math.inf


def test_refusals(trained: Trained) -> None:
    known = trained.solution.posterior
    assert known is not None
    with pytest.raises(ValueError, match=r"no unknown 'Q'\. There are s, q\. Did you mean 'q'"):
        known.interval("Q")
    with pytest.raises(ValueError, match="level must lie between 0 and 1, got 95"):
        known.interval("q", 95)
    bare = replace(trained.solution, posterior=None)
    with pytest.raises(ValueError, match="'rod': nothing was measured"):
        bare.std_at([[0.5]])


def test_a_posterior_is_saved_with_its_solution(trained: Trained, tmp_path: Path) -> None:
    trained.solution.save(tmp_path / "rod.h5")
    again = ps.load(tmp_path / "rod.h5", trained.solution.problem)
    before, after = trained.solution.posterior, again.posterior
    assert before is not None
    assert after is not None
    np.testing.assert_array_equal(after.covariance, before.covariance)
    assert after.log_evidence == before.log_evidence
    assert after.interval("q") == before.interval("q")
    at = PLACES[:, None]
    np.testing.assert_array_equal(
        again.std_at(at).temperature, trained.solution.std_at(at).temperature
    )
    assert again.estimates == trained.solution.estimates


def test_more_readings_than_parameters(trained: Trained) -> None:
    """Every reading repeated with noise that grows as the root of their number says the same."""
    rows = linearise(trained.system, trained.theta)
    data = rows.data
    times = 1 + rows.num_network // min(len(item.misfit) for item in data)
    root = math.sqrt(times)
    repeated = tuple(
        replace(
            item,
            jacobian=np.repeat(item.jacobian, times, axis=0) / root,
            misfit=np.repeat(item.misfit, times) / root,
        )
        for item in data
    )
    few, many = marginalise(rows), marginalise(replace(rows, data=repeated))
    np.testing.assert_allclose(many.information, few.information, rtol=1e-6)
    assert many.num_open == pytest.approx(few.num_open, rel=1e-4, abs=1e-6)
    np.testing.assert_allclose(
        many.spread @ many.spread.T, few.spread @ few.spread.T, rtol=1e-4, atol=1e-9
    )
