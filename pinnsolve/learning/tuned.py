"""What tuning finds: the trials, the best of them, and the front between error and cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pinnsolve.learning.search_spaces import Settings


@dataclass(frozen=True)
class Trial:
    """One set of settings that was tried.

    Attributes:
        number: From 0; the first is the defaults.
        settings: By name; empty for the defaults.
        error: Its error; nan if it was given up.
        seconds: CPU seconds of one fit or solve.
        watt_hours: Energy of one fit or solve, in Wh.
        state: ``complete``, ``given up`` or ``lost`` (killed in the middle).
        why: Why it was given up; empty if it was not.
    """

    number: int
    settings: Settings
    error: float
    seconds: float
    watt_hours: float
    state: str
    why: str = ""


@dataclass(frozen=True)
class Tuned:
    """What tuning found.

    Attributes:
        best: Estimator (not fitted) or method with the smallest error.
        best_trial: Its trial.
        trials: All trials.
        front: Numbers of the trials that no other is better than in all objectives.
        objectives: What was minimised.
        spent_seconds: CPU seconds of all trials, those before a kill included.
        spent_wh: Their energy, in Wh.
        energy_source: Where the energy comes from.
        note: What a reader should know: what the error is, where trials began.
    """

    best: Any
    best_trial: Trial
    trials: tuple[Trial, ...]
    front: tuple[int, ...]
    objectives: tuple[str, ...]
    spent_seconds: float
    spent_wh: float
    energy_source: str
    note: str

    @property
    def gain(self) -> float:
        """By how much the error of the defaults fell, as a share of it; nan if these had none."""
        known = (t.error for t in self.trials if not t.settings and t.state == "complete")
        first = next(known, math.nan)
        return 1.0 - self.best_trial.error / first

    def table(self) -> str:
        """Return the trials as a Markdown table, the best first."""
        rows = ["| trial | error | CPU s | Wh | state | settings |", "|---|---|---|---|---|---|"]
        for trial in sorted(self.trials, key=lambda t: (math.isnan(t.error), t.error)):
            words = ", ".join(f"{name} {_short(value)}" for name, value in trial.settings.items())
            cells = (
                str(trial.number),
                f"{trial.error:.3g}",
                f"{trial.seconds:.2g}",
                f"{trial.watt_hours:.2g}",
                trial.state,
                words or "defaults",
            )
            rows.append(f"| {' | '.join(cells)} |")
        return "\n".join(rows)

    def draw(self, path: str | Path) -> None:
        """Draw error against time, with the front, as a PNG.

        Args:
            path: The picture.

        Raises:
            ValueError: If its name does not end with .png, or it cannot be written.
        """
        from pinnsolve.learning.front_plot import draw_front

        draw_front(self, Path(path))


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
