"""The time span of a transient problem."""

from __future__ import annotations

from dataclasses import dataclass

from pinnsolve.geometry.checks import finite


@dataclass(frozen=True)
class TimeInterval:
    """The closed time span from ``start`` to ``end``.

    Attributes:
        start: First instant in s.
        end: Last instant in s, after ``start``.

    Raises:
        ValueError: If an instant is not finite or ``end`` does not follow ``start``.
    """

    start: float
    end: float

    def __post_init__(self) -> None:
        """Check the two instants."""
        object.__setattr__(self, "start", finite(self.start, "TimeInterval start"))
        object.__setattr__(self, "end", finite(self.end, "TimeInterval end"))
        if not self.end > self.start:
            raise ValueError(
                f"TimeInterval must have start < end, got {self.start} s and {self.end} s. "
                f"Swap them or give the span some duration."
            )

    @property
    def duration(self) -> float:
        """Return the length of the span in s."""
        return self.end - self.start
