"""A solution with ranges: trained once, right at any value, judged at several, saved and reported."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.catalogue import make_problem
from pinnsolve.interop.hdf5 import Companions, read_solution
from pinnsolve.judging import exact_errors
from pinnsolve.judging_ranges import judge_ranges, sample_ranges
from pinnsolve.reference import NoReference, Reference, find_reference
from pinnsolve.report.comparison import reference_values
from pinnsolve.report.html import report_page
from pinnsolve.report.result import gather, result_document
from pinnsolve.solver import answer
from pinnsolve.training import Trained, train

X = np.linspace(0.0, 0.05, 40)[:, None]


@pytest.fixture(scope="module")
def fin() -> Trained:
    """The fin over a shorter range, solved to about 1e-4."""
    problem = replace(make_problem("fin_range", {"least": "100"}), accuracy=2e-3)
    return train(problem, ps.Method(hidden=(10, 10)), seed=0)


@pytest.fixture(scope="module")
def flow(families) -> ps.Solution:
    """Kovasznay flows, hardly trained."""
    method = ps.Method(hidden=(8, 8), points=ps.PointCounts(60, 48), max_steps=3)
    return train(families.kovasznay(), method).solution


def test_it_is_right_at_values_that_were_never_chosen(fin: Trained) -> None:
    for h in np.random.default_rng(7).uniform(100.0, 500.0, 6):
        errors = exact_errors(fin.solution.given(coefficient=float(h)), seed=5)
        assert errors["temperature"] < 2e-3


def test_given_and_at_agree_bitwise(fin: Trained) -> None:
    solution = fin.solution
    for h in (100.0, 234.5, 500.0):
        view = solution.given(coefficient=h)
        at = solution.at(X, coefficient=h).temperature
        assert np.array_equal(view.at(X).temperature, at)
        assert np.array_equal(solution.at(X, coefficient=np.full(40, h)).temperature, at)
    mixed = solution.at(X, coefficient=np.linspace(100.0, 500.0, 40)).temperature
    assert mixed[0] == pytest.approx(solution.at(X[:1], coefficient=100.0).temperature[0])
    assert mixed[-1] == pytest.approx(solution.at(X[-1:], coefficient=500.0).temperature[0])


def test_a_given_solution_is_an_ordinary_one(fin: Trained, tmp_path: Path) -> None:
    view = fin.solution.given(coefficient=250.0)
    assert view.problem.ranges == ()
    assert view.verdict is None
    slope = view.gradient("temperature", X)[0, 0]
    assert float(view.outflow("temperature", "left")) == pytest.approx(200.0 * slope)
    (efficiency,) = view.quantities().values()
    m = np.sqrt(2.0 * 250.0 / (200.0 * 0.004))
    q = 250.0 / (m * 200.0)
    s, c = np.sinh(0.05 * m), np.cosh(0.05 * m)
    assert efficiency == pytest.approx((s + q * (c - 1.0)) / (c + q * s) / (0.05 * m), rel=1e-3)
    view.to_vtu(tmp_path / "fin.vtu")
    assert float(view.to_xarray(resolution=5).temperature[0]) == pytest.approx(100.0, abs=0.05)
    assert isinstance(find_reference(view.problem), Reference)


def test_sensitivity_to_a_range_is_a_derivative(families) -> None:
    problem = families.rod(ps.Range("k", 1.0, 2.0))
    solution = train(problem, ps.Method(hidden=(6,), max_steps=2)).solution
    points, step = np.array([[0.3, 1.5]]), 1e-5
    up, down = (solution.at([[0.3]], k=1.5 + d).temperature[0] for d in (step, -step))
    slope = solution.derivative("temperature", points, "k")[0]
    assert slope == pytest.approx((up - down) / (2.0 * step), rel=1e-7)


def test_derived_quantities_take_the_value_at_each_point(families) -> None:
    solution = train(
        families.rod(ps.Range("k", 1.0, 2.0)), ps.Method(hidden=(6,), max_steps=2)
    ).solution
    k = np.array([1.0, 1.5, 2.0])
    points = np.array([[0.2], [0.5], [0.9]])
    slopes = solution.gradient("temperature", np.column_stack((points, k)))
    assert solution.at(points, k=k).heat_flux == pytest.approx(-k[:, None] * slopes, rel=1e-14)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda s: s.at(X), r"depends on coefficient from 100 to 500 .*solution.given\(coeff"),
        (lambda s: s.at(X, coefficient=99.0), "coefficient = 99 lies outside of what was trained"),
        (lambda s: s.at(X, coefficient=[100.0, 200.0]), r"one per point, shape \(40,\)"),
        (lambda s: s.at(X, coeficient=100.0), "Did you mean 'coefficient'"),
        (lambda s: s.given(coefficient=501.0), r"train again with a wider Range\('coefficient'"),
        (lambda s: s.given(coefficient=200.0).at(X, coefficient=200.0), "there is no range"),
        (lambda s: s.average("temperature"), "give a value, solution.given"),
        (lambda s: s.to_vtu("never.vtu"), "give a value, solution.given"),
        (lambda s: s.to_xarray(), "give a value, solution.given"),
        (
            lambda s: s.derivative("temperature", [[0.0, 100.0]], "coefficient"),
            "logarithmic range, which nothing is differentiated by",
        ),
    ],
)
def test_refusals(fin: Trained, use, message) -> None:
    with pytest.raises(ValueError, match=message):
        use(fin.solution)


def test_pressure_has_zero_mean_at_every_value(flow: ps.Solution) -> None:
    assert flow.problem.floating_fields == ("pressure",)
    assert not flow.levels
    points = np.random.default_rng(0).uniform((-0.5, -0.5), (1.0, 1.5), (6, 2))
    re = np.array([20.0, 60.0, 33.3, 20.0, 60.0, 33.3])
    together = flow.at(points, reynolds=re)
    for value in np.unique(re):
        view = flow.given(reynolds=float(value))
        size = np.abs(view.at(points).pressure).max()
        assert abs(float(view.average("pressure"))) < 1e-10 * size
        here = re == value
        assert together.pressure[here] == pytest.approx(view.at(points[here]).pressure, rel=1e-12)
        assert together.stress[here] == pytest.approx(view.at(points[here]).stress, rel=1e-12)


def test_kovasznay_over_reynolds_numbers(families) -> None:
    """A small network, a short run: every value is right, not only the middle."""
    problem = families.kovasznay(ps.Range("reynolds", 30.0, 50.0), accuracy=1e-2)
    method = ps.Method(hidden=(12, 12), points=ps.PointCounts(300, 120), max_steps=50)
    solution = train(problem, method).solution
    for re in (30.0, 37.7, 50.0):
        assert exact_errors(solution.given(reynolds=re), seed=1)["velocity"] < 3e-2


def test_unsteady_with_two_ranges(families) -> None:
    method = ps.Method(hidden=(8, 8), points=ps.PointCounts(60, 32, 32), max_steps=12)
    solution = train(families.cooling_rod(), method).solution
    points = np.array([[0.5, 1.0], [1.0, 2.0]])
    half = solution.given(heat=2.0)
    assert half.problem.frame.axis_names == ("x", "t", "k")
    whole = half.given(k=1.0).at(points).temperature
    assert whole == pytest.approx(solution.at(points, k=1.0, heat=2.0).temperature, rel=1e-13)
    assert whole[1] == pytest.approx(4.0, rel=0.1)


@pytest.mark.parametrize("values", [{}, {"coefficient": 321.0}], ids=["open", "given"])
def test_round_trip(fin: Trained, tmp_path: Path, values: dict[str, float]) -> None:
    solution = fin.solution.given(**values) if values else fin.solution
    solution.save(tmp_path / "fin.h5")
    for again in (
        ps.load(tmp_path / "fin.h5"),
        ps.load(tmp_path / "fin.h5", problem=fin.solution.problem),
    ):
        assert again.network == solution.network
        assert again.scaling.logarithmic == solution.scaling.logarithmic
        assert dict(again.problem.held) == values
        rest = {} if values else {"coefficient": 321.0}
        ours, theirs = (s.at(X, **rest).temperature for s in (solution, again))
        assert np.array_equal(ours, theirs)


def test_a_file_is_not_read_for_another_range_or_value(fin: Trained, tmp_path: Path) -> None:
    fin.solution.save(tmp_path / "open.h5")
    with pytest.raises(ValueError, match="with ranges coefficient from 100 to 500"):
        read_solution(tmp_path / "open.h5", make_problem("fin_range"))
    fin.solution.given(coefficient=150.0).save(tmp_path / "given.h5")
    other = fin.solution.problem.given(coefficient=151.0)
    with pytest.raises(
        ValueError, match=r"solved at coefficient = 150, .* is at coefficient = 151"
    ):
        read_solution(tmp_path / "given.h5", other)
    narrow = make_problem("fin_range", {"least": "200"})
    with pytest.raises(ValueError, match=r"does not fit the problem 'fin_range': .*lies outside"):
        read_solution(tmp_path / "given.h5", narrow)


def test_the_worst_value_decides(fin: Trained) -> None:
    def nothing(problem: ps.Problem) -> NoReference:
        assert not problem.ranges
        return NoReference("not asked for")

    samples = sample_ranges(fin.solution.problem, nothing, seed=3)
    values = [sample.values["coefficient"] for sample in samples]
    assert values[:3] == pytest.approx([np.sqrt(5e4), 100.0, 500.0])
    assert len(values) == 5
    verdict = judge_ranges(fin.solution, fin.system, fin.theta, samples, seed=9)
    worst = max(
        exact_errors(fin.solution.given(coefficient=v), seed=9)["temperature"] for v in values
    )
    (check,) = (c for c in verdict.checks if "exact" in c.name)
    assert check.value == worst
    assert check.name.startswith("temperature against the exact solution at coefficient = ")
    assert verdict.notes == ("no independent reference: not asked for",)
    assert verdict.trusted, str(verdict)


def test_a_lie_at_one_end_is_found(fin: Trained) -> None:
    """A reference over the range that differs by 1 K at the upper end only."""

    def above(points: np.ndarray) -> np.ndarray:
        assert points.shape[1] == 2
        own = fin.solution.at(points[:, :1], coefficient=points[:, 1]).temperature
        return (own + (points[:, 1] > 450.0))[:, None] * np.linspace(1.0, 1.001, len(points))[
            :, None
        ]

    reference = Reference("made up", above, {"temperature": 1e-6}, num_unknowns=1, seconds=0.0)
    problem, method = fin.solution.problem, ps.Method(hidden=(4,), max_steps=2)
    judged = answer(problem, method, reference=reference)
    assert judged.solution.verdict is not None
    assert not judged.solution.verdict.trusted
    assert any("reference at coefficient" in c.name for c in judged.solution.verdict.checks)


def test_references_are_found_at_every_sampled_value(fin: Trained) -> None:
    samples = sample_ranges(fin.solution.problem, find_reference, seed=3)
    for sample in samples:
        assert isinstance(sample.reference, Reference)
    verdict = judge_ranges(fin.solution, fin.system, fin.theta, samples, seed=9)
    assert verdict.trusted, str(verdict)
    assert any("against the reference at coefficient" in c.name for c in verdict.checks)


def test_open_ranges_have_no_reference(families) -> None:
    found = find_reference(families.rod(ps.Range("k", 1.0, 2.0)))
    assert isinstance(found, NoReference)
    assert "k from 1 to 2 is a range; take one value" in found.reason


def test_report_and_result_show_the_range(fin: Trained) -> None:
    solution = fin.solution
    reference = find_reference(solution.middle.problem)
    assert isinstance(reference, Reference)
    values = reference_values(solution, reference)
    assert values.differences["temperature"] < 2e-3
    result = gather(solution, Companions(values, "pinnsolve solve fin_range"))
    document = json.loads(json.dumps(result_document(result)))
    assert document["ranges"][0]["name"] == "coefficient"
    assert document["ranges"][0]["high"] == 500.0
    assert len(document["quantities"]) == 3
    assert document["quantities"][2]["name"].endswith("at coefficient = 500")
    page = report_page(result)
    assert "<h2>Ranges</h2>" in page
    assert "coefficient = 223.6" in page


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_precision(families, precision) -> None:
    method = ps.Method(hidden=(5,), max_steps=2, precision=precision)
    solution = train(families.rod(ps.Range("k", 1.0, 100.0, logarithmic=True)), method).solution
    assert torch.isfinite(solution.parameters).all()
    assert np.isfinite(solution.given(k=3.0).at([[0.5]]).temperature).all()
