"""Layers of random features for a declaration: ridges as steep as asked for, and the functions of its corners."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from pinnsolve.architecture import (
    corner_functions,
    plane_corner_functions,
    start_corner_functions,
    with_kinks,
)
from pinnsolve.networks import JumpFlow, RandomFeatures, Singular, VectorSingular, draw_features
from pinnsolve.problem import Problem
from pinnsolve.scaling import Scaling


def features_for(
    problem: Problem,
    number: int,
    bandwidth: Tensor,
    scaling: Scaling,
    *,
    seed: int,
    search: Tensor | None = None,
) -> RandomFeatures:
    """Return ``number`` features over the whole domain: the functions of its corners, if it has any, and ridges.

    Args:
        problem: The declaration.
        number: How many, the functions of corners included.
        bandwidth: Typical slope of the ridges along each axis, shape (D,).
        scaling: Maps between SI and network units.
        seed: Seed of the ridges.
        search: Search variables of the unknowns for which the functions of corners are, shape (K,); None is the first
            guesses.
    """
    corners, fields = corner_features(problem, scaling, _values(problem, search))
    ridges = max(1, number - sum(corner.num_features for corner in corners))
    smooth = smooth_features(problem, ridges, bandwidth, seed=seed)
    return replace(smooth, corners=corners, plane_corners=fields)


def _values(problem: Problem, search: Tensor | None) -> Mapping[str, float]:
    """Return the values of the unknowns by name; nothing without search variables."""
    if search is None:
        return {}
    pairs = zip(problem.unknowns, search, strict=True)
    return {unknown.name: float(unknown.value(z)) for unknown, z in pairs}


def corner_features(
    problem: Problem, scaling: Scaling, known: Mapping[str, float] | None = None
) -> tuple[tuple[Singular, ...], tuple[VectorSingular, ...]]:
    """Return the singular functions of every component, and the singular vector fields.

    Args:
        problem: The declaration.
        scaling: Maps between SI and network units.
        known: Values of unknowns by name; of those without one the first guess counts.
    """
    fields, others = plane_corner_functions(problem, scaling)
    at_start = start_corner_functions(problem, known)
    return (*corner_functions(problem), *at_start, *others), fields


def first_weights(network: RandomFeatures) -> Tensor:
    """Return the weights (P,) that training starts from: 1 for flows at jumps, else 0."""
    head = torch.zeros(network.num_parameters, dtype=torch.float64, device="cpu")
    place = network.num_parameters - network.num_joint
    for fields in network.plane_corners:
        if isinstance(fields, JumpFlow):
            head[place] = 1.0
        place += fields.num_features
    return head


def smooth_features(
    problem: Problem, number: int, bandwidth: Tensor, *, seed: int
) -> RandomFeatures:
    """Return ``number`` ridges over the whole domain, one of them a constant."""
    generator = torch.Generator().manual_seed(seed)
    slopes, offsets = draw_features(number, bandwidth, generator)
    slopes[0], offsets[0] = 0.0, 1.0
    outputs = len(problem.component_names)
    return RandomFeatures(slopes, offsets, outputs, embedding=with_kinks(problem))


def num_slopes(problem: Problem) -> int:
    """Return the number of slopes of a feature: one for each axis and for each surface it may kink at."""
    return with_kinks(problem).num_features(problem.frame.num_axes)


def all_axes(value: float, axes: int) -> Tensor:
    """Return one slope for all axes, shape (axes,)."""
    return torch.full((axes,), value, dtype=torch.float64, device="cpu")
