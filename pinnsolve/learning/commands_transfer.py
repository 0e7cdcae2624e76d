"""The commands ``pinnsolve finetune`` and ``pinnsolve tune``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pinnsolve.catalogue import make_problem
from pinnsolve.settings import parsed_settings
from pinnsolve.terminal import errors_in_one_line


def register(app: typer.Typer) -> None:
    """Add the commands to a command line.

    Args:
        app: The command line.
    """
    app.command()(finetune)
    app.command()(tune)


def finetune(
    start: Annotated[Path, typer.Argument(help="The file of a solution.")],
    target: Annotated[str, typer.Argument(help="The problem: a shipped name or a Python file.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="May be repeated.")
    ] = None,
    freeze: Annotated[
        str | None, typer.Option(help="nothing, trunk, all, or a number of layers.")
    ] = None,
    adapter_rank: Annotated[int | None, typer.Option(help="Rank of adapters.")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    out: Annotated[Path | None, typer.Option(help="File for the new solution.")] = None,
) -> None:
    """Solve a problem from the saved solution of its neighbour."""
    from pinnsolve.learning.transfer import finetune_solution

    with errors_in_one_line():
        problem = make_problem(target, parsed_settings(settings))
        word = int(freeze) if freeze is not None and freeze.lstrip("-").isdigit() else freeze
        solution = finetune_solution(
            start, problem, freeze=word, adapter_rank=adapter_rank, seed=seed
        )
        if out is not None:
            solution.save(out)
        typer.echo(solution.verdict)
    if solution.verdict is None or not solution.verdict.trusted:
        raise typer.Exit(1)


def tune(
    target: Annotated[str, typer.Argument(help="The problem: a shipped name or a Python file.")],
    budget: Annotated[float, typer.Option(help="CPU seconds of all trials together.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="May be repeated.")
    ] = None,
    storage: Annotated[
        Path | None, typer.Option(help="SQLite file; a study in it goes on.")
    ] = None,
    library: Annotated[Path | None, typer.Option(help="Folder of solved problems.")] = None,
    jobs: Annotated[int, typer.Option(min=1)] = 1,
    cluster: Annotated[str | None, typer.Option(help="Ray cluster, HOST:PORT or local.")] = None,
    picture: Annotated[Path | None, typer.Option(help="PNG of error against time.")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Search the settings that solve a problem best within a budget."""
    from pinnsolve.learning.library import Library
    from pinnsolve.learning.tuning import tune as search

    with errors_in_one_line():
        found = search(
            make_problem(target, parsed_settings(settings)),
            budget_seconds=budget,
            storage=storage,
            num_jobs=jobs,
            cluster=cluster,
            library=None if library is None else Library(library),
            seed=seed,
        )
        if picture is not None:
            found.draw(picture)
        typer.echo(found.table())
        typer.echo(repr(found.best))
