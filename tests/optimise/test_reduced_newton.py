"""Gauss-Newton on the unknowns alone, against exact solutions of small problems."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from pinnsolve.problems.inverse.inverse_source import inverse_source

import pinnsolve as ps
from pinnsolve.optimise import ReducedNewton
from pinnsolve.optimise.reduced_newton import doubt_at, part_of
from pinnsolve.problem import Problem
from pinnsolve.residuals import System
from pinnsolve.scaling import find_scaling
from pinnsolve.training.feature_layers import smooth_features
from pinnsolve.training.feature_systems import smooth_weights, system_on
from pinnsolve.training.trunk import scaling_of

PLACES = np.linspace(0.2, 1.0, 5)
SIGMA, TRUTH, FLUX = 0.3, 4.0, 6.0
NOISE = np.random.default_rng(3).normal(size=5)


def rod(conductivity: object, sigma: float = SIGMA) -> Problem:
    """T = q x / k: flux q in at the right, 0 at the left."""
    values = FLUX * PLACES / TRUTH + sigma * NOISE
    data = ps.Measurements(PLACES[:, None], {"temperature": values}, sigma=sigma)
    ends = [ps.Dirichlet("left", temperature=0.0), ps.Neumann("right", temperature=-FLUX)]
    return Problem("rod", ps.Interval(0.0, 1.0), ps.Heat(conductivity), ends, measurements=data)


@cache
def system_of(problem_name: str, sigma: float = SIGMA) -> tuple[Problem, System]:
    prior = ps.Normal(3.0, 0.2) if problem_name == "with prior" else None
    problem = rod(ps.Unknown("k", 1.0, bounds=(0.1, 100.0), prior=prior), sigma)
    from pinnsolve.blocks import PointCounts, make_blocks

    scaling = find_scaling(problem, make_blocks(problem, PointCounts(50, 2), seed=0))
    network = smooth_features(problem, 30, torch.ones(1, dtype=torch.float64), seed=0)
    weights = smooth_weights(problem, scaling, seed=0)
    return problem, system_on(problem, network, scaling, weights, seed=0).tabulated()


def solved(system: System):
    optimiser = ReducedNewton()
    start = [unknown.start for unknown in system.unknowns]
    theta = torch.zeros(system.num_parameters, dtype=torch.float64)
    theta[system.network.num_parameters :] = torch.tensor(start)
    state = optimiser.init(system, theta)
    for _ in range(20):
        state = optimiser.step(system, state)
        if state.converged:
            return state
    raise AssertionError("not converged")


def exact(sigma: float, prior: tuple[float, float] | None) -> tuple[float, float]:
    """The optimum over k of the exact field, and the curvature there, by Gauss-Newton on the formula."""
    values = FLUX * PLACES / TRUTH + sigma * NOISE
    k = 3.5
    for _ in range(50):
        rows = (FLUX * PLACES / k - values) / sigma
        slope = -FLUX * PLACES / k**2 / sigma
        if prior is not None:
            rows, slope = np.append(rows, (k - prior[0]) / prior[1]), np.append(slope, 1 / prior[1])
        k -= float(slope @ rows / (slope @ slope))
    return k, float(slope @ slope) ** -0.5


@pytest.mark.parametrize("sigma", [0.3, 3e-3])
@pytest.mark.parametrize("name", ["without prior", "with prior"])
def test_the_estimate_is_the_optimum_of_the_exact_field(name, sigma) -> None:
    _, system = system_of(name, sigma)
    state = solved(system)
    expected, std = exact(sigma, (3.0, 0.2) if name == "with prior" else None)
    (unknown,) = system.unknowns
    z = float(state.theta[-1])
    assert (
        abs(float(unknown.value(state.theta[-1])) - expected) < 0.01 * std
    )  # it stops where a step would be 0.0045
    assert unknown.slope(z) * state.covariance[0, 0] ** 0.5 == pytest.approx(std, rel=2e-3)


def test_the_field_meets_the_equations_whatever_the_data_say() -> None:
    _, system = system_of("without prior")
    state = solved(system)
    with torch.no_grad():
        left = part_of(system, measured=False).residual(state.theta)
    assert float(left.norm()) < 1e-9


def test_the_share_of_the_data_in_the_loss_does_not_matter() -> None:
    from dataclasses import replace

    _, system = system_of("without prior")
    measured = {block.name for block in system.blocks if block.noise is not None}
    heavy = {k: w * (1e4 if k.block in measured else 1.0) for k, w in system.weights.items()}
    one, other = solved(system), solved(replace(system, weights=heavy))
    torch.testing.assert_close(one.theta[-1], other.theta[-1], rtol=1e-10, atol=0.0)


def test_the_rows_are_parted_whole() -> None:
    _, system = system_of("with prior")
    parts = [part_of(system, measured=which) for which in (True, False)]
    assert sum(part.num_rows for part in parts) == system.num_rows
    assert parts[0].num_rows == 6


def test_an_unknown_that_nothing_tells_stays_and_says_so() -> None:
    """Insulated at the right the rod is cold all over: its conductivity has no effect."""
    data = ps.Measurements(PLACES[:, None], {"temperature": np.ones(5)}, sigma=0.1)
    ends = [ps.Dirichlet("left", temperature=1.0), ps.Insulated("right")]
    k = ps.Unknown("k", 1.0, bounds=(0.1, 100.0))
    problem = Problem(
        "cold",
        ps.Interval(0.0, 1.0),
        ps.Heat(k),
        ends,
        measurements=data,
        scales={"temperature": 1.0},
    )
    scaling = scaling_of(problem, 0)
    network = smooth_features(problem, 30, torch.ones(1, dtype=torch.float64), seed=0)
    system = system_on(problem, network, scaling, smooth_weights(problem, scaling, seed=0), seed=0)
    state = solved(system.tabulated())
    assert float(state.theta[-1]) == pytest.approx(k.start, abs=1e-6)
    assert state.covariance[0, 0] > 1e6


def test_the_doubt_is_the_share_of_the_equations_that_is_not_met() -> None:
    """All that is read for no field, a quarter for half of the field, nothing for the solution."""
    _, system = system_of("without prior")
    theta = solved(system).theta
    physics, data = (part_of(system, measured=which) for which in (False, True))
    count = system.network.num_parameters

    def doubt(share: float) -> float:
        return doubt_at(physics, data, torch.cat((share * theta[:count], theta[count:])))

    nothing = torch.cat((torch.zeros(count, dtype=torch.float64), theta[count:]))
    most = 0.5 * float(data.residual(nothing).square().sum())
    assert doubt(0.0) == pytest.approx(most)
    assert doubt(0.5) == pytest.approx(0.25 * most, rel=1e-6)
    assert doubt(1.0) < 1e-12 * most


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_step_gains_less_misfit_than_doubt(seed: int) -> None:
    """The width of a narrow source is hardly told, and few features follow it badly."""
    problem = inverse_source(noise_seed=seed, unknown_spread=True)
    scaling = scaling_of(problem, 0)
    network = smooth_features(problem, 150, torch.full((2,), 8.0, dtype=torch.float64), seed=seed)
    weights = smooth_weights(problem, scaling, seed=seed)
    system = system_on(problem, network, scaling, weights, seed=seed).tabulated()
    start = torch.tensor([unknown.start for unknown in system.unknowns], dtype=torch.float64)
    optimiser = ReducedNewton()
    state = optimiser.init(
        system, torch.cat((torch.zeros(network.num_parameters, dtype=torch.float64), start))
    )
    for _ in range(12):
        after = optimiser.step(system, state)
        assert after.converged or after.merit < state.merit
        state = after
