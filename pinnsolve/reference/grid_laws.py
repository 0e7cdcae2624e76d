"""Which equation holds at which node: conditions on the sides, the field equations elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.blocks import scalar_equations
from pinnsolve.conditions import Condition, Initial, Interface, Periodic, tangent_vectors
from pinnsolve.geometry import Shape
from pinnsolve.jets import Coordinates, Fields, Frame, Jet, as_jet
from pinnsolve.multi_index import VALUE, MultiIndex
from pinnsolve.problem import Problem
from pinnsolve.reference.grid_balances import cell_laws
from pinnsolve.reference.grid_law import Kind, Law, Row
from pinnsolve.reference.grids import Grid
from pinnsolve.reference.stencils import Array
from pinnsolve.trial import trial_fields

_HELD_BY_THE_GRID = (Initial, Interface, Periodic)
"""Conditions without rows of their own: values at the start, balances across jumps, operators that wrap around."""


@dataclass(frozen=True)
class _Side:
    """A side of the box."""

    axis: int
    upper: int

    @property
    def sign(self) -> float:
        return 2.0 * self.upper - 1.0

    def normal(self, number: int, frame: Frame) -> Jet:
        columns = torch.zeros(frame.space_dim, number, dtype=torch.float64, device="cpu")
        columns[self.axis] = self.sign
        return as_jet(list(columns), frame)


def node_laws(problem: Problem, grid: Grid) -> tuple[Law, ...]:
    """Return the laws that together give every unknown of the grid its row.

    Where several conditions meet, those on values alone win over those on fluxes; several of one
    kind are all kept, and their normalised rows are added.

    Args:
        problem: The declaration, without unknowns, on a box.
        grid: The node sets.

    Raises:
        ValueError: If a side lacks a condition or a condition has no node to hold at.
    """
    on_values, on_fluxes = _condition_laws(problem, grid)
    for component, nodes in enumerate(grid.nodes):
        settled = np.zeros(nodes.size, dtype=bool)
        for law in on_values:
            if law.component == component:
                settled[law.numbers] = True
        on_fluxes = [
            law.kept(~settled[law.numbers]) if law.component == component else law
            for law in on_fluxes
        ]
    conditions = [law for law in (*on_values, *on_fluxes) if len(law.numbers)]
    return (*conditions, *_equation_laws(problem, grid, conditions))


def _condition_laws(problem: Problem, grid: Grid) -> tuple[list[Law], list[Law]]:
    """Return the laws of the boundary conditions: those on values alone, and the others."""
    on_values: list[Law] = []
    on_fluxes: list[Law] = []
    for condition in problem.conditions:
        if isinstance(condition, _HELD_BY_THE_GRID):
            continue
        for side in (_Side(axis, upper) for axis in range(grid.dim) for upper in (0, 1)):
            for name in _row_names(problem, condition, side):
                component = grid.names.index(_paired_component(name, side, grid))
                law = _condition_law(problem, grid, condition, side, name, component)
                if law is not None:
                    (on_values if law.kind == "value" else on_fluxes).append(law)
    return on_values, on_fluxes


def _condition_law(
    problem: Problem, grid: Grid, condition: Condition, side: _Side, name: str, component: int
) -> Law | None:
    """Return one scalar row of a condition at the nodes of a component on one side, if any."""
    if not _touches(problem.domain, condition.part, side):
        return None
    found = grid.side(component, side.axis, side.upper)
    if found is None:
        raise ValueError(
            f"{condition.label} gives {name}, which has no nodes on the boundary of a staggered "
            "grid; leave it out or set the level through an Outlet"
        )
    target, numbers = found
    on_part = _on_part(problem.domain, condition.part, side, target.points)
    if not on_part.any():
        return None

    def row(f: Fields, x: Coordinates) -> Jet:
        normal = side.normal(len(x.points), x.frame)
        return condition.residual(f, x, normal, problem.physics)[name]

    chosen = np.flatnonzero(on_part)
    kind = _kind(problem, row, target.points[chosen[:3]])
    return Law(condition.label, component, target, chosen, numbers[chosen], row, kind)


def _equation_laws(problem: Problem, grid: Grid, conditions: list[Law]) -> list[Law]:
    """Return the k-th field equation at the nodes of the k-th component that no condition took."""
    needed = problem.physics.needs_boundary_condition(grid.dim)
    laws = []
    for component, nodes in enumerate(grid.nodes):
        free = np.ones(nodes.size, dtype=bool)
        for law in conditions:
            if law.component == component:
                free[law.numbers] = False
        name = grid.names[component]
        for axis, upper in ((axis, upper) for axis in range(grid.dim) for upper in (0, 1)):
            found = grid.side(component, axis, upper)
            if found is not None and name in needed and free[found[1]].any():
                where = nodes.points[found[1]][free[found[1]]][0].tolist()
                raise ValueError(f"no condition determines {name} at {where} on the boundary")
        if grid.cellwise:
            laws += cell_laws(problem, grid, component)
            continue
        chosen = np.flatnonzero(free)
        row = _field_equation(problem, component)
        laws.append(Law(f"equation of {name}", component, nodes, chosen, chosen, row, "equation"))
    return laws


def _field_equation(problem: Problem, position: int) -> Row:
    def row(f: Fields, x: Coordinates) -> Jet:
        return list(scalar_equations(problem.physics.residual(f, x)).values())[position]

    return row


def _row_names(problem: Problem, condition: Condition, side: _Side) -> tuple[str, ...]:
    """Dry-run a condition and return the names of its scalar rows."""
    x = Coordinates(_with_time(problem, np.asarray(problem.domain.bounds[:1])), problem.frame)
    fields = trial_fields(problem.field_shapes, x, 1.0)
    normal = side.normal(1, problem.frame)
    return tuple(condition.residual(fields, x, normal, problem.physics))


def _paired_component(name: str, side: _Side, grid: Grid) -> str:
    """Return the component a row determines: ``displacement_n`` is that of the side's axis."""
    if name in grid.names:
        return name
    owner, _, direction = name.rpartition("_")
    tangents = tangent_vectors(side.normal(1, Frame(grid.dim)))
    axes = {"n": side.axis}
    for i, tangent in enumerate(tangents):
        label = f"t{i + 1}" if len(tangents) > 1 else "t"
        axes[label] = int(tangent.value[0].abs().argmax())
    component = f"{owner}_{'xyz'[axes.get(direction, 0)]}"
    if direction not in axes or component not in grid.names:
        raise ValueError(
            f"a condition's row {name!r} names no component; name it after one of "
            f"{', '.join(grid.names)}, or end it in _n or _t for the normal or tangential one"
        )
    return component


def _kind(problem: Problem, row: Row, points: Array) -> Kind:
    """Try a condition's row and return whether it is made of values alone."""
    asked: set[tuple[str, MultiIndex]] = set()
    x = Coordinates(_with_time(problem, points), problem.frame)
    _ = row(trial_fields(problem.field_shapes, x, 1.0, watch=asked), x).value
    return "value" if all(index == VALUE for _, index in asked) else "flux"


def _with_time(problem: Problem, points: Array) -> Tensor:
    located = torch.tensor(points, dtype=torch.float64, device="cpu")
    if problem.time is None:
        return located
    return torch.cat((located, torch.full_like(located[:, :1], problem.time.end)), dim=1)


def _touches(domain: Shape, part: str, side: _Side) -> bool:
    """Whether a boundary part has a piece on a side of the box."""
    sample = domain.part_quadrature(part, 8)[0]
    return bool(np.any(np.abs(sample.normals[:, side.axis] - side.sign) < 1e-6))


def _on_part(domain: Shape, part: str, side: _Side, points: Array) -> npt.NDArray[np.bool_]:
    """Tell which points of a side lie on the pieces of a part that belong to this side."""
    reach = 1e-9 * domain.size + domain.rounding
    on = np.zeros(len(points), dtype=bool)
    for piece in domain.pieces_of(part):
        distance, normals = piece.nearest(points)
        on |= (distance <= reach) & (np.abs(normals[:, side.axis] - side.sign) < 1e-6)
    return on
