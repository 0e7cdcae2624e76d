"""The model card of a fitted model, from what its fit wrote down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pinnsolve.learning.card import NOT_RECORDED, ModelCard, Section, facts, interval_text
from pinnsolve.report.words import number


def card_of_fit(document: Mapping[str, Any]) -> ModelCard:
    """Return the card of a fitted model.

    Args:
        document: What ``pinnsolve fit`` wrote down in ``fit.json``, with what ``pinnsolve explain`` may have added.

    Raises:
        ValueError: If it is no such document.
    """
    try:
        return _card_of_fit(document)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"not the document of a fit: {error!r} is missing; fit the model again"
        ) from error


def _card_of_fit(run: Mapping[str, Any]) -> ModelCard:
    audit, data, fit = run.get("audit"), run["data"], run["fit"]
    checks = [part for part in (audit, data) if part is not None]
    passed = all(part["passed"] for part in checks) if checks else None
    scores = run["scores"]
    sections = (
        Section(
            "Intended use",
            (
                f"{data['task'].capitalize()} of {data['target']} from {len(fit['input_names'])} inputs.",
                *_limits_of_use(run),
            ),
        ),
        _data_section(data),
        facts(
            "Model",
            {
                "estimator": fit["estimator"],
                "architecture": fit["architecture"],
                "trained numbers": fit["num_parameters"],
                "optimiser": fit["optimiser"],
                "precision": f"{fit['precision']} ({fit['why_precision']})",
                "choice between candidates": fit["validation"],
                "stopped": fit["stop"],
            },
        ),
        facts(
            "Budget",
            {
                "time to fit": f"{fit['seconds']:.1f} s",
                "device": fit["device"],
                "energy": run["energy"]["text"],
            },
        ),
        Section(
            "Results on test rows",
            (f"On {scores['rows']} rows that were not learned from.",),
            ("measure", "value", "95 % interval"),
            tuple(
                (s["name"], number(s["value"], 4), interval_text(s["interval"]))
                for s in scores["measures"]
            ),
        ),
        _uncertainty_section(run.get("intervals"), run.get("domain")),
        _audit_section(audit),
        _explanation_section(run.get("explanation")),
        facts("How to reproduce", {"seed": fit["seed"], **dict(fit["versions"])}),
    )
    summary = f"{fit['estimator']} of {data['target']}, learned from {fit['num_rows']} rows of {run['source']}."
    return ModelCard(f"Model card: {data['target']}", summary, passed, sections, run["command"])


def _limits_of_use(run: Mapping[str, Any]) -> list[str]:
    """Return what the model is not for, as far as that follows from what was recorded."""
    lines = [
        "For rows like those it has learned from: "
        + _ranges_text(run["data"]["schema"], run["data"]["target"])
    ]
    domain = run.get("domain")
    if domain is not None:
        lines.append(
            f"A row farther from all training rows than {100.0 * (1.0 - domain['level']):g} % of these are from each "
            "other is flagged; its prediction is extrapolated."
        )
    audit = run.get("audit")
    if audit is not None:
        lines += [f"Audit: {reason}." for reason in audit["reasons"]]
        few = [part["part"] for part in audit["parts"] if not part["scored"]]
        if few:
            lines.append(f"Not scored for lack of rows: {', '.join(few)}.")
    return lines


def _ranges_text(schema: Sequence[Mapping[str, Any]], target: str) -> str:
    parts = []
    for column in schema:
        if column["name"] == target:
            continue
        if column["low"] is not None:
            parts.append(f"{column['name']} from {column['low']:.4g} to {column['high']:.4g}")
        elif column["categories"]:
            parts.append(f"{column['name']} one of {', '.join(column['categories'][:6])}")
    shown = parts[:_MOST_COLUMNS]
    rest = len(parts) - len(shown)
    return "; ".join(shown) + (f"; and {rest} more columns" if rest else "") + "."


_MOST_COLUMNS = 12


def _data_section(data: Mapping[str, Any]) -> Section:
    lines = [f"{data['rows']} rows, {len(data['schema'])} columns.", data["split"] or "Not split."]
    rows = tuple((f["severity"], f["check"], f["message"]) for f in data["findings"])
    if not rows:
        lines.append("The data checks found nothing.")
    return Section("Data and splits", tuple(lines), ("", "check", "found") if rows else (), rows)


def _uncertainty_section(
    intervals: Mapping[str, Any] | None, domain: Mapping[str, Any] | None
) -> Section:
    if intervals is None:
        return Section("Uncertainty of a prediction", (NOT_RECORDED,))
    percent = f"{100.0 * intervals['level']:g} %"
    lines = [
        f"{intervals['what']}: {number(intervals['value'], 4)}, so that {percent} of new rows are covered "
        f"(split conformal, {intervals['rows']} calibration rows).",
        f"On the test rows {100.0 * intervals['covered']:.1f} % were covered.",
    ]
    if domain is not None:
        lines.append(
            f"{100.0 * domain['test_share']:.1f} % of the test rows are flagged as out of the domain."
        )
    return Section("Uncertainty of a prediction", tuple(lines))


def _audit_section(audit: Mapping[str, Any] | None) -> Section:
    if audit is None:
        return Section("Audit", (NOT_RECORDED,))
    lines = ["Passed." if audit["passed"] else "Failed.", *audit["reasons"]]
    limits = audit["limits"]
    lines.append(
        f"A part fails if its error is {limits['ratio']:g} times that of all other rows, or its bias "
        f"{limits['bias']:g} of the root mean square error, and the difference is no chance "
        f"(level {limits['level']:g} over all parts)."
    )
    rows = tuple(
        (
            p["kind"],
            p["part"],
            str(p["num_rows"]),
            number(p["error"], 4),
            interval_text(p["interval"]),
            "" if p["passed"] else "fails",
        )
        if p["scored"]
        else (p["kind"], p["part"], str(p["num_rows"]), "-", "-", "not scored")
        for p in (audit["whole"], *audit["parts"])
    )
    return Section(
        "Audit", tuple(lines), ("kind", "part", "rows", audit["metric"], "95 % interval", ""), rows
    )


def _explanation_section(explanation: Mapping[str, Any] | None) -> Section:
    if explanation is None:
        return Section("Explanation", (NOT_RECORDED,))
    rows = tuple(
        (
            item["name"],
            number(item["drop"], 3),
            interval_text(item["interval"]),
            f"{100.0 * item['share']:.3g} %",
        )
        for item in explanation["importance"]
    )
    return Section(
        "Explanation",
        (
            "Increase of the error on test rows when the values of an input are shuffled among them.",
        ),
        ("input", "increase", "95 % interval", "of the error"),
        rows,
    )
