"""Noise that nobody stated, from the residuals of a fit.

With N readings, of whose freedom the field and the unknowns take nu, the sum of squared residuals of normal noise
has the mean ``(N - nu) sigma^2``. nu is the trace of the hat matrix ``J_d H^-1 J_d^T`` with the information matrix H of
:mod:`pinnsolve.uncertainty`: an unknown that the data tell counts as one, a direction of the field that the physics
leaves open too, one that it settles as nothing. With heavy tails the median of the residuals stands for the sum.
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

_STIFFNESS = 1e3
"""Factor on the physics, as for the standard deviations of unknowns."""

_REGULARISATION = 1e-12
"""Added to the information matrix, relative to its largest diagonal entry."""


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


def estimate_noise(problem: Problem, system: System, theta: Tensor) -> NoiseEstimate:
    """Return the noise of all groups that state none.

    Args:
        problem: The declaration.
        system: The trained system, not a shard of it.
        theta: Its parameters, the unknowns' search variables last.
    """
    taken = _freedom_taken(system, theta)
    plain = tuple(replace(block, likelihood="normal") for block in system.blocks)
    with torch.no_grad():
        rows = replace(system, blocks=plain).rows_by_key(theta)
    blocks = {block.name: block for block in system.blocks}
    sigma, freedom = {}, {}
    for group in groups_to_estimate(problem):
        (name,) = group.values
        key = RowKey(group.name, name)
        guess = float(blocks[group.name].noise[0])  # type: ignore[index]
        ratios = (rows[key] / system.weights.get(key, 1.0)).to(torch.float64).cpu().numpy()
        freedom[group.name] = taken[key]
        sigma[group.name] = guess * _scale(group, ratios, taken[key])
    return NoiseEstimate(sigma, freedom)


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


def _freedom_taken(system: System, theta: Tensor) -> dict[RowKey, float]:
    """Return the trace of the hat matrix over the rows of every equation of the data."""
    measured = {block.name for block in system.blocks if block.noise is not None}
    size = system.num_parameters
    gram = theta.new_zeros(size, size, dtype=torch.float64)
    rows: list[tuple[RowKey, Tensor]] = []
    for members, (_, jacobian) in zip(system.chunks, system.linearised(theta), strict=True):
        wide = jacobian.to(torch.float64)
        is_data = members[0][0].block in measured  # measurements never share a group with physics
        gram += (1.0 if is_data else _STIFFNESS) * (wide.T @ wide)
        if is_data:
            pieces = wide.split([number for _, number in members])
            rows += [(key, piece) for (key, _), piece in zip(members, pieces, strict=True)]
    ridged = gram.clone()
    ridged.diagonal().add_(_REGULARISATION * float(gram.diagonal().max()))
    factors = torch.linalg.lu_factor(ridged)
    taken: dict[RowKey, float] = {}
    for key, piece in rows:
        response = torch.zeros_like(piece.T)
        for _ in range(_REFINEMENTS):
            response += torch.linalg.lu_solve(*factors, piece.T - gram @ response)
        taken[key] = taken.get(key, 0.0) + float((piece * response.T).sum())
    return taken


_REFINEMENTS = 4
"""Iterations of Tikhonov's regularisation: what it takes from a degree of freedom is raised to this power."""
