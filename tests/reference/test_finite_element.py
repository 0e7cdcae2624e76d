"""Finite element reference: patch tests, orders, closed forms, published values, refusals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import meshio
import numpy as np
import numpy.typing as npt
import pytest
from scipy.sparse import eye_array

from pinnsolve.conditions import (
    Condition,
    Convection,
    Dirichlet,
    Fixed,
    Initial,
    Insulated,
    Neumann,
    NoSlip,
    Periodic,
    Symmetry,
    Traction,
)
from pinnsolve.geometry import Mesh, Rectangle, TimeInterval
from pinnsolve.jets import Coordinates, Fields, Jet, as_jet, cos, exp, sin
from pinnsolve.measurements import Measurements
from pinnsolve.physics import Elasticity, Heat, NavierStokes
from pinnsolve.problem import Problem
from pinnsolve.reference.fem_forms import UnsuitedError
from pinnsolve.reference.fem_levels import cell_kind
from pinnsolve.reference.fem_solvers import factorised, multigrid
from pinnsolve.reference.finite_element import (
    finite_element_reference,
    given_mesh,
    reference_of,
    solved_on,
)
from pinnsolve.reference.reference import NoReference, Reference
from pinnsolve.unknowns import Unknown

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]
Names = Mapping[str, Callable[[Array], npt.NDArray[np.bool_]]]

LE1_MESH = Path(__file__).parents[2] / "problems" / "elasticity" / "nafems_le1.msh"

DIMS = {
    "triangle": 2, "triangle6": 2, "quad": 2, "quad9": 2, "tetra": 3, "tetra10": 3, "hexahedron": 3,
}  # fmt: skip
KINDS = tuple(DIMS)

TETRAHEDRA = ((0, 1, 2, 6), (0, 2, 3, 6), (0, 3, 7, 6), (0, 7, 4, 6), (0, 4, 5, 6), (0, 5, 1, 6))

MIDDLES = {
    "triangle6": ((0, 1), (1, 2), (2, 0)),
    "quad9": ((0, 1), (1, 2), (2, 3), (3, 0), (0, 1, 2, 3)),
    "tetra10": ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)),
}

E, NU = 210e9, 0.3


# Meshes


def unit_cells(kind: str, num: int) -> tuple[Array, Index]:
    """Return nodes in [0, 1]^D and cells of a grid with ``num`` boxes along each axis."""
    dim = DIMS[kind]
    axis = np.linspace(0.0, 1.0, num + 1)
    nodes = np.stack(np.meshgrid(*[axis] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
    number = np.arange(len(nodes)).reshape([num + 1] * dim)
    square = ((0, 0), (1, 0), (1, 1), (0, 1))
    offsets = square if dim == 2 else tuple((*c, z) for z in (0, 1) for c in square)
    boxes = np.column_stack(
        [number[tuple(slice(o, num + o) for o in offset)].ravel() for offset in offsets]
    )
    if kind.startswith("triangle"):
        boxes = np.concatenate((boxes[:, [0, 1, 2]], boxes[:, [0, 2, 3]]))
    if kind.startswith("tetra"):
        boxes = np.concatenate([boxes[:, list(t)] for t in TETRAHEDRA])
    return with_middles(nodes, boxes, MIDDLES[kind]) if kind in MIDDLES else (nodes, boxes)


def with_middles(
    nodes: Array, cells: Index, edges: tuple[tuple[int, ...], ...]
) -> tuple[Array, Index]:
    middles = np.stack([nodes[cells[:, list(edge)]].mean(axis=1) for edge in edges], axis=1)
    flat = middles.reshape(-1, nodes.shape[1])
    places = np.round(flat * 2**20).astype(np.int64)
    _, first, number = np.unique(places, axis=0, return_index=True, return_inverse=True)
    added = np.hstack((cells, len(nodes) + number.reshape(len(cells), -1)))
    return np.vstack((nodes, flat[first])), added


def sides(nodes: Array) -> Names:
    lower, upper = nodes.min(axis=0), nodes.max(axis=0)
    tolerance = 1e-9 * float((upper - lower).max())

    def side(axis: int, level: float) -> Callable[[Array], npt.NDArray[np.bool_]]:
        return lambda p: np.abs(p[:, axis] - level) < tolerance

    pairs = (("left", "right"), ("front", "back"), ("bottom", "top"))
    names = pairs if len(lower) == 3 else (pairs[0], pairs[2])
    return {
        name: side(axis, level)
        for axis, pair in enumerate(names)
        for name, level in zip(pair, (lower[axis], upper[axis]), strict=True)
    }


def read(folder: Path, nodes: Array, cells: Mapping[str, Index], names: Names) -> Mesh:
    flat = np.column_stack((nodes, np.zeros(len(nodes)))) if nodes.shape[1] == 2 else nodes
    meshio.Mesh(flat, list(cells.items())).write(folder / "mesh.vtu")
    return Mesh.from_file(folder / "mesh.vtu", parts=names)


def box(folder: Path, kind: str, num: int, *, size: float = 1.0, wavy: bool = True) -> Mesh:
    """Return a box with shifted inner nodes, so that inner edges of order 2 are curved."""
    nodes, cells = unit_cells(kind, num)
    bubble = np.prod(np.sin(np.pi * nodes), axis=1)
    shift = 0.08 * bubble[:, None] * np.cos(2.0 * nodes + np.arange(nodes.shape[1]))
    moved = nodes + shift if wavy else nodes
    return read(folder, size * moved, {kind: cells}, sides(size * nodes))


def turned(points: Array, angle: float) -> Array:
    c, s = math.cos(angle), math.sin(angle)
    return points @ np.array([[c, s], [-s, c]])


def ring(folder: Path, kind: str, num: int, *, turn: float = 0.0) -> Mesh:
    """Return a quarter of the ring 1 < r < 2: parts inner, outer, bottom (y = 0) and left (x = 0).

    It is turned by an angle about the origin.
    """
    nodes, cells = unit_cells(kind, num)
    r, angle = 1.0 + nodes[:, 0], 0.5 * np.pi * nodes[:, 1]
    bent = np.column_stack((r * np.cos(angle), r * np.sin(angle)))
    straight: Names = {
        "bottom": lambda p: p[:, 1] < 1e-9,
        "left": lambda p: p[:, 0] < 1e-9,
        "inner": lambda p: (np.hypot(*p.T) < 1.5) & (p.min(axis=1) > 1e-9),
        "outer": lambda p: (np.hypot(*p.T) > 1.5) & (p.min(axis=1) > 1e-9),
    }
    names: Names = {
        name: lambda p, w=where: w(turned(p, -turn)) for name, where in straight.items()
    }
    return read(folder, turned(bent, turn), {kind: cells}, names)


# Problems with known solutions


def normal_of(part: str, dim: int) -> list[float]:
    axis = {"left": 0, "right": 0, "front": 1, "back": 1, "bottom": dim - 1, "top": dim - 1}[part]
    normal = [0.0] * dim
    normal[axis] = -1.0 if part in {"left", "front", "bottom"} else 1.0
    return normal


def along(vector: Jet, normal: list[float]) -> Jet:
    return sum((n * vector[i] for i, n in enumerate(normal)), start=0.0 * vector[0])


def heat_problem(mesh: Mesh, conductivity: object, exact: Callable[[Coordinates], Jet]) -> Problem:
    """Return the problem that ``exact`` solves, with values, fluxes and convection given."""
    plain = Heat(conductivity)

    def fields(x: Coordinates) -> Fields:
        return Fields({"temperature": as_jet(exact(x), x.frame)})

    def flux(part: str) -> Callable[[Coordinates], Jet]:
        return lambda x: along(plain.heat_flux(fields(x), x), normal_of(part, mesh.dim))

    h = 3.0
    conditions: list[Condition] = [
        Dirichlet("left", temperature=exact),
        Convection("right", h, lambda x: exact(x) - flux("right")(x) / h),
        Neumann("top", temperature=flux("top")),
    ]
    used = {c.part for c in conditions}
    conditions += [Dirichlet(part, temperature=exact) for part in mesh.parts if part not in used]
    physics = Heat(conductivity, source=lambda x: plain.residual(fields(x), x)["energy"])
    return Problem(
        "heat", mesh, physics, conditions, exact=lambda x: {"temperature": exact(x)}, accuracy=0.5
    )


def solid_problem(
    mesh: Mesh, plane: str | None, exact: Callable[[Coordinates], list[Jet]]
) -> Problem:
    """Return the problem that ``exact`` solves, with displacements and tractions given."""
    plain = Elasticity(E, NU, plane=plane)

    def fields(x: Coordinates) -> Fields:
        return Fields({"displacement": as_jet(exact(x), x.frame)})

    def traction(part: str) -> Callable[[Coordinates], list[Jet]]:
        normal = normal_of(part, mesh.dim)
        return lambda x: [along(row, normal) for row in plain.stress(fields(x), x)]

    def pressed(x: Coordinates) -> list[Jet]:
        """Return what is left of the traction when a pressure of 1e8 Pa is given too."""
        first, *rest = traction("right")(x)
        return [first + 1e8, *rest]

    conditions: list[Condition] = [
        Dirichlet("left", displacement=exact),
        Traction("right", vector=pressed, pressure=1e8),
        Neumann("top", displacement=traction("top")),
    ]
    used = {c.part for c in conditions}
    conditions += [Dirichlet(part, displacement=exact) for part in mesh.parts if part not in used]
    physics = Elasticity(
        E,
        NU,
        plane=plane,
        body_force=lambda x: -plain.residual(fields(x), x)["equilibrium"],
    )
    return Problem(
        "solid", mesh, physics, conditions, exact=lambda x: {"displacement": exact(x)}, accuracy=0.5
    )


def smooth_temperature(x: Coordinates) -> Jet:
    return 2.0 + exp(0.7 * x[0]) * cos(x[-1 + x.frame.space_dim]) + sin(x[1])


def smooth_displacement(x: Coordinates) -> list[Jet]:
    last = x[x.frame.space_dim - 1]
    parts = [sin(x[0]) * cos(last), exp(0.5 * x[0]) * last, cos(x[0]) * sin(x[1]) + last * last]
    return [1e-3 * part for part in parts[: x.frame.space_dim]]


def linear_temperature(x: Coordinates) -> Jet:
    return 3.0 + 2.0 * x[0] - 1.5 * x[1] + 0.5 * x[x.frame.space_dim - 1]


def linear_displacement(x: Coordinates) -> list[Jet]:
    u = 1e-3 * (1.0 + 2.0 * x[0] - x[1])
    v = 1e-3 * (0.5 * x[0] + x[1])
    return [u, v, 1e-3 * (x[2] - 0.3 * x[0])] if x.frame.space_dim == 3 else [u, v]


def exact_values(problem: Problem, points: Array) -> Array:
    import torch

    x = Coordinates(torch.tensor(points), problem.frame)
    values = [as_jet(v, problem.frame).value.numpy() for v in problem.exact(x).values()]
    return np.column_stack([v.reshape(len(points), -1) for v in values])


def solve(problem: Problem, *, accuracy: float = 0.9, max_seconds: float = 60.0) -> Reference:
    found = finite_element_reference(problem, accuracy=accuracy, max_seconds=max_seconds)
    assert isinstance(found, Reference), found
    return found


def true_error(problem: Problem, reference: Reference) -> float:
    points = problem.domain.sample_interior(1500, seed=1)
    exact = exact_values(problem, points)
    return float(np.linalg.norm(reference.evaluate(points) - exact) / np.linalg.norm(exact))


def plane_of(mesh: Mesh) -> str | None:
    return "stress" if mesh.dim == 2 else None


# Reference cells


@pytest.mark.parametrize("name", ["triangle", "quad", "tetra", "hexahedron"])
def test_children_fill_the_cell(name: str) -> None:
    kind = cell_kind(name)
    origins, matrices = kind.children
    share = np.abs(np.linalg.det(matrices))
    assert len(share) == 2 ** kind.corners.shape[1]
    assert share == pytest.approx(1.0 / len(share), abs=1e-14)
    mapped = origins[:, None] + np.einsum("sij,vj->svi", matrices, kind.corners)
    assert mapped == pytest.approx(kind.children_corners, abs=1e-14)
    centroid = mapped.mean(axis=1).mean(axis=0)
    assert centroid == pytest.approx(kind.corners.mean(axis=0), abs=1e-14)


@pytest.mark.parametrize("name", ["triangle", "quad", "tetra", "hexahedron"])
def test_area_vectors_of_facets_point_outward_and_close(name: str) -> None:
    kind = cell_kind(name)
    frames = [kind.facet_frame(f) for f in range(len(kind.facet_corners))]
    halved = 0.5 if name == "tetra" else 1.0
    assert sum(area for _, _, area in frames) == pytest.approx(0.0, abs=1e-14)
    center = kind.corners.mean(axis=0)
    assert all((origin - center) @ area > 0.0 for origin, _, area in frames)
    volume = {"triangle": 0.5, "quad": 1.0, "tetra": 1.0 / 6.0, "hexahedron": 1.0}[name]
    flux = sum(halved * origin @ area for origin, _, area in frames)
    assert flux == pytest.approx(len(center) * volume)


def test_other_cells_have_no_elements() -> None:
    assert cell_kind("wedge") is None


# Patch tests and orders


@pytest.mark.parametrize("kind", KINDS)
def test_linear_temperature_is_exact(kind: str, tmp_path: Path) -> None:
    problem = heat_problem(box(tmp_path, kind, 2), 2.0, linear_temperature)
    reference = solve(problem)
    assert true_error(problem, reference) < 1e-12
    assert reference.error["temperature"] < 1e-11


@pytest.mark.parametrize("kind", KINDS)
def test_linear_displacement_is_exact(kind: str, tmp_path: Path) -> None:
    mesh = box(tmp_path, kind, 2)
    problem = solid_problem(mesh, plane_of(mesh), linear_displacement)
    reference = solve(problem)
    assert true_error(problem, reference) < 1e-11
    assert reference.error["displacement"] < 1e-10


@pytest.mark.parametrize("kind", KINDS)
def test_order_of_nonlinear_heat(kind: str, tmp_path: Path) -> None:
    def law(t: Jet, x: Coordinates) -> Jet:
        return 2.0 + 0.3 * t * t + x[0]

    first, wavy = (2, True) if DIMS[kind] == 2 else (1, False)
    errors = []
    for num in (first, 2 * first):
        problem = heat_problem(box(tmp_path, kind, num, wavy=wavy), law, smooth_temperature)
        reference = solve(problem)
        errors.append(true_error(problem, reference))
        assert errors[-1] < reference.error["temperature"] < 60.0 * errors[-1]
    assert math.log2(errors[0] / errors[1]) > 2.7


@pytest.mark.parametrize("kind", KINDS)
def test_order_of_elasticity(kind: str, tmp_path: Path) -> None:
    first, plane, wavy = (2, "strain", True) if DIMS[kind] == 2 else (1, None, False)
    errors = []
    for num in (first, 2 * first):
        problem = solid_problem(box(tmp_path, kind, num, wavy=wavy), plane, smooth_displacement)
        reference = solve(problem)
        errors.append(true_error(problem, reference))
        assert errors[-1] < reference.error["displacement"] < 60.0 * errors[-1]
    assert math.log2(errors[0] / errors[1]) > 2.7


# Closed forms and published values


def test_nafems_le1() -> None:
    """Displacements of a converged solution of the elliptic membrane (NAFEMS TNSB rev. 3, LE1)."""
    conditions = [
        Symmetry("AB"),
        Traction("BC", pressure=-10e6),
        Symmetry("CD"),
        Traction("DA"),
    ]
    mesh = Mesh.from_file(LE1_MESH)
    problem = Problem("le1", mesh, Elasticity(E, NU, plane="stress"), conditions)
    reference = solve(problem, accuracy=1e-3)
    displacement = reference.evaluate(np.array([[2.0, 0.0], [0.0, 1.0]]))
    assert displacement[0, 0] == pytest.approx(-1.022085031e-4, rel=1e-5)
    assert displacement[1, 1] == pytest.approx(5.496963306e-4, rel=1e-5)
    assert displacement[[0, 1], [1, 0]] == pytest.approx(0.0, abs=1e-15)
    assert reference.error["displacement"] < 1e-4
    assert "1136 quadratic triangles and 4544 quadratic triangles" in reference.method


def test_nafems_t4(tmp_path: Path) -> None:
    """Two-dimensional heat transfer with convection; the temperature jumps at a corner."""
    nodes, cells = unit_cells("quad", 8)
    scaled = nodes * np.array([0.6, 1.0])
    mesh = read(tmp_path, scaled, {"quad": cells}, sides(scaled))
    conditions = [
        Dirichlet("bottom", temperature=100.0),
        Insulated("left"),
        Convection("right", 750.0, 0.0),
        Convection("top", 750.0, 0.0),
    ]
    reference = solve(Problem("t4", mesh, Heat(52.0), conditions), accuracy=0.01)
    value = float(reference.evaluate(np.array([[0.6, 0.2]]))[0, 0])
    assert value == pytest.approx(18.2537565, abs=0.02)


@pytest.mark.parametrize("turn", [0.0, 0.5, math.pi / 2])
@pytest.mark.parametrize("kind", ["triangle6", "quad9"])
def test_thick_cylinder(kind: str, turn: float, tmp_path: Path) -> None:
    """Lame's solution under inner pressure p; mirror planes at any angle."""
    pressure = 1e8
    conditions = [
        Symmetry("bottom"),
        Symmetry("left"),
        Traction("inner", pressure=pressure),
        Traction("outer"),
    ]
    mesh = ring(tmp_path, kind, 4, turn=turn)
    reference = solve(Problem("lame", mesh, Elasticity(E, NU, plane="strain"), conditions))
    points = mesh.sample_interior(300, seed=0)
    r = np.hypot(*points.T)[:, None]
    radial = (1 + NU) / E * pressure / 3.0 * ((1 - 2 * NU) * r + 4.0 / r)
    found = reference.evaluate(points)
    assert np.linalg.norm(found - radial * points / r) < 2e-4 * np.linalg.norm(radial)


def test_curved_cells_stay_curved_when_refined(tmp_path: Path) -> None:
    """Constant temperatures on two circles: chords limit straight cells and not curved ones."""
    errors = {}
    for kind in ("triangle", "triangle6"):
        mesh = ring(tmp_path, kind, 4)
        conditions = [
            Dirichlet("inner", temperature=0.0),
            Dirichlet("outer", temperature=math.log(2.0)),
            Insulated("bottom"),
            Insulated("left"),
        ]
        reference = solve(Problem("ring", mesh, Heat(1.0), conditions), accuracy=1e-3)
        points = mesh.sample_interior(500, seed=0)
        errors[kind] = np.abs(reference.evaluate(points)[:, 0] - np.log(np.hypot(*points.T))).max()
    assert errors["triangle6"] < 5e-4 < 0.05 * errors["triangle"]


def test_kirchhoff_transformation(tmp_path: Path) -> None:
    """With k = 1 + T/100 in a slab, T + T^2/200 is linear; a quadratic law from a bad start."""
    conditions = [
        Dirichlet("left", temperature=500.0),
        Dirichlet("right", temperature=0.0),
        Insulated("bottom"),
        Insulated("top"),
    ]
    physics = Heat(lambda t, x: 1.0 + t / 100.0)
    problem = Problem("slab", box(tmp_path, "triangle", 6), physics, conditions)
    reference = solve(problem, accuracy=1e-3)
    points = problem.domain.sample_interior(200, seed=0)
    transformed = (500.0 + 500.0**2 / 200.0) * (1.0 - points[:, 0])
    exact = -100.0 + np.sqrt(100.0**2 + 200.0 * transformed)
    assert np.linalg.norm(reference.evaluate(points)[:, 0] - exact) < 2e-4 * np.linalg.norm(exact)


def test_heat_carried_by_a_velocity(tmp_path: Path) -> None:
    """T = exp(4 x) where rho c u = 4 k, leaving through a side of given flux and one of convection."""
    physics = Heat(0.5, density=1.0, specific_heat=2.0, velocity=[1.0, 0.0])
    steepest = 4.0 * math.exp(4.0)
    for at_the_end in (
        Neumann("right", temperature=-0.5 * steepest),
        Convection("right", 0.5, ambient=math.exp(4.0) + steepest),
    ):
        conditions = [
            Dirichlet("left", temperature=1.0),
            Insulated("bottom"),
            Insulated("top"),
            at_the_end,
        ]
        mesh = box(tmp_path, "triangle", 6, wavy=False)
        reference = solve(Problem("plug", mesh, physics, conditions), accuracy=1e-3)
        points = mesh.sample_interior(200, seed=0)
        exact = np.exp(4.0 * points[:, 0])
        found = reference.evaluate(points)[:, 0]
        assert np.linalg.norm(found - exact) < 1e-4 * np.linalg.norm(exact)


def test_level_set_by_convection_alone(tmp_path: Path) -> None:
    """Without given values the start comes from the balance: k = T^-1/2 is not defined at T < 0."""
    conditions = [
        Convection("left", 5.0, 300.0),
        *(Insulated(p) for p in ("right", "bottom", "top")),
    ]
    physics = Heat(lambda t, x: 20.0 * t**-0.5, source=50.0)
    problem = Problem("room", box(tmp_path, "quad", 3), physics, conditions)
    reference = solve(problem)
    # q = 50 (1 - x) enters x = 0 with the surface at 310; 40 (T^1/2 - 310^1/2) = 50 (x - x^2 / 2).
    points = problem.domain.sample_interior(50, seed=0)
    x = points[:, 0]
    exact = (math.sqrt(310.0) + 50.0 / 40.0 * (x - 0.5 * x**2)) ** 2
    assert reference.evaluate(points)[:, 0] == pytest.approx(exact, rel=1e-5)


def test_error_bar_is_honest_at_a_change_of_conditions(tmp_path: Path) -> None:
    """T = Re (x + iy)^(1/2): given on half of the bottom, no flux through the rest; order 1."""
    nodes, cells = unit_cells("triangle", 8)
    moved = nodes * np.array([2.0, 1.0]) - np.array([1.0, 0.0])

    def root(x: Coordinates) -> Jet:
        radius = (x.x * x.x + x.y * x.y) ** 0.5
        return (0.5 * (radius + x.x)) ** 0.5

    given = {"rest": lambda p: (p[:, 1] > 1e-9) | (p[:, 0] < 0.0)}
    names: Names = {"free": lambda p: (p[:, 1] < 1e-9) & (p[:, 0] > 0.0), **given}
    mesh = read(tmp_path, moved, {"triangle": cells}, names)

    def safe_root(x: Coordinates) -> Jet:
        return as_jet(root(x).value, x.frame)

    conditions = [Insulated("free"), Dirichlet("rest", temperature=safe_root)]
    reference = solve(Problem("root", mesh, Heat(1.0), conditions))
    points = mesh.sample_interior(3000, seed=0)
    exact = np.sqrt(0.5 * (np.hypot(*points.T) + points[:, 0]))
    error = np.linalg.norm(reference.evaluate(points)[:, 0] - exact) / np.linalg.norm(exact)
    assert error < reference.error["temperature"] < 5.0 * error


# Invariants


@pytest.mark.parametrize("size", [1e-6, 1e3])
def test_size_does_not_matter(size: float, tmp_path: Path) -> None:
    def at_size(scale: float) -> Array:
        mesh = box(tmp_path, "triangle6", 2, size=scale)
        conditions = [
            Fixed("left"),
            Traction("right", vector=[1e6, 2e6]),
            Traction("bottom"),
            Traction("top"),
        ]
        problem = Problem("box", mesh, Elasticity(E, NU, plane="stress"), conditions)
        points = scale * np.array([[0.9, 0.1], [0.5, 0.5], [1.0, 1.0]])
        return solve(problem).evaluate(points) / scale

    assert at_size(size) == pytest.approx(at_size(1.0), rel=1e-9)


def test_same_numbers_again(tmp_path: Path) -> None:
    mesh = box(tmp_path, "quad9", 3)
    problem = solid_problem(mesh, "stress", smooth_displacement)
    points = mesh.sample_interior(100, seed=0)
    assert np.array_equal(solve(problem).evaluate(points), solve(problem).evaluate(points))


@pytest.mark.parametrize("kind", KINDS)
def test_nodes_of_cells_are_found_and_agree(kind: str, tmp_path: Path) -> None:
    """A linear field is reproduced at nodes, corners and just outside."""
    problem = heat_problem(box(tmp_path, kind, 2), 2.0, linear_temperature)
    reference = solve(problem)
    mesh = problem.domain
    assert isinstance(mesh, Mesh)
    points = np.vstack((mesh.nodes, 0.5 + (mesh.nodes - 0.5) * 1.001))
    assert reference.evaluate(points) == pytest.approx(exact_values(problem, points), abs=1e-10)


def test_error_bar_follows_the_accuracy_asked_for(tmp_path: Path) -> None:
    problem = heat_problem(box(tmp_path, "triangle", 3), 2.0, smooth_temperature)
    bars = [solve(problem, accuracy=a).error["temperature"] for a in (0.5, 1e-4, 1e-5)]
    assert bars[0] > bars[1] > bars[2]
    assert bars[1] <= 1e-5
    assert bars[2] <= 1e-6


def test_without_time_the_bar_is_that_of_linear_elements(tmp_path: Path) -> None:
    problem = heat_problem(box(tmp_path, "triangle", 12), 2.0, smooth_temperature)
    history = solved_on(problem, given_mesh(problem), accuracy=0.5, deadline=math.inf)
    assert [(s.space.degree, s.space.level.num_cells) for s in history] == [
        (1, 288),
        (2, 288),
        (2, 1152),
    ]
    reference = reference_of(problem, history[:2], seconds=0.0)
    error = true_error(problem, reference)
    assert "no time to refine" in reference.note
    assert 10.0 * error < reference.error["temperature"] < 0.02


def test_too_little_time_is_refused(tmp_path: Path) -> None:
    problem = heat_problem(box(tmp_path, "triangle", 12), 2.0, smooth_temperature)
    found = finite_element_reference(problem, accuracy=1e-3, max_seconds=1e-9)
    assert isinstance(found, NoReference)
    assert "144 unknowns" in found.reason
    assert "too short for quadratic" in found.reason


def test_values_that_disagree_at_a_corner_are_noted(tmp_path: Path) -> None:
    mesh = box(tmp_path, "quad", 4)
    conditions = [
        Dirichlet("top", temperature=1.0),
        *(Dirichlet(part, temperature=0.0) for part in ("left", "right", "bottom")),
    ]
    reference = solve(Problem("lid", mesh, Heat(1.0), conditions))
    assert "disagree at 2 nodes" in reference.note
    assert reference.evaluate(np.array([[0.5, 0.5]]))[0, 0] == pytest.approx(0.25, abs=1e-3)


@pytest.mark.parametrize("kind", ["tetra", "hexahedron"])
def test_multigrid_and_factors_agree(kind: str, tmp_path: Path) -> None:
    problem = solid_problem(box(tmp_path, kind, 3), None, smooth_displacement)
    fine = solved_on(problem, given_mesh(problem), accuracy=0.5, deadline=math.inf)[-1]
    system, values = fine.system, np.zeros_like(fine.values)
    free = system.constraints.free
    matrix = free.T @ system.tangent(values) @ free
    load = np.cos(np.arange(matrix.shape[0]))
    exact = factorised(matrix)(load)
    found = multigrid(matrix, system.prolongations())(load)
    assert np.linalg.norm(found - exact) < 1e-4 * np.linalg.norm(exact)
    assert np.linalg.norm(matrix @ found - load) < 2e-6 * np.linalg.norm(load)


def test_singular_matrices_are_refused() -> None:
    with pytest.raises(UnsuitedError, match="matrix is singular"):
        factorised(eye_array(4).tocsr() * np.array([1.0, 1.0, 0.0, 1.0]))


# Refusals


SENSOR = np.array([[0.5, 0.5]])
WARM = {"measurements": Measurements(SENSOR, {"temperature": np.array([1.0])}, 0.1)}
MOVED = {"measurements": Measurements(SENSOR, {"displacement_x": np.array([1.0])}, 0.1)}
"""Without data, a problem whose level is open is refused before any reference sees it."""

HEAT = [Dirichlet("left", temperature=0.0), *(Insulated(p) for p in ("right", "bottom", "top"))]
FREE = [Traction(p) for p in ("left", "right", "bottom", "top")]
SOLID = Elasticity(E, NU, plane="stress")


@pytest.mark.parametrize(
    ("physics", "conditions", "extra", "reason"),
    [
        (
            Heat(1.0, 1.0, 1.0),
            [*HEAT, Initial(temperature=0.0)],
            {"time": TimeInterval(0.0, 1.0)},
            "steady",
        ),
        (NavierStokes(1.0, 1.0), [NoSlip(c.part) for c in HEAT], {}, "NavierStokes"),
        (Heat(1.0), [Periodic("left", "right"), *HEAT[2:]], WARM, "periodic parts"),
        (Heat(1.0), [Insulated(c.part) for c in HEAT], WARM, "free; give a value"),
        (SOLID, FREE, MOVED, "rigid motion of displacement"),
        (SOLID, [Symmetry("left"), *FREE[1:]], MOVED, "rigid motion of displacement"),
        (
            Heat(Unknown("k", 1.0)),
            HEAT,
            {
                "measurements": Measurements(
                    np.array([[0.5, 0.5]]), {"temperature": np.array([1.0])}, 0.1
                )
            },
            "k is unknown",
        ),
        (
            Heat(1.0),
            HEAT[:3],
            {
                "measurements": Measurements(
                    np.array([[0.5, 0.5]]), {"temperature": np.array([1.0])}, 0.1
                )
            },
            "no condition gives temperature on 'top'",
        ),
    ],
)
def test_unsuited_problems_are_refused(
    physics: Heat,
    conditions: list[Condition],
    extra: dict[str, object],
    reason: str,
    tmp_path: Path,
) -> None:
    problem = Problem("no", box(tmp_path, "triangle", 2), physics, conditions, **extra)
    found = finite_element_reference(problem, accuracy=1e-3, max_seconds=10.0)
    assert isinstance(found, NoReference)
    assert reason in found.reason


def test_laws_without_a_value_are_refused(tmp_path: Path) -> None:
    """The conductivity is defined above 0.4 and the temperature is 0."""
    physics = Heat(lambda t, x: (t - 0.4) ** 0.5)
    problem = Problem("no", box(tmp_path, "triangle", 4), physics, HEAT)
    found = finite_element_reference(problem, accuracy=1e-3, max_seconds=10.0)
    assert isinstance(found, NoReference)
    assert "finite in the whole domain" in found.reason


def test_shapes_are_refused() -> None:
    problem = Problem("no", Rectangle((0.0, 0.0), (1.0, 1.0)), Heat(1.0), HEAT)
    found = finite_element_reference(problem, accuracy=1e-3, max_seconds=10.0)
    assert isinstance(found, NoReference)
    assert "need a Mesh" in found.reason
    assert "Rectangle" in found.reason


@pytest.mark.parametrize("kind", ["triangle", "triangle6"])
def test_curved_mirror_is_refused(kind: str, tmp_path: Path) -> None:
    conditions = [Symmetry("inner"), Fixed("outer"), Traction("bottom"), Traction("left")]
    problem = Problem("no", ring(tmp_path, kind, 4), SOLID, conditions)
    found = finite_element_reference(problem, accuracy=1e-3, max_seconds=10.0)
    assert isinstance(found, NoReference)
    assert "inner: Symmetry" in found.reason
    assert "curved part" in found.reason


def test_mixed_cells_are_refused(tmp_path: Path) -> None:
    nodes = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [2.0, 0.5]])
    cells = {"quad": np.array([[0, 1, 2, 3]]), "triangle": np.array([[1, 4, 2]])}
    mesh = read(tmp_path, nodes, cells, {"wall": lambda p: np.ones(len(p), dtype=bool)})
    problem = Problem("no", mesh, Heat(1.0), [Dirichlet("wall", temperature=0.0)])
    found = finite_element_reference(problem, accuracy=1e-3, max_seconds=10.0)
    assert isinstance(found, NoReference)
    assert "mixes" in found.reason


def test_closed_surfaces_are_refused(tmp_path: Path) -> None:
    nodes = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    cells = {"triangle": np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])}
    mesh = read(tmp_path, nodes, cells, {"wall": lambda p: np.ones(len(p), dtype=bool)})
    problem = Problem("no", mesh, Heat(1.0), [Dirichlet("wall", temperature=0.0)])
    found = finite_element_reference(problem, accuracy=1e-3, max_seconds=10.0)
    assert isinstance(found, NoReference)
    assert "triangle cells in 3-D" in found.reason


def test_points_outside_are_refused(tmp_path: Path) -> None:
    mesh = box(tmp_path, "triangle", 2)
    reference = solve(Problem("box", mesh, Heat(1.0), HEAT))
    with pytest.raises(ValueError, match=r"1 of 2 points lie outside the mesh, first \[3.0, 0.5\]"):
        reference.evaluate(np.array([[0.5, 0.5], [3.0, 0.5]]))
    with pytest.raises(ValueError, match=r"shape \(N, 2\), got \(2,\)"):
        reference.evaluate(np.array([0.5, 0.5]))
