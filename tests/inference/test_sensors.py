"""Where to measure next: against brute force, and against what happens when the sensor is there."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.training import Trained, train

K, SIGMA = 4.0, 0.3
X = np.array([0.2, 0.3, 0.4])
PLACES = np.linspace(0.1, 1.0, 10)
METHOD = ps.Method(hidden=(8,), points=ps.PointCounts(40, 2), max_steps=50)


def design(x: np.ndarray) -> np.ndarray:
    """Return the derivative of the temperature by source and flux, shape (N, 2)."""
    return np.column_stack((x - 0.5 * x**2, -x)) / K


def covariance(x: np.ndarray) -> np.ndarray:
    return SIGMA**2 * np.linalg.inv(design(x).T @ design(x))


def rod(x: np.ndarray) -> ps.Problem:
    readings = 100.0 + design(x) @ [300.0, 600.0]
    return ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(K, source=ps.Unknown("s", 200.0)),
        [
            ps.Dirichlet("left", temperature=100.0),
            ps.Neumann("right", temperature=ps.Unknown("q", 500.0)),
        ],
        measurements=ps.Measurements(x[:, None], {"temperature": readings}, sigma=SIGMA),
        quantities=[ps.point_value("end", "temperature", (1.0,))],
        accuracy=1e-6,
    )


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train(rod(X), METHOD)


def found(trained: Trained, **settings: object) -> ps.NextSensors:
    return ps.next_sensors(
        trained.solution,
        PLACES[:, None],
        component="temperature",
        sigma=SIGMA,
        **settings,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(("goal", "row"), [("s", 0), ("q", 1)])
def test_one_sensor_is_the_best_of_all_places(trained: Trained, goal: str, row: int) -> None:
    result = found(trained, goal=goal, num=1)
    stds = [np.sqrt(covariance(np.append(X, place))[row, row]) for place in PLACES]
    assert result.chosen.tolist() == [int(np.argmin(stds))]
    assert result.names == (goal,)
    assert result.before[0] == pytest.approx(np.sqrt(covariance(X)[row, row]), rel=5e-3)
    assert result.after[0, 0] == pytest.approx(min(stds), rel=5e-3)
    gains = np.log(np.sqrt(covariance(X)[row, row]) / np.array(stds))
    np.testing.assert_allclose(result.gains, gains, rtol=0.02, atol=1e-4)


def test_two_sensors_are_as_good_as_the_best_pair(trained: Trained) -> None:
    result = found(trained, num=2)
    volume = {
        pair: np.linalg.det(covariance(np.append(X, PLACES[list(pair)])))
        for pair in combinations_with_replacement(range(10), 2)
    }
    best = min(volume, key=lambda pair: volume[pair])
    assert tuple(sorted(result.chosen.tolist())) == best
    expected = np.sqrt(np.diag(covariance(np.append(X, PLACES[list(best)]))))
    np.testing.assert_allclose(result.after[-1], expected, rtol=5e-3)


def test_a_quantity_of_interest_may_be_the_goal(trained: Trained) -> None:
    result = found(trained, goal="end", num=1)
    row = design(np.array([1.0]))[0]
    assert result.before[0] == pytest.approx(np.sqrt(row @ covariance(X) @ row), rel=5e-3)
    assert PLACES[result.chosen[0]] == pytest.approx(1.0)
    after = covariance(np.append(X, 1.0))
    assert result.after[0, 0] == pytest.approx(np.sqrt(row @ after @ row), rel=5e-3)
    assert "now: std of end" in str(result)
    assert "sensor at (1): std of end" in str(result)


def test_the_prediction_comes_true(trained: Trained) -> None:
    result = found(trained, num=1)
    again = train(rod(np.append(X, result.points[0, 0])), METHOD).solution.posterior
    assert again is not None
    np.testing.assert_allclose(again.std, result.after[0], rtol=1e-2)


def test_unknowns_that_nothing_tells_yet_are_held_to_what_was_known(trained: Trained) -> None:
    """Two sensors for an unknown that the data do not see: the spread before is that of the guess."""
    known = trained.solution.posterior
    assert known is not None
    root = known.root.copy()
    root[-2] *= 1e9
    lost = replace(trained.solution, posterior=replace(known, root=root))
    result = ps.next_sensors(
        lost, PLACES[:, None], component="temperature", sigma=SIGMA, goal="s", num=1
    )
    assert result.before[0] < 300.0
    assert np.isfinite(result.after).all()


def test_refusals(trained: Trained) -> None:
    def ask(
        places: object = PLACES[:, None], component: str = "temperature", **more: object
    ) -> None:
        settings = {"sigma": 0.1, **more}
        ps.next_sensors(trained.solution, places, component=component, **settings)  # type: ignore[arg-type]

    with pytest.raises(ValueError, match=r"no component 'temprature'.*Did you mean 'temperature'"):
        ask(component="temprature")
    with pytest.raises(ValueError, match="sigma must be finite and > 0, got 0"):
        ask(sigma=0.0)
    with pytest.raises(ValueError, match="num must be >= 1, got 0"):
        ask(num=0)
    with pytest.raises(ValueError, match=r"no unknown or quantity 'Q'.*Did you mean 'q'"):
        ask(goal="Q")
    with pytest.raises(ValueError, match=r"candidate 2 at \[1.5\] lies outside of the problem"):
        ask([[0.5], [1.5]])
    with pytest.raises(ValueError, match="points must be of shape"):
        ask([[0.5, 0.5]])


def test_without_measurements_this_is_said_first(trained: Trained) -> None:
    bare = replace(trained.solution, posterior=None)
    with pytest.raises(ValueError, match="has no measurements to add to; give it some"):
        ps.next_sensors(bare, [[7.0]], component="temprature", sigma=0.0, num=0, goal="Q")
