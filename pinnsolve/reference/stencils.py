"""Finite-difference stencils between two sets of nodes on a line, of a chosen order of accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_SAME = 1e-9


def fornberg_weights(target: float, nodes: Array, derivative: int) -> Array:
    """Return the weights (N,) that differentiate the polynomial through N nodes at one place.

    Args:
        target: Where the derivative is wanted.
        nodes: N distinct places, in any order.
        derivative: Order of the derivative; 0 interpolates.

    Source: B. Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids",
    Math. Comp. 51 (1988) 699-706.
    """
    weights = np.zeros((len(nodes), derivative + 1))
    weights[0, 0] = 1.0
    spread, offset = 1.0, nodes[0] - target
    for i in range(1, len(nodes)):
        top = min(i, derivative)
        product, last_offset = 1.0, offset
        offset = nodes[i] - target
        for j in range(i):
            gap = nodes[i] - nodes[j]
            product *= gap
            if j == i - 1:
                for k in range(top, 0, -1):
                    change = k * weights[i - 1, k - 1] - last_offset * weights[i - 1, k]
                    weights[i, k] = spread * change / product
                weights[i, 0] = -spread * last_offset * weights[i - 1, 0] / product
            for k in range(top, 0, -1):
                weights[j, k] = (offset * weights[j, k] - k * weights[j, k - 1]) / gap
            weights[j, 0] = offset * weights[j, 0] / gap
        spread = product
    return weights[:, derivative]


def derivative_matrix(source: Array, target: Array, derivative: int, order: int) -> Any:  # noqa: ANN401
    """Return the sparse matrix (M, N) that takes values at N nodes to a derivative at M places.

    Where the nodes lie symmetrically about a place the shortest symmetric stencil is used (three
    points for order 2, five for order 4); elsewhere, at ends, as many more as keep the order.

    Args:
        source: Increasing nodes, shape (N,).
        target: Places, shape (M,).
        derivative: Order of the derivative; 0 interpolates.
        order: Order of accuracy in the spacing.

    Returns:
        A SciPy CSR array.

    Raises:
        ValueError: If there are too few nodes for the order.
    """
    from scipy.sparse import csr_array

    rows, columns, entries = [], [], []
    for i, place in enumerate(target):
        window = stencil_window(source, float(place), derivative, order)
        rows.append(np.full(window.stop - window.start, i))
        columns.append(np.arange(window.start, window.stop))
        entries.append(fornberg_weights(float(place), source[window], derivative))
    index = np.concatenate(rows), np.concatenate(columns)
    return csr_array((np.concatenate(entries), index), shape=(len(target), len(source)))


def periodic_matrix(
    source: Array,
    target: Array,
    derivative: int,
    order: int,
    period: float,
) -> Any:  # noqa: ANN401
    """Return the matrix of :func:`derivative_matrix` for nodes that repeat themselves.

    Args:
        source: Increasing nodes of one period, shape (N,).
        target: Places within the period, shape (M,).
        derivative: Order of the derivative; 0 interpolates.
        order: Order of accuracy in the spacing.
        period: Length of the period in m.
    """
    from scipy.sparse import csr_array

    thrice = np.concatenate([source + shift for shift in (-period, 0.0, period)])
    wide = derivative_matrix(thrice, target, derivative, order)
    shape = (len(target), len(source))
    folded = csr_array((wide.data, wide.indices % len(source), wide.indptr), shape=shape)
    folded.sum_duplicates()
    return folded


def stencil_window(source: Array, place: float, derivative: int, order: int) -> slice:
    """Return the run of nodes whose polynomial gives a derivative at ``place`` with an order.

    Raises:
        ValueError: If there are too few nodes.
    """
    reach = _SAME * float(source[-1] - source[0])
    if derivative == 0:
        nearest = int(np.argmin(np.abs(source - place)))
        if abs(source[nearest] - place) <= reach:
            return slice(nearest, nearest + 1)
    longest = derivative + order
    if longest > len(source):
        raise ValueError(
            f"derivative {derivative} with order {order} needs {longest} nodes along an axis, "
            f"got {len(source)}; take a finer grid"
        )
    for width in range(derivative + 1, longest):
        start = _nearest_run(source, place, width)
        run = source[start : start + width]
        symmetric = np.allclose(run + run[::-1], 2.0 * place, rtol=0.0, atol=reach)
        gained = (width - derivative) % 2
        if symmetric and width - derivative + gained >= order:
            return slice(start, start + width)
    start = _nearest_run(source, place, longest)
    return slice(start, start + longest)


def _nearest_run(source: Array, place: float, width: int) -> int:
    """Return where the run of ``width`` nodes starts that reaches least far from ``place``."""
    first, last = source[: len(source) - width + 1], source[width - 1 :]
    reach = np.maximum(place - first, last - place)
    return int(np.argmin(np.round(reach / (source[-1] - source[0]), 9)))
