"""Audits, prediction intervals and domains: errors of parts, cover, and what is too little to score."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from pinnsolve.learning.audit_values import Limits
from pinnsolve.learning.auditing import audit, audit_errors
from pinnsolve.learning.domain import domain_of
from pinnsolve.learning.intervals import (
    conformal_intervals,
    conformal_quantile,
    conformal_sets,
)


@dataclass(frozen=True)
class Fixed:
    """A model that predicts the first input."""

    def predict(self, rows):
        return np.asarray(rows)[:, 0].astype(float)


def rows(seed: int, number: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(number, 3))
    y = x[:, 0] + 0.5 * generator.normal(size=number)
    return x, y, generator.choice(["a", "b", "c", "d"], size=number)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_clean_passes_and_a_shift_is_found(seed: int) -> None:
    x, y, group = rows(seed)
    found = audit(Fixed(), x, y, groups={"site": group})
    assert found.passed
    assert found.text.startswith("audit passed")
    assert found.spread < 1.5
    shifted = audit(Fixed(), x, y + 0.5 * (group == "b"), groups={"site": group})
    assert not shifted.passed
    assert shifted.reasons[0].startswith("group site = b")
    assert "too low" in shifted.reasons[0]


def test_table_is_right_by_hand() -> None:
    x, y, group = rows(0)
    found = audit(Fixed(), x, y, groups={"site": group})
    error = x[:, 0] - y
    for part in found.parts:
        if part.kind == "group":
            mine = error[group == part.part[-1]]
            assert part.error == pytest.approx(np.abs(mine).mean())
            assert part.bias == pytest.approx(mine.mean())
            assert part.num_rows == len(mine)
            assert part.interval[0] < part.error < part.interval[1]
    assert found.whole.error == pytest.approx(np.abs(error).mean())
    for kind, parts in (("range", 12), ("region", 5)):
        chosen = [p for p in found.parts if p.kind == kind]
        assert len(chosen) == parts
        assert sum(p.num_rows for p in chosen) == 600 * (3 if kind == "range" else 1)


def test_of_a_region_and_a_limit() -> None:
    x, y, _ = rows(1)
    bad = y + np.where(x[:, 1] > 1.0, 3.0 * np.sign(np.arange(600) % 2 - 0.5), 0.0)
    found = audit(Fixed(), x, bad)
    assert any("range x1 from" in reason and "times that of" in reason for reason in found.reasons)
    assert audit(Fixed(), x, y, limits=Limits(error=0.6)).passed
    assert not audit(Fixed(), x, y, limits=Limits(error=0.2)).passed
    document = json.loads(audit(Fixed(), x, y).json())
    assert document["passed"]
    assert document["limits"]["ratio"] == 1.5


def test_too_few_rows_are_said_not_scored() -> None:
    x, y, group = rows(2)
    group = group.astype(object)
    group[:7] = "tiny"
    y[:7] += 100.0
    found = audit(Fixed(), x, y, groups={"site": group}, limits=Limits(num_ranges=0, num_regions=0))
    tiny = next(part for part in found.parts if part.part == "site = tiny")
    assert not tiny.scored
    assert "too few rows to score: 7, at least 20" in tiny.reason
    assert tiny in found.unscored
    assert "not scored" in found.text
    assert json.loads(found.json())["parts"][-1]["error"] is None


def test_a_classifier_is_held_to_what_it_expects() -> None:
    from sklearn.linear_model import LogisticRegression

    generator = np.random.default_rng(0)
    x = generator.normal(size=(3000, 2))
    p = 1.0 / (1.0 + np.exp(-3.0 * x[:, 0]))
    y = np.where(generator.random(3000) < p, "yes", "no")
    model = LogisticRegression().fit(x[:1500], y[:1500])
    # near x0 = 0 errors are many, as they must be
    assert audit(model, x[1500:], y[1500:]).passed
    group = np.where(generator.random(3000) < 0.2, "g", "h")
    flip = (group == "g") & (generator.random(3000) < 0.3)
    wrong = np.where(flip, np.where(y == "yes", "no", "yes"), y)
    found = audit(model, x[1500:], wrong[1500:], groups={"by": group[1500:]})
    assert any(reason.startswith("group by = g") for reason in found.reasons)


def test_refusals() -> None:
    x, y, group = rows(0)
    with pytest.raises(ValueError, match=r"truth needs the shape \(600,\)"):
        audit(Fixed(), x, y[:5])
    with pytest.raises(ValueError, match=r"groups 'site' needs the shape"):
        audit(Fixed(), x, y, groups={"site": group[:5]})
    with pytest.raises(ValueError, match="row 3 has an error that is no number"):
        audit(Fixed(), x, np.where(np.arange(600) == 3, np.nan, y))
    with pytest.raises(ValueError, match="one target at a time"):
        audit(Both(), x, y)
    for limits in ({"ratio": 0.5}, {"level": 0.0}, {"least_rows": 1}):
        with pytest.raises(ValueError, match="limits need"):
            Limits(**limits)
    with pytest.raises(ValueError, match="shape"):
        audit_errors(y, y, np.zeros(600), {}, Limits(), "regression", seed=0)


class Both(Fixed):
    def predict(self, rows):
        return np.asarray(rows)[:, :2]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_intervals_cover(seed: int) -> None:
    """Over many draws of calibration rows the cover is the level: between it and 1 / (N + 1) more."""
    generator = np.random.default_rng(seed)
    covered = []
    for _ in range(300):
        x = generator.normal(size=(60, 1))
        y = x[:, 0] + generator.standard_cauchy(size=60)
        found = conformal_intervals(Fixed(), x[:50], y[:50], level=0.8)
        low, high = found.around(Fixed().predict(x[50:]))
        covered.append(((low <= y[50:]) & (y[50:] <= high)).mean())
    assert np.mean(covered) == pytest.approx(0.8 + 0.5 / 51, abs=0.03)


def test_intervals_are_mapies() -> None:
    from mapie.regression import SplitConformalRegressor
    from sklearn.linear_model import LinearRegression

    x, y, _ = rows(0)
    model = LinearRegression().fit(x[:200], y[:200])
    own = conformal_intervals(model, x[200:400], y[200:400], level=0.9)
    theirs = SplitConformalRegressor(model, confidence_level=0.9, prefit=True)
    _, ends = theirs.conformalize(x[200:400], y[200:400]).predict_interval(x[400:])
    assert pytest.approx(ends[:, :, 0]) == np.asarray(own.around(model.predict(x[400:]))).T


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_class_sets_cover(seed: int) -> None:
    from sklearn.linear_model import LogisticRegression

    generator = np.random.default_rng(seed)
    x = generator.normal(size=(3000, 2))
    y = np.array(["n", "p"])[(x[:, 0] + generator.normal(size=3000) > 0).astype(int)]
    model = LogisticRegression().fit(x[:500], y[:500])
    sets = conformal_sets(model, x[500:1500], y[500:1500], level=0.9).of(
        model.predict_proba(x[1500:])
    )
    inside = sets[np.arange(1500), (y[1500:] == "p").astype(int)]
    assert inside.mean() == pytest.approx(0.9, abs=0.03)
    with pytest.raises(ValueError, match="does not know the class 'q'"):
        conformal_sets(model, x[:50], np.full(50, "q"))


def test_too_few_calibration_rows() -> None:
    assert conformal_quantile(np.arange(9.0), 0.9) == 8.0
    with pytest.raises(ValueError, match="need 9 calibration rows, got 8"):
        conformal_quantile(np.arange(8.0), 0.9)
    with pytest.raises(ValueError, match="no numbers"):
        conformal_quantile(np.array([np.nan] * 20), 0.9)
    with pytest.raises(ValueError, match="level must be"):
        conformal_quantile(np.arange(9.0), 1.0)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_domain(seed: int) -> None:
    generator = np.random.default_rng(seed)
    train = pd.DataFrame(generator.normal(size=(1500, 3)) * [1.0, 100.0, 0.01], columns=list("abc"))
    train["kind"] = generator.choice(["x", "y"], size=1500)
    domain = domain_of(train.iloc[:1000])
    p = domain.p_value(train.iloc[1000:])
    assert np.mean(p < 0.1) == pytest.approx(0.1, abs=0.045)
    assert domain.outside(train.assign(b=train["b"] + 1000.0)).all()
    assert domain.outside(train.assign(kind="z").iloc[:50]).all()
    with pytest.raises(ValueError, match="no column 'c'"):
        domain.outside(train.drop(columns="c"))
    with pytest.raises(ValueError, match="needs 20 training rows"):
        domain_of(train.iloc[:5])
