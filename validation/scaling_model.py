"""What a Gauss-Newton step costs on n processes that share its rows: a model with every term in the open.

``T(n) = rows(n) + solve + points + messages(n)`` with

- ``rows(n)``: everything done once per row, shared by the processes: the Jacobian, J^T J, the
  residual at trial steps. A roofline, ``max(flops / rate + bytes / bandwidth, launches * overhead)``
  of the M / n rows of one process.
- ``solve``: the same on every process: factorisation, preconditioner.
- ``points``: drawing collocation points, on the host, the same on every process.
- ``messages(n)``: all-reduces by rings, ``2 (n - 1) / n * bytes / bandwidth + 2 log2(n) * latency``
  each (R. Thakur, R. Rabenseifner & W. Gropp, "Optimization of collective communication operations
  in MPICH", 2005, has both terms).

The strong-scaling efficiency is ``T(1) / (n T(n))``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Link:
    """A connection between processes.

    Attributes:
        bandwidth: What one process sends, in bytes/s.
        latency: Of one message, in s.
    """

    bandwidth: float
    latency: float


@dataclass(frozen=True)
class Device:
    """What one process computes on; rates are what is attained, not peaks.

    Attributes:
        matrix_rate: Matrix products, in flop/s.
        solve_rate: Factorisations, in flop/s.
        memory_bandwidth: Elementwise work, in bytes/s.
        launch: Overhead of one operation, in s.
        per_node: Processes that the inner link connects.
        inner: Link within a node.
        outer: Link between nodes.
    """

    matrix_rate: float
    solve_rate: float
    memory_bandwidth: float
    launch: float
    per_node: int
    inner: Link
    outer: Link


@dataclass(frozen=True)
class StepCost:
    """One step, all processes together where it is shared, each process where it is not.

    Attributes:
        num_rows: M.
        flops_per_row: Of matrix products.
        bytes_per_row: Read and written by other operations.
        launches: Number of operations of one pass over one batch of rows.
        batch_rows: Most rows in one batch.
        solve_flops: Done by every process.
        points_seconds: Spent by every process on new points, per step.
        messages: All-reduced (count, bytes) per step.
    """

    num_rows: float
    flops_per_row: float
    bytes_per_row: float
    launches: float
    batch_rows: float
    solve_flops: float
    points_seconds: float
    messages: tuple[tuple[float, float], ...]


def all_reduce_seconds(size_bytes: float, n: int, device: Device) -> float:
    """Return the time of one ring all-reduce; the slowest link of the ring decides.

    Args:
        size_bytes: Size of the message.
        n: Number of processes.
        device: Names the links.
    """
    if n == 1:
        return 0.0
    link = device.inner if n <= device.per_node else device.outer
    return 2.0 * (n - 1) / n * size_bytes / link.bandwidth + 2.0 * math.log2(n) * link.latency


def row_seconds(step: StepCost, device: Device, n: int) -> float:
    """Return the time of the shared work.

    Args:
        step: What a step costs.
        device: Where it runs.
        n: Number of processes.
    """
    rows = step.num_rows / n
    work = rows * step.flops_per_row / device.matrix_rate
    work += rows * step.bytes_per_row / device.memory_bandwidth
    batches = math.ceil(rows / step.batch_rows)
    return max(work, batches * step.launches * device.launch)


def step_seconds(step: StepCost, device: Device, n: int) -> float:
    """Return T(n).

    Args:
        step: What a step costs.
        device: Where it runs.
        n: Number of processes.
    """
    messages = sum(count * all_reduce_seconds(size, n, device) for count, size in step.messages)
    solve = step.solve_flops / device.solve_rate
    return row_seconds(step, device, n) + solve + step.points_seconds + messages


def efficiency(step: StepCost, device: Device, n: int) -> float:
    """Return the strong-scaling efficiency, ``T(1) / (n T(n))``."""
    return step_seconds(step, device, 1) / (n * step_seconds(step, device, n))


def with_shared_points(step: StepCost, n: int) -> StepCost:
    """Return the step if every process drew only its own share of the points."""
    return replace(step, points_seconds=step.points_seconds / n)
