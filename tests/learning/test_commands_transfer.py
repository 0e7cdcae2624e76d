"""The commands finetune and tune."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

from pinnsolve.catalogue import shipped_problem
from pinnsolve.learning.commands_transfer import register
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


def test_tune_refuses_a_budget_of_nothing() -> None:
    found = CliRunner().invoke(command_line(), ["tune", "composite_wall", "--budget", "0"])
    assert found.exit_code == 2
    assert "budget_seconds must be finite and > 0" in found.output
