"""The discrete system of a problem: its residual on finite-difference jets, and the Jacobian.

A field's jet has leaves ``D^index u_c`` at a law's nodes: a sparse operator times the values of
component c. Reverse mode on the pointwise residual gives d row / d leaf; the Jacobian is the sum
over the leaves of diag(d row / d leaf) times the leaf's operator. No equation is written twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from pinnsolve.jets import Coordinates, Fields, Frame
from pinnsolve.jets.scalar import Leaf
from pinnsolve.multi_index import MultiIndex
from pinnsolve.reference.grid_law import Law
from pinnsolve.reference.grids import Grid
from pinnsolve.reference.stencils import Array


@dataclass(frozen=True, eq=False)
class Instant:
    """When the laws hold, and what the time derivative is: ``rate u + history``.

    Attributes:
        time: In s; None if steady.
        rate: Factor of the present values in the time derivative, 1/s.
        history: What earlier values contribute, shape (num_unknowns,).
    """

    time: float | None = None
    rate: float = 0.0
    history: Array | None = None


Leaves = dict[tuple[int, MultiIndex], Tensor]
"""Values (N,) of the derivatives that a law asked for, by component and multi-index."""


@final
@dataclass(frozen=True, eq=False)
class GridSystem:
    """As many scalar equations as unknown nodal values.

    The level of a floating field is fixed by setting its first nodal value to zero. That value's
    place among the unknowns holds a uniform defect of the field's own equation instead: boundary
    data that let in slightly more than out (by the discretisation error) would otherwise be made up
    for in a single cell.

    Attributes:
        grid: The node sets.
        laws: Which equation holds where.
        frame: The coordinates.
        shapes: Field shapes by name.
        floating: Components whose level nothing determines.
        weights: Factor (N,) of each law's rows.
    """

    grid: Grid
    laws: tuple[Law, ...]
    frame: Frame
    shapes: Mapping[str, tuple[int, ...]]
    floating: tuple[int, ...]
    weights: tuple[Array, ...]
    _operators: dict[object, Any] = field(default_factory=dict, repr=False)

    @property
    def num_unknowns(self) -> int:
        """Number of unknowns and of rows."""
        return self.grid.num_unknowns

    def residual(self, u: Array, instant: Instant) -> Array:
        """Return all weighted rows, shape (num_unknowns,)."""
        rows = np.zeros(self.num_unknowns)
        for law, weight in zip(self.laws, self.weights, strict=True):
            with torch.no_grad():
                value, _ = self._evaluated(law, u, instant, slopes=False)
            rows[self._rows(law)] += weight * (value - self._defect(law, u))
        return rows

    def linearised(self, u: Array, instant: Instant) -> tuple[Array, Any]:
        """Return all weighted rows and their Jacobian, a SciPy CSC array."""
        from scipy.sparse import csc_array

        rows = np.zeros(self.num_unknowns)
        places_i, places_j, entries = [], [], []
        for law, weight in zip(self.laws, self.weights, strict=True):
            value, slopes = self._evaluated(law, u, instant, slopes=True)
            numbers = self._rows(law)
            rows[numbers] += weight * (value - self._defect(law, u))
            for (component, index), slope in slopes.items():
                matrix = self._operator(law, component, index)
                counts = np.diff(matrix.indptr)
                places_i.append(np.repeat(numbers, counts))
                places_j.append(matrix.indices + self.grid.offsets[component])
                entries.append(np.repeat(weight * slope, counts) * matrix.data)
            if law.kind == "equation" and law.component in self.floating:
                places_i.append(numbers)
                places_j.append(np.full(len(numbers), self.grid.offsets[law.component]))
                entries.append(-weight)
        i, j, v = (np.concatenate(pieces) for pieces in (places_i, places_j, entries))
        shape = (self.num_unknowns, self.num_unknowns)
        return rows, csc_array((v, (i, j)), shape=shape)

    def balanced(self, u: Array, instant: Instant) -> GridSystem:
        """Return the system with rows scaled by the sum of their Jacobian's absolute entries at u.

        Conditions are also given the sign that makes the entry of the node's own value positive, so
        that rows which meet at a corner cannot cancel there.
        """
        sums = [self._row_sums(law, u, instant) for law in self.laws]
        wholes: dict[str, Array] = {}
        for law, (total, _) in zip(self.laws, sums, strict=True):
            if law.whole:
                wholes[law.whole] = wholes.get(law.whole, 0.0) + total
        weights = []
        for law, (part, own) in zip(self.laws, sums, strict=True):
            total = wholes.get(law.whole, part)
            sign = np.where((own < 0.0) & (law.kind != "equation"), -1.0, 1.0)
            weights.append(sign / np.where(total > 0.0, total, 1.0))
        return replace(self, weights=tuple(weights), _operators=self._operators)

    def _row_sums(self, law: Law, u: Array, instant: Instant) -> tuple[Array, Array]:
        """Return the sums (N,) of the absolute entries of a law's rows, and the entries of its own nodes."""
        _, slopes = self._evaluated(law, u, instant, slopes=True)
        total, own = np.zeros(len(law.numbers)), np.zeros(len(law.numbers))
        for (component, index), slope in slopes.items():
            matrix = self._operator(law, component, index)
            total += np.abs(slope) * abs(matrix).sum(axis=1)
            if component == law.component:
                own += slope * _entries(matrix, law.numbers)
        return total, own

    def nodal_values(self, u: Array) -> Array:
        """Return the unknowns as values at the nodes, floating fields with zero mean."""
        values = u.copy()
        for component in self.floating:
            span = self.grid.span(component)
            values[span.start] = 0.0
            values[span] -= self.grid.mean_weights(component) @ values[span]
        return values

    def unknowns_of(self, values: Array) -> Array:
        """Return the unknowns of nodal values: no defect, floating fields zero at node one."""
        u = values.copy()
        for component in self.floating:
            span = self.grid.span(component)
            u[span] -= u[span.start]
        return u

    def constant_start(self) -> Array:
        """Return a first guess: scalar fields at the mean of their given values, all else zero."""
        u = np.zeros(self.num_unknowns)
        for name in (name for name, shape in self.shapes.items() if shape == ()):
            component = self.grid.names.index(name)
            laws = [law for law in self.laws if law.component == component and law.kind == "value"]
            given = [-self._evaluated(law, u, Instant(), slopes=False)[0] for law in laws]
            if given and component not in self.floating:
                u[self.grid.span(component)] = np.concatenate(given).mean()
        return u

    def _rows(self, law: Law) -> np.ndarray[Any, np.dtype[np.intp]]:
        return law.numbers + self.grid.offsets[law.component]

    def _defect(self, law: Law, u: Array) -> float:
        if law.kind == "equation" and law.component in self.floating:
            return float(u[self.grid.offsets[law.component]])
        return 0.0

    def _evaluated(
        self, law: Law, u: Array, instant: Instant, *, slopes: bool
    ) -> tuple[Array, dict[tuple[int, MultiIndex], Array]]:
        """Return a law's values (N,) and, if wanted, their derivatives (N,) by space operator."""
        leaves: Leaves = {}
        columns = [self._leaf(law, c, u, instant, leaves) for c in range(len(self.grid.names))]
        x = Coordinates(self._points(law, instant), self.frame)
        row = law.row(Fields.from_components(self.shapes, list(columns), self.frame), x).value
        row = row.expand(len(law.numbers))
        if law.factor is not None:
            row = row * torch.from_numpy(law.factor)
        found: dict[tuple[int, MultiIndex], Array] = {}
        if slopes and row.requires_grad:
            gradients = torch.autograd.grad(row.sum(), list(leaves.values()), allow_unused=True)
            for (component, index), gradient in zip(leaves, gradients, strict=True):
                if gradient is not None:
                    space, rate = self._split(index, instant)
                    slope = rate * gradient.numpy()
                    found[component, space] = found.get((component, space), 0.0) + slope
        return row.detach().numpy(), found

    def _leaf(self, law: Law, component: int, u: Array, instant: Instant, leaves: Leaves) -> Leaf:
        span = self.grid.span(component)

        def source(index: MultiIndex) -> Tensor:
            space, rate = self._split(index, instant)
            values = rate * u[span]
            if component in self.floating:
                values[0] = 0.0
            if space != index and instant.history is not None:
                values = values + instant.history[span]
            column = torch.from_numpy(self._operator(law, component, space) @ values)
            leaves[component, index] = column.requires_grad_(torch.is_grad_enabled())
            return column

        return Leaf(source)

    def _split(self, index: MultiIndex, instant: Instant) -> tuple[MultiIndex, float]:
        """Return the space part of a derivative and the factor of the present values in it."""
        space = tuple(axis for axis in index if axis < self.grid.dim)
        if len(index) - len(space) > 1:
            raise ValueError("finite differences here cover first derivatives in time only")
        return space, 1.0 if space == index else instant.rate

    def _operator(self, law: Law, component: int, index: MultiIndex) -> Any:  # noqa: ANN401
        """Return the operator from a component's values to a derivative at the law's nodes."""
        key = id(law), component, index
        if key not in self._operators:
            matrix = self.grid.operator(component, law.target, index, compact=law.is_compact)
            if len(law.chosen) < law.target.size:
                matrix = matrix[law.chosen]
            if component in self.floating:
                matrix = _without_column(matrix, 0)
            self._operators[key] = matrix
        return self._operators[key]

    def _points(self, law: Law, instant: Instant) -> Tensor:
        points = torch.from_numpy(law.points)
        if instant.time is None:
            return points
        return torch.cat((points, torch.full_like(points[:, :1], instant.time)), dim=1)


def make_system(
    grid: Grid,
    laws: tuple[Law, ...],
    frame: Frame,
    shapes: Mapping[str, tuple[int, ...]],
    floating: tuple[str, ...],
) -> GridSystem:
    """Return the system with rows as they are declared; see :meth:`GridSystem.balanced`."""
    weights = tuple(np.ones(len(law.numbers)) for law in laws)
    positions = tuple(grid.names.index(name) for name in floating)
    return GridSystem(grid, laws, frame, dict(shapes), positions, weights)


def _without_column(matrix: Any, column: int) -> Any:  # noqa: ANN401
    """Return a CSR matrix with the entries of one column removed."""
    lighter = matrix.copy()
    lighter.data[lighter.indices == column] = 0.0
    lighter.eliminate_zeros()
    return lighter


def _entries(matrix: Any, columns: np.ndarray[Any, np.dtype[np.intp]]) -> Array:  # noqa: ANN401
    """Return the entry of each row (M,) of a CSR matrix in a column of its own."""
    rows = np.repeat(np.arange(len(columns)), np.diff(matrix.indptr))
    hit = matrix.indices == columns[rows]
    return np.bincount(rows[hit], matrix.data[hit], len(columns)).astype(np.float64)
