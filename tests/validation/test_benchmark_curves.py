"""Times, speedups and ratios from curves of error against time."""

from __future__ import annotations

import math

import pytest
from pinnsolve.validation.benchmarks.curves import (
    Curve,
    best_of,
    curve_of,
    envelope,
    final_error_ratio,
    speedups,
    times_to,
)
from pinnsolve.validation.benchmarks.scaling import exponents

FAST = Curve((1.0, 2.0, 3.0, 4.0), (1e-1, 1e-2, 1e-3, 1e-5))
SLOW = Curve((100.0, 200.0, 300.0), (1e-1, 1e-2, 1e-3))


def test_time_and_error() -> None:
    assert FAST.time_to(1e-2) == 2.0
    assert FAST.time_to(5e-3) == 3.0
    assert FAST.time_to(1e-6) == math.inf
    assert FAST.error_at(3.9) == 1e-3
    assert FAST.error_at(1e9) == 1e-5
    assert FAST.error_at(0.5) == math.inf


def test_an_error_that_rises_again_counts_when_it_was_first_reached() -> None:
    assert Curve((1.0, 2.0, 3.0), (1e-2, 1.0, 1e-3)).time_to(1e-2) == 1.0


def test_speedup_is_the_ratio_of_times() -> None:
    assert speedups([FAST], [SLOW]) == {"1e-2": 100.0, "1e-3": 100.0, "1e-4": None}


def test_speedup_is_zero_where_only_the_peer_gets_there() -> None:
    assert speedups([SLOW], [FAST])["1e-4"] == 0.0


def test_times_are_medians_and_never_counts_as_infinity() -> None:
    never = Curve((1.0,), (1.0,))
    assert times_to([FAST, never, FAST])["1e-3"] == 3.0
    assert times_to([FAST, never, never])["1e-3"] is None
    assert times_to([])["1e-3"] is None


def test_final_error_ratio_is_taken_at_the_end_of_the_peer() -> None:
    early = Curve((1.0, 2.5), (1.0, 0.5))
    assert final_error_ratio([FAST], [SLOW]) == pytest.approx(100.0)
    assert final_error_ratio([FAST], [early]) == pytest.approx(50.0)
    assert final_error_ratio([FAST, FAST, FAST], [SLOW, early, early]) == pytest.approx(50.0)
    assert final_error_ratio([SLOW], [FAST]) is None  # we had no error yet
    assert final_error_ratio([FAST], [Curve((), ())]) is None


def test_the_better_final_error_is_chosen() -> None:
    assert best_of([SLOW, FAST]) == 1
    assert best_of([Curve((), ()), SLOW]) == 1


def test_envelope_is_the_best_that_a_time_buys() -> None:
    found = envelope([Curve((1.0, 5.0), (0.1, 0.05)), Curve((2.0, 3.0), (0.2, 0.01))])
    assert found == Curve((1.0, 3.0), (0.1, 0.01))


def test_curves_survive_json() -> None:
    assert curve_of(FAST.document()) == FAST


def test_refusals() -> None:
    with pytest.raises(ValueError, match="one error per time, got 1 and 2"):
        Curve((1.0,), (1.0, 2.0))
    with pytest.raises(ValueError, match="must not decrease"):
        Curve((2.0, 1.0), (1.0, 2.0))
    with pytest.raises(ValueError, match="three measurements, got 1"):
        exponents([{"num_rows": 1.0, "num_parameters": 1.0, "seconds_per_step": 1.0}])


def test_exponents_of_a_power_law() -> None:
    sizes = [(1000, 100), (2000, 100), (4000, 300), (1000, 900)]
    points = [
        {"num_rows": m, "num_parameters": p, "seconds_per_step": 1e-9 * m * p**1.7}
        for m, p in sizes
    ]
    assert exponents(points) == pytest.approx({"rows": 1.0, "parameters": 1.7})
