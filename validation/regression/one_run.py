"""One case solved with one seed, in a process of its own, as a plain document.

``python -m pinnsolve.validation.regression.one_run --case '{"name": ..., "problem": ..., "settings": {}}' --seed 0``
prints the document as the last line of standard output. It is ``result.json`` of the run and, besides::

    case, seed          what was solved
    threads             cores that the run was given
    allowed_seconds     time budget of the problem; twice as much for a run on one core, since it is stated for two
    wall_seconds        of training, reference and checks, without the start of Python
    cpu_seconds         of the same
    bounds              Cramer-Rao bounds of unknown numbers, by name, where they can be reached
    expected_verdict    state that the verdict has to have
    measured            date
    kept                whether an earlier call of the suite made it
    error               why there is no result, then nothing else but case, seed and threads; else null
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

import pinnsolve as ps
from pinnsolve.interop.hdf5 import Companions
from pinnsolve.report.result import gather, result_document
from pinnsolve.status import StopReason

from ..inverse.exact import attainable_bounds
from ..suite import Case
from .versions import versions

Document = dict[str, Any]

PATIENCE = 4.0
"""Training goes on for so many times the allowed time: a loaded machine makes a run late, not another one."""

BUDGET_CORES = 2
"""Time budgets are stated for so many cores."""


def allowed_seconds(problem: ps.Problem, threads: int) -> float:
    """Return the time within which a run should be done: the budget, scaled up if there are fewer cores than it is for.

    Args:
        problem: The declaration.
        threads: Cores that the run is given.
    """
    return problem.time_budget * max(1.0, BUDGET_CORES / threads)


def measure(case: Case, seed: int, *, threads: int) -> Document:
    """Solve a case with default settings and return what came out.

    Args:
        case: What to solve.
        seed: Seed of points and parameters.
        threads: Cores that the run is given.

    Raises:
        KeyboardInterrupt: If it was interrupted: half a run is no result.
    """
    problem = case.declared()
    allowed = allowed_seconds(problem, threads)
    method = ps.Method(max_seconds=PATIENCE * allowed)
    wall, cpu = time.perf_counter(), time.process_time()
    solution = ps.solve(problem, method, seed=seed, progress=False)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if solution.verdict is None or solution.status.reason is StopReason.INTERRUPTED:
        raise KeyboardInterrupt
    return {
        **result_document(gather(solution, Companions())),
        "case": case.name,
        "seed": seed,
        "threads": threads,
        "allowed_seconds": allowed,
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        "bounds": attainable_bounds(problem),
        "expected_verdict": case.verdict,
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "kept": False,
        "error": None,
    }


def crashed(case: Case, seed: int, error: str, *, threads: int) -> Document:
    """Return the document of a run that has no result.

    Args:
        case: What was to be solved.
        seed: Its seed.
        error: What happened.
        threads: Cores that the run was given.
    """
    return {"case": case.name, "seed": seed, "threads": threads, "error": error}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", type=json.loads, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=BUDGET_CORES)
    given = parser.parse_args()
    document = measure(Case(**given.case), given.seed, threads=given.threads)
    sys.stdout.write("\n" + json.dumps(document, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
