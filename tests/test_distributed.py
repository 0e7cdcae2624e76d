"""Several processes on one machine: the same numbers as one, and a clear end if one of them dies."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pinnsolve.blocks import PointCounts
from pinnsolve.distributed import LostProcessError, Reduction, process_group, process_rank
from pinnsolve.method import Method
from pinnsolve.optimise import GaussNewton, MatrixFree

CPU = torch.device("cpu")

PROBLEM = """
import pinnsolve as ps

def rod() -> ps.Problem:
    return ps.Problem(
        "rod", ps.Interval(0.0, 1.0), ps.Heat(1.0, source=lambda x: ps.exp(2.0 * x.x)),
        [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=1.0)],
        accuracy=1e-11,
    )

def plate() -> ps.Problem:
    square = ps.Rectangle((0.0, 0.0), (1.0, 1.0))
    walls = [ps.Dirichlet(part, temperature=0.0) for part in square.parts]
    law = ps.Heat(lambda t, x: 1.0 + t, source=lambda x: 50.0 * ps.sin(9.0 * x.x) * ps.sin(8.0 * x.y))
    return ps.Problem("plate", square, law, walls, accuracy=1e-11)
"""

WORK = """
import os
import shutil
import sys
import numpy as np
sys.path.insert(0, {folder!r})
from rod import plate, rod
from pinnsolve.blocks import PointCounts
from pinnsolve.method import Method
from pinnsolve.optimise import GaussNewton, MatrixFree
from pinnsolve.training import train

problems = dict(rod=rod, plate=plate)
for name, (problem, method) in {cases}.items():
    seen, rank = [], os.environ.get("RANK", "alone")
    path = os.path.join({folder!r}, name + rank * (rank == "alone"))

    def note(record):
        seen.append(record.loss)
        if len(seen) == 5:
            shutil.copy(path + ".h5", path + "-5.h5")

    trained = train(
        problems[problem](), method, seed=3, observer=note, checkpoint=path + ".h5", checkpoint_seconds=0.0
    )
    record, points = trained.solution.record, np.linspace(0.1, 0.9, 10).reshape(-1, 1 + (problem == "plate"))
    np.savez(
        os.path.join({folder!r}, name + rank),
        theta=trained.theta.numpy(),
        seen=seen,
        losses=[step.loss for step in record.history],
        reason=record.status.reason.value,
        values=trained.solution.at(points).temperature,
    )
    if name in {resumed}:
        again = train(problems[problem](), method, seed=3, checkpoint=path + "-5.h5")
        assert np.array_equal(again.theta.numpy(), trained.theta.numpy())
        assert len(again.solution.record.history) == len(record.history)
"""


def environment(**more: object) -> dict[str, str]:
    """One thread each, on this machine only, and nothing of a surrounding torchrun."""
    own = {"RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"}
    kept = {name: value for name, value in os.environ.items() if name not in own}
    added = {name: str(value) for name, value in more.items()}
    return kept | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"} | added


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def two(arguments: list[str], **more: object) -> Iterator[list[subprocess.Popen[str]]]:
    """Run a command as two processes, and end them whatever happens."""
    place = {"WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port()} | more
    started = [
        subprocess.Popen(
            [sys.executable, *arguments],
            env=environment(RANK=rank, **place),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


# The floor of the damping keeps the step unique: below it, rounding decides in the flat directions.
SMALL = Method(hidden=(8,), points=PointCounts(40, 2), max_seconds=600.0)
DENSE = GaussNewton(smallest_damping=1e-6)
FREE = MatrixFree(smallest_damping=1e-6, rank=25, tolerance=1e-8, max_held_rows=20)
CASES: Mapping[str, tuple[str, Method]] = {
    "dense": ("rod", replace(SMALL, optimiser=DENSE, max_steps=50)),
    "matrix-free": ("rod", replace(SMALL, optimiser=FREE, max_steps=15)),
    "features": ("plate", Method(trunk="random", max_features=300, max_seconds=600.0)),
    "features, then trunk": ("plate", Method(max_features=100, max_steps=8, max_seconds=600.0)),
}


RESUMED = ("matrix-free", "features, then trunk")
"""The cases that are also repeated from the checkpoint of their fifth step, to the same bits."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder to which two processes, and one alone, wrote what they came to, case by case."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "rod.py").write_text(PROBLEM)
    script = folder / "script.py"
    script.write_text(WORK.format(folder=str(folder), cases=repr(dict(CASES)), resumed=RESUMED))
    torchrun = ["-m", "torch.distributed.run", "--nproc-per-node", "2"]
    torchrun += ["--master-addr", "127.0.0.1", "--master-port", str(free_port())]
    for launcher in (torchrun, []):
        run = subprocess.run(
            [sys.executable, *launcher, str(script)],
            check=False,
            env=environment(),
            timeout=300,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr
    return folder


@pytest.mark.parametrize("name", CASES)
def test_two_processes_reproduce_one(name: str, runs: Path) -> None:
    first, second, alone = (np.load(runs / f"{name}{rank}.npz") for rank in ("0", "1", "alone"))
    for key in ("theta", "losses", "reason", "values"):
        assert np.array_equal(first[key], second[key])
    assert np.array_equal(first["seen"], first["losses"])
    assert len(second["seen"]) == 0

    assert len(first["losses"]) == len(alone["losses"])
    assert first["reason"] == alone["reason"]
    if CASES[name][0] == "rod":
        assert alone["losses"][-1] < 1e-3 * alone["losses"][0]
        np.testing.assert_allclose(first["theta"], alone["theta"], rtol=1e-9, atol=1e-9)
    else:  # features are nearly dependent, so their weights are not known to so many digits
        rounding = 1e-8 * alone["losses"][0]
        np.testing.assert_allclose(first["losses"], alone["losses"], rtol=1e-6, atol=rounding)
        np.testing.assert_allclose(first["values"], alone["values"], atol=1e-8)


@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_process_ends_the_run_of_the_other(victim, tmp_path) -> None:
    problem = tmp_path / "rod.py"
    problem.write_text(PROBLEM)
    arguments = ["-m", "pinnsolve", "solve", str(problem), "--max-seconds", "200", "--verbose"]
    with two([*arguments, "--no-reference", "--out", str(tmp_path / "run")]) as processes:
        reports = processes[0].stderr
        assert reports is not None
        assert any("step" in line for line in reports)  # waits for the first one
        os.kill(processes[victim].pid, signal.SIGKILL)
        begin = time.monotonic()
        survivor = processes[1 - victim]
        _, errors = survivor.communicate(timeout=60.0)
    assert time.monotonic() - begin < 60.0
    assert survivor.returncode == 75
    assert "another process of this run died or did not answer" in " ".join(errors.split())
    assert "start all processes again" in " ".join(errors.split())
    assert "Traceback" not in errors
    # only the first process writes; it keeps the last good state
    assert (tmp_path / "run" / "solution.h5").is_file() == (victim == 1)
    if victim == 1:
        written = json.loads((tmp_path / "run" / "result.json").read_text())
        assert written["status"]["reason"] == "lost_process"
        assert not written["verdict"]["trusted"]


WAIT = """
import sys
import time
import torch
from pinnsolve.distributed import LostProcessError, process_group
cpu = torch.device("cpu")
try:
    with process_group(cpu, timeout=2.0) as reduction:
        total = reduction.sum(torch.ones(1, dtype=torch.float64) + reduction.rank)
        first = reduction.agreed(torch.full((2,), float(reduction.rank + 5), dtype=torch.float64))
        most = reduction.largest(torch.tensor([reduction.rank, 3 - reduction.rank]))
        all_ranks = reduction.gathered(torch.tensor([reduction.rank]))
        zero = reduction.agreed_number(7.5 + reduction.rank)
        sys.stdout.write(f"{float(total)} {first.tolist()} {most.tolist()} {len(all_ranks)} {zero}\\n")
        sys.stdout.flush()
    with process_group(cpu) as again:  # a second run in the same processes
        assert again == reduction
        if reduction.rank == 1:
            time.sleep(60.0)
        reduction.sum(torch.ones(1, dtype=torch.float64))
except LostProcessError as error:
    sys.stdout.write(f"lost: {error}")
    sys.exit(3)
"""


def test_sums_agreement_and_a_process_that_hangs() -> None:
    begin = time.monotonic()
    with two(["-c", WAIT]) as processes:
        output, errors = processes[0].communicate(timeout=60.0)
        assert processes[0].returncode == 3, errors
    assert output.startswith(
        "3.0 [5.0, 5.0] [1, 3] 2 7.5\nlost: process 0 of 2 lost contact to another one"
    )
    assert time.monotonic() - begin < 50.0


def test_processes_that_do_not_come(monkeypatch) -> None:
    for name, value in environment(
        RANK=0, WORLD_SIZE=2, MASTER_ADDR="127.0.0.1", MASTER_PORT=free_port()
    ).items():
        monkeypatch.setenv(name, value)
    with (
        pytest.raises(LostProcessError, match=r"process 0 of 2 could not reach the others in 1 s"),
        process_group(CPU, timeout=1.0),
    ):
        pass


def test_alone_is_the_identity(monkeypatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with process_group(CPU) as reduction:
        assert reduction == Reduction.alone() == Reduction(0, 1)
        tensor = torch.arange(3.0)
        assert reduction.sum(tensor) is tensor
        assert reduction.agreed(tensor) is tensor
        assert reduction.largest(tensor) is tensor
        assert tensor.tolist() == [0.0, 1.0, 2.0]
        assert reduction.gathered(tensor)[0] is tensor
        assert reduction.agreed_number(2.5) == 2.5
    with pytest.raises(FrozenInstanceError):
        reduction.rank = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("variables", "rank"),
    [
        ({}, 0),
        ({"WORLD_SIZE": "1"}, 0),
        ({"WORLD_SIZE": "4", "RANK": "3", "MASTER_ADDR": "a", "MASTER_PORT": "1"}, 3),
    ],
)
def test_the_rank_comes_from_the_environment(variables, rank) -> None:
    assert process_rank(variables) == rank


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE must be a whole number, got 'two'"),
        ({"WORLD_SIZE": "2"}, "RANK, MASTER_ADDR, MASTER_PORT is not set; start with torchrun"),
        (
            {"WORLD_SIZE": "2", "RANK": "2", "MASTER_ADDR": "a", "MASTER_PORT": "1"},
            r"RANK must lie in \[0, WORLD_SIZE\), got 2 with WORLD_SIZE=2",
        ),
    ],
)
def test_a_contradictory_environment_is_refused(variables, message) -> None:
    with pytest.raises(ValueError, match=message):
        process_rank(variables)


def test_a_timeout_that_never_ends_anything_is_refused() -> None:
    with (
        pytest.raises(ValueError, match="timeout must be > 0 s, got 0"),
        process_group(CPU, timeout=0),
    ):
        pass
