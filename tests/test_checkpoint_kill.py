"""Processes that are killed at random moments: whatever is left of them, the run ends with the same bits."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = """
import hashlib, sys
import pinnsolve as ps
from pinnsolve.training import train

problem = ps.Problem(
    "rod",
    ps.Interval(0.0, 2.0),
    ps.Heat(lambda T, x: 1.0 + 0.1 * T, source=lambda x: 500.0 * ps.sin(60.0 * x.x)),
    [ps.Dirichlet("left", temperature=1.0), ps.Dirichlet("right", temperature=5.0)],
    accuracy=1e-11,
)
method = ps.Method(max_features=300, points=ps.PointCounts(40, 24), max_steps=70, max_seconds=1e4)
file = sys.argv[1] if len(sys.argv) > 1 else None
show = lambda record: print(record.step, flush=True)
trained = train(problem, method, observer=show, checkpoint=file, checkpoint_seconds=0.0)
record = trained.solution.record
numbers = [(s.step, s.loss, s.error_estimate, s.damping, s.accepted) for s in record.history]
theta = hashlib.sha256(trained.theta.numpy().tobytes()).hexdigest()
print("done", theta, hashlib.sha256(repr(numbers).encode()).hexdigest(), record.status.reason)
"""


def start(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SCRIPT, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def end_of(process: subprocess.Popen[str]) -> tuple[list[str], str]:
    """Return the steps that a process showed and its last line."""
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    *steps, last = out.splitlines()
    assert last.startswith("done ")
    return steps, last


def kill_after(process: subprocess.Popen[str], steps: int, seconds: float) -> int:
    """Kill a process some seconds after it has shown some steps; return the last step it showed."""
    assert process.stdout is not None
    assert process.stderr is not None
    shown = [process.stdout.readline() for _ in range(steps)]
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    rest, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, err
    lines = [*shown, *rest.splitlines()]
    return int([line for line in lines if line.strip().isdigit()][-1])


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
def test_kill_minus_nine_at_random_moments(tmp_path: Path) -> None:
    """Growth and trunk, killed three times, against the run that was not."""
    undisturbed = start()
    path = tmp_path / "c.h5"
    generator = random.Random(0)
    reached = [
        kill_after(start(str(path)), steps, 0.02 * generator.random()) for steps in (3, 9, 14)
    ]
    steps, last = end_of(start(str(path)))
    every, expected = end_of(undisturbed)
    assert last == expected
    assert [int(step) for step in every] == list(range(1, 71))
    # it went on near where it was killed, and did not begin anew
    assert reached[0] < reached[1] < reached[2] < 70
    assert int(steps[0]) <= reached[2] + 1
    assert int(steps[0]) >= reached[2]
