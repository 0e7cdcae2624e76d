"""What mesh files get that are missing, damaged or unsound: one ValueError that names the file."""

import meshio
import numpy as np
import pytest

from pinnsolve.geometry import Mesh, Rectangle

SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=float)


def _vtu(meshes, tmp_path, points, cells):
    return meshes.written(meshio.Mesh(np.asarray(points, float), cells), tmp_path / "mesh.vtu")


def test_missing_file(meshes, tmp_path):
    with pytest.raises(ValueError, match=r"no mesh file .*nowhere\.msh\. Check the path"):
        Mesh.from_file(tmp_path / "nowhere.msh")


@pytest.mark.parametrize("ending", ["msh", "vtu", "vtk", "stl", "obj", "xdmf", "med", "xyz", "inp"])
@pytest.mark.parametrize(
    "content", [b"", b"garbage\n", b"\x00\xff\x13" * 400, b"$MeshFormat\n4.1 0"]
)
def test_garbage_is_one_error_and_no_output(meshes, tmp_path, capfd, ending, content):
    path = tmp_path / f"mesh.{ending}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"mesh\.{ending}") as caught:
        Mesh.from_file(path, boundary="wall")
    assert type(caught.value) is ValueError
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("ending", ["msh", "vtu", "stl"])
def test_truncated_file(meshes, tmp_path, share, ending):
    mesh = meshes.cube_surface(2) if ending == "stl" else meshes.grid_mesh((3, 3), quads=False)
    whole = meshes.written(mesh, tmp_path / f"whole.{ending}").read_bytes()
    path = tmp_path / f"cut.{ending}"
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=rf"cut\.{ending}"):
        Mesh.from_file(path, boundary="wall")


def test_no_names_at_all(meshes, tmp_path):
    path = _vtu(meshes, tmp_path, SQUARE, [("quad", [[0, 1, 2, 3]])])
    with pytest.raises(ValueError, match=r'names no part of its boundary. Give boundary="wall"'):
        Mesh.from_file(path)


def test_predicate_that_names_nothing(meshes, tmp_path):
    path = _vtu(meshes, tmp_path, SQUARE, [("quad", [[0, 1, 2, 3]])])
    with pytest.raises(ValueError, match=r"where part 'far' is said .* to \(1, 1\) m; .* scale="):
        Mesh.from_file(path, parts={"far": lambda p: p[:, 0] > 5}, boundary="wall")


def test_predicates_that_overlap(meshes, tmp_path):
    path = _vtu(meshes, tmp_path, SQUARE, [("quad", [[0, 1, 2, 3]])])
    parts = {"a": lambda p: p[:, 0] < 0.6, "b": lambda p: p[:, 0] > 0.4}
    with pytest.raises(ValueError, match=r"predicates of both 'a' and 'b'. Make them exclusive"):
        Mesh.from_file(path, parts=parts)


def test_predicate_of_the_wrong_shape(meshes, tmp_path):
    path = _vtu(meshes, tmp_path, SQUARE, [("quad", [[0, 1, 2, 3]])])
    with pytest.raises(ValueError, match="must return 4 booleans for 4 points"):
        Mesh.from_file(path, parts={"a": lambda p: p < 0})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": 0.0}, "Mesh scale must be positive"),
        ({"boundary": ""}, "given as boundary= must be a non-empty string"),
        ({"parts": {"": lambda p: p[:, 0] < 1}}, "part name must be a non-empty string"),
    ],
)
def test_arguments(meshes, tmp_path, arguments, message):
    path = _vtu(meshes, tmp_path, SQUARE, [("quad", [[0, 1, 2, 3]])])
    with pytest.raises(ValueError, match=message):
        Mesh.from_file(path, **arguments)


def test_facet_in_two_groups(meshes, tmp_path):
    grid = meshes.grid_mesh((2, 1), quads=True)
    tags = [*grid.cell_data["gmsh:physical"], np.array([3])]
    doubled = meshio.Mesh(
        grid.points,
        [*grid.cells, ("line", grid.cells[0].data[:1])],
        cell_data={"gmsh:physical": tags, "gmsh:geometrical": tags},
        field_data=grid.field_data,
    )
    path = meshes.written(doubled, tmp_path / "mesh.msh")
    with pytest.raises(ValueError, match=r"both to 'bottom' and to 'top', the first at \(0.5, 0"):
        Mesh.from_file(path)


def test_open_surface(meshes, tmp_path):
    cube = meshes.cube_surface(2)
    opened = meshio.Mesh(cube.points, [("triangle", cube.cells[0].data[1:])])
    path = meshes.written(opened, tmp_path / "open.stl")
    with pytest.raises(ValueError, match=r"not closed, it has 3 open edges, the first at \("):
        Mesh.from_file(path, boundary="skin")


def test_surfaces_that_share_an_edge(meshes, tmp_path):
    cube = meshes.cube_surface(1)
    points = np.concatenate([cube.points, cube.points + np.array([1, 1, 0])])
    faces = np.concatenate([cube.cells[0].data, cube.cells[0].data + len(cube.points)])
    path = meshes.written(meshio.Mesh(points, [("triangle", faces)]), tmp_path / "pair.obj")
    with pytest.raises(
        ValueError, match=r"more than two triangles meet at 1 edges.* \(1, 1, 0.5\)"
    ):
        Mesh.from_file(path, boundary="skin")


def test_one_sided_surface(meshes, tmp_path):
    """The projective plane in six vertices: every edge joins two triangles, yet it has one side."""
    faces = [(0, 1, 2), (0, 2, 3), (0, 3, 4), (0, 4, 5), (0, 5, 1),
             (1, 2, 4), (2, 3, 5), (3, 4, 1), (4, 5, 2), (5, 1, 3)]  # fmt: skip
    points = np.random.default_rng(0).random((6, 3))
    path = meshes.written(meshio.Mesh(points, [("triangle", faces)]), tmp_path / "odd.obj")
    with pytest.raises(ValueError, match="one-sided, so it encloses nothing"):
        Mesh.from_file(path, boundary="skin")


def test_degenerate_cell(meshes, tmp_path):
    points = np.concatenate([SQUARE, [[0.5, 0, 0]]])
    path = _vtu(
        meshes, tmp_path, points, [("triangle", [[0, 2, 3], [0, 4, 2], [4, 1, 2], [0, 1, 4]])]
    )
    with pytest.raises(ValueError, match=r"1 cells of kind triangle have no extent, .* \(0.5, 0\)"):
        Mesh.from_file(path, boundary="wall")


def test_folded_curved_cell(meshes, tmp_path):
    sheet = meshes.annulus_mesh(1, quads=False)
    sheet.points[sheet.cells[-1].data[0, 3]] = [1.05, 0.9, 0.0]
    path = meshes.written(sheet, tmp_path / "fold.msh")
    with pytest.raises(ValueError, match="cells of kind triangle6 fold over themselves"):
        Mesh.from_file(path)


def test_unmerged_nodes(meshes, tmp_path):
    points = np.concatenate([SQUARE, SQUARE + np.array([1, 0, 0])])
    path = _vtu(meshes, tmp_path, points, [("quad", [[0, 1, 2, 3], [4, 5, 6, 7]])])
    with pytest.raises(ValueError, match=r"2 boundary facets lie on one another, .* \(1, 0.5\)"):
        Mesh.from_file(path, boundary="wall")


def test_cells_listed_twice(meshes, tmp_path):
    path = _vtu(meshes, tmp_path, SQUARE, [("triangle", [[0, 1, 2], [0, 2, 3], [0, 2, 1]])])
    with pytest.raises(ValueError, match=r"more than two cells share a facet at \("):
        Mesh.from_file(path, boundary="wall")


def test_lines_only(meshes, tmp_path):
    path = _vtu(meshes, tmp_path, SQUARE, [("line", [[0, 1], [1, 2]])])
    with pytest.raises(ValueError, match="holds no triangles, quadrilaterals or solid cells"):
        Mesh.from_file(path)


def test_pyramids(meshes, tmp_path):
    points = np.concatenate([SQUARE, [[0.5, 0.5, 1]]])
    path = _vtu(meshes, tmp_path, points, [("pyramid", [[0, 1, 2, 3, 4]])])
    with pytest.raises(ValueError, match=r"cells of kind pyramid are not supported\. Mesh with"):
        Mesh.from_file(path, boundary="wall")


def test_nodes_that_are_not_finite(meshes, tmp_path):
    points = SQUARE.copy()
    points[2, 1] = np.nan
    path = _vtu(meshes, tmp_path, points, [("quad", [[0, 1, 2, 3]])])
    with pytest.raises(ValueError, match=r"1 nodes have coordinates that are not finite.* node 2"):
        Mesh.from_file(path, boundary="wall")


def test_nodes_that_are_not_there(meshes, tmp_path):
    path = _vtu(meshes, tmp_path, SQUARE, [("quad", [[0, 1, 2, 9]])])
    with pytest.raises(ValueError, match="refer to node 9, but there are 4 nodes"):
        Mesh.from_file(path, boundary="wall")


@pytest.mark.parametrize("swap", [False, True])
def test_booleans_of_meshes(meshes, tmp_path, swap):
    path = meshes.written(meshes.brick_mesh(1, "tetra"), tmp_path / "mesh.vtu")
    a, b = Mesh.from_file(path, boundary="skin"), Rectangle((0, 0), (1, 1))
    a = a.renamed({"skin": "wall"})
    with pytest.raises(ValueError, match=r"Mesh cannot be combined .* Do it in the mesher"):
        _ = (b - a) if swap else (a - b)
