"""How cells hang together: the facets on the outside, and the orientation of closed surfaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pinnsolve.geometry.cell_blocks import CellBlock, Index
from pinnsolve.geometry.checks import Array
from pinnsolve.geometry.reference_cells import reference_cells

Keys = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class FacetTable:
    """Facets of one kind.

    Attributes:
        kind: The name of the reference cell.
        nodes: Node numbers, (F, K).
        behind: A point in the cell behind each facet, in m, (F, D).
    """

    kind: str
    nodes: Index
    behind: Array

    def block(self, positions: Array) -> CellBlock:
        """Return the facets with the positions (M, D) of all nodes filled in."""
        return CellBlock(reference_cells()[self.kind], positions[self.nodes])

    def keys(self) -> Keys:
        """Return the sorted corner nodes of each facet, (F, corners)."""
        return corner_keys(self.kind, self.nodes)


def corner_keys(kind: str, nodes: Index) -> Keys:
    """Return the sorted corner nodes (F, corners), by which facets are recognised."""
    return np.sort(nodes[:, : reference_cells()[kind].num_corners], axis=1)


def cell_facets(cells: Mapping[str, Index], blocks: Mapping[str, CellBlock]) -> list[FacetTable]:
    """Return all facets of all cells by kind; those between two cells appear twice.

    Args:
        cells: Node numbers of the cells by kind.
        blocks: The same cells with positions.
    """
    nodes: dict[str, list[Index]] = {}
    behind: dict[str, list[Array]] = {}
    for kind, connectivity in cells.items():
        for facet_kind, local in reference_cells()[kind].facets:
            nodes.setdefault(facet_kind, []).append(connectivity[:, list(local)])
            behind.setdefault(facet_kind, []).append(blocks[kind].centers)
    return [
        FacetTable(kind, np.concatenate(nodes[kind]), np.concatenate(behind[kind]))
        for kind in nodes
    ]


def counts_of(keys: Keys) -> tuple[Index, Index]:
    """Return how often each row of ``keys`` occurs, and a number for each distinct row."""
    _, number, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    number = number.reshape(-1)
    return counts[number], number


def matched(wanted: Keys, table: Keys) -> Index:
    """Return for each row of ``wanted`` the row of ``table`` that equals it, or -1."""
    if not len(table) or not len(wanted):
        return np.full(len(wanted), -1, dtype=np.intp)
    _, number = np.unique(np.concatenate([table, wanted]), axis=0, return_inverse=True)
    number = number.reshape(-1)
    row_of = np.full(number.max() + 1, -1, dtype=np.intp)
    row_of[number[: len(table)]] = np.arange(len(table))
    return row_of[number[len(table) :]]


def triangle_edges(triangles: Index) -> tuple[Keys, Index, npt.NDArray[np.bool_]]:
    """Return the edges of triangles: sorted nodes (3F, 2), the triangle, and if they rise."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    owner = np.tile(np.arange(len(triangles)), 3)
    return np.sort(edges, axis=1), owner, edges[:, 0] < edges[:, 1]


def orientation_signs(triangles: Index) -> tuple[Array, Index]:
    """Orient the triangles of a watertight surface consistently.

    Every triangle stands twice in a graph, once for each orientation; triangles that share an edge
    are joined in the orientations that run it in opposite directions.

    Args:
        triangles: Node numbers, (F, 3); each edge is shared by exactly two.

    Returns:
        +1 or -1 for each triangle (F,), and the number of the connected shell it belongs to (F,).

    Raises:
        ValueError: If a shell is one-sided, like a Moebius strip.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    keys, owner, rises = triangle_edges(triangles)
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    first, second = order[::2], order[1::2]
    num = len(triangles)
    agree = rises[first] != rises[second]
    a, b = owner[first], owner[second]
    rows = np.concatenate([a, a + num])
    columns = np.concatenate([np.where(agree, b, b + num), np.where(agree, b + num, b)])
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(2 * num, 2 * num))
    label = connected_components(graph, directed=False)[1]
    plus, minus = label[:num], label[num:]
    if np.any(plus == minus):
        raise ValueError("is one-sided")
    shell = np.unique(np.minimum(plus, minus), return_inverse=True)[1].reshape(-1)
    return np.where(plus < minus, 1.0, -1.0), shell
