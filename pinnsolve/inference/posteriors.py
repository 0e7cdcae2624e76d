"""posterior(): how sure the unknowns and the fields are, in three ways with one answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.inference.restarts import moved_by_noise, system_of
from pinnsolve.method import Method
from pinnsolve.naming import near_match_text
from pinnsolve.residuals import System
from pinnsolve.solution import Solution
from pinnsolve.threads import one_torch_thread
from pinnsolve.training import train
from pinnsolve.uncertainty import (
    Member,
    Posterior,
    Way,
    is_open,
    laplace,
    settled,
    stiffness_of,
)

Array = npt.NDArray[np.float64]

_NUM = {"laplace": 0, "randomise-then-optimise": 50, "ensemble": 10}
"""How many draws are made if nothing else is asked for."""


def posterior(
    solution: Solution,
    method: Way = "laplace",
    *,
    num: int | None = None,
    seed: int = 0,
    how: Method | None = None,
) -> Posterior:
    """Return how sure the unknowns and the fields of a solution are.

    ``laplace`` is the normal distribution about the optimum; a solution has it already. ``randomise-then-optimise``
    moves measurements and priors by their noise and goes on from the solution, some Gauss-Newton steps for every draw:
    it shows skewness. ``ensemble`` does so from networks that are trained anew, each from another seed, and so contains
    what training itself leaves uncertain.

    Args:
        solution: A solution of a problem with measurements.
        method: The way.
        num: Number of draws; None is 50 of restarts, 10 of an ensemble.
        seed: Seed of the noise, of the points, and of the first network of an ensemble.
        how: How an ensemble is trained; None chooses everything.

    Example:
        >>> draws = posterior(solution, "randomise-then-optimise", num=100)  # doctest: +SKIP
        >>> draws.std, draws.interval("k"), draws.correlation  # doctest: +SKIP

    Raises:
        ValueError: If there is no such method, nothing was measured, or there are fewer than two draws.
    """
    ways = get_args(Way)
    if method not in ways:
        raise ValueError(f"no method {method!r} for a posterior. {near_match_text(method, ways)}")
    if solution.posterior is None:
        raise ValueError(
            f"problem {solution.problem.name!r} has no measurements and no unknowns, so there is nothing to be "
            "sure of; give Problem(measurements=...)"
        )
    if method != "laplace" and is_open(solution.network):
        raise ValueError(
            f"the field of {solution.problem.name!r} rests on data and on an expected spread of its features' weights, "
            f"for which {method!r} is not made; take 'laplace', or a solution by Method(trunk='trained')"
        )
    if method == "laplace":
        return solution.posterior if not len(solution.posterior.samples) else _anew(solution, seed)
    count = _NUM[method] if num is None else num
    if count < 2:
        raise ValueError(f"a spread needs num >= 2 draws, got {count}")
    with one_torch_thread():
        if method == "ensemble":
            return _ensemble(solution, count, seed, how)
        return _restarted(solution, count, seed)


def _anew(solution: Solution, seed: int) -> Posterior:
    return _laplace(*system_of(solution, seed=seed), solution)


def _laplace(system: System, theta: Tensor, solution: Solution) -> Posterior:
    stiffness = stiffness_of(solution.problem)
    return laplace(system, theta, stiffness=stiffness, chosen=_chosen(solution))


def _chosen(solution: Solution) -> Mapping[str, float]:
    """Return the smoothness of functions that the data chose."""
    return {} if solution.posterior is None else solution.posterior.smoothness


def _restarted(solution: Solution, count: int, seed: int) -> Posterior:
    system, theta = system_of(solution, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    base = settled(system, theta).theta
    moved = (moved_by_noise(system, generator) for _ in range(count))
    draws = [(system, settled(each, base).theta) for each in moved]
    about = _laplace(system, base, solution)
    return _sampled(about, draws, "randomise-then-optimise")


def _ensemble(solution: Solution, count: int, seed: int, how: Method | None) -> Posterior:
    generator, draws = torch.Generator().manual_seed(seed), []
    for k in range(count):
        trained = train(solution.problem, how, seed=seed + k)
        system = trained.system.to(dtype=torch.float64)
        moved = moved_by_noise(system, generator)
        draws.append((system, settled(moved, trained.theta.to(torch.float64)).theta))
    if solution.posterior is None:
        raise ValueError("an ensemble needs a solution with a posterior")
    return _sampled(solution.posterior, draws, "ensemble")


def _sampled(about: Posterior, draws: list[tuple[System, Tensor]], method: Way) -> Posterior:
    """Return the posterior of draws; what the data alone say is that about the optimum."""
    members, search, values = [], [], []
    for system, theta in draws:
        count = system.network.num_parameters
        members.append(Member(system.network, theta[:count], system.scaling))
        pairs = list(zip(system.unknowns, theta[count:], strict=True))
        search.append([float(z) for _, z in pairs])
        values.append([float(unknown.value(z)) for unknown, z in pairs])
    spread: Array = np.atleast_2d(np.cov(np.array(search).reshape(len(draws), -1), rowvar=False))
    size = len(about.unknowns)
    return replace(
        about,
        method=method,
        search=np.array(search).reshape(len(draws), size).mean(axis=0),
        search_covariance=spread if size else np.zeros((0, 0)),
        root=np.zeros((0, 0)),
        samples=np.array(values).reshape(len(draws), size),
        members=tuple(members),
    )
