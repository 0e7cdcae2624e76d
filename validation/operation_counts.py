"""Count what a step computes, and make the cases that the scaling model projects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from pinnsolve.validation.scaling_model import Device, Link, StepCost
from torch import Tensor
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from pinnsolve.blocks import PointCounts
from pinnsolve.method import Method
from pinnsolve.optimise.products import jacobian_transpose_product, products
from pinnsolve.problem import Problem
from pinnsolve.residuals import System
from pinnsolve.training import prepare

H200 = Device(
    matrix_rate=0.5 * 67e12,
    solve_rate=0.15 * 67e12,
    memory_bandwidth=0.6 * 4.8e12,
    launch=5e-6,
    per_node=8,
    inner=Link(0.8 * 450e9, 10e-6),
    outer=Link(0.8 * 50e9, 20e-6),
)
"""NVIDIA H200 SXM by its data sheet (float64 tensor cores 67 Tflop/s, 4.8 TB/s, NVLink 450 GB/s a direction), one
400 Gbit/s InfiniBand port a GPU, and assumed shares of these peaks."""

TRIALS = 1.5
"""Dampings tried per step, assumed."""

ITERATIONS = 4
"""Conjugate gradient iterations per linear system, assumed."""

RESAMPLE_EVERY = 5
WORD = 8


@dataclass(frozen=True)
class Counts:
    """Work of one evaluation.

    Attributes:
        launches: Operations that compute something.
        traffic: Bytes read and written by them.
        flops: Of matrix products.
    """

    launches: float
    traffic: float
    flops: float


@dataclass(frozen=True)
class Projection:
    """A case of the table.

    Attributes:
        name: For the table.
        step: What one of its steps costs.
        device: What it runs on.
    """

    name: str
    step: StepCost
    device: Device


class _Counter(TorchDispatchMode):
    """Adds up operations and their tensors; views cost nothing."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.launches = 0
        self.traffic = 0

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        """Run one operation and count it."""
        del types
        result = func(*args, **(kwargs or {}))
        if not func.is_view:
            self.launches += 1
            self.traffic += _bytes_of((args, tuple((kwargs or {}).values()), result))
        return result


def _bytes_of(item: object) -> int:
    if isinstance(item, torch.Tensor):
        return item.nbytes
    return sum(map(_bytes_of, item)) if isinstance(item, tuple | list) else 0


def counted(action: Callable[[], object]) -> Counts:
    """Return the operations of an action."""
    flops = FlopCounterMode(display=False)
    with flops, _Counter() as counter:
        action()
    return Counts(counter.launches, counter.traffic, flops.get_total_flops())


def per_row(problem: Problem, width: int, work: Callable[[System, Tensor], object]) -> Counts:
    """Return launches of one batch, and traffic and flops per row, from the slope over two sizes.

    Args:
        problem: What is solved.
        width: Neurons in each of four hidden layers.
        work: What is counted.
    """
    found = []
    for number in (256, 512):
        how = Method(hidden=(width,) * 4, points=PointCounts(number, 64))
        system, theta = prepare(problem, how, seed=0)
        found.append((system.num_rows, counted(lambda s=system, t=theta: work(s, t))))  # type: ignore[misc]
    (few, small), (many, large) = found
    rows = many - few
    return Counts(
        large.launches, (large.traffic - small.traffic) / rows, (large.flops - small.flops) / rows
    )


def evaluation(system: System, theta: Tensor) -> None:
    """Evaluate the rows."""
    with torch.no_grad():
        system.residual(theta)


def trial(system: System, theta: Tensor) -> None:
    """Do what trying one damping does per row: three evaluations and one reverse pass."""
    for _ in range(3):
        evaluation(system, theta)
    jacobian_transpose_product(system, theta, theta.new_ones(system.num_rows))


def jacobian(system: System, theta: Tensor) -> None:
    """Evaluate the Jacobian, batch by batch."""
    for _ in system.linearised(theta):
        pass


def conjugate_gradients(system: System, theta: Tensor) -> None:
    """Do what solving one linear system does per row."""
    matrix = products(system, theta, system.num_rows)
    for _ in range(ITERATIONS):
        matrix.pull(matrix.push(theta))


def added(parts: list[tuple[float, Counts]]) -> Counts:
    """Return counts, each taken so many times."""
    return Counts(
        sum(times * part.launches for times, part in parts),
        sum(times * part.traffic for times, part in parts),
        sum(times * part.flops for times, part in parts),
    )


def dense_case(problem: Problem, width: int, rows: float, points: float) -> Projection:
    """Return the case of Gauss-Newton with J^T J.

    Args:
        problem: What is solved.
        width: Neurons in each of four hidden layers.
        rows: M.
        points: Time on the host per point that is drawn, in s.
    """
    size = Method(hidden=(width,) * 4).network_for(problem).num_parameters
    work = added(
        [(1.0, per_row(problem, width, jacobian)), (TRIALS, per_row(problem, width, trial))]
    )
    step = StepCost(
        num_rows=rows,
        flops_per_row=work.flops + 2.0 * size**2,
        bytes_per_row=work.traffic,
        launches=work.launches,
        batch_rows=65_536,
        solve_flops=TRIALS * size**3 / 3.0,
        points_seconds=points_seconds(problem, width, rows, points),
        messages=((1.0, WORD * size**2), (1.0 + 3.0 * TRIALS, WORD * size)),
    )
    return Projection(f"dense, P = {size:,}, M = {rows:,.0f}", step, H200)


def matrix_free_case(
    problem: Problem, width: int, rows: float, points: float, rank: int = 200
) -> Projection:
    """Return the case of matrix-free Gauss-Newton.

    Args:
        problem: What is solved.
        width: Neurons in each of four hidden layers.
        rows: M.
        points: Time on the host per point that is drawn, in s.
        rank: Of the preconditioner.
    """
    size = Method(hidden=(width,) * 4).network_for(problem).num_parameters
    sketch = per_row(problem, width, jacobian)
    work = added(
        [
            (1.0, sketch),
            (2.0 * TRIALS, per_row(problem, width, conjugate_gradients)),
            (TRIALS, per_row(problem, width, trial)),
        ]
    )
    collectives = TRIALS * (2.0 * (ITERATIONS + 1.0) + 2.0)
    step = StepCost(
        num_rows=rows,
        flops_per_row=work.flops + 4.0 * size * rank,
        bytes_per_row=work.traffic,
        launches=work.launches,
        batch_rows=8_192,
        solve_flops=14.0 * size * rank**2,
        points_seconds=points_seconds(problem, width, rows, points),
        messages=((1.0, WORD * size * rank), (collectives, WORD * size)),
    )
    return Projection(f"matrix-free, P = {size:,}, M = {rows:,.0f}", step, H200)


def points_seconds(problem: Problem, width: int, rows: float, points: float) -> float:
    """Return the time that new points cost every process, per step.

    Half of the points are chosen from four candidates each, whose residual is evaluated.

    Args:
        problem: What is solved.
        width: Neurons in each of four hidden layers.
        rows: M, about the number of points.
        points: Time on the host per point that is drawn, in s.
    """
    evaluated: float = 2.0 * per_row(problem, width, evaluation).traffic / H200.memory_bandwidth
    return rows * (2.5 * points + evaluated) / RESAMPLE_EVERY


def projections(problem: Problem, points: float) -> list[Projection]:
    """Return the cases of the table.

    Args:
        problem: What is solved.
        points: Time on the host per point that is drawn, in s.
    """
    return [
        dense_case(problem, 32, 1e5, points),
        dense_case(problem, 40, 1e6, points),
        matrix_free_case(problem, 256, 1e7, points),
    ]
