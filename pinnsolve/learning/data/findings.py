"""What a check of data says: one finding, how grave it is, where it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt


class Severity(Enum):
    """How grave a finding is; only a FAIL makes a report fail."""

    FAIL = "fail"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        check: The check that found it: ``missing values``, ``leakage`` ...
        severity: How grave it is.
        message: What it is, with numbers, and what to do.
        columns: Columns that it concerns.
        rows: The first few rows that it concerns, counted from 0.
    """

    check: str
    severity: Severity
    message: str
    columns: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()

    def document(self) -> dict[str, object]:
        """Return it as plain data."""
        return {
            "check": self.check,
            "severity": self.severity.value,
            "message": self.message,
            "columns": list(self.columns),
            "rows": list(self.rows),
        }


_MOST_ROWS = 10


def first_rows(mask: npt.ArrayLike) -> tuple[int, ...]:
    """Return the numbers of the first few rows that a mask marks."""
    return tuple(int(row) for row in np.flatnonzero(np.asarray(mask))[:_MOST_ROWS])


def passed(findings: Iterable[Finding]) -> bool:
    """Return whether nothing among them is a FAIL."""
    return all(finding.severity is not Severity.FAIL for finding in findings)


def some(names: Iterable[object], most: int = 5) -> str:
    """Return names for a message, at most so many: ``a, b, c and 7 more``."""
    listed = [str(name) for name in names]
    rest = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {rest} more" if rest > 0 else "")
