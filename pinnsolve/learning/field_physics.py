"""Samples of fields together with the equations of a problem, as one weighted least-squares system."""

from __future__ import annotations

import math
from dataclasses import replace

from torch import Tensor

from pinnsolve.energy import EstimatedEnergy
from pinnsolve.learning.descent import descended, record_of
from pinnsolve.measurements import Measurements
from pinnsolve.method import Method
from pinnsolve.problem import Problem
from pinnsolve.residuals import System
from pinnsolve.solution import Solution
from pinnsolve.solver import Compared, judged_answer
from pinnsolve.threads import one_torch_thread
from pinnsolve.training import Trained
from pinnsolve.training.present import present_solution
from pinnsolve.training.trunk import prepare

_HARD = 1e3
"""Weight of physics that is to hold, whatever the samples say."""


def fit_with_physics(
    problem: Problem,
    samples: Measurements,
    method: Method,
    *,
    weight: float = 1.0,
    hard: bool = False,
    seed: int = 0,
    reference: Compared = True,
) -> Solution:
    """Return a problem's solution that was trained on samples as well, with its record and its verdict.

    The verdict is that of the problem with the samples as its measurements: physics that does not hold, samples that
    the field misses, and the distance to a reference without samples all count.

    Args:
        problem: The equations; it may have no measurements of its own and no unknowns.
        samples: The samples.
        method: Network, points and limits.
        weight: Factor on the rows of the physics; samples and each equation are balanced to order one before.
        hard: Whether the physics is to hold whatever the samples say; given boundary values then hold exactly.
        seed: Seed of points and parameters.
        reference: As for :func:`pinnsolve.solve`.

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
    running = EstimatedEnergy().start()
    with one_torch_thread():
        system, theta = prepare(joined, how, seed=seed)
        system = weighted(system, theta, _HARD if hard else weight)
        found = descended(system, theta, how)
        solution = present_solution(joined, system, found.theta)
    record = record_of(
        found.history, found.status, system, seed=seed, device=how.device, energy=running()
    )
    trained = Trained(replace(solution, record=record), system, found.theta)
    return judged_answer(trained, seed=seed, reference=reference).solution


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
