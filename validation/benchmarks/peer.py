"""One DeepXDE run in a process of its own: Adam, then L-BFGS, with the error measured outside the clock.

``python -m pinnsolve.validation.benchmarks.peer --case burgers --seed 0 --precision float64 --max-seconds 60
--out curve.json``. DeepXDE changes torch's defaults when it is imported, so only this process imports it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from pinnsolve.replacing import write_text

from .cases import CASE_NAMES, Case, case_named
from .curves import Curve
from .peer_models import PEERS, PeerModel, PeerSettings

PRECISIONS = ("float32", "float64")

ADAM_SHARE = 0.5
"""Most of the time that Adam may take, so that L-BFGS has its turn."""

_FIRST, _GROWTH = 0.1, 1.05
"""The first measurement in s, and the factor from each to the next."""

_TRIAL = 10
"""Iterations that decide on the number of threads, before the clock starts."""

_FEWEST, _MOST = 5, 1000
"""L-BFGS iterations between two looks at the clock. DeepXDE looks every 1000, and takes 1 for convergence."""


class Stopwatch:
    """Wall time without the time that measuring the error takes.

    Attributes:
        seconds: Times of the measurements.
        errors: What was measured.
    """

    def __init__(self, measure: Callable[[], float]) -> None:
        self.seconds: list[float] = []
        self.errors: list[float] = []
        self._measure = measure
        self._begin = time.perf_counter()
        self._paused = 0.0
        self._due = _FIRST

    def elapsed(self) -> float:
        """Return the wall time in s so far."""
        return time.perf_counter() - self._begin - self._paused

    def look(self, *, always: bool = False) -> float:
        """Measure the error if it is due, and return the elapsed time in s."""
        now = self.elapsed()
        if always or now >= self._due:
            before = time.perf_counter()
            error = self._measure()
            self._paused += time.perf_counter() - before
            if math.isfinite(error):
                self.seconds.append(now)
                self.errors.append(error)
            self._due = now * _GROWTH
        return now


def run_peer(
    case: Case, settings: PeerSettings, *, seed: int, precision: str, max_seconds: float
) -> dict[str, Any]:
    """Train DeepXDE on a case, quietly, and return what happened.

    Args:
        case: The case.
        settings: Sizes of the run.
        seed: Seed of points and parameters.
        precision: ``float32`` or ``float64``.
        max_seconds: Most wall time in s, without import and measurements.

    Returns:
        ``seconds`` and ``errors`` of the curve, ``adam_seconds``, ``num_parameters``, settings and versions.
    """
    os.environ["DDE_BACKEND"] = "pytorch"
    noise = io.StringIO()
    with contextlib.redirect_stdout(noise), contextlib.redirect_stderr(noise):
        import deepxde as dde
        import torch

        dde.config.set_default_float(precision)
        dde.config.set_random_seed(seed)
        torch.set_num_threads(_faster_threads(dde, torch, case, settings))
        dde.config.set_random_seed(seed)
        found = _train(dde, torch, case, settings, max_seconds)
        return found | {
            "solver": "deepxde",
            "case": case.name,
            "seed": seed,
            "precision": precision,
            "max_seconds": max_seconds,
            "settings": asdict(settings),
            "versions": {"deepxde": dde.__version__, "torch": torch.__version__},
            "threads": torch.get_num_threads(),
        }


def _faster_threads(dde: Any, torch: Any, case: Case, settings: PeerSettings) -> int:  # noqa: ANN401
    """Return 1 or torch's default number of threads, whichever takes less time for a few iterations.

    Networks this small gain little from threads, and lose much where other processes use the cores.
    """
    default: int = torch.get_num_threads()
    seconds: dict[int, float] = {}
    for threads in sorted({1, default}):
        torch.set_num_threads(threads)
        made = _build(dde, torch, case, settings)
        model = dde.Model(made.data, made.net)
        model.compile("adam", lr=1e-3, verbose=0)
        model.train(iterations=2, verbose=0)  # the first iterations are slow
        begin = time.perf_counter()
        model.train(iterations=_TRIAL, verbose=0)
        seconds[threads] = time.perf_counter() - begin
    return min(seconds, key=lambda threads: seconds[threads])


def _train(
    dde: Any,  # noqa: ANN401
    torch: Any,  # noqa: ANN401
    case: Case,
    settings: PeerSettings,
    max_seconds: float,
) -> dict[str, Any]:
    def measure() -> float:
        real = dde.config.real(np)
        return case.error(lambda points: made.columns(model, points.astype(real)))

    watch = Stopwatch(measure)
    made = _build(dde, torch, case, settings)
    model = dde.Model(made.data, made.net)
    # Adam with the documentation's learning rate, then L-BFGS to its own tolerances.
    model.compile("adam", lr=1e-3, verbose=0)
    adam = _watcher(dde, watch, ADAM_SHARE * max_seconds)
    model.train(iterations=settings.adam_iterations, callbacks=[adam], verbose=0)
    adam_seconds = watch.look(always=True)
    model.compile("L-BFGS", verbose=0)
    _look_after(model, 2 * _FEWEST)
    model.train(callbacks=[_watcher(dde, watch, max_seconds)], verbose=0)
    watch.look(always=True)
    curve = Curve(tuple(watch.seconds), tuple(watch.errors))
    number = sum(parameter.numel() for parameter in made.net.parameters())
    steps = int(model.train_state.iteration)
    return curve.document() | {
        "adam_seconds": adam_seconds,
        "num_parameters": number,
        "num_iterations": steps,
    }


def _build(dde: Any, torch: Any, case: Case, settings: PeerSettings) -> PeerModel:  # noqa: ANN401
    builder, _ = PEERS[case.name]
    return builder(dde, torch, settings)


def _watcher(dde: Any, watch: Stopwatch, limit: float) -> Any:  # noqa: ANN401
    """Return a callback that measures the error now and then and stops at the time limit."""

    class Watcher(dde.callbacks.Callback):  # type: ignore[misc]
        def on_train_begin(self) -> None:
            self.last = watch.elapsed()

        def on_epoch_end(self) -> None:
            now = watch.look()
            if now > limit:
                self.model.stop_training = True
            if self.model.opt_name == "L-BFGS":
                taken = self.model.opt.param_groups[0]["max_iter"]
                wanted = (_GROWTH - 1.0) * now / max(now - self.last, 1e-6) * taken
                _look_after(self.model, int(min(max(wanted, _FEWEST), _MOST)))
            self.last = watch.elapsed()

    return Watcher()


def _look_after(model: Any, iterations: int) -> None:  # noqa: ANN401
    """Let L-BFGS return after some iterations; its memory is kept, so the iteration is the same."""
    group = model.opt.param_groups[0]
    group["max_iter"], group["max_eval"] = iterations, iterations * 5 // 4


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=CASE_NAMES, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", choices=PRECISIONS, default="float64")
    parser.add_argument("--max-seconds", type=float, default=60.0)
    parser.add_argument("--adam-iterations", type=int, help="In place of the case's own.")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    _, settings = PEERS[given.case]
    if given.adam_iterations is not None:
        settings = replace(settings, adam_iterations=given.adam_iterations)
    document = run_peer(
        case_named(given.case),
        settings,
        seed=given.seed,
        precision=given.precision,
        max_seconds=given.max_seconds,
    )
    write_text(given.out, json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
