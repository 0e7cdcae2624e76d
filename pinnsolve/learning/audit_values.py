"""What an audit says: its limits, the errors of every part, the verdict with its reasons."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pinnsolve.learning.statistics import LEVEL


@dataclass(frozen=True)
class Limits:
    """What makes an audit fail.

    Attributes:
        ratio: Largest error of a part as a multiple of that of all other rows.
        bias: Largest mean signed error of a part, apart from the median of all other rows, as a share of the root
            mean square. For a classifier with probabilities: how many more rows are wrong than it expects.
        error: Largest mean error of the whole and of every part, in units of the target (regression) or as a share of
            wrong rows (classification); None sets no such limit.
        level: Probability that a model that treats all alike fails.
        least_rows: Rows below which a part is not scored.
        num_regions: Regions of the input space that are looked at; 0 for none.
        num_ranges: Ranges of each numeric input with equally many rows; 0 for none.
    """

    ratio: float = 1.5
    bias: float = 0.3
    error: float | None = None
    level: float = LEVEL
    least_rows: int = 20
    num_regions: int = 5
    num_ranges: int = 4

    def __post_init__(self) -> None:
        """Refuse limits that nothing or everything would pass."""
        if self.ratio < 1.0 or self.bias <= 0.0 or (self.error is not None and self.error <= 0.0):
            raise ValueError(f"limits need ratio >= 1, bias > 0 and error > 0, got {self}")
        if not 0.0 < self.level < 1.0 or self.least_rows < 5:
            raise ValueError(f"limits need 0 < level < 1 and least_rows >= 5, got {self}")


@dataclass(frozen=True)
class PartError:
    """The errors of one part of the rows.

    Attributes:
        kind: ``group``, ``region``, ``range`` or ``all rows``.
        part: Which one, in words.
        num_rows: Its rows.
        error: Mean absolute error, or share of wrong rows; nan if it is not scored.
        interval: 95 % interval of it, by bootstrap.
        bias: Mean of prediction minus truth; for classification the share of wrong rows minus what the model
            expects by its probabilities (0 if it has none); nan if it is not scored.
        bias_interval: 95 % interval of it.
        p_value: Probability of such a difference to the other rows, in size or sign, if there were none; adjusted.
        reason: Why it fails, or why it is not scored; empty if it passes.
        scored: Whether it has enough rows.
    """

    kind: str
    part: str
    num_rows: int
    error: float
    interval: tuple[float, float]
    bias: float
    bias_interval: tuple[float, float]
    p_value: float
    reason: str = ""
    scored: bool = True

    @property
    def passed(self) -> bool:
        """Whether it is within the limits; a part that is not scored does not fail."""
        return not (self.scored and self.reason)


@dataclass(frozen=True)
class Audit:
    """The whole and all its parts.

    Attributes:
        metric: What ``error`` is.
        whole: All rows together.
        parts: Every part.
        limits: What they were held to.
        spread: Largest error of a named group over the smallest (fairlearn's ratio, inverted); 1 without groups.
    """

    metric: str
    whole: PartError
    parts: tuple[PartError, ...]
    limits: Limits
    spread: float = 1.0

    @property
    def passed(self) -> bool:
        """Whether the whole and every part that is scored are within the limits."""
        return self.whole.passed and all(part.passed for part in self.parts)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it does not pass, one sentence for every part that fails, the most certain first."""
        failed = [part for part in (self.whole, *self.parts) if not part.passed]
        failed.sort(key=lambda part: part.p_value)
        return tuple(f"{part.kind} {part.part}: {part.reason}" for part in failed)

    @property
    def unscored(self) -> tuple[PartError, ...]:
        """Parts with too few rows."""
        return tuple(part for part in self.parts if not part.scored)

    @property
    def text(self) -> str:
        """Return it for a terminal: the verdict, its reasons and a table."""
        rows = [_row(part) for part in (self.whole, *self.parts)]
        head = ("kind", "part", "rows", self.metric, "95 % interval", "bias", "p", "")
        widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
        lines = ["audit passed" if self.passed else "audit failed", *self.reasons]
        lines += [
            "  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip()
            for row in (head, *rows)
        ]
        return "\n".join(lines)

    def document(self) -> dict[str, object]:
        """Return it as plain data; numbers that there are not are null."""
        parts = [_plain(asdict(part) | {"passed": part.passed}) for part in self.parts]
        return {
            "passed": self.passed,
            "metric": self.metric,
            "reasons": list(self.reasons),
            "largest group error / smallest": self.spread,
            "limits": asdict(self.limits),
            "whole": _plain(asdict(self.whole) | {"passed": self.whole.passed}),
            "parts": parts,
        }

    def json(self) -> str:
        """Return it as a strict JSON document."""
        return json.dumps(self.document(), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def _row(part: PartError) -> tuple[str, ...]:
    if not part.scored:
        return part.kind, part.part, str(part.num_rows), "-", "-", "-", "-", "not scored"
    low, high = part.interval
    return (
        part.kind,
        part.part,
        str(part.num_rows),
        f"{part.error:.4g}",
        f"{low:.3g} .. {high:.3g}",
        f"{part.bias:.2g}",
        f"{part.p_value:.1g}",
        "" if part.passed else "FAILS",
    )


def _plain(value: Any) -> Any:  # noqa: ANN401 - plain data
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
