"""Which boundary facet of a mesh belongs to which part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pinnsolve.geometry.boundary import Predicate, Where
from pinnsolve.geometry.checks import Array, part_name
from pinnsolve.geometry.mesh_io import MeshContents, Names
from pinnsolve.geometry.mesh_topology import FacetTable, corner_keys, matched


@dataclass(frozen=True, eq=False)
class Naming:
    """What the user says about the names of boundary parts.

    Attributes:
        parts: Predicates on facet centers by part name; they go before the groups of the file.
        boundary: Name of all facets that nothing else names.
    """

    parts: Mapping[str, Predicate]
    boundary: str | None

    def __post_init__(self) -> None:
        """Check the names."""
        for name in self.parts:
            part_name(name)
        if self.boundary is not None:
            part_name(self.boundary, "The name given as boundary=")


def facet_names(
    contents: MeshContents,
    outer: list[FacetTable],
    inner: list[FacetTable],
    positions: Array,
    naming: Naming,
) -> tuple[list[Names], tuple[str, ...], tuple[str, ...]]:
    """Name the facets on the outside of a mesh.

    Args:
        contents: The file, for its groups.
        outer: The facets on the outside, by kind.
        inner: The facets between cells.
        positions: Positions of all nodes in m, (M, D).
        naming: What the user says.

    Returns:
        The names of the facets of each table of ``outer``, the part names in a stable order, and
        the names of groups inside the mesh.

    Raises:
        ValueError: If facets stay without a name or get two, or a predicate names none.
    """
    names, internal = _group_names(contents, outer, inner, positions)
    centers = [table.block(positions).centers for table in outer]
    _apply_predicates(names, centers, naming.parts, contents)
    has_names = any(name for own in names for name in own)
    if naming.boundary is not None:
        for own in names:
            own[own == ""] = naming.boundary
    _refuse_nameless(names, centers, contents, has_names=has_names)
    used = {name for own in names for name in own}
    known = [*contents.group_names, *naming.parts, naming.boundary]
    order = tuple(dict.fromkeys(name for name in known if name in used and name is not None))
    return names, order, internal


def _group_names(
    contents: MeshContents, outer: list[FacetTable], inner: list[FacetTable], positions: Array
) -> tuple[list[Names], tuple[str, ...]]:
    """Take the names of the groups of the file; collect those that lie between cells."""
    names: list[Names] = [np.full(len(table.nodes), "", dtype=object) for table in outer]
    internal: dict[str, None] = {}
    dim = positions.shape[1] - 1
    for cells in contents.cells:
        if cells.dim != dim:
            continue
        has_name = cells.names != ""
        keys = corner_keys(cells.kind, cells.nodes)[has_name]
        for table, own in zip(outer, names, strict=True):
            if table.keys().shape[1] != keys.shape[1]:
                continue
            row = matched(keys, table.keys())
            new, row = cells.names[has_name][row >= 0], row[row >= 0]
            clash = np.flatnonzero((own[row] != "") & (own[row] != new))
            if len(clash):
                place = positions[table.nodes[row[clash[0]]]].mean(axis=0)
                raise ValueError(
                    f"Mesh file {contents.path}: {len(clash)} boundary facets belong both to "
                    f"{own[row][clash[0]]!r} and to {new[clash[0]]!r}, the first at "
                    f"{place_text(place)}. Put each facet in one group."
                )
            own[row] = new
        for table in inner:
            if table.keys().shape[1] == keys.shape[1]:
                inside = matched(keys, table.keys()) >= 0
                internal |= dict.fromkeys(cells.names[has_name][inside])
    return names, tuple(internal)


def _apply_predicates(
    names: list[Names],
    centers: list[Array],
    parts: Mapping[str, Predicate],
    contents: MeshContents,
) -> None:
    """Name the facets whose centers satisfy the predicates."""
    taken = [np.full(len(own), "", dtype=object) for own in names]
    for part, predicate in parts.items():
        num_named = 0
        for own, mine, center in zip(names, taken, centers, strict=True):
            hit = Where(predicate).keeps(center, center)
            clash = np.flatnonzero(hit & (mine != ""))
            if len(clash):
                raise ValueError(
                    f"Mesh file {contents.path}: a facet at {place_text(center[clash[0]])} "
                    f"satisfies the predicates of both {mine[clash[0]]!r} and {part!r}. "
                    f"Make them exclusive; boundary= names all that remains."
                )
            own[hit] = part
            mine[hit] = part
            num_named += int(np.count_nonzero(hit))
        if not num_named:
            everything = np.concatenate(centers)
            raise ValueError(
                f"Mesh file {contents.path}: no boundary facet has its center where part {part!r} "
                f"is said to be. The centers reach from {place_text(everything.min(axis=0))} to "
                f"{place_text(everything.max(axis=0))}; check the predicate and scale=."
            )


def _refuse_nameless(
    names: list[Names], centers: list[Array], contents: MeshContents, *, has_names: bool
) -> None:
    """Refuse facets without a name, and say where they are."""
    nameless = [c[own == ""] for own, c in zip(names, centers, strict=True)]
    rest = np.concatenate(nameless)
    if not len(rest):
        return
    if not has_names:
        raise ValueError(
            f'Mesh file {contents.path} names no part of its boundary. Give boundary="wall" to '
            f'name all of it, parts={{"left": lambda p: p[:, 0] < 1e-9}} to name parts by place, '
            f"or put the facets in physical groups."
        )
    raise ValueError(
        f"Mesh file {contents.path}: {len(rest)} of {sum(map(len, names))} boundary facets belong "
        f"to no part, the first at {place_text(rest[0])}. Add them to a physical group, or give "
        f'boundary="name" to name all that remains.'
    )


def place_text(point: Array) -> str:
    """Return a position as text."""
    return f"({', '.join(f'{x:.6g}' for x in point)}) m"
