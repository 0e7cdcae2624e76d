"""Identified numbers with their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """The result for one unknown.

    Attributes:
        name: Its name.
        value: The estimate.
        std: Its standard deviation.
        unit: Its unit.
        truth: The true value where a synthetic case knows it.
    """

    name: str
    value: float
    std: float
    unit: str = ""
    truth: float | None = None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of a normal distribution."""
        return self.value - 1.96 * self.std, self.value + 1.96 * self.std
