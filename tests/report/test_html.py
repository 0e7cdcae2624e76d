"""The report: complete in one file, and read as an engineer would, in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import pinnsolve as ps
from pinnsolve.report.html import report_page
from pinnsolve.report.result import Result

ResultOf = Callable[..., Result]

CHROMIUM = Path("/usr/bin/chromium")
PNG = "data:image/png;base64,iVBORw0KGgo"


@pytest.fixture(scope="module")
def page_of(result_of: ResultOf) -> Callable[..., str]:
    """``page_of("heat_rod", reference=True)``: the report of a result, drawn once."""
    known: dict[tuple[str, bool], str] = {}

    def make(name: str, *, reference: bool) -> str:
        if (name, reference) not in known:
            known[name, reference] = report_page(result_of(name, reference=reference))
        return known[name, reference]

    return make


class Tags(HTMLParser):
    """Collects the sources of images, the text, and whatever would be loaded from elsewhere."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.images: list[str] = []
        self.loaded: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "img":
            self.images.append(given["src"] or "")
            assert given["alt"]
        elif tag in ("script", "iframe", "object") or "src" in given:
            self.loaded.append(tag)
        if tag not in ("img", "meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    ("name", "reference", "number"),
    [
        # components x (pinnsolve, reference, difference) + derived + convergence + geometry
        ("rod", False, 2 + 1 + 2),
        ("heat_rod", True, 3 + 1 + 2),
        ("nafems_t4", False, 1 + 1 + 2),
        ("nafems_le1", False, 2 + 1 + 2),
        ("taylor_green", False, 3 * 3 + 1 + 2),
        ("cooling_plate", False, 1 + 1 + 2 + 1),  # and the residuals of the readings
        ("block", False, 3 * 3 + 3 + 2),
    ],
)
def test_page_is_complete(
    result_of: ResultOf, page_of: Callable[..., str], name: str, reference: bool, number: int
) -> None:
    result = result_of(name, reference=reference)
    tags = Tags(page_of(name, reference=reference))
    assert len(tags.images) == number
    assert not tags.open
    assert not tags.loaded
    assert all(image.startswith(PNG) for image in tags.images)
    assert "Not trusted" in tags.text
    assert "pinnsolve solve it" in tags.text
    for check in result.solution.verdict.checks:
        assert check.name in tags.text
    for condition in result.solution.problem.conditions:
        assert condition.label in tags.text


def test_names_are_escaped(page_of: Callable[..., str]) -> None:
    page = page_of("rod", reference=False)
    assert "<tags>" not in page
    assert "rod <1>" in Tags(page).text
    assert "T & middle" in Tags(page).text


def test_quantities_and_trouble_are_shown(page_of: Callable[..., str]) -> None:
    text = Tags(page_of("rod", reference=False)).text
    assert "ZeroDivisionError" in text
    assert "m²" in text
    assert "outside" in text


def test_trusted_unjudged_and_untrained(result_of: ResultOf) -> None:
    result = result_of("rod")
    good = ps.Verdict((ps.Check("a", 0.0, 1e-3),), 1e-3)
    for verdict, words in ((good, "Trusted"), (None, "Not judged")):
        record = replace(result.solution.record, history=())
        solution = replace(result.solution, verdict=verdict, record=record)
        page = report_page(replace(result, solution=solution))
        assert re.search(rf"<strong>{words}</strong>", page)


def test_reference_of_other_points_is_not_drawn(
    result_of: ResultOf, page_of: Callable[..., str]
) -> None:
    result = result_of("heat_rod", reference=True)
    reference = result.companions.reference
    other = replace(reference, points=reference.points[:-1], values=reference.values[:-1])
    changed = replace(result, companions=replace(result.companions, reference=other))
    assert "<figcaption>Reference</figcaption>" not in report_page(changed)
    assert "<figcaption>Reference</figcaption>" in page_of("heat_rod", reference=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a screen."""
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["heat_rod", "taylor_green"])
def test_in_a_browser_of_a_phone(
    browser: Any, page_of: Callable[..., str], tmp_path: Path, name: str, scheme: str
) -> None:
    path = tmp_path / "report.html"
    path.write_text(page_of(name, reference=name == "heat_rod"), encoding="utf-8")
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    troubles: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    assert page.locator("#verdict strong").is_visible()
    assert page.locator("#verdict strong").inner_text() == "Not trusted"
    widths = page.evaluate(
        "[...document.images].map(image => image.complete ? image.naturalWidth : 0)"
    )
    assert widths
    assert min(widths) > 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert troubles == []
    assert [url for url in requests if not url.startswith(("data:", path.as_uri()))] == []
    context.close()
