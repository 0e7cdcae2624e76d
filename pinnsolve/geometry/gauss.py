"""Gauss-Legendre and trapezoidal rules on the unit interval, and their tensor products."""

from __future__ import annotations

from functools import lru_cache
from math import ceil

import numpy as np

from pinnsolve.geometry.checks import Array, read_only

Rule = tuple[Array, Array]
"""Nodes and weights."""

_MAX_ORDER = 32


@lru_cache(maxsize=64)
def gauss_legendre(num_points: int) -> Rule:
    """Return Gauss-Legendre nodes (N,) and weights (N,) on [0, 1]; the weights sum to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(num_points)
    return read_only(0.5 * (nodes + 1.0)), read_only(0.5 * weights)


@lru_cache(maxsize=64)
def unit_rule(num_points: int, *, periodic: bool = False) -> Rule:
    """Return a rule on [0, 1] with at least ``num_points`` nodes and weights that sum to 1.

    Args:
        num_points: Number of nodes wanted. Above 32 the rule is made of equal panels.
        periodic: Use the midpoint rule, which converges exponentially for periodic integrands.
    """
    if periodic:
        nodes = (np.arange(num_points) + 0.5) / num_points
        return read_only(nodes), read_only(np.full(num_points, 1.0 / num_points))
    panels = ceil(num_points / _MAX_ORDER)
    nodes, weights = gauss_legendre(ceil(num_points / panels))
    starts = np.arange(panels)[:, None]
    return (
        read_only(((starts + nodes) / panels).ravel()),
        read_only(np.tile(weights / panels, panels)),
    )


def tensor_rule(*rules: Rule) -> Rule:
    """Return the product rule: nodes (N, D) and weights (N,) of D one-dimensional rules."""
    grids = np.meshgrid(*(nodes for nodes, _ in rules), indexing="ij")
    weight_grids = np.meshgrid(*(weights for _, weights in rules), indexing="ij")
    nodes = np.stack([grid.ravel() for grid in grids], axis=1)
    weights = np.prod([grid.ravel() for grid in weight_grids], axis=0)
    return nodes, weights


def counts_per_axis(num_points: int, extents: tuple[float, ...], minimum: int = 2) -> list[int]:
    """Split ``num_points`` over axes in proportion to their extents; the product reaches it."""
    dim = len(extents)
    mean = float(np.prod(np.asarray(extents) ** (1.0 / dim)))
    per_axis = num_points ** (1.0 / dim)
    return [max(minimum, ceil(per_axis * extent / mean - 1e-9)) for extent in extents]
