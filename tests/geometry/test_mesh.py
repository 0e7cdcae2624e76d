"""Meshes: names, curved geometry, orientation, point location, and what a sound file may hold."""

from math import pi

import meshio
import numpy as np
import pytest

from pinnsolve.geometry import Mesh
from pinnsolve.geometry.cell_blocks import CellBlock
from pinnsolve.geometry.reference_cells import reference_cells

GMSH_41 = """$MeshFormat
4.1 0 8
$EndMeshFormat
$PhysicalNames
3
1 1 "hot side"
1 2 "rest"
2 3 "sheet"
$EndPhysicalNames
$Entities
4 2 1 0
1 0 0 0 0
2 1 0 0 0
3 1 1 0 0
4 0 1 0 0
1 0 0 0 1 0 0 1 1 2 1 -2
2 0 0 0 1 1 0 1 2 2 2 -1
1 0 0 0 1 1 0 1 3 2 1 2
$EndEntities
$Nodes
1 4 1 4
2 1 0 4
1
2
3
4
0 0 0
1 0 0
1 1 0
0 1 0
$EndNodes
$Elements
3 6 1 6
1 1 1 1
1 1 2
1 2 1 3
2 2 3
3 3 4
4 4 1
2 1 2 2
5 1 2 3
6 1 3 4
$EndElements
"""


def test_gmsh_text_with_names_that_contain_spaces(meshes, tmp_path):
    path = tmp_path / "square.msh"
    path.write_text(GMSH_41)
    mesh = Mesh.from_file(path)
    assert mesh.parts == ("hot side", "rest")
    assert mesh.part_measure("hot side") == pytest.approx(1.0)
    assert mesh.part_measure("rest") == pytest.approx(3.0)
    assert mesh.nodes.shape == (4, 2)
    assert mesh.cells["triangle"].shape == (2, 3)


@pytest.mark.parametrize("quads", [False, True])
def test_second_order_boundary_is_curved(meshes, tmp_path, quads):
    """Normals of chords are radial to the first order only, those of parabolic arcs to the third.

    In general it is the second; on a circle the error is odd about the middle node.
    """
    errors = []
    for num in (2, 4, 8):
        path = meshes.written(meshes.annulus_mesh(num, quads=quads), tmp_path / f"{num}.msh")
        points = Mesh.from_file(path).sample_part("inner", 400, seed=0)
        radial = -points.points / np.linalg.norm(points.points, axis=1, keepdims=True)
        errors.append(np.abs(points.normals - radial).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders == pytest.approx([3.0, 3.0], abs=0.2)


def test_second_order_measure_converges_to_the_fourth_order(meshes, tmp_path):
    errors = []
    for num in (2, 4, 8):
        path = meshes.written(meshes.annulus_mesh(num, quads=False), tmp_path / f"{num}.msh")
        errors.append(abs(Mesh.from_file(path).measure - 0.75 * pi))
    assert np.log2(np.array(errors[:-1]) / errors[1:]) == pytest.approx([4, 4], abs=0.2)


def test_higher_order_quadrature_follows_the_curve(meshes, tmp_path):
    """The integral of |x|^2 over the quarter annulus is 15 pi / 8."""
    mesh = Mesh.from_file(
        meshes.written(meshes.annulus_mesh(8, quads=False), tmp_path / "mesh.msh")
    )
    points, weights = mesh.interior_quadrature(5000)
    assert weights @ np.sum(points**2, axis=1) == pytest.approx(15 * pi / 8, rel=1e-5)


def test_points_between_chord_and_arc_are_inside(meshes, tmp_path):
    mesh = Mesh.from_file(
        meshes.written(meshes.annulus_mesh(2, quads=False), tmp_path / "mesh.msh")
    )
    middle_of_arc = np.array([[np.cos(pi / 8), np.sin(pi / 8)]])
    assert mesh.contains(1.999 * middle_of_arc).all()  # the chord is at 2 cos(pi / 8) = 1.848
    assert not mesh.contains(2.001 * middle_of_arc).any()


def test_predicates_go_before_groups(meshes, tmp_path):
    path = meshes.written(meshes.grid_mesh((4, 2), quads=False), tmp_path / "mesh.msh")
    mesh = Mesh.from_file(path, parts={"hot": lambda p: (p[:, 1] == 1) & (p[:, 0] < 1)})
    assert mesh.part_measure("hot") == pytest.approx(1.0)
    assert mesh.part_measure("top") == pytest.approx(1.0)
    assert mesh.parts == ("bottom", "right", "top", "left", "hot")


def test_boundary_names_what_remains(meshes, tmp_path):
    grid = meshes.grid_mesh((4, 2), quads=False)
    kept = list(zip(grid.cells, grid.cell_data["gmsh:physical"], strict=True))[1:]
    grid = meshio.Mesh(
        grid.points,
        [(block.type, block.data) for block, _ in kept],
        cell_data={n: [tag for _, tag in kept] for n in ("gmsh:physical", "gmsh:geometrical")},
        field_data=grid.field_data,
    )
    path = meshes.written(grid, tmp_path / "mesh.msh")
    assert Mesh.from_file(path, boundary="wall").part_measure("wall") == pytest.approx(2.0)
    with pytest.raises(ValueError, match=r"4 of 12 boundary facets .* first at .* boundary=\"name"):
        Mesh.from_file(path)


def test_groups_inside_are_recorded_and_ignored(meshes, tmp_path):
    grid = meshes.grid_mesh((4, 2), quads=False)
    middle = np.flatnonzero(grid.points[:, 1] == 0.5)
    line = np.stack([middle[:-1], middle[1:]], axis=1)
    tags = [*grid.cell_data["gmsh:physical"], np.full(len(line), 9)]
    with_interface = meshio.Mesh(
        grid.points,
        [*grid.cells, ("line", line)],
        cell_data={"gmsh:physical": tags, "gmsh:geometrical": tags},
        field_data=grid.field_data | {"glue": np.array([9, 1])},
    )
    mesh = Mesh.from_file(meshes.written(with_interface, tmp_path / "mesh.msh"))
    assert mesh.internal_parts == ("glue",)
    assert mesh.parts == ("bottom", "right", "top", "left")


def test_tags_without_names_are_names(meshes, tmp_path):
    grid = meshes.grid_mesh((2, 2), quads=True)
    mesh = Mesh.from_file(meshes.written(grid, tmp_path / "mesh.vtu"))
    assert mesh.parts == ("1", "2", "3", "4")
    assert mesh.part_measure("1") == pytest.approx(2.0)


def test_unused_nodes_do_not_matter(meshes, tmp_path):
    grid = meshes.grid_mesh((2, 2), quads=True)
    grid.points = np.concatenate([grid.points, [[50.0, 50.0, 3.0]]])
    mesh = Mesh.from_file(meshes.written(grid, tmp_path / "mesh.msh"))
    assert mesh.dim == 2
    assert mesh.bounds[1].tolist() == [2.0, 1.0]


def test_scale_converts_units_and_predicates_see_metres(meshes, tmp_path):
    path = meshes.written(meshes.grid_mesh((2, 2), quads=True), tmp_path / "mesh.msh")
    mesh = Mesh.from_file(path, scale=1e-3, parts={"far": lambda p: p[:, 0] > 1.999e-3})
    assert mesh.part_measure("far") == pytest.approx(1e-3)
    assert mesh.measure == pytest.approx(2e-6)


@pytest.mark.parametrize("kind", ["tetra", "tetra10", "hexahedron", "wedge"])
def test_point_location_in_solids(meshes, tmp_path, kind):
    mesh = Mesh.from_file(
        meshes.written(meshes.brick_mesh(3, kind), tmp_path / "mesh.vtu"), boundary="skin"
    )
    points = np.random.default_rng(0).random((500, 3)) * 1.4 - 0.2
    expected = np.all((points >= 0) & (points <= 1), axis=1)
    assert (mesh.contains(points) == expected).all()
    assert mesh.contains(mesh.nodes).all()
    distance = np.where(
        expected,
        -np.min(np.minimum(points, 1 - points), axis=1),
        np.linalg.norm(points - np.clip(points, 0, 1), axis=1),
    )
    assert mesh.signed_distance(points) == pytest.approx(distance, abs=1e-9)


def test_surface_encloses_a_solid(meshes, tmp_path):
    mesh = Mesh.from_file(
        meshes.written(meshes.cube_surface(4), tmp_path / "cube.obj"), boundary="skin"
    )
    assert mesh.measure == pytest.approx(1.0)
    points = np.random.default_rng(0).random((2000, 3)) * 1.4 - 0.2
    assert (mesh.contains(points) == np.all((points >= 0) & (points <= 1), axis=1)).all()


def test_cavity_has_normals_into_the_hollow(meshes, tmp_path):
    outer, inner = meshes.cube_surface(2), meshes.cube_surface(2)
    hollow = meshio.Mesh(
        np.concatenate([outer.points, 0.25 + 0.5 * inner.points]),
        [("triangle", np.concatenate([c.cells[0].data + n for c, n in ((outer, 0),
                                      (inner, len(outer.points)))]))],
    )  # fmt: skip
    mesh = Mesh.from_file(
        meshes.written(hollow, tmp_path / "hollow.obj"),
        parts={"cavity": lambda p: np.abs(p - 0.5).max(axis=1) < 0.3},
        boundary="skin",
    )
    assert mesh.measure == pytest.approx(1 - 0.125)
    points = mesh.sample_part("cavity", 100, seed=0)
    toward_center = np.einsum("nd,nd->n", points.normals, 0.5 - points.points)
    assert (toward_center > 0.2).all()


def test_second_order_surfaces_are_read_as_flat_triangles(meshes, tmp_path):
    triangle6 = meshio.Mesh(
        _octahedron_with_middles()[0], [("triangle6", _octahedron_with_middles()[1])]
    )
    mesh = Mesh.from_file(meshes.written(triangle6, tmp_path / "ball.vtu"), boundary="skin")
    assert mesh.cells["triangle"].shape == (32, 3)
    assert 4 / 3 < mesh.measure < 4 * pi / 3


def test_mixed_cells(meshes, tmp_path):
    points = [[0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1, 0], [1, 1, 0]]
    mixed = meshio.Mesh(
        np.array(points, float), [("quad", [[0, 1, 4, 3]]), ("triangle", [[1, 2, 4]])]
    )
    mesh = Mesh.from_file(meshes.written(mixed, tmp_path / "mixed.vtu"), boundary="rim")
    assert mesh.measure == pytest.approx(1.5)
    assert mesh.part_measure("rim") == pytest.approx(4 + 2**0.5)
    counts = mesh.contains(mesh.sample_interior(300, seed=0))
    assert counts.all()


def test_splitting_a_mesh_goes_by_facet_centers(meshes, tmp_path):
    mesh = Mesh.from_file(
        meshes.written(meshes.grid_mesh((4, 2), quads=True), tmp_path / "mesh.msh")
    )
    split = mesh.with_part("hot", of="top", where=lambda p: p[:, 0] < 0.9)
    assert split.part_measure("hot") == pytest.approx(1.0)
    assert split.renamed({"hot": "a"}).part_measure("a") == pytest.approx(1.0)
    assert (split.sample_interior(5, seed=0) == mesh.sample_interior(5, seed=0)).all()


@pytest.mark.parametrize("name", list(reference_cells()))
def test_shape_functions_are_nodal_and_sum_to_one(name):
    cell = reference_cells()[name]
    nodes = np.array(cell.nodes)
    assert cell.values(nodes) == pytest.approx(np.eye(len(nodes)), abs=1e-13)
    points = cell.uniform(np.random.default_rng(0).random((50, cell.dim)))
    assert cell.contains(points, 0.0).all()
    assert cell.values(points).sum(axis=1) == pytest.approx(1.0)
    assert cell.gradients(points).sum(axis=1) == pytest.approx(0.0, abs=1e-12)
    step = 1e-6
    for axis, h in enumerate(step * np.eye(cell.dim)):
        slope = (cell.values(points + h) - cell.values(points - h)) / (2 * step)
        assert cell.gradients(points)[:, :, axis] == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize("name", list(reference_cells()))
def test_facet_nodes_lie_on_the_facets(name):
    """Middle nodes of facets are the means of the corners beside them."""
    cell = reference_cells()[name]
    for kind, local in cell.facets:
        facet = reference_cells()[kind]
        corners = np.array(cell.nodes)[list(local[: facet.num_corners])]
        expected = np.array(facet.nodes)
        weights = reference_cells()[kind.rstrip("0123456789")].values(expected)
        assert np.array(cell.nodes)[list(local)] == pytest.approx(weights @ corners)


@pytest.mark.parametrize("name", [n for n, c in reference_cells().items() if c.dim > 1])
def test_inverse_map_is_the_inverse(name):
    cell = reference_cells()[name]
    generator = np.random.default_rng(0)
    nodes = np.array(cell.nodes) + 0.04 * generator.standard_normal((6, *np.shape(cell.nodes)))
    block = CellBlock(cell, nodes)
    xi = cell.uniform(generator.random((60, cell.dim)))
    number = np.repeat(np.arange(6), 10)
    assert block.inverse(number, block.positions(number, xi)) == pytest.approx(xi, abs=1e-10)


def _octahedron_with_middles():
    """Return the octahedron in second-order triangles with middle nodes on the unit sphere."""
    corners = np.concatenate([np.eye(3), -np.eye(3)])
    faces = np.array([(a, b, c) for a in (0, 3) for b in (1, 4) for c in (2, 5)])
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    unique, number = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True)
    middles = corners[unique].sum(axis=1) / 2**0.5
    return (
        np.concatenate([corners, middles]),
        np.concatenate([faces, 6 + number.reshape(3, -1).T], axis=1),
    )
