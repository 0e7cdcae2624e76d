"""Solved with data of every kind: the answer, and what the verdict says it rests on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.judging_data import data_checks, data_notes
from pinnsolve.training import train

METHOD = ps.Method(hidden=(8,), points=ps.PointCounts(30, 2), max_steps=40, max_seconds=60.0)
X = np.linspace(0.05, 0.95, 24)
SIGMA = 0.3


def line(seed: int, **options: object) -> ps.Measurements:
    values = 20.0 + 30.0 * X + np.random.default_rng(seed).normal(0.0, SIGMA, len(X))
    sigma = options.pop("sigma", SIGMA)
    return ps.Measurements(X[:, None], {"temperature": values}, sigma, **options)  # type: ignore[arg-type]


def rod(*data: ps.Measurements, conditions: tuple[ps.Condition, ...] = ()) -> ps.Problem:
    return ps.Problem(
        "rod", ps.Interval(0.0, 1.0), ps.Heat(2.0), conditions, measurements=data, accuracy=1e-6
    )


def checks(solution: ps.Solution) -> dict[str, ps.Check]:
    return {check.name: check for check in data_checks(solution)}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_held_out_sensors_agree_and_are_not_learned_from(seed) -> None:
    """The fit is the regression of the other rows, to a tenth of its standard error."""
    data = line(seed, holdout=0.25, holdout_seed=seed)
    solution = train(rod(data), METHOD, seed=seed).solution
    kept = ~data.held_out(1)
    fit = np.polyfit(X[kept], data.values["temperature"][kept], 1)
    ends = solution.at([[0.0], [1.0]]).temperature
    assert ends == pytest.approx([fit[1], fit.sum()], abs=0.1 * SIGMA * 2.0 / np.sqrt(kept.sum()))
    found = checks(solution)
    assert list(found) == [
        "misfit to measurements / noise",
        "held-out sensors of measurements / noise",
    ]
    out = (data.values["temperature"][~kept] - np.polyval(fit, X[~kept])) / SIGMA
    seen, unseen = np.vander(X[kept], 2), np.vander(X[~kept], 2)
    covariance = np.eye(len(out)) + unseen @ np.linalg.inv(seen.T @ seen) @ unseen.T
    held = found["held-out sensors of measurements / noise"]
    expected = np.sqrt(out @ np.linalg.solve(covariance, out) / len(out))
    assert held.value == pytest.approx(expected, rel=0.02)
    assert held.passed


def test_more_held_out_readings_than_one_batch() -> None:
    """The check is that of a regression: chi over all readings, the spread of the line added to their noise."""
    data = line(0)
    solution = train(rod(data), METHOD).solution
    generator = np.random.default_rng(5)
    places = generator.uniform(0.0, 1.0, 6000)
    readings = 20.0 + 30.0 * places + generator.normal(0.0, SIGMA, len(places))
    many = ps.Measurements(places[:, None], {"temperature": readings}, SIGMA, holdout=0.9)
    held = replace(solution, problem=rod(data, many))
    check = checks(held)["held-out sensors of measurements 2 / noise"]
    out = many.held_out(1)
    assert np.sum(out) > 4096
    seen, unseen = np.vander(X, 2), np.vander(places[out], 2)
    off = (readings[out] - unseen @ np.polyfit(X, data.values["temperature"], 1)) / SIGMA
    inner = np.linalg.inv(seen.T @ seen + unseen.T @ unseen)  # 1 + S inverted, by Woodbury
    along = unseen.T @ off
    assert check.value == pytest.approx(
        np.sqrt((off @ off - along @ inner @ along) / len(off)), rel=0.02
    )


def test_held_out_sensors_tell_a_wrong_physics() -> None:
    """A source that nobody declared: the network bends the field where it learns, and not between."""
    bent = replace(line(0), values={"temperature": 20.0 + 200.0 * X * (1.0 - X)})
    found = checks(train(rod(replace(bent, holdout=0.25)), METHOD).solution)
    assert not found["misfit to measurements / noise"].passed
    assert not found["held-out sensors of measurements / noise"].passed


def test_an_overstated_precision_fails_and_estimated_noise_is_a_note() -> None:
    stated = train(rod(line(1, sigma=SIGMA / 3.0)), METHOD).solution
    assert not checks(stated)["misfit to measurements / noise"].passed
    found = train(rod(line(1, sigma=None, holdout=0.25)), METHOD).solution
    assert list(checks(found)) == ["held-out sensors of measurements / noise"]
    assert checks(found)["held-out sensors of measurements / noise"].passed
    (note,) = [note for note in data_notes(found) if "sigma" in note]
    assert "noise of measurements: temperature estimated from its residuals" in note
    assert "(18 readings, of which the field and the unknowns take 2.0)" in note


def test_the_verdict_says_what_no_condition_says() -> None:
    solution = ps.solve(rod(line(0)), METHOD, progress=False)
    assert solution.verdict is not None
    notes = "\n".join(solution.verdict.notes)
    assert (
        "no condition for temperature on the boundary part 'left': there the answer rests on the mea"
        in notes
    )
    assert "on the boundary part 'right'" in notes
    ends = (ps.Dirichlet("left", temperature=20.0), ps.Dirichlet("right", temperature=50.0))
    whole = train(rod(line(0), conditions=ends), METHOD).solution
    assert data_notes(whole) == []


def test_fewer_readings_than_unknowns_are_noted() -> None:
    left, right = ps.Unknown("left", 10.0), ps.Unknown("right", 10.0)
    ends = (ps.Dirichlet("left", temperature=left), ps.Dirichlet("right", temperature=right))
    data = ps.Measurements([[0.5]], {"temperature": [35.0]}, SIGMA)
    solution = train(rod(data, conditions=ends), replace(METHOD, max_steps=10)).solution
    assert "1 readings for 2 unknowns: they cannot all be told from these data" in data_notes(
        solution
    )


def test_outliers_are_counted() -> None:
    data = line(2, likelihood="student")
    data.values["temperature"][[3, 15]] += 20.0
    check = checks(train(rod(data), METHOD).solution)["misfit to measurements / noise"]
    assert check.passed
    assert "(student); 2 of 24 beyond 3 sigma" in check.note


def test_flux_slope_and_mean_are_data_like_any_other() -> None:
    """``T = a + b x`` from one flux, ``-k b = -60``, and the mean over the rod, ``a + b / 2 = 35``."""
    slope = ps.Measurements([[0.5]], {"heat_flux_x": [-60.0]}, 0.01)
    mean = ps.Measurements(
        [[0.0]], {"temperature": [35.0]}, 0.01, over=ps.LineAverage([0.0], [1.0])
    )
    solution = train(rod(slope, mean), METHOD).solution
    assert solution.at([[0.0], [1.0]]).temperature == pytest.approx([20.0, 50.0], abs=0.05)
    found = checks(solution)
    assert list(found) == ["misfit to measurements 1 / noise", "misfit to measurements 2 / noise"]


def test_strain_gauges_find_a_load() -> None:
    """A bar under tension, its modulus known: gauges of 10 cm read ``strain = p / E``."""
    load = ps.Unknown("p", 1.0, bounds=(0.1, 10.0))
    gauges = ps.Measurements(
        [[0.3, 0.2], [0.5, 0.2], [0.7, 0.2]],
        {"strain_xx": [205.0, 195.0, 200.0]},
        5.0,
        units={"strain_xx": "um/m"},
        over=ps.LineAverage((-0.05, 0.0), (0.05, 0.0), 2),
    )
    problem = ps.Problem(
        "bar",
        ps.Rectangle((0.0, 0.0), (1.0, 0.4)),
        ps.Elasticity(youngs_modulus=1e4, poissons_ratio=0.3, plane="stress"),
        [
            ps.Symmetry("left"),
            ps.Symmetry("bottom"),
            ps.Traction("right", [load, 0.0]),
            ps.Traction("top", [0.0, 0.0]),
        ],
        measurements=gauges,
    )
    method = ps.Method(hidden=(8,), points=ps.PointCounts(60, 60), max_steps=60, max_seconds=120.0)
    (estimate,) = train(problem, method).solution.estimates
    assert estimate.value == pytest.approx(2.0, abs=0.2 * estimate.std)
    assert estimate.std == pytest.approx(1e4 * 5e-6 / np.sqrt(3.0), rel=1e-2)


def test_saved_and_read_again(tmp_path) -> None:
    """Noise that was estimated comes back with the solution, and so do its checks."""
    from pinnsolve.interop.hdf5 import read_solution

    problem = rod(line(1, sigma=None, holdout=0.25))
    solution = train(problem, replace(METHOD, max_steps=15)).solution
    solution.save(tmp_path / "a.h5")
    again = read_solution(tmp_path / "a.h5", problem)
    assert again.record.noise == solution.record.noise
    assert again.record.noise_freedom == solution.record.noise_freedom
    assert data_checks(again) == data_checks(solution)


@pytest.mark.parametrize("likelihood", ["normal", "student"])
def test_what_is_held_out_beside_few_readings_counts_the_spread_of_the_field(likelihood) -> None:
    """Four readings on the left tell a line; extrapolated to the right it is off by several times the noise."""
    exact = 20.0 + 30.0 * X
    data = ps.Measurements(
        X[:4, None], {"temperature": exact[:4] + SIGMA * np.r_[1, 0, -1, 0]}, SIGMA
    )
    far = ps.Measurements(X[-4:, None], {"temperature": exact[-4:]}, SIGMA, likelihood=likelihood)
    solution = train(rod(data), replace(METHOD, max_steps=300)).solution
    held = replace(solution, problem=rod(data, replace(far, holdout=0.75)))
    check = checks(held)["held-out sensors of measurements 2 / noise"]
    off = (solution.at(far.points).temperature - exact[-4:]) / SIGMA
    assert np.abs(off).min() > 4.0
    assert check.passed
    assert check.value < 1.5
