"""The present state as a Solution: what an engineer would see if training ended now."""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor

from pinnsolve.problem import Problem
from pinnsolve.record import RunRecord
from pinnsolve.residuals import System
from pinnsolve.solution import Solution, levelled
from pinnsolve.status import Status, StopReason


def present_solution(problem: Problem, system: System, theta: Tensor) -> Solution:
    """Return a solution with an empty record, its free levels settled unless ranges are open."""
    parameters = theta[: system.network.num_parameters].detach()
    record = RunRecord(
        Status.of(StopReason.INTERRUPTED),
        (),
        0.0,
        0,
        str(parameters.dtype).removeprefix("torch."),
        str(parameters.device),
        system.num_parameters,
        system.block_sizes,
        repr(system.network),
        {},
    )
    solution = Solution(problem, system.network, parameters, system.scaling, (), record)
    return solution if problem.ranges else levelled(solution)


def numbers_of_interest(problem: Problem, system: System, theta: Tensor) -> dict[str, float]:
    """Return the quantities with a stated tolerance by name; nan if one cannot be evaluated.

    Empty for problems with unknowns or open ranges, whose quantities wait for values.
    """
    wanted = [quantity for quantity in problem.quantities if quantity.tolerance]
    if not wanted or problem.unknowns or problem.ranges:
        return {}
    solution = present_solution(problem, system, theta)
    values = {}
    for quantity in wanted:
        try:
            values[quantity.name] = float(quantity.evaluate(solution))
        except Exception:  # noqa: BLE001 - the verdict reports it; here it must not lose the run
            values[quantity.name] = math.nan
    return values


def goal_error(problem: Problem, before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """Return the largest change of a quantity, with its tolerance counted as the problem's accuracy."""
    changes = [
        abs(after[quantity.name] - before[quantity.name]) / quantity.tolerance
        for quantity in problem.quantities
        if quantity.tolerance and quantity.name in before and quantity.name in after
    ]
    known = [change for change in changes if math.isfinite(change)]
    return problem.accuracy * max(known, default=0.0)
