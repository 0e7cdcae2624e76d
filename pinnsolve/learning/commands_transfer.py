"""The commands ``pinnsolve finetune`` and ``pinnsolve tune``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinnsolve.catalogue import make_problem
from pinnsolve.problem import Problem
from pinnsolve.settings import parsed_settings
from pinnsolve.solution import Solution
from pinnsolve.terminal import EXIT_NOT_TRUSTED, errors_in_one_line

if TYPE_CHECKING:
    from pinnsolve.learning.library import LibraryStart


def register(app: typer.Typer) -> None:
    """Add the commands to a command line.

    Args:
        app: The command line.
    """
    app.command()(finetune)
    app.command()(tune)


def begun_in(folder: Path, problem: Problem, seed: int) -> LibraryStart:
    """Return what a library has for a problem to begin from, and say what it is on standard error.

    Args:
        folder: Folder of the library.
        problem: What is to be solved.
        seed: Seed of the features that the start is tried on.
    """
    from pinnsolve.learning.library import Library

    found = Library(folder).start_for(problem, seed=seed)
    typer.echo(found.note, err=True)
    return found


def keep_in(folder: Path, solution: Solution) -> None:
    """Add a solution to a library.

    Args:
        folder: Folder of the library.
        solution: The solution.
    """
    from pinnsolve.learning.library import Library

    Library(folder).add(solution)


def finetune(
    start: Annotated[
        Path, typer.Argument(help="File of a solution or a fitted model, or the folder of a fit.")
    ],
    goal: Annotated[
        str,
        typer.Argument(
            metavar="PROBLEM|DATA",
            help="The problem, a shipped name or a Python file; for a fitted model a CSV file of new rows.",
        ),
    ],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="May be repeated.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Column to be predicted, of a fitted model.")
    ] = None,
    freeze: Annotated[
        str | None, typer.Option(help="nothing, trunk, all, or a number of layers.")
    ] = None,
    adapter_rank: Annotated[int | None, typer.Option(help="Rank of adapters.")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    out: Annotated[Path | None, typer.Option(help="File for the new solution or model.")] = None,
) -> None:
    """Solve a problem from the saved solution of its neighbour, or fit a saved model to new rows.

    The exit status is 0 if the solution is trusted, or if the new rows are predicted no worse than before.
    """
    with errors_in_one_line():
        word = int(freeze) if freeze is not None and freeze.lstrip("-").isdigit() else freeze
        if start.is_dir() or _is_model(start):
            if settings:
                raise ValueError("--set is for problems; a table has columns: leave it out")
            good = _finetuned_table(start, goal, target, word, adapter_rank, seed, out)
        else:
            if target is not None:
                raise ValueError(
                    f"--target is for fitted models, but {start} is none; leave it out for a solution"
                )
            good = _finetuned_solution(start, goal, settings, word, adapter_rank, seed, out)
    if not good:
        raise typer.Exit(EXIT_NOT_TRUSTED)


def _is_model(path: Path) -> bool:
    """Return whether a file is that of a fitted model."""
    import h5py

    from pinnsolve.learning.saved import KIND

    if not path.is_file() or not h5py.is_hdf5(path):
        return False
    with h5py.File(path, "r") as file:
        return bool(file.attrs.get("format") == KIND.mark)


def _finetuned_solution(
    start: Path,
    goal: str,
    settings: list[str] | None,
    freeze: str | int | None,
    adapter_rank: int | None,
    seed: int,
    out: Path | None,
) -> bool:
    from pinnsolve.learning.transfer import finetune_solution

    problem = make_problem(goal, parsed_settings(settings))
    solution = finetune_solution(
        start, problem, freeze=freeze, adapter_rank=adapter_rank, seed=seed
    )
    if out is not None:
        solution.save(out)
    typer.echo(solution.verdict)
    return solution.verdict is not None and solution.verdict.trusted


def _finetuned_table(
    start: Path,
    data: str,
    target: str | None,
    freeze: str | int | None,
    adapter_rank: int | None,
    seed: int,
    out: Path | None,
) -> bool:
    from pinnsolve.learning.table_transfer import retrained

    found = retrained(start, data, target, freeze=freeze, adapter_rank=adapter_rank, seed=seed)
    if out is not None:
        found.model.save(out)
    typer.echo(found.text)
    return found.after <= found.before


def tune(
    goal: Annotated[
        str,
        typer.Argument(
            metavar="PROBLEM|DATA",
            help="The problem, a shipped name or a Python file; with --target a CSV file.",
        ),
    ],
    budget: Annotated[float, typer.Option(help="CPU seconds of all trials together.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="May be repeated.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Column to be predicted: a table is tuned on, not a problem.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File for the model with the best settings; of a table.")
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
    """Search the settings that solve a problem, or predict a table, best within a budget."""
    from pinnsolve.learning.library import Library
    from pinnsolve.learning.tuning import tune as search

    with errors_in_one_line():
        what: Any = None
        data = None
        if target is None:
            if out is not None:
                raise ValueError(
                    "--out is for the model of a table: give --target, or leave it out"
                )
            what = make_problem(goal, parsed_settings(settings))
        else:
            if settings:
                raise ValueError("--set is for problems; a table has columns: leave it out")
            what, *data = _table_to_tune(goal, target, seed)
        found = search(
            what,
            None if data is None else (data[0], data[1]),
            budget_seconds=budget,
            storage=storage,
            num_jobs=jobs,
            cluster=cluster,
            library=None if library is None else Library(library),
            seed=seed,
        )
        if picture is not None:
            found.draw(picture)
        if out is not None and data is not None:
            found.best.fit(*data).save(out)
        typer.echo(found.table())
        typer.echo(repr(found.best))


def _table_to_tune(source: str, target: str, seed: int) -> tuple[Any, Any, Any]:
    """Return an estimator with default settings, the inputs and the targets of a table."""
    from pinnsolve.learning.estimators import Classifier, Regressor
    from pinnsolve.learning.table_runs import TableTask, inputs_of, prepared, truth_of

    task = TableTask(source, target, seed=seed)
    frame, _, report = prepared(task)
    make = Regressor if report.task == "regression" else Classifier
    return (
        make(random_state=seed),
        inputs_of(frame, task),
        truth_of(frame, task, report.task),
    )
