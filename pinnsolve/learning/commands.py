"""The command line of learning from tables: fit, audit, explain, card."""

from __future__ import annotations

import json
import shlex
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from pinnsolve.catalogue import make_problem
from pinnsolve.energy import meter_named
from pinnsolve.interop.hdf5 import read_companions, read_origin, read_solution
from pinnsolve.learning.card import ModelCard, read_document
from pinnsolve.replacing import write_text
from pinnsolve.report.folder import SOLUTION, output_folder
from pinnsolve.terminal import EXIT_NOT_TRUSTED, errors_in_one_line

if TYPE_CHECKING:
    import pandas as pd

    from pinnsolve.learning.table_runs import TableTask

MODEL, FIT, LOG, DATA = "model.h5", "fit.json", "fit.jsonl", "data.html"
AUDIT, EXPLANATION = "audit.json", "explanation.json"
CARD_TEXT, CARD_PAGE = "card.md", "card.html"
"""The files of a fit's folder."""

Folder = Annotated[Path, typer.Argument(help="Folder of an earlier fit.")]
AnyFolder = Annotated[Path, typer.Argument(help="Folder of an earlier fit or solve.")]
Json = Annotated[bool, typer.Option("--json", help="Print the document only.")]


def register(app: typer.Typer) -> None:
    """Add these commands to a command line."""
    for command in (fit, audit, explain, card):
        app.command()(command)


def fit(
    data: Annotated[
        str,
        typer.Argument(help="A CSV file, or a table that scikit-learn ships: diabetes, wine ..."),
    ],
    target: Annotated[str, typer.Option(help="Column to be predicted.")] = "target",
    groups: Annotated[
        str | None, typer.Option(help="Column of groups that are kept whole in the split.")
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="Column by which test rows come last; not an input.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="regression or classification; by the target if not given.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results; runs/NAME if not given.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same numbers.")] = 0,
    max_seconds: Annotated[float, typer.Option(help="Most time for training, in s.")] = 300.0,
    energy: Annotated[
        str,
        typer.Option(help="estimate; codecarbon; or codecarbon:FRA for a country's electricity."),
    ] = "estimate",
    as_json: Json = False,
) -> None:
    """Learn from a table: data are checked and split, the model is calibrated, scored, audited and documented.

    The exit status is 0 only if data checks and audit pass.
    """
    with errors_in_one_line():
        from pinnsolve.learning.fit_card import card_of_fit
        from pinnsolve.learning.monitor import JsonLog, LiveView, together
        from pinnsolve.learning.table_runs import TableTask, fit_table

        meter = meter_named(energy)
        source = data if "." not in data else str(Path(data).resolve())
        wanted = TableTask(source, target, groups, time, task, seed)  # type: ignore[arg-type]
        where = out if out is not None else Path("runs") / Path(data).stem
        command = _command(data, wanted, max_seconds, energy)
        with output_folder(where), ExitStack() as open_files:
            (where / LOG).unlink(missing_ok=True)
            log = open_files.enter_context(JsonLog(where / LOG))
            view = open_files.enter_context(LiveView(Console(stderr=True)))
            run = fit_table(
                wanted,
                max_seconds=max_seconds,
                meter=meter,
                observer=together(log, view),
                command=command,
            )
            run.model.save(where / MODEL)
            write_text(where / DATA, run.report.page())
            _write(where, run.document, card_of_fit(run.document))
    if as_json:
        typer.echo(_text(run.document), nl=False)
    else:
        typer.echo(run.report.text)
        for measure in run.document["scores"]["measures"]:
            low, high = measure["interval"]
            typer.echo(f"{measure['name']}: {measure['value']:.4g} ({low:.4g} to {high:.4g})")
        typer.echo(
            "\n".join(["audit passed" if run.audit.passed else "audit failed", *run.audit.reasons])
        )
        typer.echo(f"energy: {run.document['energy']['text']}")
        typer.echo(
            "\n".join(str(where / name) for name in (MODEL, FIT, DATA, CARD_TEXT, CARD_PAGE))
        )
    if not run.passed:
        raise typer.Exit(EXIT_NOT_TRUSTED)


def audit(
    folder: Folder,
    data: Annotated[
        Path | None, typer.Option(help="Rows to audit on; the fit's own test rows if not given.")
    ] = None,
    by: Annotated[
        list[str] | None, typer.Option(help="Column to compare groups by; may be repeated.")
    ] = None,
    ratio: Annotated[
        float | None, typer.Option(help="Largest error of a part, relative to the other rows'.")
    ] = None,
    error: Annotated[float | None, typer.Option(help="Largest mean error of any part.")] = None,
    as_json: Json = False,
) -> None:
    """Compare the errors of a fitted model between groups, regions and ranges. The exit status is 0 if it passes.

    New rows are also compared with the training rows: drift, unseen categories, rows out of the domain.
    """
    with errors_in_one_line():
        from dataclasses import replace

        from pinnsolve.learning.audit_values import Limits
        from pinnsolve.learning.fit_card import card_of_fit
        from pinnsolve.learning.table_runs import audited_rows

        document, model, task, train, rows = _opened(folder, data)
        limits = Limits()
        limits = limits if ratio is None else replace(limits, ratio=ratio)
        limits = limits if error is None else replace(limits, error=error)
        kind = document["data"]["task"]
        findings = _news(train, rows, task) if data is not None else ()
        found = audited_rows(model, rows, task, kind, limits, tuple(by or ()))
        write_text(folder / AUDIT, found.json())
        if data is None:
            changed = {**document, "audit": found.document()}
            _write(folder, changed, card_of_fit(changed))
    if as_json:
        typer.echo(found.json(), nl=False)
    else:
        typer.echo("\n".join([*(f"{f.severity.value}: {f.message}" for f in findings), found.text]))
    if not found.passed or any(finding.severity.value == "fail" for finding in findings):
        raise typer.Exit(EXIT_NOT_TRUSTED)


def explain(folder: AnyFolder, as_json: Json = False) -> None:
    """Say what a model's predictions hang on.

    Of a fit, how much each input is worth; of a solved problem, how its quantities depend on every number.
    """
    with errors_in_one_line():
        if (folder / SOLUTION).is_file():
            found = _explained_solution(folder)
        else:
            from pinnsolve.learning.fit_card import card_of_fit
            from pinnsolve.learning.table_runs import explained

            document, model, task, _, rows = _opened(folder, None)
            found = explained(model, rows, task, document["data"]["task"])
            changed = {**document, "explanation": found}
            _write(folder, changed, card_of_fit(changed))
        write_text(folder / EXPLANATION, _text(found))
    if as_json:
        typer.echo(_text(found), nl=False)
        return
    for item in found.get("importance", ()):
        typer.echo(f"{item['name']}: error + {100.0 * item['share']:.3g} % without it")
    for item in found.get("sensitivities", ()):
        typer.echo(f"d {item['quantity']} / d {item['name']} = {item['derivative']:.6g}")


def card(folder: AnyFolder) -> None:
    """Write the model card of a fit or of a solved problem: card.md and card.html."""
    with errors_in_one_line():
        if (folder / SOLUTION).is_file():
            made = _card_of_solved(folder)
        else:
            from pinnsolve.learning.fit_card import card_of_fit

            made = card_of_fit(_fit_document(folder))
        _write_card(folder, made)
    typer.echo("\n".join(str(folder / name) for name in (CARD_TEXT, CARD_PAGE)))


def _command(data: str, task: TableTask, max_seconds: float, energy: str) -> str:
    words = ["pinnsolve", "fit", data, "--target", task.target, "--seed", str(task.seed)]
    for name in ("groups", "time", "task"):
        value = getattr(task, name)
        words += [] if value is None else [f"--{name}", value]
    words += ["--max-seconds", f"{max_seconds:g}"]
    return shlex.join([*words, *([] if energy == "estimate" else ["--energy", energy])])


def _fit_document(folder: Path) -> dict[str, Any]:
    from pinnsolve.learning.table_runs import FORMAT

    if not (folder / FIT).is_file():
        solved = (folder / SOLUTION).is_file()
        kind = "a solved problem, whose checks are in its report" if solved else f"no {FIT} there"
        raise ValueError(f"{folder}: {kind}; give the folder that pinnsolve fit wrote")
    document = read_document(folder / FIT)
    if document.get("format") != FORMAT:
        raise ValueError(
            f"{folder / FIT}: not the document of a fit; give the folder of pinnsolve fit"
        )
    return document


def _opened(
    folder: Path, data: Path | None
) -> tuple[dict[str, Any], Any, TableTask, pd.DataFrame, pd.DataFrame]:
    """Return document, model and task of a fit, its training rows, and the rows to judge it by."""
    from pinnsolve.learning.data.tables import require_columns
    from pinnsolve.learning.estimators import load
    from pinnsolve.learning.table_runs import TableTask, prepared
    from pinnsolve.learning.table_sources import read_table

    document = _fit_document(folder)
    model = load(folder / MODEL)
    task = TableTask(**document["task"])
    frame, split, _ = prepared(task)
    if len(frame) != document["data"]["rows"]:
        raise ValueError(
            f"{task.source} has {len(frame)} rows now, {document['data']['rows']} when it was fitted; fit again"
        )
    train = frame.iloc[split.train]
    if data is None:
        return document, model, task, train, frame.iloc[split.test]
    rows = read_table(str(data))
    needed = [n for n in frame.columns if n not in (task.groups, task.time)]
    require_columns(rows, needed, str(data))
    return document, model, task, train, rows


def _news(train: pd.DataFrame, rows: pd.DataFrame, task: TableTask) -> tuple[Any, ...]:
    """Return what new rows have that training rows have not."""
    from pinnsolve.learning.data.drift import find_drift
    from pinnsolve.learning.data.schema import infer_schema
    from pinnsolve.learning.table_runs import inputs_of

    known = inputs_of(train, task)
    new = rows[list(known.columns)]
    return (*infer_schema(known).check(new), *find_drift(known, new, seed=task.seed).findings)


def _solved(folder: Path) -> Any:  # noqa: ANN401 - a Solution
    origin, settings = read_origin(folder / SOLUTION)
    if not origin:
        raise ValueError(
            f"{folder}: solved in a script; use ps.learning.card_of_solution(solution) there"
        )
    return read_solution(folder / SOLUTION, make_problem(origin, settings))


def _explained_solution(folder: Path) -> dict[str, Any]:
    from dataclasses import asdict

    from pinnsolve.learning.sensitivity import sensitivities

    found = sensitivities(_solved(folder).middle)
    return {"sensitivities": [asdict(item) for item in found]}


def _card_of_solved(folder: Path) -> ModelCard:
    from pinnsolve.learning.sensitivity import Sensitivity
    from pinnsolve.learning.solution_card import card_of_solution

    found: list[Sensitivity] = []
    if (folder / EXPLANATION).is_file():
        for item in read_document(folder / EXPLANATION).get("sensitivities", ()):
            known: dict[str, Any] = {k: float("nan") if v is None else v for k, v in item.items()}
            found.append(Sensitivity(**known))
    command = read_companions(folder / SOLUTION).command
    return card_of_solution(_solved(folder), sensitivities=found, command=command)


def _write(folder: Path, document: Any, made: ModelCard) -> None:  # noqa: ANN401 - plain data
    write_text(folder / FIT, _text(document))
    _write_card(folder, made)


def _write_card(folder: Path, made: ModelCard) -> None:
    write_text(folder / CARD_TEXT, made.markdown())
    write_text(folder / CARD_PAGE, made.page())


def _text(document: Any) -> str:  # noqa: ANN401
    """Return strict JSON; numbers that are not finite are null."""
    from pinnsolve.report.result import plain_data

    return json.dumps(plain_data(document), indent=2, allow_nan=False, ensure_ascii=False) + "\n"
