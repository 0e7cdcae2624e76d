"""The classical rival: least squares and Tikhonov's term on problems whose answer is known, and the table."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pinnsolve.validation.inverse.__main__ import main
from pinnsolve.validation.inverse.cases import CASES, chosen_cases
from pinnsolve.validation.inverse.classical import (
    ClassicalFit,
    GridSize,
    OutOfTimeError,
    fit_functions,
    fit_numbers,
    tikhonov,
    tried,
)
from pinnsolve.validation.inverse.exact import bounds_of, noise_of, readings_of
from pinnsolve.validation.inverse.table import markdown, run_document, table_document
from pinnsolve.validation.inverse.without_boundary import equation_error, with_boundary_functions

from pinnsolve.catalogue import make_problem, shipped_problems


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    "name",
    ["inverse_diffusivity", "inverse_fin", "inverse_source", "inverse_viscosity", "inverse_ring"],
)
def test_exact_models_give_the_truth_within_their_deviation(name: str, seed: int) -> None:
    problem = make_problem(name, {"noise_seed": str(seed)})
    fit, bounds = fit_numbers(problem, None), bounds_of(problem)
    for unknown in problem.unknowns:
        assert unknown.truth is not None
        assert abs(fit.values[unknown.name] - unknown.truth) < 3.0 * bounds[unknown.name]
        assert fit.stds[unknown.name] == pytest.approx(bounds[unknown.name], rel=0.1)


def test_a_grid_gives_what_the_exact_model_gives() -> None:
    problem = make_problem("inverse_diffusivity")
    grid, exact = fit_numbers(problem, GridSize((32,), 64, order=4)), fit_numbers(problem, None)
    (bound,) = bounds_of(problem).values()
    assert grid.values["diffusivity"] == pytest.approx(exact.values["diffusivity"], abs=0.5 * bound)
    assert grid.num_solutions > 3


def test_without_model_or_grid() -> None:
    with pytest.raises(ValueError, match="no exact forward model; give the size of a grid"):
        fit_numbers(make_problem("inverse_wake"), None)


def test_readings_go_point_by_point() -> None:
    problem = make_problem("inverse_viscosity")
    assert problem.measurements is not None
    readings = readings_of(problem)
    assert readings[0] == problem.measurements.values["velocity_x"][0]
    assert readings[1] == problem.measurements.values["velocity_y"][0]
    assert noise_of(problem).shape == readings.shape == (1100,)
    with pytest.raises(ValueError, match="'poisson' has 0 sets of measurements, not one"):
        noise_of(make_problem("poisson"))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_discrepancy_principle_leaves_what_the_noise_explains(seed: int) -> None:
    """Smoothing noisy readings of a sine: the misfit is 1, the curve smooth, and no further off than the readings."""
    draw = np.random.default_rng(seed)
    x = np.linspace(0.0, 1.0, 60)
    truth, sigma = np.sin(2.0 * np.pi * x), 0.1
    data = (truth + sigma * draw.normal(size=60)) / sigma
    rough = np.diff(np.eye(60), n=2, axis=0)
    fit = tikhonov(np.eye(60) / sigma, data, rough)
    assert fit.misfit == pytest.approx(1.0, abs=1e-6)
    assert np.linalg.norm(rough @ fit.values) < 0.05 * np.linalg.norm(rough @ data) * sigma
    assert np.linalg.norm(fit.values - truth) < sigma * np.sqrt(60)


def test_noise_free_straight_lines_cost_nothing() -> None:
    x = np.linspace(0.0, 1.0, 20)
    fit = tikhonov(np.eye(20), 3.0 * x + 1.0, np.diff(np.eye(20), n=2, axis=0))
    np.testing.assert_allclose(fit.values, 3.0 * x + 1.0, atol=1e-6)


def test_modulus_of_a_bar() -> None:
    problem = make_problem("inverse_modulus_bar")
    (case,) = chosen_cases(("inverse_modulus_bar",))
    fit = fit_functions(problem, GridSize((64,)))
    assert case.measures["modulus rel. L2 error"](fit) < 0.05
    assert fit.misfit == pytest.approx(1.0, abs=0.01)


def test_boundary_functions_close_the_problem() -> None:
    from pinnsolve.reference.finite_difference import why_no_grid

    problem = with_boundary_functions(make_problem("flow_reconstruction"), 6)
    assert len(problem.functions) == 8
    assert len(problem.unknowns) == 8 * 6 + 1
    values = {unknown.name: unknown.initial for unknown in problem.unknowns}
    assert why_no_grid(problem.bound(values)) is None


def test_equation_error_finds_a_wake_that_is_hardly_noisy() -> None:
    """To what the spline and the wake's own accuracy leave."""
    problem = make_problem("inverse_wake", {"noise": "1e-4"})
    fit = equation_error(problem, (8, 8, 5))
    assert fit.values["density factor"] == pytest.approx(1.0, rel=0.01)
    assert fit.values["viscosity"] == pytest.approx(0.01, rel=0.01)


def test_every_shipped_inverse_problem_is_a_case() -> None:
    shipped = {
        name
        for name, module in shipped_problems().items()
        if ".inverse." in module and name != "cooling_plate"  # inverse_convection is its twin
    }
    assert {case.problem for case in CASES} == shipped
    for case in CASES:
        declared = case.case(1).declared()
        assert declared.parameters["noise_seed"] == 1
        assert set(case.measures) <= {quantity.name for quantity in declared.quantities}


def test_a_rival_without_time_is_named_in_the_table_with_the_reason() -> None:
    problem = make_problem("inverse_modulus_bar")
    size = GridSize((16,))
    with pytest.raises(OutOfTimeError, match=r"s of CPU time, after 0 forward solutions for 16"):
        fit_functions(problem, size, max_seconds=-1.0)
    fit = tried(lambda problem: fit_functions(problem, size, max_seconds=-1.0), problem)
    assert fit.values == {}
    (case,) = chosen_cases(("inverse_modulus_bar",))
    quantity = {"name": "modulus rel. L2 error", "unit": "", "target": 0.0, "tolerance": 0.1}
    own = {
        "unknowns": [],
        "quantities": [{**quantity, "value": 0.02}],
        "verdict": {"trusted": True},
        "cpu_seconds": 3.0,
        "network": "a network",
    }
    document = table_document([{"name": case.name, "runs": [run_document(case, 2, own, fit)]}], [2])
    said = "No classical fit of `inverse_modulus_bar`, seed 2: not done in"
    assert said in markdown(json.loads(json.dumps(document, allow_nan=False)))


def test_a_rival_that_refuses_says_why() -> None:
    fit = tried(lambda problem: fit_numbers(problem, None), make_problem("inverse_wake"))
    assert "no exact forward model" in fit.missing


def test_unknown_case() -> None:
    with pytest.raises(ValueError, match="Did you mean 'inverse_ring'"):
        chosen_cases(("inverse_rin",))
    with pytest.raises(SystemExit):
        main(["--seeds", "0"])


def test_table_of_one_run(tmp_path: Path) -> None:
    (case,) = chosen_cases(("inverse_ring",))
    unknowns = [
        {"name": "E", "unit": "Pa", "truth": 1.0, "value": 1.009, "std": 0.009},
        {"name": "nu", "unit": "", "truth": 0.3, "value": 0.35, "std": None},
    ]
    own = {
        "unknowns": unknowns,
        "quantities": [],
        "verdict": {"trusted": True},
        "cpu_seconds": 3.0,
        "network": "a network",
    }
    rival = ClassicalFit("by hand", {"E": 1.0, "nu": 0.3}, {"E": 0.01, "nu": 0.03}, seconds=0.5)
    entry = {"name": case.name, "runs": [run_document(case, 0, own, rival)]}
    document = json.loads(json.dumps(table_document([entry], [0]), allow_nan=False))
    first, second = document["cases"][0]["runs"][0]["unknowns"]
    assert first["pinnsolve"]["error_in_bounds"] == pytest.approx(1.0, rel=0.01)
    assert first["pinnsolve"]["std_over_bound"] == pytest.approx(1.0, rel=0.01)
    assert first["pinnsolve"]["interval"] == pytest.approx([0.99136, 1.02664])
    assert second["pinnsolve"]["std"] is None
    lines = markdown(document).splitlines()
    assert [line.startswith("|") for line in lines].count(True) == 4
    assert lines[5].startswith("`bound` is the Cramer-Rao bound of a number at the true values")
    assert "No classical fit" not in lines[-1]
    assert "1.009 ± 0.009" in lines[2]
    assert lines[2].endswith("| classical |")
