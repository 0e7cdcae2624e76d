"""A solved problem as the start of another: its network, in the coordinates of the problem to be solved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from pinnsolve.architecture import (
    corner_functions,
    exact_boundary_for,
    start_corner_functions,
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
)
from pinnsolve.problem import Problem
from pinnsolve.scaling import Scaling
from pinnsolve.solution import Solution
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


def network_on(start: Solution, problem: Problem, scaling: Scaling) -> Network:
    """Return the network of a start with what the new problem builds into it: its given values, its kinks.

    Args:
        start: The solution.
        problem: What is to be solved.
        scaling: Maps between SI and network units, of the new problem.

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
    if isinstance(inner, RandomFeatures) and inner.corners:
        return _with_corners_of(problem, inner)
    if not isinstance(network, Transformed):
        return network
    if isinstance(network.transform, ExactBoundary):
        return Transformed(inner, exact_boundary_for(problem, scaling))
    if isinstance(network.transform, StreamFunction):
        return Transformed(inner, stream_function_for(problem, scaling))
    raise ValueError(f"start: no transform can be made anew from {network.transform!r}")


def _with_corners_of(problem: Problem, network: RandomFeatures) -> RandomFeatures:
    """Return features with the singular functions of the new problem's corners in place of the old ones.

    Raises:
        ValueError: If there are more or fewer of them.
    """
    corners: tuple[Singular, ...] = (*corner_functions(problem), *start_corner_functions(problem))
    before, now = (sum(c.num_features for c in found) for found in (network.corners, corners))
    if before != now:
        raise ValueError(
            f"start: its network has {before} singular functions of corners, the problem needs {now}; use "
            "freeze='nothing'"
        )
    return replace(network, corners=corners)


def parameters_of(start: Solution) -> Tensor:
    """Return the parameters of a start, shape (P,), float64 on the CPU."""
    return start.parameters.to(dtype=torch.float64, device="cpu")


_ROUNDING = 1e-12
"""Relative difference of bounds that are the same."""
