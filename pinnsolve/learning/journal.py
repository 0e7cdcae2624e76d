"""The shell around a fit: its clock, its time limit, and who is told of every epoch."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import final

from pinnsolve.learning.record import EpochRecord, FitObserver


@final
class FitJournal:
    """Collects the epochs of all networks of a fit."""

    def __init__(self, max_seconds: float, observer: FitObserver | None) -> None:
        """Start the clock.

        Args:
            max_seconds: Time limit of the whole fit, in s.
            observer: Called after every epoch, or None.
        """
        self._max_seconds, self._observer = max_seconds, observer
        self._begin = time.perf_counter()
        self._epochs: list[EpochRecord] = []
        self._network, self._member = "", -1

    @property
    def seconds(self) -> float:
        """Wall time since the fit began."""
        return time.perf_counter() - self._begin

    @property
    def epochs(self) -> tuple[EpochRecord, ...]:
        """All epochs so far."""
        return tuple(self._epochs)

    def time_is_over(self) -> bool:
        """Return whether the time limit has passed."""
        return self.seconds > self._max_seconds

    def resume(self, epochs: tuple[EpochRecord, ...], seconds: float) -> None:
        """Go on from the epochs of a run that was killed.

        Args:
            epochs: Its epochs.
            seconds: Wall time that it had taken.
        """
        self._epochs = [*self._epochs, *epochs]
        self._begin -= seconds

    def next_network(self, network: str, number: int | None = None) -> None:
        """Say that another network is trained from now on.

        Args:
            network: In words.
            number: Its number, from 0; None is one more than the last one's.
        """
        self._network = network
        self._member = self._member + 1 if number is None else number

    def note(
        self,
        loss: float,
        *,
        validation_loss: float = math.nan,
        gradient_norm: float = math.nan,
        learning_rate: float = 0.0,
    ) -> None:
        """Keep an epoch and tell the observer.

        Args:
            loss: See :class:`pinnsolve.learning.record.EpochRecord`, as for the others.
            validation_loss: The same on rows left out.
            gradient_norm: Norm of the gradient.
            learning_rate: Of first-order methods.
        """
        self.keep(
            EpochRecord(
                epoch=len(self._epochs) + 1,
                member=max(self._member, 0),
                network=self._network,
                seconds=self.seconds,
                loss=loss,
                validation_loss=validation_loss,
                gradient_norm=gradient_norm,
                learning_rate=learning_rate,
            )
        )

    def keep(self, record: EpochRecord) -> None:
        """Keep a record as it is, but for its number, and tell the observer."""
        self._epochs.append(replace(record, epoch=len(self._epochs) + 1))
        if self._observer is not None:
            self._observer(self._epochs[-1])
