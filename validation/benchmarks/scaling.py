"""How a step's time grows with rows and parameters, what memory it takes, and how near the machine's peak it runs.

``python -m pinnsolve.validation.benchmarks.scaling --width 16 --rows 4000 --out point.json`` measures one size in a
process of its own, so that the peak memory is that of this size alone.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

import pinnsolve as ps
from pinnsolve.catalogue import shipped_problem
from pinnsolve.replacing import write_text
from pinnsolve.training import train

SIZES = ((8, 4000), (16, 1000), (16, 2000), (16, 4000), (16, 8000), (24, 4000), (32, 4000))
"""Width of the four hidden layers and number of rows of each measurement."""

_STEPS = 8
_MATRIX = 1536
"""Size of the matrices whose product gives the machine's rate."""


def measure(width: int, rows: int) -> dict[str, Any]:
    """Take a few steps on Poisson's equation and return what they cost.

    Args:
        width: Of the four hidden layers.
        rows: Rows of the least-squares system, a fifth of them on the boundary.

    Returns:
        ``num_rows``, ``num_parameters``, ``seconds_per_step``, ``peak_memory_mb`` above what was in use before,
        ``matmul_gflops``, and ``matmul_fraction``: the rate of M P (P + 1) + P^3 / 3 operations, the Gram
        matrix and one factorisation, over the machine's.
    """
    rate = matmul_rate()
    boundary = rows // 5
    points = ps.PointCounts(rows - boundary, boundary)
    method = ps.Method(hidden=(width,) * 4, points=points, max_steps=_STEPS, max_seconds=600.0)
    problem = replace(shipped_problem("poisson"), accuracy=2e-12)
    before = _peak_memory()
    record = train(problem, method, seed=0).solution.record
    ends = [0.0, *(step.seconds for step in record.history)]
    steps = [b - a for a, b in pairwise(ends)][1:]  # the first one warms up
    seconds, total = median(steps), sum(record.num_points.values())
    operations = total * record.num_parameters * (record.num_parameters + 1.0)
    operations += record.num_parameters**3 / 3.0
    return {
        "num_rows": total,
        "num_parameters": record.num_parameters,
        "seconds_per_step": seconds,
        "peak_memory_mb": max(_peak_memory() - before, 0.0),
        "matmul_gflops": rate / 1e9,
        "matmul_fraction": operations / seconds / rate,
    }


def matmul_rate(size: int = _MATRIX, repeats: int = 5) -> float:
    """Return the best rate of a float64 matrix product, in operations per second.

    Args:
        size: Of the square matrices.
        repeats: How often it is tried.
    """
    a = torch.ones((size, size), dtype=torch.float64)
    best = math.inf
    for _ in range(repeats):
        begin = time.perf_counter()
        torch.mm(a, a)
        best = min(best, time.perf_counter() - begin)
    return 2.0 * size**3 / best


def exponents(points: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return a and b of the least-squares fit ``seconds = constant * rows^a * parameters^b``.

    Args:
        points: Measurements with ``num_rows``, ``num_parameters`` and ``seconds_per_step``.

    Raises:
        ValueError: If there are fewer than three.
    """
    if len(points) < 3:
        raise ValueError(f"a fit of two exponents needs three measurements, got {len(points)}")
    rows, parameters, seconds = (
        np.log([point[name] for point in points])
        for name in ("num_rows", "num_parameters", "seconds_per_step")
    )
    matrix = np.column_stack((np.ones(len(points)), rows, parameters))
    found = np.linalg.lstsq(matrix, seconds, rcond=None)[0]
    return {"rows": float(found[1]), "parameters": float(found[2])}


def _peak_memory() -> float:
    """Return the largest memory of this process so far, in MB."""
    unit = 1e6 if sys.platform == "darwin" else 1e3  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    write_text(given.out, json.dumps(measure(given.width, given.rows), indent=1) + "\n")


if __name__ == "__main__":
    main()
