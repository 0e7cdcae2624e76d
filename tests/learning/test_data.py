"""Data checks: what is planted is found, what is sound passes, what cannot be judged is refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from pinnsolve.validation.audits import DETECTORS, drawn

from pinnsolve.learning.data import (
    Schema,
    Severity,
    data_report,
    find_drift,
    find_leakage,
    infer_schema,
    split_rows,
)
from pinnsolve.learning.data.units import parsed, unit_columns, unit_findings
from pinnsolve.learning.statistics import bootstrap_interval, holm


def checks(findings, severity=None) -> set[str]:
    return {f.check for f in findings if severity is None or f.severity is severity}


def test_holm_is_a_step_down_of_bonferroni() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
    p = np.random.default_rng(0).random(20)
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= 20 * p).all()
    assert (np.argsort(adjusted[np.argsort(p)], kind="stable") == np.arange(20)).all()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_holm_errs_as_rarely_as_it_says(seed: int) -> None:
    p = np.random.default_rng(seed).random((2000, 10))
    alarms = np.mean([holm(row).min() < 0.05 for row in p])
    assert alarms == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_bootstrap_covers(seed: int) -> None:
    generator = np.random.default_rng(seed)
    covered = []
    for k in range(200):
        low, high = bootstrap_interval(generator.normal(size=80), seed=k, num_draws=300)
        covered.append(low <= 0.0 <= high)
    assert np.mean(covered) == pytest.approx(0.94, abs=0.05)


@pytest.mark.parametrize("name", DETECTORS)
def test_detectors_are_right_on_one_draw(name: str) -> None:
    """The benchmark counts over 20 draws; this is one of them."""
    assert DETECTORS[name](3, True)
    assert not DETECTORS[name](3, False)


def test_report_finds_what_is_planted() -> None:
    frame = drawn(0, 300).drop(columns="site")
    split = split_rows(frame, seed=0)
    assert data_report(frame, "y", split=split).passed
    bad = frame.assign(one=1.0, again=frame["a"], straight=3.0 - 2.0 * frame["y"])
    bad.loc[7, "b"] = np.nan
    bad.loc[11, "c"] = 1e4
    report = data_report(bad, "y", split=split)
    assert not report.passed
    assert checks(report.findings, Severity.FAIL) == {"missing values", "target in features"}
    assert checks(report.findings) >= {"constant column", "duplicate column", "outliers"}
    assert [f.rows for f in report.findings if f.check == "missing values"] == [(7,)]
    document = json.loads(report.json())
    assert document["findings"][0]["severity"] == "fail"
    assert "straight is y in disguise (a straight line of it)" in report.text
    page = report.page()
    assert "Not passed" in page
    assert "<table>" in page


@pytest.mark.parametrize(
    ("disguise", "words"),
    [
        (lambda y: y, "equal"),
        (np.exp, "monotone"),
        (lambda y: -(y**3), "monotone"),
    ],
)
def test_target_in_disguise(disguise, words: str) -> None:
    frame = drawn(1, 200)[["a", "b", "y"]]
    report = data_report(frame.assign(x=disguise(frame["y"])), "y")
    assert words in report.text
    assert not report.passed


def test_class_in_disguise_and_imbalance() -> None:
    frame = drawn(0, 400)[["a", "b", "kind"]]
    coded = frame.assign(code=frame["kind"].map({"x": 3, "y": 1, "z": 2}))
    report = data_report(coded, "kind")
    assert report.task == "classification"
    assert "each of its values stands for one value" in report.text
    rare = frame.assign(kind=np.where(np.arange(400) < 6, "y", "x"))
    assert "y (6 rows)" in data_report(rare, "kind").text
    with pytest.raises(ValueError, match="one class only"):
        data_report(frame.assign(kind="x"), "kind")


def test_targets_that_cannot_be() -> None:
    frame = drawn(0, 50)
    with pytest.raises(ValueError, match=r"not numeric.*task='classification'"):
        data_report(frame, "kind", task="regression")
    with pytest.raises(ValueError, match=r"no column 'Y'.*Did you mean 'y'"):
        data_report(frame, "Y")
    with pytest.raises(ValueError, match="missing in 1 rows"):
        data_report(frame.assign(y=frame["y"].where(frame.index != 3)), "y")
    with pytest.raises(ValueError, match="no input left"):
        data_report(frame[["y"]], "y")


def test_schema_round_trip_and_departures() -> None:
    frame = drawn(0, 200)
    schema = infer_schema(frame)
    assert schema.check(frame) == ()
    assert Schema.of_document(json.loads(json.dumps(schema.document()))) == schema
    changed = frame.assign(kind="w", a=frame["a"] + 100.0, b=frame["b"].astype(str))
    changed = changed.rename(columns={"c": "C"})
    changed.loc[3, "d"] = np.nan
    found = schema.check(changed)
    text = " ".join(f.message for f in found)
    assert "categories that were not seen" in text
    assert "beyond the range" in text
    assert "text on the other" in text
    assert "Did you mean 'C'" in text
    assert "d: 1 missing values" in text
    with pytest.raises(ValueError, match="not a schema"):
        Schema.of_document([{"what": 1, "categories": []}])


def test_groups_and_time_leak() -> None:
    frame = drawn(0, 300).assign(t=np.arange(300.0))
    train, test = frame.iloc[:200], frame.iloc[200:]
    assert find_leakage(train, test, target="y", time="t") == ()
    assert checks(find_leakage(test, train, target="y", time="t")) == {"leakage: time"}
    assert checks(find_leakage(train, test, target="y", groups="site")) == {"leakage: groups"}


def test_rows_that_repeat_by_nature_are_no_failure() -> None:
    generator = np.random.default_rng(0)
    coarse = pd.DataFrame(generator.integers(3, size=(400, 2)), columns=["a", "b"])
    found = find_leakage(coarse.iloc[:200], coarse.iloc[200:])
    assert checks(found, Severity.FAIL) == set()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_split_by_group_time_and_class(seed: int) -> None:
    frame = drawn(seed, 600).assign(t=np.repeat(np.arange(200.0), 3))
    frame["batch"] = np.random.default_rng(seed).integers(30, size=600)
    for how in ({}, {"groups": "batch"}, {"time": "t"}, {"stratify": "kind"}):
        split = split_rows(frame, **how, seed=seed)
        together = np.concatenate((split.train, split.calibration, split.test))
        assert (np.sort(together) == np.arange(600)).all()
        assert len(split.train) == pytest.approx(360, abs=60)
    grouped = split_rows(frame, groups="batch", seed=seed)
    sides = [
        set(frame["batch"].iloc[p]) for p in (grouped.train, grouped.calibration, grouped.test)
    ]
    assert not set.intersection(*sides)
    assert sum(map(len, sides)) == len(set.union(*sides))
    timed = split_rows(frame, time="t")
    t = frame["t"].to_numpy()
    assert t[timed.train].max() < t[timed.calibration].min()
    assert t[timed.calibration].max() < t[timed.test].min()
    kept = split_rows(frame, stratify="kind", seed=seed)
    for kind in "xyz":
        share = (frame["kind"].iloc[kept.test] == kind).mean()
        assert share == pytest.approx((frame["kind"] == kind).mean(), abs=0.01)


def test_splits_that_cannot_be() -> None:
    frame = drawn(0, 60).assign(t=np.arange(60.0))
    with pytest.raises(ValueError, match="not sorted: row 6 is before row 5"):
        split_rows(frame.assign(t=np.where(frame.index == 6, -1.0, frame["t"])), time="t")
    with pytest.raises(ValueError, match="row 4 has no time"):
        split_rows(frame.assign(t=frame["t"].where(frame.index != 4)), time="t")
    with pytest.raises(ValueError, match="neither numbers nor dates"):
        split_rows(frame, time="kind")
    with pytest.raises(ValueError, match="too few for training"):
        split_rows(frame.assign(site="s"), groups="site")
    with pytest.raises(ValueError, match="exclude each other"):
        split_rows(frame, groups="site", time="t")
    with pytest.raises(ValueError, match="add up to 1"):
        split_rows(frame, shares=(0.5, 0.2, 0.2))
    with pytest.raises(ValueError, match=r"no column 'tt'.*Did you mean 't'"):
        split_rows(frame, time="tt")
    dates = frame.assign(t=pd.date_range("2026-01-01", periods=60).astype(str))
    assert len(split_rows(dates, time="t").test) == 12


def test_drift_needs_the_same_columns() -> None:
    frame = drawn(0, 100)[["a", "kind"]]
    with pytest.raises(ValueError, match=r"lack the column 'kind'.*Did you mean 'kinds'"):
        find_drift(frame, frame.rename(columns={"kind": "kinds"}))
    with pytest.raises(ValueError, match=r"have a column 'extra'"):
        find_drift(frame, frame.assign(extra=1.0))
    with pytest.raises(ValueError, match=r"column 'a' holds float64.*convert it"):
        find_drift(frame, frame.assign(a=frame["a"].astype(str)))
    with pytest.raises(ValueError, match="needs 20 rows on both sides"):
        find_drift(frame, frame.iloc[:5])


def test_units() -> None:
    found, unclear = unit_columns(
        ["length [mm]", "T (degC)", "h [W/(m2 K)]", "speed_m/s", "rate_b", "x [wide]"]
    )
    assert [(c.stem, c.unit) for c in found] == [
        ("length", "mm"),
        ("T", "degC"),
        ("h", "W/(m2 K)"),
        ("speed", "m/s"),
    ]
    assert unclear == ("x [wide]",)
    assert parsed("W/(m2 K)").is_compatible_with("W/m^2/K")
    before = pd.DataFrame(
        {"length [mm]": np.linspace(10.0, 20.0, 50), "p": np.linspace(0.1, 0.2, 50)}
    )
    after = pd.DataFrame(
        {"length [m]": np.linspace(0.01, 0.02, 50), "p": np.linspace(1e5, 2e5, 50)}
    )
    text = " ".join(f.message for f in unit_findings(before, after))
    assert "length [mm] = 1000 x length [m]: convert" in text
    assert "p: the new numbers look like another unit (micro" in text
    assert unit_findings(before, before * 1.0) == []
    odd = after.rename(columns={"length [m]": "length [s]"})
    assert "no units of one quantity" in unit_findings(before, odd)[0].message
    kelvin = pd.DataFrame({"T": np.linspace(293.0, 303.0, 50)})
    celsius = pd.DataFrame({"T": np.linspace(20.0, 30.0, 50)})
    assert "K for degC" in unit_findings(celsius, kelvin)[0].message
