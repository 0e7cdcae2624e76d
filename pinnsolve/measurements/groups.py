"""Rows of measurements that share their noise: what becomes one block of a problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pinnsolve.measurements.averages import sensor_rules
from pinnsolve.measurements.likelihood import Likelihood
from pinnsolve.measurements.measurements import Measurements

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class DataGroup:
    """Readings of one or more quantities by the same sensors.

    Attributes:
        name: Unique within a problem.
        nodes: Points that each reading is a mean over, one array (N, D) per node.
        shares: Share of each node in the mean, shape (N, number of nodes).
        values: Readings by name, shape (N,) each.
        noise: Standard deviation, shape (N,); of a group that is to be estimated, a first guess.
        likelihood: How noise is distributed.
        estimated: Whether the noise is to be estimated.
    """

    name: str
    nodes: tuple[Array, ...]
    shares: Array
    values: Mapping[str, Array]
    noise: Array
    likelihood: Likelihood
    estimated: bool

    @property
    def num_values(self) -> int:
        """Number of readings."""
        return len(self.noise) * len(self.values)


def data_groups(
    data: Sequence[Measurements],
    space_dim: int,
    *,
    noise: Mapping[str, float] | None = None,
    held_out: bool = False,
) -> tuple[DataGroup, ...]:
    """Return measurements in groups, without the rows that are held out.

    All quantities of a :class:`Measurements` with one known noise make a group; else each of them does.

    Args:
        data: The measurements.
        space_dim: Number of space coordinates.
        noise: Noise that was estimated, by group.
        held_out: Whether to return the rows that are held out instead.
    """
    known = noise or {}
    groups = []
    for position, item in enumerate(data):
        label = "measurements" if len(data) == 1 else f"measurements {position + 1}"
        held = item.held_out(space_dim)
        rows = held if held_out else ~held
        if not rows.any():
            continue
        nodes, shares = sensor_rules(item.points, item.over)
        names = list(item.values)
        parts = [names] if item.has_one_noise else [[name] for name in names]
        for members in parts:
            name = label if item.has_one_noise else f"{label}: {members[0]}"
            stated = item.noise_of(members[0])
            sigma = np.full(len(item.points), known.get(name, 0.0)) if name in known else stated
            if sigma is None:
                sigma = np.full(len(item.points), first_guess(item.values[members[0]]))
            groups.append(
                DataGroup(
                    name,
                    tuple(points[rows] for points in nodes),
                    shares[rows],
                    {member: item.values[member][rows] for member in members},
                    sigma[rows],
                    item.likelihood,
                    stated is None,
                )
            )
    return tuple(groups)


def first_guess(values: Array) -> float:
    """Return a hundredth of the spread of readings (of their size, if they are all the same)."""
    spread = float(np.std(values)) or float(np.abs(values).max()) or 1.0
    return 0.01 * spread
