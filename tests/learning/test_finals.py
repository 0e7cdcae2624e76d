"""The final choice of tuning, and which trials are given up on the way."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pinnsolve.learning import Classifier, Regressor
from pinnsolve.learning.finals import Contender, finalists, wanted, winner
from pinnsolve.learning.search_spaces import Rivals
from pinnsolve.learning.table_search import TableSearch


def contender(number: int, error: float, seconds: float = 1.0) -> Contender:
    return Contender(number, error, seconds, defaults=number == 0)


def test_finalists_are_near_the_best_and_no_worse_than_the_defaults() -> None:
    found = finalists([contender(0, 1.2), contender(1, 1.0), contender(2, 1.3), contender(3, 1.1)])
    assert [one.number for one in found] == [1, 3, 0]
    far = finalists([contender(0, 9.0), contender(1, 1.0), contender(2, 1.6), contender(3, 1.4)])
    assert [one.number for one in far] == [1, 3]
    assert [one.number for one in finalists([contender(1, 1.0), contender(0, 1.0)])] == [0, 1]


def test_of_equals_the_defaults_then_the_quickest_win() -> None:
    rng = np.random.default_rng(0)
    noise = 1.0 + 0.1 * rng.normal(size=9)
    chosen = (contender(1, 1.0, 5.0), contender(2, 1.0, 2.0), contender(0, 1.0, 9.0))

    def known(shifts: dict[int, float]) -> dict[tuple[int, int], list[float]]:
        jitter = 1e-3 * rng.normal(size=(3, 9))
        return {
            (n, k): (noise + shift + jitter[n])[3 * k : 3 * k + 3].tolist()
            for n, shift in shifts.items()
            for k in range(3)
        }

    assert winner(chosen, known({0: 0.0, 1: -1e-5, 2: 0.0}), 2).number == 0
    assert winner(chosen, known({0: 0.01, 1: -1e-5, 2: 0.0}), 2).number == 2
    assert winner(chosen, known({0: 0.01, 1: -0.01, 2: 0.01}), 2).number == 1


def test_a_round_that_was_cut_short_does_not_count() -> None:
    chosen = (contender(1, 1.0), contender(2, 1.1))
    known = {(1, 0): [1.0, 1.0, 1.1], (2, 0): [1.1, 1.1, 1.2], (1, 1): [5.0, 5.0, 5.0]}
    assert winner(chosen, known, 2).number == 1
    assert list(wanted(chosen, known, 2)) == [(2, 1), (1, 2), (2, 2)]
    assert list(wanted(chosen[:1], known, 2)) == []


def powers(rows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).uniform(0.1, 3.0, (rows, 2))
    return x, x[:, 0] ** 2 / x[:, 1]


def test_what_is_clearly_worse_costs_one_short_fit() -> None:
    search = TableSearch(Regressor(("mlp", 4), max_steps=12), *powers())
    settings = {"kind": "linear", "max_steps": 12}
    alone = search.evaluate(settings, None, 60.0)
    assert len(alone.parts) == 3
    assert alone.error == pytest.approx(np.mean(alone.parts))
    early = search.evaluate(settings, Rivals(screens=(1e-6, 1e-6, 1e-6)), 60.0)
    assert math.isnan(early.error)
    assert early.parts == ()
    assert "after a third of the steps" in early.why
    late = search.evaluate(settings, Rivals(firsts=(1e-6,), best=(1e-6,) * 3), 60.0)
    assert math.isnan(late.error)
    assert len(late.parts) == 1
    assert search.evaluate({}, Rivals((0.0,), (0.0,), (0.0,) * 3), 60.0).why == ""  # the defaults
    again = search.evaluate(settings, None, 60.0, repeat=1)
    assert again.parts != alone.parts


def test_logarithms_are_tried_where_they_can_be_taken() -> None:
    x, y = powers()
    model = Regressor(("mlp", 4))

    def words(search: TableSearch) -> set[str]:
        return {settings["logarithms"] for settings in search.known}

    assert words(TableSearch(model, x, y)) == {"none", "inputs", "inputs and targets"}
    assert words(TableSearch(model, x, y - 1.0)) == {"none", "inputs"}
    assert words(TableSearch(model, x - 1.0, y)) == {"none"}
    assert words(TableSearch(Classifier(), x, (y > 1.0) + 1)) == {"none", "inputs"}
