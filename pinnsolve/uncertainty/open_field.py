"""What is known where the field rests on data: all of it is in one triangle.

Readings, equations with a small noise and the spread that is expected of the features' weights are rows of unit noise
of weights and unknowns together (:mod:`pinnsolve.optimise.open_newton`). With their triangle R the covariance is
``R^-1 R^-T``, and the block of R that is left for the unknowns is the root of their information.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from torch import Tensor

from pinnsolve.networks import Network, RandomFeatures
from pinnsolve.optimise.open_newton import open_triangle
from pinnsolve.optimise.reduced_newton import part_of
from pinnsolve.residuals import System
from pinnsolve.uncertainty.posterior import Posterior

Array = npt.NDArray[np.float64]


def is_open(network: Network) -> bool:
    """Return whether a network was trained on data that carry the field, with an expected spread of its weights.

    Args:
        network: Any.
    """
    return isinstance(network, RandomFeatures) and math.isfinite(network.spread)


def open_posterior(system: System, theta: Tensor) -> Posterior:
    """Return what is known at the optimum.

    Args:
        system: The system of random features with a finite spread.
        theta: Its parameters, the unknowns' search variables last, shape (P + K,).
    """
    from scipy.linalg import lapack

    triangle = open_triangle(system, theta)
    count = system.network.num_parameters
    root, info = lapack.dtrtri(triangle.factor)
    if info != 0:
        raise ArithmeticError(f"the triangle of the readings is singular (LAPACK dtrtri: {info})")
    own = root[count:, count:]
    told = triangle.of_unknowns(len(theta) - count)
    freedom = _freedom(system, theta, root)
    return Posterior(
        method="laplace",
        unknowns=system.unknowns,
        search=theta[count:].numpy().copy(),
        search_covariance=own @ own.T,
        data_factor=told,
        prior_factor=np.zeros((0, len(theta) - count)),
        log_evidence=triangle.log_evidence,
        num_data=part_of(system, measured=True).num_rows,
        num_open=sum(freedom.values()),
        root=root,
        samples=np.zeros((0, len(theta) - count)),
        freedom=freedom,
    )


def _freedom(system: System, theta: Tensor, root: Array) -> dict[str, float]:
    """Return how many of the readings field and unknowns take, by block: the trace of the hat matrix."""
    data = part_of(system, measured=True)
    found: dict[str, float] = {}
    for members, (_, jacobian) in zip(data.chunks, data.linearised(theta), strict=True):
        seen = np.flatnonzero((jacobian != 0.0).any(dim=0).numpy())
        moves = jacobian[:, seen].numpy() @ root[seen]
        shares = np.minimum(np.sum(moves**2, axis=1), 1.0)
        sizes = [n for _, n in members]
        for (key, _), part in zip(members, np.split(shares, np.cumsum(sizes)[:-1]), strict=True):
            found[key.block] = found.get(key.block, 0.0) + float(part.sum())
    return found
