"""Measure a Gauss-Newton step on one and two processes, and project it to many GPUs.

``python -m pinnsolve.validation.measure_scaling --out runs/scaling`` times the same training on one and on two
processes, one thread each, in turns, and the parts of a step; counts the operations of a step; puts them into
:mod:`pinnsolve.validation.scaling_model`; and writes ``table.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import torch
from pinnsolve.validation.operation_counts import Projection, projections
from pinnsolve.validation.scaling_model import efficiency, step_seconds, with_shared_points

import pinnsolve as ps
from pinnsolve.blocks import PointCounts, make_blocks
from pinnsolve.distributed import process_group, process_rank
from pinnsolve.method import Method
from pinnsolve.optimise.gram import normal_equations
from pinnsolve.optimise.products import jacobian_transpose_product
from pinnsolve.record import StepRecord
from pinnsolve.training import on_fresh_points, prepare, train
from pinnsolve.training.convergence import given_misfit

STEPS = 11
"""Two draws of points, and four steps after each."""

PROCESSES = (1, 8, 64, 256, 1024)


def plate() -> ps.Problem:
    """Return heat conduction with a source on a square."""
    square = ps.Rectangle((0.0, 0.0), (1.0, 1.0))
    walls = [ps.Dirichlet(part, temperature=0.0) for part in square.parts]
    source = ps.Heat(1.0, source=lambda x: ps.exp(x.x) * ps.sin(4.0 * x.y))
    return ps.Problem("plate", square, source, walls, accuracy=1e-11)


def method(width: int) -> Method:
    """Return the measured method: four layers, three rows per parameter."""
    return Method(hidden=(width,) * 4, max_steps=STEPS, max_seconds=1e6, precision="float64")


def seconds_of(action: Callable[[], object], repeats: int = 3) -> float:
    """Return the shortest of several times: what else runs on a machine only adds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def measure_here(width: int) -> dict[str, float]:
    """Train as one of the processes that were started and return times in s.

    Args:
        width: Neurons per hidden layer.
    """
    problem, how = plate(), method(width)
    times: list[float] = []
    busy: list[float] = []

    def note(record: StepRecord) -> None:
        times.append(record.seconds)
        busy.append(time.process_time())

    trained = train(problem, how, observer=note)
    found = {"parameters": float(trained.system.num_parameters)}
    found["rows"] = float(trained.system.num_rows)
    if times:
        steps = [later - earlier for earlier, later in pairwise(times)]
        drawn = [step for i, step in enumerate(steps, 2) if i % how.resample_every == 0]
        plain = [step for i, step in enumerate(steps, 2) if i % how.resample_every != 0]
        found["step"] = min(plain)
        found["busy"] = (busy[-1] - busy[0]) / (len(busy) - 1)
        found["resampling"] = max(min(drawn) - min(plain), 0.0)
    with process_group(torch.device("cpu")) as reduction:
        gram = torch.zeros(trained.system.num_parameters, trained.system.num_parameters).double()
        if reduction.size > 1:
            found["all_reduce"] = seconds_of(lambda: reduction.sum(gram))
    return found


def measure_parts(width: int) -> dict[str, float]:
    """Return the times of the parts of a step on one process, in s.

    Args:
        width: Neurons per hidden layer.
    """
    problem, how = plate(), method(width)
    system, theta = prepare(problem, how, seed=0)
    gram, gradient, rows = normal_equations(system.linearised(theta), system.num_parameters)
    gram.diagonal().add_(1e-3)

    def evaluate() -> None:
        with torch.no_grad():
            system.residual(theta)

    def solve() -> None:
        factor = torch.linalg.cholesky_ex(gram)[0]
        for _ in range(2):
            torch.cholesky_solve(gradient[:, None], factor)

    return {
        "Jacobian and J^T J": seconds_of(
            lambda: normal_equations(system.linearised(theta), system.num_parameters)
        ),
        "residual, three times": 3.0 * seconds_of(evaluate),
        "J^T r''": seconds_of(lambda: jacobian_transpose_product(system, theta, rows)),
        "Cholesky and solutions": seconds_of(solve),
        "misfit of given values": seconds_of(lambda: given_misfit(system, theta)),
        "new points, per draw": seconds_of(
            lambda: on_fresh_points(problem, how, system, theta, seed=1)
        ),
    }


def launched(arguments: Sequence[str], processes: int, out: Path) -> dict[str, float]:
    """Run this module as several processes and return what the first of them measured."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(processes), "-m", "pinnsolve.validation.measure_scaling"]
    command += [*arguments, "--out", str(out)]
    surroundings = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run(command, check=True, env=surroundings)
    found: dict[str, float] = json.loads((out / "measured.json").read_text(encoding="utf-8"))
    return found


def measured_table(width: int, repeats: int, out: Path) -> str:
    """Return a Markdown table of one and two processes, timed in turns."""
    runs: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    for _ in range(repeats):
        for processes in (1, 2):
            runs[processes].append(launched(["--worker", "--width", str(width)], processes, out))
    best = {
        n: {name: min(run[name] for run in found) for name in found[0]} for n, found in runs.items()
    }
    share = best[1]["step"] / (2.0 * best[2]["step"])
    parts = launched(["--parts", "--width", str(width)], 1, out)
    shared = sum(list(parts.values())[:3])
    expected = parts["Cholesky and solutions"] + parts["misfit of given values"]
    expected = (shared + expected) / (2.0 * (shared / 2.0 + expected + best[2]["all_reduce"]))
    size = f"{best[1]['parameters']:.0f} parameters, {best[1]['rows']:.0f} rows"
    busy = best[1]["busy"] / (2.0 * best[2]["busy"])
    lines = [f"| {size} | 1 process | 2 processes |", "|---|---|---|"]
    listed = {
        "step": "step, s",
        "busy": "processor time of a step, points included, s",
        "resampling": "new points, s per draw",
    }
    for name, words in listed.items():
        lines.append(f"| {words} | {best[1][name]:.3f} | {best[2][name]:.3f} |")
    lines.append(f"| all-reduce of J^T J, s | | {best[2]['all_reduce']:.3f} |")
    lines.append(f"| efficiency, by the clock | 1 | {share:.2f} |")
    lines.append(f"| efficiency, by processor time | 1 | {busy:.2f} |")
    lines.append(f"| efficiency, from the parts | 1 | {expected:.2f} |")
    lines += ["", "| part of a step, one process | s |", "|---|---|"]
    lines += [f"| {name} | {value:.3f} |" for name, value in parts.items()]
    return "\n".join(lines) + "\n"


def projected_table(found: Sequence[Projection]) -> str:
    """Return a Markdown table of projected times and efficiencies."""
    header = "| case | " + " | ".join(f"n = {n}" for n in PROCESSES) + " |"
    lines = [header, "|---" * (len(PROCESSES) + 1) + "|"]
    for case in found:
        cells = []
        for n in PROCESSES:
            seconds = step_seconds(case.step, case.device, n)
            cells.append(f"{1e3 * seconds:.3g} ms, {efficiency(case.step, case.device, n):.2f}")
        lines.append(f"| {case.name} | " + " | ".join(cells) + " |")
        cells = []
        for n in PROCESSES:
            own = with_shared_points(case.step, n)
            seconds = step_seconds(own, case.device, n)
            gain = step_seconds(case.step, case.device, 1) / (n * seconds)
            cells.append(f"{1e3 * seconds:.3g} ms, {gain:.2f}")
        lines.append("| ... if points were drawn in shares | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def point_seconds() -> float:
    """Return the time of drawing one collocation point on the host, in s."""
    problem, number = plate(), 100_000
    return seconds_of(lambda: make_blocks(problem, PointCounts(number, 64), seed=1)) / number


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/scaling"))
    parser.add_argument("--width", type=int, default=32, help="Neurons per hidden layer.")
    parser.add_argument("--repeats", type=int, default=3, help="Runs of each kind.")
    parser.add_argument("--worker", action="store_true", help="Be one of the measured processes.")
    parser.add_argument("--parts", action="store_true", help="Time the parts of a step.")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.worker or given.parts:
        torch.set_num_threads(1)
        found = measure_parts(given.width) if given.parts else measure_here(given.width)
        if process_rank() == 0:
            (given.out / "measured.json").write_text(json.dumps(found), encoding="utf-8")
        return
    torch.set_num_threads(1)
    text = measured_table(given.width, given.repeats, given.out)
    text += "\n" + projected_table(projections(plate(), point_seconds()))
    (given.out / "table.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
