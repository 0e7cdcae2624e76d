"""The model card of a solved problem, from its record and verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pinnsolve.interop.hdf5 import Companions
from pinnsolve.learning.card import NOT_RECORDED, ModelCard, Section, facts, interval_text
from pinnsolve.learning.sensitivity import Sensitivity
from pinnsolve.report.result import gather, result_document
from pinnsolve.report.words import failures, number, verdict_sentence
from pinnsolve.solution import Solution


def card_of_solution(
    solution: Solution,
    *,
    sensitivities: Sequence[Sensitivity] = (),
    command: str = "",
) -> ModelCard:
    """Return the card of a solved problem.

    Args:
        solution: The solution.
        sensitivities: What its quantities depend on, if that was asked for.
        command: The command line that made it, or empty.
    """
    problem, record, verdict = solution.problem, solution.record, solution.verdict
    run: Any = result_document(gather(solution, Companions(command=command)))
    energy = NOT_RECORDED if record.energy is None else record.energy.text
    conditions = tuple((c.label, str(c)) for c in problem.conditions)
    sections = (
        Section(
            "Intended use",
            (
                problem.description or f"The problem {problem.name!r}.",
                f"Inside its domain: {problem.domain.describe()}.",
                "Beyond the domain, other coefficients and other conditions it says nothing.",
                *(
                    f"{item.name} from {item.low:g} to {item.high:g} {item.unit}".rstrip() + "."
                    for item in problem.ranges
                ),
            ),
        ),
        Section("Declaration", (str(problem.physics),), ("where", "what holds"), conditions),
        facts(
            "Model",
            {
                "network": record.network,
                "trained numbers": record.num_parameters,
                "collocation points": sum(record.num_points.values()),
                "precision": record.precision,
                "stopped": record.status.message,
            },
        ),
        facts(
            "Budget",
            {
                "time to train": f"{record.seconds:.1f} s",
                "steps": record.num_steps,
                "device": record.device,
                "energy": energy,
            },
        ),
        _results_section(run),
        _verdict_section(solution),
        _sensitivity_section(sensitivities),
        facts(
            "How to reproduce",
            {
                "seed": record.seed,
                **{k: v for k, v in problem.parameters.items() if v is not None},
                **record.versions,
            },
        ),
    )
    passed = None if verdict is None else verdict.trusted
    return ModelCard(
        f"Model card: {problem.name}", verdict_sentence(verdict), passed, sections, command
    )


def _results_section(run: Mapping[str, Any]) -> Section:
    rows = [
        (q["name"], number(q["value"], 7), q["unit"], number(q["target"], 7), q["source"] or "-")
        for q in run["quantities"]
    ]
    rows += [
        (
            u["name"],
            f"{number(u['value'])}, {interval_text(u['interval'])}",
            u["unit"],
            number(u["truth"]),
            "identified",
        )
        for u in run["unknowns"]
    ]
    if not rows:
        return Section("Results", ("No quantity of interest was declared.",))
    return Section(
        "Results", (), ("quantity", "value, 95 % interval", "unit", "target", "source"), tuple(rows)
    )


def _verdict_section(solution: Solution) -> Section:
    verdict = solution.verdict
    if verdict is None:
        return Section("Audit", (NOT_RECORDED,))
    rows = tuple(
        (c.name, number(c.value, 3), number(c.limit, 3), "pass" if c.passed else "fail", c.note)
        for c in verdict.checks
    )
    lines = (verdict_sentence(verdict), *failures(verdict), *verdict.notes)
    return Section("Audit", lines, ("check", "value", "limit", "", "note"), rows)


def _sensitivity_section(found: Sequence[Sensitivity]) -> Section:
    if not found:
        return Section("Explanation", (NOT_RECORDED,))
    rows = tuple(
        (s.quantity, s.name, s.kind, number(s.value, 4), number(s.derivative, 4)) for s in found
    )
    return Section(
        "Explanation",
        ("Derivatives of quantities of interest, through the solution.",),
        ("quantity", "number", "kind", "value", "d quantity / d number"),
        rows,
    )
