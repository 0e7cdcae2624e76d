"""``inverse.json`` and ``inverse.md``: every inverse problem beside its bound and its classical rival.

The document::

    schema, machine, seeds
    cases               list, one per case:
      name, problem, settings
      runs              list, one per draw of the noise:
        seed            seed of the noise, the points and the parameters
        unknowns        list: name, unit, truth, bound (null if not known), and for ``pinnsolve`` and ``classical``
                        value, std, interval (95 %), error_in_bounds, std_over_bound
        quantities      list: name, unit, target, tolerance, pinnsolve, classical
        trusted         the verdict on pinnsolve's solution
        pinnsolve, classical   cpu_seconds, what was done; of the classical fit its misfit in standard deviations, and
                        why there is none (null if there is one)

Times are CPU times of building, training and judging, and of the whole classical fit, in one process each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..benchmarks.summary import machine
from .classical import ClassicalFit
from .exact import bounds_of

Document = dict[str, Any]


def run_document(case: Any, seed: int, own: Mapping[str, Any], rival: ClassicalFit) -> Document:  # noqa: ANN401
    """Return one run of a case.

    Args:
        case: The :class:`.cases.InverseCase`.
        seed: Seed of the noise.
        own: Document of pinnsolve's run, see ``regression.one_run``.
        rival: The classical fit.
    """
    bounds = bounds_of(case.case(seed).declared())
    return {
        "seed": seed,
        "unknowns": [
            {
                "name": item["name"],
                "unit": item["unit"],
                "truth": item["truth"],
                "bound": finite(bounds.get(item["name"])),
                "pinnsolve": _estimate(
                    item["value"], item["std"], item["truth"], bounds.get(item["name"])
                ),
                "classical": _estimate(
                    rival.values.get(item["name"]),
                    rival.stds.get(item["name"]),
                    item["truth"],
                    bounds.get(item["name"]),
                ),
            }
            for item in own["unknowns"]
            if item["truth"] is not None
        ],
        "quantities": [
            {
                "name": item["name"],
                "unit": item["unit"],
                "target": item["target"],
                "tolerance": item["tolerance"],
                "pinnsolve": item["value"],
                "classical": finite(case.measures[item["name"]](rival))
                if item["name"] in case.measures and not rival.missing
                else None,
            }
            for item in own["quantities"]
        ],
        "trusted": own["verdict"]["trusted"],
        "pinnsolve": {"cpu_seconds": own["cpu_seconds"], "method": own["network"]},
        "classical": {
            "cpu_seconds": rival.seconds,
            "method": rival.method,
            "misfit": finite(rival.misfit),
            "num_solutions": rival.num_solutions,
            "missing": rival.missing or None,
        },
    }


def table_document(cases: Sequence[Document], seeds: Sequence[int]) -> Document:
    """Return the whole document.

    Args:
        cases: One entry per case.
        seeds: Seeds of the noise.
    """
    return {"schema": 1, "machine": machine(), "seeds": list(seeds), "cases": list(cases)}


def finite(value: float | None) -> float | None:
    """Return a number for strict JSON: None if it is missing or not finite."""
    return value if value is not None and math.isfinite(value) else None


def _estimate(
    value: float | None, std: float | None, truth: float, bound: float | None
) -> Document | None:
    if value is None:
        return None
    known = finite(std)
    limit = finite(bound)
    return {
        "value": value,
        "std": known,
        "interval": None if known is None else [value - 1.96 * known, value + 1.96 * known],
        "error_in_bounds": None if limit is None else (value - truth) / limit,
        "std_over_bound": None if limit is None or known is None else known / limit,
    }


_HEADER = (
    "case",
    "seed",
    "what",
    "truth",
    "bound",
    "pinnsolve",
    "off, in bounds",
    "CPU s",
    "classical",
    "off, in bounds",
    "CPU s",
    "nearer",
)


_LEGEND = """\
`bound` is the Cramer-Rao bound of a number at the true values, of the readings alone, from an exact forward model; it
is empty where there is no such model, and for functions. It takes what the model knows for known: for
`flow_reconstruction` the family of flows, which the declaration leaves open, so that no estimate need reach it.
Standard deviations of estimates count what was known beforehand too, and so do functions: their smoothness, chosen
from the data, is a prior, and the errors of functions are those of estimates with that prior, on both sides. The
bound that a solution gives itself, `posterior.bound`, is another one: at the estimate, without priors of numbers, but
with the smoothness of functions.
"""


def markdown(document: Mapping[str, Any]) -> str:
    """Return the document as a Markdown table, what its columns are, and which classical fits are missing.

    Args:
        document: What :func:`table_document` returned.
    """
    lines = [_HEADER, tuple("---" for _ in _HEADER)]
    lines += [row for case in document["cases"] for run in case["runs"] for row in _rows(case, run)]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
    return "\n".join((table, _LEGEND, *_missing(document)))


def _missing(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield which cases have no classical fit, and why."""
    for case in document["cases"]:
        for run in case["runs"]:
            why = run["classical"].get("missing")
            if why:
                yield f"No classical fit of `{case['name']}`, seed {run['seed']}: {why}.\n"


def _rows(case: Mapping[str, Any], run: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    head = (case["name"], str(run["seed"]))
    times = [f"{run[who]['cpu_seconds']:.3g}" for who in ("pinnsolve", "classical")]
    for item in run["unknowns"]:
        ours, theirs = item["pinnsolve"], item["classical"]
        yield (
            *head,
            f"{item['name']} {item['unit']}".strip(),
            _number(item["truth"]),
            _number(item["bound"]),
            _with_std(ours),
            _number(ours["error_in_bounds"], 2),
            times[0],
            _with_std(theirs),
            "" if theirs is None else _number(theirs["error_in_bounds"], 2),
            times[1],
            _nearer(ours["value"], theirs and theirs["value"], item["truth"]),
        )
    for item in run["quantities"]:
        target = item["target"] if item["target"] is not None else 0.0
        ours, theirs = item["pinnsolve"], item["classical"]
        numbers = (_number(ours), "", times[0], _number(theirs), "", times[1])
        yield (
            *head,
            item["name"],
            _number(item["target"]),
            "",
            *numbers,
            _nearer(ours, theirs, target),
        )


def _with_std(estimate: Mapping[str, Any] | None) -> str:
    if estimate is None:
        return ""
    return f"{_number(estimate['value'], 5)} ± {_number(estimate['std'], 2)}"


def _number(value: float | None, digits: int = 4) -> str:
    return "" if value is None else f"{value:.{digits}g}"


def _nearer(ours: float | None, theirs: float | None, truth: float) -> str:
    """Return whose number is nearer to the truth, or that they are alike to a tenth."""
    if ours is None or theirs is None:
        return ""
    a, b = abs(ours - truth), abs(theirs - truth)
    if abs(a - b) <= 0.1 * max(a, b):
        return "alike"
    return "pinnsolve" if a < b else "classical"
