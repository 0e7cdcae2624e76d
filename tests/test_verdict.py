"""Whether to believe a solution: checks as plain values."""

from __future__ import annotations

import math

import pytest

from pinnsolve.verdict import Check, Verdict

GOOD = Check("balance", 1e-4, 1e-2)
BAD = Check("given temperature on the boundary", 0.5, 1e-3, "relative")


@pytest.mark.parametrize(
    ("value", "passed"),
    [(0.0, True), (0.01, True), (0.0100001, False), (math.inf, False), (math.nan, False)],
)
def test_check_passes_up_to_its_limit(value: float, passed: bool) -> None:
    assert Check("a", value, 0.01).passed is passed


@pytest.mark.parametrize(
    ("checks", "trusted"),
    [((GOOD,), True), ((GOOD, BAD), False), ((BAD,), False), ((), False), ((GOOD, GOOD), True)],
)
def test_trusted_only_if_every_check_passed_and_there_was_one(
    checks: tuple[Check, ...], trusted: bool
) -> None:
    assert Verdict(checks, 1e-3).trusted is trusted


def test_not_a_number_is_never_trusted() -> None:
    assert not Verdict((GOOD, Check("a", math.nan, 1.0)), 1e-3).trusted


def test_text_has_the_worst_first_and_the_notes_last() -> None:
    verdict = Verdict((GOOD, BAD), 1e-3, ("no independent reference: not asked for",))
    assert str(verdict).splitlines() == [
        "not trusted at relative accuracy 0.001",
        "  FAIL given temperature on the boundary: 5.00e-01 (limit 1.00e-03) relative",
        "  ok   balance: 1.00e-04 (limit 1.00e-02)",
        "no independent reference: not asked for",
    ]
    assert str(Verdict((GOOD,), 0.01)).startswith("trusted at relative accuracy 0.01")
