"""How often audit, drift and leakage detectors are right: 20 draws with a planted fault and 20 without.

``python -m pinnsolve.validation.audits --out runs/audits`` writes ``audits.json`` and ``audits.md``. A planted fault
has to be found in 20 of 20 draws; a clean set has to pass in 19 of 20. What is planted was stated before the runs:

- *audit*: one of five groups has its target shifted by one standard deviation of the noise (regression), or a quarter
  of its classes flipped (classification), in all rows; the group is no input.
- *drift*: one of six inputs is shifted by 0.3 standard deviations, or a quarter of one category becomes another, or two
  inputs come to hang together (correlation 0.6) while each by itself stays as it was.
- *leakage*: 3 % of the test rows are training rows, or training rows with noise of 1e-3 standard deviations, or one
  group is on both sides, or one input is the logarithm of the target.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pinnsolve.learning.auditing import audit
from pinnsolve.learning.data import data_report, find_drift, find_leakage, split_rows

ROWS, INPUTS, GROUPS = 2000, 6, 5

DRAWS = 20
"""Draws of each kind."""

NOISE = 0.5
"""Standard deviation of the noise of the target, whose variance is 1.5 without it."""

Frame = Any
Raises = Callable[[int, bool], bool]
"""``raises(seed, planted)``: whether the detector raises an alarm."""


def drawn(seed: int, rows: int = ROWS) -> Frame:
    """Return a table: numbers a to f, a category, a group ``site`` that is no input, and the target y."""
    import pandas as pd

    generator = np.random.default_rng(seed)
    values = generator.normal(size=(rows, INPUTS))
    frame = pd.DataFrame(values, columns=list("abcdef"))
    frame["kind"] = generator.choice(["x", "y", "z"], size=rows, p=[0.5, 0.3, 0.2])
    frame["site"] = [f"s{k}" for k in generator.integers(GROUPS, size=rows)]
    truth = values[:, 0] + 0.5 * values[:, 1] ** 2 + (frame["kind"] == "y")
    frame["y"] = truth + NOISE * generator.normal(size=rows)
    return frame


def audit_regression(seed: int, planted: bool) -> bool:
    """Audit a regression; planted: the target of one group is shifted."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    frame = drawn(seed)
    if planted:
        frame["y"] += NOISE * (frame["site"] == "s2")
    return _audited(HistGradientBoostingRegressor(random_state=0), frame, seed, blamed=planted)


def audit_classification(seed: int, planted: bool) -> bool:
    """Audit a classification; planted: a quarter of the classes of one group is flipped."""
    from sklearn.linear_model import LogisticRegression

    frame = drawn(seed)
    positive = (
        frame["a"] + frame["b"] + NOISE * np.random.default_rng(seed + 500).normal(size=ROWS) > 0
    ).to_numpy()
    if planted:
        flipped = np.random.default_rng(seed + 900).random(ROWS) < 0.25
        positive = positive ^ (flipped & (frame["site"] == "s2").to_numpy())
    frame["y"] = np.where(positive, "good", "bad")
    return _audited(LogisticRegression(), frame, seed, blamed=planted)


def _audited(model: Any, frame: Frame, seed: int, *, blamed: bool) -> bool:  # noqa: ANN401 - an estimator
    """Fit on 60 % of the rows, audit the rest by site, region and range; return whether the audit fails.

    If there is something to blame, it has to be the right group that fails.
    """
    split = split_rows(frame, seed=seed)
    inputs = frame[list("abcdef")]
    model.fit(inputs.iloc[split.train], frame["y"].iloc[split.train])
    rest = np.concatenate((split.calibration, split.test))
    found = audit(
        model, inputs.iloc[rest], frame["y"].iloc[rest], groups=frame[["site"]].iloc[rest]
    )
    return (
        any(reason.startswith("group site = s2") for reason in found.reasons)
        if blamed
        else not found.passed
    )


def drift_of_a_number(seed: int, planted: bool) -> bool:
    """Find that one input is shifted."""
    train, new = _tables(seed)
    new["c"] += 0.3 * planted
    return not find_drift(train, new).passed


def drift_of_a_category(seed: int, planted: bool) -> bool:
    """Find that a quarter of one category became another."""
    train, new = _tables(seed)
    if planted:
        changed = (new["kind"] == "x") & (np.random.default_rng(seed + 77).random(len(new)) < 0.25)
        new["kind"] = new["kind"].where(~changed, "z")
    return not find_drift(train, new).passed


def drift_of_a_correlation(seed: int, planted: bool) -> bool:
    """Find that two inputs hang together, each by itself being as before."""
    train, new = _tables(seed)
    if planted:
        new["c"] = 0.6 * new["a"] + 0.8 * new["c"]
    return not find_drift(train, new).passed


def _tables(seed: int) -> tuple[Frame, Frame]:
    names = [*"abcdef", "kind"]
    return drawn(seed)[names], drawn(seed + 10_000, ROWS // 2)[names]


def leakage_of_rows(seed: int, planted: bool) -> bool:
    """Find test rows that are training rows."""
    train, test = _halves(seed)
    return _leaks(train, _with_copies(train, test, 0.0, seed) if planted else test)


def leakage_of_near_rows(seed: int, planted: bool) -> bool:
    """Find test rows that nearly are training rows."""
    train, test = _halves(seed)
    return _leaks(train, _with_copies(train, test, 1e-3, seed) if planted else test)


def leakage_of_a_group(seed: int, planted: bool) -> bool:
    """Find a group on both sides."""
    train, test = _halves(seed)
    for k, part in enumerate((train, test)):
        labels = np.random.default_rng(seed + k).integers(40, size=len(part)) + 100 * k
        part["site"] = labels if not (planted and k == 1) else np.where(labels == 105, 5, labels)
    return bool(find_leakage(train, test, target="y", groups="site"))


def leakage_of_the_target(seed: int, planted: bool) -> bool:
    """Find an input that is a function of the target."""
    frame = drawn(seed).drop(columns="site")
    if planted:
        frame["f"] = np.log(frame["y"] - frame["y"].min() + 1.0)
    return not data_report(frame, "y", split=split_rows(frame, seed=seed)).passed


def _halves(seed: int) -> tuple[Frame, Frame]:
    return drawn(seed), drawn(seed + 20_000, ROWS // 2)


def _with_copies(train: Frame, test: Frame, noise: float, seed: int) -> Frame:
    generator = np.random.default_rng(seed)
    copied = test.copy()
    count = int(0.03 * len(test))
    names = list("abcdef")
    copied.loc[: count - 1] = train.iloc[generator.permutation(len(train))[:count]].to_numpy()
    copied = copied.astype(train.dtypes.to_dict())
    copied.loc[: count - 1, names] += noise * generator.normal(size=(count, INPUTS))
    return copied


def _leaks(train: Frame, test: Frame) -> bool:
    return bool(find_leakage(train, test, target="y"))


DETECTORS: dict[str, Raises] = {
    "audit, regression": audit_regression,
    "audit, classification": audit_classification,
    "drift of a number": drift_of_a_number,
    "drift of a category": drift_of_a_category,
    "drift of a correlation": drift_of_a_correlation,
    "leakage, exact rows": leakage_of_rows,
    "leakage, near rows": leakage_of_near_rows,
    "leakage, groups": leakage_of_a_group,
    "leakage, target in features": leakage_of_the_target,
}


def measure(draws: int = DRAWS) -> list[dict[str, object]]:
    """Return, for every detector, how many planted faults were found and how many clean sets passed.

    Args:
        draws: Draws of each kind, with the seeds 0, 1 ...
    """
    rows: list[dict[str, object]] = []
    for name, raises in DETECTORS.items():
        begin = time.process_time()
        found = sum(raises(seed, True) for seed in range(draws))
        clean = sum(not raises(seed, False) for seed in range(draws))
        seconds = time.process_time() - begin
        reached = found == draws and clean >= draws - draws // 20
        rows.append(
            {
                "detector": name,
                "draws": draws,
                "planted found": found,
                "clean passed": clean,
                "reached": reached,
                "cpu_seconds": round(seconds, 2),
            }
        )
    return rows


def table(rows: list[dict[str, object]]) -> str:
    """Return the rows as a Markdown table."""
    head = list(rows[0])
    lines = [head, ["---"] * len(head), *([str(row[name]) for name in head] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--out", type=Path, default=Path("runs/audits"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    rows = measure(given.draws)
    text = json.dumps({"rows": rows, "targets": "planted 20 of 20, clean 19 of 20"}, indent=2)
    (given.out / "audits.json").write_text(text + "\n", encoding="utf-8")
    (given.out / "audits.md").write_text(table(rows), encoding="utf-8")
    sys.stdout.write(table(rows))


if __name__ == "__main__":
    main()
