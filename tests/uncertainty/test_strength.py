"""The strength of a prior from the data: known optima, a deconvolution, and a function in a trained problem."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.status import StopReason
from pinnsolve.training import train
from pinnsolve.uncertainty import choose_smoothness, settled
from pinnsolve.uncertainty.choosing import Chosen
from pinnsolve.uncertainty.gaussian import gaussian_of
from pinnsolve.uncertainty.strength import (
    _MOST_TOGETHER,
    STRONGEST,
    LinearRows,
    _axes,
    chosen_strength,
    root_over_strengths,
)
from pinnsolve.unknown_functions import UnknownFunction

RULES = ("evidence", "discrepancy", "l-curve")


def many_numbers(spread: float, seed: int, count: int = 400) -> tuple[LinearRows, LinearRows]:
    """Return numbers drawn from N(0, spread^2), each measured once with noise 1, and the prior at strength 1."""
    generator = np.random.default_rng(seed)
    readings = generator.normal(0.0, spread, count) + generator.normal(0.0, 1.0, count)
    unit = np.eye(count)
    return LinearRows(unit, -readings), LinearRows(unit, np.zeros(count))


@pytest.mark.parametrize("spread", [1.0, 3.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_evidence_has_its_maximum_at_the_empirical_spread(spread: float, seed: int) -> None:
    """The readings are N(0, spread^2 + 1): the best spread^2 is their mean square less one."""
    data, prior = many_numbers(spread, seed, count=100)
    expected = math.sqrt(np.mean(data.misfit**2) - 1.0)
    assert 1.0 / chosen_strength(data, prior, 100) == pytest.approx(expected, rel=1e-3)


def test_the_discrepancy_is_the_noise() -> None:
    """With d = y / (1 + s^2) the squared misfit is that of y times (s^2 / (1 + s^2))^2."""
    data, prior = many_numbers(3.0, seed=0, count=100)
    strength = chosen_strength(data, prior, 100, "discrepancy")
    share = strength**2 / (1.0 + strength**2)
    assert share**2 * np.sum(data.misfit**2) == pytest.approx(100.0, rel=0.05)


def test_data_without_a_signal_ask_for_the_strongest_prior() -> None:
    data, prior = many_numbers(1e-9, seed=0, count=50)
    calm = LinearRows(data.jacobian, 0.5 * data.misfit)
    assert chosen_strength(calm, prior, 50) > 0.5 * STRONGEST
    assert chosen_strength(calm, prior, 50, "discrepancy") == pytest.approx(STRONGEST)


def deconvolution(seed: int) -> tuple[LinearRows, LinearRows, np.ndarray]:
    """Return readings of a function smeared by a Gaussian of width 0.05, a prior of bends, and the truth."""
    x = np.linspace(0.0, 1.0, 60)
    truth = np.sin(2.0 * math.pi * x) + 0.5 * np.exp(-(((x - 0.7) / 0.1) ** 2))
    kernel = np.exp(-0.5 * ((x[:, None] - x) / 0.05) ** 2)
    kernel /= kernel.sum(axis=1, keepdims=True)
    noise = 0.02
    readings = kernel @ truth + np.random.default_rng(seed).normal(0.0, noise, len(x))
    bends = np.diff(np.eye(60), n=2, axis=0) * 59.0**1.5
    return LinearRows(kernel / noise, -readings / noise), LinearRows(bends, np.zeros(58)), truth


def error(data: LinearRows, prior: LinearRows, truth: np.ndarray, strength: float) -> float:
    stacked = np.vstack((data.jacobian, strength * prior.jacobian))
    right = np.concatenate((data.misfit, strength * prior.misfit))
    found = -np.linalg.lstsq(stacked, right, rcond=None)[0]
    return float(np.linalg.norm(found - truth) / np.linalg.norm(truth))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_deconvolution_is_nearly_as_good_as_with_the_best_strength(rule: str, seed: int) -> None:
    data, prior, truth = deconvolution(seed)
    best = min(error(data, prior, truth, s) for s in np.geomspace(1e-5, 1e2, 60))
    strength = chosen_strength(data, prior, 60, rule)  # type: ignore[arg-type]
    limit = {"evidence": 1.3, "discrepancy": 2.5, "l-curve": 2.0}[rule]
    assert error(data, prior, truth, strength) < limit * best
    assert error(data, prior, truth, 1e-5) > 3.0 * best


def test_an_unknown_rule_is_refused() -> None:
    data, prior = many_numbers(1.0, seed=0, count=5)
    with pytest.raises(
        ValueError, match="rule must be evidence, discrepancy or l-curve, got 'gcv'"
    ):
        chosen_strength(data, prior, 5, "gcv")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="smoothness must be one of evidence, discrepancy"):
        ps.Method(smoothness="gcv")  # type: ignore[arg-type]


def source_problem(smoothness: float | None, seed: int) -> ps.Problem:
    """``-T'' = s(x)`` with T = 0 at both ends and s unknown: T is s smeared by Green's function."""
    x, sigma = np.linspace(0.05, 0.95, 19), 2e-4
    exact = np.sin(2.0 * math.pi * x) / (2.0 * math.pi) ** 2
    noise = np.random.default_rng(seed).normal(0.0, sigma, len(x))
    s = ps.UnknownFunction("s", of={"x": (0.0, 1.0)}, num=20, smoothness=smoothness)
    return ps.Problem(
        "source",
        ps.Interval(0.0, 1.0),
        ps.Heat(1.0, source=s),
        [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=0.0)],
        measurements=ps.Measurements(x[:, None], {"temperature": exact + noise}, sigma=sigma),
        scales={"temperature": 0.03},
    )


def dense_rows(problem: ps.Problem) -> tuple[LinearRows, LinearRows]:
    """Return the same problem by Green's function: ``T(x) = int G(x, y) s(y) dy``."""
    data, (s,) = problem.measurements, problem.functions
    assert data is not None
    nodes = (np.arange(4000) + 0.5) / 4000
    x = data.points
    green = np.where(x < nodes, x * (1.0 - nodes), nodes * (1.0 - x)) / 4000
    sigma = float(data.sigma)  # type: ignore[arg-type]
    bends = s.second_differences()
    return (
        LinearRows(green @ s.basis(nodes) / sigma, -data.values["temperature"] / sigma),
        LinearRows(bends, np.zeros(len(bends))),
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_training_chooses_what_the_dense_linear_problem_asks_for(seed: int) -> None:
    problem = source_problem(None, seed)
    solution = train(problem, ps.Method(max_steps=60), seed=seed).solution
    data, prior = dense_rows(problem)
    expected = chosen_strength(data, prior, 19)
    known = solution.posterior
    assert known is not None
    assert known.smoothness["s"] == pytest.approx(expected, rel=0.05)
    at = np.linspace(0.0, 1.0, 50)
    stacked = np.vstack((data.jacobian, expected * prior.jacobian))
    (s,) = problem.functions
    best = s.basis(at) @ -np.linalg.lstsq(stacked, np.r_[data.misfit, prior.misfit], rcond=None)[0]
    held = np.linalg.norm(s.basis(at) @ np.linalg.inv(np.linalg.qr(stacked)[1]), axis=1)
    spread = np.linalg.norm(s.basis(at) @ root_over_strengths(data, [prior], [expected]), axis=1)
    found = solution.functions["s"]
    np.testing.assert_allclose(found.std(at), spread, rtol=0.05)
    assert (spread > 0.99 * held).all()
    assert np.abs(found(at) - best).max() < 0.2 * spread.min()


def test_bands_cover_when_the_strength_is_not_known() -> None:
    """Splines of unknown roughness from few readings: 95 % bands cover, also where a straight line is as probable.

    With the strength of the highest evidence taken for the truth they are too narrow.
    """
    generator, size = np.random.default_rng(0), 12
    bends = np.diff(np.eye(size), 2, axis=0)
    places = np.linspace(-1.0, 1.0, size)
    see = np.exp(-8.0 * (places[:, None] - places[None, ::2]) ** 2).T
    see /= see.sum(axis=1, keepdims=True)
    covered: list[tuple[float, float]] = []
    for _ in range(150):
        strength = 10.0 ** generator.uniform(0.0, 2.0)
        wiggle = np.linalg.pinv(bends) @ generator.normal(0.0, 1.0 / strength, size - 2)
        truth = wiggle + generator.normal() + generator.normal() * places
        misfit = -(see @ truth + generator.normal(0.0, 0.1, len(see))) / 0.1
        data, prior = LinearRows(see / 0.1, misfit), LinearRows(bends, np.zeros(size - 2))
        chosen = chosen_strength(data, prior, len(see))
        rows = np.concatenate((data.jacobian, chosen * bends))
        found = gaussian_of(rows, np.concatenate((misfit, np.zeros(size - 2))))
        stds = [
            np.linalg.norm(root, axis=1)
            for root in (found.root, root_over_strengths(data, [prior], [chosen]))
        ]
        covered.append(tuple(np.mean(np.abs(found.step - truth) < 1.96 * std) for std in stds))
    known, open_strength = np.mean(covered, axis=0)
    assert known < 0.92
    assert 0.92 < open_strength < 0.99


def cauchy_rows() -> tuple[np.ndarray, UnknownFunction]:
    """Return the readings at the bottom, over their noise, by the coefficients on top of Cauchy's problem."""
    top = UnknownFunction("top", of={"x": (0.0, 1.0)}, num=13)
    fine, sensors = (np.arange(2000) + 0.5) / 2000, np.linspace(0.0, 1.0, 21)
    waves = np.arange(12)
    parts = np.cos(np.pi * np.outer(waves, fine)) @ top.basis(fine) / len(fine)
    parts[1:] *= 2.0
    damped = np.cos(np.pi * np.outer(sensors, waves)) / np.cosh(np.pi * waves)
    return damped @ parts / 0.01, top


def test_bands_of_cauchys_problem_are_neither_too_narrow_nor_much_too_wide() -> None:
    """What one half wave and two leave at the bottom may look alike, so that one band has to do for both."""
    generator, (see, top), x = np.random.default_rng(0), cauchy_rows(), np.linspace(0.0, 1.0, 41)
    table, bends = top.basis(x), top.second_differences()
    prior = LinearRows(bends, np.zeros(len(bends)))
    shares, widths = [], []
    for waves in (1.0, 1.5, 2.0) * 12:
        truth = np.linalg.lstsq(table, np.cos(waves * np.pi * x), rcond=None)[0]
        data = LinearRows(see, -(see @ truth + generator.normal(size=len(see))))
        chosen = chosen_strength(data, prior, len(see))
        rows = np.concatenate((see, chosen * bends))
        found = gaussian_of(rows, np.concatenate((data.misfit, prior.misfit))).step
        std = np.linalg.norm(table @ root_over_strengths(data, [prior], [chosen]), axis=1)
        shares.append(np.mean(np.abs(table @ (found - truth)) < 1.96 * std))
        widths.append(math.sqrt(np.mean(std**2)))
    held = gaussian_of(np.concatenate((see, 0.1 * bends)), np.zeros(len(see) + len(bends)))
    known = math.sqrt(np.mean(np.linalg.norm(table @ held.root, axis=1) ** 2))
    assert np.mean(shares) > 0.94
    assert np.mean(shares[2::3]) > 0.9  # two half waves, which the data hardly tell
    assert np.median(widths) < 2.2 * known


def two_functions(
    generator: np.random.Generator,
) -> tuple[LinearRows, list[LinearRows], np.ndarray]:
    """Return few readings of a sum of two functions of unknown roughness, their priors, and the truth."""
    size = 10
    bends = np.diff(np.eye(size), 2, axis=0)
    none = np.zeros((size - 2, size))
    places = np.linspace(-1.0, 1.0, size)
    see = np.exp(-8.0 * (places[:, None] - places[None, ::2]) ** 2).T
    see /= see.sum(axis=1, keepdims=True)
    truth = [
        np.linalg.pinv(bends)
        @ generator.normal(0.0, 10.0 ** -generator.uniform(0.0, 2.0), size - 2)
        for _ in range(2)
    ]
    both = np.block([[see, 0.0 * see], [0.0 * see, see], [see, see]])
    misfit = -(both @ np.concatenate(truth) + generator.normal(0.0, 0.1, len(both))) / 0.1
    rest = np.zeros(size - 2)
    priors = [
        LinearRows(np.hstack((bends, none)), rest),
        LinearRows(np.hstack((none, bends)), rest),
    ]
    return LinearRows(both / 0.1, misfit), priors, np.concatenate(truth)


def test_bands_of_several_functions_cover_when_their_strengths_are_not_known() -> None:
    generator = np.random.default_rng(0)
    covered: list[tuple[float, float]] = []
    for _ in range(40):
        data, priors, truth = two_functions(generator)
        chosen = [1.0, 1.0]
        for i in (0, 1) * 3:
            other, rest = priors[1 - i], chosen[1 - i]
            beside = LinearRows(
                np.concatenate((data.jacobian, rest * other.jacobian)),
                np.concatenate((data.misfit, rest * other.misfit)),
            )
            chosen[i] = chosen_strength(beside, priors[i], 15)
        rows = [data.jacobian, *(c * p.jacobian for c, p in zip(chosen, priors, strict=True))]
        found = gaussian_of(np.concatenate(rows), np.concatenate((data.misfit, np.zeros(16))))
        stds = [
            np.linalg.norm(root, axis=1)
            for root in (found.root, root_over_strengths(data, priors, chosen))
        ]
        covered.append(tuple(np.mean(np.abs(found.step - truth) < 1.96 * std) for std in stds))
    known, open_strengths = np.mean(covered, axis=0)
    assert known < 0.92
    assert 0.91 < open_strengths < 0.99


def test_two_functions_that_know_nothing_of_each_other_have_the_roots_of_one_each() -> None:
    data, priors = many_numbers(1.0, seed=0, count=40)
    half = np.zeros((40, 40))
    joint = LinearRows(np.kron(np.eye(2), data.jacobian), np.tile(data.misfit, 2))
    both = [
        LinearRows(np.hstack((priors.jacobian, half)), priors.misfit),
        LinearRows(np.hstack((half, priors.jacobian)), priors.misfit),
    ]
    strength = chosen_strength(data, priors, 40)
    alone = root_over_strengths(data, [priors], [strength])
    together = root_over_strengths(joint, both, [strength, strength])
    expected = np.linalg.norm(alone, axis=1)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), np.tile(expected, 2), rtol=0.02)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 20])
def test_combinations_of_strengths_are_bounded_and_have_the_chosen_ones(count: int) -> None:
    ranges = [np.linspace(-3.0, 3.0, 31 - i) for i in range(count)]
    at = [float(places[9]) for places in ranges]
    axes = _axes(ranges, at)
    assert math.prod(map(len, axes)) <= _MOST_TOGETHER
    assert all(place in axis for place, axis in zip(at, axes, strict=True))
    assert [len(axis) > 1 for axis in axes] == [i < 4 for i in range(count)]
    assert all(axis[0] == -3.0 and axis[-1] == 3.0 for axis in axes[:4])


def test_without_time_there_is_one_round_and_the_message_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Choosing stops after its first round, however much it would still change."""
    trained = train(source_problem(3.0, 0), ps.Method(max_steps=60))
    system, theta, functions = trained.system, trained.theta, source_problem(None, 0).functions
    asked = []

    def never() -> bool:
        asked.append(True)
        return False

    hurried = choose_smoothness(system, theta, functions, has_time=never)
    assert asked
    assert not hurried.in_time
    assert choose_smoothness(system, theta, functions).in_time
    # the last round ends where time ran out too, not at the optimum
    assert settled(system, theta).in_time
    cut_short = settled(hurried.system, theta, has_time=never)
    assert not cut_short.in_time
    assert not torch.equal(cut_short.theta, settled(hurried.system, theta).theta)
    monkeypatch.setattr("pinnsolve.uncertainty.choosing._ROUNDS", 1)
    assert not choose_smoothness(system, theta, functions, has_time=never).in_time
    assert choose_smoothness(system, theta, functions).in_time


def test_a_run_whose_strengths_had_no_time_has_not_converged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem, method = source_problem(3.0, 0), ps.Method(max_steps=60)
    in_time = train(problem, method).solution.status
    assert in_time.reason is StopReason.CONVERGED

    def late(*given: Any) -> Chosen:
        return replace(choose_smoothness(*given), in_time=False)

    monkeypatch.setattr("pinnsolve.training.run.choose_smoothness", late)
    status = train(problem, method).solution.status
    assert status.reason is StopReason.MAX_SECONDS
    assert "no time was left to choose the smoothness" in status.message
    assert in_time.message not in status.message
