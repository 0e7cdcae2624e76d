"""train(): the loop, with its clock and its random generators."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pinnsolve.blocks import PointCounts, make_blocks
from pinnsolve.estimates import Estimate
from pinnsolve.method import Method
from pinnsolve.multi_index import VALUE
from pinnsolve.networks import Network
from pinnsolve.optimise import GaussNewtonState
from pinnsolve.optimise.weights import balanced
from pinnsolve.problem import Problem
from pinnsolve.record import RunRecord, StepRecord
from pinnsolve.residuals import RowKey, System, build_system
from pinnsolve.scaling import Scaling, find_scaling
from pinnsolve.solution import Solution, component_values
from pinnsolve.status import Status, StopReason
from pinnsolve.uncertainty import estimate_unknowns

Observer = Callable[[StepRecord], None]
"""Called after every step, for progress bars and logs."""

_MEMORY = 10
"""Steps over which a change of the fields is measured to estimate their error."""


@dataclass(frozen=True)
class Trained:
    """A solution together with the system it was trained on.

    Attributes:
        solution: The solution.
        system: The least-squares system.
        theta: Network parameters and the unknowns' search variables.
    """

    solution: Solution
    system: System
    theta: Tensor


def train(
    problem: Problem,
    method: Method | None = None,
    *,
    seed: int = 0,
    observer: Observer | None = None,
) -> Trained:
    """Train a network on a problem.

    The error estimate compares the fields with those of ten steps before, relative to each
    component's size: the convergence is at least geometric in practice, so the last change bounds
    what is still missing. It is a stopping rule; the verdict does not use it.

    Args:
        problem: The declaration.
        method: How to solve it; None chooses everything.
        seed: Seed of points and initial parameters; the same seed gives the same numbers.
        observer: Called after every step.

    Returns:
        The last good state with the reason for stopping; Ctrl-C stops early and returns too.
    """
    how = method if method is not None else Method()
    begin = time.perf_counter()
    system, theta = prepare(problem, how, seed=seed)
    probe = _probe_points(problem, system.scaling)
    state = how.optimiser.init(system, theta)
    history: list[StepRecord] = []
    snapshots = [_snapshot(system, state.theta, probe)]
    reason = StopReason.MAX_STEPS
    start = time.perf_counter()
    try:
        for step in range(1, how.max_steps + 1):
            if how.resample_every and step % how.resample_every == 0:
                system = on_fresh_points(problem, how, system, seed=seed + 1009 * step)
            state = how.optimiser.step(system, state)
            snapshots = [*snapshots[-_MEMORY:], _snapshot(system, state.theta, probe)]
            error = _change(snapshots) if step >= _MEMORY else float("inf")
            seconds = time.perf_counter() - start
            history.append(StepRecord(step, seconds, state.loss, error, state.damping))
            if observer is not None:
                observer(history[-1])
            if not np.isfinite(state.loss):
                reason = StopReason.NON_FINITE
                break
            if not state.accepted:
                reason = StopReason.STALLED
                break
            if error < _MARGIN * problem.accuracy:
                reason = StopReason.CONVERGED
                break
            if seconds > how.max_seconds:
                reason = StopReason.MAX_SECONDS
                break
    except KeyboardInterrupt:
        reason = StopReason.INTERRUPTED
    solution = _finish(problem, how, system, state, history, reason, seed, begin)
    return Trained(solution, system, state.theta)


_MARGIN = 0.2
"""Share of the accuracy asked for at which training stops, since the estimate is not a bound."""


def prepare(problem: Problem, method: Method, *, seed: int) -> tuple[System, Tensor]:
    """Return the weighted system of a problem and initial parameters.

    Args:
        problem: The declaration.
        method: How to solve it.
        seed: Seed of points and parameters.
    """
    few = make_blocks(
        problem, PointCounts(64, 64, 64 if problem.time is not None else 0), seed=seed + 5
    )
    device = method.torch_device
    scaling = find_scaling(problem, few).to(dtype=method.dtype, device=device)
    network = method.network_for(problem)
    system = _system(problem, method, network, scaling, {}, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    parameters = network.initial_parameters(generator, dtype=method.dtype, device=device)
    starts = parameters.new_tensor([unknown.start for unknown in problem.unknowns])
    theta = torch.cat((parameters, starts))
    return balanced(system, theta), theta


def on_fresh_points(problem: Problem, method: Method, system: System, *, seed: int) -> System:
    """Return the same weighted system on newly drawn points."""
    return _system(problem, method, system.network, system.scaling, system.weights, seed=seed)


def _system(
    problem: Problem,
    method: Method,
    network: Network,
    scaling: Scaling,
    weights: Mapping[RowKey, float],
    *,
    seed: int,
) -> System:
    return build_system(
        make_blocks(problem, method.points_for(problem, network), seed=seed),
        problem.field_shapes,
        problem.frame,
        network,
        scaling,
        problem.unknowns,
        weights=weights,
        max_points=method.max_batch_points,
    )


def _finish(
    problem: Problem,
    method: Method,
    system: System,
    state: GaussNewtonState,
    history: list[StepRecord],
    reason: StopReason,
    seed: int,
    begin: float,
) -> Solution:
    estimates = estimate_unknowns(system, state.theta) if problem.unknowns else ()
    solution = _assemble(
        problem, method, system, state.theta, estimates, history, reason, seed, begin
    )
    if not problem.floating_fields:
        return solution
    points = make_blocks(problem, PointCounts(4096, 1, 1), seed=seed + 17)[0].point_sets[0].numpy()
    means = dict(
        zip(problem.component_names, component_values(solution, points).mean(axis=0), strict=True)
    )
    levels = {name: float(means[name]) for name in problem.floating_fields}
    return _assemble(
        problem, method, system, state.theta, estimates, history, reason, seed, begin, levels
    )


def _assemble(
    problem: Problem,
    method: Method,
    system: System,
    theta: Tensor,
    estimates: tuple[Estimate, ...],
    history: list[StepRecord],
    reason: StopReason,
    seed: int,
    begin: float,
    levels: dict[str, float] | None = None,
) -> Solution:
    points: dict[str, int] = {}
    for block in system.blocks:
        points[block.name] = points.get(block.name, 0) + block.num_points
    record = RunRecord(
        status=Status.of(reason),
        history=tuple(history),
        seconds=time.perf_counter() - begin,
        seed=seed,
        precision=str(method.dtype).removeprefix("torch."),
        device=method.device,
        num_parameters=system.num_parameters,
        num_points=points,
        network=repr(system.network),
        versions=versions(),
    )
    network: Network = system.network
    parameters = theta[: network.num_parameters].detach()
    return Solution(problem, network, parameters, system.scaling, estimates, record, levels or {})


def versions() -> dict[str, str]:
    """Return the versions a result depends on."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        own = version("pinnsolve")
    except PackageNotFoundError:
        own = "not installed"
    return {
        "pinnsolve": own,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def _probe_points(problem: Problem, scaling: Scaling) -> Tensor:
    points = make_blocks(problem, PointCounts(512, 1, 1), seed=31)[0].point_sets[0]
    return scaling.to_unit(points.to(dtype=scaling.offset.dtype, device=scaling.offset.device))


def _snapshot(system: System, theta: Tensor, unit_points: Tensor) -> Tensor:
    """Return the network's outputs at the probe points, shape (N, C)."""
    with torch.no_grad():
        parameters = theta[: system.network.num_parameters]
        return system.network.streams(parameters, unit_points, (VALUE,))[0]


def _change(snapshots: list[Tensor]) -> float:
    """Return the largest relative change of a component between the first and the last snapshot."""
    old, new = snapshots[0], snapshots[-1]
    centred = new - new.mean(dim=0)
    size = centred.square().mean(dim=0).sqrt()
    floor = 0.05 * size.max()
    difference = (new - old) - (new - old).mean(dim=0)
    return float((difference.square().mean(dim=0).sqrt() / torch.maximum(size, floor)).max())
