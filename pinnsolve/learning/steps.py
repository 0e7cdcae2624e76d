"""What all ways of fine-tuning share: the part of a network that is linear, its steps, and how they are judged.

How far an answer is from the solution is estimated as growth does it: by the change of the fields, times the share of
the residual that is left on fresh points.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pinnsolve.blocks import PointCounts
from pinnsolve.learning.starts import base_of
from pinnsolve.networks import MLP, HiddenFeatures, Network, RandomFeatures
from pinnsolve.optimise import HeadNewton
from pinnsolve.optimise.levenberg_marquardt import half_square
from pinnsolve.problem import Problem
from pinnsolve.record import StepRecord
from pinnsolve.residuals import System
from pinnsolve.scaling import Scaling
from pinnsolve.solution import Solution
from pinnsolve.status import Status, StopReason
from pinnsolve.training.convergence import floating_mask, probe_points, snapshot, worst_error
from pinnsolve.training.feature_systems import system_on


@dataclass(frozen=True)
class Moved:
    """Where fine-tuning stands after a step.

    Attributes:
        network: The whole network.
        parameters: Its parameters, shape (P,).
        system: The system that the step was taken on; its network is the part that is trained.
        theta: The parameters of that part, then the unknowns' search variables.
        record: The step.
        stop: Why this was the last step; None if it was not.
    """

    network: Network
    parameters: Tensor
    system: System
    theta: Tensor
    record: StepRecord
    stop: Status | None = None


@dataclass(frozen=True, eq=False)
class LinearPart:
    """The head of a network whose trunk is held.

    Attributes:
        network: The whole network.
        features: The same with the head's weights as its parameters.
        head: Where these begin, shape (K,).
    """

    network: Network
    features: HiddenFeatures | RandomFeatures
    head: Tensor

    def whole(self, theta: Tensor) -> Tensor:
        """Return the parameters of the whole network for theta: a head, then search variables of unknowns."""
        head = theta[: len(self.head)].detach()
        return self.features.whole(head) if isinstance(self.features, HiddenFeatures) else head


def linear_part(start: Solution, problem: Problem, scaling: Scaling) -> LinearPart:
    """Return the head of a start's network.

    Args:
        start: The solution whose trunk is held.
        problem: What is to be solved.
        scaling: Maps between SI and network units, of the new problem.

    Raises:
        ValueError: If the outputs pass through a transform, or the network has no trunk that could be held.
    """
    network, parameters = base_of(start, problem, scaling)
    if isinstance(network, MLP):
        features = HiddenFeatures(network, parameters)
        return LinearPart(network, features, features.head_of(parameters))
    if isinstance(network, RandomFeatures):
        return LinearPart(network, network, parameters)
    raise ValueError(
        "freeze='trunk' needs a network whose outputs are the fields, but this one passes them through a transform: "
        "use freeze='nothing' or a number of layers"
    )


def newton(
    system: System, theta: Tensor, begin: float, step: int, max_steps: int
) -> Iterator[tuple[StepRecord, Tensor, bool]]:
    """Yield Newton steps for a head, numbered from ``step + 1``, and whether each was the last.

    Args:
        system: The system, tabulated.
        theta: Where to begin.
        begin: When training began, on the performance counter.
        step: Steps that were taken before.
        max_steps: Most steps in all.
    """
    optimiser = HeadNewton()
    state = optimiser.init(system, theta)
    for count in range(1, _MAX_STEPS + 1):
        state = optimiser.step(system, state)
        number, seconds = step + count, time.perf_counter() - begin
        done = state.converged or count == _MAX_STEPS or number >= max_steps
        record = StepRecord(number, seconds, state.loss, math.inf, state.damping, state.accepted)
        yield record, state.theta, done
        if done:
            return


@dataclass(frozen=True)
class Judged:
    """Fields and residual at a place, by which the error after the next solve is estimated.

    Attributes:
        fields: Outputs at fixed points, shape (groups, M, C).
        loss: Half the sum of squared rows on points that nothing is solved on.
    """

    fields: Tensor
    loss: float

    def error_at(self, after: Judged, problem: Problem, system: System, theta: Tensor) -> float:
        """Return the estimated relative error of the fields at another place, reached from this one.

        Args:
            after: Fields and residual there.
            problem: What is solved.
            system: Its system.
            theta: The place.
        """
        left = min(1.0, math.sqrt(after.loss / self.loss)) if self.loss > 0.0 else 1.0
        floating = floating_mask(problem, theta)
        return worst_error(system, theta, self.fields, after.fields, floating, left)


@dataclass(frozen=True, eq=False)
class Judge:
    """Points that nothing is solved on, with the features at them: one for all places on the same features.

    Attributes:
        system: The system that is solved.
        fresh: The same on other points, tabulated.
        probe: Points at which fields are compared.
    """

    system: System
    fresh: System
    probe: Tensor

    @classmethod
    def of(cls, problem: Problem, system: System, *, seed: int) -> Judge:
        """Return the judge of a system.

        Args:
            problem: What is solved.
            system: Its system, of a network with a fixed trunk.
            seed: Seed of the points that it is solved on.
        """
        counts = PointCounts(_FRESH, _FRESH // 3, _FRESH // 3 if problem.time is not None else 0)
        network, scaling, weights = system.network, system.scaling, system.weights
        if not isinstance(network, RandomFeatures | HiddenFeatures):
            raise TypeError(f"the trunk must be held, got {network!r}")
        fresh = system_on(problem, network, scaling, weights, seed=seed + 500_009, counts=counts)
        return cls(system, fresh.tabulated(), probe_points(problem, scaling))

    def at(self, theta: Tensor) -> Judged:
        """Return fields and residual at theta."""
        with torch.no_grad():
            fields = snapshot(self.system, theta, self.probe)
            return Judged(fields, half_square(self.fresh.residual(theta)))


def ended(
    problem: Problem,
    part: LinearPart,
    system: System,
    places: tuple[Tensor, Tensor],
    record: StepRecord,
    begin: float,
    *,
    seed: int,
) -> Moved:
    """Return the last place of a head, with its estimated error and why it is the last.

    Args:
        problem: What is solved.
        part: The head.
        system: Its system.
        places: Where it began, and where it ended.
        record: The last step.
        begin: When training began, on the performance counter.
        seed: Seed of the points that it was solved on.
    """
    judge, (first, theta) = Judge.of(problem, system, seed=seed), places
    error = judge.at(first).error_at(judge.at(theta), problem, system, theta)
    last = replace(record, seconds=time.perf_counter() - begin, error_estimate=error)
    stop = status_of_head(error, problem)
    return Moved(part.network, part.whole(theta), system, theta, last, stop)


def point_counts(problem: Problem, num_features: int) -> PointCounts:
    """Return the points to solve for a head on: somewhat more than for features that are made for the problem."""
    interior = max(256, math.ceil(2.2 * num_features))
    if problem.frame.num_axes == 1:
        return PointCounts(interior, 2)
    edge = max(96, round(0.35 * interior))
    return PointCounts(interior, edge, edge if problem.time is not None else 0)


def status_of_head(error: float, problem: Problem) -> Status:
    """Return how a solve for a head ended: a held trunk can do no better."""
    if error < problem.accuracy:
        return Status.of(StopReason.CONVERGED)
    return Status.of(
        StopReason.STALLED,
        f"the head was solved for, and on the trunk that was held the estimated error is {error:.1e}",
    )


def starts_of_unknowns(problem: Problem, like: Tensor) -> Tensor:
    """Return the search variables at which unknowns begin, shape (number of unknowns,)."""
    return like.new_tensor([unknown.start for unknown in problem.unknowns])


_MAX_STEPS = 12
"""Most Newton steps on one set of features."""

_FRESH = 600
"""Points inside on which the residual is judged."""
