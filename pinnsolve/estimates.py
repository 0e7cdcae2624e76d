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
        low: Lower end of the 95 % interval; None for that of a normal distribution.
        high: Its upper end.
        bound: Cramer-Rao bound of the standard deviation: what the data alone allow, the smoothness of functions given.
    """

    name: str
    value: float
    std: float
    unit: str = ""
    truth: float | None = None
    low: float | None = None
    high: float | None = None
    bound: float | None = None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval: within the bounds, and multiplicative on a logarithmic scale."""
        if self.low is not None and self.high is not None:
            return self.low, self.high
        return self.value - 1.96 * self.std, self.value + 1.96 * self.std
