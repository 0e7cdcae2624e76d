"""Against a baseline: worse, better, noise, other versions, files that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pinnsolve.validation.regression.baseline import compared, differences, read_baseline

Document = dict[str, Any]

PATH = Path("then.json")


def row(*values: float, target: float = 0.0, tolerance: float = 1.0) -> Document:
    return {
        "quantity": "error",
        "unit": "K",
        "target": target,
        "target_uncertainty": None,
        "source": "",
        "tolerance": tolerance,
        "values": list(values),
        "mean": sum(values) / len(values),
        "half_width_95": None,
        "n": len(values),
        "passed": max(abs(value - target) for value in values) <= tolerance,
    }


def entry(*rows: Document, cpu: float = 10.0, name: str = "a") -> Document:
    passed = all(item["passed"] for item in rows)
    failures = [] if passed else ["error: too large"]
    return {
        "name": name,
        "passed": passed,
        "failures": failures,
        "rows": list(rows),
        "cpu_seconds": cpu,
        "fingerprint": "f",
    }


def document(*entries: Document, version: str = "1.0", seeds: int = 1) -> Document:
    return {
        "schema": 1,
        "started": "2025-01-01",
        "versions": {"pinnsolve": version, "torch": "2"},
        "machine": {"cores": 2},
        "seeds": list(range(seeds)),
        "cases": list(entries),
        "passed": all(item["passed"] for item in entries),
    }


def state(now: Document, then: Document) -> tuple[str, bool, str]:
    found = compared(document(now), document(then), PATH)
    (case,) = found["cases"]
    assert found["passed"] == case["passed"]
    return case["baseline"]["state"], case["passed"], " ".join(case["failures"])


@pytest.mark.parametrize(
    ("now", "then", "expected"),
    [
        (0.35, 0.2, "same"),  # less than three times
        (0.65, 0.2, "worse"),
        (0.2, 0.65, "better"),
        (0.09, 1e-9, "same"),  # below a tenth of the tolerance all is noise
        (0.2, 1e-9, "worse"),
    ],
)
def test_one_seed_has_a_stated_factor(now: float, then: float, expected: str) -> None:
    found, passed, failures = state(entry(row(now)), entry(row(then)))
    assert found == expected
    assert passed == (expected != "worse")
    assert ("worse than the baseline: error is off by" in failures) == (expected == "worse")


@pytest.mark.parametrize(
    ("now", "then", "expected"),
    [
        ((0.50, 0.51, 0.49), (0.20, 0.21, 0.19), "worse"),  # less than three times, but no noise
        ((0.20, 0.21, 0.19), (0.50, 0.51, 0.49), "better"),
        ((0.2, 0.5, 0.8), (0.1, 0.2, 0.3), "same"),  # more than twice, but within the spread
    ],
)
def test_several_seeds_tell_the_noise(
    now: tuple[float, ...], then: tuple[float, ...], expected: str
) -> None:
    assert state(entry(row(*now)), entry(row(*then)))[0] == expected


def test_distance_from_the_target_counts_not_its_sign() -> None:
    now, then = entry(row(4.8, target=5.0)), entry(row(5.2, target=5.0))
    assert state(now, then)[0] == "same"


def test_a_case_that_passed_and_fails_now_is_worse() -> None:
    found, _, failures = state(entry(row(1.1)), entry(row(0.9)))
    assert found == "worse"
    assert "it passed in the baseline" in failures
    assert state(entry(row(0.9)), entry(row(1.1)))[0] == "better"


def test_a_case_that_failed_and_fails_as_before_is_the_same() -> None:
    found, passed, failures = state(entry(row(2.0)), entry(row(2.0)))
    assert (found, passed, failures) == ("same", False, "error: too large")


@pytest.mark.parametrize(
    ("now", "then", "expected"),
    [(19.0, 10.0, "same"), (21.0, 10.0, "worse"), (4.0, 1.0, "same"), (10.0, 21.0, "better")],
)
def test_processor_time(now: float, then: float, expected: str) -> None:
    assert state(entry(row(0.1), cpu=now), entry(row(0.1), cpu=then))[0] == expected


def test_new_and_missing_cases() -> None:
    now = document(entry(row(0.1), name="a"), entry(row(0.1), name="b"))
    then = document(entry(row(0.1), name="b"), entry(row(0.1), name="c"))
    found = compared(now, then, PATH)
    assert [case["baseline"]["state"] for case in found["cases"]] == ["new", "same"]
    assert found["baseline"]["missing"] == ["c"]
    assert found["passed"]


def test_another_target_is_told_and_not_compared() -> None:
    now, then = entry(row(0.9)), entry(row(5.0, target=5.0)) | {"fingerprint": "g"}
    found = compared(document(now), document(then), PATH)["cases"][0]["baseline"]
    assert found["state"] == "same"
    assert found["notes"] == [
        "it is declared otherwise than in the baseline",
        "error: another target than in the baseline, so not compared",
    ]


def test_another_version_says_what_differs() -> None:
    now = document(entry(row(0.1)), version="2.0", seeds=3) | {"machine": {"cores": 8}}
    then = document(entry(row(0.1)))
    then["versions"] |= {"numpy": "1"}
    assert differences(now, then) == [
        "pinnsolve: 1.0 then, 2.0 now",
        "numpy: 1 then, none now",
        "cores: 2 then, 8 now",
        "seeds: 1 then, 3 now",
    ]
    assert compared(now, then, PATH)["baseline"]["versions"]["pinnsolve"] == "1.0"
    assert differences(then, then) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read .*--update-baseline writes"),
        ("{", "is not JSON"),
        ("[]", r"not a validation.json of schema 1 \(schema None\)"),
        (
            json.dumps({"schema": 99, "versions": {}}),
            r"schema 1 \(schema 99\); make a new baseline",
        ),
    ],
)
def test_files_that_are_no_baseline(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "base.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ValueError, match=words):
        read_baseline(path)
