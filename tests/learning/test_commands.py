"""fit, audit, explain and card, as a user and as a script meet them; and the cards themselves."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pinnsolve.validation.audits import drawn
from typer.testing import CliRunner, Result

import pinnsolve as ps
from pinnsolve.cli import app
from pinnsolve.learning.fit_card import card_of_fit
from pinnsolve.learning.monitor import read_log
from pinnsolve.learning.sensitivity import sensitivities
from pinnsolve.learning.solution_card import card_of_solution

CHROMIUM = Path("/usr/bin/chromium")
FILES = {"model.h5", "fit.json", "fit.jsonl", "data.html", "card.md", "card.html"}

pytestmark = pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A fit of a CSV file, which the other tests read."""
    folder = tmp_path_factory.mktemp("fit")
    frame = drawn(0, 400).drop(columns=["e", "f", "kind"])
    frame["batch"] = frame.index % 25
    frame.to_csv(folder / "table.csv", index=False)
    words = [
        "fit",
        folder / "table.csv",
        "--target",
        "y",
        "--groups",
        "batch",
        "--out",
        folder / "out",
    ]
    return folder, run(*words, "--max-seconds", "20")


def test_fit(fitted: tuple[Path, Result]) -> None:
    folder, done = fitted
    assert done.exit_code in (0, 1)
    assert {path.name for path in (folder / "out").iterdir()} >= FILES
    document = json.loads((folder / "out" / "fit.json").read_text())
    assert (done.exit_code == 0) == (document["audit"]["passed"] and document["data"]["passed"])
    assert "whole groups of batch" in document["data"]["split"]
    assert document["fit"]["input_names"] == ["a", "b", "c", "d", "site"]
    rmse = next(m for m in document["scores"]["measures"] if m["name"].startswith("root"))
    assert rmse["interval"][0] < rmse["value"] < rmse["interval"][1]
    assert 0.4 < rmse["value"] < 1.0  # the noise is 0.5, kinds were left out: 0.68
    assert 0.75 < document["intervals"]["covered"] <= 1.0
    assert document["energy"]["kwh"] > 0.0
    assert len(read_log(folder / "out" / "fit.jsonl")) > 0
    assert "energy:" in done.output


def test_audit_and_explain(fitted: tuple[Path, Result]) -> None:
    out = fitted[0] / "out"
    done = run("audit", out, "--by", "site", "--json")
    found = json.loads(done.output)
    assert done.exit_code == (0 if found["passed"] else 1)
    assert {p["part"] for p in found["parts"] if p["kind"] == "group"} >= {"site = s0", "site = s4"}
    assert run("audit", out, "--error", "0.01").exit_code == 1
    done = run("explain", out, "--json")
    assert done.exit_code == 0
    names = [item["name"] for item in json.loads(done.output)["importance"]]
    assert set(names[:2]) == {"a", "b"}
    text = (out / "card.md").read_text()
    assert "Increase of the error on test rows" in text
    assert run("card", out).exit_code == 0


def test_new_rows(fitted: tuple[Path, Result]) -> None:
    folder = fitted[0]
    new = drawn(5, 300).assign(batch=1)
    new.assign(a=new["a"] + 1.0).to_csv(folder / "new.csv", index=False)
    done = run("audit", folder / "out", "--data", folder / "new.csv")
    assert done.exit_code == 1
    assert "a: the new data differ" in done.output
    new.drop(columns="b").to_csv(folder / "less.csv", index=False)
    done = run("audit", folder / "out", "--data", folder / "less.csv")
    assert done.exit_code == 2
    assert "there is no column 'b'" in done.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fit", "diabetis"], "Did you mean 'diabetes'"),
        (["fit", "none.csv"], "cannot be read"),
        (["fit", "diabetes", "--target", "Target"], "Did you mean 'target'"),
        (["fit", "diabetes", "--groups", "sexe"], "Did you mean 'sex'"),
        (["fit", "diabetes", "--time", "age"], "not sorted"),
        (["fit", "wine", "--task", "regression"], "not numeric"),
        (["fit", "diabetes", "--task", "ranking"], "task must be"),
        (["fit", "diabetes", "--energy", "guess"], "--energy must be"),
        (["fit", "diabetes", "--groups", "target"], "--target and --groups are both 'target'"),
        (["audit", "."], "no fit.json there; give the folder that pinnsolve fit wrote"),
        (["card", "."], "no fit.json there"),
    ],
)
def test_bad_input(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*words)
    assert done.exit_code == 2
    assert message in re.sub(r"\s+", " ", done.output)


def test_bad_tables_and_models(fitted: tuple[Path, Result], tmp_path: Path) -> None:
    frame = drawn(0, 60)[["a", "b", "y"]]
    frame.loc[3, "a"] = float("nan")
    frame.to_csv(tmp_path / "holes.csv", index=False)
    done = run("fit", tmp_path / "holes.csv", "--target", "y", "--out", tmp_path / "o")
    assert done.exit_code == 2
    assert "a: 1 of 60 values" in done.output
    (tmp_path / "one.csv").write_text("a,y\n" + "\n".join(f"{k},same" for k in range(40)))
    done = run("fit", tmp_path / "one.csv", "--target", "y", "--out", tmp_path / "o")
    assert done.exit_code == 2
    assert "one class only" in done.output
    for values, message in ((["3.0"] * 40, "nothing to learn"), (["1", "2"], "too few to test")):
        (tmp_path / "few.csv").write_text(
            "a,y\n" + "\n".join(f"{k},{v}" for k, v in enumerate(values))
        )
        done = run("fit", tmp_path / "few.csv", "--target", "y", "--out", tmp_path / "o")
        assert done.exit_code == 2
        assert message in re.sub(r"\s+", " ", done.output)
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "fit.json").write_text((fitted[0] / "out" / "fit.json").read_text())
    (bad / "model.h5").write_text("import os")
    done = run("audit", bad)
    assert done.exit_code == 2
    assert "model.h5" in done.output.replace("\n", "")
    (bad / "fit.json").write_text("{}")
    assert "not the document of a fit" in re.sub(r"\s+", " ", run("card", bad).output)


def test_card_shows_what_was_recorded(fitted: tuple[Path, Result]) -> None:
    document: dict[str, Any] = json.loads((fitted[0] / "out" / "fit.json").read_text())
    made = card_of_fit({**document, "audit": None, "explanation": None, "intervals": None})
    text = made.markdown()
    assert text.count("Not recorded.") == 3
    assert document["energy"]["text"] in text
    assert document["command"] in text
    for version in document["fit"]["versions"].values():
        assert version in text
    page = made.page()
    assert "<script" not in page
    odd = card_of_fit({**document, "source": "<b>a|b</b>"})
    assert "&lt;b&gt;" in odd.page()
    with pytest.raises(ValueError, match="not the document of a fit"):
        card_of_fit({"data": {}})


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("solve") / "run"
    assert run("solve", "composite_wall", "--out", folder, "--no-reference").exit_code == 0
    return folder


def test_card_and_explanation_of_a_solution(solved: Path) -> None:
    done = run("explain", solved)
    assert done.exit_code == 0
    assert re.search(r"d .* / d .* = -?\d", done.output)
    assert run("card", solved).exit_code == 0
    assert "a solved problem, whose checks are in its report" in run("audit", solved).output
    text = (solved / "card.md").read_text()
    for words in (
        "## Declaration",
        "## Audit",
        "through the solution",
        "pinnsolve solve composite_wall",
    ):
        assert words in text
    assert "kWh" in text


def test_card_of_a_solution_without_verdict() -> None:
    problem = ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(conductivity=1.0),
        [ps.Dirichlet("left", temperature=1.0), ps.Dirichlet("right", temperature=5.0)],
        quantities=[ps.point_value("T", "temperature", (0.5,), unit="K")],
    )
    solution = ps.solve(problem, reference=False)
    made = card_of_solution(solution, sensitivities=sensitivities(solution))
    assert made.passed == solution.verdict.trusted
    assert "left: temperature" in made.markdown()
    assert "The command line was not recorded." in made.markdown()


def test_card_in_a_browser(fitted: tuple[Path, Result], tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 844})
        troubles: list[str] = []
        page.on("console", lambda message: troubles.append(message.text))
        for name in ("card.html", "data.html"):
            page.goto((fitted[0] / "out" / name).as_uri())
            assert page.locator("#verdict strong").is_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.screenshot(path=str(tmp_path / "card.png"))
        browser.close()
    assert troubles == []
