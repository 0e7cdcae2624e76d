"""The suite: every shipped problem is in it, and the quick one has every physics."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pinnsolve.validation.regression.declarations import declaration, fingerprint
from pinnsolve.validation.suite import (
    KNOWN_SHORTFALLS,
    QUICK,
    VARIANTS,
    Case,
    all_cases,
    chosen_cases,
)

import pinnsolve as ps
from pinnsolve.catalogue import shipped_problem, shipped_problems


def test_every_shipped_problem_is_a_case() -> None:
    names = [case.name for case in all_cases()]
    assert len(set(names)) == len(names)
    plain = {case.problem for case in all_cases() if not case.settings}
    assert plain == shipped_problems().keys()
    assert set(names) == {*shipped_problems(), *(case.name for case in VARIANTS)}


def test_quick_cases_and_shortfalls_are_cases() -> None:
    names = {case.name for case in all_cases()}
    assert set(QUICK) <= names
    assert set(KNOWN_SHORTFALLS) <= names
    assert not set(KNOWN_SHORTFALLS) & set(QUICK), "a quick case has to pass"


def test_every_case_is_declared_and_every_physics_is_in_the_quick_suite() -> None:
    stated = {case.name: declaration(case) for case in all_cases()}
    assert [item["error"] for item in stated.values()] == [None] * len(stated)
    assert all(item["time_budget"] > 0.0 for item in stated.values())
    of_quick = {stated[name]["physics"] for name in QUICK}
    missing = {item["physics"] for item in stated.values()} - of_quick
    assert not missing, f"add a case with {missing} that takes a few seconds to QUICK"


def test_every_case_states_something_it_can_fail() -> None:
    for case in all_cases():
        problem = case.declared()
        asked = [q for q in problem.quantities if q.target is not None and q.tolerance is not None]
        known = problem.exact is not None or any(u.truth is not None for u in problem.unknowns)
        assert asked or known, case.name


def test_choice() -> None:
    assert {case.name for case in chosen_cases("quick")} == set(QUICK)
    assert chosen_cases("full") == all_cases()
    chosen = chosen_cases("quick", ["poisson", "lid_driven_cavity_re400", "poisson"])
    assert [case.name for case in chosen] == ["poisson", "lid_driven_cavity_re400"]
    assert chosen[1].declared().parameters["reynolds"] == 400.0


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"no case 'poison'.*Did you mean 'poisson'"):
        chosen_cases("quick", ["poison"])
    with pytest.raises(ValueError, match=r"no suite 'ful'\. There are quick, full\. Did you mean"):
        chosen_cases("ful")


def test_fingerprint_tells_declarations_apart() -> None:
    first = shipped_problem("poisson")
    assert fingerprint(first) == fingerprint(shipped_problem("poisson"))
    others = [
        shipped_problem("poisson", conductivity=2.0),
        shipped_problem("poisson", amplitude=2.0),
        replace(first, time_budget=30.0),
        replace(first, exact=None),
        _with_quantity(first, 1.0, 1e-3),
        _with_quantity(first, 1.0, 1e-2),
    ]
    prints = {fingerprint(problem) for problem in (first, *others)}
    assert len(prints) == 1 + len(others)


def _with_quantity(problem: ps.Problem, target: float, tolerance: float) -> ps.Problem:
    quantity = ps.point_value("T", "temperature", (0.5, 0.5), target=target, tolerance=tolerance)
    return replace(problem, quantities=(quantity,))


def test_a_problem_that_cannot_be_made_says_why() -> None:
    stated = declaration(Case("broken", "poisson", {"conductivity": -1.0}))
    assert stated["accuracy"] is None
    assert "conductivity" in stated["error"]
    assert "no shipped problem" in declaration(Case("gone", "gone"))["error"]
