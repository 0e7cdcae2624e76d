"""Where a model knows its way: a flag on rows that are far from all that it has learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pinnsolve.learning.data.tables import Array, Space, as_frame, space_of


@dataclass(frozen=True, eq=False)
class Domain:
    """The training rows in standardised inputs, with how far apart they are.

    Attributes:
        space: Standardises rows.
        points: Training rows, or a sample of them, shape (M, axes).
        distances: Distance of each of them to the others: mean over the nearest few, sorted, shape (M,).
    """

    space: Space
    points: Array
    distances: Array

    def distance(self, rows: object) -> Array:
        """Return the mean distance of rows to the nearest few training rows, shape (N,), in standard deviations."""
        from scipy.spatial import cKDTree

        found, _ = cKDTree(self.points).query(self.space.points(rows), k=_NEAREST)
        return np.asarray(found.mean(axis=1))

    def p_value(self, rows: object) -> Array:
        """Return the share of training rows that are as far from the others, shape (N,): small is outside.

        Of rows drawn as the training rows were, a share p has a value below p. A category that was never seen is
        outside whatever the other inputs: 0.
        """
        nearer = np.searchsorted(self.distances, self.distance(rows), side="left")
        share = (len(self.distances) - nearer + 1.0) / (len(self.distances) + 1.0)
        return np.where(self.space.unseen(rows), 0.0, share)

    def outside(self, rows: object, *, level: float = 0.01) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return which rows are out of the domain, shape (N,): a prediction for them is extrapolated.

        Args:
            rows: A table with the columns of the training rows.
            level: Share of rows like the training rows that are flagged all the same.
        """
        return np.asarray(self.p_value(rows) < level)


_NEAREST = 5


def domain_of(inputs: object, *, most_rows: int = 5000, seed: int = 0) -> Domain:
    """Return the domain of training rows.

    Args:
        inputs: Training rows.
        most_rows: Rows that are kept; more are drawn from.
        seed: Seed of that draw.

    Raises:
        ValueError: If there are too few rows to tell.
    """
    from scipy.spatial import cKDTree

    frame = as_frame(inputs)
    if len(frame) < _LEAST_ROWS:
        raise ValueError(f"a domain needs {_LEAST_ROWS} training rows, got {len(frame)}")
    space = space_of(frame)
    chosen = np.random.default_rng(seed).permutation(len(frame))[:most_rows]
    points = space.points(frame.iloc[np.sort(chosen)])
    own, _ = cKDTree(points).query(points, k=_NEAREST + 1)
    return Domain(space, points, np.sort(own[:, 1:].mean(axis=1)))


_LEAST_ROWS = 20
