"""Which of several models do the data speak for? Evidence, and the probability of each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pinnsolve.method import Method
from pinnsolve.problem import Problem
from pinnsolve.solution import Solution
from pinnsolve.training import train


@dataclass(frozen=True)
class ModelComparison:
    """Candidate models, held against the same data.

    Attributes:
        solutions: The solution by name of the model.
        log_evidence: Logarithm of the probability density of the data under each model, by Laplace's approximation.
        probability: That of each model, all of them being as likely before.
    """

    solutions: Mapping[str, Solution]
    log_evidence: Mapping[str, float]
    probability: Mapping[str, float]

    @property
    def best(self) -> str:
        """Name of the most probable model."""
        return max(self.probability, key=lambda name: self.probability[name])


def compare_models(
    problems: Mapping[str, Problem], method: Method | None = None, *, seed: int = 0
) -> ModelComparison:
    """Solve candidate problems with the same measurements and compare how well they predict these.

    The evidence weighs the misfit against what the unknowns were free to be: an unknown more has to pay for itself. It
    takes an unknown without a prior as uniform within its bounds, so give priors or bounds that mean something.

    Example:
        >>> found = compare_models({"one film": one, "two films": two})  # doctest: +SKIP
        >>> found.best, found.probability["two films"]  # doctest: +SKIP

    Args:
        problems: The candidates by name.
        method: How they are solved; None chooses everything.
        seed: Seed of training.

    Raises:
        ValueError: If there are fewer than two, or one has no measurements.
    """
    if len(problems) < 2:
        raise ValueError(f"comparing needs at least two models, got {list(problems)}")
    bare = [name for name, problem in problems.items() if not problem.measurements]
    if bare:
        raise ValueError(f"model {bare[0]!r} has no measurements to be compared by; give it some")
    solutions = {
        name: train(problem, method, seed=seed).solution for name, problem in problems.items()
    }
    return compared(solutions)


def compared(solutions: Mapping[str, Solution]) -> ModelComparison:
    """Compare models that are solved already.

    Args:
        solutions: The solution by name; all must rest on the same measurements.

    Raises:
        ValueError: If one has no posterior.
    """
    evidence = {}
    for name, solution in solutions.items():
        if solution.posterior is None:
            raise ValueError(f"model {name!r} has no posterior; solve it with its measurements")
        evidence[name] = solution.posterior.log_evidence
    highest = max(evidence.values())
    shares = {name: math.exp(value - highest) for name, value in evidence.items()}
    total = sum(shares.values())
    return ModelComparison(solutions, evidence, {n: share / total for n, share in shares.items()})
