"""Automatic block weights: every equation divided by the root-mean-square norm of its Jacobian rows.

Such rows are free of units and of the same size for every equation, whatever its coefficients;
found to train better than hand-tuned weights on plate-with-hole, Kovasznay and cavity problems.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from pinnsolve.residuals import RowKey, System


def balanced(system: System, theta: Tensor, *, data_share: float = 1e-4) -> System:
    """Return the system with each equation's weight set from its Jacobian at ``theta``.

    The rows of an equation end up with a summed squared Jacobian norm of 1. Measurements keep
    their statistical weight 1/noise, times a small factor: physics is to hold almost exactly, data
    only within their noise, so the physics rows act as constraints while the unknowns are
    determined by the data alone.

    Args:
        system: The system; its present weights are replaced.
        theta: Parameters, shape (P,), usually the initial ones.
        data_share: Factor on the measurements.
    """
    plain = replace(system, weights={})
    measured = {block.name for block in system.blocks if block.noise is not None}
    sums: dict[RowKey, float] = {}
    for members, (_, jacobian) in zip(plain.chunks, plain.linearised(theta), strict=True):
        for (key, _), rows in zip(members, jacobian.split([n for _, n in members]), strict=True):
            sums[key] = sums.get(key, 0.0) + float(rows.square().sum())
    weights = {
        key: data_share if key.block in measured else total**-0.5 if total > 0.0 else 1.0
        for key, total in sums.items()
    }
    return replace(system, weights=weights)
