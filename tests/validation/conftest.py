"""Tiny problems to make a suite of: one that passes, one that misses its target, one that crashes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from pinnsolve.validation.regression.one_run import measure
from pinnsolve.validation.regression.processes import Execute, Run, Watch
from pinnsolve.validation.regression.validate import Show
from pinnsolve.validation.suite import Case

ROD = """
import os
import pinnsolve as ps

def {name}(right: float = 3.0) -> ps.Problem:
    return ps.Problem(
        name="{name}",
        domain=ps.Interval(0.0, 1.0),
        physics=ps.Heat(conductivity=2.0),
        conditions=[ps.Dirichlet("left", temperature=1.0), ps.Dirichlet("right", temperature=right)],
        exact=lambda x: {{"temperature": 1.0 + (right - 1.0) * x.x}},
        quantities=[ps.Quantity("middle", {evaluate}, "K", {target}, 1e-3, "by hand", 0.0)],
        description="a rod",
    )
"""

MIDDLE = "lambda s: float(s.at([[0.5]]).temperature[0])"


@pytest.fixture(scope="session")
def rods(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    """Cases by name: ``good``, ``bad`` (its target is missed by 0.5 K) and ``crash`` (ends its process)."""
    folder = tmp_path_factory.mktemp("rods")
    texts = {
        "good": ROD.format(name="good", evaluate=MIDDLE, target=2.0),
        "bad": ROD.format(name="bad", evaluate=MIDDLE, target=2.5),
        "crash": ROD.format(name="crash", evaluate="lambda s: os.abort()", target=2.0),
    }
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    return {name: Case(name, str(folder / f"{name}.py"), quick=True) for name in texts}


@pytest.fixture(scope="session")
def measured(rods: dict[str, Case]) -> dict[str, dict[str, Any]]:
    """Documents of the runs with seed 0, made in this process."""
    return {name: measure(rods[name], 0, threads=1) for name in ("good", "bad")}


@pytest.fixture(scope="session")
def here() -> Execute:
    """Makes runs in this process, one after the other."""

    def execute(runs: Sequence[Run], watch: Watch) -> None:
        for run in runs:
            watch(run, None)
            watch(run, measure(run.case, run.seed, threads=1))

    return execute


@pytest.fixture(scope="session")
def never() -> Execute:
    """Fails if there is anything left to run."""

    def execute(runs: Sequence[Run], watch: Watch) -> None:
        del watch
        raise AssertionError(f"{len(runs)} runs were to be made again")

    return execute


@pytest.fixture(scope="session")
def silent() -> Show:
    """Shows nothing."""

    def show(runs: Sequence[Run]) -> AbstractContextManager[Watch]:
        del runs
        return nullcontext(lambda run, document: None)

    return show
