"""From what a mesh file holds to a sound region with a named boundary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pinnsolve.geometry.cell_blocks import CellBlock, Index
from pinnsolve.geometry.checks import Array
from pinnsolve.geometry.facet_names import Naming, facet_names, place_text
from pinnsolve.geometry.facets import FacetPiece
from pinnsolve.geometry.mesh_io import MeshContents, Names
from pinnsolve.geometry.mesh_topology import FacetTable, cell_facets, counts_of
from pinnsolve.geometry.reference_cells import reference_cells
from pinnsolve.geometry.regions import CellRegion, Region

_FLAT = 1e-12
_DEGENERATE = 1e-12
_COINCIDENT = 1e-9
_FOLD_ORDER = 3


@dataclass(frozen=True, eq=False)
class Assembled:
    """A mesh that was checked; see :class:`pinnsolve.geometry.mesh.Mesh` for the attributes."""

    nodes: Array
    cells: dict[str, Index]
    pieces: tuple[FacetPiece, ...]
    region: Region
    internal_parts: tuple[str, ...]


def assemble(contents: MeshContents, naming: Naming, scale: float) -> Assembled:
    """Check a mesh, find its boundary and name it.

    Args:
        contents: What the file holds.
        naming: What the user says about names.
        scale: Factor to m.

    Raises:
        ValueError: If the mesh is not sound or a boundary facet has no name.
    """
    from pinnsolve.geometry.mesh_surfaces import assemble_surface

    top = max((cells.dim for cells in contents.cells), default=0)
    if top < 2:
        raise ValueError(
            f"Mesh file {contents.path} holds no triangles, quadrilaterals or solid cells. "
            f"Export the surface or volume mesh too, not its lines only."
        )
    used = np.unique(np.concatenate([c.nodes.ravel() for c in contents.cells if c.dim == top]))
    extent = np.ptp(contents.nodes[used], axis=0)
    is_plane = extent[2] <= _FLAT * np.linalg.norm(extent)
    positions = scale * (contents.nodes[:, :2] if top == 2 and is_plane else contents.nodes)
    if top == 2 and not is_plane:
        return assemble_surface(contents, naming, positions)
    return _assemble_cells(contents, naming, positions, top)


def _assemble_cells(
    contents: MeshContents, naming: Naming, positions: Array, top: int
) -> Assembled:
    kinds = dict.fromkeys(c.kind for c in contents.cells if c.dim == top)
    cells = {
        kind: np.concatenate([c.nodes for c in contents.cells if c.kind == kind]) for kind in kinds
    }
    blocks = {
        kind: CellBlock(reference_cells()[kind], positions[nodes]) for kind, nodes in cells.items()
    }
    for block in blocks.values():
        _refuse_bad_cells(block, contents)
    outer, inner = _outer_and_inner(cell_facets(cells, blocks), positions, contents)
    names, order, internal = facet_names(contents, outer, inner, positions, naming)
    pieces = facet_pieces(
        [(table.block(positions), _outward_signs(table, positions)) for table in outer],
        names,
        order,
    )
    used = np.unique(np.concatenate([nodes.ravel() for nodes in cells.values()]))
    renumbered = {kind: np.searchsorted(used, nodes) for kind, nodes in cells.items()}
    region = CellRegion(list(blocks.values()))
    return Assembled(positions[used], renumbered, pieces, region, internal)


def facet_pieces(
    facets: list[tuple[CellBlock, Array]], names: list[Names], order: tuple[str, ...]
) -> tuple[FacetPiece, ...]:
    """Gather facets into pieces, one for each part and kind.

    Args:
        facets: Facets of each kind, with the signs (F,) that turn their normals outward.
        names: The part of each of them.
        order: The parts in the order wanted.
    """
    pieces: list[FacetPiece] = []
    for part in order:
        for (block, signs), own in zip(facets, names, strict=True):
            mine = own == part
            if np.any(mine):
                pieces.append(FacetPiece(block=block.subset(mine), signs=signs[mine], part=part))
    return tuple(pieces)


def refuse_degenerate(block: CellBlock, contents: MeshContents) -> None:
    """Refuse cells or facets without extent."""
    sizes = np.max(np.ptp(block.nodes, axis=1), axis=1)
    flat = np.flatnonzero(block.measures <= _DEGENERATE * sizes**block.reference.dim)
    if len(flat):
        raise ValueError(
            f"Mesh file {contents.path}: {len(flat)} cells of kind {block.reference.name} have no "
            f"extent, the first at {place_text(block.nodes[flat[0]].mean(axis=0))}. Remove "
            f"collapsed cells or mesh again."
        )


def _refuse_bad_cells(block: CellBlock, contents: MeshContents) -> None:
    """Refuse cells without extent and curved cells that fold over; inverted cells do no harm."""
    refuse_degenerate(block, contents)
    if block.reference.is_affine:
        return
    corners = np.asarray(block.reference.nodes)[: block.reference.num_corners]
    points = np.concatenate([block.reference.rule(_FOLD_ORDER)[0], corners])
    cell = np.repeat(np.arange(len(block)), len(points))
    density = block.signed_density(cell, np.tile(points, (len(block), 1))).reshape(len(block), -1)
    folded = np.flatnonzero(density.min(axis=1) * density.max(axis=1) <= 0.0)
    if len(folded):
        raise ValueError(
            f"Mesh file {contents.path}: {len(folded)} cells of kind {block.reference.name} fold "
            f"over themselves, the first at {place_text(block.centers[folded[0]])}. Mesh finer or "
            f"with straight cells."
        )


def _outer_and_inner(
    tables: list[FacetTable], positions: Array, contents: MeshContents
) -> tuple[list[FacetTable], list[FacetTable]]:
    """Part the facets into those of one cell and those between two."""
    outer, inner = [], []
    for table in tables:
        counts, _ = counts_of(table.keys())
        crowded = np.flatnonzero(counts > 2)
        if len(crowded):
            place = positions[table.nodes[crowded[0]]].mean(axis=0)
            raise ValueError(
                f"Mesh file {contents.path}: more than two cells share a facet at "
                f"{place_text(place)}. Cells overlap or are listed twice: mesh again."
            )
        outer.append(_subset(table, counts == 1))
        inner.append(_subset(table, counts == 2))
    outer = [table for table in outer if len(table.nodes)]
    _refuse_unmerged(outer, positions, contents)
    return outer, inner


def _subset(table: FacetTable, which: Index) -> FacetTable:
    return FacetTable(table.kind, table.nodes[which], table.behind[which])


def _refuse_unmerged(tables: list[FacetTable], positions: Array, contents: MeshContents) -> None:
    """Refuse boundary facets that lie on one another: neighbours that do not share their nodes."""
    size = float(np.linalg.norm(np.ptp(positions, axis=0)))
    used = np.unique(np.concatenate([table.nodes.ravel() for table in tables]))
    place = np.round((positions[used] - positions[used].min(axis=0)) / (_COINCIDENT * size))
    welded = np.zeros(len(positions), dtype=np.intp)
    welded[used] = np.unique(place, axis=0, return_inverse=True)[1].reshape(-1)
    for table in tables:
        double = np.flatnonzero(counts_of(np.sort(welded[table.keys()], axis=1))[0] > 1)
        if len(double):
            center = positions[table.nodes[double[0]]].mean(axis=0)
            raise ValueError(
                f"Mesh file {contents.path}: {len(double)} boundary facets lie on one another, the "
                f"first at {place_text(center)}: neighbouring cells do not share their nodes. "
                f"Merge duplicate nodes in the mesher."
            )


def _outward_signs(table: FacetTable, positions: Array) -> Array:
    """Return the signs (F,) that turn the normals of facets away from the cells behind them."""
    block = table.block(positions)
    normals = block.normals(*block.at_centers())
    outward = np.einsum("fd,fd->f", normals, block.centers - table.behind)
    return np.where(outward >= 0.0, 1.0, -1.0)
