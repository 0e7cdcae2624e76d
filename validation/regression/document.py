"""``validation.json``: what was asked for, what came out, and whether it is as it should be.

The document::

    schema              1
    passed              whether every case passed and none is worse than the baseline
    suite, seeds        as asked for
    started, seconds    date (UTC), wall time of the whole suite in s
    versions, machine   what the numbers depend on
    cases               list, one per case:
      name, problem, settings, description, physics, accuracy, time_budget, known_shortfall, fingerprint
                        stated before the run
      passed            trusted, all rows within tolerance, in time, with every seed
      failures          why not, in sentences
      rows              list, one per quantity: quantity, unit, target (D), target_uncertainty, source, tolerance,
                        values (S, one per seed), mean, half_width_95, n, error (E = S - D), error_percent (E/D),
                        ratio (S/D), passed (null if nothing is asked for)
      balances          list: name, value (largest over the seeds, relative), limit
      seconds           values, mean, allowed: wall time of a run against its budget on its number of cores
      cpu_seconds       mean
      runs              the document of every run (``one_run``), without what grows with its coefficients squared
      baseline          null, or state (``new``, ``worse``, ``better``, ``same``) and notes
    baseline            null, or path, versions, differences (in sentences), missing (cases it has and this suite not)

Numbers that are not finite are null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .one_run import Document
from .rows import rows_of, spread
from .versions import machine, versions

SCHEMA = 1


def case_entry(stated: Mapping[str, Any], runs: Sequence[Document]) -> dict[str, Any]:
    """Return the entry of a case.

    Args:
        stated: What it declares (:func:`.declarations.declaration`).
        runs: Its runs, one per seed.
    """
    rows = rows_of(runs)
    done = [run for run in runs if not run["error"]]
    seconds = [run["wall_seconds"] for run in done]
    failures = [
        *(line for run in runs for line in _run_failures(run, {row.quantity for row in rows})),
        *(_row_failure(row.document()) for row in rows if row.passed is False),
    ]
    return {
        **{name: value for name, value in stated.items() if name != "error"},
        "passed": not failures,
        "failures": failures,
        "rows": [row.document() for row in rows],
        "balances": _balances(done),
        "seconds": {
            "values": seconds,
            "mean": spread(seconds)[0],
            "allowed": max((run["allowed_seconds"] for run in done), default=None),
        },
        "cpu_seconds": spread([run["cpu_seconds"] for run in done])[0],
        "runs": [_without_tables(run) for run in runs],
        "baseline": None,
    }


def suite_document(
    entries: Sequence[Mapping[str, Any]],
    *,
    suite: str,
    num_seeds: int,
    started: str,
    seconds: float,
) -> dict[str, Any]:
    """Return the whole document, not yet compared with a baseline.

    Args:
        entries: Entries of :func:`case_entry`.
        suite: ``quick``, ``full`` or ``chosen``.
        num_seeds: Number of seeds.
        started: Date.
        seconds: Wall time of the suite in s.
    """
    return {
        "schema": SCHEMA,
        "passed": bool(entries) and all(entry["passed"] for entry in entries),
        "suite": suite,
        "seeds": list(range(num_seeds)),
        "started": started,
        "seconds": seconds,
        "versions": versions(),
        "machine": machine(),
        "cases": [dict(entry) for entry in entries],
        "baseline": None,
    }


def _without_tables(run: Document) -> Document:
    """Return a run without the correlation of its unknowns and the values of its functions; its own file has them."""
    return {name: value for name, value in run.items() if name not in ("posterior", "functions")}


def _run_failures(run: Document, told: set[str]) -> list[str]:
    """Return what is wrong with a run, but for what the rows tell."""
    seed = f"seed {run['seed']}"
    if run["error"]:
        return [f"{seed}: {run['error']}"]
    failures = []
    expected = run.get("expected_verdict", "trusted")
    if expected != "trusted":
        state = run["verdict"]["state"]
        failures += [] if state == expected else [f"{seed}: {state}, expected: {expected}"]
    elif not run["verdict"]["trusted"]:
        failed = [check for check in run["verdict"]["checks"] if not check["passed"]]
        words = [
            f"{check['name']} {_text(check['value'])}, limit {_text(check['limit'])}"
            for check in failed
            if check["name"] not in told
        ]
        failures.append(f"{seed}: not trusted: {'; '.join(words) or 'see the rows'}")
    if run["wall_seconds"] > run["allowed_seconds"]:
        failures.append(
            f"{seed}: took {run['wall_seconds']:.0f} s, budget {run['allowed_seconds']:.0f} s "
            f"on {run['threads']} core{'s' if run['threads'] > 1 else ''}"
        )
    return failures


def _row_failure(row: Mapping[str, Any]) -> str:
    values = ", ".join(_text(value) for value in row["values"])
    unit = f" {row['unit']}" if row["unit"] else ""
    target, tolerance = _text(row["target"]), _text(row["tolerance"])
    return f"{row['quantity']}: {values}{unit}, target {target}{unit}, tolerance {tolerance}{unit}"


def _balances(runs: Sequence[Document]) -> list[dict[str, Any]]:
    """Return the largest value of each balance; null where one is not a number."""
    found: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        for check in run["verdict"]["checks"]:
            if check["name"].partition(" at ")[0].endswith(" balance"):
                found.setdefault(check["name"].partition(" at ")[0], []).append(check)
    return [
        {
            "name": name.removesuffix(" balance"),
            "value": None
            if any(check["value"] is None for check in checks)
            else max(check["value"] for check in checks),
            "limit": checks[0]["limit"],
        }
        for name, checks in found.items()
    ]


def _text(value: float | None) -> str:
    return "not a number" if value is None else f"{value:.6g}"
