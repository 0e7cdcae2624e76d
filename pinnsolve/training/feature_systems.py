"""The least-squares system of a layer of random features: its points, their number, and its weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from pinnsolve.architecture import singular_corners
from pinnsolve.blocks import Block, Choose, PointCounts, draw_uniformly, make_blocks
from pinnsolve.networks import HiddenFeatures, Network, RandomFeatures
from pinnsolve.optimise.weights import balanced
from pinnsolve.problem import Problem
from pinnsolve.residuals import RowKey, System, build_system
from pinnsolve.scaling import Scaling
from pinnsolve.training.corner_points import with_corner_points
from pinnsolve.training.feature_layers import all_axes, first_weights, num_slopes, smooth_features

ALL = 10**9
"""A stage is one batch: its features are held in memory."""

TRIAL = 100
"""Features of a smooth layer, in the search for the bandwidth and for weights."""

_NEAR_CORNERS = 0.1
"""Points near each singular corner, as a share of those inside."""


def smooth_weights(
    problem: Problem,
    scaling: Scaling,
    *,
    seed: int,
    base: tuple[Network, Tensor] | None = None,
) -> Mapping[RowKey, float]:
    """Return weights for which an error of order one that is smooth over the domain has rows of order one.

    Balanced with the features in use, steep ones would make derivatives look large, and the
    equations that contain them would be let off. Balanced at rest, what a flow carries would be overrated.

    Args:
        problem: The declaration.
        scaling: Maps between SI and network units.
        seed: Seed of the points.
        base: The network and its parameters, at whose fields equations are linearised; None at zero.
    """
    smooth = smooth_features(problem, TRIAL, all_axes(1.0, num_slopes(problem)), seed=0)
    system = system_on(problem, replace(smooth, base=base), scaling, None, seed=seed)
    return balanced(system, rest_on(problem, smooth)).weights


def system_on(
    problem: Problem,
    network: RandomFeatures | HiddenFeatures,
    scaling: Scaling,
    weights: Mapping[RowKey, float] | None,
    *,
    seed: int,
    counts: PointCounts | None = None,
    choose: Choose = draw_uniformly,
) -> System:
    """Return the system on new points, by default about 2.5 rows to a parameter."""
    number = counts if counts is not None else counts_for(problem, network.num_features)
    blocks = make_blocks(problem, number, seed=seed, choose=choose)
    if isinstance(network, RandomFeatures) and network.plane_corners:
        corners, _ = singular_corners(problem, scaling, network.plane_corners)
        near = math.ceil(_NEAR_CORNERS * number.interior)
        # none at jumps: what is left there is carried by slopes without bound, and the nearest rows would be all
        blocks = with_corner_points(problem, blocks, corners, near, seed=seed + 13)
    return system_of_blocks(problem, blocks, network, scaling, weights)


def system_of_blocks(
    problem: Problem,
    blocks: Sequence[Block],
    network: RandomFeatures | HiddenFeatures,
    scaling: Scaling,
    weights: Mapping[RowKey, float] | None,
) -> System:
    """Return the system of given blocks, in one batch."""
    return build_system(
        blocks,
        problem.field_shapes,
        problem.frame,
        network,
        scaling,
        problem.unknowns,
        weights=weights,
        max_points=ALL,
    )


def counts_for(problem: Problem, num_features: int) -> PointCounts:
    """Return how many points go with a number of features."""
    components = len(problem.component_names)
    interior = max(64, math.ceil((2.2 if components == 1 else 1.9) * num_features))
    if problem.frame.num_axes == 1:
        return PointCounts(interior, 2)
    edge = max(48, round(0.35 * interior))
    return PointCounts(interior, edge, edge if problem.time is not None else 0)


def rest_on(problem: Problem, network: RandomFeatures) -> Tensor:
    """Return the weights that training starts from, and the unknowns where they start."""
    head = first_weights(network)
    return torch.cat((head, head.new_tensor([unknown.start for unknown in problem.unknowns])))
