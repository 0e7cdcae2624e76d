"""Training when nobody stated the noise: with a guess, then with what the residuals say, if the fit depends on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pinnsolve.method import Method
from pinnsolve.noise_estimates import (
    estimate_noise,
    needs_two_rounds,
    system_with_noise,
    with_noise,
)
from pinnsolve.problem import Problem
from pinnsolve.record import StepRecord
from pinnsolve.solution import Solution
from pinnsolve.status import StopReason
from pinnsolve.uncertainty import estimates_of, laplace, stiffness_of, with_profiles

if TYPE_CHECKING:
    from pinnsolve.training.run import Trained

Observer = Callable[[StepRecord], None]

Run = Callable[[Problem, Method, Solution | None, Observer | None, Path | None], "Trained"]
"""``run(problem, method, start, observer, checkpoint)``: train once."""

_FIRST_ROUND = 0.6
"""Share of the time that the first of two rounds may take."""


def train_in_rounds(
    problem: Problem,
    method: Method,
    start: Solution | None,
    observer: Observer | None,
    checkpoint: Path | None,
    run: Run,
) -> Trained:
    """Train with a guess of the noise, estimate it, and train again from there if the fit depends on it.

    Args:
        problem: The declaration.
        method: How to solve it; both rounds share its time.
        start: Whose fields the first round starts from, or None.
        observer: Called after every step.
        checkpoint: File of the first round; that of the second is ``run.second.h5`` beside ``run.h5``.
        run: Trains once.
    """
    if not needs_two_rounds(problem):
        return _with_noise(run(problem, method, start, observer, checkpoint), problem)
    limited = replace(method, max_seconds=_FIRST_ROUND * method.max_seconds)
    first = run(problem, limited, start, observer, checkpoint)
    record = first.solution.record
    if record.status.reason in (StopReason.INTERRUPTED, StopReason.LOST_PROCESS):
        return _with_noise(first, problem)
    rough = estimate_noise(problem, first.system, first.theta, _freedom(first))
    left = replace(method, max_seconds=max(method.max_seconds - record.seconds, 1e-3))
    beside = None if checkpoint is None else checkpoint.with_suffix(f".second{checkpoint.suffix}")

    def shifted(step: StepRecord) -> StepRecord:
        seconds = step.seconds + record.seconds
        return replace(step, step=step.step + record.num_steps, seconds=seconds)

    tell = None if observer is None else lambda step: observer(shifted(step))
    stated = with_noise(problem, rough.sigma)
    second = run(stated, left, first.solution, tell, beside)
    late = second.solution.record
    whole = replace(
        late,
        history=(*record.history, *(shifted(step) for step in late.history)),
        seconds=record.seconds + late.seconds,
    )
    return _with_noise(replace(second, solution=replace(second.solution, record=whole)), problem)


def _with_noise(trained: Trained, problem: Problem) -> Trained:
    """Return what was trained with its noise estimated, and with the intervals that follow from it."""
    found = estimate_noise(problem, trained.system, trained.theta, _freedom(trained))
    system = system_with_noise(trained.system, found.sigma)
    solution = trained.solution
    record = replace(solution.record, noise=found.sigma, noise_freedom=found.freedom)
    strengths = {} if solution.posterior is None else solution.posterior.smoothness
    posterior = laplace(system, trained.theta, stiffness=stiffness_of(problem), chosen=strengths)
    posterior = with_profiles(posterior, system, trained.theta, problem)
    estimates = estimates_of(posterior)
    changed = replace(
        solution, problem=problem, estimates=estimates, posterior=posterior, record=record
    )
    return replace(trained, solution=changed, system=system)


def _freedom(trained: Trained) -> Mapping[str, float]:
    """Return the degrees of freedom that field and unknowns take of the readings, by block."""
    known = trained.solution.posterior
    if known is None:
        raise ValueError("noise is estimated from measurements, but nothing was measured")
    return known.freedom
