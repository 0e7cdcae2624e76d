"""Alarms: what is wrong with a training, as pure functions of its history.

A history is a sequence of records of any kind of training: :class:`pinnsolve.record.StepRecord` of a solve,
:class:`pinnsolve.learning.record.EpochRecord` of a fit. What a record does not have is not judged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt

Record = Any
"""A frozen dataclass with ``loss`` at least."""


@dataclass(frozen=True)
class Alarm:
    """Something that a user should look at.

    Attributes:
        kind: ``divergence``, ``overfit``, ``vanishing gradient``, ``dead units`` or ``drift``.
        step: Number of the record it was seen at, from 1.
        message: What was seen, with numbers, and what to do.
    """

    kind: str
    step: int
    message: str


@dataclass(frozen=True)
class Thresholds:
    """When to raise an alarm.

    Attributes:
        divergence: Loss as a multiple of the least before it.
        overfit: Validation loss as a multiple of the least before it, while the training loss falls.
        patience: Records in a row for which that has to hold.
        vanishing: Norm of the gradient relative to the largest so far, while the loss has not fallen.
        dead: Share of hidden units that give the same number for all rows.
    """

    divergence: float = 10.0
    overfit: float = 1.1
    patience: int = 5
    vanishing: float = 1e-6
    dead: float = 0.5


def find_alarms(
    history: Sequence[Record], thresholds: Thresholds | None = None
) -> tuple[Alarm, ...]:
    """Return the alarms of a history, each kind once for every network of it, in the order of their steps.

    Args:
        history: The records so far.
        thresholds: When to raise them; None takes the defaults.
    """
    limits = thresholds if thresholds is not None else Thresholds()
    found: list[Alarm] = []
    start = 0
    for end in range(1, len(history) + 1):
        if end == len(history) or _begins(history[end - 1], history[end]):
            found += _of_one(history[start:end], start, limits)
            start = end
    return tuple(sorted(found, key=lambda alarm: alarm.step))


def _begins(before: Record, record: Record) -> bool:
    """Return whether a record is the first of another network: of another member, or without an estimate again."""
    keys = [(getattr(r, "member", 0), getattr(r, "network", "")) for r in (before, record)]
    errors = [getattr(r, "error_estimate", math.nan) for r in (before, record)]
    return keys[0] != keys[1] or (math.isfinite(errors[0]) and math.isinf(errors[1]))


def _of_one(part: Sequence[Record], start: int, limits: Thresholds) -> Iterator[Alarm]:
    """Yield the alarms of one network."""
    loss = _column(part, "loss")
    if any(hasattr(record, "error_estimate") for record in part):
        loss = _comparable(part, loss)
    least = np.fmin.accumulate(np.where(np.isfinite(loss), loss, np.inf))
    accepted = np.array([getattr(record, "accepted", True) for record in part], dtype=bool)
    before = np.concatenate(([np.inf], least[:-1]))
    wild = ~np.isfinite(loss) | (accepted & (loss > limits.divergence * before))
    if wild.any():
        at = int(np.argmax(wild))
        yield Alarm(
            "divergence",
            start + at + 1,
            f"the loss is {loss[at]:.2g} after {before[at]:.2g}; lower the learning rate, or take float64",
        )
    yield from _overfit(part, start, loss, limits)
    yield from _vanishing(part, start, least, limits)
    dead = _column(part, "dead_share")
    if (dead > limits.dead).any():
        at = int(np.argmax(dead > limits.dead))
        yield Alarm(
            "dead units",
            start + at + 1,
            f"{100.0 * dead[at]:.0f} % of the hidden units give one number for all rows; standardise the inputs, "
            "lower the learning rate, or take a smooth activation",
        )


def _comparable(part: Sequence[Record], loss: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return losses of a solve, whose points and features are drawn anew: only the estimated error compares.

    Where there is none yet, or the loss is no number, it stands for itself.
    """
    error = _column(part, "error_estimate")
    known = error[np.isfinite(error)]
    first = float(known[0]) if len(known) else 1.0
    return np.where(np.isfinite(loss), np.where(np.isfinite(error), error, first), loss)


def _overfit(
    part: Sequence[Record], start: int, loss: npt.NDArray[np.float64], limits: Thresholds
) -> Iterator[Alarm]:
    valid = _column(part, "validation_loss")
    if not np.isfinite(valid).any():
        return
    least = np.fmin.accumulate(np.where(np.isfinite(valid), valid, np.inf))
    best = np.concatenate(
        ([0], np.maximum.accumulate(np.where(valid <= least, np.arange(len(valid)), 0)))
    )[1:]
    worse = (valid > limits.overfit * least) & (loss < loss[best])
    run = 0
    for at, bad in enumerate(worse):
        run = run + 1 if bad else 0
        if run >= limits.patience:
            yield Alarm(
                "overfit",
                start + at + 1,
                f"the validation loss is {valid[at] / least[at]:.2g} times its least, of record "
                f"{start + int(best[at]) + 1}, while the training loss falls; stop there, "
                "give more rows, or regularise more",
            )
            return


def _vanishing(
    part: Sequence[Record], start: int, least: npt.NDArray[np.float64], limits: Thresholds
) -> Iterator[Alarm]:
    norm = _column(part, "gradient_norm")
    largest = np.fmax.accumulate(np.where(np.isfinite(norm), norm, 0.0))
    stuck = least > _FALLEN * least[0] if len(least) else np.zeros(0, dtype=bool)
    small = (norm < limits.vanishing * largest) & stuck
    if small.any():
        at = int(np.argmax(small))
        yield Alarm(
            "vanishing gradient",
            start + at + 1,
            f"the gradient is {norm[at]:.1e}, {norm[at] / largest[at]:.0e} of its largest, and the loss has hardly "
            "fallen; scale the inputs, take fewer layers, or other initial parameters",
        )


_FALLEN = 0.5
"""Share of the first loss above which it has hardly fallen: a small gradient at the minimum is no fault."""


def _column(part: Sequence[Record], name: str) -> npt.NDArray[np.float64]:
    return np.array([float(getattr(record, name, math.nan)) for record in part])


def dead_share(units: npt.ArrayLike) -> float:
    """Return the share of hidden units that give one number for all rows.

    Args:
        units: Values of hidden units on rows, shape (N, units).
    """
    values = np.asarray(units, dtype=np.float64)
    size = max(float(np.abs(values).max(initial=0.0)), 1e-300)
    return float(np.mean(np.ptp(values, axis=0) <= 1e-9 * size))


def drift_alarm(drift: Any, step: int = 1) -> tuple[Alarm, ...]:  # noqa: ANN401 - a Drift, when data came in
    """Return an alarm for new rows that drifted (:func:`pinnsolve.learning.find_drift`), or none.

    Args:
        drift: The tests.
        step: Number of the batch of new rows.
    """
    names = [column.name for column in drift.columns if column.drifted]
    if not names:
        return ()
    return (
        Alarm("drift", step, f"new rows differ in {', '.join(names)}; see why, or train again"),
    )


@final
class Watch:
    """An observer that keeps the history and tells of every new alarm.

    Args:
        tell: Called with each alarm once, when it is first seen.
        thresholds: When to raise them.
    """

    def __init__(
        self, tell: Callable[[Alarm], None] | None = None, thresholds: Thresholds | None = None
    ) -> None:
        self._tell, self._thresholds = tell, thresholds
        self._history: list[Record] = []
        self._from = 0
        self._found: list[Alarm] = []

    def __call__(self, record: Record) -> None:
        """Take a record."""
        if not (is_dataclass(record) and "loss" in {f.name for f in fields(record)}):
            raise ValueError(
                f"an observer takes records of a training, got {type(record).__name__}"
            )
        if self._history and _begins(self._history[-1], record):
            self._from = len(self._history)
        self._history.append(record)
        length = len(self._history) - self._from
        if length > _EVERY and length % _EVERY:
            return  # judging a long history at every record would take longer than training
        known = {alarm.kind for alarm in self._found if alarm.step > self._from}
        limits = self._thresholds if self._thresholds is not None else Thresholds()
        for alarm in _of_one(self._history[self._from :], self._from, limits):
            if alarm.kind not in known:
                self._found.append(alarm)
                if self._tell is not None:
                    self._tell(alarm)

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """What was found so far."""
        return tuple(self._found)


_EVERY = 50
"""Records of one network from which on only every so many is judged."""
