"""Which walls disagree with the start of a one-dimensional, unsteady scalar field, and from which order on.

The start and the equation together say all derivatives at a corner of space and time (the series of Cauchy and
Kovalevskaya). Where the condition of the wall, or its derivative by time of order j, does not hold with them, the
solution is singular there like V_(2j), if the wall gives the value, or like R_(2j) and V_(2j+1), if it gives a flux.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from pinnsolve.architecture.given import components_given_by
from pinnsolve.blocks import Block, boundary_block, condition_block, initial_block, interior_block
from pinnsolve.conditions import Condition, Initial, Interface, Periodic
from pinnsolve.determinacy import field_is_determined
from pinnsolve.jets import Fields
from pinnsolve.jets.scalar import Leaf, Numeric, Scalar
from pinnsolve.multi_index import VALUE, MultiIndex
from pinnsolve.networks.start_corners import StartCornerFunctions
from pinnsolve.problem import Problem
from pinnsolve.unknown_functions import find_functions

_X, _T = 0, 1
_CURVATURE = (_X, _X)


def start_corner_functions(
    problem: Problem, values: Mapping[str, float] | None = None
) -> tuple[StartCornerFunctions, ...]:
    """Return the singular functions of the walls that disagree with the start.

    None but for one scalar field on an interval, whose equation has the same constant diffusivity everywhere, without
    ranges and interfaces. Where it has other terms with the field, convection or a reaction, the functions do not
    solve it, but have its leading singularity: then they are for jumps only. What reaches the other wall and is
    reflected there, functions of an image of the wall, comes with them.

    Unknown numbers are taken as they are: with the functions come their derivatives by the diffusivity and by the
    transfer coefficient, if these depend on unknowns. There are none with unknown functions, nor where conditions are
    missing.

    Args:
        problem: The declaration.
        values: Of the unknowns by name; those that are left out are first guesses.
    """
    if problem.domain.dim != 1 or problem.time is None or problem.ranges:
        return ()
    if len(problem.component_names) != 1 or any(
        isinstance(c, Periodic | Interface) for c in problem.conditions
    ):
        return ()
    if not problem.unknowns:
        return tuple(f for corner in _corners(problem).values() for f in _functions(corner))
    if not field_is_determined(problem) or find_functions(problem.physics, problem.conditions):
        return ()
    known = {u.name: u.initial for u in problem.unknowns} | dict(values or {})
    here, near = (_corners(problem.bound(v)) for v in (known, _moved(problem, known)))
    found: list[StartCornerFunctions] = []
    for number, other in near.items():
        corner = here.get(number) or replace(other, diffusivity=_diffusivity(problem.bound(known)))
        corner = replace(corner, derivatives=min(corner.derivatives, other.derivatives))
        functions = _functions(corner)
        found += functions
        if _differ(corner.diffusivity, other.diffusivity):
            found += [replace(f, by_diffusivity=1) for f in functions]
        transfers = (corner.transfer, other.transfer)
        if None not in transfers and _differ(*(eta or 0.0 for eta in transfers)):
            found += [replace(f, by_transfer=True) for f in functions]
    return tuple(found)


def _moved(problem: Problem, known: Mapping[str, float]) -> dict[str, float]:
    """Return values of the unknowns a little away: what agrees with them by chance does not any more."""
    moved = {}
    for number, unknown in enumerate(problem.unknowns):
        value = known[unknown.name]
        step = _ASIDE * (1.0 + 0.37 * number) * (max(abs(value), abs(unknown.initial)) or 1.0)
        if unknown.bounds is not None:  # it stays strictly inside, on the side with more room
            low, high = unknown.bounds
            room = high - value if high - value >= value - low else low - value
            step = math.copysign(min(step, 0.5 * abs(room)), room)
        moved[unknown.name] = value + step
    return moved


def _differ(one: float, other: float) -> bool:
    """Return whether two numbers differ by more than rounding."""
    return abs(one - other) > _NOTHING * max(abs(one), abs(other))


@dataclass(frozen=True)
class _Corner:
    """What the functions of one wall are made from, in network units.

    Attributes:
        side: -1 or 1, where the wall is.
        diffusivity: kappa.
        derivatives: Number of derivatives by time of the wall's condition that hold at the start.
        transfer: eta, or None.
        steps: From m to m: 2 if the functions solve the equation and meet the condition, else 1.
    """

    side: float
    diffusivity: float
    derivatives: int
    transfer: float | None
    steps: int


def _diffusivity(problem: Problem) -> float:
    """Return the diffusivity in network units; NaN if it has none."""
    diffusion = diffusion_of(problem)
    half_x, half_t = (0.5 * (upper - lower) for lower, upper in zip(*problem.bounds, strict=True))
    kappa = math.nan if diffusion is None else diffusion.diffusivity
    return kappa * float(half_t) / float(half_x) ** 2


def _corners(problem: Problem) -> dict[int, _Corner]:
    """Return the walls that disagree with the start, by the number of their condition."""
    starts = [c for c in problem.conditions if isinstance(c, Initial)]
    if len(starts) != 1 or not components_given_by(problem, starts[0]):
        return {}
    diffusion = diffusion_of(problem)
    if diffusion is None:
        return {}
    diffusivity = _diffusivity(problem)
    half_x = 0.5 * float(problem.bounds[1][0] - problem.bounds[0][0])
    found = {}
    for number, condition in enumerate(problem.conditions):
        wall = None if condition is starts[0] else _disagreement(problem, condition, starts[0])
        if wall is None or not (diffusion.alone or wall.derivatives == 0):
            continue
        transfer = None if wall.transfer is None else wall.transfer * half_x
        steps = 2 if diffusion.alone and wall.alone else 1
        found[number] = _Corner(wall.side, diffusivity, wall.derivatives, transfer, steps)
    return found


def _functions(corner: _Corner) -> list[StartCornerFunctions]:
    """Return the functions of a wall, and those of its image, if they reach the other wall."""
    orders = tuple(range(2 * corner.derivatives, _HIGHEST + 1))
    kappa, eta = corner.diffusivity, corner.transfer
    found = [StartCornerFunctions(corner.side, kappa, orders[:: corner.steps], eta)]
    if 2.0 / math.sqrt(8.0 * kappa) < _UNSEEN:
        found.append(StartCornerFunctions(-3.0 * corner.side, kappa, orders, eta))
    return found


@dataclass(frozen=True)
class Diffusion:
    """Diffusion in an equation ``a (u_t - kappa u_xx) + lower derivatives = 0``.

    Attributes:
        diffusivity: kappa in m2/s.
        alone: Whether the equation has u and u_x in no other terms.
    """

    diffusivity: float
    alone: bool


def diffusion_of(problem: Problem) -> Diffusion | None:
    """Return the diffusion of an equation, or None if its diffusivity is not the same number everywhere.

    Args:
        problem: The declaration: one unsteady scalar field in one dimension.
    """
    block = interior_block(problem, _NUM_POINTS, 0)
    (x,) = block.coordinates(problem.frame)
    asked: dict[MultiIndex, Tensor] = {}
    ratios = []
    for level in (1.0, 0.3):
        asked.clear()
        rows = block.rows((_field(problem, partial(_made_up, level, asked)),), (x,), {})
        if len(rows) != 1:
            return None
        total = next(iter(rows.values())).value.sum()
        if not {(_T,), _CURVATURE} <= set(asked) <= {VALUE, (_X,), (_T,), _CURVATURE}:
            return None
        by_time, by_curvature = torch.autograd.grad(
            total, (asked[_T,], asked[_CURVATURE]), materialize_grads=True
        )
        ratios.append(-by_curvature / by_time)
    found = torch.cat(ratios)
    middle = float(found.mean())
    if not (middle > 0.0 and float((found - middle).abs().max()) <= _ALIKE * middle):
        return None
    return Diffusion(middle, alone=set(asked) == {(_T,), _CURVATURE})


def _made_up(level: float, asked: dict[MultiIndex, Tensor], index: MultiIndex) -> Tensor:
    """Return a made-up derivative, and keep it."""
    phase = torch.arange(_NUM_POINTS, dtype=torch.float64, device="cpu") + 7.0 * len(asked)
    asked[index] = (level * (1.0 + 0.5 * torch.sin(phase))).requires_grad_()
    return asked[index]


@dataclass(frozen=True)
class _Disagreement:
    """A wall whose condition does not hold with the start.

    Attributes:
        side: -1 or 1, where the wall is.
        derivatives: Number of derivatives by time of the condition that hold.
        transfer: eta in 1/m of a condition ``du / dn + eta u = given``, at the start; None if it gives the value.
        alone: Whether eta is the same at all times, whatever the field.
    """

    side: float
    derivatives: int
    transfer: float | None
    alone: bool


def _disagreement(problem: Problem, condition: Condition, start: Initial) -> _Disagreement | None:
    """Return how a wall disagrees with the start, or None if it does not."""
    place = boundary_block(problem, condition, _NUM_POINTS, 0)
    at = place.point_sets[0][:1].clone()
    at[:, _T] = problem.bounds[0][_T]
    wall = condition_block(problem, condition, at, place.normals[:1])
    derivatives = _continued(problem, start, at)
    row = _row(problem, wall, derivatives)
    duration = float(problem.bounds[1][_T] - problem.bounds[0][_T])
    size = _size_of_terms(problem, wall, start)
    over = _continued(problem, start, initial_block(problem, start, _NUM_POINTS, 0).point_sets[0])
    hold = None
    for index in ((_T,) * order for order in range(_MOST_DERIVATIVES + 1)):
        terms = _size_of_changes(problem, wall, derivatives, over, index)
        least = _NOTHING * max(size / duration ** len(index), terms)
        if abs(float(row.derivative(index))) > least:
            hold = len(index)
            break
    if hold is None:
        return None
    side = float(wall.normals[0, 0])
    if components_given_by(problem, condition):
        return _Disagreement(side, hold, None, alone=True)
    here = float(_transfers(problem, wall, derivatives))
    others = [_transfers(problem, place, partial(_made_up, level, {})) for level in (1.0, 0.3)]
    alone = float((torch.cat(others) - here).abs().max()) <= _ALIKE * abs(here)
    return _Disagreement(side, hold, max(here, 0.0), alone)


def _transfers(problem: Problem, wall: Block, derivatives: _Derivatives) -> Tensor:
    """Return eta of a wall's condition at its points, linearised about a field with given derivatives, shape (N,)."""
    ones = torch.ones(wall.num_points, dtype=torch.float64, device="cpu")
    leaves = {k: (derivatives(k) * ones).detach().requires_grad_() for k in (VALUE, (_X,))}
    row = _row(problem, wall, lambda k: leaves[k] if k in leaves else derivatives(k))
    by_value, by_slope = torch.autograd.grad(
        torch.as_tensor(row.derivative(VALUE), device="cpu").sum(),
        tuple(leaves.values()),
        materialize_grads=True,
    )
    return by_value / (by_slope * wall.normals[:, 0])


def _continued(problem: Problem, start: Initial, at: Tensor) -> _Derivatives:
    """Return the derivatives of the field at the start, as it and the equation say them.

    They are not a number where the equation does not tell them.

    Args:
        problem: The declaration.
        start: The initial condition.
        at: Points at the start, shape (N, 2), as every derivative is shape (N,).
    """
    count = len(at)
    initial = _row(problem, condition_block(problem, start, at, at.new_zeros(count, 1)), _nothing)
    inside = replace(interior_block(problem, count, 0), point_sets=(at,))
    known: dict[MultiIndex, Tensor] = {}

    def found(index: MultiIndex) -> Tensor:
        if _T not in index:
            return (-at.new_ones(count) * initial.derivative(index)).detach()
        # the equation is linear in it: its slope, not a trial step, which in SI units may be lost in rounding
        trial = at.new_zeros(count).requires_grad_()
        row = _row(problem, inside, lambda asked: trial if asked == index else derivative(asked))
        left = torch.as_tensor(
            row.derivative(index[:-1]), device="cpu"
        )  # the axis of time is the last one
        (slope,) = torch.autograd.grad(left.sum(), trial, materialize_grads=True)
        return torch.where(slope == 0.0, math.nan, -left.detach() / slope)

    def derivative(index: MultiIndex) -> Tensor:
        if index not in known:
            known[index] = found(index)
        return known[index]

    return derivative


def _size_of_terms(problem: Problem, wall: Block, start: Initial) -> float:
    """Return how large a wall's condition is on fields as large as the given values, with slopes over the interval."""
    given = [initial_block(problem, start, _NUM_POINTS, 0)]
    given += [
        boundary_block(problem, condition, _NUM_POINTS, 0)
        for condition in problem.conditions
        if condition is not start and components_given_by(problem, condition)
    ]
    values = [_row(problem, block, _nothing).derivative(VALUE) for block in given]
    size = max(float(torch.as_tensor(value, device="cpu").abs().max()) for value in values)
    length = float(problem.bounds[1][_X] - problem.bounds[0][_X])
    plain = float(_row(problem, wall, _nothing).derivative(VALUE))
    sizes = {VALUE: size, (_X,): size / length}
    return sum(
        abs(float(_row(problem, wall, partial(_only, k, s)).derivative(VALUE)) - plain)
        for k, s in sizes.items()
    )


def _size_of_changes(
    problem: Problem,
    wall: Block,
    derivatives: _Derivatives,
    over: _Derivatives,
    index: MultiIndex,
) -> float:
    """Return how much a derivative by time of a wall's condition changes with that of the field and of its slope.

    Args:
        problem: The declaration.
        wall: The condition at the corner.
        derivatives: Those of the field at the corner.
        over: Those over the interval at the start, as large as which the changes are.
        index: The derivative by time.
    """
    plain = float(_row(problem, wall, derivatives).derivative(index))
    changed = []
    for name in (index, (_X, *index)):
        largest = float(torch.as_tensor(over(name), device="cpu").nan_to_num(0.0).abs().max())
        row = _row(problem, wall, partial(_raised, derivatives, name, largest))
        changed.append(abs(float(row.derivative(index)) - plain))
    return max(changed)


def _raised(source: _Derivatives, name: MultiIndex, by: float, index: MultiIndex) -> Numeric:
    return source(index) + by if index == name else source(index)


def _only(wanted: MultiIndex, value: float, index: MultiIndex) -> float:
    return value if index == wanted else 0.0


def _nothing(index: MultiIndex) -> float:
    del index
    return 0.0


def _row(problem: Problem, block: Block, source: _Derivatives) -> Scalar:
    """Return a block's only equation on a field with given derivatives."""
    (x,) = block.coordinates(problem.frame)
    (row,) = block.rows((_field(problem, source),), (x,), {}).values()
    return row.parts[0]


def _field(problem: Problem, source: _Derivatives) -> Fields:
    """Return the field with given derivatives."""
    return Fields.from_components(problem.field_shapes, [Leaf(source)], problem.frame)


_Derivatives = Callable[[MultiIndex], Numeric]
"""Derivatives of a field by multi-index."""

_NUM_POINTS = 16
"""Points at which given values and the diffusivity are looked at."""

_ALIKE = 1e-12
"""Relative difference below which two diffusivities are one."""

_NOTHING = 1e-9
"""Disagreement over the size of the condition's terms below which it is none."""

_ASIDE = 1e-2
"""How far away other values of the unknowns are looked at, relative to their first guesses."""

_MOST_DERIVATIVES = 3
"""Derivatives by time that wall and start are compared in; further ones leave six continuous derivatives by space."""

_HIGHEST = 8
"""Highest m: what is left has seven continuous derivatives by space."""

_UNSEEN = 4.5
"""z of the interval's length at the end from which the other wall sees nothing: erfc(4.5) = 2e-10."""
