"""Which conditions are plain given values: field minus given, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from pinnsolve.blocks import Block, boundary_block, initial_block
from pinnsolve.conditions import Condition, Initial, Interface, Periodic
from pinnsolve.multi_index import VALUE, MultiIndex
from pinnsolve.networks.extensions import GivenValue
from pinnsolve.problem import Problem
from pinnsolve.scaling import Scaling
from pinnsolve.trial import trial_fields
from pinnsolve.unknowns import bind, find_unknowns

_NUM_POINTS = 16


def given_values(problem: Problem, scaling: Scaling) -> dict[str, dict[str, GivenValue]]:
    """Return, by component and boundary part (``start`` for initial values), what is given there.

    Only conditions of which every row is a component minus its given value count, since only those
    can be met in full by building the values in. Given values that contain unknowns do not count.

    Args:
        problem: The declaration.
        scaling: Maps between SI and network units.
    """
    center = (0.5 * (scaling.lower + scaling.upper)).tolist()
    half_lengths = scaling.half_lengths.tolist()
    physics = bind(problem.physics, {u.name: u.initial for u in problem.unknowns})
    found: dict[str, dict[str, GivenValue]] = {name: {} for name in problem.component_names}
    for condition in problem.conditions:
        for component in components_given_by(problem, condition):
            found[component][condition.part] = GivenValue(
                condition, component, physics, tuple(center), tuple(half_lengths)
            )
    return found


def components_given_by(problem: Problem, condition: Condition) -> tuple[str, ...]:
    """Return the components a condition gives values of; none if any of its rows says anything else."""
    if isinstance(condition, Periodic | Interface) or find_unknowns(condition):
        return ()
    block = (
        initial_block(problem, condition, _NUM_POINTS, 0)
        if isinstance(condition, Initial)
        else boundary_block(problem, condition, _NUM_POINTS, 0)
    )
    names = tuple(_rows(problem, block, {}))
    return names if all(_is_plain(problem, block, name) for name in names) else ()


def _is_plain(problem: Problem, block: Block, name: str) -> bool:
    """Whether a row is the component of its name minus something that knows neither fields nor normals."""
    if name not in problem.component_names:
        return False
    asked: set[tuple[str, MultiIndex]] = set()
    plain = _rows(problem, block, {}, asked, only=name)[name]
    shifted = _rows(problem, block, {name: 1.0})[name]
    turned = block.taken(slice(None))
    turned = Block(
        turned.name, turned.kind, turned.point_sets, turned.law, -torch.ones_like(turned.normals)
    )
    return (
        asked == {(name, VALUE)}
        and torch.allclose(shifted - plain, torch.ones_like(plain), rtol=0.0, atol=1e-9)
        and torch.equal(_rows(problem, turned, {})[name], plain)
    )


def _rows(
    problem: Problem,
    block: Block,
    shift: Mapping[str, float],
    watch: set[tuple[str, MultiIndex]] | None = None,
    only: str | None = None,
) -> dict[str, Tensor]:
    """Return the rows of a block on made-up fields, each of shape (N,)."""
    x = block.coordinates(problem.frame)
    fields = tuple(
        trial_fields(problem.field_shapes, at, 1.0, watch=watch, shift=shift) for at in x
    )
    values = {u.name: u.initial for u in problem.unknowns}
    rows = block.rows(fields, x, values)
    return {
        name: row.value.expand(block.num_points)
        for name, row in rows.items()
        if only is None or name == only
    }
