"""The family of shapes that every geometric identity is tested on, and small meshes to read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import asinh, cos, pi, sin, sqrt
from pathlib import Path
from types import SimpleNamespace

import meshio
import numpy as np
import pytest

from pinnsolve.geometry import (
    Box,
    Cylinder,
    Disk,
    Ellipse,
    Interval,
    Mesh,
    Polygon,
    Rectangle,
    Shape,
    Sphere,
)

SIZES = (1e-6, 1.0, 1e3)


@dataclass(frozen=True)
class Case:
    """A shape of size ``k`` with its closed forms at k = 1."""

    build: Callable[[float, Path], Shape]
    measure: float
    parts: dict[str, float]
    rtol: float = 1e-12
    centroid: tuple[float, ...] | None = None


def grid_mesh(shape: tuple[int, int], *, quads: bool) -> meshio.Mesh:
    """Return the rectangle (0, 2) x (0, 1) in cells, with its four sides as physical groups."""
    nx, ny = shape
    x, y = np.meshgrid(np.linspace(0, 2, nx + 1), np.linspace(0, 1, ny + 1), indexing="ij")
    node = np.arange(x.size).reshape(x.shape)
    points = np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)])
    a, b, c, d = (n.ravel() for n in (node[:-1, :-1], node[1:, :-1], node[1:, 1:], node[:-1, 1:]))
    cells = np.stack([a, b, c, d], axis=1)
    if not quads:
        # Half of the triangles run clockwise: a file may hold either.
        cells = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, d, c], axis=1)])
    sides = {"bottom": node[:, 0], "right": node[-1], "top": node[:, -1], "left": node[0]}
    lines = [np.array(list(pairwise(side))) for side in sides.values()]
    return meshio.Mesh(
        points,
        [*(("line", line) for line in lines), ("quad" if quads else "triangle", cells)],
        cell_data=_tags([len(line) for line in lines], len(cells)),
        field_data=_groups(tuple(sides), "plate"),
    )


def annulus_mesh(num: int, *, quads: bool) -> meshio.Mesh:
    """Return a quarter of the annulus 1 < r < 2 in second-order cells with nodes on the circles."""
    radius, angle = np.meshgrid(
        np.linspace(1, 2, 2 * num + 1), np.linspace(0, pi / 2, 2 * num + 1), indexing="ij"
    )
    node = np.arange(radius.size).reshape(radius.shape)
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    points = np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)])

    def at(i: int, j: int) -> np.ndarray:
        return node[i : i + 2 * num - 1 : 2, j : j + 2 * num - 1 : 2].ravel()

    order = [(0, 0), (2, 0), (2, 2), (0, 2), (1, 0), (2, 1), (1, 2), (0, 1), (1, 1)]
    cells = np.stack([at(*o) for o in order], axis=1)
    kind = "quad9"
    if not quads:
        first = cells[:, [0, 1, 2, 4, 5, 8]]
        second = cells[:, [0, 2, 3, 8, 6, 7]]
        cells, kind = np.concatenate([first, second]), "triangle6"
    sides = {"inner": node[0], "outer": node[-1], "bottom": node[:, 0], "left": node[:, -1]}
    lines = [np.stack([s[:-2:2], s[2::2], s[1:-1:2]], axis=1) for s in sides.values()]
    return meshio.Mesh(
        points,
        [*(("line3", line) for line in lines), (kind, cells)],
        cell_data=_tags([len(line) for line in lines], len(cells)),
        field_data=_groups(tuple(sides), "sheet"),
    )


def brick_mesh(num: int, kind: str) -> meshio.Mesh:
    """Return the unit cube in hexahedra, wedges or (second-order) tetrahedra, without groups."""
    axis = np.linspace(0, 1, num + 1)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    node = np.arange(len(points)).reshape((num + 1,) * 3)
    corner = [
        node[i : i + num, j : j + num, k : k + num].ravel()
        for k in (0, 1)
        for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))
    ]
    hexahedra = np.stack(corner, axis=1)
    if kind == "hexahedron":
        return meshio.Mesh(points, [(kind, hexahedra)])
    if kind == "wedge":
        halves = ([0, 1, 2, 4, 5, 6], [0, 2, 3, 4, 6, 7])
        return meshio.Mesh(points, [(kind, np.concatenate([hexahedra[:, h] for h in halves]))])
    paths = ([1, 2], [1, 5], [3, 2], [3, 7], [4, 5], [4, 7])
    tetra = np.concatenate([hexahedra[:, [0, *path, 6]] for path in paths])
    if kind == "tetra":
        return meshio.Mesh(points, [(kind, tetra)])
    edges = ((0, 1), (1, 2), (0, 2), (0, 3), (1, 3), (2, 3))
    pairs = np.sort(np.concatenate([tetra[:, list(edge)] for edge in edges]), axis=1)
    unique, number = np.unique(pairs, axis=0, return_inverse=True)
    middles = number.reshape(len(edges), -1).T + len(points)
    points = np.concatenate([points, points[unique].mean(axis=1)])
    return meshio.Mesh(points, [("tetra10", np.concatenate([tetra, middles], axis=1))])


def cube_surface(num: int) -> meshio.Mesh:
    """Return the surface of the unit cube in triangles of mixed orientation."""
    axis = np.linspace(0, 1, num + 1)
    u, v = (g.ravel() for g in np.meshgrid(axis, axis, indexing="ij"))
    points, triangles = [], []
    node = np.arange(u.size).reshape(num + 1, num + 1)
    a, b, c, d = (n.ravel() for n in (node[:-1, :-1], node[1:, :-1], node[1:, 1:], node[:-1, 1:]))
    face = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, d, c], axis=1)])
    for normal_axis in range(3):
        for level in (0.0, 1.0):
            triangles.append(face + sum(len(p) for p in points))
            points.append(np.roll(np.stack([np.full(u.size, level), u, v], 1), normal_axis, 1))
    return meshio.Mesh(np.concatenate(points), [("triangle", np.concatenate(triangles))])


def written(mesh: meshio.Mesh, path: Path) -> Path:
    """Write a mesh: binary Gmsh 2.2 for ``.msh``, otherwise what the ending says."""
    if path.suffix == ".msh":
        meshio.write(path, mesh, file_format="gmsh22", binary=True)
    else:
        meshio.write(path, mesh)
    return path


def _tags(line_counts: list[int], num_cells: int) -> dict[str, list[np.ndarray]]:
    tags = [np.full(n, i + 1) for i, n in enumerate(line_counts)]
    tags.append(np.full(num_cells, len(line_counts) + 1))
    return {"gmsh:physical": tags, "gmsh:geometrical": tags}


def _groups(lines: tuple[str, ...], cells: str) -> dict[str, np.ndarray]:
    groups = {name: np.array([i + 1, 1]) for i, name in enumerate(lines)}
    return groups | {cells: np.array([len(lines) + 1, 2])}


_BOX_PARTS = dict.fromkeys(("left", "right", "front", "back", "bottom", "top"), 1.0)
_CURVES = 4


def _parabolas(radius: float) -> tuple[float, float]:
    """Return area and length of a quarter disk whose circle is made of parabolic arcs."""
    half = pi / (4 * _CURVES)
    chord, sagitta = 2 * radius * sin(half), radius * (1 - cos(half))
    area = radius**2 * sin(2 * half) / 2 + 2 / 3 * chord * sagitta
    arc = sqrt(chord**2 + 16 * sagitta**2) / 2
    arc += chord**2 / (8 * sagitta) * asinh(4 * sagitta / chord)
    return _CURVES * area, _CURVES * arc


_QUARTER = {"inner": _parabolas(1)[1], "outer": _parabolas(2)[1], "bottom": 1.0, "left": 1.0}
_QUARTER_AREA = _parabolas(2)[0] - _parabolas(1)[0]
_SIDES = {"left": 1.0, "right": 1.0, "bottom": 2.0, "top": 2.0}
_LENS = 2 * pi / 3 - sqrt(3) / 2
_CUBE_WALLS = {"floor": 1.0, "wall": 5.0}


def _cube_walls(path: Path, k: float) -> Mesh:
    limit = 1e-6 * k
    return Mesh.from_file(
        path, parts={"floor": lambda p: p[:, 2] < limit}, boundary="wall", scale=k
    )


def _unit_box(k: float) -> Box:
    return Box((0, 0, 0), (k, k, k))


PRIMITIVES = {
    "interval": Case(
        lambda k, _: Interval(-k, 2 * k), 3.0, {"left": 1.0, "right": 1.0}, centroid=(0.5,)
    ),
    "rectangle": Case(
        lambda k, _: Rectangle((-k, 0), (k, k)),
        2.0,
        {"left": 1.0, "right": 1.0, "bottom": 2.0, "top": 2.0},
        centroid=(0.0, 0.5),
    ),
    "disk": Case(
        lambda k, _: Disk((k, 2 * k), 0.5 * k, "rim"), pi / 4, {"rim": pi}, centroid=(1.0, 2.0)
    ),
    "ellipse": Case(
        # Perimeter 4 a E(1 - b^2/a^2) with E from Abramowitz and Stegun 17.3.
        lambda k, _: Ellipse((k, 0), (2 * k, k), 0.4),
        2 * pi,
        {"ellipse": 9.688448220547675},
        centroid=(1.0, 0.0),
    ),
    "polygon": Case(
        lambda k, _: Polygon([(0, 0), (0, k), (k, k), (k, 0)], ["a", "b", "a", "c"]),
        1.0,
        {"a": 2.0, "b": 1.0, "c": 1.0},
        centroid=(0.5, 0.5),
    ),
    "triangle": Case(
        lambda k, _: Polygon([(0, 0), (4 * k, 0), (0, 3 * k)]),
        6.0,
        {"side0": 4.0, "side1": 5.0, "side2": 3.0},
        centroid=(4 / 3, 1.0),
    ),
    "box": Case(
        lambda k, _: Box((0, 0, 0), (k, 2 * k, 3 * k)),
        6.0,
        {"left": 6.0, "right": 6.0, "front": 3.0, "back": 3.0, "bottom": 2.0, "top": 2.0},
        centroid=(0.5, 1.0, 1.5),
    ),
    "sphere": Case(
        lambda k, _: Sphere((0, 0, k), 2 * k), 32 * pi / 3, {"sphere": 16 * pi}, centroid=(0, 0, 1)
    ),
    "cylinder": Case(
        lambda k, _: Cylinder((0, 0, 0), k, 3 * k, "x"),
        3 * pi,
        {"bottom": pi, "top": pi, "side": 6 * pi},
        centroid=(1.5, 0, 0),
    ),
}

BOOLEANS = {
    "two intervals": Case(
        lambda k, _: Interval(0, k) - Interval(0.25 * k, 0.5 * k), 0.75, {"left": 2, "right": 2}
    ),
    "plate with hole": Case(
        lambda k, _: Rectangle((0, 0), (k, k)) - Disk((0.5 * k, 0.5 * k), 0.25 * k, "hole"),
        1 - pi / 16,
        {"left": 1, "right": 1, "bottom": 1, "top": 1, "hole": pi / 2},
        centroid=(0.5, 0.5),
    ),
    "quarter plate with hole": Case(
        lambda k, _: Rectangle((0, 0), (k, k)) - Disk((0, 0), 0.25 * k, "hole"),
        1 - pi / 64,
        {"left": 0.75, "right": 1, "bottom": 0.75, "top": 1, "hole": pi / 8},
    ),
    "quarter disk": Case(
        lambda k, _: Rectangle((0, 0), (k, k)) & Disk((0, 0), k),
        pi / 4,
        {"left": 1, "bottom": 1, "circle": pi / 2},
        centroid=(4 / (3 * pi), 4 / (3 * pi)),
    ),
    "L": Case(
        lambda k, _: Rectangle((0, 0), (k, k)) - Rectangle((0.5 * k, 0.5 * k), (k, k)),
        0.75,
        {"left": 1.5, "right": 0.5, "bottom": 1.5, "top": 0.5},
        centroid=(5 / 12, 5 / 12),
    ),
    "two adjacent rectangles": Case(
        lambda k, _: Rectangle((0, 0), (k, k)) | Rectangle((k, 0.2 * k), (2 * k, 0.7 * k)),
        1.5,
        {"left": 1, "right": 1, "bottom": 2, "top": 2},
    ),
    "stadium": Case(
        lambda k, _: Rectangle((0, 0), (k, k)) | Disk((k, 0.5 * k), 0.5 * k),
        1 + pi / 8,
        {"left": 1, "bottom": 1, "top": 1, "circle": pi / 2},
    ),
    "lens": Case(
        lambda k, _: Disk((0, 0), k) & Disk((k, 0), k),
        _LENS,
        {"circle": 4 * pi / 3},
        centroid=(0.5, 0),
    ),
    "split sides": Case(
        lambda k, _: (
            Rectangle((0, 0), (k, k))
            .with_part("heater", of="top", where=lambda p: p[:, 0] > 0.3 * k)
            .renamed({"left": "inlet"})
        ),
        1.0,
        {"inlet": 1, "right": 1, "bottom": 1, "top": 0.3, "heater": 0.7},
        centroid=(0.5, 0.5),
    ),
    "box without corner box": Case(
        lambda k, _: _unit_box(k) - Box((0.5 * k,) * 3, (k,) * 3),
        0.875,
        {p: 1.25 if p in ("left", "front", "bottom") else 0.75 for p in _BOX_PARTS},
        rtol=1e-11,
    ),
    "box without corner ball": Case(
        lambda k, _: _unit_box(k) - Sphere((0, 0, 0), 0.5 * k),
        1 - pi / 48,
        {p: 1 - pi / 16 if p in ("left", "front", "bottom") else 1 for p in _BOX_PARTS}
        | {"sphere": pi / 8},
        rtol=2e-8,
    ),
    "drilled box": Case(
        lambda k, _: _unit_box(k) - Cylinder((0.5 * k, 0.5 * k, 0), 0.25 * k, k),
        1 - pi / 16,
        {p: 1 - pi / 16 if p in ("bottom", "top") else 1 for p in _BOX_PARTS} | {"side": pi / 2},
        rtol=2e-8,
        centroid=(0.5, 0.5, 0.5),
    ),
    "crossed cylinders": Case(
        lambda k, _: Cylinder((0, 0, -2 * k), k, 4 * k) & Cylinder((-2 * k, 0, 0), k, 4 * k, "x"),
        16 / 3,
        {"side": 16.0},
        rtol=2e-8,
        centroid=(0, 0, 0),
    ),
    "spot on a box": Case(
        lambda k, _: _unit_box(k).with_part(
            "spot", of="top", where=lambda p: np.hypot(p[:, 0], p[:, 1]) < 0.5 * k
        ),
        1.0,
        _BOX_PARTS | {"top": 1 - pi / 16, "spot": pi / 16},
        rtol=2e-8,
        centroid=(0.5, 0.5, 0.5),
    ),
}

MESHES = {
    "triangle mesh": Case(
        lambda k, tmp: Mesh.from_file(
            written(grid_mesh((5, 4), quads=False), tmp / "mesh.msh"), scale=k
        ),
        2.0,
        _SIDES,
        centroid=(1, 0.5),
    ),
    "quad mesh": Case(
        lambda k, tmp: Mesh.from_file(
            written(grid_mesh((5, 4), quads=True), tmp / "mesh.msh"), scale=k
        ),
        2.0,
        _SIDES,
        centroid=(1, 0.5),
    ),
    "curved triangle mesh": Case(
        lambda k, tmp: Mesh.from_file(
            written(annulus_mesh(_CURVES, quads=False), tmp / "mesh.msh"), scale=k
        ),
        _QUARTER_AREA,
        _QUARTER,
    ),
    "curved quad mesh": Case(
        lambda k, tmp: Mesh.from_file(
            written(annulus_mesh(_CURVES, quads=True), tmp / "mesh.vtu"),
            parts={
                "inner": lambda p: np.hypot(p[:, 0], p[:, 1]) < 1.01 * k,
                "outer": lambda p: np.hypot(p[:, 0], p[:, 1]) > 1.99 * k,
                "bottom": lambda p: p[:, 1] < 1e-9 * k,
                "left": lambda p: p[:, 0] < 1e-9 * k,
            },
            scale=k,
        ),
        _QUARTER_AREA,
        _QUARTER,
    ),
    **{
        f"{kind} mesh": Case(
            lambda k, tmp, kind=kind: _cube_walls(
                written(brick_mesh(3, kind), tmp / "mesh.vtu"), k
            ),
            1.0,
            _CUBE_WALLS,
            centroid=(0.5, 0.5, 0.5),
        )
        for kind in ("tetra", "tetra10", "hexahedron", "wedge")
    },
    "surface mesh": Case(
        lambda k, tmp: _cube_walls(written(cube_surface(3), tmp / "mesh.stl"), k),
        1.0,
        _CUBE_WALLS,
        rtol=1e-6,  # STL holds single precision
        centroid=(0.5, 0.5, 0.5),
    ),
}

CASES = PRIMITIVES | BOOLEANS | MESHES


@dataclass(frozen=True)
class Built:
    """A case with its shape built at size ``k``."""

    case: Case
    shape: Shape
    k: float


@pytest.fixture(scope="session", params=list(CASES))
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Return each case at unit size."""
    case = CASES[request.param]
    return Built(case, case.build(1.0, tmp_path_factory.mktemp("mesh")), 1.0)


@pytest.fixture(scope="session", params=[(n, k) for n in CASES for k in SIZES if k != 1.0], ids=str)
def scaled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Return each case a million times smaller and a thousand times larger."""
    name, k = request.param
    return Built(CASES[name], CASES[name].build(k, tmp_path_factory.mktemp("mesh")), k)


@pytest.fixture
def shape(built: Built) -> Shape:
    """Return the shape of each case at unit size."""
    return built.shape


@pytest.fixture
def meshes() -> SimpleNamespace:
    """Return the functions that make and write small meshes."""
    return SimpleNamespace(
        grid_mesh=grid_mesh,
        annulus_mesh=annulus_mesh,
        brick_mesh=brick_mesh,
        cube_surface=cube_surface,
        written=written,
    )
