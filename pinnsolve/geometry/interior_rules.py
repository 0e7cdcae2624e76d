"""Quadrature over the interior of any shape, by its dimension."""

from __future__ import annotations

from itertools import pairwise
from math import ceil, sqrt
from typing import TYPE_CHECKING

import numpy as np

from pinnsolve.geometry.arcs import Arc
from pinnsolve.geometry.checks import Array
from pinnsolve.geometry.curves import Curve
from pinnsolve.geometry.gauss import Rule, gauss_legendre, unit_rule

if TYPE_CHECKING:
    from pinnsolve.geometry.shape import Shape

_SEED = 0
_NODES_ALONG_ARC = 10


def interior_rule(shape: Shape, num_points: int) -> Rule:
    """Return points (N, D) in the interior and weights (N,) that sum to the measure."""
    if shape.dim == 1:
        points, weights = _line_rule(shape, num_points)
    elif shape.dim == 2:
        points, weights = _plane_rule(shape, num_points)
    else:
        points = shape.sample_interior(num_points, seed=_SEED)
        weights = np.ones(num_points)
    return points, weights * (shape.measure / weights.sum())


def _line_rule(shape: Shape, num_points: int) -> Rule:
    """Gauss-Legendre between consecutive end points."""
    ends = np.sort([float(piece.quadrature(1)[0][0, 0]) for piece in shape.pieces]).reshape(-1, 2)
    nodes, weights = unit_rule(max(2, ceil(num_points / len(ends))))
    lengths = ends[:, 1] - ends[:, 0]
    points = ends[:, :1] + lengths[:, None] * nodes
    return points.reshape(-1, 1), (lengths[:, None] * weights).ravel()


def _plane_rule(shape: Shape, num_points: int) -> Rule:
    """Sweep the region with vertical lines.

    Between neighbouring breaks (ends of curves and their turning points in the first coordinate)
    the region consists of cells between a lower and an upper curve, each with its product rule.
    """
    stretches = [
        stretch
        for piece in shape.pieces
        if isinstance(piece, Curve)
        for stretch in piece.monotone()
    ]
    ends = np.array([sorted(stretch.at(np.array([0.0, 1.0]))[:, 0]) for stretch in stretches])
    breaks = np.unique(ends)
    # Where boundaries touch without crossing, ends of curves are known to half the digits only.
    breaks = breaks[np.concatenate([[True], np.diff(breaks) > 1e-7 * shape.size])]
    rules: list[Rule] = []
    for left, right in pairwise(breaks):
        middle = np.array([0.5 * (left + right)])
        across = [s for s, (a, b) in zip(stretches, ends, strict=True) if a < middle[0] < b]
        across.sort(key=lambda stretch: float(stretch.height(middle)[0]))
        for low, high in zip(across[::2], across[1::2], strict=True):
            gap = float((high.height(middle) - low.height(middle))[0])
            share = min(1.0, gap * (right - left) / shape.measure)
            rules.append(_cell_rule(low, high, left, right, num_points * share))
    points, weights = (np.concatenate(column) for column in zip(*rules, strict=True))
    return points, weights


def _cell_rule(low: Curve, high: Curve, left: float, right: float, num_points: float) -> Rule:
    """Return the rule of the cell between two curves and two vertical lines."""
    num = max(2, ceil(sqrt(num_points)))
    if isinstance(low, Arc) or isinstance(high, Arc):
        # The height of an arc goes like a square root where it turns; the cosine map removes it.
        nodes, weights = gauss_legendre(max(num, _NODES_ALONG_ARC))
        x = left + (right - left) * 0.5 * (1.0 - np.cos(np.pi * nodes))
        x_weights = (right - left) * 0.5 * np.pi * np.sin(np.pi * nodes) * weights
    else:
        nodes, weights = unit_rule(num)
        x, x_weights = left + (right - left) * nodes, (right - left) * weights
    y_nodes, y_weights = unit_rule(num)
    bottom = low.height(x)[:, None]
    gap = high.height(x)[:, None] - bottom
    y: Array = bottom + gap * y_nodes
    points = np.stack([np.broadcast_to(x[:, None], y.shape).ravel(), y.ravel()], axis=1)
    return points, (x_weights[:, None] * gap * y_weights).ravel()
