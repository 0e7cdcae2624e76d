"""How commands end and what they say of it: exit statuses, one line for every refusal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from pinnsolve.distributed import LostProcessError

EXIT_NOT_TRUSTED = 1
EXIT_BAD_INPUT = 2
EXIT_DEFECT = 70
EXIT_LOST_PROCESS = 75
EXIT_INTERRUPTED = 130

_FILE_WIDTH = 120


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """Turn refusals into one line and exit status 2, and Ctrl-C into 130."""
    try:
        yield
    except ValueError as error:
        complain(str(error))
        raise typer.Exit(EXIT_BAD_INPUT) from error
    except LostProcessError as error:
        complain(str(error))
        raise typer.Exit(EXIT_LOST_PROCESS) from error
    except KeyboardInterrupt as stop:
        complain("interrupted")
        raise typer.Exit(EXIT_INTERRUPTED) from stop


def console() -> Console:
    """Return a console on stdout; where that is a file, its lines are longer than on a terminal."""
    usual = Console()
    return usual if usual.is_terminal else Console(width=_FILE_WIDTH)


def complain(text: str) -> None:
    """Write one line to stderr: a red "error:" and the text."""
    stderr = Console(stderr=True, soft_wrap=True)
    stderr.print("[bold red]error:[/]", end=" ")
    stderr.print(" ".join(text.split()), markup=False, highlight=False)
