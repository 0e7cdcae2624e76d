"""The model card: what was recorded of a model, in one document that a reader can defend it by.

Nothing is invented: a part of which nothing was recorded says so. Sections follow M. Mitchell et al., "Model cards for
model reporting" (2019). Markdown and HTML show the same values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pinnsolve.learning.data.report import TEMPLATES
from pinnsolve.report.html import page_environment

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """One part of a card.

    Attributes:
        title: Its heading.
        lines: Sentences.
        head: Heads of the table's columns; empty for no table.
        rows: Its rows.
    """

    title: str
    lines: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: Rows = ()


@dataclass(frozen=True)
class ModelCard:
    """A card.

    Attributes:
        title: What the model is of.
        summary: One sentence.
        passed: Whether what was checked holds; None if nothing was checked.
        sections: Its parts, in order.
        command: How to make the model again; empty if that was not recorded.
    """

    title: str
    summary: str
    passed: bool | None
    sections: tuple[Section, ...]
    command: str = ""

    def markdown(self) -> str:
        """Return it as Markdown."""
        environment = page_environment(TEMPLATES)
        environment.autoescape = False
        environment.filters["cell"] = lambda text: str(text).replace("|", "\\|").replace("\n", " ")
        return environment.get_template("card.md.j2").render(card=self)

    def page(self) -> str:
        """Return it as one HTML page that needs nothing else."""
        return page_environment(TEMPLATES).get_template("card.html.j2").render(card=self)


NOT_RECORDED = "Not recorded."


def facts(title: str, named: Mapping[str, object]) -> Section:
    """Return a part that is a table of names and values."""
    rows = tuple((name, str(value)) for name, value in named.items())
    return Section(title, (), ("what", "value"), rows)


def interval_text(ends: Sequence[float | None] | None) -> str:
    """Return an interval for a table; a dash for none."""
    if ends is None or None in ends:
        return "-"
    return f"{ends[0]:.4g} to {ends[1]:.4g}"


def read_document(path: Path) -> dict[str, Any]:
    """Return a JSON document.

    Raises:
        ValueError: If the file is not there, or holds none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: not a JSON document ({error}); fit the model again") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path}: not the document of a fit; fit the model again")
    return found
