"""One pinnsolve run in a process of its own, with the error measured outside the clock.

``python -m pinnsolve.validation.benchmarks.own --case burgers --seed 0 --max-seconds 60 --out curve.json``
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pinnsolve as ps
from pinnsolve.replacing import write_text
from pinnsolve.training import train

from .cases import CASE_NAMES, Case, Evaluate, case_named
from .curves import Curve

Observe = Callable[[float, Evaluate], None]
"""``observe(seconds, evaluate)``: the wall time so far and the compared columns (N, C) at points (N, D)."""

_NEVER = 2e-12
"""An accuracy that is not reached, so that the clock decides when to stop."""


def train_observed(case: Case, method: ps.Method, *, seed: int, observe: Observe) -> ps.Solution:
    """Train on a case and show every step's solution to an observer, whose own time is taken off the clock.

    Args:
        case: The case.
        method: How to solve it.
        seed: Seed of points and parameters.
        observe: Called after every step.

    Returns:
        The last solution.
    """

    def watcher(seconds: float, solution: ps.Solution) -> None:
        observe(seconds, lambda points: case.values(solution, points))

    problem = replace(case.problem(), accuracy=_NEVER)
    return train(problem, method, seed=seed, watcher=watcher).solution


def run_own(
    case: Case, *, seed: int, max_seconds: float, method: ps.Method | None = None
) -> dict[str, Any]:
    """Train pinnsolve on a case with its default settings and return what happened.

    Args:
        case: The case.
        seed: Seed of points and parameters.
        max_seconds: Most wall time of training in s.
        method: How to solve it; None is the default one.

    Returns:
        ``seconds`` and ``errors`` of the curve, sizes, reason for stopping and versions.
    """
    seconds: list[float] = []
    errors: list[float] = []

    def observe(now: float, evaluate: Evaluate) -> None:
        error = case.error(evaluate)
        if math.isfinite(error):
            seconds.append(now)
            errors.append(error)

    base = method if method is not None else ps.Method(max_steps=100_000)
    limited = replace(base, max_seconds=max_seconds)
    record = train_observed(case, limited, seed=seed, observe=observe).record
    return Curve(tuple(seconds), tuple(errors)).document() | {
        "solver": "pinnsolve",
        "case": case.name,
        "seed": seed,
        "precision": record.precision,
        "max_seconds": max_seconds,
        "num_parameters": record.num_parameters,
        "num_iterations": record.num_steps,
        "num_points": dict(record.num_points),
        "network": record.network,
        "stopped": record.status.reason.name.lower(),
        "versions": dict(record.versions),
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=CASE_NAMES, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-seconds", type=float, default=60.0)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    document = run_own(case_named(given.case), seed=given.seed, max_seconds=given.max_seconds)
    write_text(given.out, json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
