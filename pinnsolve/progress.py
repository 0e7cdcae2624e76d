"""A progress bar for training: loss, estimated error and time left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self, final

import numpy as np

from pinnsolve.record import StepRecord

if TYPE_CHECKING:
    from rich.console import Console

_WINDOW = 20
"""Steps over which the rate of convergence is measured."""


def seconds_left(history: Sequence[StepRecord], goal: float, max_seconds: float) -> float:
    """Estimate how long training still takes.

    The estimated error is taken to keep falling by the rate of the last steps, geometrically in
    time; the time limit ends it in any case.

    Args:
        history: The steps so far.
        goal: Estimated error at which training stops.
        max_seconds: Time limit in s.

    Returns:
        Time in s, at least 0.
    """
    if not history:
        return max_seconds
    limit = max(max_seconds - history[-1].seconds, 0.0)
    recent = [step for step in history[-_WINDOW:] if 0.0 < step.error_estimate < math.inf]
    if len(recent) < 3 or recent[-1].seconds <= recent[0].seconds:
        return limit
    times = np.array([step.seconds for step in recent])
    logs = np.log([step.error_estimate for step in recent])
    slope = float(np.polyfit(times - times[-1], logs, 1)[0])
    missing = float(logs[-1]) - math.log(goal)
    if missing <= 0.0:
        return 0.0
    return min(limit, missing / -slope) if slope < 0.0 else limit


@final
class ProgressBar:
    """An observer of training that draws a bar on a terminal, or writes lines if it is told to.

    Use as a context manager. Where the console is no terminal it is silent, unless ``verbose``.
    """

    def __init__(
        self, console: Console, *, goal: float, max_seconds: float, verbose: bool = False
    ) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._console, self._goal, self._max_seconds = console, goal, max_seconds
        self._history: list[StepRecord] = []
        self._verbose = verbose and not console.is_terminal
        self._last_line = -math.inf
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            TextColumn("{task.fields[numbers]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("preparing", total=None, numbers="", left="")

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        self._bar.stop()

    def __call__(self, step: StepRecord) -> None:
        """Show a step."""
        self._history.append(step)
        left = seconds_left(self._history, self._goal, self._max_seconds)
        numbers = (
            f"step {step.step}  loss {step.loss:.1e}  error {_error_text(step.error_estimate)}"
        )
        share = step.seconds / max(step.seconds + left, 1e-9)
        self._bar.update(
            self._task,
            description="training",
            total=1.0,
            completed=share,
            numbers=numbers,
            left=f"about {left:.0f} s left",
        )
        if self._verbose and step.seconds - self._last_line >= 1.0:
            self._last_line = step.seconds
            self._console.print(
                f"{numbers}  {step.seconds:.1f} s  about {left:.0f} s left", highlight=False
            )

    def phase(self, words: str) -> None:
        """Show what goes on beside training: ``reference``, ``checking`` ..."""
        self._bar.update(self._task, description=words, total=None, numbers="", left="")
        if self._verbose:
            self._console.print(words, highlight=False)


def bar_on_stderr(
    *, goal: float, max_seconds: float, verbose: bool = False, wanted: bool = True
) -> ProgressBar:
    """Return a progress bar on standard error, silent where that is no terminal.

    Args:
        goal: Estimated error at which training stops.
        max_seconds: Time limit in s.
        verbose: Write lines where there is no terminal.
        wanted: False keeps it silent anywhere.
    """
    from rich.console import Console

    console = Console(stderr=True, quiet=not wanted, force_terminal=None if wanted else False)
    return ProgressBar(console, goal=goal, max_seconds=max_seconds, verbose=verbose)


def _error_text(error: float) -> str:
    return "-" if math.isinf(error) else f"{error:.1e}"
