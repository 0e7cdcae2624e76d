"""Does what drives a solid or a flow go on smoothly beyond a plane of symmetry?

Where a side of the region meets a plane of symmetry at right angles, the mirrored region has no corner. The mirrored
forces, temperatures and given values may have a kink or a jump there all the same, a temperature that rises along the
normal of the plane say, and the answer of a side without a corner to these is ``r^k log(r)``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from pinnsolve.architecture.corners import Corner
from pinnsolve.architecture.given import components_given_by
from pinnsolve.blocks import Block, condition_block, interior_block
from pinnsolve.collocation import tensor
from pinnsolve.conditions import Symmetry
from pinnsolve.jets import Fields
from pinnsolve.jets.scalar import Leaf, Scalar
from pinnsolve.problem import Array, Problem


def unevenness(
    problem: Problem, field: str, corner: Corner, *, around_axis: bool = False
) -> int | None:
    """Return the least k of the singular terms ``r^k log(r)`` of a vector field at a mirrored right angle, or None.

    With all fields zero, what is left of equations and conditions is what drives them. Mirrored, a component along the
    normal of the plane changes its sign, so it jumps unless it is zero in the corner: the force inside gives k = 2, a
    traction k = 1. The other component of a traction has a kink unless its slope is zero, and k = 2; all is one less
    for given values. Round an axis the equations themselves change if they are mirrored along r.

    Args:
        problem: The declaration, a steady one in the plane.
        field: Name of the vector field.
        corner: Where the side and the plane meet.
        around_axis: Whether the first coordinate is the distance from an axis.
    """
    after = _is_mirror(problem, corner.after)
    mirror = corner.after_curve if after else corner.before_curve
    side = corner.before_curve if after else corner.after_curve
    normal = mirror.normals(np.array([0.0 if after else 1.0]))[0]
    if around_axis and abs(normal[0]) > _LEAST_SHARE:
        return 2
    across, along = tensor(normal), tensor(np.array([-normal[1], normal[0]]))
    held = any(components_given_by(problem, c) for c in problem.conditions if c.part == side.part)
    length = float(np.hypot(*side.velocity(np.array([1.0 if after else 0.0]))[0]))
    step = min(_NEAR * problem.domain.size / length, 0.25)
    t = step * np.arange(3.0)
    t = 1.0 - t if after else t
    here = _on_side(problem, field, side.part, side.at(t), side.normals(t))
    size = _size_on_side(problem, field, side.part)
    slope = float((here @ along) @ here.new_tensor([-1.5, 2.0, -0.5])) / (step * length)
    jumps = abs(float(here[0] @ across)) > _LEAST_SHARE * size
    kinks = abs(slope) * problem.domain.size > _LEAST_SHARE * size
    if jumps:
        return None if held else 1
    if kinks:
        return 1 if held else 2
    return 2 if _force_jumps(problem, corner, across) else None


def _force_jumps(problem: Problem, corner: Corner, across: Tensor) -> bool:
    """Whether the force in the corner has a component along the normal of the plane."""
    inside = interior_block(problem, _NUM_POINTS, 0)
    there = replace(inside.taken(slice(0, 1)), point_sets=(tensor(corner.place[None]),))
    force, size = _forces(problem, there)[0], float(_forces(problem, inside).abs().max())
    return abs(float(force @ across)) > _LEAST_SHARE * size


def _is_mirror(problem: Problem, part: str) -> bool:
    return any(isinstance(c, Symmetry) for c in problem.conditions if c.part == part)


def _on_side(problem: Problem, field: str, part: str, points: Array, normals: Array) -> Tensor:
    """Return what is left of the conditions of a part, with all fields zero, as vectors (N, 2)."""
    at, outwards = tensor(points), tensor(normals)
    left = torch.zeros_like(at)
    for condition in problem.conditions:
        if condition.part == part:
            rows = _rows_at_rest(problem, condition_block(problem, condition, at, outwards))
            zero = left.new_zeros(len(at))
            left += torch.stack([rows.get(f"{field}_{axis}", zero) for axis in "xy"], dim=1)
    return left


def _size_on_side(problem: Problem, field: str, part: str) -> float:
    """Return the largest of these vectors."""
    sample = problem.domain.sample_part(part, _NUM_POINTS, seed=0)
    return float(_on_side(problem, field, part, sample.points, sample.normals).abs().max())


def _forces(problem: Problem, inside: Block) -> Tensor:
    """Return the forces inside, the first two equations with all fields zero, shape (N, 2)."""
    rows = list(_rows_at_rest(problem, inside).values())
    return torch.stack(rows[:2], dim=1)


def _rows_at_rest(problem: Problem, block: Block) -> dict[str, Tensor]:
    """Return the equations of a block with all fields zero, shape (N,) each."""
    (x,) = block.coordinates(problem.frame)
    zero = block.normals.new_zeros(block.num_points)
    leaves: list[Scalar] = [Leaf(lambda index: zero) for _ in problem.component_names]
    fields = Fields.from_components(problem.field_shapes, leaves, problem.frame)
    rows = block.rows((fields,), (x,), {})
    return {name: zero + row.value for name, row in rows.items()}


_NUM_POINTS = 64
"""Points at which the size of what drives is looked at."""

_NEAR = 1e-4
"""Distance from the corner, as a share of the region's size, over which slopes are taken."""

_LEAST_SHARE = 1e-4
"""Share of the largest value below which a jump, or a slope times the region's size, is none."""
