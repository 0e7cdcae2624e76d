"""Quasi-random points: scrambled Sobol sequences, alone and with rejection.

Source: A. B. Owen, "Scrambling Sobol' and Niederreiter-Xing points", J. Complexity 14 (1998).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.quasirandom import SobolEngine

from pinnsolve.geometry.checks import Array, Mask

# The sequence lives on a grid of 2^-30; half a cell keeps it off 0 and 1, and points distinct.
_HALF_CELL = 2.0**-31
_MAX_DRAWS_PER_POINT = 1_000_000


def unit_points(num_points: int, dim: int, *, seed: int) -> Array:
    """Return scrambled Sobol points in the open unit cube.

    Args:
        num_points: Number of points N, at most 2^30.
        dim: Number of coordinates D.
        seed: Seed of the scrambling; the same seed gives the same points.

    Returns:
        Distinct points, (N, D).
    """
    return _draw(SobolEngine(dim, scramble=True, seed=seed), num_points)


def accepted_points(
    propose: Callable[[Array], tuple[Array, Mask]], num_points: int, dim: int, *, seed: int
) -> Array:
    """Return the first ``num_points`` accepted images of a Sobol sequence.

    Args:
        propose: Maps unit points (N, ``dim``) to rows (N, K) and to which of them to keep (N,).
        num_points: Number of rows wanted.
        dim: Number of coordinates of the unit points.
        seed: Seed of the scrambling.

    Returns:
        The rows kept, (``num_points``, K).

    Raises:
        ValueError: If next to nothing is accepted.
    """
    engine = SobolEngine(dim, scramble=True, seed=seed)
    kept: list[Array] = []
    num_kept, num_drawn, batch = 0, 0, num_points
    while num_kept < num_points:
        rows, keep = propose(_draw(engine, batch))
        kept.append(rows[keep])
        num_kept += int(np.count_nonzero(keep))
        num_drawn += batch
        if num_drawn > max(1_000_000, _MAX_DRAWS_PER_POINT * (num_kept + 1)):
            raise ValueError(
                f"Only {num_kept} of {num_drawn} trial points fell inside the shape, "
                f"which is too thin to sample. Give it more extent."
            )
        rate = max(num_kept, 1) / num_drawn
        batch = int(min(1.1 * (num_points - num_kept) / rate + 16, 1_000_000))
    return np.concatenate(kept)[:num_points]


def _draw(engine: SobolEngine, num_points: int) -> Array:
    drawn: Array = engine.draw(num_points, dtype=torch.float64).cpu().numpy()
    return drawn + _HALF_CELL
