"""The suite can fail: every planted mistake is found by the case it names."""

from __future__ import annotations

from dataclasses import replace

import pytest

import pinnsolve as ps
from pinnsolve.catalogue import shipped_problem

from .mutants import MUTANTS, Mutant, mutated

METHOD = ps.Method(trunk="random", max_features=1500, max_seconds=120.0)
"""Seconds for what can be solved, and an early end for what cannot."""


def _trusted(problem: ps.Problem) -> bool:
    verdict = ps.solve(problem, METHOD, seed=0, reference=False, progress=False).verdict
    return verdict is not None and verdict.trusted


ACCURACY = {"stefan": 2e-3}
"""Where random features alone do not reach what the problem asks for."""


def _right(mutant: Mutant) -> ps.Problem:
    problem = shipped_problem(mutant.case, **dict(mutant.settings))
    return replace(problem, accuracy=ACCURACY.get(mutant.case, problem.accuracy))


CASES = {(m.case, *m.settings): m for m in MUTANTS}


@pytest.mark.parametrize("mutant", CASES.values(), ids=lambda mutant: mutant.case)
def test_the_right_equations_pass(mutant: Mutant) -> None:
    """With the same method, so that what fails below fails for its mistake."""
    assert _trusted(_right(mutant))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.case}: {mutant.name}")
def test_a_planted_mistake_is_found(mutant: Mutant) -> None:
    """It is refused, or the answer is not trusted."""
    wrong = mutated(_right(mutant), mutant)
    try:
        assert not _trusted(wrong)
    except ValueError:
        return
