"""Samples of fields together with the equations of a problem, as one weighted least-squares system."""

from __future__ import annotations

import math
import time
from dataclasses import replace

from torch import Tensor

from pinnsolve.measurements import Measurements
from pinnsolve.method import Method
from pinnsolve.optimise import GaussNewton
from pinnsolve.problem import Problem
from pinnsolve.residuals import System
from pinnsolve.solution import Solution
from pinnsolve.threads import one_torch_thread
from pinnsolve.training.present import present_solution
from pinnsolve.training.trunk import prepare

_HARD = 1e3
"""Weight of physics that is to hold, whatever the samples say."""

_SMALLEST_FALL = 1e-4
"""Relative fall of the loss over ten steps below which training ends."""


def fit_with_physics(
    problem: Problem,
    samples: Measurements,
    method: Method,
    *,
    weight: float = 1.0,
    hard: bool = False,
    seed: int = 0,
) -> Solution:
    """Return a problem's solution that was trained on samples as well.

    Args:
        problem: The equations; it may have no measurements of its own and no unknowns.
        samples: The samples.
        method: Network, points and limits.
        weight: Factor on the rows of the physics; samples and each equation are balanced to order one before.
        hard: Whether the physics is to hold whatever the samples say; given boundary values then hold exactly.
        seed: Seed of points and parameters.

    Raises:
        ValueError: If the weight is not positive, or the problem has measurements or unknowns.
    """
    if not (math.isfinite(weight) and weight > 0.0):
        raise ValueError(
            f"weight must be finite and > 0, got {weight}; to learn without physics, leave it out"
        )
    if problem.measurements is not None or problem.unknowns:
        raise ValueError(
            f"the problem {problem.name!r} has measurements or unknowns of its own; solve it with ps.solve"
        )
    how = replace(method, boundary="exact") if hard else method
    joined = replace(problem, measurements=samples)
    with one_torch_thread():
        system, theta = prepare(joined, how, seed=seed)
        system = weighted(system, theta, _HARD if hard else weight)
        theta = _descended(system, theta, how)
    return present_solution(problem, system, theta)


def weighted(system: System, theta: Tensor, weight: float) -> System:
    """Return a balanced system whose samples have a summed squared Jacobian norm of 1, and physics weight squared.

    Args:
        system: As :func:`pinnsolve.training.trunk.prepare` returns it.
        theta: Parameters, shape (P,).
        weight: Factor on the rows of the physics.
    """
    measured = {block.name for block in system.blocks if block.noise is not None}
    total = 0.0
    for members, (_, jacobian) in zip(system.chunks, system.linearised(theta), strict=True):
        for (key, _), rows in zip(members, jacobian.split([n for _, n in members]), strict=True):
            total += float(rows.square().sum()) if key.block in measured else 0.0
    of_samples = total**-0.5 if total > 0.0 else 1.0
    weights = {
        key: value * (of_samples if key.block in measured else weight)
        for key, value in system.weights.items()
    }
    return replace(system, weights=weights)


def _descended(system: System, theta: Tensor, method: Method) -> Tensor:
    """Return the parameters after Gauss-Newton steps on fixed points."""
    optimiser = GaussNewton()
    state = optimiser.init(system, theta)
    losses = [state.loss]
    begin, refusals = time.perf_counter(), 0
    while len(losses) <= method.max_steps and time.perf_counter() - begin < method.max_seconds:
        state = optimiser.step(system, state)
        losses.append(state.loss)
        refusals = 0 if state.accepted else refusals + 1
        settled = len(losses) > 20 and losses[-11] - state.loss < _SMALLEST_FALL * losses[-11]
        if refusals >= 3 or settled:
            break
    return state.theta
