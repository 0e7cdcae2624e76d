"""Defaults of the estimators beside scikit-learn's: ``python -m pinnsolve.validation.tables [--out DIR] [NAME ...]``.

Each table is halved five times; each half is learned from and the other predicted (5x2 cross-validation). The test
of a difference is that of T. G. Dietterich, "Approximate statistical tests for comparing supervised classification
learning algorithms", Neural Comput. 10 (1998) 1895, in its F form (E. Alpaydin, Neural Comput. 11 (1999) 1885), which
corrects for the overlap of the halves. scikit-learn's network gets standardised inputs and targets, which it needs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pinnsolve.learning import Classifier, Regressor

Array = npt.NDArray[np.float64]

_REPEATS = 5


@dataclass(frozen=True)
class Table:
    """A table to learn from.

    Attributes:
        x: Inputs, shape (N, F).
        y: Targets, shape (N,).
        classify: Whether targets are classes.
        groups: Group of each row, shape (N,), or None; a group is never in both halves.
    """

    x: Array
    y: npt.NDArray[Any]
    classify: bool = False
    groups: npt.NDArray[np.intp] | None = None


@dataclass(frozen=True)
class Score:
    """Errors of one method on one table.

    Attributes:
        errors: Test errors, one row for each repeat, one column for each half, shape (5, 2): root mean square error
            over the targets' standard deviation, or share of wrong classes.
        seconds: Mean processor time of a fit, in s.
    """

    errors: tuple[tuple[float, float], ...]
    seconds: float

    @property
    def mean(self) -> float:
        """Mean error."""
        return float(np.mean(self.errors))

    @property
    def spread(self) -> float:
        """Standard deviation of the ten errors."""
        return float(np.std(self.errors, ddof=1))


def grouped(num_rows: int = 20_000, seed: int = 0) -> Table:
    """Return a generated table of pumps: power from flow, head, speed, temperature, wear and type.

    Every one of 200 pumps is a group with its own wear, type and small offset; power has a smooth law, a valve that
    opens at a threshold, and noise that grows with the load.

    Args:
        num_rows: Number of rows.
        seed: Seed.
    """
    draw = np.random.default_rng(seed)
    groups = draw.integers(0, 200, num_rows)
    wear, kind = draw.uniform(0.0, 1.0, 200)[groups], draw.integers(0, 3, 200)[groups]
    offset = draw.normal(0.0, 0.1, 200)[groups]
    flow, head = draw.uniform(0.1, 1.0, num_rows), draw.gamma(4.0, 5.0, num_rows)
    speed, temperature = draw.uniform(0.5, 1.5, num_rows), draw.normal(40.0, 15.0, num_rows)
    idle = draw.normal(0.0, 1.0, (num_rows, 3))
    best = 0.55 + 0.15 * kind
    efficiency = (0.85 - 0.25 * wear) / (1.0 + (flow / speed - best) ** 2)
    power = 0.1 * flow * head / efficiency + 0.4 * speed**3
    power += np.where((head > 30.0) & (flow > 0.5), 0.8, 0.0) + 0.003 * (temperature - 40.0) * speed
    power += offset + draw.normal(0.0, 0.05, num_rows) * (1.0 + flow)
    one_hot = np.eye(3)[kind]
    x = np.column_stack((flow, head, speed, temperature, wear, one_hot, idle))
    return Table(x, power, groups=groups)


def _bundled(name: str, *, classify: bool) -> Callable[[], Table]:
    def table() -> Table:
        import sklearn.datasets

        x, y = getattr(sklearn.datasets, f"load_{name}")(return_X_y=True)
        return Table(x, y, classify=classify)

    return table


def _friedman(number: int, noise: float = 0.0) -> Callable[[], Table]:
    def table() -> Table:
        import sklearn.datasets

        make = getattr(sklearn.datasets, f"make_friedman{number}")
        return Table(*make(1000, noise=noise, random_state=0))

    return table


TABLES: Mapping[str, Callable[[], Table]] = {
    "diabetes": _bundled("diabetes", classify=False),
    "breast_cancer": _bundled("breast_cancer", classify=True),
    "digits": _bundled("digits", classify=True),
    "wine": _bundled("wine", classify=True),
    "friedman1": _friedman(1),
    "friedman1 with noise 1": _friedman(1, 1.0),
    "friedman2": _friedman(2),
    "friedman3": _friedman(3),
    "pumps, 20,000 rows in 200 groups": grouped,
}
"""The tables by name; the smooth functions have 1,000 rows."""

OWN = "pinnsolve"


def methods(*, classify: bool) -> dict[str, Callable[[int], Any]]:
    """Return what makes each estimator from a seed."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if classify:
        return {
            OWN: lambda seed: Classifier(random_state=seed),
            "MLP": lambda seed: make_pipeline(StandardScaler(), MLPClassifier(random_state=seed)),
            "HistGradientBoosting": lambda seed: HistGradientBoostingClassifier(random_state=seed),
        }
    return {
        OWN: lambda seed: Regressor(random_state=seed),
        "MLP": lambda seed: TransformedTargetRegressor(
            make_pipeline(StandardScaler(), MLPRegressor(random_state=seed)),
            transformer=StandardScaler(),
        ),
        "HistGradientBoosting": lambda seed: HistGradientBoostingRegressor(random_state=seed),
    }


def halves(table: Table, repeat: int) -> npt.NDArray[np.bool_]:
    """Return which rows are in the first half, shape (N,): classes in proportion, groups whole."""
    draw = np.random.default_rng(1000 + repeat)
    first = np.zeros(len(table.y), dtype=bool)
    if table.groups is not None:
        names = draw.permutation(np.unique(table.groups))
        return np.isin(table.groups, names[: len(names) // 2])
    kinds = table.y if table.classify else np.zeros(len(table.y))
    for position, kind in enumerate(np.unique(kinds)):
        own = draw.permutation(np.flatnonzero(kinds == kind))
        first[own[: (len(own) + position % 2) // 2]] = True
    return first


def error_of(table: Table, predicted: npt.NDArray[Any], rows: npt.NDArray[np.bool_]) -> float:
    """Return the error on some rows, as :class:`Score` says."""
    y = table.y[rows]
    if table.classify:
        return float(np.mean(predicted != y))
    return float(np.sqrt(np.mean((predicted - y) ** 2)) / table.y.std())


def scored(table: Table, make: Callable[[int], Any]) -> Score:
    """Return the errors of a method by 5x2 cross-validation."""
    errors, seconds = [], []
    for repeat in range(_REPEATS):
        first = halves(table, repeat)
        pair = []
        for learned in (first, ~first):
            estimator = make(repeat)
            begin = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore"
                )  # scikit-learn's network says that it has not converged
                estimator.fit(table.x[learned], table.y[learned])
            seconds.append(time.process_time() - begin)
            pair.append(error_of(table, estimator.predict(table.x[~learned]), ~learned))
        errors.append((pair[0], pair[1]))
    return Score(tuple(errors), float(np.mean(seconds)))


def p_value(one: Score, other: Score) -> float:
    """Return how probable a difference as large is between equals, by the combined 5x2 F test."""
    from scipy.stats import f

    difference = np.array(one.errors) - np.array(other.errors)
    variance = np.square(difference - difference.mean(axis=1, keepdims=True)).sum()
    if variance == 0.0:
        return 1.0
    return float(f.sf(np.square(difference).sum() / (2.0 * variance), 10, 5))


def measured(name: str) -> dict[str, Any]:
    """Return scores, ratios and p-values of all methods on one table."""
    table = TABLES[name]()
    scores = {
        method: scored(table, make) for method, make in methods(classify=table.classify).items()
    }
    own = scores[OWN]
    return {
        method: {
            **asdict(score),
            "mean": score.mean,
            "spread": score.spread,
            "ratio": own.mean / score.mean if score.mean else float("nan"),
            "p": p_value(own, score),
        }
        for method, score in scores.items()
    }


def _line(name: str, row: Mapping[str, Any]) -> str:
    cells = [
        f"{score['mean']:.4g} +- {score['spread']:.2g} ({score['seconds']:.2g} s)"
        + ("" if method == OWN else f", {score['ratio']:.3g}, p {score['p']:.2g}")
        for method, score in row.items()
    ]
    return f"| {name} | " + " | ".join(cells) + " |"


def document(found: Mapping[str, Any]) -> str:
    """Return the results as a Markdown table."""
    lines = [
        "# Defaults on tables, 5x2 cross-validation",
        "",
        "Mean error +- standard deviation of the ten (processor seconds of a fit). Then the error of pinnsolve over",
        "that of the method, and the p-value of the combined 5x2 F test. Errors: root mean square over the targets'",
        "standard deviation, or share of wrong classes. Written by `python -m pinnsolve.validation.tables`.",
        "",
        f"| table | {OWN} | scikit-learn MLP | HistGradientBoosting |",
        "|---|---|---|---|",
        *(_line(name, row) for name, row in found.items()),
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write ``tables.json`` and ``tables.md``; tables measured before are kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="tables; all if none is given")
    parser.add_argument("--out", type=Path, default=Path("validation/results"))
    given = parser.parse_args(arguments)
    strange = [name for name in given.names if name not in TABLES]
    if strange:
        parser.error(f"unknown table {strange[0]!r}; there are {', '.join(TABLES)}")
    file = given.out / "tables.json"
    found = json.loads(file.read_text()) if file.is_file() and given.names else {}
    for name in given.names or list(TABLES):
        found[name] = measured(name)
        sys.stderr.write(_line(name, found[name]) + "\n")
        ordered = {known: found[known] for known in TABLES if known in found}
        file.write_text(json.dumps(ordered, indent=1) + "\n")
        (given.out / "tables.md").write_text(document(ordered))


if __name__ == "__main__":
    main()
