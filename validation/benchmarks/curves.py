"""Error against time, and what follows from it: times to a level, errors at a time, ratios of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

LEVELS: Mapping[str, float] = {"1e-2": 1e-2, "1e-3": 1e-3, "1e-4": 1e-4}
"""Relative errors to which times are compared, by the name they have in ``benchmark.json``."""


@dataclass(frozen=True)
class Curve:
    """Relative error of one run against its wall time; nothing else is counted.

    Attributes:
        seconds: Increasing wall times in s, shape (K,).
        errors: Relative L2 errors at these times, shape (K,).
    """

    seconds: tuple[float, ...]
    errors: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse curves that are no function of time."""
        if len(self.seconds) != len(self.errors):
            raise ValueError(
                f"a curve needs one error per time, got {len(self.seconds)} and {len(self.errors)}"
            )
        if any(b < a for a, b in zip(self.seconds, self.seconds[1:], strict=False)):
            raise ValueError("the times of a curve must not decrease")

    def time_to(self, level: float) -> float:
        """Return the first time in s at which the error is at most ``level``; inf if never."""
        for second, error in zip(self.seconds, self.errors, strict=True):
            if error <= level:
                return second
        return math.inf

    def error_at(self, seconds: float) -> float:
        """Return the last error measured by a time; inf if there is none yet."""
        known = [e for s, e in zip(self.seconds, self.errors, strict=True) if s <= seconds]
        return known[-1] if known else math.inf

    @property
    def final_seconds(self) -> float:
        """Time in s of the last error; inf if there is none."""
        return self.seconds[-1] if self.seconds else math.inf

    @property
    def final_error(self) -> float:
        """Last error; inf if there is none."""
        return self.errors[-1] if self.errors else math.inf

    def document(self) -> dict[str, list[float]]:
        """Return the curve as it is written to JSON."""
        return {"seconds": list(self.seconds), "errors": list(self.errors)}


def curve_of(document: Mapping[str, Sequence[float]]) -> Curve:
    """Return the curve that :meth:`Curve.document` has written."""
    return Curve(tuple(document["seconds"]), tuple(document["errors"]))


def best_of(curves: Sequence[Curve]) -> int:
    """Return the position of the curve with the smallest final error."""
    return min(range(len(curves)), key=lambda i: curves[i].final_error)


def envelope(curves: Sequence[Curve]) -> Curve:
    """Return the best error reached by any of several computations that took at most a given time each."""
    found = sorted(
        (s, e) for curve in curves for s, e in zip(curve.seconds, curve.errors, strict=True)
    )
    kept: list[tuple[float, float]] = []
    for second, error in found:
        if not kept or error < kept[-1][1]:
            kept.append((second, error))
    return Curve(tuple(s for s, _ in kept), tuple(e for _, e in kept))


def times_to(curves: Sequence[Curve]) -> dict[str, float | None]:
    """Return the median time in s to every level, over the runs; None where half of them never get there."""
    return {
        name: finite(median(curve.time_to(level) for curve in curves) if curves else math.inf)
        for name, level in LEVELS.items()
    }


def speedups(own: Sequence[Curve], peer: Sequence[Curve]) -> dict[str, float | None]:
    """Return the peer's median time over ours to every level.

    None where the peer never gets there; 0 where it does and we do not.
    """
    ours, theirs = times_to(own), times_to(peer)
    result: dict[str, float | None] = {}
    for name in LEVELS:
        mine, other = ours[name], theirs[name]
        if other is None:
            result[name] = None
        else:
            result[name] = 0.0 if mine is None else other / mine
    return result


def final_error_ratio(own: Sequence[Curve], peer: Sequence[Curve]) -> float | None:
    """Return the median over seeds of the peer's final error over ours at the peer's final time.

    Args:
        own: Our runs, one per seed.
        peer: The peer's runs with the same seeds.

    Returns:
        The ratio; None if there is no run, or we had no error by then.
    """
    ratios = [
        theirs.final_error / ours.error_at(theirs.final_seconds)
        for ours, theirs in zip(own, peer, strict=True)
        if theirs.errors
    ]
    return (median(ratios) or None) if ratios else None


def finite(value: float) -> float | None:
    """Return a number that JSON can hold: None in place of inf and NaN."""
    return value if math.isfinite(value) else None
