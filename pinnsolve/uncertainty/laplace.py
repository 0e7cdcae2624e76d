"""Laplace's approximation: the normal distribution of the unknowns about the optimum, and the evidence.

Data rows V of the unknowns alone (:mod:`pinnsolve.uncertainty.marginal`) and rows L of priors make the precision
``V^T V + L^T L``; without priors its inverse is the Cramer-Rao bound of the linearised problem.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from torch import Tensor

from pinnsolve.optimise.reduced_newton import part_of
from pinnsolve.prior_rows import smoothness_name
from pinnsolve.residuals import System
from pinnsolve.uncertainty.gaussian import Gaussian, gaussian_of
from pinnsolve.uncertainty.linearisation import KeyedRows, Linearisation, linearise
from pinnsolve.uncertainty.marginal import STIFFNESS, Marginal, marginalise
from pinnsolve.uncertainty.open_field import is_open, open_posterior
from pinnsolve.uncertainty.posterior import Posterior
from pinnsolve.uncertainty.strength import LinearRows, root_over_strengths
from pinnsolve.unknowns import Unknown

Array = npt.NDArray[np.float64]


def laplace(
    system: System,
    theta: Tensor,
    *,
    ridge: float = 1e-9,
    stiffness: float = STIFFNESS,
    chosen: Mapping[str, float] | None = None,
) -> Posterior:
    """Return what is known at the optimum.

    Args:
        system: The trained system.
        theta: Its parameters, the unknowns' search variables last, shape (P + K,).
        ridge: Tikhonov term for directions of the network that no row sees, relative to the columns' norms.
        stiffness: How much stiffer the physics is than the data; the answer does not depend on it, if it is large. A
            system whose features have an expected spread has its own.
        chosen: Strength by function, where the data chose the smoothness; its uncertainty is part of the answer.
    """
    if is_open(system.network):
        return _with_constants(system, open_posterior(system, theta))
    rows = linearise(system, theta, ridge)
    marginal = marginalise(rows, stiffness)
    search = theta[rows.num_network :].detach().to("cpu").double().numpy()
    known = unknowns_given(marginal, rows.priors)
    freedom, strengths = _freedom(rows, marginal, known), dict(chosen or {})
    if strengths:
        known = replace(known, root=_over_strengths(rows, marginal, strengths))
    return Posterior(
        method="laplace",
        unknowns=system.unknowns,
        search=search,
        search_covariance=known.covariance,
        smoothness=strengths,
        data_factor=_triangle(marginal.jacobian),
        prior_factor=np.concatenate(
            [np.zeros((0, len(search))), *(p.jacobian for p in rows.priors)]
        ),
        log_evidence=_log_evidence(rows, marginal, system.unknowns, search),
        num_data=rows.num_data,
        num_open=marginal.num_open,
        root=_root(marginal, known),
        samples=np.zeros((0, len(search))),
        freedom=freedom,
    )


def _with_constants(system: System, posterior: Posterior) -> Posterior:
    """Return the posterior with all of its evidence: the noise of the readings, and what was known of the unknowns."""
    noise = {b.name: float(b.noise.log().mean()) for b in system.blocks if b.noise is not None}
    members = [item for chunk in part_of(system, measured=True).chunks for item in chunk]
    logs = sum(noise[key.block] * number for key, number in members)
    pairs = zip(posterior.unknowns, posterior.search, strict=True)
    before = sum(_log_density(unknown, float(z)) for unknown, z in pairs)
    number = len(posterior.search) - posterior.num_data
    constant = 0.5 * math.log(2.0 * math.pi) * number + before - logs
    return replace(posterior, log_evidence=posterior.log_evidence + constant)


def unknowns_given(marginal: Marginal, priors: Sequence[KeyedRows]) -> Gaussian:
    """Return the distribution of the unknowns' change from data and priors together.

    Args:
        marginal: The data, the field eliminated.
        priors: Rows of what was known beforehand.
    """
    jacobian = np.concatenate([marginal.jacobian, *(item.jacobian for item in priors)])
    misfit = np.concatenate([marginal.misfit, *(item.misfit for item in priors)])
    return gaussian_of(jacobian, misfit)


def _over_strengths(
    rows: Linearisation, marginal: Marginal, strengths: Mapping[str, float]
) -> Array:
    """Return a square root of the unknowns' covariance, the strengths of functions' smoothness being open."""
    blocks = {smoothness_name(name): strength for name, strength in strengths.items()}
    own = {item.key.block: item for item in rows.priors if item.key.block in blocks}
    others = [item for item in rows.priors if item.key.block not in blocks]
    data = LinearRows(
        np.concatenate([marginal.jacobian, *(item.jacobian for item in others)]),
        np.concatenate([marginal.misfit, *(item.misfit for item in others)]),
    )
    units = [
        LinearRows(item.jacobian / blocks[name], item.misfit / blocks[name])
        for name, item in own.items()
    ]
    return root_over_strengths(data, units, [blocks[name] for name in own])


def _freedom(rows: Linearisation, marginal: Marginal, known: Gaussian) -> dict[str, float]:
    """Return the degrees of freedom that field and unknowns take of the readings, by block.

    They are traces of the hat matrix ``dy_fit / dy``. A coefficient that its prior holds takes less than one, and for
    unknowns drawn from the prior the sum of squared residuals has the mean ``N - freedom``.
    """
    shares = marginal.open_shares + np.sum((marginal.jacobian @ known.root) ** 2, axis=1)
    found: dict[str, float] = {}
    start = 0
    for item in rows.data:
        end = start + len(item.misfit)
        taken = float(np.minimum(shares[start:end], 1.0).sum())
        found[item.key.block] = found.get(item.key.block, 0.0) + taken
        start = end
    return found


def _root(marginal: Marginal, known: Gaussian) -> Array:
    """Return the square root of the covariance of parameters and unknowns, shape (P + K, K + R)."""
    free = marginal.spread
    with_unknowns = np.vstack((marginal.response @ known.root, known.root))
    alone = np.vstack((free, np.zeros((len(known.step), free.shape[1]))))
    return np.hstack((with_unknowns, alone))


def _log_evidence(
    rows: Linearisation, marginal: Marginal, unknowns: Sequence[Unknown], search: Array
) -> float:
    """Return the log probability density of the data, with the unknowns integrated out about the optimum.

    An unknown without a prior is taken as uniform within its bounds (on its logarithmic scale, if it has one);
    without bounds, as uniform over ten times its scale to both sides. Open directions of the field are left out:
    compare models whose fields are settled in the same way.
    """
    if not rows.data:
        return math.nan
    known = unknowns_given(marginal, rows.priors)
    settled = np.zeros(len(search), dtype=bool)
    for prior in rows.priors:
        settled |= np.any(prior.jacobian != 0.0, axis=0)
    log_prior = sum((_log_volume(prior) for prior in rows.priors), start=0.0)
    for unknown, z, done in zip(unknowns, search, settled, strict=True):
        log_prior += 0.0 if done else _log_density(unknown, float(z))
    noise = sum(item.log_noise for item in rows.data)
    constant = 0.5 * math.log(2.0 * math.pi) * (len(search) - rows.num_data)
    return log_prior - noise + constant - 0.5 * (known.least + known.log_determinant)


def _log_volume(prior: KeyedRows) -> float:
    """Return the logarithm of the prior's normalisation: of ``|L^T L / 2 pi|^(1/2)``, its null space left out."""
    values = np.linalg.svd(prior.jacobian, compute_uv=False)
    told = values[values > 1e-12 * values.max(initial=0.0)]
    return float(np.sum(np.log(told / math.sqrt(2.0 * math.pi))))


def _log_density(unknown: Unknown, z: float) -> float:
    """Return the logarithm of the density of a search variable, if nothing but its bounds is known."""
    if unknown.bounds is None:
        return -math.log(20.0)
    return -abs(z) - 2.0 * math.log1p(math.exp(-abs(z)))  # the derivative of the logistic function


def _triangle(jacobian: Array) -> Array:
    """Return R of the QR factorisation of V, shape (min(M, K), K)."""
    return np.asarray(np.linalg.qr(jacobian, mode="r"))
