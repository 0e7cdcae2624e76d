"""The suite in JUnit's XML, which build servers read: one test case per case."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold."""


def junit_text(document: Mapping[str, Any]) -> str:
    """Return the document as JUnit's XML.

    Args:
        document: See :mod:`.document`.
    """
    cases = document["cases"]
    suite = ElementTree.Element(
        "testsuite",
        name=f"pinnsolve validate {document['suite']}",
        tests=str(len(cases)),
        failures=str(sum(not case["passed"] and not _crashed(case) for case in cases)),
        errors=str(sum(_crashed(case) for case in cases)),
        skipped="0",
        time=f"{document['seconds']:.3f}",
        timestamp=document["started"].removesuffix("+00:00"),
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in document["versions"].items():
        ElementTree.SubElement(properties, "property", name=name, value=value)
    for case in cases:
        _add_case(suite, case)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def _add_case(suite: ElementTree.Element, case: Mapping[str, Any]) -> None:
    element = ElementTree.SubElement(
        suite,
        "testcase",
        classname="pinnsolve.validation",
        name=case["name"],
        time=f"{sum(case['seconds']['values']):.3f}",
    )
    if not case["passed"]:
        lines = [_clean(line) for line in case["failures"]]
        kind = "error" if _crashed(case) else "failure"
        shortfall = f" (known: {case['known_shortfall']})" if case["known_shortfall"] else ""
        trouble = ElementTree.SubElement(
            element, kind, message=lines[0].splitlines()[0] + shortfall, type=kind
        )
        trouble.text = "\n".join(lines)
    ElementTree.SubElement(element, "system-out").text = _clean(
        "\n".join(
            f"{row['quantity']} = {row['mean']} {row['unit']}, target {row['target']}, tolerance {row['tolerance']}"
            for row in case["rows"]
        )
    )


def _crashed(case: Mapping[str, Any]) -> bool:
    """Whether a run of the case has no result."""
    return any(run["error"] for run in case["runs"])


def _clean(text: str) -> str:
    return _NOT_XML.sub("?", text)
