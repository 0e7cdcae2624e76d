"""The cost model of several processes: its formula by hand, and its limits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pinnsolve.validation.scaling_model import (
    Device,
    Link,
    StepCost,
    all_reduce_seconds,
    efficiency,
    row_seconds,
    step_seconds,
    with_shared_points,
)

DEVICE = Device(
    matrix_rate=1e12,
    solve_rate=1e11,
    memory_bandwidth=1e11,
    launch=1e-5,
    per_node=8,
    inner=Link(1e10, 1e-6),
    outer=Link(1e9, 1e-5),
)
STEP = StepCost(
    num_rows=1e6,
    flops_per_row=1e6,
    bytes_per_row=1e5,
    launches=1000.0,
    batch_rows=1e5,
    solve_flops=1e10,
    points_seconds=0.2,
    messages=((2.0, 1e8),),
)


def test_every_term_by_hand() -> None:
    # shared: 1e12 / 4 / 1e12 + 1e11 / 4 / 1e11; solve 0.1; points 0.2; a ring of 4 inside a node
    ring = 2.0 * 0.75 * 1e8 / 1e10 + 2.0 * 2.0 * 1e-6
    assert all_reduce_seconds(1e8, 4, DEVICE) == pytest.approx(ring)
    assert row_seconds(STEP, DEVICE, 4) == pytest.approx(0.5)
    assert step_seconds(STEP, DEVICE, 4) == pytest.approx(0.5 + 0.1 + 0.2 + 2.0 * ring)
    assert efficiency(STEP, DEVICE, 4) == pytest.approx(2.3 / (4.0 * (0.8 + 2.0 * ring)))


def test_one_process_sends_nothing() -> None:
    assert all_reduce_seconds(1e9, 1, DEVICE) == 0.0
    assert efficiency(STEP, DEVICE, 1) == 1.0


def test_between_nodes_the_slower_link_decides() -> None:
    assert all_reduce_seconds(1e8, 16, DEVICE) > 5.0 * all_reduce_seconds(1e8, 8, DEVICE)


def test_few_rows_are_bound_by_launches() -> None:
    assert row_seconds(STEP, DEVICE, 10**6) == pytest.approx(1000.0 * 1e-5)


def test_many_processes_leave_what_is_not_shared() -> None:
    free = replace(STEP, messages=(), launches=0.0)
    assert step_seconds(free, DEVICE, 10**9) == pytest.approx(0.3, rel=1e-6)
    shared = with_shared_points(free, 10**9)
    assert step_seconds(shared, DEVICE, 10**9) == pytest.approx(0.1, rel=1e-6)
