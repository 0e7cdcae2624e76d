"""A trained problem, linear about its solution: rows of physics, data and priors over network parameters and unknowns.

Physics rows are triangularised chunk by chunk and forgotten. Rows of data and priors are divided by their noise alone:
how strongly a run weighs them is its own business.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.optimise.orthogonal import Triangle, triangularise
from pinnsolve.residuals import RowKey, System

Array = npt.NDArray[np.float64]

PRIOR = "prior"
"""Kind of the blocks that say what was known of the unknowns beforehand; their rows see no field."""


@dataclass(frozen=True)
class KeyedRows:
    """Rows ``jacobian d + misfit`` of one equation, of unit noise.

    Attributes:
        key: The equation.
        jacobian: Shape (M, P + K) of data, (M, K) of priors.
        misfit: The rows at the solution, shape (M,).
        log_noise: Sum of the logarithms of what the rows were divided by.
    """

    key: RowKey
    jacobian: Array
    misfit: Array
    log_noise: float


@dataclass(frozen=True)
class Linearisation:
    """The rows of a problem with P network parameters and K unknowns, linear about the solution.

    Attributes:
        physics: Triangle of the physics rows, shape (P + K, P + K), its columns scaled to norm one.
        data: Rows of the measurements by equation.
        priors: Rows of what was known beforehand, by equation.
        num_network: P.
    """

    physics: Triangle
    data: tuple[KeyedRows, ...]
    priors: tuple[KeyedRows, ...]
    num_network: int

    @property
    def num_unknowns(self) -> int:
        """Number K of unknowns."""
        return len(self.physics.column_norms) - self.num_network

    @property
    def num_data(self) -> int:
        """Number of measured numbers."""
        return sum(len(rows.misfit) for rows in self.data)


def linearise(system: System, theta: Tensor, ridge: float = 1e-9) -> Linearisation:
    """Return the rows of a system at its solution.

    Args:
        system: The trained system.
        theta: Its parameters, the unknowns' search variables last, shape (P + K,).
        ridge: Tikhonov term for directions of the network that no row sees, relative to the columns' norms.
    """
    exact, at = system.to(dtype=torch.float64), theta.detach().to(torch.float64)
    kinds = {block.name: block.kind for block in exact.blocks}
    noisy = {block.name for block in exact.blocks if block.noise is not None}
    count = exact.network.num_parameters
    found: dict[RowKey, list[tuple[Tensor, Tensor]]] = {}

    def physics_rows() -> Iterator[tuple[Tensor, Tensor]]:
        found.clear()  # may be called twice
        for members, (rows, jacobian) in zip(exact.chunks, exact.linearised(at), strict=True):
            sizes = [n for _, n in members]
            pieces = zip(members, rows.split(sizes), jacobian.split(sizes), strict=True)
            for (key, _), piece, slopes in pieces:
                if key.block in noisy:
                    found.setdefault(key, []).append((piece, slopes))
                else:
                    yield piece, slopes

    number = sum(n for chunk in exact.chunks for key, n in chunk if key.block not in noisy)
    physics = triangularise(physics_rows, exact.num_parameters, number, damping=ridge)
    measured = [
        _of_unit_noise(exact, key, pieces, first=count if kinds[key.block] == PRIOR else 0)
        for key, pieces in found.items()
    ]
    return Linearisation(
        physics,
        tuple(rows for rows in measured if kinds[rows.key.block] != PRIOR),
        tuple(rows for rows in measured if kinds[rows.key.block] == PRIOR),
        count,
    )


def _of_unit_noise(
    system: System, key: RowKey, pieces: list[tuple[Tensor, Tensor]], *, first: int
) -> KeyedRows:
    """Return rows without their weight in training, and their Jacobian from column ``first`` on."""
    weight = system.weights.get(key, 1.0)
    noise = [b.noise for b in system.blocks if b.name == key.block and b.noise is not None]
    log_noise = sum(float(n.log().sum()) for n in noise)
    if not weight > 0.0:
        raise ValueError(f"rows of {key.block!r} need a weight > 0, got {weight}")
    return KeyedRows(
        key,
        np.concatenate([slopes[:, first:].cpu().numpy() / weight for _, slopes in pieces]),
        np.concatenate([rows.cpu().numpy() / weight for rows, _ in pieces]),
        log_noise if math.isfinite(log_noise) else math.inf,
    )
