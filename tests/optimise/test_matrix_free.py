"""Matrix-free Gauss-Newton against the dense one."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from pinnsolve.blocks import PointCounts
from pinnsolve.optimise import GaussNewton, MatrixFree

EXACT = MatrixFree(tolerance=1e-13, max_iterations=400, rank=60)


@pytest.mark.parametrize("held", [0, 10**6])
@pytest.mark.parametrize("unknown", [False, True])
def test_an_exact_step_is_the_dense_step(wall_system, held, unknown) -> None:
    system, theta = wall_system(unknown=unknown)
    dense, free = GaussNewton(), replace(EXACT, max_held_rows=held)
    expected = dense.step(system, dense.init(system, theta))
    found = free.step(system, free.init(system, theta))
    torch.testing.assert_close(found.theta, expected.theta, rtol=1e-9, atol=1e-9)
    assert found.loss == pytest.approx(expected.loss, rel=1e-8)
    assert found.damping == expected.damping


def test_with_fewer_rows_than_parameters_too(wall_system) -> None:
    """The dense step then works on J J^T."""
    system, theta = wall_system(hidden=(24, 24), counts=PointCounts(40, 64))
    assert system.num_rows < system.num_parameters
    dense = GaussNewton()
    expected = dense.step(system, dense.init(system, theta))
    found = EXACT.step(system, EXACT.init(system, theta))
    torch.testing.assert_close(found.theta, expected.theta, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_inexact_steps_converge(wall_system, seed) -> None:
    system, theta = wall_system(seed, counts=PointCounts(150, 64))
    method = MatrixFree(rank=60)
    state = method.init(system, theta)
    losses = [state.loss]
    for _ in range(15):
        state = method.step(system, state)
        losses.append(state.loss)
    assert losses[-1] < 1e-5 * losses[0]
    assert all(after <= before for before, after in pairwise(losses))


def test_a_stale_preconditioner_still_solves(wall_system) -> None:
    system, theta = wall_system()
    fresh, stale = EXACT, replace(EXACT, refresh_every=5)
    states = [method.init(system, theta) for method in (fresh, stale)]
    for _ in range(3):
        states = [m.step(system, s) for m, s in zip((fresh, stale), states, strict=True)]
    torch.testing.assert_close(states[0].theta, states[1].theta, rtol=1e-6, atol=1e-6)
    assert states[1].taken == 3


def test_same_seed_same_numbers(wall_system) -> None:
    results = []
    for _ in range(2):
        system, theta = wall_system()
        method = MatrixFree(rank=20, seed=4)
        state = method.init(system, theta)
        for _ in range(3):
            state = method.step(system, state)
        results.append(state.theta)
    assert torch.equal(*results)


def test_a_residual_that_is_not_finite_is_never_accepted(wall_system) -> None:
    system, theta = wall_system()
    broken = torch.full_like(theta, math.nan)
    method = MatrixFree(rank=20, max_trials=2)
    state = method.init(system, broken)
    assert state.loss == math.inf
    assert not method.step(system, state).accepted


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rank": 0}, "rank must be >= 1, got 0"),
        ({"refresh_every": 0}, "refresh_every must be >= 1"),
        ({"max_iterations": 0}, "max_iterations must be >= 1"),
        ({"max_sketch_points": 0}, "max_sketch_points must be >= 1"),
        ({"tolerance": 1.0}, r"tolerance must lie in \(0, 1\), got 1.0"),
        ({"max_held_rows": -1}, r"max_held_rows must be >= 0 \(0 none\)"),
    ],
)
def test_settings_that_allow_nothing_are_refused(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        MatrixFree(**options)


LARGE = """
import resource, sys
import torch
import pinnsolve as ps
from pinnsolve.method import Method
from pinnsolve.optimise import MatrixFree
from pinnsolve.training import prepare
from pinnsolve.blocks import PointCounts

torch.set_num_threads(1)
plate = ps.Rectangle((0.0, 0.0), (1.0, 1.0))
problem = ps.Problem(
    "plate", plate, ps.Heat(1.0, source=1.0),
    [ps.Dirichlet(part, temperature=0.0) for part in plate.parts],
)
method = Method(hidden=(62,) * 4, points=PointCounts(300, 64), max_batch_points=200)
system, theta = prepare(problem, method, seed=0)
free = MatrixFree(rank=32, max_sketch_points=32, max_held_rows=0)
state = free.init(system, theta)
system.residual(theta)  # warm up: threads, workspaces of the libraries
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
first = state.loss
for _ in range(2):
    state = free.step(system, state)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
sys.stdout.write(f"{system.num_parameters} {(peak - before) * 1024} {state.loss / first}")
"""


def test_a_large_network_needs_no_matrix() -> None:
    """12,000 parameters: J^T J would take 1.1 GB; here a bound on everything held at once."""
    run = subprocess.run(
        [sys.executable, "-c", LARGE], capture_output=True, text=True, check=True, timeout=120
    )
    num_parameters, grown, fall = (float(word) for word in run.stdout.split())
    assert num_parameters > 11_900
    assert fall < 0.5
    # (6 rank + slice + 10) P numbers of 8 bytes, and activations of a group
    assert grown < (6 * 32 + 32 + 10) * num_parameters * 8 + 100e6
