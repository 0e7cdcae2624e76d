"""The field eliminated: what the data say about the unknowns once the field follows from them by the physics.

With the physics as a hard constraint the field moves by ``A dz`` when the unknowns do; directions of it that the
physics leaves open, a boundary without condition say, are free, and the data settle them. Both come from one
orthogonal triangularisation of ``[k F; D]``, the triangle F of the physics made stiff by a large factor k above the
data rows D, each divided by its noise: with Q R its network columns, ``V = (1 - Q Q^T) [k F_z; D_z]`` are the columns
of the unknowns with the best response of the field taken off. ``V^T V`` of the *data's* rows of V is the marginal
information. The physics' rows of V are left out: they are what a network of finite size cannot follow, not knowledge.
So the answer does not depend on k, as long as it is large. Nothing is squared on the way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pinnsolve.determinacy import field_is_determined
from pinnsolve.problem import Problem
from pinnsolve.uncertainty.linearisation import Linearisation

Array = npt.NDArray[np.float64]

STIFFNESS = 1e4
"""k, relative to the ratio of the norms of data rows and physics rows: the physics no longer gives way to the data."""

_RIGID = 1e10
"""k where conditions determine the field: what a trained network could do at little misfit, hide a source at a corner
say, is then no open direction."""

_OPEN = 1e-5
"""Least singular value of the data's share in a direction of the field that counts as spread; 1 is an open one."""


@dataclass(frozen=True)
class Marginal:
    """Data rows ``jacobian dz + misfit`` of the unknowns alone, of unit noise.

    Attributes:
        jacobian: V, shape (M, K), in search variables.
        misfit: What is left of the rows at the solution when the field meets the physics as well as it can, shape (M,).
        response: A, how the network parameters follow the unknowns, shape (P, K).
        correction: How the network parameters have to change for the field to meet the physics, shape (P,).
        spread: Square root of the covariance of the network parameters with the unknowns held, shape (P, R).
        open_shares: How much of each reading the field takes with the unknowns held: the diagonal of its hat matrix,
            shape (M,).
        num_open: How many of the data the open directions of the field use up.
    """

    jacobian: Array
    misfit: Array
    response: Array
    correction: Array
    spread: Array
    open_shares: Array
    num_open: float

    @property
    def information(self) -> Array:
        """``V^T V``, the Fisher information of the data on the unknowns, shape (K, K)."""
        return np.asarray(self.jacobian.T @ self.jacobian)


def stiffness_of(problem: Problem) -> float:
    """Return k for a problem: rigid physics, unless the field itself rests on the data.

    Args:
        problem: The declaration.
    """
    return _RIGID if field_is_determined(problem) else STIFFNESS


def marginalise(rows: Linearisation, stiffness: float = STIFFNESS) -> Marginal:
    """Eliminate the field.

    Args:
        rows: The linearised problem.
        stiffness: k; see :data:`STIFFNESS`.
    """
    from scipy.linalg import qr, solve_triangular

    count, norms, factor = rows.num_network, rows.physics.column_norms, rows.physics.factor
    if not rows.data:
        return _nothing_measured(count, rows.num_unknowns)
    data = np.concatenate([item.jacobian for item in rows.data])
    misfit = np.concatenate([item.misfit for item in rows.data])
    seen = float(np.linalg.norm(data[:, :count])) / float(np.linalg.norm(norms[:count]))
    stiff = stiffness * seen if seen > 0.0 else 1.0
    field = np.vstack((stiff * factor[:count, :count], data[:, :count] / norms[:count]))
    others = np.column_stack((factor[:count, count:] * norms[count:], rows.physics.right[:count]))
    others = np.vstack((stiff * others, np.column_stack((data[:, count:], misfit))))
    basis, upper = qr(field, mode="economic", overwrite_a=True, check_finite=False)
    along = basis.T @ others
    left = others - basis @ along
    left -= basis @ (basis.T @ left)  # twice is enough
    response = -solve_triangular(upper, along, check_finite=False) / norms[:count, None]
    shares, directions = _open_directions(basis[count:])
    spread = solve_triangular(upper, shares * directions, check_finite=False)
    return Marginal(
        jacobian=left[count:, :-1],
        misfit=left[count:, -1],
        response=response[:, :-1],
        correction=response[:, -1],
        spread=spread / norms[:count, None],
        open_shares=np.sum(basis[count:] ** 2, axis=1),
        num_open=float(np.sum(shares**2)),
    )


def _open_directions(share: Array) -> tuple[Array, Array]:
    """Return singular values (R,) and right vectors (P, R) of the data's share (M, P) in the field's directions."""
    if len(share) > share.shape[1]:  # many readings: the smaller of the two products
        _, values, right = np.linalg.svd(share.T @ share, hermitian=True)
        kept = values > _OPEN**2
        return np.sqrt(values[kept]), right[kept].T
    left, values, _ = np.linalg.svd(share @ share.T, hermitian=True)
    kept = values > _OPEN**2
    roots = np.sqrt(values[kept])
    return roots, share.T @ left[:, kept] / roots


def _nothing_measured(num_network: int, num_unknowns: int) -> Marginal:
    return Marginal(
        np.zeros((0, num_unknowns)),
        np.zeros(0),
        np.zeros((num_network, num_unknowns)),
        np.zeros(num_network),
        np.zeros((num_network, 0)),
        np.zeros(0),
        0.0,
    )
