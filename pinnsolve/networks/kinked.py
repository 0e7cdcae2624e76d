"""Networks that can kink where materials meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pinnsolve.geometry.quadrics import Quadric
from pinnsolve.jets import Coordinates, Frame, Jet
from pinnsolve.multi_index import VALUE, MultiIndex
from pinnsolve.networks.embedding import Embedding, Identity
from pinnsolve.networks.extensions import quadric_jet


@dataclass(frozen=True)
class Kinked(Embedding):
    """Adds the absolute value of a level to the features, for each surface at which gradients may jump.

    A smooth function g(x, |phi(x)|) is continuous, and its normal derivative jumps by ``2 dg/d|phi|`` times the
    slope of phi where phi vanishes; every continuous function that is smooth on either side has this form (Y.-H. Tseng,
    T.-S. Lin, W.-F. Hu & M.-C. Lai, "A cusp-capturing PINN for elliptic interface problems", J. Comput. Phys. 491
    (2023) 112359).

    For a plane phi is its own linear function, over the largest value it takes in the box [-1, 1]^d; for a round
    quadric ``q = 1 - m(x)`` it is ``(1 - m) / (1 + m)``, which stays between -1 and 1 too, however small the quadric
    is. The feature is ``2 |phi| - 1``.

    Attributes:
        levels: Planes ``c + l.x`` or round quadrics ``1 - m(x)``, m >= 0, of the first coordinates, in network units.
        base: What else is seen of the coordinates.
    """

    levels: tuple[Quadric, ...]
    base: Embedding = Identity()  # noqa: RUF009 - a frozen value

    def __post_init__(self) -> None:
        """Refuse an embedding that would add nothing."""
        if not self.levels:
            raise ValueError(
                "a kinked embedding needs at least one level; without one, take its base"
            )

    def num_features(self, num_inputs: int) -> int:
        """Return those of the base and one for each level."""
        needed = max(len(level.linear) for level in self.levels)
        if needed > num_inputs:
            raise ValueError(
                f"a level of a kinked embedding has {needed} coordinates, but there are {num_inputs}; give levels of "
                "the problem's space coordinates"
            )
        return self.base.num_features(num_inputs) + len(self.levels)

    def streams(self, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the features' partial derivatives, shape (S, N, D'); on a surface those of its positive side."""
        kinks = [_kink(level, points, indices) for level in self.levels]
        return torch.cat((self.base.streams(points, indices), torch.stack(kinks, dim=2)), dim=2)


def _kink(level: Quadric, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
    """Return the streams (S, N) of ``2 |phi| - 1``."""
    dim = len(level.linear)
    phi = _bounded(level, Coordinates(points[:, :dim], Frame(dim)))
    values = phi.value
    twice = torch.where(values < 0.0, -2.0, 2.0).to(values)
    streams = []
    for index in indices:
        inner = phi.d(*index) if all(axis < dim for axis in index) else 0.0 * values
        streams.append(twice * inner - 1.0 if index == VALUE else (twice * inner).to(values))
    return torch.stack(streams)


def _bounded(level: Quadric, u: Coordinates) -> Jet:
    """Return a function between -1 and 1 with the zeros and the sign of a level."""
    q = quadric_jet(level, u)
    if np.any(level.quadratic):
        return q / (2.0 - q)
    return q * (1.0 / (abs(level.constant) + sum(abs(value) for value in level.linear)))
