"""Automatic block weights: every equation divided by the root-mean-square norm of its Jacobian rows.

Such rows are free of units and of the same size for every equation, whatever its coefficients;
found to train better than hand-tuned weights on plate-with-hole, Kovasznay and cavity problems.
"""

from __future__ import annotations

import math
from dataclasses import replace

from torch import Tensor

from pinnsolve.residuals import RowKey, System

_LARGEST_SHARE = 1e-4
"""Largest factor on measurements: keeps them small beside the physics even if they are very noisy."""

_DATA_NORM = 0.1
"""Largest root of the summed squared Jacobian norms of the measurements; an equation's is 1."""


def balanced(system: System, theta: Tensor) -> System:
    """Return the system with each equation's weight set from its Jacobian at ``theta``.

    The rows of an equation end up with a summed squared Jacobian norm of 1. Measurements keep
    their statistical weight 1/noise among each other, times one small factor: physics is to hold
    almost exactly, data only within their noise, so that the physics rows act as constraints while
    the unknowns are determined by the data alone. What the data may bend the physics by shifts an
    estimate by a share of its standard deviation that grows with the square of the measurements'
    Jacobian norm; held at 0.1, however precise the sensors, it is of the order of 0.01.

    Args:
        system: The system; its present weights are replaced.
        theta: Parameters, shape (P,), usually the initial ones.
    """
    # heavy tails are flat far from the readings, where training begins: their rows count as those of normal noise
    blocks = tuple(replace(block, likelihood="normal") for block in system.blocks)
    plain = replace(system, blocks=blocks, weights={})
    measured = {block.name for block in system.blocks if block.noise is not None}
    sums: dict[RowKey, float] = {}
    for members, (_, jacobian) in zip(plain.chunks, plain.linearised(theta), strict=True):
        for (key, _), rows in zip(members, jacobian.split([n for _, n in members]), strict=True):
            sums[key] = sums.get(key, 0.0) + float(rows.square().sum())
    data_norm = math.sqrt(sum(total for key, total in sums.items() if key.block in measured))
    share = min(_LARGEST_SHARE, _DATA_NORM / data_norm) if data_norm > 0.0 else _LARGEST_SHARE
    weights = {
        key: share if key.block in measured else total**-0.5 if total > 0.0 else 1.0
        for key, total in sums.items()
    }
    return replace(system, weights=weights)
