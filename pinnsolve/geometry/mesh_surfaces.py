"""Closed surfaces as solids: welding, tightness, orientation."""

from __future__ import annotations

import numpy as np

from pinnsolve.geometry.cell_blocks import CellBlock, Index
from pinnsolve.geometry.checks import Array
from pinnsolve.geometry.facet_names import Naming, facet_names, place_text
from pinnsolve.geometry.mesh_assembly import Assembled, facet_pieces, refuse_degenerate
from pinnsolve.geometry.mesh_io import MeshContents, NamedCells
from pinnsolve.geometry.mesh_topology import (
    FacetTable,
    counts_of,
    orientation_signs,
    triangle_edges,
)
from pinnsolve.geometry.reference_cells import reference_cells
from pinnsolve.geometry.regions import SurfaceRegion

# Flat triangles that stand for a face; second-order ones are split at their middle nodes.
_SPLITS = {
    "triangle": ((0, 1, 2),),
    "triangle6": ((0, 3, 5), (3, 1, 4), (5, 4, 2), (3, 4, 5)),
    "quad": ((0, 1, 2), (0, 2, 3)),
    "quad8": ((0, 4, 7), (4, 1, 5), (5, 2, 6), (6, 3, 7), (4, 5, 6), (4, 6, 7)),
    "quad9": ((0, 4, 7), (4, 1, 5), (5, 2, 6), (6, 3, 7), (4, 5, 6), (4, 6, 7)),
}
_WELD = 1e-9
_PROBE = 1e-6


def assemble_surface(contents: MeshContents, naming: Naming, positions: Array) -> Assembled:
    """Make a solid of a closed surface.

    Args:
        contents: What the file holds.
        naming: What the user says about names.
        positions: Positions of all nodes in m, (M, 3).

    Raises:
        ValueError: If the surface has open edges, is not a surface, or a triangle has no name.
    """
    flat = _triangles(contents, positions)
    block = CellBlock(reference_cells()["triangle"], positions[flat.nodes])
    refuse_degenerate(block, contents)
    _refuse_open(flat.nodes, positions, contents)
    try:
        signs, shell = orientation_signs(flat.nodes)
    except ValueError as error:
        raise ValueError(
            f"Mesh file {contents.path}: the surface {error}, so it encloses nothing. Repair it."
        ) from None
    signs = signs * _shell_signs(block, signs, shell)
    table = FacetTable("triangle", flat.nodes, block.centers)
    split = MeshContents(contents.path, contents.nodes, (flat,), contents.group_names)
    names, order, _ = facet_names(split, [table], [], positions, naming)
    oriented = np.where(signs[:, None] > 0.0, flat.nodes, flat.nodes[:, ::-1])
    pieces = facet_pieces([(block, signs)], names, order)
    used = np.unique(oriented)
    cells = {"triangle": np.searchsorted(used, oriented)}
    return Assembled(positions[used], cells, pieces, SurfaceRegion(positions[oriented]), ())


def _triangles(contents: MeshContents, positions: Array) -> NamedCells:
    """Return all faces as flat triangles, with nodes at one place counted as one."""
    faces = [cells for cells in contents.cells if cells.dim == 2]
    nodes = np.concatenate(
        [cells.nodes[:, list(split)] for cells in faces for split in _SPLITS[cells.kind]]
    )
    names = np.concatenate([cells.names for cells in faces for _ in _SPLITS[cells.kind]])
    return NamedCells("triangle", _welded(nodes, positions), names)


def _welded(nodes: Index, positions: Array) -> Index:
    """Replace nodes by the first one at the same place, as STL repeats every corner."""
    used = np.unique(nodes)
    corner = positions[used].min(axis=0)
    step = _WELD * float(np.linalg.norm(positions[used].max(axis=0) - corner))
    place = np.round((positions[used] - corner) / step)
    _, first, number = np.unique(place, axis=0, return_index=True, return_inverse=True)
    replaced = np.arange(len(positions))
    replaced[used] = used[first[number.reshape(-1)]]
    return replaced[nodes]


def _refuse_open(triangles: Index, positions: Array, contents: MeshContents) -> None:
    """Refuse edges that do not join exactly two triangles."""
    keys = triangle_edges(triangles)[0]
    counts, _ = counts_of(keys)
    lonely = np.flatnonzero(counts == 1)
    if len(lonely):
        raise ValueError(
            f"Mesh file {contents.path}: the surface is not closed, it has {len(lonely)} open "
            f"edges, the first at {place_text(positions[keys[lonely[0]]].mean(axis=0))}. Close the "
            f"holes; a plane mesh must have a constant third coordinate."
        )
    crowded = np.flatnonzero(counts > 2)
    if len(crowded):
        raise ValueError(
            f"Mesh file {contents.path}: more than two triangles meet at "
            f"{len(np.unique(keys[crowded], axis=0))} edges, the first at "
            f"{place_text(positions[keys[crowded[0]]].mean(axis=0))}. Remove inner walls."
        )


def _shell_signs(block: CellBlock, signs: Array, shell: Index) -> Array:
    """Return the signs (F,) that turn shells outward: away from the solid, also at cavities."""
    region = SurfaceRegion(block.nodes)
    first = np.unique(shell, return_index=True)[1]
    # The largest triangle of a shell gives the safest place to look from.
    largest = np.array([np.flatnonzero(shell == n)[np.argmax(block.measures[shell == n])]
                        for n in range(len(first))])  # fmt: skip
    normals = signs[largest, None] * block.normals(largest, block.at_centers()[1][largest])
    step = _PROBE * np.sqrt(block.measures[largest])[:, None]
    is_inward = region.inside(block.centers[largest] + step * normals)
    return np.where(is_inward, -1.0, 1.0)[shell]
