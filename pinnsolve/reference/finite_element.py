"""Finite element reference for steady heat conduction and elasticity on meshes.

Quadratic Lagrange elements of scikit-fem on the mesh and on uniform refinements of it; the weak
form is read off the declaration (:mod:`pinnsolve.reference.fem_forms`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pinnsolve.conditions import Interface, Periodic
from pinnsolve.geometry import Mesh
from pinnsolve.geometry.cell_blocks import CellBlock
from pinnsolve.geometry.facets import FacetPiece
from pinnsolve.geometry.reference_cells import reference_cells
from pinnsolve.physics import Elasticity, Heat
from pinnsolve.problem import Problem
from pinnsolve.reference.fem_forms import ConditionRows, UnsuitedError, sorted_rows
from pinnsolve.reference.fem_levels import Array, Level, cell_kind, first_level
from pinnsolve.reference.fem_space import Space
from pinnsolve.reference.fem_system import System
from pinnsolve.reference.reference import NoReference, Reference

_SAFETY = 1.5
"""Error bar over the difference of two meshes.

At order 1, the lowest there is (a crack tip, a given value next to a given flux on a flat side),
the error equals the difference; smooth solutions have a seventh of it.
"""

_SHARE = 0.1
"""Share of the accuracy that is asked for which the error bar should not exceed, if time allows."""

_GROWTH = 1.25
"""Exponent of the cost in the number of unknowns: assembly and multigrid 1, factors in 2-D 1.5."""

_SMALL = 2000
"""Number of unknowns below which the time does not depend on it."""

_MAX_UNKNOWNS = 600_000
"""Largest system: larger ones do not fit into a small memory."""


@dataclass(frozen=True, eq=False)
class Solved:
    """A finite element solution.

    Attributes:
        system: What was solved.
        values: Nodal values, (num_nodes, C).
        seconds: How long it took.
    """

    system: System
    values: Array
    seconds: float

    @property
    def space(self) -> Space:
        """Return the space of each component."""
        return self.system.space

    @property
    def num_unknowns(self) -> int:
        """Return the size of the system."""
        return self.system.num_unknowns


@dataclass(frozen=True, eq=False, repr=False)
class MeshValues:
    """A finite element field: maps points (N, D) to all components (N, C).

    Attributes:
        space: The space of each component; the tables that a system keeps are left behind.
        values: Nodal values, (num_nodes, C).
        number: Which of :func:`spaces` of the given mesh this one is.
    """

    space: Space
    values: Array
    number: int

    def __call__(self, points: Array) -> Array:
        """Return the values at points."""
        located, dim = np.asarray(points, dtype=np.float64), self.space.level.dim
        if located.ndim != 2 or located.shape[1] != dim:
            raise ValueError(f"points must be of shape (N, {dim}), got {located.shape}")
        return self.space.evaluate(self.values, *self.space.located(located))


def finite_element_reference(
    problem: Problem, *, accuracy: float, max_seconds: float
) -> Reference | NoReference:
    """Solve steady heat conduction or elasticity on a mesh with quadratic elements.

    The mesh and its uniform refinement are solved, further refinements as long as the error bar is
    above a tenth of ``accuracy`` and the time allows. Curved cells stay curved. The error bar is
    1.5 times the relative L2 difference of the two finest solutions; where there is no time to
    refine, the coarser of the two has linear elements on the same mesh, which makes the bar much
    too large rather than too small.

    Args:
        problem: Its domain is a Mesh of one kind of cells: triangles, quadrilaterals, tetrahedra or
            hexahedra; its physics Heat (steady) or Elasticity.
        accuracy: Relative accuracy asked for.
        max_seconds: Time there is.

    Returns:
        The reference, or why there is none.
    """
    begin = time.perf_counter()
    try:
        history = solved_on(
            problem, given_mesh(problem), accuracy=accuracy, deadline=begin + max_seconds
        )
    except UnsuitedError as error:
        return NoReference(f"{error}.")
    if len(history) < 2:
        return NoReference(
            f"{history[0].num_unknowns} unknowns with linear elements took "
            f"{history[0].seconds:.1g} s: {max_seconds:g} s are too short for quadratic ones."
        )
    return reference_of(problem, history, seconds=time.perf_counter() - begin)


def reference_of(problem: Problem, history: Sequence[Solved], *, seconds: float) -> Reference:
    """Return the last of two or more solutions, with the error bar that the last two give."""
    coarse, fine = history[-2:]
    return Reference(
        method=f"finite elements, {_words(coarse)} and {_words(fine)}",
        evaluate=MeshValues(fine.space, fine.values, len(history) - 1),
        error=_error_bars(problem, coarse, fine),
        num_unknowns=fine.num_unknowns,
        seconds=seconds,
        note=_note(coarse, fine),
    )


def given_mesh(problem: Problem) -> Level:
    """Return the mesh of a problem as it was given.

    Raises:
        UnsuitedError: If this method does not cover the problem.
    """
    _refuse_unsuited(problem)
    mesh = problem.domain
    if not isinstance(mesh, Mesh):
        raise UnsuitedError(
            f"finite elements need a Mesh, and the domain is a {type(mesh).__name__}"
        )
    if len(mesh.cells) > 1:
        raise UnsuitedError(
            f"the mesh mixes {' and '.join(mesh.cells)}; one kind of cells is needed"
        )
    ((name, nodes),) = mesh.cells.items()
    kind, reference = cell_kind(name), reference_cells()[name]
    if kind is None or reference.dim != mesh.dim:
        raise UnsuitedError(f"there are no finite elements here for {name} cells in {mesh.dim}-D")
    centers = {
        part: np.concatenate(
            [p.block.centers for p in mesh.pieces_of(part) if isinstance(p, FacetPiece)]
        )
        for part in mesh.parts
    }
    block = CellBlock(reference, mesh.nodes[nodes])
    return first_level(kind, block, nodes[:, : reference.num_corners], centers)


def _refuse_unsuited(problem: Problem) -> None:
    if problem.time is not None:
        raise UnsuitedError("finite elements here are for steady problems")
    if not isinstance(problem.physics, Heat | Elasticity):
        raise UnsuitedError(f"finite elements here do not cover {type(problem.physics).__name__}")
    if problem.unknowns:
        raise UnsuitedError(f"{problem.unknowns[0].name} is unknown; bind a value to it first")
    if problem.ranges:
        raise UnsuitedError(f"{problem.ranges[0]} is a range; take one value: problem.given(...)")
    for condition in problem.conditions:
        if isinstance(condition, Periodic):
            raise UnsuitedError(f"{condition.label}: periodic parts are not covered")
        if isinstance(condition, Interface):
            raise UnsuitedError(f"{condition.label}: interfaces are not covered")
    settled = {
        (condition.part, component)
        for condition in problem.conditions
        for component in condition.determines(problem.physics, problem.frame)
    }
    for part in problem.domain.parts:
        for component in problem.component_names:
            if (part, component) not in settled:
                raise UnsuitedError(f"no condition gives {component} on {part!r}")


def solved_on(problem: Problem, level: Level, *, accuracy: float, deadline: float) -> list[Solved]:
    """Solve with linear elements, then with quadratic ones on finer and finer meshes.

    Args:
        problem: The declaration.
        level: Its mesh.
        accuracy: Relative accuracy asked for; the last error bar is below a tenth of it if there is
            time.
        deadline: When to end, by ``time.perf_counter``; estimated before each solution but the
            first.

    Raises:
        UnsuitedError: If a condition does not fit, or a system has no solution.
    """
    history: list[Solved] = []
    rows: tuple[ConditionRows, ...] = ()
    for space in spaces(level):
        if not history:
            rows = tuple(sorted_rows(problem, condition, space) for condition in problem.conditions)
        elif not _is_affordable(history[-1], space, deadline - time.perf_counter()):
            break
        try:
            history.append(_solve(problem, space, rows, history[-1] if history else None))
        except UnsuitedError:
            if len(history) < 3:
                raise
            break  # a refinement that fails does not take away what is there
        if len(history) > 2:
            worst = max(_error_bars(problem, *history[-2:]).values())
            if worst <= _SHARE * accuracy:
                break
    return history


def spaces(level: Level) -> Iterator[Space]:
    """Yield linear elements, then quadratic ones on the mesh and its refinements."""
    yield Space.of(level, 1)
    while True:
        yield Space.of(level, 2)
        level = level.refined()


def _is_affordable(last: Solved, space: Space, seconds_left: float) -> bool:
    size = space.num_nodes * last.values.shape[1]
    growth = (max(size, _SMALL) / max(last.values.size, _SMALL)) ** _GROWTH
    return bool(size <= _MAX_UNKNOWNS and last.seconds * growth <= seconds_left)


def _solve(
    problem: Problem, space: Space, rows: tuple[ConditionRows, ...], coarse: Solved | None
) -> Solved:
    begin = time.perf_counter()
    system = System.of(problem, space, rows, None if coarse is None else coarse.system)
    if coarse is None:
        values = system.solved(system.constant_start())
    else:
        values = system.solved(space.prolongation(coarse.space) @ coarse.values)
    return Solved(system, values, time.perf_counter() - begin)


def _error_bars(problem: Problem, coarse: Solved, fine: Solved) -> dict[str, float]:
    difference = fine.values - fine.space.prolongation(coarse.space) @ coarse.values
    sizes, gaps = np.split(fine.space.norms(np.hstack((fine.values, difference))), 2)
    bars: dict[str, float] = {}
    start = 0
    for name, shape in problem.field_shapes.items():
        span = slice(start, start + int(np.prod(shape, dtype=np.intp)))
        size, gap = (float(np.linalg.norm(norms[span])) for norms in (sizes, gaps))
        bars[name] = 0.0 if gap == 0.0 else _SAFETY * gap / size
        start = span.stop
    return bars


def _words(solved: Solved) -> str:
    level = solved.space.level
    degree = ("linear", "quadratic")[solved.space.degree - 1]
    plural = {"triangle": "triangles", "quad": "quadrilaterals", "tetra": "tetrahedra"}
    return f"{level.num_cells} {degree} {plural.get(level.kind.name, 'hexahedra')}"


def _note(coarse: Solved, fine: Solved) -> str:
    notes = []
    if coarse.space.degree < fine.space.degree:
        notes.append("no time to refine the mesh: the error bar is that of linear elements")
    num_conflicts = fine.system.constraints.num_conflicts
    if num_conflicts:
        notes.append(
            f"given values disagree at {num_conflicts} nodes where parts meet; their mean is taken "
            "there, and the solution jumps"
        )
    return "; ".join(notes)
