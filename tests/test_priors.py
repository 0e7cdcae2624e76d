"""What is known of a number beforehand: the rows of priors, and priors that cannot be."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

import pinnsolve as ps
from pinnsolve.blocks import prior_blocks
from pinnsolve.problem import Problem

VALUES = torch.linspace(0.5, 4.0, 8, dtype=torch.float64)


def test_half_the_squared_row_is_the_negative_logarithm_of_the_density() -> None:
    normal = stats.norm(2.0, 0.3).logpdf(VALUES)
    row = ps.Normal(2.0, 0.3).row(VALUES)
    np.testing.assert_allclose(
        -0.5 * row**2, normal - stats.norm(2.0, 0.3).logpdf(2.0), rtol=1e-12, atol=1e-12
    )
    at = stats.norm(math.log(2.0), 0.3)
    row = ps.LogNormal(2.0, 0.3).row(VALUES)
    expected = at.logpdf(VALUES.log().numpy()) - at.logpdf(math.log(2.0))
    np.testing.assert_allclose(-0.5 * row**2, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("unknown", "logarithmic"),
    [
        (ps.Unknown("k", 2.0), False),
        (ps.Unknown("k", 2.0, prior=ps.LogNormal(3.0, 0.5)), True),
        (ps.Unknown("k", 2.0, logarithmic=True), True),
        (ps.Unknown("k", 2.0, (0.1, 10.0), logarithmic=False), False),
        (ps.Unknown("k", 2.0, (1.0, 3.0), logarithmic=True), True),
    ],
)
def test_the_search_is_logarithmic_where_it_is_said_or_known(unknown, logarithmic) -> None:
    assert unknown.logarithmic is logarithmic
    z = torch.tensor(unknown.start, dtype=torch.float64)
    assert float(unknown.value(z)) == pytest.approx(2.0, rel=1e-14)
    steps = unknown.value(z + torch.tensor([-1e-6, 1e-6], dtype=torch.float64))
    assert float(steps[1] - steps[0]) / 2e-6 == pytest.approx(unknown.slope(float(z)), rel=1e-6)


def problem(unknown: ps.Unknown) -> Problem:
    data = ps.Measurements([[0.5]], {"temperature": [1.0]}, sigma=0.1)
    ends = [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=3.0)]
    return Problem(
        "bar", ps.Interval(0.0, 1.0), ps.Heat(unknown, source=1.0), ends, measurements=data
    )


def test_a_prior_is_one_row_with_noise_one() -> None:
    (block,) = prior_blocks(problem(ps.Unknown("k", 2.0, prior=ps.Normal(1.0, 0.5))))
    assert (block.name, block.kind, block.noise.tolist()) == ("prior of k", "prior", [1.0])
    x = block.coordinates(problem(ps.Unknown("k", 2.0)).frame)
    rows = block.rows((None,), x, {"k": 4.0})
    assert rows["k"].value.tolist() == pytest.approx(6.0)
    assert prior_blocks(problem(ps.Unknown("k", 2.0))) == ()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bounds": (1.0, 3.0), "prior": ps.Normal(5.0, 1.0)}, "the prior contradicts the bounds"),
        (
            {"bounds": (1.0, 3.0), "prior": ps.LogNormal(0.5, 1.0)},
            "the prior contradicts the bounds",
        ),
        (
            {"bounds": (-1.0, 3.0), "prior": ps.LogNormal(1.0, 1.0)},
            "a LogNormal prior is for positive numbers, got bounds from -1",
        ),
        (
            {"bounds": (-1.0, 3.0), "logarithmic": True},
            "a logarithmic search needs bounds > 0, got -1",
        ),
        ({"prior": 3.0}, "prior must be Normal"),
    ],
)
def test_priors_that_contradict_are_refused(settings, message) -> None:
    with pytest.raises(ValueError, match=f"unknown 'k': {message}"):
        ps.Unknown("k", 2.0, **settings)


def test_a_logarithm_of_what_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match="a logarithmic search needs an initial value > 0, got -2"):
        ps.Unknown("k", -2.0, logarithmic=True)
    with pytest.raises(ValueError, match="is for positive numbers, got initial 0"):
        ps.Unknown("k", 0.0, prior=ps.LogNormal(1.0, 1.0))


@pytest.mark.parametrize("std", [0.0, -1.0, math.inf, math.nan])
def test_the_std_must_be_positive(std) -> None:
    for kind in (ps.Normal, ps.LogNormal):
        with pytest.raises(
            ValueError, match=f"the std of a {kind.__name__} prior must be finite and > 0"
        ):
            kind(1.0, std)
    with pytest.raises(ValueError, match="the mean of a Normal prior must be finite"):
        ps.Normal(math.nan, 1.0)
    with pytest.raises(ValueError, match="the median of a LogNormal prior must be finite and > 0"):
        ps.LogNormal(0.0, 1.0)
