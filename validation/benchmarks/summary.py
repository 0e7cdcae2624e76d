"""``benchmark.json`` from the documents of the runs.

The document::

    schema              1
    machine             processor, cores that the runs may use, threads they were told to take, versions
    seeds, max_seconds  as asked for
    cases               list, one per case:
      name, title, compared, truth      what was solved, which quantity is measured and against what
      curves.pinnsolve   list, one per seed: seed, seconds [K], errors [K] and sizes
      curves.deepxde     list, one per seed and precision; ``chosen`` marks the precision with the smaller final error
      curves.classical   seconds [K], errors [K] of finite differences on growing grids; ``reason`` if there are none
      seconds_to         by solver and level: median over seeds, null if half of the runs never get there
      speedup            by level: DeepXDE's time over pinnsolve's; null where DeepXDE never gets there, 0 where only
                         DeepXDE does
      final_error_ratio  median over seeds of DeepXDE's final error over pinnsolve's error at that time
      classical_seconds_at_our_final_error   what finite differences need for it; null if they do not get there
      fastest            by level: the solver that gets there first, null if none does
      targets            whether both ratios are at least 100: ``speedup`` at 1e-3 and ``final_error_ratio``; the
                         first is null where DeepXDE never gets there
    scaling             measurements, exponents (rows, parameters), or null

Errors are relative L2 errors at points that no run was trained on. Times are wall times in s of building and training,
without the import of libraries and without the measurement of errors. DeepXDE runs with one thread or with torch's
default number, whichever is faster in a trial before the clock starts.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from .cases import Case
from .curves import (
    LEVELS,
    Curve,
    best_of,
    curve_of,
    final_error_ratio,
    finite,
    speedups,
    times_to,
)
from .scaling import exponents

Document = Mapping[str, Any]

TARGET = 100.0
"""Both ratios are to be at least this large."""


def case_document(
    case: Case, own: Sequence[Document], peer: Sequence[Sequence[Document]], classical: Document
) -> dict[str, Any]:
    """Return one entry of ``cases``.

    Args:
        case: The case.
        own: pinnsolve's runs, one per seed.
        peer: DeepXDE's runs: for every seed, one per precision.
        classical: The finite-difference solutions.
    """
    ours = [curve_of(run) for run in own]
    chosen = [best_of([curve_of(run) for run in runs]) for runs in peer]
    theirs = [curve_of(runs[best]) for runs, best in zip(peer, chosen, strict=True)]
    grid = curve_of(classical)
    ratio, speedup = final_error_ratio(ours, theirs), speedups(ours, theirs)
    seconds = {
        "pinnsolve": times_to(ours),
        "deepxde": times_to(theirs),
        "classical": times_to([grid]),
    }
    reached = median(curve.final_error for curve in ours)
    return {
        "name": case.name,
        "title": case.title,
        "compared": case.compared,
        "truth": case.source,
        "curves": {
            "pinnsolve": [dict(run) for run in own],
            "deepxde": [
                dict(run) | {"chosen": position == best}
                for runs, best in zip(peer, chosen, strict=True)
                for position, run in enumerate(runs)
            ],
            "classical": dict(classical),
        },
        "seconds_to": seconds,
        "speedup": speedup,
        "final_error_ratio": ratio,
        "classical_seconds_at_our_final_error": finite(grid.time_to(reached)),
        "fastest": {level: _first(seconds, level) for level in LEVELS},
        "targets": _targets(speedup["1e-3"], ratio),
    }


def benchmark_document(
    cases: Sequence[Document],
    *,
    num_seeds: int,
    max_seconds: float,
    scaling: Sequence[Document] | None,
) -> dict[str, Any]:
    """Return the whole document.

    Args:
        cases: Entries of :func:`case_document`.
        num_seeds: How many seeds were asked for.
        max_seconds: Time limit per run in s.
        scaling: Measurements of :mod:`.scaling`, or None if not asked for.
    """
    return {
        "schema": 1,
        "machine": machine(),
        "seeds": list(range(num_seeds)),
        "max_seconds": max_seconds,
        "cases": list(cases),
        "scaling": None
        if scaling is None
        else {"measurements": list(scaling), "exponents": exponents(scaling)},
    }


def machine() -> dict[str, Any]:
    """Return what the numbers depend on besides the code."""
    return {
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "load": finite(os.getloadavg()[0]) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
    }


def summary_lines(document: Document) -> list[str]:
    """Return the main numbers as lines of a table for a terminal."""
    lines = [f"{'case':<18} {'time to 1e-3':>22} {'speedup':>8} {'error ratio':>12}  first at 1e-3"]
    for case in document["cases"]:
        seconds = case["seconds_to"]
        both = f"{_text(seconds['pinnsolve']['1e-3'])} / {_text(seconds['deepxde']['1e-3'])} s"
        speedup, ratio = _text(case["speedup"]["1e-3"]), _text(case["final_error_ratio"])
        first = case["fastest"]["1e-3"] or "none"
        lines.append(f"{case['name']:<18} {both:>22} {speedup:>8} {ratio:>12}  {first}")
    return lines


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _first(seconds: Mapping[str, Mapping[str, float | None]], level: str) -> str | None:
    known = {name: times[level] for name, times in seconds.items() if times[level] is not None}
    return min(known, key=lambda name: known[name] or 0.0) if known else None


def _targets(speedup: float | None, ratio: float | None) -> dict[str, bool | None]:
    return {
        "speedup": None if speedup is None else speedup >= TARGET,
        "final_error_ratio": None if ratio is None else ratio >= TARGET,
    }


def drawn_curves(case: Document) -> dict[str, list[Curve]]:
    """Return the curves of a case by solver; of DeepXDE only the chosen precision."""
    curves = case["curves"]
    return {
        "pinnsolve": [curve_of(run) for run in curves["pinnsolve"]],
        "deepxde": [curve_of(run) for run in curves["deepxde"] if run["chosen"]],
        "classical": [curve_of(curves["classical"])],
    }
