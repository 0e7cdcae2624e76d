"""Discrete systems: assembly of residual and tangent, and Newton's method."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pinnsolve.problem import Problem
from pinnsolve.reference.fem_constraints import Constraints, constraints_of
from pinnsolve.reference.fem_forms import (
    ConditionRows,
    UnsuitedError,
    boundary_density,
    interior_density,
)
from pinnsolve.reference.fem_levels import Array
from pinnsolve.reference.fem_solvers import Solve, factorised, multigrid
from pinnsolve.reference.fem_space import Matrix, Rule, Space

_UNDETERMINED = 1e-11
"""Stiffness against a rigid motion, relative to the matrix, below which the motion is free."""

_KEPT = 1 << 25
"""Numbers in the tables of basis functions up to which these are kept between assemblies."""

_MANY = 10_000
"""Number of unknowns from which on solids are solved by iteration: factors fill up in 3-D."""

_MAX_STEPS = 40
_MAX_HALVINGS = 8
_RTOL = 1e-10
_ROUNDING = 1e-6
"""Relative size of a step below which slow progress is rounding."""


@dataclass(frozen=True, eq=False)
class System:
    """A problem on a space.

    Attributes:
        problem: The declaration.
        space: The space of each component.
        rows: The equations of the conditions, sorted.
        constraints: Given values.
        coarse: The system on the next coarser space, whose functions are also here, or None.
    """

    problem: Problem
    space: Space
    rows: tuple[ConditionRows, ...]
    constraints: Constraints
    coarse: System | None = None

    @classmethod
    def of(
        cls,
        problem: Problem,
        space: Space,
        rows: tuple[ConditionRows, ...],
        coarse: System | None = None,
    ) -> System:
        """Find the given values and return the system."""
        # A copy leaves behind the tables that the coarse system keeps.
        copy = None if coarse is None else replace(coarse)
        return cls(problem, space, rows, constraints_of(problem, rows, space), copy)

    @property
    def num_unknowns(self) -> int:
        """Return the number of unknowns."""
        return int(self.constraints.free.shape[1])

    def residual(self, values: Array) -> Array:
        """Return the residual of the free directions at nodal values (num_nodes, C)."""
        densities = self._densities(values, with_tangent=False)
        total = sum(_tested(rule, density, values) for rule, density, _ in densities)
        free: Array = self.constraints.free.T @ np.asarray(total)
        return free

    def tangent(self, values: Array) -> Matrix:
        """Return the derivative of the residual of all directions, (num_nodes C, num_nodes C)."""
        densities = self._densities(values, with_tangent=True)
        return sum(_local_matrices(rule, slope, values) for rule, _, slope in densities)

    def constant_start(self) -> Array:
        """Return constant nodal values (num_nodes, C) to start from.

        So a law k(T) is tried where it is meant: at the mean of the given values or, without any,
        at the constant for which what enters through the boundary and the source balance.
        """
        num_nodes, num_components = self.constraints.lifted.shape
        if self.constraints.typical is not None:
            return np.tile(self.constraints.typical, (num_nodes, 1))
        ones = np.ones((num_nodes, num_components))
        constants = np.tile(np.eye(num_components), (num_nodes, 1))
        loads = constants.T @ self.residual(ones)
        stiffness = constants.T @ (self.tangent(ones) @ constants)
        return np.asarray(ones - np.linalg.lstsq(stiffness, loads, rcond=None)[0], dtype=np.float64)

    def solved(self, start: Array) -> Array:
        """Return the nodal values (num_nodes, C) that solve the system, by damped Newton steps.

        A factorisation is kept as long as it contracts well; a linear problem needs one.

        Args:
            start: Nodal values to start from; they need not take the given values.

        Raises:
            UnsuitedError: If the system is singular or the steps do not converge.
        """
        free, values, last = self.constraints.free, start, np.inf
        jump, residual = self.constraints.jump(start), self.residual(start)
        solve: Solve | None = None
        for _ in range(_MAX_STEPS):
            if solve is None:
                tangent = self.tangent(values)
                if not np.all(np.isfinite(tangent.data)):
                    break
                self._refuse_free_motion(tangent)
                solve = self._solver(free.T @ tangent @ free)
                residual = residual + free.T @ (tangent @ jump.ravel())
            step = jump + (free @ solve(-residual)).reshape(values.shape)
            size = float(np.linalg.norm(step)) / (float(np.linalg.norm(values + step)) or 1.0)
            if not np.isfinite(size):
                break
            if size <= _RTOL or (size <= _ROUNDING and size > 0.5 * last):
                return np.asarray(values + step, dtype=np.float64)
            limit = np.inf if np.any(jump) or size <= _ROUNDING else float(np.linalg.norm(residual))
            values, residual = self._advanced(values, step, limit)
            jump = np.zeros_like(jump)
            solve, last = (None if size > 0.1 * last else solve), size
        raise UnsuitedError(
            "Newton's method does not converge; check the laws that depend on the field, and that "
            "all given functions are finite in the whole domain"
        )

    def _solver(self, matrix: Matrix) -> Solve:
        if self.space.level.dim < 3 or self.num_unknowns < _MANY:
            return factorised(matrix)
        return multigrid(matrix, self.prolongations())

    def prolongations(self) -> list[Matrix]:
        """Return the maps between the unknowns of this system and the coarser ones, finest first."""
        from scipy.sparse import eye_array, kron

        if self.coarse is None:
            return []
        nodal = self.space.prolongation(self.coarse.space)
        every = kron(nodal, eye_array(len(self.problem.component_names)))
        own = self.constraints.free.T @ every @ self.coarse.constraints.free
        return [own, *self.coarse.prolongations()]

    def _advanced(self, values: Array, step: Array, limit: float) -> tuple[Array, Array]:
        """Return values and residual after a step, halved until the residual is below the limit."""
        for halving in range(_MAX_HALVINGS):
            trial = values + 0.5**halving * step
            residual = self.residual(trial)
            # A comparison with nan is false: so the step is halved.
            if float(np.linalg.norm(residual)) <= min(limit, np.finfo(np.float64).max):
                break
        return trial, residual

    def _densities(
        self, values: Array, *, with_tangent: bool
    ) -> Iterator[tuple[Rule, Array, Array]]:
        """Yield rules with the tested densities and, if wanted, their tangents (else empty)."""
        for rows, rule in self._rules():
            states = rule.states(values)
            if rows is None:
                pair = interior_density(self.problem, rule, states, with_tangent=with_tangent)
            else:
                pair = boundary_density(self.problem, rows, rule, states, with_tangent=with_tangent)
            yield rule, *pair

    def _rules(self) -> Iterable[tuple[ConditionRows | None, Rule]]:
        return self._kept_rules if self.space.num_entries <= _KEPT else self._made_rules()

    @cached_property
    def _kept_rules(self) -> tuple[tuple[ConditionRows | None, Rule], ...]:
        return tuple(self._made_rules())

    def _made_rules(self) -> Iterator[tuple[ConditionRows | None, Rule]]:
        """Yield the rules of the cells (None) and of the conditions that prescribe a flux."""
        for rule in self.space.cell_rules():
            yield None, rule
        for rows in self.rows:
            for rule in self.space.facet_rules(rows.condition.part) if rows.natural else ():
                yield rows, rule

    def _refuse_free_motion(self, tangent: Matrix) -> None:
        free = self.constraints.free
        modes = _rigid_modes(self.space, len(self.problem.component_names))
        held = modes - free @ (free.T @ modes)
        stiffness = (tangent @ modes) / abs(tangent).sum(axis=1).max()
        if np.linalg.svd(np.vstack((held, stiffness)), compute_uv=False)[-1] < _UNDETERMINED:
            raise UnsuitedError(
                "the conditions leave a constant or a rigid motion of "
                f"{', '.join(self.problem.field_shapes)} free; give a value somewhere"
            )


def _rigid_modes(space: Space, num_components: int) -> Array:
    """Return constants and, for vectors, rotations as unit columns of length num_nodes C."""
    positions = space.node_positions()
    positions = (positions - positions.mean(axis=0)) / np.ptp(positions, axis=0).max()
    modes = [np.tile(axis, (len(positions), 1)) for axis in np.eye(num_components)]
    for i in range(num_components):
        for j in range(i + 1, num_components):
            rotation = np.zeros((len(positions), num_components))
            rotation[:, i], rotation[:, j] = -positions[:, j], positions[:, i]
            modes.append(rotation)
    columns = np.column_stack([mode.ravel() for mode in modes])
    unit: Array = columns / np.linalg.norm(columns, axis=0)
    return unit


def _tested(rule: Rule, density: Array, values: Array) -> Array:
    """Return the integrals (num_nodes C,) of a density (M, Q, C, 1 + D) times basis functions."""
    num, num_components = len(rule.nodes), values.shape[1]
    weighted = (density * rule.weights[..., None, None]).transpose(0, 1, 3, 2)
    basis = rule.basis.transpose(0, 2, 1, 3).reshape(num, rule.nodes.shape[1], -1)
    local = basis @ weighted.reshape(num, -1, num_components)
    numbers = rule.nodes[..., None] * num_components + np.arange(num_components)
    total = np.bincount(numbers.ravel(), weights=local.ravel(), minlength=values.size)
    return np.asarray(total, dtype=np.float64)


def _local_matrices(rule: Rule, slope: Array, values: Array) -> Matrix:
    """Return the integrals of a tangent times pairs of basis functions, as a sparse matrix."""
    from scipy.sparse import coo_array

    num, num_local = rule.nodes.shape
    num_components, size = values.shape[1], (values.size, values.size)
    shape = (num, num_local, num_local)
    test = rule.basis.transpose(0, 2, 1, 3).reshape(num, num_local, -1)
    data, row, column = [], [], []
    for c in range(num_components):
        for e in range(num_components):
            block = slope[:, :, c, :, e] * rule.weights[..., None, None]
            if not np.any(block):
                continue
            trial = (block @ rule.basis.swapaxes(2, 3)).reshape(num, -1, num_local)
            data.append((test @ trial).ravel())
            row.append(np.broadcast_to(rule.nodes[:, :, None] * num_components + c, shape).ravel())
            column.append(
                np.broadcast_to(rule.nodes[:, None, :] * num_components + e, shape).ravel()
            )
    if not data:
        return coo_array(size).tocsr()
    indices = (np.concatenate(row), np.concatenate(column))
    return coo_array((np.concatenate(data), indices), shape=size).tocsr()
