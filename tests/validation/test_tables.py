"""The benchmark on tables: fair halves and an honest test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pinnsolve.validation import tables
from pinnsolve.validation.tables import Score, Table, grouped, halves, p_value


def score(errors: np.ndarray) -> Score:
    return Score(tuple((float(a), float(b)) for a, b in errors), 1.0)


def test_halves_are_disjoint_in_groups_and_proportional_in_classes() -> None:
    table = grouped(2000)
    first = halves(table, 0)
    assert not set(table.groups[first]) & set(table.groups[~first])
    y = np.repeat([0, 1, 2], (60, 40, 21))
    classes = Table(np.zeros((121, 1)), y, classify=True)
    for repeat in range(5):
        own = halves(classes, repeat)
        assert all(abs(2 * own[y == k].sum() - (y == k).sum()) <= 1 for k in range(3))
    assert not np.array_equal(halves(classes, 0), halves(classes, 1))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_equals_are_rarely_told_apart(seed: int) -> None:
    """Under the null the p-value lies below 0.1 in at most a tenth of the draws, give or take three deviations."""
    draw = np.random.default_rng(seed)
    small = [
        p_value(score(draw.normal(size=(5, 2))), score(draw.normal(size=(5, 2)))) < 0.1
        for _ in range(300)
    ]
    assert np.mean(small) < 0.1 + 3.0 * np.sqrt(0.09 / 300)
    errors = draw.normal(size=(5, 2))
    assert p_value(score(errors + 10.0), score(errors + 0.1 * draw.normal(size=(5, 2)))) < 1e-6
    assert p_value(score(errors), score(errors)) == 1.0


def test_results_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).normal(size=(40, 2))
    monkeypatch.setattr(tables, "TABLES", {"plane": lambda: Table(x, x[:, 0] - x[:, 1])})

    def both(*, classify: bool) -> dict[str, object]:
        make = lambda seed: tables.Regressor("linear", random_state=seed)  # noqa: E731
        return {tables.OWN: make, "same": make}

    monkeypatch.setattr(tables, "methods", both)
    tables.main(["--out", str(tmp_path)])
    text = (tmp_path / "tables.md").read_text()
    assert "| plane |" in text
    with pytest.raises(SystemExit):
        tables.main(["plain"])
