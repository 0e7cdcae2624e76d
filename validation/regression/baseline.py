"""An earlier run as a baseline: what is worse by more than the noise, what is better, what else differs.

A row is compared by its distance from the target, a case by the processor time of its runs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .document import SCHEMA
from .rows import Row, row_of, spread

ONE_SEED_FACTOR = 3.0
"""With one seed on either side the spread is not known: a distance is worse if it is so many times as large."""

LEAST_SHARE = 0.1
"""What changes by less than this share of the tolerance is noise in any case."""

TIME_FACTOR, LEAST_SECONDS = 2.0, 5.0
"""More processor time is worse if it is more than twice as much, and by at least so many seconds."""

Document = Mapping[str, Any]


def read_baseline(path: Path) -> dict[str, Any]:
    """Return the document of an earlier run.

    Args:
        path: A ``validation.json``.

    Raises:
        ValueError: If it cannot be read or is no such document.
    """
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(
            f"{path}: cannot be read ({error.strerror}); a baseline is the validation.json of an earlier run, "
            "which --update-baseline writes"
        ) from error
    except ValueError as error:
        raise ValueError(f"{path}: is not JSON ({error})") from error
    schema = known.get("schema") if isinstance(known, dict) else None
    if schema != SCHEMA or "versions" not in known:
        raise ValueError(
            f"{path}: not a validation.json of schema {SCHEMA} (schema {schema}); make a new baseline with "
            "--update-baseline"
        )
    return dict(known)


def compared(document: Document, baseline: Document, path: Path) -> dict[str, Any]:
    """Return a document with what its cases are against a baseline.

    What is worse fails, even within its tolerance.

    Args:
        document: What came out now.
        baseline: What came out then.
        path: Where the baseline is.
    """
    known = {entry["name"]: entry for entry in baseline["cases"]}
    cases = [_compared_case(entry, known.get(entry["name"])) for entry in document["cases"]]
    names = {entry["name"] for entry in cases}
    return {
        **document,
        "passed": bool(cases) and all(entry["passed"] for entry in cases),
        "cases": cases,
        "baseline": {
            "path": str(path),
            "started": baseline["started"],
            "versions": dict(baseline["versions"]),
            "differences": differences(document, baseline),
            "missing": [name for name in known if name not in names],
        },
    }


def differences(document: Document, baseline: Document) -> list[str]:
    """Return in which versions, machine and seeds two documents differ, in words.

    Args:
        document: What came out now.
        baseline: What came out then.
    """
    now, then = document["versions"], baseline["versions"]
    found = [
        f"{name}: {then.get(name, 'none')} then, {now.get(name, 'none')} now"
        for name in dict.fromkeys((*now, *then))
        if now.get(name) != then.get(name)
    ]
    if document["machine"]["cores"] != baseline["machine"]["cores"]:
        cores = baseline["machine"]["cores"], document["machine"]["cores"]
        found.append(f"cores: {cores[0]} then, {cores[1]} now")
    if document["seeds"] != baseline["seeds"]:
        found.append(f"seeds: {len(baseline['seeds'])} then, {len(document['seeds'])} now")
    return found


def _compared_case(entry: Document, known: Document | None) -> dict[str, Any]:
    if known is None:
        return {**entry, "baseline": {"state": "new", "notes": []}}
    worse = list(_worse(entry, known))
    better = list(_better(entry, known))
    notes = list(_other_notes(entry, known))
    state = "worse" if worse else "better" if better else "same"
    failures = [*entry["failures"], *(f"worse than the baseline: {line}" for line in worse)]
    return {
        **entry,
        "passed": not failures,
        "failures": failures,
        "baseline": {"state": state, "notes": [*worse, *better, *notes]},
    }


def _worse(entry: Document, known: Document) -> Iterator[str]:
    if known["passed"] and not entry["passed"]:
        yield "it passed in the baseline"
    for now, then in _matched(entry, known):
        if _mean(now) > _mean(then) + _noise(then, now, _mean(then)):
            yield _changed(now, then)
    if _slower(entry["cpu_seconds"], known["cpu_seconds"]):
        yield f"processor time {entry['cpu_seconds']:.1f} s, was {known['cpu_seconds']:.1f} s"


def _better(entry: Document, known: Document) -> Iterator[str]:
    if entry["passed"] and not known["passed"]:
        yield "it failed in the baseline"
    for now, then in _matched(entry, known):
        if _mean(then) > _mean(now) + _noise(then, now, _mean(now)):
            yield _changed(now, then)
    if _slower(known["cpu_seconds"], entry["cpu_seconds"]):
        yield f"processor time {entry['cpu_seconds']:.1f} s, was {known['cpu_seconds']:.1f} s"


def _other_notes(entry: Document, known: Document) -> Iterator[str]:
    if entry["fingerprint"] != known["fingerprint"]:
        yield "it is declared otherwise than in the baseline"
    before = {row["quantity"]: row for row in known["rows"]}
    for row in entry["rows"]:
        then = before.get(row["quantity"])
        if then is None:
            yield f"{row['quantity']}: not in the baseline"
        elif not _same_target(row, then):
            yield f"{row['quantity']}: another target than in the baseline, so not compared"
    yield from (
        f"{name}: in the baseline only"
        for name in before
        if name not in {row["quantity"] for row in entry["rows"]}
    )


def _matched(entry: Document, known: Document) -> Iterator[tuple[Row, Row]]:
    """Yield rows now and then with the same target."""
    before = {row["quantity"]: row for row in known["rows"]}
    for row in entry["rows"]:
        then = before.get(row["quantity"])
        if row["passed"] is not None and then is not None and _same_target(row, then):
            yield row_of(row), row_of(then)


def _same_target(row: Document, then: Document) -> bool:
    """Whether both have the same target, and a tolerance or none."""
    stated = row["tolerance"] is None, then["tolerance"] is None
    return bool(row["target"] == then["target"] and stated[0] == stated[1])


def _noise(then: Row, now: Row, smaller: float) -> float:
    """Return by how much two distances from the target may differ by chance."""
    widths = _half_width(then.deviations), _half_width(now.deviations)
    chance = (ONE_SEED_FACTOR - 1.0) * smaller
    if widths[0] is not None and widths[1] is not None:
        chance = math.hypot(widths[0], widths[1])
    return max(chance, LEAST_SHARE * (now.tolerance or 0.0))


def _half_width(deviations: Sequence[float]) -> float | None:
    finite = [deviation for deviation in deviations if math.isfinite(deviation)]
    return spread(finite)[1]


def _mean(row: Row) -> float:
    return sum(row.deviations) / len(row.deviations)


def _slower(seconds: float | None, before: float | None) -> bool:
    if seconds is None or before is None:
        return False
    return seconds > max(TIME_FACTOR * before, before + LEAST_SECONDS)


def _changed(now: Row, then: Row) -> str:
    unit = f" {now.unit}" if now.unit else ""
    return f"{now.quantity} is off by {_mean(now):.3g}{unit}, was {_mean(then):.3g}{unit}"
