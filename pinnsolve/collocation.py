"""Collocation points: places with quasi-random times and parameters."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.problem import Problem


def in_full(
    problem: Problem,
    points: npt.NDArray[np.float64],
    *,
    seed: int,
    time: float | None = None,
) -> Tensor:
    """Return space points (N, d) with quasi-random times and parameters appended, as far as there are, (N, D).

    Args:
        problem: The declaration.
        points: Shape (N, d).
        seed: Seed of the draw.
        time: The time of all points; None draws it from the interval.
    """
    number = len(points)
    drawn = problem.time is not None and time is None
    columns = [] if time is None else [tensor(np.full(number, time))]
    open_axes = int(drawn) + len(problem.ranges)
    if open_axes:
        engine = torch.quasirandom.SobolEngine(open_axes, scramble=True, seed=seed)
        generator = torch.Generator().manual_seed(seed)
        shuffle = torch.randperm(number, generator=generator, device="cpu")
        shares = list(engine.draw(number, dtype=torch.float64)[shuffle].unbind(1))
        if problem.time is not None and drawn:
            columns.append(problem.time.start + problem.time.duration * shares.pop(0))
        columns += [
            tensor(item.at_shares(share.numpy()))
            for item, share in zip(problem.ranges, shares, strict=True)
        ]
    return torch.cat((tensor(points), *(column[:, None] for column in columns)), dim=1)


def tensor(array: npt.NDArray[np.float64]) -> Tensor:
    """Return an array as a float64 tensor on the CPU."""
    return torch.tensor(array, dtype=torch.float64, device="cpu")


def no_normals(problem: Problem, points: Tensor) -> Tensor:
    """Return zeros in place of the normals of points (N, D) that are not on a boundary, (N, space dimension)."""
    return points.new_zeros(len(points), problem.domain.dim)
