"""The report of a run: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pinnsolve.judging_data import data_residuals
from pinnsolve.ranges import in_words
from pinnsolve.report.data_plots import correlation_picture, residual_picture
from pinnsolve.report.field_plots import derived_pictures, field_pictures
from pinnsolve.report.figure import unit_text
from pinnsolve.report.function_plots import function_pictures
from pinnsolve.report.functions import estimates_of_numbers
from pinnsolve.report.result import Result
from pinnsolve.report.run_plots import convergence_picture, problem_picture, training_blocks
from pinnsolve.report.views import views
from pinnsolve.report.words import (
    block_rows,
    check_number,
    failures,
    number,
    share,
    told_in_words,
    verdict_sentence,
    verdict_title,
)

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATE = "report.html.j2"


def report_page(result: Result) -> str:
    """Return the report of a run as an HTML page with all pictures in it.

    Args:
        result: The result.
    """
    environment = page_environment()
    environment.filters |= {
        "number": number,
        "share": share,
        "unit": unit_text,
        "data_url": _data_url,
    }
    return environment.get_template(_TEMPLATE).render(_contents(result))


def page_environment(*folders: Path) -> Environment:
    """Return what makes pages from templates; ``page.css.j2`` has the look that all of them share.

    Args:
        *folders: Where templates are looked for, besides those of this package.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader([*folders, Path(__file__).parent / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _contents(result: Result) -> Mapping[str, object]:
    solution, reference = result.solution, result.companions.reference
    problem, record, verdict = solution.problem, solution.record, solution.verdict
    pictured = replace(result, solution=solution.middle)
    shown = views(pictured.solution.problem)
    blocks = training_blocks(problem, solution.network, seed=record.seed)
    return {
        "problem": problem,
        "record": record,
        "verdict": verdict,
        "state": "unknown" if verdict is None else "good" if verdict.trusted else "bad",
        "title": verdict_title(verdict),
        "sentence": verdict_sentence(verdict),
        "failures": failures(verdict),
        "checks": [
            (check, check_number(check, check.value), check_number(check, check.limit))
            for check in (verdict.checks if verdict is not None else ())
        ],
        "ranges": problem.ranges,
        "held": in_words(pictured.solution.problem.held),
        "quantities": result.quantities,
        **_identified(result),
        "fields": field_pictures(pictured, shown),
        "derived": derived_pictures(pictured.solution, shown),
        "reference": reference,
        "exact": result.exact,
        "compared": list(
            dict.fromkeys([*(reference.differences if reference else ()), *result.exact])
        ),
        "convergence": convergence_picture(record, problem.accuracy) if record.history else None,
        "picture": problem_picture(problem, blocks),
        "rows": block_rows(problem, blocks),
        "settings": _settings(result),
        "command": result.companions.command,
    }


def _identified(result: Result) -> dict[str, object]:
    """Return what is shown of unknowns and of the measurements that they rest on."""
    solution = result.solution
    problem, known = solution.problem, solution.posterior
    numbers = estimates_of_numbers(problem, solution.estimates)
    names = [item.name for item in numbers]
    correlation = None
    if known is not None and len(names) > 1:
        places = [known.position(name) for name in names]
        correlation = correlation_picture(names, known.correlation[np.ix_(places, places)])
    residuals = () if problem.ranges else data_residuals(solution)
    return {
        "estimates": numbers,
        "correlation": correlation,
        "told": told_in_words(solution),
        "functions": list(
            zip(result.functions, function_pictures(solution, result.functions), strict=True)
        ),
        "residuals": residual_picture(residuals, problem.domain.dim) if residuals else None,
        "num_readings": [
            sum(len(r.ratios) for r in residuals if r.held_out is h) for h in (False, True)
        ],
    }


def _settings(result: Result) -> dict[str, str]:
    """Return the numbers that a run was made with, for reading."""
    solution = result.solution
    problem, record = solution.problem, solution.record
    return {
        **{name: str(value) for name, value in problem.parameters.items()},
        "relative accuracy asked for": f"{problem.accuracy:g}",
        "network": record.network,
        "parameters": str(record.num_parameters),
        "collocation points": str(sum(record.num_points.values())),
        "steps": str(record.num_steps),
        "time": f"{record.seconds:.1f} s",
        **({} if record.energy is None else {"energy": record.energy.text}),
        "precision": record.precision,
        "device": record.device,
        "seed": str(record.seed),
        **dict(record.versions),
    }


def _data_url(image: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(image).decode('ascii')}"
