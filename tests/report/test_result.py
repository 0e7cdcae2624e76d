"""The result document: strict JSON that says what was found."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace

import pytest

import pinnsolve as ps
from pinnsolve.report.result import QuantityResult, Result, result_document, result_text

ResultOf = Callable[..., Result]


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not strict JSON")


@pytest.mark.parametrize("name", ["rod", "heat_rod", "taylor_green", "cooling_plate"])
def test_text_is_strict_json(result_of: ResultOf, name: str) -> None:
    result = result_of(name, reference=name == "rod")
    document = json.loads(result_text(result), parse_constant=refuse)
    assert document["problem"] == result.solution.problem.name
    assert document["verdict"]["trusted"] is result.trusted is False
    assert len(document["verdict"]["checks"]) == len(result.solution.verdict.checks)
    assert document["steps"] == 3
    assert document["num_parameters"] == result.solution.record.num_parameters
    assert set(document["versions"]) >= {"pinnsolve", "torch", "numpy", "python"}


def test_infinity_becomes_null(result_of: ResultOf) -> None:
    result = result_of("rod")
    verdict = ps.Verdict((ps.Check("c", math.inf, 1.0), ps.Check("d", math.nan, 1.0)), 1e-3)
    changed = replace(result, solution=replace(result.solution, verdict=verdict))
    checks = json.loads(result_text(changed), parse_constant=refuse)["verdict"]["checks"]
    assert [(check["value"], check["passed"]) for check in checks] == [(None, False), (None, False)]


def test_quantities(result_of: ResultOf) -> None:
    result = result_of("rod")
    middle, broken, free = result_document(result)["quantities"]
    value = float(result.solution.at([[1.0]]).temperature[0])
    assert middle["value"] == value
    assert middle["relative_error"] == abs(value - 3.0) / 3.0
    assert middle["within_tolerance"] is False
    assert broken["value"] is None
    assert broken["trouble"] == "ZeroDivisionError: float division by zero"
    assert free["target"] is free["relative_error"] is free["within_tolerance"] is None


def test_error_to_a_target_of_zero_is_absolute() -> None:
    quantity = ps.Quantity("q", lambda solution: 0.0, target=0.0, tolerance=0.2)
    assert QuantityResult(quantity, 0.25).relative_error == 0.25
    assert QuantityResult(quantity, 0.25).within is False
    assert QuantityResult(quantity, -0.2).within is True


def test_unknowns(result_of: ResultOf) -> None:
    (unknown,) = result_document(result_of("cooling_plate"))["unknowns"]
    low, high = unknown["interval"]
    assert low < unknown["value"] < high
    assert unknown["truth"] == 750.0


def test_differences_to_reference_and_exact_solution(result_of: ResultOf) -> None:
    document = result_document(result_of("taylor_green", reference=True))
    names = {"velocity", "velocity_x", "velocity_y", "pressure"}
    assert document["reference"]["relative_l2"].keys() == names
    assert document["exact"]["relative_l2"].keys() == names
    assert document["reference"]["own_relative_l2"] == {"velocity": 1e-4, "pressure": 1e-4}


def test_without_verdict_nothing_is_trusted(result_of: ResultOf) -> None:
    result = result_of("rod")
    unjudged = replace(result, solution=replace(result.solution, verdict=None))
    assert not unjudged.trusted
    assert result_document(unjudged)["verdict"] is None
