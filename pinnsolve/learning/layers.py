"""Fine-tuning of a trained network by Gauss-Newton: all of it, some layers, adapters, more layers step by step.

What is held is a column of the Jacobian left out. Where more of it is freed, the steps go on from where they are, with
the damping they have come to.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from pinnsolve.architecture import satisfied_rows
from pinnsolve.blocks import Choose, draw_uniformly, make_blocks
from pinnsolve.learning.freezing import Freezing
from pinnsolve.learning.starts import base_of, moved_scaling
from pinnsolve.learning.steps import Moved, starts_of_unknowns
from pinnsolve.method import Method
from pinnsolve.networks import MLP, Adapted, Network, PartlyTrained, Transformed
from pinnsolve.optimise import GaussNewton
from pinnsolve.optimise.weights import balanced
from pinnsolve.problem import Problem
from pinnsolve.record import StepRecord
from pinnsolve.residuals import System, build_system
from pinnsolve.sampling import choose_adaptively
from pinnsolve.scaling import Scaling
from pinnsolve.solution import Solution
from pinnsolve.status import Status, StopReason
from pinnsolve.training.convergence import (
    STOP_SHARE,
    floating_mask,
    probe_points,
    snapshot,
    worst_error,
)


@dataclass(frozen=True, eq=False)
class _Trainee:
    """A network of which some is trained.

    Attributes:
        network: The whole network, as it will be kept.
        adapted: Its MLP, or that with adapters.
        base: All parameters where training stands, those of adapters included.
        freezing: What is held.
    """

    network: Network
    adapted: MLP | Adapted
    base: Tensor
    freezing: Freezing

    @property
    def plain(self) -> MLP:
        return self.adapted.inner if isinstance(self.adapted, Adapted) else self.adapted

    def part(self, step: int) -> PartlyTrained:
        """Return the network whose parameters are those that are trained after so many steps."""
        positions, rates = self.freezing.trained(self.plain, step)
        extra = torch.arange(self.plain.num_parameters, len(self.base), device="cpu")
        rates = torch.cat((rates, torch.ones(len(extra), dtype=torch.float64, device="cpu")))
        return PartlyTrained(self.adapted, self.base, torch.cat((positions, extra)), rates)

    def on(self, part: Network) -> Network:
        """Return a part of the network with the transform that the whole has."""
        if isinstance(self.network, Transformed):
            return Transformed(part, self.network.transform)
        return part

    def merged(self, whole: Tensor) -> Tensor:
        """Return the parameters (P,) of the network that is kept."""
        return self.adapted.merged(whole) if isinstance(self.adapted, Adapted) else whole


def layer_steps(
    problem: Problem, start: Solution, method: Method, freezing: Freezing, *, seed: int
) -> Iterator[Moved]:
    """Yield Gauss-Newton steps on what is not held.

    Args:
        problem: What is to be solved.
        start: The solution to begin from, on a trained network.
        method: Its optimiser, limits and points.
        freezing: What is held.
        seed: Seed of points and adapters.

    Raises:
        ValueError: If the start has no trained layers, or nothing is left to train.
    """
    begin, scaling = time.perf_counter(), moved_scaling(start, problem)
    trainee = _trainee(problem, start, scaling, freezing, seed=seed)
    optimiser = method.optimiser if isinstance(method.optimiser, GaussNewton) else GaussNewton()
    optimiser = replace(optimiser, initial_damping=_FIRST_DAMPING)
    system = _weighted(problem, method, trainee, scaling, seed=seed)
    part, unknowns = trainee.part(0), starts_of_unknowns(problem, trainee.base)
    state = optimiser.init(
        system, torch.cat((trainee.base.new_zeros(part.num_parameters), unknowns))
    )
    probe, floating = probe_points(problem, scaling), floating_mask(problem, trainee.base)
    snapshots: tuple[Tensor, ...] = (snapshot(system, state.theta, probe),)
    refusals = 0
    for step in range(1, method.max_steps + 1):
        free = step - 1 in freezing.unfreeze_at
        if free:
            trainee, theta = _rebased(trainee, part, state.theta)
            part = trainee.part(step - 1)
            theta = torch.cat((theta.new_zeros(part.num_parameters), theta))
            system = replace(system, network=trainee.on(part))
            state = replace(state, theta=theta)
        due = method.resample_every and step % method.resample_every == 0
        if due or not state.accepted:
            system = _fresh(problem, method, system, state.theta, seed=seed + 1009 * step)
        state = optimiser.step(system, state)
        refusals = 0 if state.accepted else refusals + 1
        snapshots = (*snapshots[-_MEMORY:], snapshot(system, state.theta, probe))
        error = math.inf
        if step >= _MEMORY:
            error = worst_error(system, state.theta, snapshots[0], snapshots[-1], floating)
        seconds = time.perf_counter() - begin
        record = StepRecord(step, seconds, state.loss, error, state.damping, state.accepted)
        left = len(freezing.unfreeze_at) and step < freezing.unfreeze_at[-1]
        stop = _why_stop(problem, method, record, refusals, waiting=bool(left))
        count = part.num_parameters
        kept = trainee.merged(part.whole(state.theta[:count])).detach()
        yield Moved(trainee.network, kept, system, state.theta, record, stop)
        if stop is not None:
            return


def _trainee(
    problem: Problem, start: Solution, scaling: Scaling, freezing: Freezing, *, seed: int
) -> _Trainee:
    network, base = base_of(start, problem, scaling)
    plain = network.inner if isinstance(network, Transformed) else network
    if not isinstance(plain, MLP):
        raise ValueError(
            f"start: {plain!r} has no trained layers for adapters, rates or gradual unfreezing; its head is all there "
            "is: leave adapter_rank, unfreeze_at and rates out, or start from Method(trunk='trained')"
        )
    held = freezing.num_held(len(plain.layers))
    if freezing.adapter_rank is None:
        if held == len(plain.layers):
            raise ValueError(
                "freeze='all' leaves nothing to train; give adapter_rank, or new features (leave rates out)"
            )
        return _Trainee(network, plain, base, freezing)
    if held == 0:
        raise ValueError(
            "adapter_rank: adapters are for layers that are held, and none is; use freeze='all' or 'trunk'"
        )
    adapted = Adapted(plain, freezing.adapter_rank, tuple(range(held)))
    generator = torch.Generator().manual_seed(seed)
    return _Trainee(network, adapted, adapted.begun_at(base, generator), freezing)


def _rebased(trainee: _Trainee, part: PartlyTrained, theta: Tensor) -> tuple[_Trainee, Tensor]:
    """Return the network with its base where training stands, and the unknowns' search variables."""
    count = part.num_parameters
    return replace(trainee, base=part.whole(theta[:count]).detach()), theta[count:]


def _weighted(
    problem: Problem, method: Method, trainee: _Trainee, scaling: Scaling, *, seed: int
) -> System:
    """Return the system, its equations weighted with all parameters free, as at the start of training."""
    satisfied = satisfied_rows(problem, trainee.network, scaling)
    blocks = make_blocks(problem, method.points_for(problem, trainee.network), seed=seed)
    system = build_system(
        blocks,
        problem.field_shapes,
        problem.frame,
        trainee.network,
        scaling,
        problem.unknowns,
        max_points=method.max_batch_points,
        satisfied=satisfied,
    )
    whole = trainee.base[: trainee.network.num_parameters]
    theta = torch.cat((whole, starts_of_unknowns(problem, whole)))
    return replace(balanced(system, theta), network=trainee.on(trainee.part(0)))


def _fresh(problem: Problem, method: Method, system: System, theta: Tensor, *, seed: int) -> System:
    """Return the same weighted system on newly drawn points."""
    choose: Choose = draw_uniformly
    if method.adaptive_share:
        choose = partial(choose_adaptively, problem, system, theta, method.adaptive_share)
    whole = system.network
    blocks = make_blocks(
        problem, method.points_for(problem, _plain(whole)), seed=seed, choose=choose
    )
    return build_system(
        blocks,
        problem.field_shapes,
        problem.frame,
        whole,
        system.scaling,
        problem.unknowns,
        weights=system.weights,
        max_points=method.max_batch_points,
        satisfied=system.satisfied,
    )


def _plain(network: Network) -> Network:
    """Return the network that a partly trained one is a part of, which says how many points there are to be."""
    if isinstance(network, Transformed):
        return Transformed(_plain(network.inner), network.transform)
    return network.inner if isinstance(network, PartlyTrained) else network


def _why_stop(
    problem: Problem, method: Method, record: StepRecord, refusals: int, *, waiting: bool
) -> Status | None:
    """Return why to stop after a step, or None to go on; layers that wait for their turn keep it going."""
    if not math.isfinite(record.loss):
        return Status.of(StopReason.NON_FINITE)
    if record.seconds > method.max_seconds:
        return Status.of(StopReason.MAX_SECONDS)
    if record.step == method.max_steps:
        return Status.of(StopReason.MAX_STEPS)
    if waiting:
        return None
    if refusals >= _MAX_REFUSALS:
        return Status.of(StopReason.STALLED)
    if record.error_estimate < STOP_SHARE * problem.accuracy:
        return Status.of(StopReason.CONVERGED)
    return None


_FIRST_DAMPING = 1e-8
"""First damping: where training begins near the solution, full steps are right; a refusal raises it."""

_MEMORY = 5
"""Steps over which a change of the fields is measured to estimate their error."""

_MAX_REFUSALS = 3
"""Steps in a row without progress after which a run has stalled."""
