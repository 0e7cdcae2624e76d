"""Whether to believe a solution, and why: checks with numbers, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["trusted", "not identifiable", "not trusted"]
"""Whether to believe an answer; or whether only the data do not tell what was asked for."""


@dataclass(frozen=True)
class Check:
    """One number against its limit.

    Attributes:
        name: What was measured.
        value: The number; relative unless the note says otherwise.
        limit: What it must not exceed.
        note: How to read it.
    """

    name: str
    value: float
    limit: float
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether the value is within the limit; a value that is not finite never is."""
        return bool(self.value <= self.limit)


@dataclass(frozen=True)
class Verdict:
    """Whether to believe a solution, and why.

    Attributes:
        checks: All checks.
        accuracy: The relative accuracy that was asked for.
        notes: What could not be checked.
        not_identifiable: Unknowns that the data do not tell.
    """

    checks: tuple[Check, ...]
    accuracy: float
    notes: tuple[str, ...] = ()
    not_identifiable: tuple[str, ...] = ()

    @property
    def trusted(self) -> bool:
        """Whether every check passed."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def state(self) -> State:
        """``not identifiable`` where every other check passed, and only the data leave an unknown open."""
        if self.trusted:
            return "trusted"
        excused = {identifiability_name(name) for name in self.not_identifiable}
        others = [check for check in self.checks if check.name not in excused]
        told = bool(self.not_identifiable) and all(check.passed for check in others)
        return "not identifiable" if told else "not trusted"

    def __str__(self) -> str:
        """Return the verdict with its numbers, worst first."""
        head = self.state
        ranked = sorted(self.checks, key=lambda c: c.value / c.limit, reverse=True)
        lines = [
            f"  {'ok  ' if c.passed else 'FAIL'} {c.name}: {c.value:.2e} (limit {c.limit:.2e}) {c.note}".rstrip()
            for c in ranked
        ]
        return "\n".join([f"{head} at relative accuracy {self.accuracy:g}", *lines, *self.notes])


def identifiability_name(unknown: str) -> str:
    """Return the name of the check whether the data tell an unknown."""
    return f"identifiability of {unknown}"
