"""Tuning: budgets, fronts and files; a study whose process was killed goes on."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pinnsolve.validation import tuning as validation
from pinnsolve.validation.tables import Table

import pinnsolve as ps
from pinnsolve.energy import WATTS_PER_CORE, Energy, EstimatedEnergy, Running
from pinnsolve.learning import Library, Regressor, Tuned, tune
from pinnsolve.learning.search_spaces import ProblemSearch, Rivals, Settings
from pinnsolve.learning.studies import open_study, rivals_of, settings_of
from pinnsolve.method import Method
from pinnsolve.training import train


def table(rows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (rows, 2))
    return x, np.sin(2.0 * x[:, 0]) + 0.5 * x[:, 1] + 0.05 * rng.normal(size=rows)


def rod() -> ps.Problem:
    return ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(conductivity=1.0, source=6.0),
        [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=1.0)],
        exact=lambda x: {"temperature": x.x + 3.0 * x.x * (1.0 - x.x)},
    )


def quick() -> Regressor:
    return Regressor(("mlp", 4), max_steps=10)


@cache
def tuned() -> Tuned:
    return tune(quick(), table(), budget_seconds=100.0, max_trials=4, objectives=("error", "time"))


def test_the_first_trial_is_the_defaults_and_the_best_is_no_worse() -> None:
    found = tuned()
    assert found.trials[0].settings == {}
    assert found.best_trial.error <= found.trials[0].error
    assert found.gain >= 0.0
    assert isinstance(found.best, Regressor)
    assert len(found.trials) == 4
    least = found.spent_seconds * WATTS_PER_CORE / 3600.0  # the meter also sees what is imported
    assert least <= found.spent_wh < 2.0 * least
    assert found.energy_source.startswith("estimate: CPU time x 10 W")


def test_no_trial_of_the_front_is_worse_in_everything() -> None:
    complete = [t for t in tuned().trials if t.state == "complete"]
    front = [t for t in complete if t.number in tuned().front]
    assert tuned().best_trial.number in tuned().front
    for one in front:
        better = [t for t in complete if t.error < one.error and t.seconds < one.seconds]
        assert not better


def test_table_and_picture(tmp_path: Path) -> None:
    assert tuned().table().count("\n") == 5
    assert "defaults" in tuned().table()
    tuned().draw(tmp_path / "front.png")
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match=r"must end with \.png"):
        tuned().draw(tmp_path / "front.pdf")


def test_a_problem_is_tuned_from_the_library(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.add(train(rod()).solution)
    found = tune(
        rod(), budget_seconds=60.0, max_trials=2, objectives=("error",), library=library, seed=1
    )
    assert isinstance(found.best, Method)
    assert found.best_trial.error < 1e-3
    assert "the nearest solution of the library" in found.note


def test_a_budget_of_energy_ends_a_study() -> None:
    found = tune(quick(), table(), budget_wh=1e-9, objectives=("error", "energy"))
    assert len(found.trials) == 1
    assert found.best_trial.watt_hours > 0.0


def test_watts_and_meters() -> None:
    plain, hungry = (
        tune(quick(), table(), budget_seconds=1e3, max_trials=1, objectives=("error",), watts=w)
        for w in (None, 1e3)
    )
    assert hungry.spent_wh > 20.0 * plain.spent_wh
    assert "1000 W" in hungry.energy_source
    found = tune(
        quick(), table(), budget_wh=250.0, max_trials=9, objectives=("energy",), meter=Mains()
    )
    assert (found.spent_wh, found.energy_source) == (200.0, "mains")
    assert all(trial.watt_hours < 100.0 for trial in found.trials)
    with pytest.raises(ValueError, match="give meter or watts, not both"):
        tune(quick(), table(), budget_seconds=1.0, meter=EstimatedEnergy(), watts=3.0)


@dataclass(frozen=True)
class Mains:
    """A meter that reads 0.1 kWh for every trial."""

    def start(self) -> Running:
        return lambda: Energy(0.1, 0.05, 1.0, 1.0, "mains", measured=True)


class Witness(Regressor):
    """A Regressor that leaves the number of the process that it was fitted in."""

    def __init__(
        self,
        architecture: Any = "auto",
        folder: str = "",
        max_steps: int = 10,
        validation_share: float | None = None,
        random_state: int = 0,
        max_seconds: float = 300.0,
    ) -> None:
        super().__init__(
            architecture,
            max_steps=max_steps,
            validation_share=validation_share,
            random_state=random_state,
            max_seconds=max_seconds,
        )
        self.folder = folder

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **how: Any) -> Regressor:
        (Path(self.folder) / str(os.getpid())).touch()
        return super().fit(X, y, sample_weight, **how)


def test_two_trials_at_a_time_in_processes_of_their_own(tmp_path: Path) -> None:
    found = tune(
        Witness(("mlp", 4), str(tmp_path)), table(), budget_seconds=1e3, max_trials=3, num_jobs=2
    )
    processes = {int(path.name) for path in tmp_path.iterdir()}
    assert len(processes) >= 1
    assert os.getpid() not in processes
    assert len(found.trials) == 3
    assert found.spent_seconds > 0.0
    assert found.spent_wh > 0.0


_ON_RAY = """
import os
import ray
from test_tuning import Witness, table, tune
model = Witness(("mlp", 4), {seen!r})
found = tune(model, table(), budget_seconds=1e3, max_trials=2, cluster="local")
assert not ray.is_initialized()
assert [trial.state != "lost" for trial in found.trials] == [True, True]
assert found.spent_wh > 0.0
print(os.getpid())
"""


def test_trials_on_a_ray_cluster(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    script = _ON_RAY.format(seen=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        capture_output=True,
        text=True,
        timeout=400,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parent)},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    processes = {path.name for path in tmp_path.iterdir()}
    assert processes
    assert done.stdout.split()[-1] not in processes


def test_tuned_beside_default_on_rows_that_tuning_never_saw(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "TABLES", {"waves": lambda: Table(*table(40))})
    words = ["--table", "waves", "--seeds", "1", "--out", str(tmp_path), "--budget"]
    validation.main([*words, "1e-3"])
    found = json.loads((tmp_path / "tuning.json").read_text())["tables"]["waves"]
    row = found["seeds"][0]
    assert (row["trials"], row["settings"], found["fall"]) == (1, {}, 0.0)
    assert row["tuned"] == row["default"] > 0.0
    assert "| waves | 1 seeds | | | 0 %, missed |" in (tmp_path / "tuning.md").read_text()
    for wrong in ([*words, "0"], ["--table", "wave", "--budget", "1"]):
        with pytest.raises(SystemExit, match="2"):
            validation.main(wrong)
    said = capsys.readouterr().err
    assert "--budget and --seeds must be > 0" in said
    assert "unknown table 'wave'; there are waves" in said


_CHILD = """
import sys
sys.path.insert(0, {folder!r})
from test_tuning import quick, table, tune
tune(quick(), table(), budget_seconds=1e4, storage={storage!r})
"""


def test_a_killed_study_goes_on(tmp_path: Path) -> None:
    storage = tmp_path / "study.db"
    script = _CHILD.format(folder=str(Path(__file__).parent), storage=str(storage))
    child = subprocess.Popen(
        [sys.executable, "-c", script], env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    try:
        deadline = time.monotonic() + 120.0
        while _ended(storage) < 2 and time.monotonic() < deadline:
            assert child.poll() is None
            time.sleep(0.1)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    before = _ended(storage)
    assert before >= 2
    found = tune(quick(), table(), budget_seconds=1e4, storage=storage, max_trials=before + 1)
    ended = [t for t in found.trials if t.state != "lost"]
    assert len(ended) == before + 1
    assert found.trials[0].settings == {}
    assert found.spent_seconds > 0.0
    with pytest.raises(ValueError, match="holds another study"):
        tune(quick(), table(50), budget_seconds=1.0, storage=storage)


@dataclass(frozen=True)
class Known(ProblemSearch):
    """A search with two settings that often do well."""

    @property
    def known(self) -> tuple[Settings, ...]:
        return ({"share": 0.25}, {"share": 0.75})

    def suggest(self, trial: Any) -> dict[str, Any]:
        return {"share": trial.suggest_float("share", 0.0, 1.0)}


@pytest.mark.parametrize("asked", [0, 1, 2, 3])
@pytest.mark.parametrize("begun", [False, True])
def test_a_study_that_is_lost_early_still_tries_the_defaults_and_all_known_settings(
    tmp_path: Path, asked: int, begun: bool
) -> None:
    """Lost with several trials at work, before or after their settings were taken; and lost a second time."""
    search, storage = Known.on(rod()), tmp_path / "study.db"
    for _ in range(2):
        study = open_study(search, ("error",), storage, 0)
        trials = [study.ask() for _ in range(asked)]
        for trial in trials if begun else ():
            settings_of(search, trial)
    study = open_study(search, ("error",), storage, 0)
    tried = []
    for _ in range(4):
        trial = study.ask()
        tried.append(settings_of(search, trial))
        study.tell(trial, 1.0)
    assert tried[0] == {}
    assert {0.25, 0.75} <= {item["share"] for item in tried[1:]}


def test_a_study_from_before_errors_were_kept_by_fold_has_rivals() -> None:
    search = Known.on(rod())
    study = open_study(search, ("error",), None, 0)
    trial = study.ask()
    settings_of(search, trial)
    trial.set_user_attr("error", 0.5)
    study.tell(trial, 0.5)
    assert rivals_of(study) == Rivals()


def _ended(storage: Path) -> int:
    """Return the number of trials that ended, as another process sees it."""
    import sqlite3

    if not storage.is_file():
        return 0
    with sqlite3.connect(storage) as connection:
        try:
            query = "select count(*) from trials where state in ('COMPLETE', 'PRUNED')"
            return int(connection.execute(query).fetchone()[0])
        except sqlite3.OperationalError:
            return 0
        finally:
            connection.commit()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "tuning needs a budget"),
        ({"budget_seconds": 0.0}, "budget_seconds must be finite and > 0, got 0.0"),
        ({"budget_wh": -1.0}, "budget_wh must be finite and > 0"),
        ({"budget_seconds": math.nan}, "budget_seconds must be finite"),
        (
            {"budget_seconds": 1.0, "objectives": ("eror",)},
            "no objective 'eror'.*Did you mean 'error'",
        ),
        ({"budget_seconds": 1.0, "objectives": ()}, "objectives must be one or more of"),
        ({"budget_seconds": 1.0, "num_jobs": 0}, "num_jobs and max_trials must be >= 1"),
        ({"budget_seconds": 1.0, "storage": "nowhere/at/all.db"}, "there is no folder"),
    ],
)
def test_bad_budgets(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tune(quick(), table(), **options)  # type: ignore[arg-type]


def test_what_cannot_be_tuned(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="for an estimator or a problem, got int"):
        tune(3, budget_seconds=1.0)
    with pytest.raises(ValueError, match="an estimator is tuned on a table"):
        tune(quick(), budget_seconds=1.0)
    with pytest.raises(ValueError, match="a problem needs no data"):
        tune(rod(), table(), budget_seconds=1.0)
    with pytest.raises(ValueError, match="a library holds solutions of problems"):
        tune(quick(), table(), budget_seconds=1.0, library=Library(tmp_path))
    (tmp_path / "text.db").write_text("no study " * 100)
    with pytest.raises(ValueError, match="not the file of a study"):
        tune(quick(), table(), budget_seconds=1.0, storage=tmp_path / "text.db")
