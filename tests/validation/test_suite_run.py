"""The suite as a whole: files, exit status, crashes, resuming, processes."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pinnsolve.validation import suite
from pinnsolve.validation.regression import processes
from pinnsolve.validation.regression.board import board, final_tables
from pinnsolve.validation.regression.one_run import allowed_seconds
from pinnsolve.validation.regression.processes import Execute, Run, Watch, in_processes
from pinnsolve.validation.regression.validate import FILES, Plan, Show, run_validation
from pinnsolve.validation.suite import Case
from rich.console import Console
from typer.testing import CliRunner

from pinnsolve.catalogue import shipped_problem
from pinnsolve.cli import app

Document = dict[str, Any]


def made_of(measured: dict[str, Document]) -> Execute:
    """Makes runs by looking up what was measured before."""

    def execute(runs: Sequence[Run], watch: Watch) -> None:
        for run in runs:
            watch(run, None)
            watch(run, measured[run.case.name] | {"seed": run.seed})

    return execute


@pytest.fixture(scope="module")
def both(
    rods: dict[str, Case],
    measured: dict[str, Document],
    silent: Show,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Document, Path]:
    """The document and the folder of a suite of one case that passes and one that fails."""
    out = tmp_path_factory.mktemp("both")
    plan = Plan((rods["good"], rods["bad"]), "chosen", 1, out)
    return run_validation(plan, made_of(measured), silent), out


def test_document_is_what_is_written(both: tuple[Document, Path]) -> None:
    document, out = both
    assert json.loads((out / "validation.json").read_text()) == document
    assert set(FILES) <= {path.name for path in out.iterdir()}


def test_schema(both: tuple[Document, Path]) -> None:
    document, _ = both
    assert document.keys() == {
        "schema", "passed", "suite", "seeds", "started", "seconds", "versions", "machine", "cases",
        "baseline",
    }  # fmt: skip
    assert document["schema"] == 1
    assert {"pinnsolve", "code", "torch", "numpy", "scipy", "python"} <= document["versions"].keys()
    for case in document["cases"]:
        assert case.keys() == {
            "name", "problem", "settings", "description", "physics", "accuracy", "time_budget",
            "known_shortfall", "fingerprint", "passed", "failures", "rows", "balances", "seconds",
            "cpu_seconds", "runs", "baseline",
        }  # fmt: skip
        assert [item["name"] for item in case["balances"]] == ["heat"]
        assert case["rows"][0].keys() == {
            "quantity", "unit", "target", "target_uncertainty", "source", "tolerance", "values",
            "mean", "half_width_95", "n", "error", "error_percent", "ratio", "passed",
        }  # fmt: skip
        (run,) = case["runs"]
        assert {
            "allowed_seconds",
            "wall_seconds",
            "cpu_seconds",
            "threads",
            "verdict",
        } <= run.keys()


def test_right_numbers_pass_and_a_missed_target_fails(both: tuple[Document, Path]) -> None:
    document, _ = both
    good, bad = document["cases"]
    assert good["passed"]
    middle, exact = good["rows"]
    assert middle["mean"] == pytest.approx(2.0, abs=1e-6)
    assert exact["mean"] < 1e-6
    assert exact["tolerance"] == good["accuracy"]
    assert not bad["passed"]
    assert bad["rows"][0]["error_percent"] == pytest.approx(-20.0, abs=1e-3)
    assert bad["rows"][0]["ratio"] == pytest.approx(0.8, abs=1e-5)
    assert any("middle: 2 K, target 2.5 K, tolerance 0.001 K" in line for line in bad["failures"])
    assert not document["passed"]


def test_junit_is_well_formed(both: tuple[Document, Path]) -> None:
    _, out = both
    (found,) = ElementTree.parse(out / "junit.xml").getroot()
    assert (found.get("tests"), found.get("failures"), found.get("errors")) == ("2", "1", "0")
    good, bad = found.findall("testcase")
    assert good.find("failure") is None
    assert float(good.get("time") or 0.0) > 0.0
    assert "middle" in (bad.findtext("failure") or "")
    assert "middle = 2" in (good.findtext("system-out") or "")


class Text(HTMLParser):
    """The text of a page, and what it would load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.open, self.loaded = "", list[str](), list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [tag] * (tag in ("script", "img", "iframe") or "src" in dict(attrs))
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_page_is_red_and_complete(both: tuple[Document, Path]) -> None:
    _, out = both
    page = (out / "validation.html").read_text()
    found = Text(page)
    assert not found.open
    assert not found.loaded
    assert '<section class="verdict bad"' in page
    for words in ("Failed", "1 of 2 cases fail", "by hand", "-20 %", "95 % half width", "scipy"):
        assert words in found.text


def test_page_is_green_if_all_pass(
    rods: dict[str, Case], measured: dict[str, Document], silent: Show, tmp_path: Path
) -> None:
    plan = Plan((rods["good"],), "chosen", 2, tmp_path)
    document = run_validation(plan, made_of(measured), silent)
    assert document["passed"]
    assert document["cases"][0]["rows"][0]["n"] == 2
    assert '<section class="verdict good"' in (tmp_path / "validation.html").read_text()


def test_known_shortfall_stays_a_failure(
    measured: dict[str, Document], rods: dict[str, Case], silent: Show, tmp_path: Path
) -> None:
    case = Case("bad", rods["bad"].problem, known_shortfall="off by 20 %")
    document = run_validation(Plan((case,), "chosen", 1, tmp_path), made_of(measured), silent)
    assert not document["passed"]
    assert "known shortfall: off by 20 %" in Text((tmp_path / "validation.html").read_text()).text
    assert "known: off by 20 %" in (tmp_path / "junit.xml").read_text()


def test_finished_runs_are_kept(
    both: tuple[Document, Path], rods: dict[str, Case], never: Execute, silent: Show
) -> None:
    document, out = both
    again = run_validation(Plan((rods["good"], rods["bad"]), "chosen", 1, out), never, silent)
    assert [case["rows"] for case in again["cases"]] == [case["rows"] for case in document["cases"]]
    assert all(run["kept"] for case in again["cases"] for run in case["runs"])
    assert "2 runs were made by an earlier call" in (out / "validation.html").read_text()


def test_interrupted_it_goes_on(
    rods: dict[str, Case], measured: dict[str, Document], silent: Show, tmp_path: Path
) -> None:
    plan = Plan((rods["good"], rods["bad"]), "chosen", 1, tmp_path)

    def stopped(runs: Sequence[Run], watch: Watch) -> None:
        made_of(measured)(runs[:1], watch)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_validation(plan, stopped, silent)
    asked: list[str] = []

    def rest(runs: Sequence[Run], watch: Watch) -> None:
        asked.extend(run.case.name for run in runs)
        made_of(measured)(runs, watch)

    run_validation(plan, rest, silent)
    assert asked == ["bad"]


@pytest.mark.parametrize("spoilt", ["damaged", "declaration", "code", "seed"])
def test_what_changed_is_run_again(
    both: tuple[Document, Path],
    rods: dict[str, Case],
    never: Execute,
    silent: Show,
    tmp_path: Path,
    spoilt: str,
) -> None:
    (tmp_path / "runs").mkdir()
    text = (both[1] / "runs" / "good-0.json").read_text()
    known = json.loads(text)
    known["asked"] |= {
        "declaration": {"fingerprint": "another"},
        "code": {"versions": known["asked"]["versions"] | {"code": "another"}},
        "seed": {"seed": 5},
    }.get(spoilt, {})
    kept = text[:100] if spoilt == "damaged" else json.dumps(known)
    (tmp_path / "runs" / "good-0.json").write_text(kept)
    with pytest.raises(AssertionError, match="1 runs were to be made again"):
        run_validation(Plan((rods["good"],), "chosen", 1, tmp_path), never, silent)


def test_a_problem_that_cannot_be_made_is_an_error_row(
    measured: dict[str, Document], rods: dict[str, Case], silent: Show, tmp_path: Path
) -> None:
    cases = (Case("broken", "poisson", {"conductivity": -1.0}), rods["good"])
    document = run_validation(Plan(cases, "chosen", 1, tmp_path), made_of(measured), silent)
    broken, good = document["cases"]
    assert not broken["passed"]
    assert "conductivity" in broken["failures"][0]
    assert good["passed"]
    assert ElementTree.parse(tmp_path / "junit.xml").getroot()[0].get("errors") == "1"


def test_processes_two_at_a_time_give_the_same_numbers_and_a_crash_stays_alone(
    rods: dict[str, Case],
    measured: dict[str, Document],
    silent: Show,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(processes, "available_cores", lambda: 2)
    plan = Plan((rods["crash"], rods["good"]), "chosen", 1, tmp_path)
    document = run_validation(plan, in_processes(2), silent)
    crash, good = document["cases"]
    assert crash["failures"][0].startswith("seed 0: ended by SIGABRT")
    assert crash["rows"] == []
    assert good["passed"]
    told: list[Document | None] = []
    in_processes(1)([Run(rods["good"], 0)], lambda run, document: told.append(document))
    begin, alone = told
    assert begin is None
    assert alone is not None
    (beside,) = good["runs"]
    for run in (alone, measured["good"]):
        assert run["steps"] == beside["steps"]
        assert run["threads"] == beside["threads"] == 1
        for one, other in zip(run["quantities"], beside["quantities"], strict=True):
            assert one["value"] == pytest.approx(other["value"], rel=1e-12)
    assert not (tmp_path / "runs" / "crash-0.json").exists()
    page = Text((tmp_path / "validation.html").read_text()).text
    assert "ended by SIGABRT" in page


def test_a_run_that_hangs_is_ended(rods: dict[str, Case]) -> None:
    started = processes.Started.of(Run(rods["good"], 0), 1)
    document = started.ended(longest=-1.0)
    assert document is not None
    assert document["error"].startswith("hung: ended after")
    assert started.process.poll() is not None


def test_budget_is_for_two_cores() -> None:
    problem = shipped_problem("poisson")
    assert allowed_seconds(problem, 1) == 2.0 * problem.time_budget
    assert allowed_seconds(problem, 2) == allowed_seconds(problem, 8) == problem.time_budget


def test_plan_refusals(rods: dict[str, Case], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there are no cases"):
        Plan((), "chosen", 1, tmp_path)
    with pytest.raises(ValueError, match="number of seeds must be >= 1, got 0"):
        Plan((rods["good"],), "chosen", 0, tmp_path)
    with pytest.raises(ValueError, match="--update-baseline writes the file that --against names"):
        Plan((rods["good"],), "chosen", 1, tmp_path, update=True)
    with pytest.raises(
        ValueError, match=r"jobs must be from 1 to the number of cores, \d+; got 9999"
    ):
        in_processes(9999)


def test_baseline_is_written_and_compared(
    measured: dict[str, Document], rods: dict[str, Case], silent: Show, tmp_path: Path
) -> None:
    base = tmp_path / "base.json"
    cases = (rods["good"], rods["bad"])
    execute = made_of(measured)
    first = run_validation(Plan(cases, "chosen", 1, tmp_path, base, update=True), execute, silent)
    assert first["baseline"] is None
    assert json.loads(base.read_text()) == first
    again = run_validation(Plan(cases, "chosen", 1, tmp_path, base), execute, silent)
    assert [case["baseline"]["state"] for case in again["cases"]] == ["same", "same"]
    assert again["baseline"]["differences"] == []
    first["cases"][0]["cpu_seconds"] = 1e-9
    first["cases"][0]["rows"][0] |= {"values": [2.0], "tolerance": 1e-12}
    first["versions"]["torch"] = "0.1"
    base.write_text(json.dumps(first))
    other = run_validation(Plan(cases, "chosen", 1, tmp_path, base), execute, silent)
    assert other["baseline"]["differences"][0].startswith("torch: 0.1 then")
    assert "torch: 0.1 then" in Text((tmp_path / "validation.html").read_text()).text
    with pytest.raises(ValueError, match="would lose bad, which are not run"):
        run_validation(
            Plan((rods["good"],), "chosen", 1, tmp_path, base, update=True), execute, silent
        )


def test_no_space_on_disk(
    measured: dict[str, Document],
    rods: dict[str, Case],
    silent: Show,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        ValueError, match=r"good-0.json: cannot be written \(No space left on device\)"
    ):
        run_validation(Plan((rods["good"],), "chosen", 1, tmp_path), made_of(measured), silent)


@pytest.fixture
def planted(rods: dict[str, Case], monkeypatch: pytest.MonkeyPatch) -> None:
    """The full suite is two rods; the quick one is the good one."""
    cases = (rods["good"], Case("bad", rods["bad"].problem))
    monkeypatch.setattr(suite, "all_cases", lambda: cases)


def command(*words: str) -> Any:
    return CliRunner().invoke(app, ["validate", *words], env={"OMP_NUM_THREADS": "1"})


@pytest.mark.usefixtures("planted")
def test_exit_status_tells_and_nothing_is_made_twice(
    both: tuple[Document, Path], never: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "in_processes", lambda jobs: never)
    out = str(both[1])
    passed = command("--out", out)
    assert passed.exit_code == 0
    assert "Passed" in passed.stdout
    assert str(both[1] / "validation.html") in passed.stdout
    failed = command("--suite", "full", "--out", out)
    assert failed.exit_code == 1
    assert "Failed: 1 of 2" in failed.stdout
    assert "bad: middle: 2 K, target 2.5 K" in " ".join(failed.stdout.split())
    assert "bad, seed 0: not trusted (kept)" in failed.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--case", "poison"], "Did you mean 'poisson'?"),
        (["--suite", "fast"], "no suite 'fast'. There are quick, full."),
        (["--against", "nowhere.json"], "nowhere.json: cannot be read"),
        (["--update-baseline"], "writes the file that --against names"),
        (["--jobs", "9999"], "number of cores"),
        (["--jobs", "2", "--cluster", "auto"], "keep one"),
    ],
)
def test_command_refuses(tmp_path: Path, words: list[str], message: str) -> None:
    found = command(*words, "--out", str(tmp_path / "new"))
    assert found.exit_code == 2
    assert message in " ".join(found.stderr.split())
    assert not (tmp_path / "new").exists()


def test_live_table_and_final_tables(
    both: tuple[Document, Path], rods: dict[str, Case], measured: dict[str, Document]
) -> None:
    terminal = Console(force_terminal=True, width=120, record=True)
    runs = [Run(rods[name], 0) for name in ("good", "bad", "crash")]
    with board(runs, terminal) as watch:
        watch(runs[0], None)
        watch(runs[0], measured["good"])
        watch(runs[1], None)
        watch(runs[2], {"error": "died"})
    paper = Console(width=120, record=True)
    paper.print(*final_tables(both[0]), sep="\n")
    text = paper.export_text()
    assert "Failed: 1 of 2" in text
    assert "pass" in text
    assert "FAIL" in text
