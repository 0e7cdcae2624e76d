"""The classical way where the boundary is not known: make it known, or do without it.

A steady flow on a box: the values on all sides become unknown functions, found together with the other unknowns. A flow
of which there are many samples: smooth them by splines, and fit the factors of the equations to the derivatives of the
splines, which is called the equation-error method.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

import pinnsolve as ps

from .classical import ClassicalFit
from .exact import readings

Array = npt.NDArray[np.float64]

_DEGREE = 5
"""Of the splines: the vorticity's second derivatives are fourth ones of the stream function."""


def with_boundary_functions(problem: ps.Problem, num: int) -> ps.Problem:
    """Return a plane problem with unknown functions as the velocity on all sides of its box.

    Args:
        problem: A flow on a box without conditions.
        num: Number of coefficients of each component on each side.
    """
    (left, bottom), (right, top) = problem.domain.bounds
    ends = {"left": ("y", bottom, top), "right": ("y", bottom, top)}
    ends |= {"bottom": ("x", left, right), "top": ("x", left, right)}
    conditions = []
    for part, (axis, low, high) in ends.items():
        u, v = (
            ps.UnknownFunction(
                f"{name} on {part}", of={axis: (float(low), float(high))}, num=num, initial=start
            )
            for name, start in (("u", 1.0), ("v", 0.0))
        )
        conditions.append(ps.Dirichlet(part, velocity_x=u, velocity_y=v))
    return replace(problem, conditions=conditions, quantities=())


def equation_error(problem: ps.Problem, cells: Sequence[int], ridge: float = 1e-6) -> ClassicalFit:
    """Fit density factor and viscosity of a plane, unsteady flow to derivatives of smoothed samples.

    The stream function is a tensor spline fitted to the velocities; its vorticity w then gives l and mu as the solution
    of ``w_t = -l u . grad w + mu lap w`` by linear least squares at points away from the edges.

    Args:
        problem: The wake, with velocities as measurements.
        cells: Cells of the spline along x, y and t.
        ridge: Weight of the coefficients' size, relative to the data; they are not unique in corners.

    Raises:
        ValueError: If the problem has no measurements.
    """
    began = time.process_time()
    data = readings(problem)
    lower, upper = problem.bounds
    knots = [
        np.concatenate(
            (np.full(_DEGREE, low), np.linspace(low, high, n + 1), np.full(_DEGREE, high))
        )
        for low, high, n in zip(lower, upper, cells, strict=True)
    ]
    measured = np.concatenate((data.values["velocity_x"], -data.values["velocity_y"]))
    rows = [_table(knots, data.points, order) for order in ((0, 1, 0), (1, 0, 0))]
    coefficients, misfit = _fitted(
        rows, measured, float(np.mean(np.asarray(data.sigma, dtype=np.float64))), ridge
    )
    axes = [
        np.linspace(low + 0.1 * (high - low), high - 0.1 * (high - low), 24)
        for low, high in zip(lower, upper, strict=True)
    ]
    inside = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)

    def psi(*order: int) -> Array:
        return np.asarray(_table(knots, inside, order) @ coefficients)

    change = -(psi(2, 0, 1) + psi(0, 2, 1))
    carried = -psi(0, 1, 0) * (psi(3, 0, 0) + psi(1, 2, 0))
    carried += psi(1, 0, 0) * (psi(2, 1, 0) + psi(0, 3, 0))
    spread = -(psi(4, 0, 0) + 2.0 * psi(2, 2, 0) + psi(0, 4, 0))
    terms = np.stack((-carried, spread), axis=1)
    found, left, _, _ = np.linalg.lstsq(terms, change, rcond=None)
    noise = float(np.sqrt(left[0] / len(change)))
    stds = noise * np.sqrt(np.diagonal(np.linalg.inv(terms.T @ terms)))
    names = [unknown.name for unknown in problem.unknowns]
    return ClassicalFit(
        method=f"equation error of a spline with {'x'.join(map(str, cells))} cells",
        values=dict(zip(names, map(float, found), strict=True)),
        stds=dict(zip(names, map(float, stds), strict=True)),
        misfit=misfit,
        num_solutions=1,
        seconds=time.process_time() - began,
    )


def _fitted(
    rows: Sequence[Any], measured: Array, sigma: float, ridge: float
) -> tuple[Array, float]:
    """Return the coefficients and the root-mean-square residual in standard deviations."""
    from scipy import sparse
    from scipy.sparse.linalg import splu

    table = sparse.vstack(rows).tocsr()
    gram = (table.T @ table).tocsc()
    size = float(gram.diagonal().mean())
    solve = splu(gram + ridge * size * sparse.identity(gram.shape[0], format="csc")).solve
    coefficients = np.asarray(solve(table.T @ measured))
    misfit = float(np.sqrt(np.mean((table @ coefficients - measured) ** 2)) / sigma)
    return coefficients, misfit


def _table(knots: Sequence[Array], points: Array, orders: Sequence[int]) -> Any:  # noqa: ANN401 - a SciPy matrix
    """Return a sparse table (N, K) of derivatives of the tensor splines at points."""
    from scipy import sparse
    from scipy.interpolate import BSpline

    first, second, third = (
        sparse.csr_matrix(
            BSpline(grid, np.eye(len(grid) - _DEGREE - 1), _DEGREE)(points[:, axis], nu=order)
        )
        for axis, (grid, order) in enumerate(zip(knots, orders, strict=True))
    )
    return _row_products(_row_products(first, second), third)


def _row_products(left: Any, right: Any) -> Any:  # noqa: ANN401 - SciPy matrices
    """Return the products of all columns row by row, shape (N, Ka Kb), of two sparse tables."""
    from scipy import sparse

    per_row = np.diff(right.indptr)
    row_of = np.repeat(np.arange(left.shape[0]), np.diff(left.indptr))  # of every entry on the left
    times = per_row[row_of]  # how many entries on the right it meets
    entry = np.repeat(np.arange(left.nnz), times)
    first = np.repeat(np.cumsum(times) - times, times)
    partner = right.indptr[row_of[entry]] + np.arange(len(entry)) - first
    columns = left.indices[entry].astype(np.int64) * right.shape[1] + right.indices[partner]
    values = left.data[entry] * right.data[partner]
    shape = (left.shape[0], left.shape[1] * right.shape[1])
    return sparse.csr_matrix((values, (row_of[entry], columns)), shape=shape)
