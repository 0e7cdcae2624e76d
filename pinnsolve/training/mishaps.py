"""What can go wrong in a step besides the mathematics: too little memory, an unknown that runs away."""

from __future__ import annotations

import torch
from torch import Tensor

from pinnsolve.distributed import Reduction
from pinnsolve.optimise.schedule import Schedule, ScheduleState
from pinnsolve.problem import Problem
from pinnsolve.residuals import System


class OutOfMemoryError(RuntimeError):
    """A step does not fit into memory even in the smallest batches."""


def step_within_memory(
    schedule: Schedule, system: System, state: ScheduleState, reduction: Reduction, *, spent: float
) -> tuple[ScheduleState, System]:
    """Take a step; if it does not fit into memory, again in batches of half as many points.

    Args:
        schedule: The stages of training.
        system: This process's rows.
        state: Where the last step ended.
        reduction: Adds up over processes; with several of them nothing is tried again, since the others wait.
        spent: Share of the budget that is spent.

    Returns:
        The state after the step, and the system in the batches that fit.

    Raises:
        OutOfMemoryError: If batches of ``_FEWEST`` points do not fit either.
    """
    while True:
        try:
            return schedule.step(system, state, reduction, spent=spent), system
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            largest = max(group.num_points for group in system.groups)
            if reduction.size > 1 or largest <= _FEWEST:
                raise OutOfMemoryError(
                    f"batches of {largest} points with {system.num_parameters} parameters do not fit"
                ) from error
            system = system.rebatched(max(largest // 2, _FEWEST))


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that memory could not be had, on the CPU or on an accelerator."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "allocate memory" in str(error)


def runaways(problem: Problem, theta: Tensor) -> str:
    """Return the unknowns that left every sensible value, in words; empty if none did.

    Args:
        problem: The declaration.
        theta: The parameters, the unknowns' search variables last.
    """
    found = []
    searched = theta[len(theta) - len(problem.unknowns) :].tolist()
    for unknown, z in zip(problem.unknowns, searched, strict=True):
        if abs(z) > (_AT_BOUND if unknown.bounds is not None else _FAR):
            value = float(unknown.value(torch.tensor(z, dtype=torch.float64, device="cpu")))
            found.append(f"{unknown.name} = {value:.4g} {unknown.unit}".rstrip())
    return ", ".join(found)


_FEWEST = 16
"""Fewest points in a batch."""

_AT_BOUND = 7.0
"""Search variable of an unknown with bounds beyond which it lies within a thousandth of one of them."""

_FAR = 1e4
"""Search variable of an unknown without bounds: its distance from the initial value over that value."""
