"""Numbers and verdicts in words."""

from __future__ import annotations

import math

import pytest

import pinnsolve as ps
from pinnsolve.report.words import (
    check_number,
    describe_condition,
    failures,
    number,
    share,
    verdict_sentence,
    verdict_title,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (18.2537565, "18.2538"), (2.1e11, "2.1e+11"), (math.inf, "infinite")],
)
def test_number(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (math.nan, "-"),
        (0.0, "0 %"),
        (5.3e-4, "0.053 %"),
        (1e-9, "1.0e-07 %"),
        (2.0, "2e+02 %"),
    ],
)
def test_share(value: float | None, text: str) -> None:
    assert share(value) == text


def test_ratios_are_no_percentages() -> None:
    assert check_number(ps.Check("ratio", 3.0, 10.0), 3.0) == "3"
    assert check_number(ps.Check("error", 0.003, 0.01), 0.003) == "0.3 %"


def test_verdict_in_words() -> None:
    good, bad, worse = (
        ps.Check("a", 0.1, 0.2),
        ps.Check("b", 0.3, 0.2),
        ps.Check("c", math.nan, 0.2),
    )
    assert verdict_title(None) == "Not judged"
    assert "stopped before" in verdict_sentence(None)
    assert verdict_title(ps.Verdict((good,), 1e-3)) == "Trusted"
    assert verdict_sentence(ps.Verdict((good,), 1e-3)).startswith("All 1 checks hold")
    verdict = ps.Verdict((good, bad, worse), 1e-3)
    assert verdict_title(verdict) == "Not trusted"
    assert verdict_sentence(verdict).startswith(
        "2 of 3 checks fail at the relative accuracy of 0.1 %"
    )
    assert failures(verdict) == ["c: not a number, limit 20 %", "b: 30 %, limit 20 %"]


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (ps.Insulated("left"), ""),
        (ps.Dirichlet("left", temperature=100.0), "temperature = 100"),
        (ps.Dirichlet("left", velocity=[1, 0.5]), "velocity = (1, 0.5)"),
        (
            ps.Dirichlet("left", temperature=lambda x: x.x),
            "temperature = function of the coordinates",
        ),
        (
            ps.Convection("top", coefficient=ps.Unknown("h", 1.0), ambient=0.0),
            "coefficient = unknown 'h', ambient = 0",
        ),
    ],
)
def test_conditions_in_words(condition: ps.Condition, text: str) -> None:
    assert describe_condition(condition) == text


def test_an_unknown_function_is_called_so() -> None:
    flux = ps.UnknownFunction("q", of={"t": (0.0, 1.0)}, initial=1.0)
    words = describe_condition(ps.Neumann("left", temperature=flux))
    assert words == "temperature = unknown function 'q' of t"
