"""Is a given value smooth, with the derivatives it claims? Otherwise it must not be built into the answer."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from pinnsolve.jets import Coordinates, Jet
from pinnsolve.networks.extensions import GivenValue
from pinnsolve.problem import Problem

_NUM_NODES = 1025
_NUM_LINES = 3
_SHARE = 0.02


def check_smooth(
    problem: Problem, component: str, value: GivenValue, u: Coordinates, held: Mapping[int, float]
) -> None:
    """Refuse given values with jumps, kinks, or changes that their derivatives do not show.

    Along lines parallel to the axes, values and first derivatives must be the integrals of the
    derivatives above them. A kink would be carried into the domain, where collocation cannot see it.

    Args:
        problem: The declaration.
        component: Its name, for the message.
        value: The given value.
        u: Points inside the domain, in network units; lines go through the first of them.
        held: Coordinates, in network units, that are fixed where the value is given.

    Raises:
        ValueError: If the value is not smooth.
    """
    for axis in range(u.frame.num_axes):
        if axis in held:
            continue
        for start in u.points[:_NUM_LINES]:
            points, inside = _line(problem, value, start, axis, held)
            jet = value.jet(Coordinates(points, u.frame))
            for order in (0, 1):
                if _is_off(jet, axis, order, inside):
                    raise ValueError(
                        f"exact boundary values of {component}: what {value.condition.label} gives is not smooth along "
                        f"{u.frame.axis_names[axis]} (a jump, a kink, or a table, whose derivatives are unknown), "
                        "so it cannot be built into the answer; use boundary='penalty'"
                    )


def _line(
    problem: Problem, value: GivenValue, start: Tensor, axis: int, held: Mapping[int, float]
) -> tuple[Tensor, Tensor]:
    """Return points along an axis, and which of the stretches between them lie in the domain."""
    points = start.repeat(_NUM_NODES, 1)
    for other, position in held.items():
        points[:, other] = position
    points[:, axis] = torch.linspace(-1.0, 1.0, _NUM_NODES, dtype=torch.float64, device="cpu")
    dim = problem.domain.dim
    center, half = points.new_tensor(value.center), points.new_tensor(value.half_lengths)
    located = (center + half * points)[:, :dim].numpy()
    held_in = problem.domain.contains(located, tolerance=1e-9 * problem.domain.size)
    inside = torch.from_numpy(held_in)
    return points, inside[1:] & inside[:-1]


def _is_off(jet: Jet, axis: int, order: int, inside: Tensor) -> bool:
    """Whether a derivative changes along an axis otherwise than the next one says."""
    below, above = (jet.d(*(axis,) * k).expand(_NUM_NODES) for k in (order, order + 1))
    step = 2.0 / (_NUM_NODES - 1)
    change = (below[1:] - below[:-1])[inside]
    missed = change - 0.5 * step * (above[1:] + above[:-1])[inside]
    size = float(jet.value.abs().max())
    return not float(missed.abs().sum()) <= _SHARE * float(change.abs().sum()) + 1e-9 * size
