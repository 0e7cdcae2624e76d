"""Warm start: training that begins from the fields of another solution instead of from nothing.

Nonlinear problems then take fewer Newton steps, or converge at all, if the other solution is near: the same problem at
a neighbouring parameter, or at an earlier time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from pinnsolve.architecture import with_kinks
from pinnsolve.blocks import interior_block
from pinnsolve.collocation import tensor
from pinnsolve.fingerprint import Fingerprint
from pinnsolve.multi_index import VALUE, MultiIndex
from pinnsolve.networks import MLP, Network, RandomFeatures, Transformed
from pinnsolve.optimise.orthogonal import least_squares
from pinnsolve.problem import Problem
from pinnsolve.residuals import System
from pinnsolve.scaling import Scaling
from pinnsolve.solution import Array, Solution, component_values


def check_start(problem: Problem, start: Solution) -> None:
    """Refuse a solution whose fields cannot stand for those of a problem.

    Args:
        problem: What is to be solved.
        start: Where it is to begin from.

    Raises:
        ValueError: If the fields or the coordinates differ, or the values are not finite.
    """
    other = start.problem
    if other.field_shapes != problem.field_shapes:
        raise ValueError(
            f"start: a solution of {other.name!r} with the fields {_in_words(other.field_shapes)}, but "
            f"{problem.name!r} has {_in_words(problem.field_shapes)}; give one with the same fields"
        )
    names, wanted = other.frame.axis_names, problem.frame.axis_names
    if names != wanted:
        ranges = [item.name for item in other.ranges if item.name not in wanted]
        cure = f"start.given({ranges[0]}=...)" if ranges else "one with the same coordinates"
        raise ValueError(
            f"start: a solution of {other.name!r} over {', '.join(names)}, but {problem.name!r} is over "
            f"{', '.join(wanted)}; give {cure}"
        )
    if not torch.isfinite(tensor(_values_at(start, _points(problem, _SAMPLED)))).all():
        raise ValueError(
            f"start: the solution of {other.name!r} is not finite all over the domain of {problem.name!r}; "
            "solve it again or leave start out"
        )


def made_of(problem: Problem, start: Solution) -> Fingerprint:
    """Return what the start adds to the fingerprint of a run.

    Args:
        problem: What is to be solved.
        start: Where it begins from.
    """
    values = _values_at(start, _points(problem, _SAMPLED))
    found: dict[str, str | float] = {"the network of the start": repr(start.network)}
    for name, column in zip(problem.component_names, values.T, strict=True):
        found[f"the start's mean {name}"] = float(column.mean())
        found[f"the start's mean square of {name}"] = float((column**2).mean())
    return found


def unit_values(start: Solution, scaling: Scaling, points: Tensor) -> Tensor:
    """Return the fields of a start in the units of another network, shape (N, C).

    Points beyond the start's bounds take the value at the nearest point of these, since networks do not extrapolate.

    Args:
        start: The solution.
        scaling: Maps between SI and network units, float64 on the CPU.
        points: In SI units, shape (N, D).
    """
    values = tensor(_values_at(start, points))
    return (values - scaling.offset) / scaling.scale


def typical_slopes(problem: Problem, start: Solution, scaling: Scaling) -> Tensor | None:
    """Return the typical slope of a start's random features along each axis and at each kink, shape (D',).

    None if it has no such features, or another number of kinks.

    Args:
        problem: What is to be solved.
        start: The solution.
        scaling: Maps between SI and network units, in which the slopes are wanted.
    """
    network = start.network
    if not isinstance(network, RandomFeatures) or network.num_features < _FEWEST:
        return None
    ridges = network.slopes[network.slopes.abs().sum(dim=1) > 0.0]
    typical = ridges.square().mean(dim=0).sqrt()
    if len(typical) != with_kinks(problem).num_features(problem.frame.num_axes):
        return None
    typical[: problem.frame.num_axes] *= scaling.half_lengths / start.scaling.half_lengths.to(
        typical
    )
    return typical


def warm_parameters(
    problem: Problem, network: Network, scaling: Scaling, start: Solution, initial: Tensor
) -> Tensor:
    """Return parameters (P,) with which a trained network comes close to a start.

    Hidden layers are those of the start's network if it is of the same architecture, else ``initial``; the head is
    fitted to the start's values by least squares.

    Args:
        problem: The declaration.
        network: The network that will be trained.
        scaling: Its scaling, float64 on the CPU.
        start: The solution to begin from.
        initial: Its random initial parameters, shape (P,), float64 on the CPU.
    """
    parameters = start.parameters.to(initial) if start.network == network else initial
    head = _head(network)
    count = len(parameters) - head.start
    points = _points(problem, max(_SAMPLED, 4 * count))
    streams, pullback = network.linearised(parameters, scaling.to_unit(points), (VALUE,))
    missing = unit_values(start, scaling, points) - streams[0]
    slopes = []
    for component in range(missing.shape[1]):
        cotangent = torch.zeros_like(streams)
        cotangent[:, :, component] = 1.0
        jacobian = parameters.new_zeros(len(points), len(parameters))
        pullback(cotangent, jacobian)
        slopes.append(jacobian[:, head])
    fitted = torch.linalg.lstsq(
        torch.cat(slopes), missing.T.reshape(-1, 1), driver="gelsd"
    ).solution[:, 0]
    warm = parameters.clone()
    warm[head] += fitted
    return warm


def _head(network: Network) -> slice:
    """Return where the parameters of the last layer are, on which the outputs depend linearly."""
    inner = network.inner if isinstance(network, Transformed) else network
    if not isinstance(inner, MLP):
        raise TypeError(f"the network to be trained must be an MLP, got {network!r}")
    rows, columns = inner.layers[-1]
    return slice(inner.num_parameters - rows * (columns + 1), inner.num_parameters)


def _points(problem: Problem, number: int) -> Tensor:
    return interior_block(problem, number, _SEED).point_sets[0]


def _values_at(start: Solution, points: Tensor) -> Array:
    """Return all components in SI units at points (N, D), moved into the start's bounds, shape (N, C)."""
    lower, upper = start.problem.bounds
    return component_values(start, points.cpu().numpy().clip(lower, upper))


def _in_words(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {shape}" if shape else name for name, shape in shapes.items())


_SAMPLED = 256
"""Points at which a start is looked at."""

_SEED = 41
"""Seed of these points."""

_FEWEST = 2
"""Features from which on there is a typical slope."""


Derivatives = Callable[[Tensor, Sequence[MultiIndex]], Tensor]
"""Partial derivatives (S, N, C) of fields in network units at points (N, D) in SI units, by multi-index: those
of the outputs by the inputs of the network."""


def fitted_head(
    fields: Derivatives,
    new: RandomFeatures,
    scaling: Scaling,
    points: Tensor,
    indices: Sequence[MultiIndex] = (VALUE,),
) -> Tensor:
    """Return the head (P,) with which new features come closest to given fields and their derivatives.

    A kind of derivative weighs as much as the values, relative to what the features have of it.

    Args:
        fields: The fields.
        new: The features.
        scaling: Maps between SI and network units.
        points: Where they are met, in SI units, shape (N, D); near a corner and on the boundary, if it is to be there.
        indices: Which derivatives are met, the values first.
    """
    some = new.tabulate(scaling.to_unit(points[:_SAMPLED]), indices).features
    sizes = some.square().mean(dim=(1, 2)).sqrt().clamp(min=torch.finfo(some.dtype).tiny)
    per_kind = (sizes[0] / sizes)[:, None, None]

    def chunks() -> Iterator[tuple[Tensor, Tensor]]:
        for part in points.split(max(new.num_features, _SAMPLED)):
            features = new.tabulate(scaling.to_unit(part), indices).features.mul_(per_kind)
            yield features.flatten(0, 1), (per_kind * fields(part, indices)).flatten(0, 1)

    return torch.from_numpy(least_squares(chunks(), new.num_features)).T.flatten()


def fitted_to_network(
    old: Network, parameters: Tensor, new: RandomFeatures, system: System
) -> Tensor:
    """Return the head (P,) with which new features come closest to a network where equations hold.

    Several fields are met with their slopes, since equations see little else. Of one field that would cost more than to
    solve for it.

    Args:
        old: The network.
        parameters: Its parameters.
        new: The features.
        system: The system that they are for.
    """
    scaling = system.scaling
    points = torch.cat([b.point_sets[0] for b in system.blocks if b.kind in _WITH_FIELDS])
    axes = range(points.shape[1]) if new.num_outputs > 1 else ()

    def fields(points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        return old.streams(parameters, scaling.to_unit(points), indices)

    return fitted_head(fields, new, scaling, points, (VALUE, *((axis,) for axis in axes)))


def fitted_to_start(
    problem: Problem, start: Solution, new: RandomFeatures, scaling: Scaling, *, seed: int
) -> Tensor:
    """Return the head (P,) with which new features come closest to the values of a start inside the domain.

    Args:
        problem: The declaration.
        start: The solution.
        new: The features.
        scaling: Maps between SI and network units, float64 on the CPU.
        seed: Seed of the points.
    """

    def values(points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        del indices
        return unit_values(start, scaling, points)[None]

    points = interior_block(problem, 3 * new.num_features, seed + 11).point_sets[0]
    return fitted_head(values, new, scaling, points)


_WITH_FIELDS = ("interior", "boundary", "initial")
"""Kinds of blocks whose points matter to a fit."""
