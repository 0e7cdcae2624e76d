"""Noise that nobody stated, from the residuals of a fit.

With N readings, of whose freedom the field and the unknowns take nu, the sum of squared residuals of normal noise
has the mean ``(N - nu) sigma^2``. nu is the trace of the hat matrix, ``Posterior.freedom``: an unknown that the data
tell counts as one, a direction of the field that the physics leaves open too, one that it settles as nothing. With
heavy tails the median of the residuals stands for the sum.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pinnsolve.measurements import DataGroup, Measurements, data_groups
from pinnsolve.measurements.groups import first_guess
from pinnsolve.measurements.likelihood import typical_ratio
from pinnsolve.problem import Problem
from pinnsolve.residuals import RowKey, System


@dataclass(frozen=True)
class NoiseEstimate:
    """The noise of groups of readings that share one unknown standard deviation.

    Attributes:
        sigma: Standard deviation by block; infinite where the fit left no freedom.
        freedom: Degrees of freedom that field and unknowns took, by block.
    """

    sigma: Mapping[str, float]
    freedom: Mapping[str, float]


def groups_to_estimate(problem: Problem) -> tuple[DataGroup, ...]:
    """Return the groups of readings whose noise is not stated."""
    groups = data_groups(problem.data, problem.domain.dim)
    return tuple(group for group in groups if group.estimated)


def needs_two_rounds(problem: Problem) -> bool:
    """Return whether a fit depends on the noise that is to be estimated.

    It does if there are several groups, which it weighs against each other, and if a likelihood has a bend.
    """
    wanted = groups_to_estimate(problem)
    several = len(data_groups(problem.data, problem.domain.dim)) > 1
    bent = any(group.likelihood != "normal" for group in wanted)
    return bool(wanted) and (several or bent)


def estimate_noise(
    problem: Problem, system: System, theta: Tensor, freedom: Mapping[str, float]
) -> NoiseEstimate:
    """Return the noise of all groups that state none.

    Args:
        problem: The declaration.
        system: The trained system, not a shard of it.
        theta: Its parameters, the unknowns' search variables last.
        freedom: Degrees of freedom that field and unknowns take of the readings, by block.
    """
    plain = tuple(replace(block, likelihood="normal") for block in system.blocks)
    with torch.no_grad():
        rows = replace(system, blocks=plain).rows_by_key(theta)
    blocks = {block.name: block for block in system.blocks}
    sigma, taken = {}, {}
    for group in groups_to_estimate(problem):
        (name,) = group.values
        key = RowKey(group.name, name)
        guess = float(blocks[group.name].noise[0])  # type: ignore[index]
        ratios = (rows[key] / system.weights.get(key, 1.0)).to(torch.float64).cpu().numpy()
        taken[group.name] = freedom[group.name]
        sigma[group.name] = guess * _scale(group, ratios, taken[group.name])
    return NoiseEstimate(sigma, taken)


def with_noise(problem: Problem, sigma: Mapping[str, float]) -> Problem:
    """Return the problem with noise stated where it was not; where none could be found it is the first guess.

    Args:
        problem: The declaration.
        sigma: Standard deviation by block.
    """
    several = len(problem.data) > 1
    data: list[Measurements] = []
    for position, item in enumerate(problem.data):
        label = f"measurements {position + 1}" if several else "measurements"
        stated = {}
        for name in item.values:
            one = item.noise_of(name)
            found = sigma.get(f"{label}: {name}", math.inf)
            guess = found if math.isfinite(found) else first_guess(item.values[name])
            stated[name] = guess if one is None else one
        data.append(item if item.has_one_noise else replace(item, sigma=stated))
    return replace(problem, measurements=tuple(data) if several else data[0])


def system_with_noise(system: System, sigma: Mapping[str, float]) -> System:
    """Return the system with other noise, its readings never heavier beside the physics than they were.

    Args:
        system: The system.
        sigma: Standard deviation by block; the other blocks stay.
    """
    blocks, smallest = [], 1.0
    for block in system.blocks:
        if block.noise is not None and block.name in sigma:
            finite = min(sigma[block.name], _LARGEST * float(block.noise[0]))
            smallest = min(smallest, finite / float(block.noise[0]))
            blocks.append(replace(block, noise=torch.full_like(block.noise, finite)))
        else:
            blocks.append(block)
    measured = {block.name for block in blocks if block.noise is not None}
    weights = {
        key: smallest * weight if key.block in measured else weight
        for key, weight in system.weights.items()
    }
    return replace(system, blocks=tuple(blocks), weights=weights)


_LARGEST = 1e6
"""Largest factor between noise and its first guess: stands for an infinite one in arithmetic."""


def _scale(group: DataGroup, ratios: np.ndarray, taken: float) -> float:
    """Return noise over its first guess."""
    left = len(ratios) - taken
    if left < _LEAST_FREEDOM:
        return math.inf
    if group.likelihood == "normal":
        return math.sqrt(float(np.sum(ratios**2)) / left)
    typical = float(np.median(np.abs(ratios))) * math.sqrt(len(ratios) / left)
    return typical / typical_ratio(group.likelihood)


_LEAST_FREEDOM = 0.5
"""Degrees of freedom below which residuals say nothing about noise."""
