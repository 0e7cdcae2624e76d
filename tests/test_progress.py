"""The progress bar: time left of a geometric convergence, and silence where nobody looks."""

from __future__ import annotations

import io
import math

import pytest
from rich.console import Console

from pinnsolve.progress import ProgressBar, seconds_left
from pinnsolve.record import StepRecord


def geometric(rate: float, number: int = 30, seconds: float = 0.5) -> list[StepRecord]:
    """Return steps whose estimated error falls by a factor per second."""
    times = [seconds * k for k in range(1, number + 1)]
    return [
        StepRecord(k, t, 1.0 / k, math.inf if k < 5 else math.exp(-rate * t), 1e-3)
        for k, t in enumerate(times, start=1)
    ]


@pytest.mark.parametrize("rate", [0.1, 0.5, 3.0])
def test_geometric_convergence_is_extrapolated(rate: float) -> None:
    history = geometric(rate)
    ends = history[-1].seconds + 7.0
    assert seconds_left(history, math.exp(-rate * ends), 1e6) == pytest.approx(7.0)


def test_time_limit_is_an_upper_bound() -> None:
    assert seconds_left(geometric(0.1), 1e-12, 20.0) == pytest.approx(5.0)
    assert seconds_left(geometric(0.1), 1e-12, 10.0) == 0.0


@pytest.mark.parametrize("history", [[], geometric(0.5, 6), geometric(0.0), geometric(-1.0)])
def test_without_convergence_the_limit_counts(history: list[StepRecord]) -> None:
    spent = history[-1].seconds if history else 0.0
    assert seconds_left(history, 1e-9, 100.0) == pytest.approx(100.0 - spent)


def test_nothing_is_left_at_the_goal() -> None:
    assert seconds_left(geometric(1.0), 0.5, 100.0) == 0.0


def shown(*, terminal: bool, verbose: bool) -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=120)
    with ProgressBar(console, goal=1e-3, max_seconds=60.0, verbose=verbose) as bar:
        for step in geometric(0.5, 8):
            bar(step)
        bar.phase("checking")
    return stream.getvalue()


def test_silent_in_a_file() -> None:
    assert shown(terminal=False, verbose=False) == ""


def test_lines_in_a_file_if_asked_for() -> None:
    lines = shown(terminal=False, verbose=True).splitlines()
    assert lines[0].startswith("step 1  loss 1.0e+00  error -  0.5 s  about ")
    assert lines[-1] == "checking"
    assert len(lines) == 5  # one a second


@pytest.mark.parametrize("verbose", [False, True])
def test_bar_on_a_terminal(verbose: bool) -> None:
    text = shown(terminal=True, verbose=verbose)
    assert "checking" in text
    assert text.count("about") <= 3  # drawn at a few moments, not a line for every step
