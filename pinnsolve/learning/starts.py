"""A solved problem as the start of another: its network, in the coordinates of the problem to be solved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from pinnsolve.architecture import (
    exact_boundary_for,
    stream_function_for,
    with_kinks,
)
from pinnsolve.collocation import tensor
from pinnsolve.interop.hdf5 import read_solution
from pinnsolve.networks import (
    MLP,
    ExactBoundary,
    Network,
    RandomFeatures,
    Singular,
    StreamFunction,
    Transformed,
    VectorSingular,
)
from pinnsolve.problem import Problem
from pinnsolve.scaling import Scaling
from pinnsolve.solution import Solution
from pinnsolve.training.feature_layers import corner_features, first_weights
from pinnsolve.training.warm import check_start

Start = Solution | str | Path
"""A solution, or the file that it was saved to."""


def start_of(start: Start, problem: Problem) -> Solution:
    """Return a start that fits a problem.

    Args:
        start: A solution or its file.
        problem: What is to be solved. A file is read for it, whichever problem it was made from.

    Raises:
        ValueError: If the file is damaged, or fields or coordinates differ.
    """
    if isinstance(start, Solution):
        found = start
    else:
        found = replace(read_solution(Path(start), problem), problem=problem, verdict=None)
    check_start(problem, found)
    return found


def same_box(start: Solution, problem: Problem) -> bool:
    """Return whether a start and a problem have the same bounds, so that their networks see the same coordinates.

    Args:
        start: The solution.
        problem: What is to be solved.
    """
    scaling = moved_scaling(start, problem)
    spread = scaling.upper - scaling.lower
    apart = torch.maximum(
        (scaling.lower - start.scaling.lower.to(spread)).abs(),
        (scaling.upper - start.scaling.upper.to(spread)).abs(),
    )
    return bool((apart <= _ROUNDING * spread).all())


def moved_scaling(start: Solution, problem: Problem) -> Scaling:
    """Return the scaling of a start, stretched to the bounds of a problem; float64 on the CPU.

    Args:
        start: The solution.
        problem: What is to be solved.
    """
    lower, upper = (tensor(bound) for bound in problem.bounds)
    kept = start.scaling.to(dtype=torch.float64, device=torch.device("cpu"))
    return replace(kept, lower=lower, upper=upper)


def stretched(start: Solution, problem: Problem) -> Solution:
    """Return a start stretched with its domain to the bounds of a problem: a plate of another size, a longer time.

    Args:
        start: The solution.
        problem: What is to be solved.
    """
    return replace(start, problem=problem, scaling=moved_scaling(start, problem), verdict=None)


def base_of(start: Solution, problem: Problem, scaling: Scaling) -> tuple[Network, Tensor]:
    """Return the network of a start, and its parameters, with what the new problem builds into it.

    These are given values, and the singular functions of its corners, with the weights of the start's where there are
    as many of the same kinds; else they begin at zero, flows at jumps at one.

    Args:
        start: The solution.
        problem: What is to be solved.
        scaling: Maps between SI and network units, of the new problem.

    Returns:
        The network and its parameters (P,), float64 on the CPU.

    Raises:
        ValueError: If the network is of a kind that cannot be trained on, or sees other kinks.
    """
    network = start.network
    inner = network.inner if isinstance(network, Transformed) else network
    if not isinstance(inner, MLP | RandomFeatures):
        raise ValueError(
            f"start: a solution on {network!r}, of which nothing can be held; give one of solve(), or leave "
            "freeze and adapter_rank out"
        )
    kinks = with_kinks(problem, inner.embedding)
    if with_kinks(problem).num_features(problem.frame.num_axes) > problem.frame.num_axes and (
        getattr(inner.embedding, "levels", ()) != getattr(kinks, "levels", ())
    ):
        raise ValueError(
            "start: its network kinks at other interfaces than the problem has; leave freeze and adapter_rank out"
        )
    parameters = start.parameters.to(dtype=torch.float64, device="cpu")
    if isinstance(network, RandomFeatures):
        return _with_corners_of(start, problem, scaling, network, parameters)
    if not isinstance(network, Transformed):
        return network, parameters
    if isinstance(network.transform, ExactBoundary):
        return Transformed(inner, exact_boundary_for(problem, scaling)), parameters
    if isinstance(network.transform, StreamFunction):
        return Transformed(inner, stream_function_for(problem, scaling)), parameters
    raise ValueError(f"start: no transform can be made anew from {network.transform!r}")


def _with_corners_of(
    start: Solution, problem: Problem, scaling: Scaling, network: RandomFeatures, parameters: Tensor
) -> tuple[RandomFeatures, Tensor]:
    """Return features with the singular functions of the new problem in place of the old ones."""
    known = {estimate.name: estimate.value for estimate in start.estimates}
    corners, fields = corner_features(problem, scaling, known)
    anew = replace(network, corners=corners, plane_corners=fields)
    weights = first_weights(anew)
    head, before = anew.head(weights), network.head(parameters)
    kept = before.shape[1] if _alike(network.corners, corners) else network.num_ridges
    head[:, :kept] = before[:, :kept]
    if _alike(network.plane_corners, fields) and anew.num_joint:
        weights[-anew.num_joint :] = parameters[-network.num_joint :]
    return anew, weights


def _alike(
    before: Sequence[Singular | VectorSingular], now: Sequence[Singular | VectorSingular]
) -> bool:
    """Return whether singular functions are as many, of the same kinds and in the same order."""
    return [(type(c), c.num_features) for c in before] == [(type(c), c.num_features) for c in now]


_ROUNDING = 1e-12
"""Relative difference of bounds that are the same."""
