"""Tables for the terminal: everything is said, nothing is cut off."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from pinnsolve.method import Method
from pinnsolve.report.result import Result
from pinnsolve.report.run_plots import training_blocks
from pinnsolve.report.tables import problem_tables, result_tables, table
from pinnsolve.scaling import find_scaling

ResultOf = Callable[..., Result]


def printed(parts: list[object], width: int = 120) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width).print(*parts, sep="\n")
    return stream.getvalue()


@pytest.mark.parametrize("name", ["rod", "taylor_green", "cooling_plate"])
def test_result(result_of: ResultOf, name: str) -> None:
    result = result_of(name, reference=name == "rod")
    text = printed(result_tables(result))
    assert "Not trusted. " in text
    for check in result.solution.verdict.checks:
        assert check.name in text
    for item in result.quantities:
        assert item.quantity.name in text
    for estimate in result.solution.estimates:
        assert estimate.name in text


def test_unjudged_result(result_of: ResultOf) -> None:
    result = result_of("rod")
    unjudged = replace(result, solution=replace(result.solution, verdict=None))
    assert "Not judged. The run was stopped" in printed(result_tables(unjudged))


@pytest.mark.parametrize("name", ["rod", "heat_rod", "cooling_plate", "block"])
def test_problem(result_of: ResultOf, name: str) -> None:
    problem = result_of(name).solution.problem
    blocks = training_blocks(problem, Method().network_for(problem), seed=0)
    text = printed(problem_tables(problem, blocks, find_scaling(problem, blocks)))
    for word in (problem.name, *problem.component_names, *problem.domain.parts):
        assert word in text
    for unknown in problem.unknowns:
        assert unknown.name in text


def test_brackets_are_not_markup() -> None:
    assert "sigma[bold] [/]" in printed([table(("a",), [("sigma[bold] [/]",)])])
