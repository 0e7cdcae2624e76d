"""What a start is worth: seconds and steps to the same error, and whether it is worse than none."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from pinnsolve.architecture import with_kinks
from pinnsolve.blocks import interior_block
from pinnsolve.exact_fields import exact_components
from pinnsolve.learning.prepared import Prepared
from pinnsolve.learning.starts import Start, base_of, moved_scaling
from pinnsolve.learning.steps import newton, starts_of_unknowns
from pinnsolve.learning.transfer import finetune_trained
from pinnsolve.method import Method
from pinnsolve.optimise.levenberg_marquardt import half_square
from pinnsolve.problem import Problem
from pinnsolve.solution import Array, Solution, component_values
from pinnsolve.training import train
from pinnsolve.training.feature_layers import features_for
from pinnsolve.training.feature_systems import smooth_weights, system_on

ErrorOf = Callable[[Solution], float]
"""The error of a solution, however it is known."""


@dataclass(frozen=True)
class Curve:
    """Error against time of one run.

    Attributes:
        seconds: CPU time after every step, without that of measuring the error, in s.
        errors: Error after every step.
        total_seconds: CPU time of the whole run, in s.
    """

    seconds: tuple[float, ...]
    errors: tuple[float, ...]
    total_seconds: float

    def reach(self, goal: float) -> tuple[float, int]:
        """Return seconds and steps until the error is at most ``goal``; inf and 0 if it never was."""
        for step, (seconds, error) in enumerate(zip(self.seconds, self.errors, strict=True), 1):
            if error <= goal:
                return seconds, step
        return math.inf, 0


@dataclass(frozen=True)
class Gain:
    """A run from a start beside one from nothing.

    Attributes:
        goal: The error that both are held to.
        warm: The run from the start.
        cold: The run from nothing.
    """

    goal: float
    warm: Curve
    cold: Curve

    @property
    def factor(self) -> float:
        """How many times fewer seconds to the goal; 0 if the start never gets there."""
        seconds, cold = self.warm.reach(self.goal)[0], self.cold.reach(self.goal)[0]
        return 0.0 if math.isinf(seconds) else cold / seconds

    @property
    def step_factor(self) -> float:
        """How many times fewer steps to the goal; nan if either never gets there."""
        steps, cold = self.warm.reach(self.goal)[1], self.cold.reach(self.goal)[1]
        return cold / steps if steps and cold else math.nan


def measure_gain(
    start: Start | Prepared,
    problem: Problem,
    error: ErrorOf,
    *,
    goal: float | None = None,
    freeze: str | int | None = None,
    adapter_rank: int | None = None,
    unfreeze_at: int | Sequence[int] | None = None,
    rates: Sequence[float] | None = None,
    method: Method | None = None,
    cold_method: Method | None = None,
    seed: int = 0,
) -> Gain:
    """Solve a problem from a start and from nothing, and compare.

    Args:
        start: The start.
        problem: What is to be solved.
        error: Measures the error of a solution; see :func:`error_against`.
        goal: The error to reach; None takes the smallest that both reach.
        freeze: As for ``finetune``.
        adapter_rank: As for ``finetune``.
        unfreeze_at: As for ``finetune``.
        rates: As for ``finetune``.
        method: Of the run from the start, and of the other if that has none of its own.
        cold_method: Of the run from nothing.
        seed: Seed of both runs.
    """
    warm = _Watched(error)
    finetune_trained(
        start,
        problem,
        freeze=freeze,
        adapter_rank=adapter_rank,
        unfreeze_at=unfreeze_at,
        rates=rates,
        method=method,
        seed=seed,
        watcher=warm,
    )
    warm_curve = warm.curve()
    cold = _Watched(error)
    train(problem, cold_method or method, seed=seed, watcher=cold)
    cold_curve = cold.curve()
    if goal is None:
        goal = max(min(warm_curve.errors), min(cold_curve.errors))
    return Gain(goal, warm_curve, cold_curve)


def error_against(
    problem: Problem, truth: Callable[[Array], Array] | None = None, number: int = 1000
) -> ErrorOf:
    """Return what measures the worst relative L2 error over all components, at points inside.

    The mean of fields whose level nothing determines does not count.

    Args:
        problem: What is solved.
        truth: Returns all components (N, C) at points (N, D); None takes the problem's exact solution.
        number: Number of points.

    Raises:
        ValueError: If there is neither.
    """
    if truth is None and problem.exact is None:
        raise ValueError(
            f"{problem.name!r} has no exact solution to measure errors against; give truth, for instance "
            "find_reference(problem).evaluate"
        )
    points = interior_block(problem, number, _POINTS_SEED).point_sets[0].numpy()
    known = None if truth is None else truth(points)
    floating = [name in problem.floating_fields for name in problem.component_names]

    def error(solution: Solution) -> float:
        right = exact_components(solution, points) if known is None else known
        missing = component_values(solution, points) - right
        missing[:, floating] -= missing[:, floating].mean(axis=0)
        size = (right - right.mean(axis=0)).std(axis=0)
        return float((((missing**2).mean(axis=0)) ** 0.5 / size).max())

    return error


class _Watched:
    """A watcher that measures the error after every step, with its own time left out."""

    def __init__(self, error: ErrorOf) -> None:
        self._error, self._begin, self._spent = error, time.process_time(), 0.0
        self._seconds: list[float] = []
        self._errors: list[float] = []

    def __call__(self, seconds: float, solution: Solution) -> None:
        del seconds
        begin = time.process_time()
        self._seconds.append(begin - self._begin - self._spent)
        self._errors.append(self._error(solution))
        self._spent += time.process_time() - begin

    def curve(self) -> Curve:
        total = time.process_time() - self._begin - self._spent
        return Curve(tuple(self._seconds), tuple(self._errors), total)


@dataclass(frozen=True)
class StartCheck:
    """The residual of a start beside that of none, on the same points.

    Attributes:
        loss: Half the weighted sum of squares of the start.
        cold_loss: The same of no start.
        loss_after: Of the start, after a few Newton steps on few features.
        cold_loss_after: Of no start, after as many steps.
    """

    loss: float
    cold_loss: float
    loss_after: float
    cold_loss_after: float

    @property
    def why_harmful(self) -> str:
        """Why the start is worse than none, in words; empty if it is not."""
        if not self.loss <= self.cold_loss:
            return f"its residual is {_times(self.loss, self.cold_loss)} that of no start at all"
        if not self.loss_after <= _NOT_WORSE * self.cold_loss_after:
            return (
                f"after {_FEW_STEPS} steps its residual is {_times(self.loss_after, self.cold_loss_after)} that of a "
                "run without it"
            )
        return ""


def check_of_start(problem: Problem, start: Solution, *, seed: int = 0) -> StartCheck:
    """Return the residual of a start and of none, before and after a few steps on few features.

    Args:
        problem: What is to be solved.
        start: The start, stretched to the problem's bounds.
        seed: Seed of features and points.
    """
    scaling = moved_scaling(start, problem)
    weights = smooth_weights(problem, scaling, seed=seed)
    axes = with_kinks(problem).num_features(problem.frame.num_axes)
    slopes = torch.full((axes,), _SLOPE, dtype=torch.float64, device="cpu")
    plain = features_for(problem, _FEW_FEATURES, slopes, scaling, seed=seed)
    found = []
    for base in (base_of(start, problem, scaling), None):
        network = replace(plain, base=base)
        system = system_on(problem, network, scaling, weights, seed=seed).tabulated()
        theta = slopes.new_zeros(network.num_parameters)
        theta = torch.cat((theta, starts_of_unknowns(problem, theta)))
        with torch.no_grad():
            before = half_square(system.residual(theta))
        *_, (record, _, _) = newton(system, theta, 0.0, 0, _FEW_STEPS)
        found.append((before, record.loss))
    (loss, after), (cold, cold_after) = found
    return StartCheck(loss, cold, after, cold_after)


def _times(one: float, other: float) -> str:
    return f"{math.sqrt(one / other):.3g} times" if other > 0.0 else "above"


_POINTS_SEED = 77
"""Seed of the points that errors are measured at."""

_FEW_FEATURES = 100
"""Features on which a start is compared with none."""

_FEW_STEPS = 2
"""Newton steps after which a start is compared with none."""

_SLOPE = 2.0
"""Typical slope of these features."""

_NOT_WORSE = 1.5
"""Ratio of losses up to which a start is not called worse after a few steps: both end near the same floor."""
