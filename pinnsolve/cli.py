"""The command line: list, show, solve, report, benchmark, validate; fit, audit, explain, card."""

from __future__ import annotations

import shlex
import sys
import traceback
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console

from pinnsolve.catalogue import make_problem, shipped_problems
from pinnsolve.distributed import process_count, process_rank
from pinnsolve.energy import meter_named
from pinnsolve.gathered_run import compared_with, gathered_run
from pinnsolve.interop.hdf5 import read_origin
from pinnsolve.learning import commands, commands_transfer
from pinnsolve.method import Method
from pinnsolve.replacing import replacing
from pinnsolve.report import folder as run_folder
from pinnsolve.report.result import result_text
from pinnsolve.report.run_plots import problem_picture, training_blocks
from pinnsolve.report.tables import problem_tables, result_tables
from pinnsolve.scaling import find_scaling
from pinnsolve.settings import parsed_settings, settings_along
from pinnsolve.status import Status, StopReason
from pinnsolve.terminal import (
    EXIT_BAD_INPUT,
    EXIT_DEFECT,
    EXIT_INTERRUPTED,
    EXIT_LOST_PROCESS,
    EXIT_NOT_TRUSTED,
    complain,
    console,
    errors_in_one_line,
)
from pinnsolve.training import train

app = typer.Typer(
    help="Physics-informed neural networks for engineers: an answer, and whether to trust it.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

Target = Annotated[
    str,
    typer.Argument(help="A shipped problem, or a Python file with a function that returns one."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Set a parameter of the problem; may be repeated."
    ),
]


def main() -> None:
    """Run the command line.

    The exit status is 0 trusted, 1 not trusted, 2 bad input, 130 interrupted, 70 a defect of pinnsolve,
    75 another process of the run was lost.
    """
    # click's UsageError, wherever typer keeps it
    usage_error: type[Exception] = typer.BadParameter.__bases__[0]
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except usage_error as error:
        complain(cast(typer.BadParameter, error).format_message())
        code = EXIT_BAD_INPUT
    except typer.Abort:
        code = EXIT_INTERRUPTED
    except Exception:  # noqa: BLE001 - a defect must not look like "not trusted", status 1
        traceback.print_exc()
        code = EXIT_DEFECT
    sys.exit(code)


@app.command("list")
def list_problems() -> None:
    """List the shipped problems."""
    with errors_in_one_line():
        lines = {name: make_problem(name).description for name in shipped_problems()}
        width = max(map(len, lines), default=0)
        for name, description in lines.items():
            typer.echo(f"{name:<{width}}  {description}")


@app.command()
def show(
    target: Target,
    settings: Settings = None,
    out: Annotated[
        Path | None, typer.Option(help="The picture; runs/NAME/problem.png if not given.")
    ] = None,
) -> None:
    """Print and draw a problem: geometry, conditions, points, scales, unknowns, quantities."""
    with errors_in_one_line():
        problem = make_problem(target, parsed_settings(settings))
        path = out if out is not None else Path("runs") / problem.name / "problem.png"
        if path.suffix.lower() != ".png":
            raise ValueError(f"{path}: the picture is a PNG, so its name must end with .png")
        blocks = training_blocks(problem, Method().network_for(problem), seed=0)
        parts = problem_tables(problem, blocks, find_scaling(problem, blocks))
        with run_folder.output_folder(path.parent), replacing(path) as temporary:
            temporary.write_bytes(problem_picture(problem, blocks))
        console().print(*parts, sep="\n")
        typer.echo(path)


@app.command()
def solve(
    target: Target,
    settings: Settings = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results; runs/NAME if not given.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same numbers.")] = 0,
    accuracy: Annotated[
        float | None,
        typer.Option(help="Relative accuracy to reach; the problem's own if not given."),
    ] = None,
    max_seconds: Annotated[
        float, typer.Option(help="Most time for training, in s.")
    ] = Method.max_seconds,
    precision: Annotated[
        str, typer.Option(help="Arithmetic: auto, float64, float32, bf16-mixed, fp16-mixed.")
    ] = Method.precision,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1 ...")] = Method.device,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep the state of training in this file, and go on from it if it is there: after a kill or a power "
            "cut the same command reaches the same numbers. It stays after the run; delete it to solve anew.",
        ),
    ] = None,
    through: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=VALUE,VALUE...",
            help="Continuation: solve at these values of a parameter first, each from the one before.",
        ),
    ] = None,
    slabs: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Cut the time into N slabs, each solved from the end of the one before.",
        ),
    ] = None,
    library: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Begin from the nearest solution in this folder, if that is no worse than nothing; a trusted solution "
            "is added to it.",
        ),
    ] = None,
    reference: Annotated[
        bool, typer.Option(help="Compare with an independent classical solution.")
    ] = True,
    references: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Keep classical solutions in this folder, and take them from it."
        ),
    ] = None,
    recompute_references: Annotated[
        bool, typer.Option("--recompute-references", help="Compute those in the folder anew.")
    ] = False,
    energy: Annotated[
        str,
        typer.Option(help="estimate; codecarbon; or codecarbon:FRA for a country's electricity."),
    ] = "estimate",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result document only.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Report progress even if this is no terminal.")
    ] = False,
) -> None:
    """Solve a problem, check the answer and write solution.h5, solution.vtu, result.json and report.html."""
    with errors_in_one_line():
        parsed = parsed_settings(settings)
        method = Method(max_seconds=max_seconds, precision=precision, device=device)  # type: ignore[arg-type]
        if through is not None and slabs is not None:
            raise ValueError("--through and --slabs exclude each other; keep one")
        if library is not None and (through is not None or slabs is not None):
            raise ValueError("--library gives one start: leave it out, or --through and --slabs")
        if library is not None and checkpoint is not None:
            raise ValueError(
                "--library may give another start each time, and a checkpoint is of one: keep one of the two"
            )
        compared = compared_with(reference, references, recompute_references)
        meter = meter_named(energy)
        problems = [
            make_problem(target, settings)
            for settings in (*settings_along(through, parsed), parsed)
        ]
        if accuracy is not None:
            problems = [replace(problem, accuracy=accuracy) for problem in problems]
        problem = problems[-1]
        if process_count() > 1 and (len(problems) > 1 or slabs is not None or library is not None):
            raise ValueError(
                "--through, --slabs and --library solve on one process; "
                f"torchrun started {process_count()}: leave out torchrun, or these options"
            )
        where = out if out is not None else Path("runs") / problem.name
        options = [
            "--seed",
            str(seed),
            "--accuracy",
            f"{problem.accuracy:g}",
            "--max-seconds",
            f"{max_seconds:g}",
        ]
        options += [
            "--precision",
            precision,
            "--device",
            device,
            *([] if through is None else ["--through", through]),
            *([] if slabs is None else ["--slabs", str(slabs)]),
            *([] if library is None else ["--library", str(library)]),
            *([] if reference else ["--no-reference"]),
            *([] if energy == "estimate" else ["--energy", energy]),
        ]
        chosen = [word for name, value in parsed.items() for word in ("--set", f"{name}={value}")]
        command = shlex.join(["pinnsolve", "solve", target, *chosen, *options])
        if process_rank() != 0:
            trained = train(problem, method, seed=seed, checkpoint=checkpoint)
            _exit_if_lost(trained.solution.status)
            return  # the first process compares, judges and writes
        begun = None if library is None else commands_transfer.begun_in(library, problem, seed)
        start = None if begun is None else begun.solution
        with run_folder.output_folder(where):
            result = gathered_run(
                problems,
                slabs,
                method,
                seed=seed,
                compared=compared,
                meter=meter,
                verbose=verbose,
                command=command,
                checkpoint=checkpoint,
                start=start,
            )
            files = run_folder.write_run(result, where)
        if library is not None and begun is not None and result.trusted and begun.distance > 0.0:
            commands_transfer.keep_in(library, result.solution)
    if as_json:
        typer.echo(result_text(result), nl=False)
    else:
        console().print(*result_tables(result), sep="\n")
        typer.echo("\n" + "\n".join(str(file) for file in files))
    solution = result.solution
    _exit_if_lost(solution.status)
    if solution.verdict is None or solution.status.reason is StopReason.INTERRUPTED:
        raise typer.Exit(EXIT_INTERRUPTED)
    if not result.trusted:
        raise typer.Exit(EXIT_NOT_TRUSTED)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Folder of an earlier run.")],
) -> None:
    """Make the report of an earlier run again, without solving it again."""
    with errors_in_one_line():
        origin, settings = read_origin(folder / run_folder.SOLUTION)
        if not origin:
            raise ValueError(
                f"{folder}: solved in a script, so the problem cannot be made again; "
                "make reports of problems that are shipped or in a file of their own"
            )
        result = run_folder.read_run(folder, make_problem(origin, settings))
        typer.echo(run_folder.write_report(result, folder))


@app.command()
def benchmark(
    case: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A case; may be repeated. All if not given."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds, from 0.")] = 3,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("runs/benchmark"),
    max_seconds: Annotated[
        float, typer.Option(help="Most time of one run of either tool with one seed, in s.")
    ] = 900.0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep the finished runs that are in the folder.")
    ] = False,
    scaling: Annotated[
        bool, typer.Option(help="Measure how the time of a step grows with its size.")
    ] = True,
) -> None:
    """Compare with DeepXDE and with finite differences: error against wall time.

    Runs one after the other, each in a process of its own on the CPU, and writes benchmark.json and benchmark.png.
    DeepXDE trains by Adam, then L-BFGS, once in float32 and once in float64; the better one counts.
    All cases with three seeds take up to thirteen hours; an interrupted benchmark goes on with --resume.

    Cases: poisson, heat_rod, kirsch, kovasznay, lid_driven_cavity, burgers, helmholtz, allen_cahn.
    """
    with errors_in_one_line():
        # Validation stands on the public library; it is loaded where it is asked for.
        from pinnsolve.validation.benchmarks.run import DOCUMENT, FIGURE, Plan, run_benchmark
        from pinnsolve.validation.benchmarks.summary import summary_lines

        plan = Plan(tuple(case or ()), seeds, max_seconds, out, resume, scaling)
        with run_folder.output_folder(out):
            document = run_benchmark(plan, announce=lambda text: typer.echo(text, err=True))
    typer.echo("\n".join([*summary_lines(document), "", str(out / DOCUMENT), str(out / FIGURE)]))


@app.command()
def validate(
    suite: Annotated[
        str, typer.Option(help="quick: a few minutes; full: everything that is shipped.")
    ] = "quick",
    case: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A case, in place of a suite; may be repeated."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds, from 0.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("runs/validation"),
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="BASELINE",
            help="validation.json of an earlier run: what is worse by more than the noise fails.",
        ),
    ] = None,
    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Put this run in the place of BASELINE.")
    ] = False,
    jobs: Annotated[
        int, typer.Option(min=1, help="Runs at a time; each has its share of the cores.")
    ] = 1,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Spread the runs over a Ray cluster: HOST:PORT."),
    ] = None,
) -> None:
    """Solve what is shipped again, after an upgrade or on a new machine, and hold it to what it should give.

    A case passes if its verdict is trusted, quantities and exact errors are within the tolerances that the problem
    states, and the run was done within its time budget, with every seed. Writes validation.json, junit.xml and
    validation.html. Interrupted, the same command goes on where it was; finished runs are kept in OUT/runs until the
    code, the libraries or the declaration change. The exit status is 0 only if everything passes.
    """
    with errors_in_one_line():
        # Validation stands on the public library; it is loaded where it is asked for.
        from pinnsolve.validation.regression.board import board, final_tables
        from pinnsolve.validation.regression.cluster import on_cluster
        from pinnsolve.validation.regression.processes import in_processes
        from pinnsolve.validation.regression.validate import FILES, Plan, run_validation
        from pinnsolve.validation.suite import chosen_cases

        if cluster is not None and jobs != 1:
            raise ValueError("--jobs is for this machine, --cluster for others; keep one")
        cases, name = chosen_cases(suite, case or ()), "chosen" if case else suite
        plan = Plan(cases, name, seeds, out, against, update_baseline)
        execute = in_processes(jobs) if cluster is None else on_cluster(cluster)
        with run_folder.output_folder(out):
            show = partial(board, console=Console(stderr=True))
            document = run_validation(plan, execute, show)
        console().print(*final_tables(document), sep="\n")
        typer.echo("\n" + "\n".join(str(out / file) for file in FILES))
    if not document["passed"]:
        raise typer.Exit(EXIT_NOT_TRUSTED)


def _exit_if_lost(status: Status) -> None:
    """Say what happened and exit with status 75 if another process of the run was lost."""
    if status.reason is StopReason.LOST_PROCESS:
        complain(status.message)
        raise typer.Exit(EXIT_LOST_PROCESS)


commands.register(app)
commands_transfer.register(app)
