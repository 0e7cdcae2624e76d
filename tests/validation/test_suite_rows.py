"""Statistics over seeds, rows in the terms of verification and validation, failures in words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from pinnsolve.validation.regression.document import case_entry
from pinnsolve.validation.regression.rows import row_of, rows_of, spread

Document = dict[str, Any]


def run_of(seed: int, value: float | None, **changes: Any) -> Document:
    """A run with one quantity (target 4, tolerance 0.5), one exact error, an unknown and a balance."""
    checks = [
        {"name": "T against the exact solution at h = 3", "value": 1e-4, "limit": 1e-3},
        {"name": "heat balance", "value": 0.01 * (1 + seed), "limit": 0.1},
    ]
    quantity = {
        "name": "T(1)",
        "unit": "K",
        "target": 4.0,
        "target_uncertainty": 0.01,
        "source": "book",
        "tolerance": 0.5,
        "value": value,
    }
    unknown = {"name": "h", "unit": "W", "truth": 10.0, "std": 0.5 + seed, "value": 10.8}
    return {
        "case": "a",
        "seed": seed,
        "threads": 1,
        "allowed_seconds": 120.0,
        "wall_seconds": 2.0 + seed,
        "cpu_seconds": 1.0,
        "quantities": [quantity],
        "unknowns": [unknown],
        "verdict": {
            "trusted": True,
            "checks": [{**check, "passed": True, "note": ""} for check in checks],
        },
        "error": None,
        **changes,
    }


STATED = {
    "name": "a",
    "physics": "Heat",
    "known_shortfall": "",
    "fingerprint": "0",
    "error": None,
}


@pytest.mark.parametrize(
    ("number", "factor"), [(2, 12.7062), (3, 4.30265), (5, 2.77645), (30, 2.04523)]
)
def test_half_width_is_student_s(number: int, factor: float) -> None:
    values = np.random.default_rng(0).normal(size=number)
    mean, half = spread(values.tolist())
    assert mean == pytest.approx(values.mean())
    assert half == pytest.approx(factor * values.std(ddof=1) / math.sqrt(number), rel=1e-5)


def test_half_width_holds_the_mean_in_95_of_100_samples() -> None:
    samples = np.random.default_rng(1).normal(loc=3.0, size=(2000, 3))
    found = [spread(sample.tolist()) for sample in samples]
    inside = np.mean([abs(mean - 3.0) <= half for mean, half in found])
    assert inside == pytest.approx(0.95, abs=0.015)  # three standard errors


def test_spread_of_one_and_of_none() -> None:
    assert spread([2.0]) == (2.0, None)
    assert spread([]) == (None, None)


def test_row_follows_the_template() -> None:
    row, exact, unknown = rows_of([run_of(0, 4.2), run_of(1, 4.4)])
    assert row.mean == pytest.approx(4.3)
    assert row.half_width == pytest.approx(12.7062 * 0.1, rel=1e-5)
    assert row.number == 2
    assert row.error == pytest.approx(0.3)
    assert row.error_percent == pytest.approx(7.5)
    assert row.ratio == pytest.approx(1.075)
    assert row.passed is True
    assert (row.uncertainty, row.source) == (0.01, "book")
    assert (exact.quantity, exact.target, exact.tolerance) == ("T rel. L2 error", 0.0, 1e-3)
    assert exact.error == pytest.approx(1e-4)
    assert exact.error_percent is exact.ratio is None
    assert unknown.tolerance == pytest.approx(1.5)  # three of the smallest standard deviation
    assert unknown.passed is True


def test_every_seed_counts_not_the_mean() -> None:
    row, *_ = rows_of([run_of(0, 3.4), run_of(1, 4.6)])
    assert row.mean == pytest.approx(4.0)
    assert row.passed is False


@pytest.mark.parametrize(
    "lost", [run_of(1, None), {"case": "a", "seed": 1, "threads": 1, "error": "died"}]
)
def test_a_missing_value_fails_the_row(lost: Document) -> None:
    row, *_ = rows_of([run_of(0, 4.0), lost])
    assert row.values == (4.0, None)
    assert row.number == 1
    assert row.half_width is None
    assert row.passed is False


def test_rows_keep_their_order_and_go_through_their_document() -> None:
    rows = rows_of([{"case": "a", "seed": 0, "threads": 1, "error": "died"}, run_of(1, 4.0)])
    assert [row.quantity for row in rows] == ["T(1)", "T rel. L2 error", "h"]
    assert [row_of(row.document()) for row in rows] == list(rows)


def test_nothing_asked_for_passes_nothing() -> None:
    run = run_of(0, 4.0)
    run["quantities"][0] |= {"target": None, "tolerance": None, "target_uncertainty": None}
    row, *_ = rows_of([run])
    assert row.passed is row.error is row.ratio is None


def test_entry_of_a_case_that_passes() -> None:
    tables = {"posterior": {"correlation": [[1.0]]}, "functions": [{"name": "k"}]}
    entry = case_entry(STATED, [run_of(0, 4.0), run_of(1, 4.1) | tables])
    assert not tables.keys() & entry["runs"][1].keys()
    assert entry["passed"]
    assert entry["failures"] == []
    assert entry["seconds"] == {"values": [2.0, 3.0], "mean": 2.5, "allowed": 120.0}
    assert entry["balances"] == [{"name": "heat", "value": 0.02, "limit": 0.1}]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"wall_seconds": 130.0}, "seed 0: took 130 s, budget 120 s on 1 core"),
        ({"error": "ended by SIGABRT"}, "seed 0: ended by SIGABRT"),
        (
            {"quantities": [run_of(0, 5.0)["quantities"][0]]},
            "T(1): 5 K, target 4 K, tolerance 0.5 K",
        ),
    ],
)
def test_failures_in_words(changes: Document, words: str) -> None:
    entry = case_entry(STATED, [run_of(0, 4.0, **changes)])
    assert not entry["passed"]
    assert words in entry["failures"]


def test_a_verdict_that_fails_names_its_checks() -> None:
    run = run_of(0, 4.0)
    run["verdict"]["trusted"] = False
    run["verdict"]["checks"][1] |= {"passed": False, "value": 0.2}
    entry = case_entry(STATED, [run])
    assert entry["failures"] == ["seed 0: not trusted: heat balance 0.2, limit 0.1"]
    run["verdict"]["checks"][1]["value"] = None
    entry = case_entry(STATED, [run])
    assert entry["failures"] == ["seed 0: not trusted: heat balance not a number, limit 0.1"]
    assert entry["balances"][0]["value"] is None
