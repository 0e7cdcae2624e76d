"""Solve every shipped problem with default settings and several seeds, and tabulate what came out.

``python -m pinnsolve.validation.measure_shipped --out runs/measured`` runs the command line once per problem and seed,
one after the other, and writes ``table.md`` from the ``result.json`` files. The wall time is that of the whole command:
start of Python, training, reference, checks, files and report.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pinnsolve as ps

HEADER = ("problem", "seed", "result", "verdict", "steps", "training s", "command s")


def measure(names: Sequence[str], seeds: Sequence[int], out: Path) -> list[tuple[str, ...]]:
    """Solve problems through the command line.

    Args:
        names: Shipped problems.
        seeds: Seeds.
        out: Folder for the runs.

    Returns:
        One row per run, in the order of HEADER.
    """
    rows: list[tuple[str, ...]] = []
    for name in names:
        for seed in seeds:
            folder = out / f"{name}_{seed}"
            start = time.perf_counter()
            command = [sys.executable, "-m", "pinnsolve", "solve", name]
            command += ["--seed", str(seed), "--out", str(folder)]
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
            seconds = time.perf_counter() - start
            document = json.loads((folder / "result.json").read_text(encoding="utf-8"))
            trusted = "trusted" if document["verdict"]["trusted"] else "not trusted"
            numbers = (str(document["steps"]), f"{document['seconds']:.0f}", f"{seconds:.0f}")
            rows.append((name, str(seed), headline(document), trusted, *numbers))
            (out / "table.md").write_text(table(rows), encoding="utf-8")
    return rows


def headline(document: Mapping[str, Any]) -> str:
    """Return the numbers a reader looks for first: quantities, unknowns, exact errors."""
    parts = [
        f"{q['name']} = {q['value']:.6g} {q['unit'] or ''}".strip() for q in document["quantities"]
    ]
    parts += [f"{u['name']} = {u['value']:.1f} ± {u['std']:.1f}" for u in document["unknowns"]]
    exact = (document["exact"] or {}).get("relative_l2", {})
    parts += [f"{name} error {value:.1e}" for name, value in exact.items() if value is not None]
    return "; ".join(parts)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a Markdown table."""
    lines = [HEADER, tuple("---" for _ in HEADER), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problem", action="append", help="A shipped problem; all if not given.")
    parser.add_argument("--seeds", type=int, default=3, help="How many seeds, from 0.")
    parser.add_argument("--out", type=Path, default=Path("runs/measured"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    names = given.problem or list(ps.shipped_problems())
    sys.stdout.write(table(measure(names, range(given.seeds), given.out)))


if __name__ == "__main__":
    main()
