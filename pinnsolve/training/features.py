"""Random features stage by stage: more of them on new points, where and as steep as the present solution needs.

A stage is a value; the Newton steps on it are the loop's business. The bandwidth of the first features, one slope for
each axis, is the one whose solution leaves the smallest residual on points that it was not solved on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from pinnsolve.architecture import singular_corners
from pinnsolve.blocks import Block, Choose, PointCounts, draw_uniformly, make_blocks
from pinnsolve.determinacy import field_follows_unknowns
from pinnsolve.networks import HiddenFeatures, Network, RandomFeatures
from pinnsolve.optimise import HeadNewton, ReducedNewton
from pinnsolve.optimise.levenberg_marquardt import half_square
from pinnsolve.optimise.reduced_newton import part_of
from pinnsolve.optimise.weights import balanced
from pinnsolve.problem import Problem
from pinnsolve.residuals import RowKey, System, build_system
from pinnsolve.sampling import choose_adaptively
from pinnsolve.scaling import Scaling
from pinnsolve.solution import Solution
from pinnsolve.training.corner_points import DECADES_AT_JUMPS, with_corner_points
from pinnsolve.training.feature_layers import (
    all_axes,
    corner_features,
    features_for,
    first_weights,
    num_slopes,
    smooth_features,
)
from pinnsolve.training.warm import fitted_to_network, fitted_to_start, typical_slopes

_ALL = 10**9
"""A stage is one batch: its features are held in memory."""


@dataclass(frozen=True)
class Stage:
    """One size of the feature layer.

    Attributes:
        number: From 0.
        bandwidth: Typical slope of the features along each axis, shape (D,).
        system: The weighted system on this stage's points, tabulated.
        theta: Where its iteration starts.
    """

    number: int
    bandwidth: Tensor
    system: System
    theta: Tensor

    @property
    def network(self) -> RandomFeatures:
        """The features."""
        if not isinstance(self.system.network, RandomFeatures):
            raise TypeError(f"a stage is made of random features, got {self.system.network!r}")
        return self.system.network


@dataclass(frozen=True)
class Solved:
    """A stage that was solved: all that the next one is made from.

    Attributes:
        number: Of the stage.
        bandwidth: Typical slope of its features along each axis, shape (D,).
        num_features: Their number.
        theta: The solution.
        linear: Whether the problem is linear, so that where the next iteration starts does not matter.
        search: Search variables of the unknowns that its functions of corners are for, shape (K,).
    """

    number: int
    bandwidth: Tensor
    num_features: int
    theta: Tensor
    linear: bool
    search: Tensor


def first_stage(
    problem: Problem,
    scaling: Scaling,
    weights: Mapping[RowKey, float],
    *,
    seed: int,
    start: Solution | None = None,
    max_features: int = _ALL,
) -> Stage:
    """Return the smallest stage, its bandwidth found by trial.

    If it starts from random features, it takes over their bandwidth and begins two stages before theirs; any other
    start is where the trials begin, too.

    Args:
        problem: The declaration.
        scaling: Maps between SI and network units.
        weights: Weights of the rows.
        seed: Seed of features and points.
        start: Whose fields it starts from, or None.
        max_features: Most head weights that growth may come to.
    """
    number, begin = FIRST, partial(_begin, problem, scaling, start, seed)
    slopes = None if start is None else typical_slopes(problem, start, scaling)
    if start is None or slopes is None:
        bandwidth = find_bandwidth(problem, scaling, weights, seed=seed, begin=begin)
    else:
        before = len(start.parameters) / len(problem.component_names)
        most = max_features / len(problem.component_names)
        number = max(FIRST, round(min(before, most) / GROWTH**_STAGES_BACK))
        bandwidth = slopes * (number / before) ** (1.0 / len(slopes))
    network = features_for(problem, number, bandwidth, scaling, seed=seed)
    system = system_on(problem, network, scaling, weights, seed=seed)
    return Stage(0, bandwidth, system.tabulated(), begin(network))


def next_stage(
    problem: Problem,
    solved: Solved,
    scaling: Scaling,
    weights: Mapping[RowKey, float],
    *,
    seed: int,
) -> Stage:
    """Return a stage of more features, drawn anew with a larger bandwidth, on new points.

    Args:
        problem: The declaration.
        solved: The stage before it.
        scaling: Maps between SI and network units.
        weights: Weights of the rows, unless the problem is not linear: then they are balanced at the solution so far.
        seed: Seed of features and points.
    """
    number, theta = solved.number + 1, solved.theta
    here = _seed_of(number, seed)
    size, before, then = solved.num_features, solved.bandwidth, _seed_of(solved.number, seed)
    old = features_for(problem, size, before, scaling, seed=then, search=solved.search)
    bandwidth = _next_bandwidth(before, old.head(theta)[:, : old.num_ridges])
    size, found = round(GROWTH * size), theta[old.num_parameters :]
    network = features_for(problem, size, bandwidth, scaling, seed=here, search=found)
    pointless = _system(problem, (), old, scaling, weights)
    choose = partial(choose_adaptively, problem, pointless, theta, _ADAPTIVE_POINTS)
    if not (solved.linear or problem.unknowns):
        base = old, theta[: old.num_parameters]
        weights = smooth_weights(problem, scaling, seed=seed, base=base)
    system = system_on(problem, network, scaling, weights, seed=here, choose=choose)
    start = _start(problem, network)
    if not solved.linear:
        # the functions of the corners are the same: their weights are taken over, the rest is fitted
        first, last = old.num_parameters - old.num_joint, old.num_parameters
        rest, fields = replace(old, plane_corners=()), replace(network, plane_corners=())
        head = fitted_to_network(rest, theta[:first], fields, system)
        start = torch.cat((head, theta[first:last], theta[last:]))
    return Stage(number, bandwidth, system.tabulated(), start)


def _seed_of(number: int, seed: int) -> int:
    """Return the seed of a stage's features and points."""
    return seed + 1009 * number


def _next_bandwidth(bandwidth: Tensor, head: Tensor) -> Tensor:
    """Return a bandwidth that grows with the density of the features and keeps them well enough apart.

    With slopes too small for their number features are nearly dependent: the head's weights grow until
    rounding limits the accuracy. With slopes too large weights are small, and accuracy is given away.
    """
    largest = float(head.abs().max().clamp(1.0, 1e12))
    correction: float = (largest / _BEST_HEAD) ** _FEEDBACK
    denser: float = GROWTH ** (1.0 / len(bandwidth))
    return bandwidth * (denser * correction)


def _begin(
    problem: Problem, scaling: Scaling, start: Solution | None, seed: int, network: RandomFeatures
) -> Tensor:
    """Return where the first iteration on features starts: from the fields of a start, or from zero."""
    theta = _start(problem, network)
    if start is not None:
        head = fitted_to_start(
            problem, start, replace(network, plane_corners=()), scaling, seed=seed
        )
        theta[: network.num_parameters] = 0.0  # a jump is in the fields of the start
        theta[: len(head)] = head
    return theta


def fresh_loss(
    problem: Problem, stage: Stage, theta: Tensor, weights: Mapping[RowKey, float], *, seed: int
) -> float:
    """Return half the sum of squared rows on points that no stage is solved on.

    Args:
        problem: The declaration.
        stage: The stage.
        theta: Its solution.
        weights: Weights of the rows, the same for all stages that are compared.
        seed: Seed of the points.
    """
    counts, scaling = _counts(problem, _JUDGES), stage.system.scaling
    fresh = system_on(problem, stage.network, scaling, weights, seed=seed + 500_009, counts=counts)
    with torch.no_grad():
        return half_square(part_of(fresh, measured=False).residual(theta))


def find_bandwidth(
    problem: Problem,
    scaling: Scaling,
    weights: Mapping[RowKey, float],
    *,
    seed: int,
    begin: Callable[[RandomFeatures], Tensor],
) -> Tensor:
    """Return the slopes (D,) whose solution has the smallest residual on fresh points.

    First one slope for all axes, then twice or half of it, again and again, axis by axis, where that is clearly better.

    Args:
        problem: The declaration.
        scaling: Maps between SI and network units.
        weights: Weights of the rows.
        seed: Seed of features and points.
        begin: Returns where the iteration on given features starts.
    """
    axes = num_slopes(problem)
    corners, fields = corner_features(problem, scaling)

    def loss(bandwidth: Tensor) -> float:
        smooth = smooth_features(problem, _TRIAL, bandwidth, seed=seed)
        network = replace(smooth, corners=corners, plane_corners=fields)
        system = system_on(problem, network, scaling, weights, seed=seed).tabulated()
        if field_follows_unknowns(problem):
            # at the first guess there may be no field at all, a flux of zero say
            method = ReducedNewton(corrections=_TRIAL_STEPS)
            theta = method.step(system, method.init(system, begin(network))).theta
        else:
            theta = newton(system, begin(network), _TRIAL_STEPS)
        fresh = system_on(problem, network, scaling, weights, seed=seed + 7)
        with torch.no_grad():
            return half_square(part_of(fresh, measured=False).residual(theta))

    candidates = [all_axes(scale, axes) for scale in _SCALES]
    losses = [loss(candidate) for candidate in candidates]
    least = min(losses)
    best = candidates[losses.index(least)]
    for axis in range(axes) if axes > 1 else ():
        for factor in (2.0, 0.5):
            trial = _along(best, axis, factor)
            value = loss(trial)
            while value < _CLEARLY * least:
                best, least = trial, value
                trial = _along(best, axis, factor)
                value = loss(trial)
    return best


def _along(bandwidth: Tensor, axis: int, factor: float) -> Tensor:
    """Return the slopes with that along one axis times a factor."""
    changed = bandwidth.clone()
    changed[axis] *= factor
    return changed


def newton(system: System, theta: Tensor, max_steps: int) -> Tensor:
    """Return the solution after at most ``max_steps`` Newton steps."""
    method = HeadNewton()
    state = method.init(system, theta)
    for _ in range(max_steps):
        state = method.step(system, state)
        if state.converged or not state.accepted:
            break
    return state.theta


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
    smooth = smooth_features(problem, _TRIAL, all_axes(1.0, num_slopes(problem)), seed=0)
    system = system_on(problem, replace(smooth, base=base), scaling, None, seed=seed)
    return balanced(system, _start(problem, smooth)).weights


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
    number = counts if counts is not None else _counts(problem, network.num_features)
    blocks = make_blocks(problem, number, seed=seed, choose=choose)
    if isinstance(network, RandomFeatures) and network.plane_corners:
        corners, jumps = singular_corners(problem, scaling, network.plane_corners)
        near = math.ceil(_NEAR_CORNERS * number.interior)
        blocks = with_corner_points(problem, blocks, corners, near, seed=seed + 13)
        blocks = with_corner_points(
            problem, blocks, jumps, near, seed=seed + 17, decades=DECADES_AT_JUMPS
        )
    return _system(problem, blocks, network, scaling, weights)


def _system(
    problem: Problem,
    blocks: Sequence[Block],
    network: RandomFeatures | HiddenFeatures,
    scaling: Scaling,
    weights: Mapping[RowKey, float] | None,
) -> System:
    return build_system(
        blocks,
        problem.field_shapes,
        problem.frame,
        network,
        scaling,
        problem.unknowns,
        weights=weights,
        max_points=_ALL,
    )


def _counts(problem: Problem, num_features: int) -> PointCounts:
    components = len(problem.component_names)
    interior = max(64, math.ceil((2.2 if components == 1 else 1.9) * num_features))
    if problem.frame.num_axes == 1:
        return PointCounts(interior, 2)
    edge = max(48, round(0.35 * interior))
    return PointCounts(interior, edge, edge if problem.time is not None else 0)


def _start(problem: Problem, network: RandomFeatures) -> Tensor:
    head = first_weights(network)
    return torch.cat((head, head.new_tensor([unknown.start for unknown in problem.unknowns])))


FIRST = 150
"""Features of the first stage."""

GROWTH = 1.7
"""Factor on the number of features from stage to stage."""

_STAGES_BACK = 2
"""Stages of which the size of a start's features is taken back: fewer may do, and two are needed for an estimate."""

_TRIAL = 100
"""Features in the search for the bandwidth."""

_SCALES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Slopes that are tried for all axes alike."""

_CLEARLY = 0.8
"""Residual over the least so far below which axes get different slopes: other features of one slope differ as much."""

_TRIAL_STEPS = 4
"""Newton steps in the search for the bandwidth."""

_ADAPTIVE_POINTS = 0.5
"""Share of the points that follows the residual of the stage before."""

_BEST_HEAD = 10.0**6.5
"""Largest head weight at which features are neither too alike nor steeper than need be, in double precision."""

_FEEDBACK = 1.0 / 15.0
"""Power of the head weights with which the bandwidth follows them: they fall with its 15th power or so."""

_NEAR_CORNERS = 0.1
"""Points near each singular corner, as a share of those inside."""

_JUDGES = 1000
"""Features whose number of points is used to compare stages."""
