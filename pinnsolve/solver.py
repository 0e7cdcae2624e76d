"""solve(): train, compare with the reference, judge."""

from __future__ import annotations

from dataclasses import replace

from pinnsolve.judging import judge
from pinnsolve.method import Method
from pinnsolve.problem import Problem
from pinnsolve.reference import NoReference, Reference, find_reference
from pinnsolve.solution import Solution
from pinnsolve.training import Observer, train


def solve(
    problem: Problem,
    method: Method | None = None,
    *,
    seed: int = 0,
    reference: bool | Reference = True,
    observer: Observer | None = None,
) -> Solution:
    """Solve a problem and judge the answer.

    Args:
        problem: The declaration.
        method: Network, points, optimiser, precision and limits; None chooses everything.
        seed: Seed of points and initial parameters; the same seed gives the same numbers.
        reference: Whether to compare with an independent classical solution of the same
            declaration (finite differences on boxes, finite elements on meshes), or one that was
            computed before.
        observer: Called after every step with a :class:`pinnsolve.record.StepRecord`.

    Returns:
        The solution with its verdict. Ctrl-C returns the last good state.
    """
    trained = train(problem, method, seed=seed, observer=observer)
    solution = trained.solution
    independent: Reference | NoReference
    if isinstance(reference, Reference):
        independent = reference
    elif reference:
        independent = find_reference(solution.known_problem)
    else:
        independent = NoReference("not asked for")
    verdict = judge(solution, trained.system, trained.theta, independent, seed=seed + 1_000_003)
    return replace(solution, verdict=verdict)
