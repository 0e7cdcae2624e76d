"""Identified numbers from their posterior."""

from __future__ import annotations

from collections.abc import Sequence

from pinnsolve.estimated_functions import EstimatedFunction
from pinnsolve.estimates import Estimate
from pinnsolve.problem import Problem
from pinnsolve.uncertainty.posterior import Posterior
from pinnsolve.unknowns import bind


def estimates_of(posterior: Posterior) -> tuple[Estimate, ...]:
    """Return the unknowns' values with standard deviations, 95 % intervals and Cramer-Rao bounds."""
    found = []
    columns = zip(posterior.unknowns, posterior.mean, posterior.std, posterior.bound, strict=True)
    for unknown, value, std, bound in columns:
        low, high = posterior.interval(unknown.name)
        found.append(
            Estimate(
                unknown.name,
                float(value),
                float(std),
                unknown.unit,
                unknown.truth,
                low=low,
                high=high,
                bound=float(bound),
            )
        )
    return tuple(found)


def functions_of(
    problem: Problem, estimates: Sequence[Estimate], posterior: Posterior | None
) -> dict[str, EstimatedFunction]:
    """Return the identified functions by name.

    Args:
        problem: The declaration.
        estimates: The unknowns' values; empty if there are none yet.
        posterior: How sure they are, or None.
    """
    values = {estimate.name: estimate.value for estimate in estimates}
    found = {}
    for item in problem.functions if values else ():
        covariance = None if posterior is None else posterior.of_function(item)
        found[item.name] = EstimatedFunction(bind(item, values), covariance)
    return found
