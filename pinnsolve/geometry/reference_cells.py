"""Reference cells: shape functions, facets, rules and uniform maps of the cells of meshes.

Simplices are the unit simplex, quadrilaterals and hexahedra the unit cube, wedges their product.
Nodes are numbered as in VTK (and meshio): corners first, then edges, then faces and the interior.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product

import numpy as np

from pinnsolve.geometry.checks import Array, Mask
from pinnsolve.geometry.gauss import Rule, gauss_legendre, tensor_rule

Nodes = tuple[tuple[float, ...], ...]
Facets = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class ReferenceCell:
    """A reference cell with Lagrangian shape functions.

    Attributes:
        name: The name that meshio gives the cell.
        num_simplex_axes: How many of the axes, from the first, span a simplex; the others a cube.
        nodes: Positions of the K nodes.
        exponents: Exponents of the K monomials that span the shape functions.
        facets: Cell name and node numbers of each facet.
        num_corners: The number of corners, which come first among the nodes.
    """

    name: str
    num_simplex_axes: int
    nodes: Nodes
    exponents: tuple[tuple[int, ...], ...]
    facets: Facets
    num_corners: int

    @property
    def dim(self) -> int:
        """Return the number of reference coordinates d."""
        return len(self.nodes[0])

    @property
    def is_affine(self) -> bool:
        """Tell whether the map from the reference cell is affine."""
        return len(self.nodes) == self.dim + 1

    @cached_property
    def center(self) -> Array:
        """Return the centroid of the corners, (d,)."""
        center: Array = np.asarray(self.nodes)[: self.num_corners].mean(axis=0)
        return center

    @cached_property
    def _coefficients(self) -> Array:
        nodes = np.asarray(self.nodes, dtype=np.float64)
        return np.asarray(np.linalg.inv(_monomials(nodes, self.exponents)), dtype=np.float64)

    def values(self, xi: Array) -> Array:
        """Return the shape functions (N, K) at reference points (N, d)."""
        values: Array = _monomials(xi, self.exponents) @ self._coefficients
        return values

    def gradients(self, xi: Array) -> Array:
        """Return the derivatives (N, K, d) of the shape functions at reference points (N, d)."""
        columns = []
        for axis in range(self.dim):
            factor = np.array([e[axis] for e in self.exponents], dtype=np.float64)
            lowered = tuple(
                tuple(max(n - (a == axis), 0) for a, n in enumerate(e)) for e in self.exponents
            )
            columns.append((factor * _monomials(xi, lowered)) @ self._coefficients)
        return np.stack(columns, axis=2)

    def contains(self, xi: Array, tolerance: float) -> Mask:
        """Tell which points (N, d) lie in the reference cell grown by a tolerance."""
        simplex, cube = xi[:, : self.num_simplex_axes], xi[:, self.num_simplex_axes :]
        inside: Mask = np.all(xi >= -tolerance, axis=1) & np.all(cube <= 1.0 + tolerance, axis=1)
        inside &= simplex.sum(axis=1) <= 1.0 + tolerance
        return inside

    def clipped(self, xi: Array) -> Array:
        """Return points (N, d) moved into the reference cell."""
        result = np.clip(xi, 0.0, 1.0)
        total = result[:, : self.num_simplex_axes].sum(axis=1, keepdims=True)
        result[:, : self.num_simplex_axes] /= np.maximum(total, 1.0)
        return result

    def uniform(self, unit: Array) -> Array:
        """Map points (N, d) of the unit cube to the reference cell, preserving relative measure."""
        xi = unit.copy()
        remaining = np.ones(len(unit))
        for axis in range(self.num_simplex_axes):
            # The share left beyond a coordinate of a d-simplex is the d-th root of a uniform one.
            power = 1.0 / (self.num_simplex_axes - axis)
            left = (1.0 - unit[:, axis]) ** power
            xi[:, axis] = remaining * (1.0 - left)
            remaining = remaining * left
        return xi

    def rule(self, num_per_axis: int) -> Rule:
        """Return a product Gauss rule, collapsed on simplices: points (N, d) and weights (N,).

        It is exact for polynomials of degree 2 num_per_axis - d, and on cubes beyond.
        """
        nodes, weights = tensor_rule(*[gauss_legendre(num_per_axis)] * self.dim)
        xi, weights = nodes.copy(), weights.copy()
        remaining = np.ones(len(nodes))
        for axis in range(self.num_simplex_axes):
            xi[:, axis] = remaining * nodes[:, axis]
            weights *= remaining
            remaining = remaining * (1.0 - nodes[:, axis])
        return xi, weights


@lru_cache(maxsize=1)
def reference_cells() -> dict[str, ReferenceCell]:
    """Return the cells that keep their geometry, by meshio's names."""
    square: Nodes = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    triangle: Nodes = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
    tetra: Nodes = ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    square_edges = ((0, 1), (1, 2), (2, 3), (3, 0))
    triangle_edges = ((0, 1), (1, 2), (2, 0))
    tetra_edges = (*triangle_edges, (0, 3), (1, 3), (2, 3))
    tetra_faces = ((0, 1, 2), (0, 1, 3), (1, 2, 3), (0, 2, 3))
    box_faces = ((0, 1, 2, 3), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7))
    wedge_facets: Facets = (
        ("triangle", (0, 1, 2)), ("triangle", (3, 4, 5)),
        ("quad", (0, 1, 4, 3)), ("quad", (1, 2, 5, 4)), ("quad", (2, 0, 3, 5)),
    )  # fmt: skip
    box = tuple((*corner, z) for z in (0.0, 1.0) for corner in square)
    wedge = tuple((*corner, z) for z in (0.0, 1.0) for corner in triangle)
    square8 = (*square, *_middles(square, square_edges))
    quad8_powers = tuple(e for e in _powers(0, 2, 2) if e != (2, 2))
    cells = (
        ReferenceCell("line", 1, ((0.0,), (1.0,)), _powers(1, 1, 1), (), 2),
        ReferenceCell("line3", 1, ((0.0,), (1.0,), (0.5,)), _powers(1, 1, 2), (), 2),
        ReferenceCell(
            "triangle", 2, triangle, _powers(2, 2, 1), _linear("line", triangle_edges), 3
        ),
        ReferenceCell(
            "triangle6", 2, (*triangle, *_middles(triangle, triangle_edges)), _powers(2, 2, 2),
            _with_middles("line3", tuple((e,) for e in triangle_edges), triangle_edges, 3), 3,
        ),
        ReferenceCell("quad", 0, square, _powers(0, 2, 1), _linear("line", square_edges), 4),
        ReferenceCell(
            "quad8", 0, square8, quad8_powers,
            _with_middles("line3", tuple((e,) for e in square_edges), square_edges, 4), 4,
        ),
        ReferenceCell(
            "quad9", 0, (*square8, (0.5, 0.5)), _powers(0, 2, 2),
            _with_middles("line3", tuple((e,) for e in square_edges), square_edges, 4), 4,
        ),
        ReferenceCell("tetra", 3, tetra, _powers(3, 3, 1), _linear("triangle", tetra_faces), 4),
        ReferenceCell(
            "tetra10", 3, (*tetra, *_middles(tetra, tetra_edges)), _powers(3, 3, 2),
            _with_middles(
                "triangle6",
                tuple(((a, b), (b, c), (c, a)) for a, b, c in tetra_faces), tetra_edges, 4,
            ), 4,
        ),
        ReferenceCell("hexahedron", 0, box, _powers(0, 3, 1), _linear("quad", box_faces), 8),
        ReferenceCell("wedge", 2, wedge, _powers(2, 3, 1), wedge_facets, 6),
    )  # fmt: skip
    return {cell.name: cell for cell in cells}


def _monomials(xi: Array, exponents: tuple[tuple[int, ...], ...]) -> Array:
    """Return the monomials (N, K) at points (N, d), by multiplication alone."""
    powers = [np.ones_like(xi), xi, xi * xi]
    result = np.ones((len(exponents), len(xi)))
    for row, exponent in enumerate(exponents):
        for axis, power in enumerate(exponent):
            if power:
                result[row] *= powers[power][:, axis]
    return result.T


def _powers(num_simplex: int, dim: int, order: int) -> tuple[tuple[int, ...], ...]:
    """Return the exponents of total order on the simplex axes and of each order on the others."""
    every = product(range(order + 1), repeat=dim)
    return tuple(e for e in every if sum(e[:num_simplex]) <= order)


def _middles(corners: Nodes, edges: tuple[tuple[int, int], ...]) -> Nodes:
    return tuple(
        tuple(0.5 * (a + b) for a, b in zip(corners[i], corners[j], strict=True)) for i, j in edges
    )


def _linear(name: str, corners: tuple[tuple[int, ...], ...]) -> Facets:
    return tuple((name, nodes) for nodes in corners)


def _with_middles(
    name: str,
    facet_edges: tuple[tuple[tuple[int, int], ...], ...],
    edges: tuple[tuple[int, int], ...],
    first: int,
) -> Facets:
    """Return second-order facets, each given by its edges in running order."""
    number = {frozenset(edge): first + i for i, edge in enumerate(edges)}
    facets = []
    for own in facet_edges:
        corners = tuple(edge[0] for edge in own) if len(own) > 1 else own[0]
        facets.append((name, (*corners, *(number[frozenset(edge)] for edge in own))))
    return tuple(facets)
