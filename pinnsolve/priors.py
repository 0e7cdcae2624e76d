"""What is known of a number before any measurement: a mean or a median, and how sure it is.

A prior is one more row of the least-squares system, ``(value - mean) / std``, and counts like a measurement.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Normal:
    """A number known as ``mean`` plus or minus ``std``.

    Attributes:
        mean: The expected value, in the unit of the number.
        std: Its standard deviation.
    """

    mean: float
    std: float

    def __post_init__(self) -> None:
        """Refuse a mean that is not finite and a standard deviation that is not positive."""
        if not math.isfinite(self.mean):
            raise ValueError(f"the mean of a Normal prior must be finite, got {self.mean}")
        _check_std("Normal", self.std)

    @property
    def median(self) -> float:
        """The value that is as often exceeded as not."""
        return self.mean

    def row(self, value: Tensor) -> Tensor:
        """Return ``(value - mean) / std``, elementwise.

        Args:
            value: The number, any shape.
        """
        return (value - self.mean) / self.std


@dataclass(frozen=True)
class LogNormal:
    """A positive number known up to a factor: its logarithm is normal about that of ``median``.

    Attributes:
        median: The value that is as often exceeded as not, > 0.
        std: Standard deviation of the natural logarithm; 0.1 is about 10 %.
    """

    median: float
    std: float

    def __post_init__(self) -> None:
        """Refuse a median and a standard deviation that are not positive."""
        if not (math.isfinite(self.median) and self.median > 0.0):
            raise ValueError(
                f"the median of a LogNormal prior must be finite and > 0, got {self.median}"
            )
        _check_std("LogNormal", self.std)

    def row(self, value: Tensor) -> Tensor:
        """Return ``(log(value) - log(median)) / std``, elementwise.

        Args:
            value: The number, > 0, any shape.
        """
        return (torch.log(value) - math.log(self.median)) / self.std


Prior = Normal | LogNormal
"""What may be known of a number beforehand."""


def _check_std(kind: str, std: float) -> None:
    if not (math.isfinite(std) and std > 0.0):
        raise ValueError(f"the std of a {kind} prior must be finite and > 0, got {std}")
