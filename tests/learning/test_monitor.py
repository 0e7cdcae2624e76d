"""Logs, curves, the live view, and alarms as functions of a history."""

from __future__ import annotations

import io
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import pinnsolve as ps
from pinnsolve.learning.alarms import Thresholds, Watch, dead_share, drift_alarm, find_alarms
from pinnsolve.learning.data import find_drift
from pinnsolve.learning.monitor import JsonLog, LiveView, TensorBoardLog, read_log, together
from pinnsolve.learning.record import EpochRecord
from pinnsolve.record import StepRecord
from pinnsolve.training import train


def epochs(losses, valid=None, norms=None, member: int = 0) -> list[EpochRecord]:
    number = len(losses)
    valid = [math.nan] * number if valid is None else valid
    norms = [math.nan] * number if norms is None else norms
    return [
        EpochRecord(k + 1, member, "net", 0.1 * k, *numbers)
        for k, numbers in enumerate(zip(losses, valid, norms, strict=True))
    ]


FALLING = [2.0**-k for k in range(20)]


def kinds(history) -> list[str]:
    return [alarm.kind for alarm in find_alarms(history)]


def test_sound_histories_raise_nothing() -> None:
    assert kinds([]) == []
    assert kinds(epochs(FALLING, FALLING, FALLING)) == []
    assert kinds(epochs(FALLING, [f + 0.1 for f in FALLING])) == []
    # a second network begins where it begins
    assert kinds(epochs(FALLING) + epochs(FALLING, member=1)) == []


@pytest.mark.parametrize("bad", [math.nan, math.inf, 1.0])
def test_divergence(bad: float) -> None:
    (alarm,) = find_alarms(epochs([*FALLING[:8], bad, *FALLING[8:]]))
    assert alarm.kind == "divergence"
    assert alarm.step == 9


def test_overfit_needs_patience() -> None:
    valid = [1.0, 0.5, 0.4, *[0.5] * 17]
    (alarm,) = find_alarms(epochs(FALLING, valid))
    assert alarm.kind == "overfit"
    assert alarm.step == 8
    assert "1.2 times its least, of record 3" in alarm.message
    assert kinds(epochs(FALLING, [1.0, 0.5, 0.4, 0.5, 0.5, *[0.3] * 15])) == []
    # nothing is learned, so nothing is overfitted
    assert kinds(epochs([1.0] * 20, valid)) == []


def test_vanishing_gradient() -> None:
    norms = [1.0, *[1e-9] * 9]
    assert kinds(epochs([1.0] * 10, norms=norms)) == ["vanishing gradient"]
    assert kinds(epochs(FALLING[:10], norms=norms)) == []  # a minimum


def test_dead_units() -> None:
    generator = np.random.default_rng(0)
    units = np.maximum(generator.normal(size=(50, 8)) - np.array([9.0] * 6 + [0.0] * 2), 0.0)
    assert dead_share(units) == 0.75

    @dataclass(frozen=True)
    class Seen:
        loss: float
        dead_share: float

    assert kinds([Seen(1.0, 0.1), Seen(0.9, 0.75)]) == ["dead units"]


def test_drift_alarm() -> None:
    generator = np.random.default_rng(0)
    a = generator.normal(size=(300, 2))
    assert drift_alarm(find_drift(a, generator.normal(size=(300, 2)))) == ()
    (alarm,) = drift_alarm(find_drift(a, a + np.array([1.0, 0.0])), step=4)
    assert alarm.step == 4
    assert "x0" in alarm.message


def test_watch_tells_once() -> None:
    told: list[str] = []
    watch = Watch(lambda alarm: told.append(alarm.kind), Thresholds(divergence=3.0))
    for record in epochs([1.0, 0.1, 5.0, 6.0, 7.0]) + epochs([1.0, 0.1, 5.0], member=1):
        watch(record)
    assert told == ["divergence", "divergence"]
    assert [alarm.step for alarm in watch.alarms] == [3, 8]
    with pytest.raises(ValueError, match="records of a training, got int"):
        watch(3)


@pytest.fixture(scope="module")
def problem() -> ps.Problem:
    return ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(conductivity=lambda T, x: 1.0 + T),
        [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=1.0)],
    )


def test_of_a_solve(problem: ps.Problem, tmp_path: Path) -> None:
    """A sound solve raises no alarm; its log holds every step."""
    watch = Watch()
    for method in (ps.Method(), ps.Method(trunk="trained", hidden=(6,), max_steps=30)):
        path = tmp_path / f"{method.trunk}.jsonl"
        with JsonLog(path) as log:
            record = train(problem, method, observer=together(log, watch)).solution.record
        lines = read_log(path)
        assert [line["step"] for line in lines] == [step.step for step in record.history]
        assert lines[-1]["loss"] == record.loss
        assert {line["kind"] for line in lines} == {"StepRecord"}
        assert lines[0]["error_estimate"] is None  # infinite
    assert watch.alarms == ()


def test_of_a_fit_and_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with TensorBoardLog(tmp_path) as log:
        for record in epochs(FALLING):
            log(record)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert {"loss", "seconds"} <= set(events.Tags()["scalars"])
    assert [e.value for e in events.Scalars("loss")] == pytest.approx(FALLING)
    assert [e.step for e in events.Scalars("loss")] == list(range(1, 21))


def test_live_view() -> None:
    shown = io.StringIO()
    with LiveView(Console(file=shown, force_terminal=True, width=100)) as view:
        for record in epochs([1.0, math.nan]):
            view(record)
    assert "divergence" in shown.getvalue()
    assert [alarm.kind for alarm in view.alarms] == ["divergence"]
    silent = io.StringIO()
    with LiveView(Console(file=silent, force_terminal=False)) as view:
        view(StepRecord(1, 0.0, 1.0, math.inf, 0.0))
    assert silent.getvalue() == ""


def test_log_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with JsonLog(path) as log:
        log(epochs([1.0])[0])
        log(replace(epochs([1.0])[0], loss=math.inf))
    assert read_log(path)[1]["loss"] is None
    whole = path.read_text()
    path.write_text(whole + '{"kind": "Epo')
    assert len(read_log(path)) == 2
    path.write_text("no\n" + whole)
    with pytest.raises(ValueError, match="line 1 is no record"):
        read_log(path)
    path.write_text(json.dumps({"a": 1}))
    with pytest.raises(ValueError, match="give a file that JsonLog wrote"):
        read_log(path)
    with pytest.raises(ValueError, match="cannot be written"):
        JsonLog(tmp_path / "none" / "log")
    with pytest.raises(ValueError, match="cannot be read as a log"):
        read_log(tmp_path / "none")
