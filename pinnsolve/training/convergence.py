"""How far from the solution is the field? An estimate from its own changes; a stopping rule, not a verdict."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from pinnsolve.blocks import interior_block
from pinnsolve.jets import component_names
from pinnsolve.multi_index import VALUE
from pinnsolve.problem import Problem
from pinnsolve.residuals import System
from pinnsolve.scaling import Scaling

STOP_SHARE = 0.4
"""Share of the accuracy asked for at which training stops, since the estimate is not a bound."""


def probe_points(problem: Problem, scaling: Scaling) -> Tensor:
    """Return the points at which the change of the fields is measured, shape (groups, M, D)."""
    points = interior_block(problem, 512, 31).point_sets[0]
    unit = scaling.to_unit(points.to(dtype=scaling.offset.dtype, device=scaling.offset.device))
    return at_ends(problem, unit)


def at_ends(problem: Problem, unit_points: Tensor) -> Tensor:
    """Return the points at which errors are estimated, in groups: at the ends of every range.

    An error is relative to the field at the same parameters, which may be far smaller at one end,
    and the ends are where a network is worst.

    Args:
        problem: The declaration.
        unit_points: Points all over, in network units, shape (N, D).

    Returns:
        Shape (groups, M, D); all points as one group if there are no ranges.
    """
    axes = range(problem.frame.num_physical, problem.frame.num_axes)
    groups = []
    for axis in axes:
        for end in (-1.0, 1.0):
            moved = unit_points[: max(64, len(unit_points) // (2 * len(axes)))].clone()
            moved[:, axis] = end
            groups.append(moved)
    return torch.stack(groups) if groups else unit_points[None]


def snapshot(system: System, theta: Tensor, unit_points: Tensor) -> Tensor:
    """Return the network's outputs at points (groups, M, D), shape (groups, M, C)."""
    with torch.no_grad():
        parameters = theta[: system.network.num_parameters]
        values = system.network.streams(parameters, unit_points.flatten(0, 1), (VALUE,))[0]
        return values.reshape(*unit_points.shape[:2], -1)


def floating_mask(problem: Problem, like: Tensor) -> Tensor:
    """Return 1 for components whose level nothing determines, else 0, shape (C,)."""
    return like.new_tensor(
        [float(name in problem.floating_fields) for name in problem.component_names]
    )


def worst_error(
    system: System,
    theta: Tensor,
    old: Tensor,
    new: Tensor,
    floating: Tensor,
    reduction: float = 1.0,
) -> float:
    """Return the worst :func:`estimated_error` over groups of points, ``old`` and ``new`` of shape (groups, M, C)."""
    return max(
        estimated_error(system, theta, before, after, floating, reduction)
        for before, after in zip(old, new, strict=True)
    )


def estimated_error(
    system: System,
    theta: Tensor,
    old: Tensor,
    new: Tensor,
    floating: Tensor,
    reduction: float = 1.0,
) -> float:
    """Return the larger of two relative errors, the worst over the components.

    One is the change of the field: convergence is at least geometric in practice, so the last
    change bounds what is still missing. The other is the misfit of given boundary and initial values.

    Args:
        system: The system.
        theta: Its parameters.
        old: Earlier network outputs at fixed points, shape (N, C).
        new: Present ones, shape (N, C).
        floating: 1 for components whose level nothing determines, else 0, shape (C,).
        reduction: What is still missing as a share of the change.
    """
    change = reduction * relative_change(old, new, floating)
    misfit = given_misfit(system, theta) / _sizes(new)
    return float(torch.maximum(change, misfit).max())


def relative_change(old: Tensor, new: Tensor, floating: Tensor) -> Tensor:
    """Return the root-mean-square change of every component relative to its size, shape (C,).

    Args:
        old: Earlier network outputs at fixed points, shape (N, C).
        new: Present ones, shape (N, C).
        floating: 1 for components whose level nothing determines, else 0, shape (C,).
    """
    moved = new - old
    moved = moved - floating * moved.mean(dim=0)
    return moved.square().mean(dim=0).sqrt() / _sizes(new)


def _sizes(fields: Tensor) -> Tensor:
    """Return how much every component (N, C) varies; small ones count as a twentieth of the largest."""
    size = (fields - fields.mean(dim=0)).square().mean(dim=0).sqrt()
    return torch.maximum(size, 0.05 * size.max())


def given_misfit(system: System, theta: Tensor) -> Tensor:
    """Return the root-mean-square misfit of given values by component, in network units, shape (C,)."""
    names = component_names(system.shapes)
    squares = theta.new_zeros(len(names))
    counts = theta.new_zeros(len(names))
    kinds = {block.name: block.kind for block in system.blocks}
    value_groups = tuple(g for g in system.groups if g.indices == (VALUE,))
    values_only = replace(system, groups=value_groups, tables=())
    with torch.no_grad():
        for key, rows in values_only.rows_by_key(theta).items():
            if kinds[key.block] in ("boundary", "initial") and key.equation in names:
                position = names.index(key.equation)
                squares[position] += (rows / system.weights[key]).square().sum() * len(rows)
                counts[position] += len(rows)
    return (squares / counts.clamp_min(1.0)).sqrt() / system.scaling.scale
