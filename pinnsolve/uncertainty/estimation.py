"""Identified numbers from their posterior."""

from __future__ import annotations

from torch import Tensor

from pinnsolve.estimates import Estimate
from pinnsolve.residuals import System
from pinnsolve.uncertainty.laplace import laplace
from pinnsolve.uncertainty.posterior import Posterior


def estimate_unknowns(system: System, theta: Tensor, ridge: float = 1e-9) -> tuple[Estimate, ...]:
    """Return the unknowns' values with standard deviations, by Laplace's approximation.

    Args:
        system: The trained system.
        theta: Its parameters, the unknowns' search variables last.
        ridge: Tikhonov term for directions of the network that no row sees, relative to the columns' norms.
    """
    return estimates_of(laplace(system, theta, ridge=ridge))


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
