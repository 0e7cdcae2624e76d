"""Is the answer right over a whole range? The checks of single answers, at several values; the worst counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from torch import Tensor

from pinnsolve.geometry.sobol import unit_points
from pinnsolve.judging import answer_checks, run_checks
from pinnsolve.problem import Problem
from pinnsolve.ranges import columns, in_words, sampled_values
from pinnsolve.reference.reference import NoReference, Reference
from pinnsolve.residuals import System
from pinnsolve.solution import Solution
from pinnsolve.verdict import Check, Verdict

Array = npt.NDArray[np.float64]

NUM_RANDOM = 2
"""Values drawn at random, beside the middle and the ends of the ranges."""


@dataclass(frozen=True)
class Sample:
    """A place in the ranges at which a solution is judged.

    Attributes:
        values: Value by the name of its range.
        reference: The independent solution there, or why there is none.
    """

    values: Mapping[str, float]
    reference: Reference | NoReference


def sample_ranges(
    problem: Problem, reference_at: Callable[[Problem], Reference | NoReference], *, seed: int
) -> tuple[Sample, ...]:
    """Return the middle, the ends and two random places of the ranges, with references.

    Args:
        problem: The declaration, with ranges.
        reference_at: Returns the reference of the problem at given values, in this order.
        seed: Seed of the random places.
    """
    shares = unit_points(NUM_RANDOM, len(problem.ranges), seed=seed)
    return tuple(
        Sample(values, reference_at(problem.given(**values)))
        for values in sampled_values(problem.ranges, shares)
    )


def judge_ranges(
    solution: Solution, system: System, theta: Tensor, samples: Sequence[Sample], *, seed: int
) -> Verdict:
    """Check a solution with ranges: its residual over all of them, and its answers at some values.

    Every check is the worst over the values, relative to the field at that value. Targets of
    quantities are held against all of them, so a target must hold over the whole range.

    Args:
        solution: The solution.
        system: The system it was trained on.
        theta: The trained parameters.
        samples: Where it is judged.
        seed: Seed of the fresh points; must differ from the training seed.
    """
    worst: dict[str, tuple[Check, Mapping[str, float]]] = {}
    for sample in samples:
        view = solution.given(**sample.values)
        for check in answer_checks(view, sample.reference, seed=seed):
            if check.name not in worst or _size(check) > _size(worst[check.name][0]):
                worst[check.name] = check, sample.values
    named = [
        replace(
            check,
            name=f"{check.name} at {in_words(values)}",
            note=f"worst of {len(samples)} values; {check.note}".removesuffix("; "),
        )
        for check, values in worst.values()
    ]
    everywhere = run_checks(solution, system, theta, seed=seed)
    return Verdict((*everywhere, *named), solution.problem.accuracy, _notes(samples))


def along(reference: Reference, problem: Problem, values: Mapping[str, float]) -> Reference:
    """Return a reference over the ranges as one at given values.

    Args:
        reference: Its ``evaluate`` takes points (N, D), the ranges included.
        problem: The declaration, with ranges.
        values: Value by the name of its range.
    """

    def evaluate(points: Array) -> Array:
        held = columns(problem.ranges, values, len(points))
        return reference.evaluate(np.column_stack((points, held)))

    return replace(reference, evaluate=evaluate)


def _size(check: Check) -> float:
    """Return a check's value in units of its limit; infinite if it has none."""
    ratio = check.value / check.limit if check.limit > 0.0 else math.inf * (not check.passed)
    return math.inf if math.isnan(ratio) else ratio


def _notes(samples: Sequence[Sample]) -> tuple[str, ...]:
    """Return why there are no references, each reason once."""
    reasons: dict[str, list[str]] = {}
    for sample in samples:
        if isinstance(sample.reference, NoReference):
            reasons.setdefault(sample.reference.reason, []).append(in_words(sample.values))
    return tuple(
        f"no independent reference{'' if len(places) == len(samples) else ' at ' + '; '.join(places)}: {reason}"
        for reason, places in reasons.items()
    )
