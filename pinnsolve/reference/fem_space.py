"""Lagrange elements on nested meshes: nodes, rules, values at points, transfer, norms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pinnsolve.reference.fem_levels import Array, Index, Level

Matrix = Any
"""A sparse matrix of scipy, which has no types."""

_BATCH = 1 << 21
"""Numbers in the largest table of basis functions that is held at once."""

_OUTSIDE = 0.25
"""How far outside its cell a point may lie, in reference coordinates: chords of curved walls."""

_INSIDE = 1e-9


@dataclass(frozen=True, eq=False)
class Rule:
    """A quadrature rule on M cells or facets with Q points each, and the basis functions there.

    Attributes:
        points: Positions in m, (M, Q, D).
        weights: Weights in m^D or m^(D-1), (M, Q).
        basis: Value and gradient of the B local basis functions, (M, Q, B, 1 + D).
        nodes: Global numbers of the local basis functions, (M, B).
        normals: Outward unit normals on facets, (M, Q, D); zeros in cells.
    """

    points: Array
    weights: Array
    basis: Array
    nodes: Index
    normals: Array

    def states(self, values: Array) -> Array:
        """Return values and gradients (M, Q, C, 1 + D) for nodal values (num_nodes, C)."""
        local = values[self.nodes]
        num, num_points, num_local, width = self.basis.shape
        flat = self.basis.transpose(0, 1, 3, 2).reshape(num, num_points * width, num_local)
        states = (flat @ local).reshape(num, num_points, width, -1)
        return np.ascontiguousarray(states.transpose(0, 1, 3, 2))


@dataclass(frozen=True, eq=False)
class Space:
    """Continuous piecewise polynomials.

    Attributes:
        level: The mesh.
        degree: 1 or 2.
        element: scikit-fem's element.
        cell_nodes: Node numbers of each cell, (num_cells, B).
        num_nodes: Number of nodes.
    """

    level: Level
    degree: int
    element: Any
    cell_nodes: Index
    num_nodes: int

    @classmethod
    def of(cls, level: Level, degree: int) -> Space:
        """Number the nodes of the Lagrange elements of a degree (1 or 2)."""
        import skfem

        element = level.kind.elements[degree - 1]
        dofs = skfem.Dofs(level.topology, element)
        return cls(level, degree, element, dofs.element_dofs.T.astype(np.intp), int(dofs.N))

    @property
    def places(self) -> Array:
        """Reference coordinates of the local nodes, (B, D)."""
        places: Array = np.asarray(self.element.doflocs, dtype=np.float64)
        return places

    def shape_functions(self, xi: Array) -> tuple[Array, Array]:
        """Return the basis functions (N, B) and their gradients (N, B, D) at points (N, D)."""
        pairs = [self.element.lbasis(xi.T, i) for i in range(self.cell_nodes.shape[1])]
        full = [(np.broadcast_to(v, len(xi)), np.broadcast_to(g, xi.T.shape)) for v, g in pairs]
        return np.stack([v for v, _ in full], axis=1), np.stack([g.T for _, g in full], axis=1)

    def evaluate(self, values: Array, cells: Index, xi: Array) -> Array:
        """Return the values (N, C) of a function at reference points (N, D) of cells (N,)."""
        local = values[self.cell_nodes[cells]]
        result: Array = np.einsum("nb,nbc->nc", self.shape_functions(xi)[0], local)
        return result

    def node_positions(self) -> Array:
        """Return the positions of all nodes in m, (num_nodes, D)."""
        positions = np.empty((self.num_nodes, self.level.dim))
        cells = np.arange(self.level.num_cells)
        for i, place in enumerate(self.places):
            positions[self.cell_nodes[:, i]] = self.level.positions(
                cells, np.tile(place, (len(cells), 1))
            )
        return positions

    def prolongation(self, coarse: Space) -> Matrix:
        """Return the matrix to nodal values here from those on this mesh or the one before it."""
        from scipy.sparse import coo_array

        cells = np.arange(self.level.num_cells)
        child, parent = np.divmod(cells, coarse.level.num_cells)
        origins, matrices = self.level.kind.children
        shares = np.empty((len(cells), len(self.places), coarse.cell_nodes.shape[1]))
        for i, place in enumerate(self.places):
            xi = place[None] if self.level is coarse.level else origins + matrices @ place
            shares[:, i] = coarse.shape_functions(xi)[0][child]
        # Cells that share a node agree on it: the first of them counts.
        nodes, first = np.unique(self.cell_nodes, return_index=True)
        columns = coarse.cell_nodes[parent][first // len(self.places)]
        entries = shares.reshape(-1, columns.shape[1])[first]
        rows = np.repeat(nodes, columns.shape[1])
        size = (self.num_nodes, coarse.num_nodes)
        return coo_array((entries.ravel(), (rows, columns.ravel())), shape=size).tocsr()

    def cell_rules(self) -> Iterator[Rule]:
        """Yield rules for all cells, in batches; exact to degree 2 degree + 1 on straight cells."""
        from skfem.quadrature import get_quadrature

        xi, weights = get_quadrature(self.element, 2 * self.degree + 1)
        xi = np.ascontiguousarray(xi.T)
        cells = np.arange(self.level.num_cells)
        size = max(1, _BATCH * len(cells) // self.num_entries)
        for start in range(0, len(cells), size):
            yield self._rule(cells[start : start + size], xi, weights, None)

    @property
    def num_entries(self) -> int:
        """How many numbers the basis functions of all cell rules are."""
        from skfem.quadrature import get_quadrature

        weights = get_quadrature(self.element, 2 * self.degree + 1)[1]
        return self.cell_nodes.size * len(weights) * (1 + self.level.dim)

    def facet_rules(self, part: str) -> Iterator[Rule]:
        """Yield rules for the facets of a part."""
        from skfem.quadrature import get_quadrature

        at, weights = get_quadrature(self.level.topology.brefdom, 2 * self.degree + 1)
        for facet, cells in self._facets_by_number(part):
            origin, edges, area = self.level.kind.facet_frame(facet)
            yield self._rule(cells, origin + at.T @ edges, weights, area)

    def facet_nodes(self, part: str) -> Iterator[Rule]:
        """Yield rules whose points are the nodes on the facets of a part, with weights 1."""
        for facet, cells in self._facets_by_number(part):
            on = self.level.kind.on_facet(facet, self.places)
            area = self.level.kind.facet_frame(facet)[2]
            rule = self._rule(cells, self.places[on], np.ones(int(on.sum())), area)
            nodes = rule.nodes[:, on]
            yield Rule(
                rule.points, np.ones_like(rule.weights), rule.basis[:, :, on], nodes, rule.normals
            )

    def located(self, points: Array) -> tuple[Index, Array]:
        """Return the cells (N,) that positions (N, D) are in or next to, and the points there.

        Raises:
            ValueError: If a point lies too far outside.
        """
        given, xi, outside = _given_cells(self.level, points)
        if not np.all(outside <= _OUTSIDE):
            far = int(np.argmax(np.where(np.isfinite(outside), outside, np.inf)))
            raise ValueError(
                f"{int(np.sum(~(outside <= _OUTSIDE)))} of {len(points)} points lie outside the "
                f"mesh, first {points[far].tolist()}; evaluate inside the domain only"
            )
        best = np.full(len(points), np.inf)
        sub, local = np.zeros(len(points), dtype=np.intp), np.empty_like(xi)
        for s, (origin, matrix) in enumerate(
            zip(self.level.origins, self.level.matrices, strict=True)
        ):
            here = np.linalg.solve(matrix, (xi - origin).T).T
            excess = _excess(here, is_simplex=self.level.kind.is_simplex)
            closer = excess < best
            best[closer], sub[closer], local[closer] = excess[closer], s, here[closer]
        return given + sub * len(self.level.block), local

    def norms(self, values: Array) -> Array:
        """Return the L2 norms (C,) of functions with nodal values (num_nodes, C)."""
        squares = np.zeros(values.shape[1])
        for rule in self.cell_rules():
            local = np.einsum("mqb,mbc->mqc", rule.basis[..., 0], values[rule.nodes])
            squares += np.einsum("mq,mqc->c", rule.weights, local**2)
        return np.sqrt(squares)

    def _facets_by_number(self, part: str) -> Iterator[tuple[int, Index]]:
        cells, numbers = self.level.parts[part]
        for facet in np.unique(numbers):
            yield int(facet), cells[numbers == facet]

    def _rule(self, cells: Index, xi: Array, weights: Array, area: Array | None) -> Rule:
        """Return the rule on cells (M,) at points (Q, D); on facets by their area vector."""
        shape = (len(cells), len(xi), self.level.dim)
        # One Jacobian is enough where the map is affine; the rest is broadcast over the points.
        jacobians = self._at_all(
            self.level.jacobians, cells, xi[:1] if self.level.is_affine else xi
        )
        inverses, density = np.linalg.inv(jacobians), np.abs(np.linalg.det(jacobians))
        value, slope = self.shape_functions(xi)
        basis = np.empty((*shape[:2], len(value[0]), 1 + self.level.dim))
        basis[..., 0] = value
        basis[..., 1:] = np.asarray(slope) @ inverses
        normals = np.zeros(shape)
        if area is not None:
            # Nanson's formula: n da = |det J| J^-T n0 da0.
            normals = normals + np.einsum("mqji,j->mqi", inverses, area) * density[..., None]
            density = np.linalg.norm(normals, axis=2)
            normals = normals / density[..., None]
        points = self._at_all(self.level.positions, cells, xi)
        return Rule(points, density * weights, basis, self.cell_nodes[cells], normals)

    @staticmethod
    def _at_all(function: Callable[[Index, Array], Array], cells: Index, xi: Array) -> Array:
        """Return a function of cells and points at every point (Q, D) of every cell (M,)."""
        values = function(np.repeat(cells, len(xi)), np.tile(xi, (len(cells), 1)))
        return values.reshape(len(cells), len(xi), *values.shape[1:])


def _given_cells(level: Level, points: Array) -> tuple[Index, Array, Array]:
    """Return the given cells (N,), the points there (N, D) and how far outside they lie (N,).

    Candidates are tried by the distance of their centres until none further away can hold the
    point.
    """
    from scipy.spatial import cKDTree

    block = level.block
    radius = (1.0 + 2.0 * _OUTSIDE) * np.linalg.norm(
        block.nodes - block.centers[:, None], axis=2
    ).max()
    tree = cKDTree(block.centers)
    cell, xi = np.zeros(len(points), dtype=np.intp), np.full_like(points, np.nan)
    excess = np.full(len(points), np.inf)
    todo, tried, number = np.arange(len(points)), 0, min(4, len(block))
    while len(todo) and tried < len(block):
        distance, near = tree.query(points[todo], k=np.arange(tried + 1, number + 1))
        for column in range(near.shape[1]):
            held = near[:, column]
            local = block.inverse(held, points[todo])
            off = _excess(local, is_simplex=level.kind.is_simplex)
            closer = off < excess[todo]
            rows = todo[closer]
            cell[rows], xi[rows], excess[rows] = held[closer], local[closer], off[closer]
        todo = todo[(excess[todo] > _INSIDE) & (distance[:, -1] < radius)]
        tried, number = number, min(2 * number, len(block))
    return cell, xi, np.where(excess <= _INSIDE, 0.0, excess)


def _excess(xi: Array, *, is_simplex: bool) -> Array:
    """Return how far reference points (N, D) lie outside the reference cell; negative inside."""
    below = -xi.min(axis=1)
    above = xi.sum(axis=1) - 1.0 if is_simplex else xi.max(axis=1) - 1.0
    excess: Array = np.maximum(below, above)
    return np.where(np.isfinite(excess), excess, np.inf)
