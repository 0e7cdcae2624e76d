"""How much a quantity of interest depends on each parameter, boundary value and sensor, by derivative.

A solution minimises the weighted sum of squares of its rows r(theta, p). If a number p of the declaration changes, the
parameters follow by ``d theta / dp = -(J^T J)^-1 J^T dr/dp``, J being the Jacobian in theta, the identified unknowns
included: the linearised least-squares problem with ``dr/dp`` on its right side. All right sides are solved at once by
triangularising J with them as further columns. The quantity, any function of a solution, is then differentiated along
that direction, by a central difference that trains nothing; this equals the adjoint's
``-dQ/dtheta (J^T J)^-1 J^T dr/dp`` plus what Q depends on p by itself.

Numbers of the declaration are made unknowns for a moment, so that ``dr/dp`` is a column of the Jacobian like any other.
Measurements are rows of their own: that of a sensor's value is minus its weight.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.blocks import make_blocks
from pinnsolve.estimates import Estimate
from pinnsolve.learning.declared_numbers import DeclaredNumber, with_numbers, with_these
from pinnsolve.method import Method
from pinnsolve.multi_index import VALUE
from pinnsolve.naming import near_match_text
from pinnsolve.networks import LinearNetwork
from pinnsolve.optimise.orthogonal import triangularise
from pinnsolve.problem import Problem
from pinnsolve.quantities import Quantity
from pinnsolve.residuals import System, build_system
from pinnsolve.solution import Solution, levelled
from pinnsolve.training.feature_systems import smooth_weights
from pinnsolve.unknowns import Unknown

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sensitivity:
    """What one number does to one quantity.

    Attributes:
        quantity: Name of the quantity.
        name: The number: ``Heat conductivity``, ``right: coefficient``, ``sensor 3 temperature``.
        kind: ``parameter``, ``boundary value`` or ``sensor``.
        value: The number.
        derivative: d quantity / d number.
        relative: Change of the quantity, relative to it, for a relative change of the number: d log Q / d log p; nan
            if the quantity is 0.
    """

    quantity: str
    name: str
    kind: str
    value: float
    derivative: float
    relative: float


def sensitivities(
    solution: Solution,
    quantities: Sequence[Quantity] | None = None,
    *,
    names: Sequence[str] | None = None,
    sensors: bool = True,
    seed: int = 0,
) -> tuple[Sensitivity, ...]:
    """Return the derivative of quantities by every number of the declaration, and by every measured value.

    Args:
        solution: A solution, its ranges at given values (``solution.given``).
        quantities: Which quantities; None takes those of the problem.
        names: Which numbers; None takes all. A number is every plain float inside physics and conditions.
        sensors: Whether to add the measured values.
        seed: Seed of the points that the linearised problem is posed on.

    Raises:
        ValueError: If there is nothing to differentiate, a name is unknown, or ranges are open.
    """
    problem = solution.problem
    if problem.ranges:
        listed = ", ".join(item.name for item in problem.ranges)
        raise ValueError(
            f"ranges are open ({listed}); give them values: solution.given({listed.split(',')[0]}=...)"
        )
    wanted = tuple(problem.quantities) if quantities is None else tuple(quantities)
    if not wanted:
        raise ValueError("no quantity to differentiate; give quantities=[ps.point_value(...)]")
    placed, numbers = with_numbers(problem)
    if names is not None:
        known = [number.unknown.name for number in numbers]
        for name in names:
            if name not in known:
                raise ValueError(
                    f"no number {name!r} in the declaration. {near_match_text(name, known)}"
                )
        numbers = [number for number in numbers if number.unknown.name in names]
    placed = with_these(problem, placed, numbers)
    numbers, system = _system(solution, placed, numbers, seed)
    columns = _Columns(system, _theta(solution, system), len(numbers), sensors)
    moves = columns.moves()
    found = []
    for quantity in wanted:
        base = float(quantity.evaluate(solution))
        for k, (kind, name, value) in enumerate(_labels(numbers, system, columns.sensors)):
            derivative = _along(solution, placed, numbers, system, moves[:, k], k, value, quantity)
            relative = derivative * value / base if base else math.nan
            found.append(Sensitivity(quantity.name, name, kind, value, derivative, relative))
    return tuple(found)


_Sensor = tuple[str, int, str]
"""Block, row and quantity of a reading."""


def _labels(
    numbers: Sequence[DeclaredNumber], system: System, sensors: Sequence[_Sensor]
) -> Iterator[tuple[str, str, float]]:
    """Yield kind, name and value of every column."""
    for number in numbers:
        yield number.kind, number.unknown.name, number.unknown.initial
    data = {block.name: block.data for block in system.blocks if block.noise is not None}
    for block, row, name in sensors:
        within = "" if len(data) == 1 else f"{block}: "
        yield "sensor", f"{within}sensor {row} {name}", float(data[block][name][row])


_CANNOT = (TypeError, ValueError, RuntimeError, AttributeError)
"""What a law raises that needs a plain number where an unknown stands."""


def _system(
    solution: Solution, placed: Problem, numbers: list[DeclaredNumber], seed: int
) -> tuple[list[DeclaredNumber], System]:
    """Return the rows with the numbers as the last unknowns, and which ones: some physics need a plain number."""
    problem = solution.problem
    counts = Method().points_for(problem, solution.network)
    scaling = solution.scaling.to(dtype=torch.float64, device=torch.device("cpu"))
    weights = smooth_weights(problem, scaling, seed=seed)

    def built(chosen: Sequence[DeclaredNumber]) -> System:
        declared = with_these(problem, placed, chosen)
        return build_system(
            make_blocks(declared, counts, seed=seed + 31),
            problem.field_shapes,
            problem.frame,
            solution.network,
            scaling,
            (*problem.unknowns, *(number.unknown for number in chosen)),
            weights=weights,
        )

    try:
        return numbers, built(numbers)
    except _CANNOT:
        usable = []
        for number in numbers:
            try:
                built([number])
            except _CANNOT:
                continue
            usable.append(number)
        return usable, built(usable)


def _theta(solution: Solution, system: System) -> Tensor:
    """Return the parameters, the unknowns' search variables, and zeros for numbers as they are declared."""
    parameters = solution.parameters.to(dtype=torch.float64, device="cpu")
    values = {estimate.name: estimate.value for estimate in solution.estimates}
    search = [
        _search_variable(u, values[u.name]) if u.name in values else 0.0 for u in system.unknowns
    ]
    return torch.cat((parameters, parameters.new_tensor(search)))


def _search_variable(unknown: Unknown, value: float) -> float:
    """Return z with ``unknown.value(z) = value``."""
    return (
        replace(unknown, initial=value).start
        if unknown.bounds
        else ((value - unknown.initial) / (abs(unknown.initial) or 1.0))
    )


class _Columns:
    """The Jacobian in what is free, then one column for every number and every sensor."""

    def __init__(self, system: System, theta: Tensor, num_numbers: int, sensors: bool) -> None:
        self._system, self._theta = system, theta
        self._free = system.num_parameters - num_numbers
        self._measured = {block.name for block in system.blocks if block.noise is not None}
        self.sensors: list[_Sensor] = []
        if sensors:
            for members in system.chunks:
                for key, count in members:
                    if key.block in self._measured:
                        self.sensors += [(key.block, k, key.equation) for k in range(count)]
        self._width = system.num_parameters + len(self.sensors)

    def moves(self) -> Array:
        """Return how what is free follows each number and sensor, shape (free, K), per unit of the number."""
        triangle = triangularise(
            self._chunks, self._width, self._system.num_rows, damping=_damping(self._system)
        )
        from scipy.linalg import solve_triangular

        free, norms = self._free, triangle.column_norms
        factor = triangle.factor
        scaled = -solve_triangular(factor[:free, :free], factor[:free, free:], check_finite=False)
        return np.asarray(scaled * norms[free:] / norms[:free, None] * self._slopes())

    def _slopes(self) -> Array:
        """Return d search variable / d number: of a number z is its share of itself."""
        numbers = self._system.unknowns[len(self._system.unknowns) - self._num_numbers :]
        slopes = [1.0 / u.slope(0.0) for u in numbers]
        return np.array([*slopes, *([1.0] * len(self.sensors))])

    @property
    def _num_numbers(self) -> int:
        return self._system.num_parameters - self._free

    def _chunks(self) -> Iterator[tuple[Tensor, Tensor]]:
        place = {sensor: k for k, sensor in enumerate(self.sensors)}
        for members, (rows, jacobian) in zip(
            self._system.chunks, self._system.linearised(self._theta), strict=True
        ):
            wide = jacobian.new_zeros(len(rows), self._width)
            wide[:, : jacobian.shape[1]] = jacobian
            is_data = (
                members[0][0].block in self._measured
            )  # which never share a group with physics
            if is_data and place:
                self._add_sensors(wide, members, place)
            stiffness = 1.0 if is_data or not self._measured else math.sqrt(_STIFFNESS)
            yield torch.zeros_like(rows), stiffness * wide

    def _add_sensors(
        self,
        wide: Tensor,
        members: Sequence[tuple[Any, int]],
        place: Mapping[_Sensor, int],
    ) -> None:
        """Write d row / d measured value, minus the row's weight."""
        start = 0
        for key, count in members:
            block = next(
                b for b in self._system.blocks if b.name == key.block and b.num_points == count
            )
            factor = torch.as_tensor(self._system.factor(block, key.equation))
            for k in range(count):
                column = self._system.num_parameters + place[key.block, k, key.equation]
                wide[start + k, column] = -float(factor.expand(count)[k])
            start += count


def _damping(system: System) -> float:
    """Return the Tikhonov term: a trained trunk has directions that change nothing, and must not go far along them."""
    return 1e-14 if isinstance(system.network, LinearNetwork) else 1e-8


_STIFFNESS = 1e3
"""Factor on the physics where there are measurements: it is a constraint, as in :mod:`pinnsolve.uncertainty`."""


def _along(
    solution: Solution,
    placed: Problem,
    numbers: Sequence[DeclaredNumber],
    system: System,
    move: Array,
    column: int,
    value: float,
    quantity: Quantity,
) -> float:
    """Return d quantity / d number: a central difference along the move of parameters, unknowns and the number."""
    step = _step(solution, system, move, value)
    evaluate: Callable[[float], float] = lambda h: float(  # noqa: E731
        quantity.evaluate(_moved(solution, placed, numbers, move, column, h))
    )
    return (evaluate(step) - evaluate(-step)) / (2.0 * step)


def _moved(
    solution: Solution,
    placed: Problem,
    numbers: Sequence[DeclaredNumber],
    move: Array,
    column: int,
    step: float,
) -> Solution:
    """Return the solution with one number or sensor changed by a step, and all else as it follows."""
    count = solution.network.num_parameters
    like = solution.parameters
    parameters = like.to(torch.float64) + step * torch.from_numpy(move[:count]).to(like.device)
    estimates = [
        replace(e, value=float(u.value(torch.tensor(_search_variable(u, e.value) + step * z))))
        for e, u, z in zip(solution.estimates, solution.problem.unknowns, move[count:], strict=True)
    ]
    for k, number in enumerate(numbers):
        value = number.unknown.initial + (step if k == column else 0.0)
        estimates.append(Estimate(number.unknown.name, value, 0.0))
    changed = replace(
        solution, problem=placed, parameters=parameters, estimates=tuple(estimates), verdict=None
    )
    return levelled(changed) if solution.levels else changed


_SMALL = 1e-4
"""Change of the network's outputs, which are of order one, that a difference is taken over."""


def _step(solution: Solution, system: System, move: Array, value: float) -> float:
    """Return a change of a number that changes it, outputs, unknowns and trained layers by a small amount each.

    Args:
        solution: The solution.
        system: Its rows.
        move: How parameters and unknowns follow the number, shape (free,).
        value: The number.
    """
    count = solution.network.num_parameters
    theta = solution.parameters.to(dtype=torch.float64, device="cpu")
    size, largest = float(np.abs(move[:count]).max(initial=0.0)), float(theta.abs().max()) or 1.0
    changes = [float(np.abs(move[count:]).max(initial=0.0)), 1.0 / abs(value) if value else 0.0]
    if size > 0.0:
        points = torch.cat([group.unit_points for group in system.groups])[:512]
        tiny = 1e-7 * largest / size
        shift = tiny * torch.from_numpy(move[:count])
        with torch.no_grad():
            ends = [solution.network.streams(theta + s * shift, points, (VALUE,)) for s in (1, -1)]
        changes.append(float((ends[0] - ends[1]).abs().max()) / (2.0 * tiny))
        if not isinstance(solution.network, LinearNetwork):
            changes.append(size / largest)
    return _SMALL / max(changes) if max(changes) > 0.0 else 1.0
