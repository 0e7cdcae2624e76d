"""Gauss-Newton on one system until there is no more to gain, and the record of what was trained in this package."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from pinnsolve.energy import Energy
from pinnsolve.method import Method
from pinnsolve.optimise import GaussNewton
from pinnsolve.record import RunRecord, StepRecord
from pinnsolve.residuals import System
from pinnsolve.status import Status, StopReason
from pinnsolve.training.run import versions

Redraw = Callable[[int], System]
"""The system on new points, after so many steps; its weights are those of the first."""


@dataclass(frozen=True, eq=False)
class Descent:
    """Where Gauss-Newton ended.

    Attributes:
        system: The system of the last step.
        theta: Its parameters, shape (P,).
        history: One record for each step.
        status: Why it ended.
    """

    system: System
    theta: Tensor
    history: tuple[StepRecord, ...]
    status: Status


def descended(
    system: System, theta: Tensor, method: Method, *, redraw: Redraw | None = None
) -> Descent:
    """Take Gauss-Newton steps within the limits of a method.

    On fixed points training also ends where the loss hardly falls any more: a minimum was reached.

    Args:
        system: The weighted system.
        theta: Where to begin, shape (P,).
        method: Its optimiser and limits, and how often points are drawn.
        redraw: Draws new points; None keeps them.
    """
    optimiser = method.optimiser if isinstance(method.optimiser, GaussNewton) else GaussNewton()
    state = optimiser.init(system, theta)
    losses, history, refusals = [state.loss], list[StepRecord](), 0
    begin, status = time.perf_counter(), Status.of(StopReason.MAX_STEPS)
    for step in range(1, method.max_steps + 1):
        due = method.resample_every and step % method.resample_every == 0
        if redraw is not None and (due or not state.accepted):
            system = replace(redraw(step), weights=system.weights)
        state = optimiser.step(system, state)
        seconds = time.perf_counter() - begin
        losses.append(state.loss)
        history.append(
            StepRecord(step, seconds, state.loss, math.inf, state.damping, state.accepted)
        )
        refusals = 0 if state.accepted else refusals + 1
        if not math.isfinite(state.loss):
            status = Status.of(StopReason.NON_FINITE)
            break
        if redraw is None and (refusals >= _MAX_REFUSALS or _settled(losses)):
            status = Status(StopReason.CONVERGED, "the loss hardly falls any more")
            break
        if refusals >= _MAX_REFUSALS:
            status = Status.of(StopReason.STALLED)
            break
        if seconds > method.max_seconds:
            status = Status.of(StopReason.MAX_SECONDS)
            break
    return Descent(system, state.theta, tuple(history), status)


def _settled(losses: Sequence[float]) -> bool:
    return len(losses) > 2 * _MEMORY and losses[-_MEMORY - 1] - losses[-1] < (
        _SMALLEST_FALL * losses[-_MEMORY - 1]
    )


def record_of(
    history: Sequence[StepRecord],
    status: Status,
    system: System,
    *,
    seed: int,
    device: str = "cpu",
    energy: Energy | None = None,
) -> RunRecord:
    """Return the record of a run that was trained in float64.

    Args:
        history: Its steps.
        status: Why it ended.
        system: Its system, of the whole network.
        seed: Its seed.
        device: Where it ran.
        energy: What it consumed; None if that was not measured.
    """
    return RunRecord(
        status=status,
        history=tuple(history),
        seconds=history[-1].seconds if history else 0.0,
        seed=seed,
        precision="float64",
        device=device,
        num_parameters=system.num_parameters,
        num_points=system.block_sizes,
        network=repr(system.network),
        versions=versions(),
        energy=energy,
    )


_MAX_REFUSALS = 3
"""Steps in a row without progress after which a run ends."""

_MEMORY = 10
"""Steps over which the loss must fall."""

_SMALLEST_FALL = 1e-4
"""Share by which it must fall over so many steps."""
