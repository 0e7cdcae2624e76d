"""Likelihoods that are not normal: profiles against closed forms, and what is said of numbers with one open side."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.judging_unknowns import not_identifiable, unknown_checks, unknown_notes
from pinnsolve.training import train
from pinnsolve.uncertainty import Posterior, Profile, identifiability

X = np.linspace(0.1, 1.0, 10)
SEEDS = (0, 1, 2)


def rod(
    physics: ps.Physics, right: ps.Condition, slope: float, sigma: float, seed: int
) -> ps.Problem:
    """Return a rod with ``T = 100 - slope x`` and noisy readings."""
    noise = sigma * np.random.default_rng(seed).normal(size=len(X))
    return ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        physics,
        [ps.Dirichlet("left", temperature=100.0), right],
        measurements=ps.Measurements(
            X[:, None], {"temperature": 100.0 - slope * X + noise}, sigma=sigma
        ),
        accuracy=1e-4,
    )


def fitted_slope(problem: ps.Problem) -> tuple[float, float]:
    """Return the slope by linear regression, and its standard deviation."""
    readings = problem.data[0].values["temperature"]
    square = float(X @ X)
    return float(X @ (100.0 - readings)) / square, float(problem.data[0].sigma) / math.sqrt(square)


def known_of(problem: ps.Problem) -> tuple[ps.Solution, Posterior]:
    solution = train(problem).solution
    assert solution.posterior is not None
    return solution, solution.posterior


@pytest.mark.parametrize("seed", SEEDS)
def test_a_number_that_the_field_is_linear_in_is_normal(seed: int) -> None:
    flux = ps.Neumann("right", temperature=ps.Unknown("q", 500.0))
    problem = rod(ps.Heat(4.0), flux, 150.0, 3.0, seed)
    known = known_of(problem)[1]
    profile = known.profiles["q"]
    assert profile.is_normal
    assert profile.is_open == (False, False)
    np.testing.assert_allclose(profile.roots, [-2.0, 0.0, 2.0], atol=0.02)
    assert known.not_normal == ()
    assert known.std[0] == pytest.approx(4.0 * fitted_slope(problem)[1], rel=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_interval_of_a_reciprocal_is_exact(seed: int) -> None:
    """The slope is q / k: chi-square is a parabola of 1 / k, known to about 20 %."""
    k = ps.Unknown("k", 3.0, bounds=(0.1, 10.0), logarithmic=False)
    problem = rod(ps.Heat(k), ps.Neumann("right", temperature=-600.0), -150.0, 60.0, seed)
    solution, known = known_of(problem)
    assert known.not_normal == ("k",)
    found, std = fitted_slope(problem)
    ends = sorted(-600.0 / (found + side * 1.959964 * std) for side in (-1.0, 1.0))
    assert known.interval("k") == pytest.approx(ends, rel=0.03)
    inner = sorted(-600.0 / (found + side * std) for side in (-1.0, 1.0))
    assert known.std[0] == pytest.approx(0.5 * (inner[1] - inner[0]), rel=0.1)
    (check,) = unknown_checks(solution)
    assert check.value == pytest.approx((ends[1] - ends[0]) / 9.9, rel=0.03)


def convective(seed: int, **settings: object) -> ps.Problem:
    """``q = 100 h / (1 + h)``: with a true h of 60 the data only say that h is large."""
    h = ps.Unknown("h", 20.0, bounds=(1.0, 1000.0), unit="W/(m2 K)", **settings)  # type: ignore[arg-type]
    convection = ps.Convection("right", coefficient=h, ambient=0.0)
    return rod(ps.Heat(1.0), convection, 100.0 * 60.0 / 61.0, 4.0, seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_side_that_the_data_leave_open_is_told(seed: int) -> None:
    problem = convective(seed)
    solution, known = known_of(problem)
    found, std = fitted_slope(problem)
    profile = known.profiles["h"]
    assert profile.is_open == (False, True)
    best = min(found, 100.0 * 1000.0 / 1001.0)
    # the least chi-square is at the bound, if the slope is beyond 100
    excess = math.sqrt((best - found) ** 2 + (1.959964 * std) ** 2)
    lowest = found - excess
    low, high = known.interval("h")
    assert low == pytest.approx(lowest / (100.0 - lowest), rel=0.05)
    assert high == pytest.approx(1000.0)
    assert not_identifiable(solution) == ("h",)
    (check,) = unknown_checks(solution)
    assert check.value == math.inf
    notes = " ".join(unknown_notes(solution))
    assert "the likelihood of h is not normal: its 95 % interval" in notes
    assert "standard deviations of the fields (std_at) still take it for normal" in notes
    assert f"not identifiable from these data: h; h > {low:.3g} (95 %)" in notes
    assert "is known to" not in notes


def test_the_verdict_of_solve_says_so() -> None:
    solution = ps.solve(convective(1), progress=False)
    assert solution.verdict is not None
    assert solution.verdict.state == "not identifiable"
    assert solution.estimates[0].interval == solution.posterior.interval("h")  # type: ignore[union-attr]


def test_a_prior_gives_an_end_but_is_no_data() -> None:
    """The upper end is that of the prior: the data alone leave it open."""
    solution, known = known_of(convective(1, prior=ps.LogNormal(60.0, 0.3)))
    low, high = known.interval("h")
    assert 25.0 < low < high < 130.0
    assert not_identifiable(solution) == ("h",)


def of_profile(profile: Profile, bounds: tuple[float, float] = (0.0, 1.0)) -> Posterior:
    """Return what is known of a number in the middle of its bounds by a profile."""
    return Posterior(
        method="laplace",
        unknowns=(ps.Unknown("s", 0.5 * sum(bounds), bounds=bounds),),
        search=np.zeros(1),
        search_covariance=np.array([[profile.std**2]]),
        data_factor=np.array([[1.0 / profile.std]]),
        prior_factor=np.zeros((0, 1)),
        log_evidence=0.0,
        num_data=9,
        num_open=0.0,
        root=np.zeros((0, 0)),
        samples=np.zeros((0, 1)),
        profiles={"s": profile},
    )


OPEN_BELOW = Profile(
    0.0, np.array([-2.0, -1.0, 0.0, 0.3, 0.6]), np.array([-0.7, -0.7, 0.0, 1.0, 2.0]), 0.5
)


def test_ends_of_profiles() -> None:
    assert OPEN_BELOW.is_open == (True, False)
    assert not OPEN_BELOW.is_normal
    assert OPEN_BELOW.at(1.5) == pytest.approx(0.45)
    assert OPEN_BELOW.at(3.0) == pytest.approx(0.9)  # beyond the last place: straight on
    assert OPEN_BELOW.at(-1.96) == -math.inf
    straight = Profile(0.1, np.array([-0.9, 0.1, 1.1]), np.array([-1.8, 0.0, 2.1]), 0.5)
    assert straight.is_normal
    assert straight.is_open == (False, False)
    assert replace(straight, std=0.8).is_normal is False


def test_draws_need_no_profile() -> None:
    known = replace(of_profile(OPEN_BELOW), samples=np.linspace(0.4, 0.6, 101)[:, None])
    assert known.not_normal == ()
    assert known.interval("s") == pytest.approx((0.405, 0.595))


def test_close_to_a_bound_is_known_nevertheless() -> None:
    """Within a tenth of what was known before, at the lower bound."""
    profile = Profile(
        -4.0, np.array([-6.0, -4.0, -3.0, -2.5]), np.array([-0.4, 0.0, 1.0, 2.0]), 1.0
    )
    known = replace(of_profile(profile), search=np.array([-4.0]))
    assert known.interval("s")[0] == 0.0
    assert identifiability(known).not_identifiable == ()
    lost = identifiability(of_profile(OPEN_BELOW))
    assert lost.not_identifiable == ("s",)
    assert list(lost.one_sided) == ["s"]
    assert str(lost).startswith("not identifiable from these data: s; s < 0.6")


def test_profiles_are_saved(tmp_path: Path) -> None:
    problem = convective(0)
    solution, known = known_of(problem)
    solution.save(tmp_path / "a.h5")
    again = ps.load(tmp_path / "a.h5", problem).posterior
    assert again is not None
    assert again.interval("h") == known.interval("h")
    np.testing.assert_array_equal(again.profiles["h"].roots, known.profiles["h"].roots)


def test_too_many_numbers_are_not_looked_at_and_functions_never() -> None:
    function = ps.UnknownFunction("f", of={"x": (0.0, 1.0)}, num=6, smoothness=0.1)
    problem = rod(
        ps.Heat(4.0, source=function), ps.Neumann("right", temperature=600.0), 150.0, 3.0, 0
    )
    assert known_of(problem)[1].profiles == {}
