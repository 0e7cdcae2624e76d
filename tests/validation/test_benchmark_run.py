"""The benchmark as a whole, in seconds: processes, files, document, figure, resuming, refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pinnsolve.validation.benchmarks.cases import CASE_NAMES
from pinnsolve.validation.benchmarks.run import Job, Plan, run_benchmark, scaling_jobs
from pinnsolve.validation.benchmarks.scaling import measure
from pinnsolve.validation.benchmarks.summary import benchmark_document, summary_lines
from typer.testing import CliRunner

from pinnsolve.cli import app


class Done(NamedTuple):
    """A finished benchmark."""

    plan: Plan
    document: dict[str, Any]
    labels: list[str]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Poisson's equation with one seed, 2 s a run, 50 iterations of Adam."""
    plan = Plan(
        ("poisson",),
        1,
        2.0,
        tmp_path_factory.mktemp("benchmark"),
        with_scaling=False,
        adam_iterations=50,
    )
    labels: list[str] = []
    return Done(plan, run_benchmark(plan, labels.append), labels)


class StopError(Exception):
    """Raised in place of a run."""


def stop(label: str) -> None:
    raise StopError(label)


def test_runs_come_one_after_the_other(done: Done) -> None:
    assert done.labels == [
        "poisson, seed 0: pinnsolve",
        "poisson, seed 0: DeepXDE in float32",
        "poisson, seed 0: DeepXDE in float64",
        "poisson: finite differences",
    ]


def test_document(done: Done) -> None:
    written = json.loads((done.plan.out / "benchmark.json").read_text())
    assert written == done.document
    (case,) = written["cases"]
    assert case["name"] == "poisson"
    (own,) = case["curves"]["pinnsolve"]
    assert own["errors"][-1] < 1e-6
    assert {run["precision"] for run in case["curves"]["deepxde"]} == {"float32", "float64"}
    assert sum(run["chosen"] for run in case["curves"]["deepxde"]) == 1
    for run in case["curves"]["deepxde"]:
        assert len(run["errors"]) == len(run["seconds"]) >= 1
        assert 0.0 < run["errors"][-1] < 10.0
        assert run["num_parameters"] == 881
    assert "classical_seconds_at_our_final_error" in case
    assert case["fastest"]["1e-3"] == "classical"
    for key in ("speedup", "final_error_ratio", "targets"):
        assert key in case
    assert written["scaling"] is None


def test_scaling_is_measured_and_fitted(tmp_path: Path) -> None:
    plan = Plan(("poisson",), 1, 1.0, tmp_path, sizes=((3, 400), (3, 800), (4, 400)))
    assert [job.path.name for job in scaling_jobs(plan)] == [
        "scaling-3-400.json",
        "scaling-3-800.json",
        "scaling-4-400.json",
    ]
    points = [measure(*size) for size in plan.sizes]
    assert [point["num_rows"] for point in points] == [400, 800, 400]
    for point in points:
        assert 0.0 < point["matmul_fraction"] < 1.0
        assert point["seconds_per_step"] > 0.0
    written = benchmark_document([], num_seeds=1, max_seconds=1.0, scaling=points)["scaling"]
    assert set(written["exponents"]) == {"rows", "parameters"}


def test_summary_names_every_case(done: Done) -> None:
    head, line = summary_lines(done.document)
    assert head.startswith("case")
    assert line.startswith("poisson")
    assert line.endswith("classical")


def test_figure(done: Done) -> None:
    assert (done.plan.out / "benchmark.png").read_bytes().startswith(b"\x89PNG")


def test_resumed_it_runs_nothing_again(done: Done) -> None:
    again = run_benchmark(replace(done.plan, resume=True), stop)
    assert again["cases"] == done.document["cases"]


@pytest.mark.parametrize("change", [{"resume": False}, {"resume": True, "max_seconds": 4.0}])
def test_other_limits_or_no_resuming_run_again(done: Done, change: dict[str, Any]) -> None:
    with pytest.raises(StopError, match="poisson, seed 0: pinnsolve"):
        run_benchmark(replace(done.plan, **change), stop)


def test_resuming_takes_up_where_it_was(done: Done, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    name = "poisson-own-0.json"
    (tmp_path / "runs" / name).write_text((done.plan.out / "runs" / name).read_text())
    with pytest.raises(StopError, match="DeepXDE in float32"):
        run_benchmark(replace(done.plan, resume=True, out=tmp_path), stop)


def test_a_run_that_fails_says_why(tmp_path: Path) -> None:
    job = Job("a run", "own", ("--case", "nothing"), tmp_path / "x.json")
    with pytest.raises(RuntimeError, match=r"a run failed:[\s\S]*invalid choice: 'nothing'"):
        job.result(resume=False, announce=lambda label: None)


def test_deepxde_is_not_imported_outside_its_process() -> None:
    code = "import sys, pinnsolve.validation.benchmarks.run; sys.exit('deepxde' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_plan_refusals(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="number of seeds must be >= 1, got 0"):
        Plan((), 0, 1.0, tmp_path)
    with pytest.raises(ValueError, match="max_seconds must be finite and > 0, got nan"):
        Plan((), 1, float("nan"), tmp_path)
    assert Plan((), 1, 1.0, tmp_path).names == CASE_NAMES
    assert Plan(("burgers", "burgers"), 1, 1.0, tmp_path).names == ("burgers",)


def command(*words: str) -> Any:
    return CliRunner().invoke(app, ["benchmark", *words])


def test_command_refuses_an_unknown_case(tmp_path: Path) -> None:
    found = command("--case", "burger", "--out", str(tmp_path / "new"))
    assert found.exit_code == 2
    assert all(name in found.stderr for name in CASE_NAMES)
    assert "Did you mean 'burgers'?" in " ".join(found.stderr.split())
    assert not (tmp_path / "new").exists()


def test_command_refuses_a_folder_it_cannot_write_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = command("--out", str(tmp_path / "file"))
    assert found.exit_code == 2
    assert "choose another folder with --out" in " ".join(found.stderr.split())


def test_command_refuses_a_time_limit_that_allows_nothing(tmp_path: Path) -> None:
    found = command("--max-seconds", "0", "--out", str(tmp_path))
    assert found.exit_code == 2
    assert "max_seconds must be finite and > 0, got 0" in found.stderr


def test_help_lists_the_cases() -> None:
    text = " ".join(command("--help").stdout.split())
    assert f"Cases: {', '.join(CASE_NAMES)}." in text
