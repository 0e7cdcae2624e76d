"""What a run has done so far, as a value that it can go on from, and as the shell's notebook."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

from pinnsolve.optimise.precision import RungRecord
from pinnsolve.record import StepRecord
from pinnsolve.status import Status, StopReason
from pinnsolve.training.positions import GrowthPosition, OpenPosition, TrunkPosition
from pinnsolve.training.taken import Mark, Taken


@dataclass(frozen=True)
class Reached:
    """How far a run has come.

    Attributes:
        seconds: Of training so far, in all processes that took part.
        max_seconds: Time limit of the run.
        history: One record per step.
        rungs: Every change of arithmetic.
        growth: Last step of growth, or None.
        trunk: Last step of the trunk, or None.
    """

    seconds: float = 0.0
    max_seconds: float = 0.0
    history: tuple[StepRecord, ...] = ()
    rungs: tuple[RungRecord, ...] = ()
    growth: Mark | None = None
    trunk: Mark | None = None

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The last step of each kind of training that was begun, in order."""
        return tuple(mark for mark in (self.growth, self.trunk) if mark is not None)

    @property
    def growth_position(self) -> GrowthPosition:
        """Where growth goes on, or begins."""
        position = self.growth.position if self.growth is not None else None
        return position if isinstance(position, GrowthPosition) else GrowthPosition()

    @property
    def open_position(self) -> OpenPosition:
        """Where growth of a field that rests on data goes on, or begins."""
        position = self.growth.position if self.growth is not None else None
        return position if isinstance(position, OpenPosition) else OpenPosition()

    @property
    def trunk_position(self) -> TrunkPosition | None:
        """Where the trunk goes on; None if it was not begun."""
        position = self.trunk.position if self.trunk is not None else None
        return position if isinstance(position, TrunkPosition) else None

    def is_over(self, mark: Mark, max_seconds: float) -> bool:
        """Return whether training stopped at a mark, and for a reason that still holds.

        Args:
            mark: One of the marks.
            max_seconds: Present time limit; more than before lets training that ran out of time go on.
        """
        more_time = mark.stop is StopReason.MAX_SECONDS and max_seconds > self.max_seconds
        return mark.stop is not None and not more_time


@final
class Journal:
    """Takes down the steps of a run."""

    def __init__(self, reached: Reached, max_seconds: float) -> None:
        """Open it where a run stands.

        Args:
            reached: What was done before.
            max_seconds: Time limit of the run.
        """
        self.clock = Stopwatch(reached.seconds)
        self._max_seconds = max_seconds
        self._history, self._rungs = list(reached.history), list(reached.rungs)
        self._growth, self._trunk = reached.growth, reached.trunk

    def take(self, taken: Taken) -> None:
        """Take down a step; those that it repeats are struck out."""
        mark, record = taken.mark, taken.record
        if isinstance(mark.position, TrunkPosition):
            self._trunk = mark
        else:
            self._growth = mark
        while self._history and self._history[-1].step >= record.step:
            self._history.pop()
        while self._rungs and self._rungs[-1].step >= record.step:
            self._rungs.pop()
        self._history.append(record)
        if not self._rungs:
            self._rungs.append(RungRecord(0, 0.0, "", mark.rung, "the start"))
        before = self._rungs[-1].after
        if mark.rung != before:
            rung = RungRecord(record.step, record.seconds, before, mark.rung, mark.why)
            self._rungs.append(rung)

    @property
    def reached(self) -> Reached:
        """How far the run has come."""
        return Reached(
            self.clock(),
            self._max_seconds,
            tuple(self._history),
            tuple(self._rungs),
            self._growth,
            self._trunk,
        )

    @property
    def status(self) -> Status:
        """Why the last kind of training that ended did so."""
        for mark in (self._trunk, self._growth):
            if mark is not None and mark.stop is not None:
                return Status.of(mark.stop, mark.detail)
        return Status.of(StopReason.MAX_STEPS)


@final
class Stopwatch:
    """Seconds since it was made, less those during which it was stopped, plus those before."""

    def __init__(self, before: float = 0.0) -> None:
        """Start it.

        Args:
            before: Seconds that it shows at once.
        """
        self._start = time.perf_counter() - before

    def __call__(self) -> float:
        """Return the seconds."""
        return time.perf_counter() - self._start

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Leave out what happens inside the block."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._start += time.perf_counter() - begin
