"""Richardson references: published convergence indices, benchmark values, honest error bars."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pinnsolve.conditions import Convection, Dirichlet, Initial, Insulated, NoSlip
from pinnsolve.geometry import Disk, Interval, Rectangle, TimeInterval
from pinnsolve.jets import Coordinates, Fields, Jet, exp, laplacian, sin
from pinnsolve.measurements import Measurements
from pinnsolve.physics import CustomPhysics, Heat, NavierStokes
from pinnsolve.problem import Problem
from pinnsolve.reference.reference import NoReference, Reference
from pinnsolve.reference.richardson import (
    convergence_index,
    extrapolation,
    observed_order,
    richardson_reference,
)

DATA = Path(__file__).resolve().parents[2] / "validation" / "data"


def table(name: str) -> np.ndarray:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return np.array([[float(c) for c in line.split(",")] for line in lines if line[0].isdigit()])


def solved(problem: Problem, accuracy: float, max_seconds: float = 20.0) -> Reference:
    reference = richardson_reference(problem, accuracy=accuracy, max_seconds=max_seconds)
    assert isinstance(reference, Reference), reference
    return reference


def test_convergence_index_of_the_published_example() -> None:
    """NASA's tutorial on spatial convergence: pressure recovery on three grids."""
    fine, medium, coarse = 0.97050, 0.96854, 0.96178
    order = observed_order(abs(fine - medium), abs(medium - coarse))
    assert order == pytest.approx(1.7861696, abs=1e-7)
    relative = abs((medium - fine) / fine)
    assert convergence_index(relative, order, 1.25) == pytest.approx(1.030826e-3, rel=1e-6)
    assert fine + (fine - medium) / (2.0**order - 1.0) == pytest.approx(0.97130033, abs=1e-8)


def test_coarser_grids_of_the_published_example_are_in_the_asymptotic_range() -> None:
    """NASA's tutorial: the indices of the two pairs of grids differ by 2^p, but for 0.2 %."""
    fine, medium, coarse = 0.97050, 0.96854, 0.96178
    order = observed_order(abs(fine - medium), abs(medium - coarse))
    first = convergence_index(abs((medium - fine) / fine), order, 1.25)
    second = convergence_index(abs((coarse - medium) / medium), order, 1.25)
    assert second == pytest.approx(3.562493e-3, rel=1e-6)
    assert second / (2.0**order * first) == pytest.approx(1.0020, abs=5e-5)


@pytest.mark.parametrize(
    ("cells", "values", "order", "limit", "index"),
    [
        ((18000, 8000, 4500), (6.063, 5.972, 5.863), 1.53, 6.1685, 0.022),
        ((18000, 4500, 980), (10.7880, 10.7250, 10.6050), 0.75, 10.8801, 0.0107),
    ],
)
def test_grids_of_unequal_ratios(
    cells: tuple[int, ...], values: tuple[float, ...], order: float, limit: float, index: float
) -> None:
    """Table 1 of I. B. Celik et al. (2008): reattachment length and axial velocity."""
    ratios = (math.sqrt(cells[0] / cells[1]), math.sqrt(cells[1] / cells[2]))
    change = abs(values[0] - values[1])
    found = observed_order(change, abs(values[1] - values[2]), ratios)
    assert found == pytest.approx(order, abs=5e-3)
    growth = ratios[0] ** found
    assert values[0] + (values[0] - values[1]) / (growth - 1.0) == pytest.approx(limit, abs=5e-4)
    share = convergence_index(change / values[0], found, 1.25, ratios[0])
    assert share == pytest.approx(index, abs=5e-4)


@pytest.mark.parametrize("ratios", [(2.0, 2.0), (1.5, 1.3), (2.0, 3.0), (1.2, 2.0)])
@pytest.mark.parametrize("order", [0.5, 1.0, 2.0, 4.0])
def test_orders_of_pure_powers_are_found(order: float, ratios: tuple[float, float]) -> None:
    h = np.array([1.0, ratios[0], ratios[0] * ratios[1]])
    first, second = np.diff(0.3 * h**order)
    assert observed_order(first, second, ratios) == pytest.approx(order, rel=1e-6)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("order", [0.5, 1.0, 1.3, 2.0, 3.0])
def test_error_bars_hold_for_errors_of_any_order(order: float, seed: int) -> None:
    """A field of norm 1 with errors c h^order + d h^(order + 1)."""
    rng = np.random.default_rng(seed)
    exact, first, second = rng.standard_normal((3, 500, 1))
    exact /= np.sqrt(np.mean(exact**2))
    h = np.array([0.1, 0.2, 0.4])
    samples = [exact + 0.1 * (first * s**order + 0.3 * second * s ** (order + 1)) for s in h]
    found = extrapolation(samples)
    value = samples[0] + found.factor * (samples[0] - samples[1])
    assert np.sqrt(np.mean((value - exact) ** 2)) <= found.error


def test_two_grids_get_the_large_safety_factor() -> None:
    fine, medium = np.ones((4, 1)), np.full((4, 1), 1.03)
    assert extrapolation([fine, medium]).error == pytest.approx(0.03)


def test_grids_that_agree_have_an_error_at_rounding() -> None:
    same = np.ones((4, 1))
    assert extrapolation([same, same, same]).error <= 1e-10


def nafems_t4() -> Problem:
    return Problem(
        "nafems t4",
        Rectangle((0.0, 0.0), (0.6, 1.0)),
        Heat(52.0),
        [
            Dirichlet("bottom", temperature=100.0),
            Insulated("left"),
            Convection("right", 750.0),
            Convection("top", 750.0),
        ],
    )


@pytest.mark.parametrize("accuracy", [1e-3, 3e-4])
def test_nafems_t4(accuracy: float) -> None:
    reference = solved(nafems_t4(), accuracy)
    error = abs(reference.evaluate(np.array([[0.6, 0.2]]))[0, 0] - 18.2537565)
    assert error < 1e-2
    exact = table("nafems_t4_field.csv")
    found = reference.evaluate(exact[:, :2])[:, 0]
    size = np.sqrt(np.mean(exact[:, 2] ** 2))
    assert error <= reference.error["temperature"] * size
    assert np.sqrt(np.mean((found - exact[:, 2]) ** 2)) <= reference.error["temperature"] * size
    assert reference.error["temperature"] <= accuracy


def test_nafems_t3() -> None:
    problem = Problem(
        "nafems t3",
        Interval(0.0, 0.1),
        Heat(35.0, 7200.0, 440.5),
        [
            Dirichlet("left", temperature=0.0),
            Dirichlet("right", temperature=lambda x: 100.0 * sin(math.pi / 40.0 * x.t)),
            Initial(temperature=0.0),
        ],
        time=TimeInterval(0.0, 32.0),
    )
    reference = solved(problem, 1e-3)
    value = reference.evaluate(np.array([[0.08, 32.0]]))[0, 0]
    assert value == pytest.approx(36.603116, abs=1e-3)
    exact = table("nafems_t3_history.csv")
    points = np.column_stack((np.full(len(exact), 0.08), exact[:, 0]))
    assert np.abs(reference.evaluate(points)[:, 0] - exact[:, 1]).max() < 1e-2


def regularised_cavity() -> Problem:
    def lid(x: Coordinates) -> list[Jet]:
        return [16.0 * x.x**2 * (1.0 - x.x) ** 2, 0.0 * x.x]

    walls = [NoSlip(side) for side in ("left", "right", "bottom")]
    return Problem(
        "regularised cavity",
        Rectangle((0.0, 0.0), (1.0, 1.0)),
        NavierStokes(1.0, 0.01),
        [NoSlip("top", velocity=lid), *walls],
    )


def test_regularised_cavity() -> None:
    reference = solved(regularised_cavity(), 2e-3)
    station, u, v = table("regularised_ldc_Re100.csv").T
    half = np.full_like(station, 0.5)
    found_u = reference.evaluate(np.column_stack((half, station)))[:, 0]
    found_v = reference.evaluate(np.column_stack((station, half)))[:, 1]
    assert np.abs(found_u - u).max() < 5e-4
    assert np.abs(found_v - v).max() < 5e-4
    assert "observed order" in reference.note


def test_a_discontinuous_corner_widens_the_error_bar() -> None:
    sides = {"left": 0.0, "right": 0.0, "bottom": 0.0, "top": 1.0}
    problem = Problem(
        "plate",
        Rectangle((0.0, 0.0), (1.0, 1.0)),
        Heat(1.0),
        [Dirichlet(side, temperature=value) for side, value in sides.items()],
    )
    reference = solved(problem, 1e-3)
    assert "singular corners" in reference.note
    found = reference.evaluate(np.array([[0.5, 0.5], [0.25, 0.75]]))[:, 0]
    np.testing.assert_allclose(found, [0.25, 0.432028332], atol=1e-4)


@pytest.mark.parametrize("time_limit", [1e-3])
def test_no_time_means_no_reference(time_limit: float) -> None:
    found = richardson_reference(regularised_cavity(), accuracy=1e-3, max_seconds=time_limit)
    assert isinstance(found, NoReference)
    assert "longer than the 0.001 s allowed" in found.reason


def round_plate() -> Problem:
    return Problem("disk", Disk((0.0, 0.0), 1.0), Heat(1.0), [Dirichlet("circle", temperature=1.0)])


def insulated_bar() -> Problem:
    """The level is set by data alone: without them the declaration itself is refused."""
    conditions = [Insulated("left"), Insulated("right")]
    data = Measurements(np.array([[0.5]]), {"temperature": np.array([1.0])}, 0.1)
    return Problem("bar", Interval(0.0, 1.0), Heat(1.0), conditions, measurements=data)


def beyond_the_fold() -> Problem:
    """Bratu's problem u'' + c exp(u) = 0 has no solution for c > 3.514."""

    def equation(f: Fields, x: Coordinates, m: object) -> Jet:
        return laplacian(f.u) + 8.0 * exp(f.u)

    physics = CustomPhysics(fields={"u": ()}, equations=equation)
    ends = [Dirichlet("left", u=0.0), Dirichlet("right", u=0.0)]
    return Problem("bratu", Interval(0.0, 1.0), physics, ends)


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (round_plate, "not an axis-aligned box"),
        (insulated_bar, "nothing sets the level of temperature"),
        (beyond_the_fold, "Newton's method"),
    ],
)
def test_what_has_no_reference_says_why(problem: Callable[[], Problem], reason: str) -> None:
    found = richardson_reference(problem(), accuracy=1e-3, max_seconds=5.0)
    assert isinstance(found, NoReference)
    assert reason in found.reason


@pytest.mark.parametrize(("accuracy", "max_seconds"), [(0.0, 1.0), (1e-3, 0.0)])
def test_limits_that_cannot_be_met_are_refused(accuracy: float, max_seconds: float) -> None:
    with pytest.raises(ValueError, match="must be > 0"):
        richardson_reference(nafems_t4(), accuracy=accuracy, max_seconds=max_seconds)
