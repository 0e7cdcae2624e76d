"""Run the benchmark: one process per run, one after the other, every finished run kept as a file.

The document that is written is described in :mod:`pinnsolve.validation.benchmarks.summary`.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pinnsolve.replacing import replacing, write_text

from . import scaling
from .cases import CASE_NAMES, case_named
from .figure import benchmark_figure
from .peer import PRECISIONS
from .summary import benchmark_document, case_document

DOCUMENT, FIGURE, RUNS = "benchmark.json", "benchmark.png", "runs"

CLASSICAL_SHARE, CLASSICAL_MOST = 0.1, 60.0
"""Finite differences get this share of a run's time for either order, at most so many seconds."""

Announce = Callable[[str], None]
"""Told what runs next."""


@dataclass(frozen=True)
class Plan:
    """What is to be run.

    Attributes:
        cases: Names of cases; empty for all.
        num_seeds: How many seeds, from 0.
        max_seconds: Most wall time of one run in s: pinnsolve with one seed, or DeepXDE with one seed in one
            precision.
        out: Folder for the results; it must exist.
        resume: Whether runs that are finished and were made with the same limits are taken as they are.
        with_scaling: Whether to measure how a step's time grows.
        adam_iterations: Iterations of Adam in DeepXDE in place of each case's own; None leaves them.
        sizes: Sizes of the scaling measurements.
    """

    cases: Sequence[str]
    num_seeds: int
    max_seconds: float
    out: Path
    resume: bool = False
    with_scaling: bool = True
    adam_iterations: int | None = None
    sizes: Sequence[tuple[int, int]] = scaling.SIZES

    def __post_init__(self) -> None:
        """Refuse unknown cases and limits that allow nothing, before anything is run."""
        for name in self.cases:
            if name not in CASE_NAMES:
                case_named(name)  # raises, with the names there are
        if self.num_seeds < 1:
            raise ValueError(f"the number of seeds must be >= 1, got {self.num_seeds}")
        if not (math.isfinite(self.max_seconds) and self.max_seconds > 0):
            raise ValueError(f"max_seconds must be finite and > 0, got {self.max_seconds}")

    @property
    def names(self) -> tuple[str, ...]:
        """Return the cases to run, each once."""
        return tuple(dict.fromkeys(self.cases)) or CASE_NAMES


@dataclass(frozen=True)
class Job:
    """One run in a process of its own.

    Attributes:
        label: What to call it.
        module: The module that runs it.
        arguments: Its options, without ``--out``.
        path: Where its document goes.
    """

    label: str
    module: str
    arguments: tuple[str, ...]
    path: Path

    def result(self, *, resume: bool, announce: Announce) -> dict[str, Any]:
        """Return the document of the run, made now or, to resume, read if its options are the same.

        Raises:
            RuntimeError: If the process fails.
        """
        asked = list(self.arguments)
        if resume and self.path.is_file():
            known: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
            if known.get("asked") == asked:
                return known
        announce(self.label)
        command = [sys.executable, "-m", f"{__package__}.{self.module}", *asked]
        # The peer would take a graphics card if it saw one; all tools are to run on the same cores.
        environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
        done = subprocess.run(
            [*command, "--out", str(self.path)],
            env=environment,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{self.label} failed:\n{done.stderr[-2000:]}")
        document = json.loads(self.path.read_text(encoding="utf-8")) | {"asked": asked}
        write_text(self.path, json.dumps(document, indent=1) + "\n")
        return dict(document)


def run_benchmark(plan: Plan, announce: Announce) -> dict[str, Any]:
    """Run all cases; the document and the figure are written again after each of them.

    Args:
        plan: What to run.
        announce: Told what runs next.

    Returns:
        The document.
    """
    (plan.out / RUNS).mkdir(exist_ok=True)
    entries: list[dict[str, Any]] = []
    document: dict[str, Any] = {}
    for name in plan.names:
        entries.append(_run_case(plan, name, announce))
        document = _written(plan, entries, None)
    if plan.with_scaling:
        points = [job.result(resume=plan.resume, announce=announce) for job in scaling_jobs(plan)]
        document = _written(plan, entries, points)
    return document


def _run_case(plan: Plan, name: str, announce: Announce) -> dict[str, Any]:
    def results(jobs: Sequence[Job]) -> list[dict[str, Any]]:
        return [job.result(resume=plan.resume, announce=announce) for job in jobs]

    own: list[dict[str, Any]] = []
    peer: list[list[dict[str, Any]]] = []
    for seed in range(plan.num_seeds):
        own += results([_own_job(plan, name, seed)])
        peer.append(results([_peer_job(plan, name, seed, kind) for kind in PRECISIONS]))
    (classical,) = results([_classical_job(plan, name)])
    return case_document(case_named(name), own, peer, classical)


def _written(
    plan: Plan, entries: Sequence[dict[str, Any]], points: Sequence[dict[str, Any]] | None
) -> dict[str, Any]:
    document = benchmark_document(
        entries, num_seeds=plan.num_seeds, max_seconds=plan.max_seconds, scaling=points
    )
    write_text(plan.out / DOCUMENT, json.dumps(document, indent=1, allow_nan=False) + "\n")
    with replacing(plan.out / FIGURE) as temporary:
        temporary.write_bytes(benchmark_figure(document))
    return document


def _own_job(plan: Plan, name: str, seed: int) -> Job:
    arguments = _options({"case": name, "seed": seed, "max-seconds": plan.max_seconds})
    return Job(f"{name}, seed {seed}: pinnsolve", "own", arguments, _path(plan, name, "own", seed))


def _peer_job(plan: Plan, name: str, seed: int, precision: str) -> Job:
    limits = {"precision": precision, "max-seconds": plan.max_seconds}
    arguments = _options({"case": name, "seed": seed, **limits})
    if plan.adam_iterations is not None:
        arguments += _options({"adam-iterations": plan.adam_iterations})
    path = _path(plan, name, "deepxde", seed, precision)
    return Job(f"{name}, seed {seed}: DeepXDE in {precision}", "peer", arguments, path)


def _classical_job(plan: Plan, name: str) -> Job:
    seconds = min(CLASSICAL_SHARE * plan.max_seconds, CLASSICAL_MOST)
    arguments = _options({"case": name, "max-seconds": seconds})
    return Job(
        f"{name}: finite differences", "classical", arguments, _path(plan, name, "classical")
    )


def scaling_jobs(plan: Plan) -> list[Job]:
    """Return the measurements of a step's time, one per size."""
    return [
        Job(
            f"scaling: width {width}, {rows} rows",
            "scaling",
            _options({"width": width, "rows": rows}),
            _path(plan, "scaling", width, rows),
        )
        for width, rows in plan.sizes
    ]


def _path(plan: Plan, *words: object) -> Path:
    return plan.out / RUNS / ("-".join(map(str, words)) + ".json")


def _options(values: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(word for name, value in values.items() for word in (f"--{name}", f"{value}"))
