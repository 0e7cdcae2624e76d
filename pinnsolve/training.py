"""train(): the loop, with its clock and its random generators."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from pinnsolve.blocks import Choose, PointCounts, draw_uniformly, interior_block, make_blocks
from pinnsolve.distributed import LostProcessError, Reduction, process_group
from pinnsolve.jets import component_names
from pinnsolve.levels import Level, fitted_level, level_times
from pinnsolve.method import Method
from pinnsolve.multi_index import VALUE
from pinnsolve.networks import Network
from pinnsolve.optimise import GaussNewtonState
from pinnsolve.optimise.weights import balanced
from pinnsolve.problem import Problem
from pinnsolve.record import RunRecord, StepRecord
from pinnsolve.residuals import RowKey, System, build_system
from pinnsolve.sampling import choose_adaptively
from pinnsolve.scaling import Scaling, find_scaling
from pinnsolve.solution import Solution
from pinnsolve.status import Status, StopReason
from pinnsolve.threads import one_torch_thread
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

    The error estimate (see :func:`estimated_error`) is a stopping rule; the verdict does not use it.

    Args:
        problem: The declaration.
        method: How to solve it; None chooses everything.
        seed: Seed of points and initial parameters; the same seed gives the same numbers.
        observer: Called after every step.

    Processes that were started by ``torchrun`` share the rows and return the same state; only the
    first calls the observer.

    Returns:
        The last good state with the reason for stopping; Ctrl-C stops early and returns too.
    """
    how = method if method is not None else Method()
    begin = time.perf_counter()
    with one_torch_thread(), process_group(how.torch_device) as reduction:
        system, theta = prepare(problem, how, seed=seed)
        state = how.optimiser.init(_own_rows(system, reduction), theta, reduction)
        history: list[StepRecord] = []
        reason, detail = StopReason.MAX_STEPS, ""
        try:
            for taken in _steps(problem, how, system, state, seed, reduction):
                record, system, state = taken
                history.append(record)
                if observer is not None and reduction.rank == 0:
                    observer(record)
                stop = _stop_reason(problem, how, history, state)
                if stop is not None:
                    reason = stop
                    break
        except KeyboardInterrupt:
            reason = StopReason.INTERRUPTED
        except LostProcessError as error:
            reason, detail = StopReason.LOST_PROCESS, str(error)
        run = RunRecord(
            status=Status.of(reason, detail),
            history=tuple(history),
            seconds=time.perf_counter() - begin,
            seed=seed,
            precision=str(how.dtype).removeprefix("torch."),
            device=how.device,
            num_parameters=system.num_parameters,
            num_points=system.block_sizes,
            network=repr(system.network),
            versions=versions(),
        )
        return Trained(_finished(problem, system, state.theta, run), system, state.theta)


def _own_rows(system: System, reduction: Reduction) -> System:
    """Return this process's share of a system."""
    return system if reduction.size == 1 else system.shard(reduction.rank, reduction.size)


def _steps(
    problem: Problem,
    method: Method,
    system: System,
    state: GaussNewtonState,
    seed: int,
    reduction: Reduction,
) -> Iterator[tuple[StepRecord, System, GaussNewtonState]]:
    """Yield every step's record, system and state."""
    probe = _probe_points(problem, system.scaling)
    snapshots = [_snapshot(system, state.theta, probe)]
    floating = probe.new_tensor(
        [float(name in problem.floating_fields) for name in problem.component_names]
    )
    start, own = time.perf_counter(), _own_rows(system, reduction)
    for step in range(1, method.max_steps + 1):
        due = method.resample_every and step % method.resample_every == 0
        if due or not state.accepted:
            system = on_fresh_points(problem, method, system, state.theta, seed=seed + 1009 * step)
            own = _own_rows(system, reduction)
        state = method.optimiser.step(own, state, reduction)
        snapshots = [*snapshots[-_MEMORY:], _snapshot(system, state.theta, probe)]
        error = (
            estimated_error(system, state.theta, snapshots, floating)
            if step >= _MEMORY
            else math.inf
        )
        # what decides when to stop has to be the same on all processes
        deciding = state.theta.new_tensor([time.perf_counter() - start, error], dtype=torch.float64)
        seconds, error = reduction.agreed(deciding).tolist()
        yield (
            StepRecord(step, seconds, state.loss, error, state.damping, state.accepted),
            system,
            state,
        )


def _stop_reason(
    problem: Problem, method: Method, history: list[StepRecord], state: GaussNewtonState
) -> StopReason | None:
    """Return why to stop after the last step, or None to go on."""
    if not math.isfinite(state.loss):
        return StopReason.NON_FINITE
    if len(history) >= _MAX_REFUSALS and not any(r.accepted for r in history[-_MAX_REFUSALS:]):
        return StopReason.STALLED
    if history[-1].error_estimate < STOP_SHARE * problem.accuracy:
        return StopReason.CONVERGED
    if history[-1].seconds > method.max_seconds:
        return StopReason.MAX_SECONDS
    return None


_MAX_REFUSALS = 3
"""Steps in a row, each on new points, without progress, after which a run has stalled."""

STOP_SHARE = 0.4
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


def on_fresh_points(
    problem: Problem, method: Method, system: System, theta: Tensor, *, seed: int
) -> System:
    """Return the same weighted system on newly drawn points, some of them where the residual is large."""
    choose = partial(choose_adaptively, problem, system, theta, method.adaptive_share)
    return _system(
        problem, method, system.network, system.scaling, system.weights, seed=seed, choose=choose
    )


def _system(
    problem: Problem,
    method: Method,
    network: Network,
    scaling: Scaling,
    weights: Mapping[RowKey, float],
    *,
    seed: int,
    choose: Choose = draw_uniformly,
) -> System:
    return build_system(
        make_blocks(problem, method.points_for(problem, network), seed=seed, choose=choose),
        problem.field_shapes,
        problem.frame,
        network,
        scaling,
        problem.unknowns,
        weights=weights,
        max_points=method.max_batch_points,
    )


def _finished(problem: Problem, system: System, theta: Tensor, record: RunRecord) -> Solution:
    """Return the solution with estimates of the unknowns and the level of floating fields."""
    estimates = estimate_unknowns(system, theta) if problem.unknowns else ()
    parameters = theta[: system.network.num_parameters].detach()
    solution = Solution(problem, system.network, parameters, system.scaling, estimates, record)
    return replace(
        solution, levels={name: mean_level(solution, name) for name in problem.floating_fields}
    )


def mean_level(solution: Solution, name: str) -> Level:
    """Return the mean of a scalar field over the domain, as a function of time if unsteady."""
    interval = solution.problem.time
    if interval is None:
        return Level((float(solution.average(name)),))
    times = level_times(interval.start, interval.end)
    means = np.array([float(solution.average(name, time=float(t))) for t in times])
    return fitted_level(means, interval.start, interval.end)


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
    points = interior_block(problem, 512, 31).point_sets[0]
    return scaling.to_unit(points.to(dtype=scaling.offset.dtype, device=scaling.offset.device))


def _snapshot(system: System, theta: Tensor, unit_points: Tensor) -> Tensor:
    """Return the network's outputs at the probe points, shape (N, C)."""
    with torch.no_grad():
        parameters = theta[: system.network.num_parameters]
        return system.network.streams(parameters, unit_points, (VALUE,))[0]


def estimated_error(
    system: System, theta: Tensor, snapshots: Sequence[Tensor], floating: Tensor
) -> float:
    """Return the larger of two relative errors, the worst over the components.

    One is the change of the field over the last steps: convergence is at least geometric in practice, so the last
    change bounds what is still missing. The other is the misfit of given boundary and initial values.

    Args:
        system: The system.
        theta: Its parameters.
        snapshots: Network outputs (N, C) at fixed points, oldest first.
        floating: 1 for components whose level nothing determines, else 0, shape (C,).
    """
    old, new = snapshots[0], snapshots[-1]
    size = (new - new.mean(dim=0)).square().mean(dim=0).sqrt()
    size = torch.maximum(size, 0.05 * size.max())
    moved = new - old
    moved = moved - floating * moved.mean(dim=0)
    change = moved.square().mean(dim=0).sqrt() / size
    misfit = given_misfit(system, theta) / size
    return float(torch.maximum(change, misfit).max())


def given_misfit(system: System, theta: Tensor) -> Tensor:
    """Return the root-mean-square misfit of given values by component, in network units, shape (C,)."""
    names = component_names(system.shapes)
    squares = theta.new_zeros(len(names))
    counts = theta.new_zeros(len(names))
    kinds = {block.name: block.kind for block in system.blocks}
    values_only = replace(system, groups=tuple(g for g in system.groups if g.indices == (VALUE,)))
    with torch.no_grad():
        for key, rows in values_only.rows_by_key(theta).items():
            if kinds[key.block] in ("boundary", "initial") and key.equation in names:
                position = names.index(key.equation)
                squares[position] += (rows / system.weights[key]).square().sum() * len(rows)
                counts[position] += len(rows)
    return (squares / counts.clamp_min(1.0)).sqrt() / system.scaling.scale
