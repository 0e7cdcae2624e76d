"""Tuned against default settings: ``python -m pinnsolve.validation.tuning --budget SECONDS [--table NAME]``.

Half of a table is tuned on, then learned from with default and with tuned settings; the other half, which tuning never
saw, says which is better. Each seed has other halves, folds, suggestions and initial parameters.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pinnsolve.validation.tables import TABLES, Table, error_of, halves

from pinnsolve.learning import Classifier, Regressor, tune

DEFAULT = ("friedman1", "friedman2", "friedman3")
"""Tables without noise, where settings can matter most; of the others the defaults are near what the noise allows."""

WANTED = 0.2
"""Share by which tuning should lower the error."""


@dataclass(frozen=True)
class Comparison:
    """Tuned beside default settings for one table and seed.

    Attributes:
        seed: Of halves, folds, suggestions and networks.
        default: Error on the fresh half with default settings, as in :mod:`pinnsolve.validation.tables`.
        tuned: Error on it with tuned settings.
        expected: Share by which the error fell in the search itself.
        trials: Number of trials.
        given_up: How many of them were given up.
        spent_seconds: CPU seconds of all trials.
        spent_wh: Their energy, in Wh.
        energy_source: Where the energy comes from.
        fit_seconds: CPU seconds of the fits with default and with tuned settings.
        settings: What was found; empty for the defaults.
    """

    seed: int
    default: float
    tuned: float
    expected: float
    trials: int
    given_up: int
    spent_seconds: float
    spent_wh: float
    energy_source: str
    fit_seconds: tuple[float, float]
    settings: Mapping[str, Any]

    @property
    def gain(self) -> float:
        """Share by which the error on the fresh half fell."""
        return 1.0 - self.tuned / self.default


def compared(table: Table, budget: float, seed: int) -> Comparison:
    """Return tuned beside default settings.

    Args:
        table: The table.
        budget: CPU seconds of all trials.
        seed: Seed of everything.
    """
    learned = halves(table, seed)
    x, y = table.x[learned], table.y[learned]
    estimator = (Classifier if table.classify else Regressor)(random_state=seed)
    found = tune(estimator, (x, y), budget_seconds=budget, objectives=("error",), seed=seed)
    errors, seconds = [], []
    for made in (estimator, found.best):
        begin = time.process_time()
        made.fit(x, y)
        seconds.append(time.process_time() - begin)
        errors.append(error_of(table, made.predict(table.x[~learned]), ~learned))
    return Comparison(
        seed=seed,
        default=errors[0],
        tuned=errors[1],
        expected=found.gain,
        trials=len(found.trials),
        given_up=sum(trial.state == "given up" for trial in found.trials),
        spent_seconds=found.spent_seconds,
        spent_wh=found.spent_wh,
        energy_source=found.energy_source,
        fit_seconds=(seconds[0], seconds[1]),
        settings=found.best_trial.settings,
    )


def summary(rows: Sequence[Comparison]) -> float:
    """Return by what share the mean error over the seeds fell."""
    return 1.0 - float(
        np.mean([row.tuned for row in rows]) / np.mean([row.default for row in rows])
    )


def document(found: Mapping[str, Sequence[Comparison]], budget: float) -> str:
    """Return the results as Markdown."""
    lines = [
        f"# Tuned against default settings, {budget:g} CPU seconds of trials",
        "",
        "Half of each table is tuned on and learned from, the error is that on the other half: root mean square over",
        "the targets' standard deviation, or share of wrong classes. Fall: of the mean error over the seeds; wanted:",
        f"{100.0 * WANTED:g} %. Written by `python -m pinnsolve.validation.tuning --budget {budget:g}`.",
        "",
        "| table | seed | default | tuned | fall | fall in the search | trials (given up) | CPU s | Wh | settings |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, rows in found.items():
        lines += [_line(name, row) for row in rows]
        fall = summary(rows)
        word = "reached" if fall >= WANTED else "missed"
        lines.append(f"| {name} | {len(rows)} seeds | | | {100.0 * fall:.0f} %, {word} | | | | | |")
    return "\n".join(lines) + "\n"


def _line(name: str, row: Comparison) -> str:
    words = ", ".join(
        f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in row.settings.items()
    )
    cells = (
        name,
        str(row.seed),
        f"{row.default:.3g} ({row.fit_seconds[0]:.2g} s)",
        f"{row.tuned:.3g} ({row.fit_seconds[1]:.2g} s)",
        f"{100.0 * row.gain:.0f} %",
        f"{100.0 * row.expected:.0f} %",
        f"{row.trials} ({row.given_up})",
        f"{row.spent_seconds:.0f}",
        f"{row.spent_wh:.2g}",
        words or "defaults",
    )
    return f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write ``tuning.json`` and ``tuning.md`` after every seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=float, required=True, help="CPU seconds of each study")
    parser.add_argument("--table", action="append", help="may be repeated; three if not given")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, ...")
    parser.add_argument("--out", type=Path, default=Path("validation/results"))
    given = parser.parse_args(arguments)
    names = given.table or list(DEFAULT)
    strange = [name for name in names if name not in TABLES]
    if strange:
        parser.error(f"unknown table {strange[0]!r}; there are {', '.join(TABLES)}")
    if not given.budget > 0.0 or given.seeds < 1:
        parser.error(f"--budget and --seeds must be > 0, got {given.budget} and {given.seeds}")
    found: dict[str, list[Comparison]] = {}
    for name in names:
        table = TABLES[name]()
        for seed in range(given.seeds):
            found.setdefault(name, []).append(compared(table, given.budget, seed))
            sys.stderr.write(_line(name, found[name][-1]) + "\n")
            _write(given.out, found, given.budget)


def _write(folder: Path, found: Mapping[str, Sequence[Comparison]], budget: float) -> None:
    tables = {
        name: {"fall": summary(rows), "seeds": [asdict(row) | {"gain": row.gain} for row in rows]}
        for name, rows in found.items()
    }
    text = json.dumps({"budget_seconds": budget, "wanted": WANTED, "tables": tables}, indent=1)
    (folder / "tuning.json").write_text(text + "\n")
    (folder / "tuning.md").write_text(document(found, budget))


if __name__ == "__main__":
    main()
