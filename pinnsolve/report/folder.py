"""A run's folder: solution.h5, solution.vtu, result.json and report.html."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pinnsolve.interop.hdf5 import read_companions, read_solution, write_solution
from pinnsolve.interop.vtu import write_vtu
from pinnsolve.problem import Problem
from pinnsolve.replacing import write_text
from pinnsolve.report.html import report_page
from pinnsolve.report.result import Result, gather, result_text

SOLUTION = "solution.h5"
VTU = "solution.vtu"
RESULT = "result.json"
REPORT = "report.html"


@contextmanager
def output_folder(folder: Path) -> Iterator[Path]:
    """Make a folder and try that it can be written to; what was made and stays empty is removed again.

    Args:
        folder: The folder; its parents are made too.

    Yields:
        The folder.

    Raises:
        ValueError: If it cannot be made or written to.
    """
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise ValueError(
                f"{folder}: cannot be written to ({error.strerror or error}); choose another folder with --out"
            ) from error
        yield folder
    finally:
        with suppress(OSError):  # rmdir refuses a folder with something in it
            for place in made:
                place.rmdir()


def write_run(result: Result, folder: Path) -> tuple[Path, ...]:
    """Write all files of a run, the solution first.

    Args:
        result: The result.
        folder: Where; it must exist.

    Returns:
        The files.

    Raises:
        ValueError: If a file cannot be written.
    """
    write_solution(result.solution, folder / SOLUTION, result.companions)
    write_text(folder / RESULT, result_text(result))
    write_vtu(result.solution.middle, folder / VTU)
    return folder / SOLUTION, folder / VTU, folder / RESULT, write_report(result, folder)


def write_report(result: Result, folder: Path) -> Path:
    """Write the report of a run and return its path."""
    write_text(folder / REPORT, report_page(result))
    return folder / REPORT


def read_run(folder: Path, problem: Problem) -> Result:
    """Read a run back.

    Args:
        folder: Where it was written.
        problem: The problem that it solves.

    Raises:
        ValueError: If its solution cannot be read.
    """
    path = folder / SOLUTION
    return gather(read_solution(path, problem), read_companions(path))
