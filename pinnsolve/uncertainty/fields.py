"""How sure the fields are: their deviations at points, one for every independent standard normal variable.

A posterior is ``theta = mean + root xi`` with xi standard normal. A field component then deviates by ``J root xi``,
with its derivative J by the network's parameters; the norm of a row of ``J root`` is its standard deviation. Draws of
the field stand for the same with one variable each. Profiles of unknowns that are not normal change nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.multi_index import VALUE
from pinnsolve.problem import Problem
from pinnsolve.uncertainty.posterior import Member, Posterior

Array = npt.NDArray[np.float64]

Quadrature = Callable[[str | None, float | None], tuple[Array, Array, Array]]
"""``rule(None, time)``: points (M, D), normals and weights (M,) of the domain; the time is None if steady."""

_BATCH = 1024


def deviations(
    posterior: Posterior | None, at: Member, problem: Problem, points: Array, rule: Quadrature
) -> Array:
    """Return how all components deviate at points, shape (N, C, R); std is the norm over the last axis.

    Args:
        posterior: What is known, or None.
        at: The solution's network.
        problem: The declaration.
        points: Shape (N, D).
        rule: Quadrature of the domain, for fields whose level is that of zero mean.

    Raises:
        ValueError: If nothing is known of the fields.
    """
    if posterior is None:
        raise ValueError(
            f"problem {problem.name!r}: nothing was measured, so no deviations are known; give it measurements"
        )
    if not posterior.members and not posterior.root.size:
        raise ValueError(
            f"problem {problem.name!r}: how sure the unknowns are is known, but not the fields, since a part of the "
            "network was held; solve without a start to know it"
        )
    found = _deviations(posterior, at, points)
    names = problem.component_names
    floating = [names.index(name) for name in problem.floating_fields]
    if not floating:
        return found
    times = np.zeros(len(points)) if problem.time is None else points[:, problem.frame.space_dim]
    for time in np.unique(times):
        nodes, _, weights = rule(None, None if problem.time is None else float(time))
        everywhere = _deviations(posterior, at, nodes)
        means = np.tensordot(weights / weights.sum(), everywhere, axes=(0, 0))
        here = times == time
        for column in floating:
            found[here, column] -= means[column]
    return found


def field_columns(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, slice | int]:
    """Return the components of every field by name."""
    found: dict[str, slice | int] = {}
    start = 0
    for name, shape in shapes.items():
        size = shape[0] if shape else 1
        found[name] = slice(start, start + size) if shape else start
        start += size
    return found


def _deviations(posterior: Posterior, at: Member, points: Array) -> Array:
    if posterior.members:
        draws = np.stack([_values(member, points) for member in posterior.members], axis=-1)
        spread = draws - draws.mean(axis=-1, keepdims=True)
        return np.asarray(spread / (draws.shape[-1] - 1) ** 0.5)
    batches = (points[i : i + _BATCH] for i in range(0, len(points), _BATCH))
    return np.concatenate([_linear_deviations(at, batch, posterior.root) for batch in batches])


def _values(member: Member, points: Array) -> Array:
    """Return all components in SI units, shape (N, C)."""
    parameters, unit, factor, offset = _exact(member, points)
    with torch.no_grad():
        streams = member.network.streams(parameters, unit, (VALUE,))
    return np.asarray((factor * streams[0] + offset).cpu().numpy())


def _linear_deviations(member: Member, points: Array, root: Array) -> Array:
    parameters, unit, factor, _ = _exact(member, points)
    streams, pullback = member.network.linearised(parameters, unit, (VALUE,))
    basis = torch.from_numpy(root[: len(parameters)]).to(parameters)
    found = []
    for component in range(streams.shape[-1]):
        cotangent = torch.zeros_like(streams)
        cotangent[0, :, component] = factor[component]
        slopes = parameters.new_zeros(len(points), len(parameters))
        pullback(cotangent, slopes)
        found.append((slopes @ basis).cpu().numpy())
    return np.stack(found, axis=1)


def _exact(member: Member, points: Array) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return parameters, unit points, factor and offset in float64."""
    parameters = member.parameters.detach().to(torch.float64)
    scaling = member.scaling.to(dtype=torch.float64, device=parameters.device)
    located = torch.from_numpy(np.ascontiguousarray(points)).to(parameters)
    return parameters, scaling.to_unit(located), scaling.stream_factor(VALUE), scaling.offset
