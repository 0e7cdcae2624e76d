"""Sensitivities against closed forms, and against problems that are solved again."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.learning.sensitivity import Sensitivity, sensitivities

BASE = {"k": 2.0, "a": 1.0, "h": 3.0, "ambient": 5.0, "q": 4.0}
NAMES = {
    "k": "Heat conductivity",
    "q": "Heat source",
    "a": "left: temperature",
    "h": "right: coefficient",
    "ambient": "right: ambient",
}


def rod(k, a, h, ambient, q) -> ps.Problem:
    return ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(conductivity=k, source=q),
        [
            ps.Dirichlet("left", temperature=a),
            ps.Convection("right", coefficient=h, ambient=ambient),
        ],
        quantities=[
            ps.point_value("T", "temperature", (0.5,)),
            ps.Quantity("out", lambda s: float(s.outflow("temperature", "right"))),
        ],
    )


def exact(k, a, h, ambient, q) -> tuple[float, float]:
    """T(1/2) and the outflow of T = a + c x - q x^2 / 2k with -k T' = h (T - ambient) at 1."""
    c = (h * (ambient - a + q / (2 * k)) + q) / (k + h)
    return a + c / 2 - q / (8 * k), h * (a + c - q / (2 * k) - ambient)


def by_name(found: tuple[Sensitivity, ...], quantity: str) -> dict[str, Sensitivity]:
    return {item.name: item for item in found if item.quantity == quantity}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_closed_form(seed: int) -> None:
    solution = ps.solve(rod(**BASE), reference=False, seed=seed)
    found = sensitivities(solution)
    assert len(found) == 10
    for place, quantity in enumerate(("T", "out")):
        named = by_name(found, quantity)
        for parameter, name in NAMES.items():
            up, down = (exact(**{**BASE, parameter: BASE[parameter] + e}) for e in (1e-5, -1e-5))
            slope = (up[place] - down[place]) / 2e-5
            assert named[name].derivative == pytest.approx(slope, rel=1e-6)
            share = slope * BASE[parameter] / exact(**BASE)[place]
            assert named[name].relative == pytest.approx(share, rel=1e-6)
    assert {item.kind for item in found} == {"parameter", "boundary value"}


def test_of_a_trained_trunk_and_a_nonlinear_law() -> None:
    """-((1 + b T) T')' = 0 by Kirchhoff's transform; all parameters of a network follow."""

    def wall(right: float) -> ps.Problem:
        return ps.Problem(
            "wall",
            ps.Interval(0.0, 1.0),
            ps.Heat(conductivity=lambda T, x: 1.0 + 0.5 * T),
            [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=right)],
            quantities=[ps.point_value("T", "temperature", (0.5,))],
            accuracy=1e-6,
        )

    def middle(right: float) -> float:
        flux = right + 0.25 * right**2
        return 2.0 * (math.sqrt(1.0 + 0.5 * flux) - 1.0)

    slope = (middle(1.0 + 1e-5) - middle(1.0 - 1e-5)) / 2e-5
    for method in (ps.Method(), ps.Method(trunk="trained", hidden=(8,), max_steps=60)):
        solution = ps.solve(wall(1.0), method, reference=False)
        found = by_name(sensitivities(solution), "T")
        assert found["right: temperature"].derivative == pytest.approx(slope, rel=1e-3)


@pytest.fixture(scope="module")
def inverse() -> ps.Solution:
    """T = 5 x / (1 + 1/h) with an unknown h and one sensor that determines it."""
    unknown = ps.Unknown("h", initial=1.0, bounds=(0.1, 20.0))
    problem = ps.Problem(
        "inverse",
        ps.Interval(0.0, 1.0),
        ps.Heat(conductivity=1.0),
        [
            ps.Dirichlet("left", temperature=0.0),
            ps.Convection("right", coefficient=unknown, ambient=5.0),
        ],
        measurements=ps.Measurements(points=[[0.8]], values={"temperature": [3.0]}, sigma=0.01),
        quantities=[
            ps.Quantity("h", lambda s: s.estimates[0].value),
            ps.point_value("T", "temperature", (0.4,)),
        ],
    )
    return ps.solve(problem, reference=False)


def test_sensor(inverse: ps.Solution) -> None:
    """T(0.8) = y gives h = y / (4 - y), dh/dy = 4 / (4 - y)^2, and T(0.4) = y / 2."""
    assert inverse.estimates[0].value == pytest.approx(3.0, rel=1e-3)
    found = sensitivities(inverse)
    assert by_name(found, "h")["sensor 0 temperature"].derivative == pytest.approx(4.0, rel=2e-2)
    assert by_name(found, "T")["sensor 0 temperature"].derivative == pytest.approx(0.5, rel=2e-2)
    # the sensor holds the field where it is, whatever the ambient temperature: h follows
    assert by_name(found, "T")["right: ambient"].derivative == pytest.approx(0.0, abs=2e-3)
    slope = -3.75 / 1.25**2  # h = T'/(ambient - T(1)) with T' = T(1) = 3.75
    assert by_name(found, "h")["right: ambient"].derivative == pytest.approx(slope, rel=2e-2)
    assert "sensor" not in {item.kind for item in sensitivities(inverse, sensors=False)}


def test_chosen_names_and_quantities() -> None:
    solution = ps.solve(rod(**BASE), reference=False)
    one = ps.Quantity("mean", lambda s: float(s.average("temperature")))
    found = sensitivities(solution, [one], names=["left: temperature"])
    assert [item.name for item in found] == ["left: temperature"]
    again = by_name(sensitivities(solution, [one]), "mean")["left: temperature"]
    assert found[0].derivative == pytest.approx(again.derivative, rel=1e-6)
    with pytest.raises(
        ValueError, match=r"no number 'left: temp'.*Did you mean 'left: temperature'"
    ):
        sensitivities(solution, names=["left: temp"])
    with pytest.raises(ValueError, match="no quantity to differentiate"):
        sensitivities(replace(solution, problem=replace(solution.problem, quantities=())))


def test_open_ranges_are_refused() -> None:
    film = ps.Range("film", 1.0, 5.0)
    problem = ps.Problem(
        "range",
        ps.Interval(0.0, 1.0),
        ps.Heat(conductivity=1.0),
        [
            ps.Dirichlet("left", temperature=0.0),
            ps.Convection("right", coefficient=film, ambient=5.0),
        ],
        quantities=[ps.point_value("T", "temperature", (1.0,))],
    )
    solution = ps.solve(problem, reference=False)
    with pytest.raises(ValueError, match=r"ranges are open \(film\)"):
        sensitivities(solution)
    held = by_name(sensitivities(solution.given(film=2.0)), "T")
    # T(1) = 5 h / (1 + h)
    assert held["right: coefficient"].derivative == pytest.approx(5.0 / 9.0, rel=1e-3)
    assert np.isfinite(held["right: ambient"].relative)
