"""The bandwidth of the first features, one slope for each axis, found by trial on points that were not solved on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from pinnsolve.determinacy import field_follows_unknowns
from pinnsolve.networks import RandomFeatures
from pinnsolve.optimise import HeadNewton, ReducedNewton
from pinnsolve.optimise.levenberg_marquardt import half_square
from pinnsolve.optimise.reduced_newton import part_of
from pinnsolve.problem import Problem
from pinnsolve.residuals import RowKey, System
from pinnsolve.scaling import Scaling
from pinnsolve.training.feature_layers import all_axes, corner_features, num_slopes, smooth_features
from pinnsolve.training.feature_systems import TRIAL, system_on

_SCALES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Slopes that are tried for all axes alike."""

_CLEARLY = 0.8
"""Residual over the least so far below which axes get different slopes: other features of one slope differ as much."""

_TRIAL_STEPS = 4
"""Newton steps in the search for the bandwidth."""


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
        smooth = smooth_features(problem, TRIAL, bandwidth, seed=seed)
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
