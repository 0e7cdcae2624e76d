"""Shapes given by meshes: cells that fill a region, or a closed surface around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from os import PathLike

import numpy as np
import numpy.typing as npt

from pinnsolve.geometry.boundary import Piece, Predicate, nearest_of_pieces
from pinnsolve.geometry.cell_blocks import Index
from pinnsolve.geometry.checks import Array, Mask, count, point_array, positive, read_only
from pinnsolve.geometry.facets import FacetPiece
from pinnsolve.geometry.gauss import Rule
from pinnsolve.geometry.regions import Region
from pinnsolve.geometry.shape import Shape


class Mesh(Shape):
    """A region given by a mesh; made by :meth:`from_file`.

    Second-order triangles, quadrilaterals and tetrahedra keep their curved geometry: points,
    normals and measures are those of the isoparametric map. Others are read as straight cells.
    Shapes made of a closed surface consist of flat triangles.

    Attributes:
        nodes: Positions of the nodes in m, (M, D).
        cells: Node numbers of the cells that fill the region, or of the triangles of its surface,
            by meshio's cell names, (E, K) each.
        internal_parts: Names of groups of facets inside the mesh, which bound nothing.
    """

    def __init__(
        self,
        nodes: Array,
        cells: Mapping[str, Index],
        pieces: Sequence[FacetPiece],
        region: Region,
        internal_parts: Sequence[str] = (),
    ) -> None:
        """Keep the parts of a mesh that was checked; :meth:`from_file` is the way to make one."""
        self.nodes = read_only(nodes)
        self.cells = dict(cells)
        self.internal_parts = tuple(internal_parts)
        self._pieces = tuple(pieces)
        self._region = region

    @classmethod
    def from_file(
        cls,
        path: str | PathLike[str],
        *,
        parts: Mapping[str, Predicate] | None = None,
        boundary: str | None = None,
        scale: float = 1.0,
    ) -> Mesh:
        """Read a mesh from any file that meshio reads, such as MSH, VTU, XDMF, STL or OBJ.

        A mesh whose third coordinate is constant is plane. Triangles in space without solid
        cells must form a closed surface and stand for the solid within.

        Args:
            path: The file.
            parts: Predicates by part name; each is given facet centers (F, D) in m and tells which
                boundary facets (F,) belong to the part, whatever group the file puts them in.
            boundary: Name of all boundary facets that neither ``parts`` nor a group names.
            scale: Factor from the units of the file to m: 1e-3 for a file in mm.

        Raises:
            ValueError: If the file cannot be read, the mesh is not sound, or a boundary facet has
                no name. The text says what and where.
        """
        from pinnsolve.geometry.facet_names import Naming
        from pinnsolve.geometry.mesh_assembly import assemble
        from pinnsolve.geometry.mesh_io import read_mesh

        factor = positive(scale, "Mesh scale")
        assembled = assemble(read_mesh(path), Naming(parts or {}, boundary), factor)
        return cls(
            assembled.nodes,
            assembled.cells,
            assembled.pieces,
            assembled.region,
            assembled.internal_parts,
        )

    @property
    def dim(self) -> int:
        """Return the number of coordinates D."""
        return int(self.nodes.shape[1])

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Return the lower and the upper corner (D,) of a box around the mesh, in m."""
        lines = [line for piece in self._pieces for line in piece.outline()]
        everything = np.concatenate([self.nodes, *lines])
        return read_only(everything.min(axis=0)), read_only(everything.max(axis=0))

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Return the facets, by part and kind."""
        return self._pieces

    @property
    def can_be_combined(self) -> bool:
        """Return False: booleans are for the mesher."""
        return False

    @cached_property
    def measure(self) -> float:
        """Return the area in m^2 or the volume in m^3."""
        return self._region.measure

    def signed_distance(self, points: npt.ArrayLike) -> Array:
        """Return the signed distance (N,) in m to the boundary facets.

        The foot is found exactly on straight facets and by Newton's method on curved ones, among
        the 16 facets with the nearest centers. Near the boundary that is exact to rounding; next to
        facets of very unequal size, the distance of points farther away may come out too great by
        about the size of the large facets.
        """
        array = point_array(points, self.dim)
        distance = nearest_of_pieces(self._pieces, array)[0]
        return np.where(self._region.inside(array), -distance, distance)

    def contains(self, points: npt.ArrayLike, tolerance: float = 0.0) -> Mask:
        """Tell which points lie in the closed region.

        Args:
            points: Positions, (N, D).
            tolerance: Distance in m by which the region is grown. Rounding is allowed for anyway.

        Returns:
            Truth values, (N,).
        """
        array = point_array(points, self.dim)
        inside = self._region.inside(array)
        reach = tolerance + self.rounding
        for piece in self._pieces:
            rest = np.flatnonzero(~inside)
            rest = rest[piece.may_be_within(array[rest], reach)] if len(rest) else rest
            if len(rest):
                inside[rest] = piece.nearest(array[rest])[0] <= reach
        return inside

    def sample_interior(self, num_points: int, *, seed: int) -> Array:
        """Return distinct quasi-random points (N, D) inside, uniform by measure."""
        return self._region.sample(count(num_points), seed=seed)

    def interior_quadrature(self, num_points: int) -> Rule:
        """Return a Gauss rule on every cell; quasi-random points within a closed surface.

        Args:
            num_points: Number of points wanted; there are at least 2^D in every cell.

        Returns:
            Positions (N, D) and positive weights (N,) that sum to ``measure``.
        """
        return self._region.rule(count(num_points))
