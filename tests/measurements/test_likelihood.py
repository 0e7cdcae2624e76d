"""Likelihoods against scipy: half the square of a row is the negative log-likelihood, smooth at zero."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from scipy.special import huber

import pinnsolve as ps
from pinnsolve.measurements.likelihood import (
    BEND,
    FREEDOM,
    likelihood_row,
    likelihood_weight,
    spread_of_median,
    typical_ratio,
)
from pinnsolve.training.trunk import prepare

RATIOS = np.concatenate(([0.0], np.geomspace(1e-9, 1e4, 200)))
RATIOS = np.concatenate((-RATIOS[::-1], RATIOS))


@pytest.mark.parametrize("kind", ["student", "huber"])
def test_weights_do_not_depend_on_how_far_the_start_is(kind) -> None:
    """Far from the readings heavy tails are flat; balanced by that, the data would bend the physics later."""

    def weights(likelihood: str) -> dict[object, float]:
        data = ps.Measurements(
            [[0.3], [0.6]], {"temperature": [900.0, 950.0]}, 1e-3, likelihood=likelihood
        )
        problem = ps.Problem("rod", ps.Interval(0.0, 1.0), ps.Heat(1.0), [], measurements=data)
        method = ps.Method(hidden=(4,), points=ps.PointCounts(10, 2))
        return dict(prepare(problem, method, seed=0)[0].weights)

    assert weights(kind) == weights("normal")


def rows(kind: str, ratios: np.ndarray) -> np.ndarray:
    return likelihood_row(kind, torch.tensor(ratios, dtype=torch.float64)).numpy()


def test_normal_rows_are_the_ratios() -> None:
    assert np.array_equal(rows("normal", RATIOS), RATIOS)


def test_student_is_that_of_scipy() -> None:
    """Relative to 1: a difference of log-densities near zero has no more digits than that."""
    loss = stats.t.logpdf(0.0, FREEDOM) - stats.t.logpdf(RATIOS, FREEDOM)
    assert 0.5 * rows("student", RATIOS) ** 2 == pytest.approx(loss, rel=1e-12, abs=1e-14)


def test_huber_is_that_of_scipy() -> None:
    assert 0.5 * rows("huber", RATIOS) ** 2 == pytest.approx(huber(BEND, RATIOS), rel=1e-12)


@pytest.mark.parametrize("kind", ["student", "huber"])
def test_rows_are_odd_and_rise(kind) -> None:
    found = rows(kind, RATIOS)
    assert found == pytest.approx(-found[::-1])
    assert (np.diff(found) >= 0.0).all()


@pytest.mark.parametrize("kind", ["student", "huber"])
@pytest.mark.parametrize("at", [0.0, 1e-8, 0.019, 0.021, BEND - 1e-6, BEND + 1e-6, -3.0, 50.0])
def test_slopes_are_those_of_differences(kind, at) -> None:
    """Down to zero, where the root has no slope of its own, and across the places where formulas change."""
    ratio = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(likelihood_row(kind, ratio), ratio)
    step = 1e-7
    above, below = rows(kind, np.array([at + step, at - step]))
    assert float(slope) == pytest.approx((above - below) / (2.0 * step), rel=1e-5)


def test_slope_of_student_at_zero() -> None:
    ratio = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(likelihood_row("student", ratio).sum(), ratio)
    assert float(slope) == pytest.approx(np.sqrt((FREEDOM + 1.0) / FREEDOM))


def test_medians() -> None:
    assert typical_ratio("normal") == pytest.approx(stats.norm.ppf(0.75), rel=1e-12)
    assert typical_ratio("student") == pytest.approx(stats.t.ppf(0.75, FREEDOM), rel=1e-12)


@pytest.mark.parametrize(("kind", "law"), [("student", stats.t(FREEDOM)), ("huber", stats.norm())])
def test_spread_of_the_median(kind, law) -> None:
    """Against the exact variance of the middle one of 201 readings, whose rank is beta-distributed."""
    rank = stats.beta(101, 101)

    def moment(power: int) -> float:
        return float(
            integrate.quad(
                lambda p: law.ppf(0.5 + 0.5 * p) ** power * rank.pdf(p),
                1e-9,
                1 - 1e-9,
                points=[0.5],
            )[0]
        )

    mean = moment(1)
    spread = np.sqrt(moment(2) - mean**2)
    assert spread_of_median(kind, 201) == pytest.approx(spread / typical_ratio(kind), rel=0.02)


@pytest.mark.parametrize("kind", ["normal", "student", "huber"])
def test_a_weighted_square_has_the_slope_of_the_negative_log_likelihood(kind) -> None:
    ratio = torch.linspace(-9.0, 9.0, 40, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(0.5 * likelihood_row(kind, ratio).square().sum(), ratio)
    with_weight = likelihood_weight(kind, ratio.detach()) * ratio.detach()
    torch.testing.assert_close(with_weight, slope, rtol=1e-12, atol=1e-12)
