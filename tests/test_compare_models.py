"""Comparison of models by their evidence, on a rod whose fields are known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

import pinnsolve as ps

PLACES = np.linspace(0.2, 1.0, 5)
SIGMA = 0.05
UNIT = math.sqrt(2.0 * math.pi) * 100.0
STRENGTH = ps.Unknown("strength", 0.0, prior=ps.Normal(0.0, UNIT))


def rod(name: str, source: object, truth: float) -> ps.Problem:
    """T = x + s (x - x^2 / 2), with a known flux of 1 at the right."""
    noise = SIGMA * np.random.default_rng(2).normal(size=5)
    values = PLACES + truth * (PLACES - PLACES**2 / 2) + noise
    return ps.Problem(
        name,
        ps.Interval(0.0, 1.0),
        ps.Heat(1.0, source=source),
        [ps.Dirichlet("left", temperature=0.0), ps.Neumann("right", temperature=-1.0)],
        measurements=ps.Measurements(PLACES[:, None], {"temperature": values}, sigma=SIGMA),
    )


def models(truth: float) -> dict[str, ps.Problem]:
    """No source, or one that is as good as uniform and of unknown strength."""
    wide = ps.GaussianSource((0.5,), width=100.0, strength=STRENGTH)
    return {"none": rod("none", 0.0, truth), "some": rod("some", wide, truth)}


def expected(truth: float, *, free: bool) -> float:
    noise = SIGMA * np.random.default_rng(2).normal(size=5)
    values = PLACES + truth * (PLACES - PLACES**2 / 2) + noise

    def likelihood(s: float) -> float:
        field = PLACES + s * (PLACES - PLACES**2 / 2)
        return math.exp(stats.norm(field, SIGMA).logpdf(values).sum())

    if not free:
        return math.log(likelihood(0.0))
    return math.log(
        integrate.quad(lambda s: likelihood(s) * stats.norm.pdf(s), -1.0, 2.0, points=[truth])[0]
    )


@pytest.mark.parametrize(("truth", "best"), [(0.0, "none"), (0.5, "some")])
def test_the_evidence_is_the_integral_over_the_prior(truth, best) -> None:
    found = ps.compare_models(models(truth))
    assert found.best == best
    assert sum(found.probability.values()) == pytest.approx(1.0)
    free = found.log_evidence["some"] - found.log_evidence["none"]
    assert free == pytest.approx(expected(truth, free=True) - expected(truth, free=False), abs=0.02)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="comparing needs at least two models"):
        ps.compare_models({"one": models(0.0)["none"]})
