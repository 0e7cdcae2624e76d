"""Readings with heavy tails from a first guess that is wrong everywhere: T = q x / k, two sensors broken."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

import pinnsolve as ps
from pinnsolve.blocks import PointCounts, make_blocks
from pinnsolve.measurements.likelihood import likelihood_row
from pinnsolve.optimise import ReducedNewton
from pinnsolve.optimise.graduated import approached
from pinnsolve.scaling import find_scaling
from pinnsolve.training.feature_layers import smooth_features
from pinnsolve.training.feature_systems import smooth_weights, system_on

PLACES = np.linspace(0.1, 1.0, 10)
SIGMA, TRUTH, FLUX = 0.3, 4.0, 600.0


def readings(seed: int) -> np.ndarray:
    """Return readings between 15 K and 150 K; the broken ones are 100 and 200 sigma off."""
    noise = np.random.default_rng(seed).normal(size=len(PLACES))
    noise[[2, 7]] += [100.0, -200.0]
    return FLUX * PLACES / TRUTH + SIGMA * noise


def best(kind: str, values: np.ndarray) -> float:
    """Return the most likely conductivity, the field being exact."""

    def negative_log_likelihood(k: float) -> float:
        ratio = torch.from_numpy((FLUX * PLACES / k - values) / SIGMA)
        return float(0.5 * likelihood_row(kind, ratio).square().sum())

    return float(minimize_scalar(negative_log_likelihood, bounds=(3.8, 4.2), method="bounded").x)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("kind", ["student", "huber"])
@pytest.mark.parametrize("initial", [1.0, 60.0])
def test_it_leads_to_the_most_likely_unknown(kind, initial, seed) -> None:
    values = readings(seed)
    data = ps.Measurements(PLACES[:, None], {"temperature": values}, sigma=SIGMA, likelihood=kind)
    k = ps.Unknown("k", initial, bounds=(0.1, 100.0))
    ends = [ps.Dirichlet("left", temperature=0.0), ps.Neumann("right", temperature=-FLUX)]
    problem = ps.Problem("rod", ps.Interval(0.0, 1.0), ps.Heat(k), ends, measurements=data)
    scaling = find_scaling(problem, make_blocks(problem, PointCounts(50, 2), seed=0))
    network = smooth_features(problem, 30, torch.ones(1, dtype=torch.float64), seed=0)
    weights = smooth_weights(problem, scaling, seed=0)
    system = system_on(problem, network, scaling, weights, seed=0).tabulated()
    theta = torch.zeros(system.num_parameters, dtype=torch.float64)
    theta[-1] = k.start
    near = approached(system, theta)
    found = best(kind, values)
    assert float(k.value(near[-1])) == pytest.approx(found, rel=1e-3)
    state = ReducedNewton().init(system, near)
    for _ in range(20):
        state = ReducedNewton().step(system, state)
    assert float(k.value(state.theta[-1])) == pytest.approx(found, rel=1e-4)


def test_normal_noise_needs_no_approach() -> None:
    data = ps.Measurements([[0.5]], {"temperature": [75.0]}, sigma=SIGMA)
    k = ps.Unknown("k", 1.0, bounds=(0.1, 100.0))
    ends = [ps.Dirichlet("left", temperature=0.0), ps.Neumann("right", temperature=-FLUX)]
    problem = ps.Problem("rod", ps.Interval(0.0, 1.0), ps.Heat(k), ends, measurements=data)
    scaling = find_scaling(problem, make_blocks(problem, PointCounts(50, 2), seed=0))
    network = smooth_features(problem, 30, torch.ones(1, dtype=torch.float64), seed=0)
    weights = smooth_weights(problem, scaling, seed=0)
    system = system_on(problem, network, scaling, weights, seed=0)
    theta = torch.zeros(system.num_parameters, dtype=torch.float64)
    assert approached(system, theta) is theta
