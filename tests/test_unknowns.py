"""Unknown numbers: the maps of the search, their slopes, and binding into declarations."""

from __future__ import annotations

import math

import pytest
import torch

from pinnsolve.conditions import Convection, Dirichlet
from pinnsolve.physics import Boussinesq, CustomPhysics, Heat, NavierStokes
from pinnsolve.unknowns import Unknown, bind, find_unknowns

KINDS = {
    "free": Unknown("u", 3.0),
    "free at zero": Unknown("u", 0.0),
    "free negative": Unknown("u", -4.0),
    "bounded": Unknown("u", 0.3, bounds=(0.0, 0.5)),
    "bounded negative": Unknown("u", -1.0, bounds=(-2.0, 5.0)),
    "logarithmic": Unknown("u", 10.0, bounds=(1e-3, 1e6)),
}


@pytest.fixture(params=KINDS)
def unknown(request) -> Unknown:
    return KINDS[request.param]


def value(unknown: Unknown, z: float) -> float:
    return float(unknown.value(torch.tensor(z, dtype=torch.float64)))


def test_the_search_starts_at_the_initial_value(unknown) -> None:
    assert value(unknown, unknown.start) == pytest.approx(unknown.initial, rel=1e-14, abs=1e-14)


def test_the_map_rises_and_its_slope_is_a_difference_quotient(unknown) -> None:
    h = 1e-5
    for z in (-1.5, 0.0, 0.7):
        quotient = (value(unknown, z + h) - value(unknown, z - h)) / (2.0 * h)
        assert unknown.slope(z) == pytest.approx(quotient, rel=1e-7)
        assert unknown.slope(z) > 0.0


@pytest.mark.parametrize("z", [-30.0, -3.0, 0.0, 3.0, 30.0])
def test_values_stay_inside_the_bounds(unknown, z) -> None:
    if unknown.bounds is not None:
        low, high = unknown.bounds
        assert low <= value(unknown, z) <= high


def test_the_search_is_logarithmic_over_more_than_a_decade_of_positive_numbers() -> None:
    assert KINDS["logarithmic"].logarithmic
    assert not KINDS["bounded"].logarithmic
    assert not Unknown("u", 5.0, bounds=(1.0, 10.0)).logarithmic
    middle = value(KINDS["logarithmic"], 0.0)
    assert middle == pytest.approx(math.sqrt(1e-3 * 1e6))


def test_values_are_elementwise() -> None:
    z = torch.tensor([-1.0, 0.0, 2.0], dtype=torch.float64)
    for unknown in KINDS.values():
        assert unknown.value(z).tolist() == pytest.approx([value(unknown, float(v)) for v in z])


@pytest.mark.parametrize(
    ("initial", "bounds"),
    [
        (1.0, (1.0, 2.0)),
        (2.0, (1.0, 2.0)),
        (3.0, (1.0, 2.0)),
        (1.5, (2.0, 1.0)),
    ],
)
def test_bounds_must_enclose_the_initial_value(initial, bounds) -> None:
    with pytest.raises(ValueError, match="unknown 'k': bounds must enclose the initial value"):
        Unknown("k", initial, bounds=bounds)


@pytest.mark.parametrize("bounds", [(0.0, math.inf), (-math.inf, 2.0), (math.nan, 2.0)])
def test_bounds_must_be_finite(bounds) -> None:
    with pytest.raises(ValueError, match="unknown 'k': bounds must be finite"):
        Unknown("k", 1.0, bounds=bounds)


@pytest.mark.parametrize("initial", [math.nan, math.inf])
def test_the_initial_value_must_be_finite(initial) -> None:
    with pytest.raises(ValueError, match="unknown 'k': initial must be finite"):
        Unknown("k", initial)


def test_unknowns_are_found_wherever_a_number_stands() -> None:
    a, b, c, d, e = (Unknown(name, 1.0) for name in "abcde")
    flow = Boussinesq(NavierStokes(1.0, a), b, 1.0, 1.0, (0.0, -9.81))
    own = CustomPhysics({"u": ()}, lambda f, x, m: f.u, {"c": c, "pair": [d, 2.0]})
    conditions = [Convection("left", e), Dirichlet("right", temperature=a)]
    assert [u.name for u in find_unknowns(flow, own, conditions)] == ["a", "b", "c", "d", "e"]


def test_two_unknowns_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two different unknowns are named 'k'"):
        find_unknowns(Heat(Unknown("k", 1.0)), Convection("left", Unknown("k", 2.0)))


def test_binding_replaces_everything_and_changes_nothing() -> None:
    a, b = Unknown("a", 1.0), Unknown("b", 2.0)
    flow = Boussinesq(NavierStokes(1.0, a), b, 1.0, 1.0, (0.0, -9.81))
    bound = bind(flow, {"a": 5.0, "b": 6.0})
    assert bound.flow.dynamic_viscosity == 5.0
    assert bound.conductivity == 6.0
    assert find_unknowns(flow) == (a, b)
    own = CustomPhysics({"u": ()}, lambda f, x, m: f.u, {"c": a, "d": [b, 2.0]})
    assert bind(own, {"a": 5.0, "b": 6.0}).parameters == {"c": 5.0, "d": [6.0, 2.0]}


def test_binding_nothing_is_the_identity() -> None:
    heat = Heat(3.0)
    assert bind(heat, {}) is heat
    assert bind(heat, {"k": 1.0}) is heat
