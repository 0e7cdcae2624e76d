"""Solve the shipped inverse problems with pinnsolve and the classical way, and tabulate both.

``python -m pinnsolve.validation.inverse --out runs/inverse`` writes ``inverse.json`` and ``inverse.md``, anew after
every run, so that what is finished is kept if it is interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pinnsolve.replacing import write_text

from ..regression.one_run import measure
from .cases import InverseCase, chosen_cases
from .classical import tried
from .table import markdown, run_document, table_document


def measured(case: InverseCase, seed: int, *, threads: int) -> dict[str, Any]:
    """Return one run of a case, by pinnsolve and the classical way.

    Args:
        case: What to solve.
        seed: Seed of the noise, and of points and parameters.
        threads: Cores that the run is given.
    """
    own = measure(case.case(seed), seed, threads=threads)
    return run_document(case, seed, own, tried(case.rival, case.case(seed).declared()))


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line.

    Args:
        arguments: What stands after the name of the program; None takes those of the process.
    """
    parser = argparse.ArgumentParser(prog="pinnsolve.validation.inverse", description=__doc__)
    parser.add_argument("--case", action="append", default=[], help="A case; all if not given.")
    parser.add_argument("--seeds", type=int, default=3, help="How many draws of the noise.")
    parser.add_argument("--threads", type=int, default=2, help="Cores that a run is given.")
    parser.add_argument("--out", type=Path, default=Path("runs/inverse"))
    given = parser.parse_args(arguments)
    if given.seeds < 1:
        parser.error(f"--seeds must be >= 1, got {given.seeds}")
    try:
        chosen = chosen_cases(tuple(given.case))
    except ValueError as error:
        parser.error(str(error))
    given.out.mkdir(parents=True, exist_ok=True)
    entries: list[dict[str, Any]] = []
    for case in chosen:
        entry: dict[str, Any] = {
            "name": case.name,
            "problem": case.problem,
            "settings": dict(case.settings),
            "runs": [],
        }
        entries.append(entry)
        for seed in range(given.seeds):
            entry["runs"].append(measured(case, seed, threads=given.threads))
            document = table_document(entries, range(given.seeds))
            text = json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
            write_text(given.out / "inverse.json", text)
            write_text(given.out / "inverse.md", markdown(document))
    sys.stdout.write(markdown(table_document(entries, range(given.seeds))))


if __name__ == "__main__":
    main()
