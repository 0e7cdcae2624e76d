"""Nested meshes for finite elements: the given cells and their refinements, curved geometry kept.

Every cell of a mesh is cut into the same pattern of sub-cells in reference coordinates, and
positions always come from the map of the given cell. So a second-order mesh keeps its curved
boundary exactly when it is refined, and the function spaces on one mesh contain those on the meshes
before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pinnsolve.geometry.cell_blocks import CellBlock

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

Topology = Any
"""A mesh of scikit-fem, which has no types."""

FacetsOfPart = tuple[Index, Index]
"""Cells (F,) and the numbers (F,) of their facets that lie on a boundary part."""

_ON_FACET = 1e-12
"""Distance in reference coordinates below which a reference point lies on a facet."""

_MATCH = 1e-6
"""Distance between a facet's centre as given and as found on its cell, relative to the domain."""


@dataclass(frozen=True, eq=False)
class CellKind:
    """A kind of cell, with scikit-fem's numbering of its corners and facets.

    Attributes:
        name: Name of its corners' cell: ``triangle``, ``quad``, ``tetra``, ``hexahedron``.
        mesh_type: scikit-fem's mesh of such cells.
        elements: scikit-fem's Lagrange elements of degree 1 and 2.
    """

    name: str
    mesh_type: Any
    elements: tuple[Any, Any]

    @property
    def corners(self) -> Array:
        """Return the reference corners, (V, D)."""
        return np.asarray(self.elements[0].refdom.p, dtype=np.float64).T

    @property
    def facet_corners(self) -> tuple[tuple[int, ...], ...]:
        """Return the corner numbers of each facet."""
        return tuple(tuple(facet) for facet in self.elements[0].refdom.facets)

    @property
    def is_simplex(self) -> bool:
        """Tell whether it is a triangle or a tetrahedron."""
        return bool(len(self.corners) == self.corners.shape[1] + 1)

    def on_facet(self, facet: int, points: Array) -> npt.NDArray[np.bool_]:
        """Tell which reference points (N, D) lie on a facet."""
        origin = self.corners[self.facet_corners[facet][0]]
        distance = (points - origin) @ np.asarray(self.elements[0].refdom.normals[facet])
        on: npt.NDArray[np.bool_] = np.abs(distance) < _ON_FACET
        return on

    def facet_frame(self, facet: int) -> tuple[Array, Array, Array]:
        """Return origin (D,), edge vectors (D - 1, D) and outward area vector (D,) of a facet."""
        numbers = self.facet_corners[facet]
        origin = self.corners[numbers[0]]
        dim = len(origin)
        edges = self.corners[[numbers[1], numbers[-1]][: dim - 1]] - origin
        area = np.array([edges[0, 1], -edges[0, 0]]) if dim == 2 else np.cross(edges[0], edges[1])
        outward = float(area @ np.asarray(self.elements[0].refdom.normals[facet]))
        return origin, edges, area * np.sign(outward)

    @cached_property
    def children(self) -> tuple[Array, Array]:
        """Return origins (S, D) and matrices (S, D, D) that map the cell to its S children."""
        corners = self.children_corners
        design = np.column_stack((np.ones(len(self.corners)), self.corners))
        fitted = np.linalg.lstsq(design, np.hstack(list(corners)), rcond=None)[0]
        maps = fitted.reshape(len(self.corners[0]) + 1, len(corners), -1).transpose(1, 0, 2)
        return maps[:, 0], maps[:, 1:].transpose(0, 2, 1)

    @property
    def children_corners(self) -> Array:
        """Return the corners (S, V, D) of the cells it is cut into (tetrahedra as in Bey, 1995)."""
        p = self.corners
        halves = [0.5 * (p + corner) for corner in p]
        if self.name == "triangle":
            halves.append(0.5 - 0.5 * p)
        if self.name == "tetra":
            middle = {(i, j): 0.5 * (p[i] + p[j]) for i in range(4) for j in range(i + 1, 4)}
            a, b, c, d, e, f = (middle[k] for k in ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)))
            inner = ((a, b, c, e), (a, b, d, e), (b, c, e, f), (b, d, e, f))
            halves += [np.array(cell) for cell in inner]
        return np.array(halves)


def cell_kind(name: str) -> CellKind | None:
    """Return the kind of cell by its name in meshio; None if there are no elements for it."""
    import skfem

    kinds = {
        "triangle": (skfem.MeshTri1, skfem.ElementTriP1, skfem.ElementTriP2),
        "quad": (skfem.MeshQuad1, skfem.ElementQuad1, skfem.ElementQuad2),
        "tetra": (skfem.MeshTet1, skfem.ElementTetP1, skfem.ElementTetP2),
        "hexahedron": (skfem.MeshHex1, skfem.ElementHex1, skfem.ElementHex2),
    }
    corner_name = name.rstrip("0123456789")
    if corner_name not in kinds:
        return None
    mesh_type, linear, quadratic = kinds[corner_name]
    return CellKind(corner_name, mesh_type, (linear(), quadratic()))


@dataclass(frozen=True, eq=False)
class Level:
    """One mesh of the nested family: E given cells, each cut into S sub-cells; cell number s E + e.

    Attributes:
        kind: The kind of all cells.
        block: The given cells with their maps.
        origins: Where each sub-cell starts in its given cell, (S, D).
        matrices: Map from a sub-cell's to its given cell's reference coordinates, (S, D, D).
        topology: scikit-fem mesh of the corners; numbers vertices, edges and facets.
        parts: Facets by boundary part.
    """

    kind: CellKind
    block: CellBlock
    origins: Array
    matrices: Array
    topology: Topology
    parts: Mapping[str, FacetsOfPart]

    @property
    def num_cells(self) -> int:
        """Number of cells."""
        return len(self.block) * len(self.origins)

    @property
    def dim(self) -> int:
        """Number of coordinates D."""
        return int(self.origins.shape[1])

    @property
    def is_affine(self) -> bool:
        """Tell whether the maps of the cells are affine."""
        return bool(self.block.reference.is_affine)

    def in_given_cell(self, cells: Index, xi: Array) -> tuple[Index, Array]:
        """Return given cells (N,) and the points (N, D) there of points (N, D) of cells (N,)."""
        sub, given = np.divmod(cells, len(self.block))
        return given, self.origins[sub] + np.einsum("nij,nj->ni", self.matrices[sub], xi)

    def positions(self, cells: Index, xi: Array) -> Array:
        """Return positions (N, D) in m."""
        return self.block.positions(*self.in_given_cell(cells, xi))

    def jacobians(self, cells: Index, xi: Array) -> Array:
        """Return dx/dxi, (N, D, D)."""
        jacobians = self.block.jacobians(*self.in_given_cell(cells, xi))
        product: Array = jacobians @ self.matrices[cells // len(self.block)]
        return product

    def refined(self) -> Level:
        """Return the mesh with every cell cut in 2^D."""
        import skfem

        origins, matrices = self.kind.children
        quadratic = self.kind.elements[1]
        # The corners of the new cells are the nodes of the quadratic element, numbered alike.
        dofs = skfem.Dofs(self.topology, quadratic)
        gaps = self.kind.children_corners[:, :, None] - np.asarray(quadratic.doflocs)
        local = np.abs(gaps).sum(axis=3).argmin(axis=2)
        new_origins = self.origins + np.einsum("sij,kj->ksi", self.matrices, origins)
        new_matrices = np.einsum("sij,kjl->ksil", self.matrices, matrices)
        return Level(
            self.kind,
            self.block,
            new_origins.reshape(-1, self.dim),
            new_matrices.reshape(-1, self.dim, self.dim),
            _topology(self.kind, np.hstack([dofs.element_dofs[numbers] for numbers in local])),
            {name: self._refined_facets(facets) for name, facets in self.parts.items()},
        )

    def _refined_facets(self, facets: FacetsOfPart) -> FacetsOfPart:
        cells, numbers = facets
        new_cells, new_numbers = [], []
        for child, corners in enumerate(self.kind.children_corners):
            for new, own in enumerate(self.kind.facet_corners):
                for old in range(len(self.kind.facet_corners)):
                    if self.kind.on_facet(old, corners[list(own)]).all():
                        here = cells[numbers == old]
                        new_cells.append(here + child * self.num_cells)
                        new_numbers.append(np.full(len(here), new))
        return np.concatenate(new_cells), np.concatenate(new_numbers)


def first_level(
    kind: CellKind, block: CellBlock, corners: Index, part_centers: Mapping[str, Array]
) -> Level:
    """Return the mesh as it was given.

    Args:
        kind: The kind of all cells.
        block: The cells.
        corners: Vertex numbers of the cells' corners, (E, V), in the order of the block's reference
            cell.
        part_centers: Images (F, D) of the reference centres of the facets of each boundary part.

    Raises:
        ValueError: If a facet of a part is not on the boundary of the cells.
    """
    nodes = np.asarray(block.reference.nodes)[: corners.shape[1]]
    order = np.abs(kind.corners[:, None] - nodes).sum(axis=2).argmin(axis=1)
    vertices = np.unique(corners, return_inverse=True)[1].reshape(corners.shape)
    topology = _topology(kind, vertices[:, order].T)
    dim = kind.corners.shape[1]
    level = Level(kind, block, np.zeros((1, dim)), np.eye(dim)[None], topology, {})
    cells, numbers = _boundary_facets(topology)
    centers = np.array([kind.corners[list(own)].mean(axis=0) for own in kind.facet_corners])
    found = _nearest(level.positions(cells, centers[numbers]), part_centers)
    parts = {name: (cells[which], numbers[which]) for name, which in found.items()}
    return Level(kind, block, level.origins, level.matrices, topology, parts)


def _topology(kind: CellKind, vertices: Index) -> Topology:
    """Return scikit-fem's mesh of these corners (V, E), in this order, without positions."""
    places = np.zeros((kind.corners.shape[1], int(vertices.max()) + 1))
    return kind.mesh_type(places, vertices.astype(np.int32), sort_t=False)


def _boundary_facets(topology: Topology) -> FacetsOfPart:
    facets = topology.boundary_facets()
    cells = topology.f2t[0, facets].astype(np.intp)
    return cells, (topology.t2f[:, cells] == facets).argmax(axis=0)


def _nearest(centers: Array, wanted: Mapping[str, Array]) -> dict[str, Index]:
    from scipy.spatial import cKDTree

    tree, size = cKDTree(centers), float(np.ptp(centers, axis=0).max())
    found: dict[str, Index] = {}
    for name, places in wanted.items():
        distance, which = tree.query(places)
        if np.max(distance) > _MATCH * size:
            raise ValueError(
                f"the boundary part {name!r} has a facet at "
                f"{places[np.argmax(distance)].tolist()} that is not on the boundary of the cells; "
                "check the mesh"
            )
        found[name] = np.asarray(which, dtype=np.intp)
    return found
