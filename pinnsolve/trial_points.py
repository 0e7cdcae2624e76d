"""The rest of the coordinates, and values of all placeholders, at points in space at which a declaration is tried."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from pinnsolve.declaration import Declaration
from pinnsolve.jets import Coordinates


def in_full(problem: Declaration, points: Tensor, *, start: bool = False) -> Tensor:
    """Append times that spread over the interval (or its start), and values that spread over the ranges.

    Args:
        problem: The declaration.
        points: In space, shape (N, d).
        start: Whether the time is that of the start.
    """
    number = len(points)
    columns = []
    if problem.time is not None:
        end = problem.time.start if start else problem.time.end
        columns.append(
            torch.linspace(problem.time.start, end, number, dtype=torch.float64, device="cpu")
        )
    for position, item in enumerate(problem.ranges):
        shares = np.roll(np.linspace(0.0, 1.0, number), 3 * (position + 1))
        columns.append(torch.from_numpy(item.at_shares(shares)))
    return torch.cat((points, *(column[:, None] for column in columns)), dim=1)


def values_at(problem: Declaration, x: Coordinates) -> dict[str, Tensor]:
    """Return first guesses and the parameters at the points.

    Guesses are tensors: a number 0.0 would count as structurally zero.

    Args:
        problem: The declaration.
        x: The points, in full.
    """
    guesses = {
        u.name: torch.tensor(u.initial, dtype=torch.float64, device="cpu") for u in problem.unknowns
    }
    return guesses | x.parameters
