"""What finite differences cost for the same problem: error against wall time on finer and finer grids.

``python -m pinnsolve.validation.benchmarks.classical --case poisson --max-seconds 20 --out curve.json``
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import pinnsolve as ps
from pinnsolve.reference.finite_difference import finite_difference, why_no_grid
from pinnsolve.reference.newton import NotSolvedError
from pinnsolve.replacing import write_text

from .cases import CASE_NAMES, Array, Case, case_named
from .curves import Curve, envelope

ORDERS = (2, 4)
"""Orders of accuracy in space; in time it is 2."""

_COARSEST = {1: 16, 2: 8}
"""Cells along the longest side of the first grid, by space dimension."""

_GROWTH = {1: 2.2, 2: 4.5}
"""How much longer the next grid is expected to take, at least."""

_LARGEST = {1: 20_000, 2: 400}
"""Cells along the longest side that still fit into a small memory."""


def run_classical(case: Case, *, max_seconds: float) -> dict[str, Any]:
    """Solve a case by finite differences on growing grids, with second and fourth order.

    Args:
        case: The case.
        max_seconds: Most wall time per order in s.

    Returns:
        ``seconds`` and ``errors`` of the best that can be had in a given time, every grid, and the reason where
        there is none.
    """
    problem = case.problem()
    reason = why_no_grid(problem)
    grids: list[dict[str, Any]] = []
    if reason is None:
        finite_difference(
            problem, shape=_shapes(problem, 0)
        )  # imports and first calls are not counted
        grids = [
            grid
            for order in ORDERS
            for grid in _refinements(case, problem, order, max_seconds=max_seconds)
        ]
    curves = [Curve((grid["seconds"],), (grid["error"],)) for grid in grids]
    return envelope(curves).document() | {
        "solver": "finite differences",
        "case": case.name,
        "max_seconds": max_seconds,
        "grids": grids,
        "reason": reason,
    }


def _refinements(
    case: Case, problem: ps.Problem, order: int, *, max_seconds: float
) -> Iterator[dict[str, Any]]:
    begin, last = time.perf_counter(), 0.0
    dim = problem.domain.dim
    width = case.truth.shape[1]
    for level in range(20):
        cells = _shapes(problem, level)
        spent = time.perf_counter() - begin
        if max(cells) > _LARGEST[dim] or spent + _GROWTH[dim] * last > max_seconds:
            return
        before = time.perf_counter()
        try:
            solved = finite_difference(problem, shape=cells, order=order)
        except NotSolvedError:
            continue  # Newton's method may fail where layers are thinner than cells
        last = time.perf_counter() - before

        def columns(points: Array, found: Any = solved) -> Array:  # noqa: ANN401 - a GridSolution
            return np.asarray(found.evaluate(points)[:, :width])

        yield {
            "order": order,
            "cells": list(cells),
            "seconds": solved.seconds,
            "error": case.error(columns),
        }


def _shapes(problem: ps.Problem, level: int) -> tuple[int, ...]:
    """Return the cells along each axis, of about equal length, twice as many on each level."""
    lower, upper = (np.asarray(corner) for corner in problem.domain.bounds)
    lengths = upper - lower
    shares = lengths / lengths.max()
    base = np.maximum(np.rint(_COARSEST[len(lengths)] * shares), 6).astype(int)
    return tuple(int(n) * 2**level for n in base)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=CASE_NAMES, required=True)
    parser.add_argument("--max-seconds", type=float, default=20.0)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    document = run_classical(case_named(given.case), max_seconds=given.max_seconds)
    write_text(given.out, json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
