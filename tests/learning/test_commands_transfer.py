"""The commands finetune and tune."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from pinnsolve.catalogue import shipped_problem
from pinnsolve.cli import app
from pinnsolve.learning import Classifier, FieldModel, Regressor, load
from pinnsolve.learning.commands_transfer import register
from pinnsolve.learning.table_transfer import retrained
from pinnsolve.training import train


def command_line() -> typer.Typer:
    app = typer.Typer()
    register(app)
    return app


def test_finetune_takes_a_file_and_leaves_one(tmp_path: Path) -> None:
    start, out = tmp_path / "start.h5", tmp_path / "out.h5"
    train(shipped_problem("composite_wall")).solution.save(start)
    asked = [
        "finetune",
        str(start),
        "composite_wall",
        "--set",
        "inner_conductivity=1.1",
        "--out",
        str(out),
    ]
    found = CliRunner().invoke(command_line(), asked)
    assert found.exit_code == 0, found.output
    assert out.is_file()
    assert "trusted" in found.output
    wrong = CliRunner().invoke(command_line(), [*asked, "--freeze", "trunc"])
    assert wrong.exit_code == 2
    assert "Did you mean 'trunk'" in wrong.output
    wrong = CliRunner().invoke(command_line(), [*asked, "--target", "power"])
    assert wrong.exit_code == 2
    assert "--target is for fitted models" in wrong.output


def table(path: Path, rows: int, factor: float) -> Path:
    """Write a table of a plane with a bend, whose target is multiplied by a factor."""
    rng = np.random.default_rng(rows)
    x = rng.uniform(-1.0, 1.0, (rows, 2))
    y = factor * (np.sin(2.0 * x[:, 0]) + x[:, 1]) + 0.01 * rng.normal(size=rows)
    frame = pd.DataFrame({"speed": x[:, 0], "load": x[:, 1], "power": y})
    frame.to_csv(path, index=False)
    return path


def test_finetune_takes_a_model_and_a_table(tmp_path: Path) -> None:
    known = pd.read_csv(table(tmp_path / "known.csv", 60, 1.0))
    model = Regressor(("mlp", 6), max_steps=30).fit(known[["speed", "load"]], known["power"])
    model.save(tmp_path / "model.h5")
    few = str(table(tmp_path / "few.csv", 20, 1.5))
    asked = ["finetune", str(tmp_path / "model.h5"), few, "--target", "power"]
    out = tmp_path / "new.h5"
    found = CliRunner().invoke(command_line(), [*asked, "--out", str(out)])
    assert found.exit_code == 0, found.output
    before, after = (float(n) for n in re.findall(r"([\d.e-]+) (?:before|after)", found.output))
    assert after < 0.2 * before
    fresh = pd.read_csv(table(tmp_path / "fresh.csv", 50, 1.5))
    error = load(out).predict(fresh[["speed", "load"]]) - fresh["power"]
    assert np.sqrt(np.mean(error**2)) < 0.2 * before
    for wrong, message in (
        (asked[:-2], "a table needs a target: give --target"),
        ([*asked, "--set", "a=1"], "--set is for problems"),
        ([*asked[:-1], "powr"], "Did you mean 'power'"),
    ):
        refused = CliRunner().invoke(command_line(), wrong)
        assert refused.exit_code == 2
        assert message in refused.output


def test_new_rows_that_say_nothing_are_told_of(tmp_path: Path) -> None:
    known = pd.read_csv(table(tmp_path / "known.csv", 60, 1.0))
    names = np.where(known["power"] > 0.0, "high", "low")
    Classifier("linear").fit(known[["speed", "load"]], names).save(tmp_path / "model.h5")
    known["power"] = names
    known.iloc[:12].to_csv(tmp_path / "same.csv", index=False)
    same = retrained(tmp_path / "model.h5", str(tmp_path / "same.csv"), "power")
    assert same.measure == "share of wrong classes"
    assert ("did harm" in same.text) == (same.after > same.before)
    known.iloc[:3].to_csv(tmp_path / "three.csv", index=False)
    with pytest.raises(ValueError, match="3 rows are too few to judge by"):
        retrained(tmp_path / "model.h5", str(tmp_path / "three.csv"), "power")


def test_finetune_takes_a_learned_field(tmp_path: Path) -> None:
    known, new = (pd.read_csv(table(tmp_path / f"{n}.csv", 40, n)) for n in (1.0, 2.0))
    field = FieldModel(("speed", "load"), ("power",), architecture=("mlp", 6), max_steps=30)
    field.fit(known[["speed", "load"]].to_numpy(), {"power": known["power"]}).save(
        tmp_path / "field.h5"
    )
    found = retrained(tmp_path / "field.h5", str(tmp_path / "2.0.csv"), None)
    assert found.num_rows == len(new)
    assert found.after < 0.2 * found.before


def test_tune_takes_a_table(tmp_path: Path) -> None:
    data, out = str(table(tmp_path / "data.csv", 60, 1.0)), tmp_path / "best.h5"
    asked = ["tune", data, "--target", "power", "--budget", "0.01", "--out", str(out)]
    found = CliRunner().invoke(command_line(), asked)
    assert found.exit_code == 0, found.output
    assert "| 0 |" in found.output
    assert load(out).n_features_in_ == 2
    wrong = CliRunner().invoke(
        command_line(), ["tune", "composite_wall", "--budget", "1", "--out", "a.h5"]
    )
    assert wrong.exit_code == 2
    assert "--out is for the model of a table" in wrong.output
    wrong = CliRunner().invoke(command_line(), [*asked, "--set", "inner_conductivity=1.1"])
    assert wrong.exit_code == 2
    assert "--set is for problems; a table has columns" in wrong.output


def test_solve_begins_from_a_library_and_fills_it(tmp_path: Path) -> None:
    words = ["solve", "composite_wall", "--library", str(tmp_path / "solved"), "--no-reference"]
    folder = ["--out", str(tmp_path / "run")]
    first = CliRunner().invoke(app, [*words, *folder])
    assert first.exit_code == 0, first.output
    assert "has no solution with these fields" in first.output
    again = CliRunner().invoke(app, [*words, *folder])
    assert again.exit_code == 0, again.output
    assert "begun from composite_wall-1.h5, at distance 0" in again.output
    assert len(list((tmp_path / "solved").glob("*.h5"))) == 1  # the same problem is kept once
    for more, message in (
        (["--slabs", "2"], "--library gives one start"),
        (["--checkpoint", str(tmp_path / "state.h5")], "another start each time, and a checkpoint"),
    ):
        wrong = CliRunner().invoke(app, [*words, *more])
        assert wrong.exit_code == 2
        assert message in wrong.output


def test_tune_refuses_a_budget_of_nothing() -> None:
    found = CliRunner().invoke(command_line(), ["tune", "composite_wall", "--budget", "0"])
    assert found.exit_code == 2
    assert "budget_seconds must be finite and > 0" in found.output
