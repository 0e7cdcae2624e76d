"""What an inverse problem shows: functions with bands, residuals by sensor, combinations, further sensors."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.interop.hdf5 import Companions, read_solution
from pinnsolve.judging_data import data_checks, data_residuals
from pinnsolve.report.data_plots import correlation_picture, residual_picture
from pinnsolve.report.functions import estimates_of_numbers, sampled_functions
from pinnsolve.report.html import report_page
from pinnsolve.report.result import Result, gather, result_text
from pinnsolve.report.tables import result_tables
from pinnsolve.report.words import told_in_words
from pinnsolve.solver import judged_answer
from pinnsolve.training import train

ResultOf = Callable[..., Result]

PNG = b"\x89PNG\r\n\x1a\n"
X = np.linspace(0.05, 1.0, 20)
SIGMA = 0.01


def sine(x: ps.Coordinates) -> ps.Jet:
    return ps.sin(2.0 * math.pi * x.x)


def heated() -> ps.Problem:
    """Return ``-T'' = s(x)``, ``T(0) = 0``, ``T'(1) = -q``, with s and q unknown and a fifth held out."""
    y = (np.arange(4000) + 0.5) / 4000
    exact = np.minimum(X[:, None], y) @ np.sin(2.0 * math.pi * y) / len(y) + X
    drawn = np.random.default_rng(0).normal(0.0, SIGMA, len(X))
    source = ps.UnknownFunction(
        "s", of={"x": (0.0, 1.0)}, num=16, smoothness=0.02, unit="W/m3", truth=sine
    )
    return ps.Problem(
        "heated",
        ps.Interval(0.0, 1.0),
        ps.Heat(1.0, source=source),
        [
            ps.Dirichlet("left", temperature=0.0),
            ps.Neumann("right", temperature=ps.Unknown("q", -0.8, truth=-1.0)),
        ],
        measurements=ps.Measurements(
            X[:, None], {"temperature": exact + drawn}, sigma=SIGMA, holdout=0.2
        ),
        accuracy=1e-3,
    )


def plate() -> ps.Problem:
    """Return ``-div grad T = s(x, y)`` with a linear s on a disk: ``s = 4 + 8 x`` from ``T = (1 - r^2) (1 + x)``."""
    angles, radii = np.arange(12) * math.pi / 6.0, (0.25, 0.55, 0.85)
    points = np.array([[r * math.cos(a), r * math.sin(a)] for r in radii for a in angles])
    exact = (1.0 - np.sum(points**2, axis=1)) * (1.0 + points[:, 0])
    source = ps.UnknownFunction(
        "s", of={"x": (-1.0, 1.0), "y": (-1.0, 1.0)}, num=5, scale=4.0, initial=3.0, smoothness=1.0,
        truth=lambda x: 4.0 + 8.0 * x.x,
    )  # fmt: skip
    return ps.Problem(
        "plate",
        ps.Disk((0.0, 0.0), 1.0),
        ps.Heat(1.0, source=source),
        [ps.Dirichlet(part, temperature=0.0) for part in ps.Disk((0.0, 0.0), 1.0).parts],
        measurements=ps.Measurements(points, {"temperature": exact}, sigma=1e-3),
        accuracy=1e-3,
    )


def solved(problem: ps.Problem) -> Result:
    trained = train(problem, ps.Method(max_seconds=60.0))
    return gather(judged_answer(trained, reference=False).solution, Companions())


@pytest.fixture(scope="module")
def curve() -> Result:
    return solved(heated())


@pytest.fixture(scope="module")
def map_of_two() -> Result:
    return solved(plate())


def test_a_curve_is_the_function_with_its_band_and_the_truth(curve: Result) -> None:
    (item,) = curve.functions
    found, nodes = curve.solution.functions["s"], item.coordinates["x"]
    np.testing.assert_array_equal(item.values, found(nodes))
    np.testing.assert_array_equal(item.std, found.std(nodes))
    np.testing.assert_allclose(item.high - item.values, 1.959964 * item.std, rtol=1e-6)
    np.testing.assert_allclose(item.truth, np.sin(2.0 * math.pi * nodes), atol=1e-12)
    inside = (item.low < item.truth) & (item.truth < item.high)
    assert inside.mean() > 0.8
    assert item.error == pytest.approx(
        np.linalg.norm(item.values - item.truth) / np.linalg.norm(item.truth)
    )


def test_a_map_ends_where_the_domain_ends(map_of_two: Result) -> None:
    (item,) = map_of_two.functions
    x, y = np.meshgrid(*item.coordinates.values(), indexing="ij")
    radius = np.hypot(x, y)
    assert np.isnan(item.values[radius > 1.001]).all()
    assert np.isfinite(item.values[radius < 0.999]).all()
    np.testing.assert_allclose(item.truth[radius < 0.999], (4.0 + 8.0 * x)[radius < 0.999])
    assert item.error < 0.05
    assert (item.std[radius < 0.999] > 0.0).all()


@pytest.mark.parametrize("name", ["curve", "map_of_two"])
def test_it_is_in_the_document_and_the_same_from_a_file(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    result: Result = request.getfixturevalue(name)
    result.solution.save(tmp_path / "a.h5")
    again = gather(read_solution(tmp_path / "a.h5", result.solution.problem), Companions())
    (document,) = json.loads(result_text(result))["functions"]
    assert (document,) == tuple(json.loads(result_text(again))["functions"])
    (item,) = sampled_functions(again.solution)
    assert list(document["coordinates"]) == list(item.coordinates)
    for member in ("values", "std", "low", "high", "truth"):
        listed = np.array(document[member], dtype=np.float64)
        np.testing.assert_array_equal(listed, getattr(item, member))
    assert document["relative_l2_error"] == item.error


def test_a_function_without_spread_or_truth(curve: Result) -> None:
    problem = heated()
    source = replace(problem.physics.source, truth=None)
    plain = replace(problem, physics=replace(problem.physics, source=source))
    solution = replace(curve.solution, problem=plain, posterior=None)
    (item,) = sampled_functions(solution)
    assert item.std is item.low is item.high is item.truth is item.error is item.typical_std is None
    page = report_page(gather(solution, Companions()))
    assert "Identified</figcaption>" in page


def test_coefficients_are_no_rows_of_a_table(curve: Result) -> None:
    solution = curve.solution
    numbers = estimates_of_numbers(solution.problem, solution.estimates)
    assert [item.name for item in numbers] == ["q"]
    assert len(solution.estimates) == 17
    from rich.console import Console

    written = io.StringIO()
    Console(width=120, file=written).print(*result_tables(curve))
    text = written.getvalue()
    assert "s[0]" not in text
    assert "error to the truth" in text


def test_the_page_has_the_pictures(curve: Result, map_of_two: Result) -> None:
    page = report_page(curve)
    assert "s[0]" not in page
    assert "<td>q</td>" in page
    assert "Identified, with its 95 % interval, and the truth" in page
    assert "16 readings and 4 held out" in page
    page = report_page(map_of_two)
    for caption in ("Identified", "Truth", "Standard deviation"):
        assert f"<figcaption>{caption}</figcaption>" in page


def test_residuals_are_those_of_the_checks(curve: Result) -> None:
    learned, held = data_residuals(curve.solution)
    assert (learned.held_out, held.held_out) == (False, True)
    assert (len(learned.ratios), len(held.ratios)) == (16, 4)
    (data,) = curve.solution.problem.data
    readings = dict(zip(X, data.values["temperature"], strict=True))
    expected = [readings[x] for x in held.points[:, 0]]
    np.testing.assert_allclose(
        held.ratios, (curve.solution.at(held.points).temperature - expected) / SIGMA
    )
    check = data_checks(curve.solution)[1]
    # the check also allows for what the field itself is unsure of, at these points less than the noise
    plain, own = math.sqrt(np.mean(held.ratios**2)), curve.solution.std_at(held.points).temperature
    assert plain / math.sqrt(1.0 + np.sum((np.asarray(own) / SIGMA) ** 2)) <= check.value <= plain
    assert residual_picture((learned, held), 1).startswith(PNG)


def test_combinations_are_said_in_words(result_of: ResultOf, curve: Result) -> None:
    assert told_in_words(result_of("cooling_plate").solution) == []  # a single one
    assert told_in_words(curve.solution) == []  # coefficients
    two = ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(ps.Unknown("k", 2.0, bounds=(0.1, 10.0))),
        [
            ps.Dirichlet("left", temperature=0.0),
            ps.Neumann("right", temperature=ps.Unknown("q", 1.0, bounds=(0.1, 10.0))),
        ],
        measurements=ps.Measurements(X[:, None], {"temperature": -0.5 * X}, SIGMA),
    )
    result = solved(two)
    told, untold = told_in_words(result.solution)
    assert told.startswith("k / q is known to ")
    assert untold == "k * q is not told by these data"
    page = report_page(result)
    assert told in page
    assert "Correlation of the unknowns" in page


def test_a_correlation_of_many_is_drawn() -> None:
    assert correlation_picture([f"a{k}" for k in range(20)], np.eye(20)).startswith(PNG)


def gains(candidates: np.ndarray, chosen: list[int]) -> ps.NextSensors:
    count = len(candidates)
    return ps.NextSensors(
        candidates,
        np.array(chosen),
        ("k",),
        np.ones(1),
        np.ones((len(chosen), 1)),
        np.linspace(0.0, 1.0, count),
    )


@pytest.mark.parametrize("name", ["rod", "heat_rod", "nafems_t4", "taylor_green", "block"])
def test_further_sensors_are_drawn_on_every_geometry(result_of: ResultOf, name: str) -> None:
    problem = result_of(name).solution.problem
    points = problem.domain.sample_interior(9, seed=0)
    if problem.time is not None:
        points = np.column_stack((points, np.linspace(problem.time.start, problem.time.end, 9)))
    assert ps.sensors_picture(problem, gains(points, [8, 2, 8])).startswith(PNG)


def test_sensors_of_another_problem_are_refused(result_of: ResultOf) -> None:
    problem = result_of("rod").solution.problem
    with pytest.raises(
        ValueError, match=r"candidates with 2 coordinates for the problem 'rod <1>'"
    ):
        ps.sensors_picture(problem, gains(np.zeros((3, 2)), [0]))
