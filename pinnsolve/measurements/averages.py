"""Sensors of some extent: they read the mean over a line or a patch around their point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pinnsolve.geometry import Shape
from pinnsolve.geometry.gauss import gauss_legendre

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LineAverage:
    """The mean along a straight line, such as a strain gauge or a beam of light.

    Attributes:
        start: Where the line begins, in m relative to the sensor's point, shape (d,).
        end: Where it ends.
        num: Number of Gauss-Legendre nodes; exact for polynomials of degree ``2 num - 1``.
    """

    start: Sequence[float]
    end: Sequence[float]
    num: int = 8

    def __post_init__(self) -> None:
        """Refuse a line that is none."""
        ends = [*self.start, *self.end]
        if len(self.start) != len(self.end) or not all(math.isfinite(c) for c in ends):
            raise ValueError(
                f"LineAverage needs two finite points of one dimension, got {self.start} and {self.end}"
            )
        if tuple(self.start) == tuple(self.end):
            raise ValueError(f"LineAverage needs a line of some length, got {self.start} twice")
        if self.num < 1:
            raise ValueError(f"LineAverage needs num >= 1, got {self.num}")

    def rule(self) -> tuple[Array, Array]:
        """Return offsets from the sensor's point, shape (K, d), and their shares in the mean, shape (K,)."""
        nodes, weights = gauss_legendre(self.num)
        start, end = (
            np.asarray(self.start, dtype=np.float64),
            np.asarray(self.end, dtype=np.float64),
        )
        return start + nodes[:, None] * (end - start), weights / weights.sum()


@dataclass(frozen=True)
class PatchAverage:
    """The mean over a shape, such as the spot of a pyrometer.

    Attributes:
        shape: The patch, in m relative to the sensor's point; of the dimension of the domain.
        num: About how many nodes; Gauss-Legendre in 1-D and 2-D, quasi-random in 3-D.
    """

    shape: Shape
    num: int = 16

    def __post_init__(self) -> None:
        """Refuse what is no patch."""
        if not isinstance(self.shape, Shape):
            raise ValueError(f"PatchAverage takes a shape, such as Disk(...), got {self.shape!r}")
        if self.num < 1:
            raise ValueError(f"PatchAverage needs num >= 1, got {self.num}")

    def rule(self) -> tuple[Array, Array]:
        """Return offsets from the sensor's point, shape (K, d), and their shares in the mean, shape (K,)."""
        points, weights = self.shape.interior_quadrature(self.num)
        return np.asarray(points), np.asarray(weights / weights.sum())


Footprint = LineAverage | PatchAverage
"""What a sensor of some extent reads the mean over."""


def sensor_rules(
    points: Array, over: Footprint | Sequence[Footprint] | None
) -> tuple[tuple[Array, ...], Array]:
    """Return the nodes of all sensors, one array (N, D) per node, and their shares in the means, shape (N, K).

    Sensors with fewer nodes than others have copies of their first one, with a share of zero.

    Args:
        points: Where (and when) the sensors are, shape (N, D).
        over: Their footprint, one for all or one each; None for points.

    Raises:
        ValueError: If a footprint has another dimension than the points.
    """
    if over is None:
        return (points,), np.ones((len(points), 1))
    each = [over] * len(points) if isinstance(over, LineAverage | PatchAverage) else list(over)
    distinct = {id(item): item.rule() for item in each}
    most = max(len(shares) for _, shares in distinct.values())
    nodes = np.repeat(points[:, None, :], most, axis=1)
    shares = np.zeros((len(points), most))
    for row, item in enumerate(each):
        offsets, weights = distinct[id(item)]
        if offsets.shape[1] > points.shape[1]:
            raise ValueError(
                f"a footprint in {offsets.shape[1]}-D needs points with as many coordinates, "
                f"got {points.shape[1]}"
            )
        padded = np.concatenate((offsets, np.repeat(offsets[:1], most - len(offsets), axis=0)))
        nodes[row, :, : offsets.shape[1]] += padded
        shares[row, : len(weights)] = weights
    return tuple(np.ascontiguousarray(nodes[:, k]) for k in range(most)), shares
