"""Given values at nodes: any direction that is given is eliminated, along an axis or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pinnsolve.problem import Problem
from pinnsolve.reference.fem_forms import ConditionRows, UnsuitedError, essential_rows
from pinnsolve.reference.fem_levels import Array, Index
from pinnsolve.reference.fem_space import Matrix, Space

_SAME_DIRECTION = 1e-6
"""Angle between two directions below which they are one."""

_CONFLICT = 1e-6
"""Difference of values given at one node, relative to the largest, above which they disagree."""


@dataclass(frozen=True, eq=False)
class Constraints:
    """Given values at nodes: ``u = lifted + free @ z``.

    Attributes:
        lifted: The smallest nodal values (num_nodes, C) that take what is given.
        free: Orthonormal columns that span the rest, sparse (num_nodes C, number of unknowns).
        typical: Mean of ``lifted`` over the nodes at which something is given, (C,); None without
            such nodes.
        num_conflicts: Number of nodes at which given values disagree; the mean is taken.
    """

    lifted: Array
    free: Matrix
    typical: Array | None
    num_conflicts: int

    def jump(self, values: Array) -> Array:
        """Return the smallest change (num_nodes, C) after which the values take what is given."""
        kept = (self.free @ (self.free.T @ values.ravel())).reshape(values.shape)
        change: Array = self.lifted + kept - values
        return change


@dataclass(frozen=True, eq=False)
class _Given:
    """Statements ``direction . u = value`` at nodes: (K,), (K, C), (K,)."""

    nodes: Index
    directions: Array
    values: Array


def constraints_of(problem: Problem, rows: Sequence[ConditionRows], space: Space) -> Constraints:
    """Return what the conditions give at the nodes of a space.

    Raises:
        UnsuitedError: If a given direction turns along a curved part.
    """
    num_components = len(problem.component_names)
    given = _given_values(problem, rows, space)
    matrices = np.zeros((space.num_nodes, num_components, num_components))
    loads = np.zeros((space.num_nodes, num_components))
    np.add.at(matrices, given.nodes, given.directions[:, :, None] * given.directions[:, None, :])
    np.add.at(loads, given.nodes, given.directions * given.values[:, None])
    # Least squares at each node: directions with an eigenvalue are given, the null space is free.
    eigenvalues, axes = np.linalg.eigh(matrices)
    is_given = eigenvalues > _SAME_DIRECTION**2 * np.maximum(eigenvalues[:, -1:], 1.0)
    along = np.einsum("nik,ni->nk", axes, loads)
    shares = np.where(is_given, along / np.where(is_given, eigenvalues, 1.0), 0.0)
    lifted = np.einsum("nik,nk->ni", axes, shares)
    misses = np.abs(np.einsum("ki,ki->k", given.directions, lifted[given.nodes]) - given.values)
    scale = np.abs(given.values).max(initial=0.0)
    conflicts = np.unique(given.nodes[misses > _CONFLICT * scale])
    held = np.any(is_given, axis=1)
    typical = lifted[held].mean(axis=0) if np.any(held) else None
    return Constraints(lifted, _free_columns(axes, ~is_given), typical, len(conflicts))


def _given_values(problem: Problem, rows: Sequence[ConditionRows], space: Space) -> _Given:
    num_components = len(problem.component_names)
    nodes: list[Index] = [np.empty(0, dtype=np.intp)]
    directions: list[Array] = [np.empty((0, num_components))]
    values: list[Array] = [np.empty(0)]
    for condition_rows in rows:
        first = len(directions)
        for rule in (
            space.facet_nodes(condition_rows.condition.part) if condition_rows.essential else ()
        ):
            for direction, value in essential_rows(problem, condition_rows, rule):
                length = np.linalg.norm(direction, axis=-1)
                nodes.append(rule.nodes.ravel())
                directions.append((direction / length[..., None]).reshape(-1, num_components))
                values.append((value / length).ravel())
        if len(directions) > first:
            _refuse_turning(condition_rows, np.concatenate(directions[first:]))
    return _Given(np.concatenate(nodes), np.concatenate(directions), np.concatenate(values))


def _refuse_turning(rows: ConditionRows, directions: Array) -> None:
    """Refuse a direction that turns along a part: it would hold the nodes between facets fast."""
    left, num_found = directions, 0
    while len(left) and num_found <= directions.shape[1]:
        left = left[np.abs(left @ left[0]) < 1.0 - 0.5 * _SAME_DIRECTION]
        num_found += 1
    if len(left):
        raise UnsuitedError(
            f"{rows.condition.label} holds the normal direction of a curved part; "
            "finite elements here take planes only"
        )


def _free_columns(axes: Array, is_free: npt.NDArray[np.bool_]) -> Matrix:
    from scipy.sparse import coo_array

    num_nodes, num_components = is_free.shape
    node, axis = np.nonzero(is_free)
    entries = axes[node, :, axis]
    row = node[:, None] * num_components + np.arange(num_components)
    column = np.repeat(np.arange(len(node)), num_components)
    shape = (num_nodes * num_components, len(node))
    free = coo_array((entries.ravel(), (row.ravel(), column)), shape=shape).tocsr()
    free.eliminate_zeros()
    return free
