"""Reading of mesh files: whatever meshio reads, with one clear error for whatever it does not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pinnsolve.geometry.cell_blocks import Index
from pinnsolve.geometry.checks import Array
from pinnsolve.geometry.reference_cells import reference_cells

if TYPE_CHECKING:
    import meshio

Names = npt.NDArray[np.object_]

_CORNERS = {"line": 2, "triangle": 3, "quad": 4, "tetra": 4, "hexahedron": 8, "wedge": 6}
_IGNORED = ("vertex",)


@dataclass(frozen=True, eq=False)
class NamedCells:
    """Cells of one kind as a file gives them.

    Attributes:
        kind: The name of the reference cell.
        nodes: Node numbers, (E, K).
        names: The group that each cell belongs to, or an empty text, (E,).
    """

    kind: str
    nodes: Index
    names: Names

    @property
    def dim(self) -> int:
        """Return the number of axes of the cells."""
        return reference_cells()[self.kind].dim


@dataclass(frozen=True, eq=False)
class MeshContents:
    """What a mesh file holds.

    Attributes:
        path: The file.
        nodes: Positions in the units of the file, (M, 3).
        cells: Cells of each kind and group, of all dimensions.
        group_names: The names of the groups in the order of the file.
    """

    path: Path
    nodes: Array
    cells: tuple[NamedCells, ...]
    group_names: tuple[str, ...]


def read_mesh(path: str | PathLike[str]) -> MeshContents:
    """Read a mesh file by meshio.

    Args:
        path: The file; its ending tells the format.

    Raises:
        ValueError: If there is no such file, it cannot be read, or it holds no sound mesh.
    """
    file = Path(path)
    if not file.is_file():
        raise ValueError(f"There is no mesh file {file}. Check the path (now in {Path.cwd()}).")
    mesh = _read(file)
    nodes = np.asarray(mesh.points, dtype=np.float64)
    if nodes.ndim != 2 or nodes.shape[1] not in (2, 3) or not len(nodes):
        raise ValueError(f"Mesh file {file} holds no nodes in 2-D or 3-D. Export the mesh again.")
    if nodes.shape[1] == 2:
        nodes = np.column_stack([nodes, np.zeros(len(nodes))])
    bad = np.flatnonzero(~np.isfinite(nodes).all(axis=1))
    if len(bad):
        raise ValueError(
            f"Mesh file {file}: {len(bad)} nodes have coordinates that are not finite, the first "
            f"is node {bad[0]} (counted from 0). Export the mesh again."
        )
    cells = tuple(_named_cells(mesh, file, len(nodes)))
    given = [name for one in cells for name in one.names if name]
    declared = [name for name in mesh.field_data if not name.startswith("gmsh:")]
    order = dict.fromkeys([*declared, *given])
    return MeshContents(file, nodes, cells, tuple(name for name in order if name in set(given)))


def _read(file: Path) -> meshio.Mesh:
    """Call meshio, which prints, exits, and leaks whatever its readers stumble over."""
    import meshio

    said = StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said), np.errstate(all="ignore"):
            return meshio.read(file)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the readers leak every kind
        words = " ".join(said.getvalue().split()) or str(error) or type(error).__name__
        raise ValueError(
            f"Mesh file {file} cannot be read ({words[:300]}). It may be cut off or damaged, "
            f"or its ending {file.suffix!r} may not fit its format. Export it again, as VTU say."
        ) from None


def _named_cells(mesh: meshio.Mesh, file: Path, num_nodes: int) -> Iterator[NamedCells]:
    """Yield the blocks of cells with their group names, linearised where need be."""
    for number, block in enumerate(mesh.cells):
        if block.type in _IGNORED or not len(block.data):
            continue
        kind, nodes = _known_kind(block.type, np.asarray(block.data), file)
        if nodes.min() < 0 or nodes.max() >= num_nodes:
            raise ValueError(
                f"Mesh file {file}: cells of kind {block.type} refer to node {nodes.max()}, but "
                f"there are {num_nodes} nodes. The file is damaged: export the mesh again."
            )
        dim = reference_cells()[kind].dim
        yield NamedCells(kind, nodes.astype(np.intp), _names(mesh, number, len(nodes), dim))


def _known_kind(kind: str, nodes: Index, file: Path) -> tuple[str, Index]:
    """Return a kind of reference cell and its nodes; unknown orders keep their corners only."""
    if kind in reference_cells():
        return kind, nodes
    base = re.sub(r"\d+$", "", kind.removeprefix("VTK_LAGRANGE_").lower())
    if base not in _CORNERS:
        raise ValueError(
            f"Mesh file {file}: cells of kind {kind} are not supported. Mesh with triangles, "
            f"quadrilaterals, tetrahedra, hexahedra or wedges."
        )
    return base, nodes[:, : _CORNERS[base]]


def _names(mesh: meshio.Mesh, number: int, num_cells: int, dim: int) -> Names:
    """Return the group names of the cells of a block: physical groups, tags or cell sets."""
    names = np.full(num_cells, "", dtype=object)
    for name, per_block in mesh.cell_sets.items():
        if name.startswith("gmsh:") or per_block[number] is None:
            continue
        names[np.asarray(per_block[number], dtype=np.intp)] = name
    if "gmsh:physical" in mesh.cell_data:
        tags = np.asarray(mesh.cell_data["gmsh:physical"][number]).ravel()
        named = {int(v[0]): name for name, v in mesh.field_data.items() if int(v[1]) == dim}
        _apply_tags(names, tags, {tag: named.get(int(tag), str(tag)) for tag in np.unique(tags)})
    elif "cell_tags" in mesh.cell_data and getattr(mesh, "cell_tags", None):
        tags = np.asarray(mesh.cell_data["cell_tags"][number]).ravel()
        _apply_tags(names, tags, {tag: " ".join(v) for tag, v in mesh.cell_tags.items()})
    return names


def _apply_tags(names: Names, tags: npt.NDArray[np.int64], words: dict[int, str]) -> None:
    for tag, word in words.items():
        if tag != 0 and word:
            names[tags == tag] = word
