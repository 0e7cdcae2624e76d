"""The suite as one HTML file that needs nothing else, in the terms of verification and validation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pinnsolve.report.figure import unit_text
from pinnsolve.report.html import page_environment
from pinnsolve.report.words import number, share

_TEMPLATE = "validation.html.j2"


def validation_page(document: Mapping[str, Any]) -> str:
    """Return the document as an HTML page.

    Args:
        document: See :mod:`.document`.
    """
    environment = page_environment(Path(__file__).parent / "templates")
    environment.filters |= {"number": number, "share": share, "unit": unit_text}
    cases = document["cases"]
    contents = {
        "document": document,
        "cases": cases,
        "failed": [case for case in cases if not case["passed"]],
        "num_kept": sum(run.get("kept", False) for case in cases for run in case["runs"]),
        "lost": document["baseline"]["missing"] if document["baseline"] else [],
    }
    return environment.get_template(_TEMPLATE).render(contents)
