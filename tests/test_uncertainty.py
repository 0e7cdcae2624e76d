"""Standard deviations of identified numbers against the linear theory, on rods solved by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.training import Trained, train
from pinnsolve.uncertainty import estimates_of, laplace

FLUX, CONDUCTIVITY, COEFFICIENT, SIGMA = 600.0, 4.0, 8.0, 0.3
SENSORS = np.linspace(0.2, 1.0, 5)[:, None]
METHOD = ps.Method(hidden=(8,), points=ps.PointCounts(40, 2), max_steps=50)
NOISE = np.random.default_rng(5).normal(0.0, 1.0, len(SENSORS))


def measured(temperature: np.ndarray, sigma: object = SIGMA) -> ps.Measurements:
    return ps.Measurements(SENSORS, {"temperature": temperature + NOISE * sigma}, sigma=sigma)


def rod(
    physics: ps.Physics, right: ps.Condition, data: ps.Measurements, left: float = 100.0
) -> ps.Problem:
    ends = [ps.Dirichlet("left", temperature=left), right]
    return ps.Problem("rod", ps.Interval(0.0, 1.0), physics, ends, measurements=data, accuracy=1e-6)


def heated(conductivity: object = None, flux: object = FLUX, sigma: object = SIGMA) -> ps.Problem:
    """``T = 100 - q x / k``: a given outward flux q at the right end, k unknown."""
    k = ps.Unknown("k", 2.0, bounds=(0.5, 50.0)) if conductivity is None else conductivity
    data = measured(100.0 - FLUX * SENSORS[:, 0] / CONDUCTIVITY, sigma)
    return rod(ps.Heat(k), ps.Neumann("right", temperature=flux), data)


def cooled() -> ps.Problem:
    """``T = 100 (1 - h x / (k + h))``: convection to 0 K at the right end, h unknown."""
    share = COEFFICIENT / (CONDUCTIVITY + COEFFICIENT)
    h = ps.Unknown("h", 2.0, bounds=(0.1, 1000.0))
    data = measured(100.0 * (1.0 - share * SENSORS[:, 0]))
    convection = ps.Convection("right", coefficient=h, ambient=0.0)
    return rod(ps.Heat(CONDUCTIVITY), convection, data)


def slope_of_heated(k: float) -> np.ndarray:
    return FLUX * SENSORS[:, 0] / k**2


def slope_of_cooled(h: float) -> np.ndarray:
    return -100.0 * SENSORS[:, 0] * CONDUCTIVITY / (CONDUCTIVITY + h) ** 2


@pytest.fixture(scope="module")
def conduction() -> Trained:
    return train(heated(), METHOD)


@pytest.fixture(scope="module")
def convection() -> Trained:
    return train(cooled(), METHOD)


def misses_by(trained: Trained) -> float:
    """Return how far k is from its least-squares fit, in standard deviations.

    1/k enters linearly, so the fit has a closed form. The equations of a network hold almost, not
    exactly, which may cost a small part of a standard deviation.
    """
    (estimate,) = trained.solution.estimates
    x, data = SENSORS[:, 0], trained.solution.problem.measurements
    assert data is not None
    fit = FLUX * (x @ x) / (x @ (100.0 - data.values["temperature"]))
    return abs(estimate.value - fit) / estimate.std


def test_conductivity_is_the_least_squares_fit(conduction: Trained) -> None:
    assert misses_by(conduction) < 0.1


@pytest.mark.parametrize("share", [0.1, 0.01])
def test_precise_sensors_do_not_bend_the_equations(share: float) -> None:
    """Down to a noise of 2e-5 of the temperature's range: the more precise, the smaller the std."""
    trained = train(heated(sigma=share * SIGMA), replace(METHOD, hidden=(12, 12)))
    assert misses_by(trained) < 0.1


def test_std_of_a_conductivity_is_the_cramer_rao_bound(conduction: Trained) -> None:
    (estimate,) = conduction.solution.estimates
    bound = SIGMA / np.linalg.norm(slope_of_heated(estimate.value))
    assert estimate.std == pytest.approx(bound, rel=1e-3)


def test_std_of_a_convection_coefficient_is_the_cramer_rao_bound(convection: Trained) -> None:
    (estimate,) = convection.solution.estimates
    bound = SIGMA / np.linalg.norm(slope_of_cooled(estimate.value))
    assert estimate.std == pytest.approx(bound, rel=1e-3)
    assert abs(estimate.value - COEFFICIENT) < 3.0 * estimate.std


def test_sensors_of_unequal_noise_weigh_by_it() -> None:
    sigma = SIGMA * np.array([1.0, 3.0, 0.5, 10.0, 2.0])
    (estimate,) = train(heated(sigma=sigma), METHOD).solution.estimates
    bound = 1.0 / np.linalg.norm(slope_of_heated(estimate.value) / sigma)
    assert estimate.std == pytest.approx(bound, rel=1e-3)


def test_std_is_proportional_to_the_noise(conduction: Trained) -> None:
    """At the same parameters, sensors of twice the noise say half as much."""
    (once,) = estimates_of(laplace(conduction.system, conduction.theta))
    blocks = tuple(
        block if block.noise is None else replace(block, noise=2.0 * block.noise)
        for block in conduction.system.blocks
    )
    system = replace(conduction.system, blocks=blocks)
    (twice,) = estimates_of(laplace(system, conduction.theta))
    assert twice.std == pytest.approx(2.0 * once.std, rel=1e-3)
    assert twice.value == once.value


def test_share_of_the_data_in_the_loss_does_not_matter(conduction: Trained) -> None:
    """How strongly a run weighs the data is its own business; the noise is stated."""
    measured_names = {b.name for b in conduction.system.blocks if b.noise is not None}
    weights = {
        key: 0.1 * weight if key.block in measured_names else weight
        for key, weight in conduction.system.weights.items()
    }
    (plain,) = estimates_of(laplace(conduction.system, conduction.theta))
    (lighter,) = estimates_of(
        laplace(replace(conduction.system, weights=weights), conduction.theta)
    )
    assert lighter.std == pytest.approx(plain.std, rel=1e-2)


@pytest.mark.parametrize("regularisation", [1e-12, 1e-10, 1e-8])
def test_regularisation_is_too_small_to_matter(conduction: Trained, regularisation: float) -> None:
    (plain,) = estimates_of(laplace(conduction.system, conduction.theta))
    (other,) = estimates_of(laplace(conduction.system, conduction.theta, ridge=regularisation))
    assert other.std == pytest.approx(plain.std, rel=1e-4)


def test_two_numbers_of_which_only_the_ratio_shows() -> None:
    """``T = 100 - (q / k) x`` says nothing about q and k apart: no finite interval is claimed."""
    problem = heated(
        ps.Unknown("k", 3.0, bounds=(0.5, 50.0)), ps.Unknown("q", 500.0, bounds=(50.0, 5000.0))
    )
    for estimate in train(problem, METHOD).solution.estimates:
        assert estimate.std > 3.0 * estimate.value


def test_two_numbers_that_both_show() -> None:
    """Source and flux: ``T = 100 - q x / k + s (x - x^2 / 2) / k``, linear, with a 2 x 2 covariance."""
    x = SENSORS[:, 0]
    design = np.column_stack((-x, x - 0.5 * x**2)) / CONDUCTIVITY
    data = measured(100.0 + design @ [FLUX, 300.0])
    source, flux = ps.Unknown("s", 200.0, (10.0, 2000.0)), ps.Unknown("q", 500.0, (50.0, 5000.0))
    problem = rod_with_source(source, flux, data)
    found = {e.name: e for e in train(problem, METHOD).solution.estimates}
    covariance = SIGMA**2 * np.linalg.inv(design.T @ design)
    assert found["q"].std == pytest.approx(math.sqrt(covariance[0, 0]), rel=5e-3)
    assert found["s"].std == pytest.approx(math.sqrt(covariance[1, 1]), rel=5e-3)


def rod_with_source(source: ps.Unknown, flux: ps.Unknown, data: ps.Measurements) -> ps.Problem:
    """Return the rod in own physics, where the source may be an unknown."""

    def equation(f: ps.Fields, x: ps.Coordinates, m: object) -> ps.Jet:
        return -CONDUCTIVITY * ps.laplacian(f.temperature) - m.source  # type: ignore[attr-defined]

    physics = ps.CustomPhysics(
        fields={"temperature": ()},
        equations=equation,
        parameters={"source": source},
        fluxes=lambda f, x, m: {"temperature": -CONDUCTIVITY * ps.grad(f.temperature)},
    )
    return rod(physics, ps.Neumann("right", temperature=flux), data)


def test_sensors_that_see_nothing() -> None:
    """All at the end whose temperature is given: whatever k is, they read the same."""
    data = ps.Measurements([[0.0], [0.0]], {"temperature": [100.1, 99.9]}, sigma=SIGMA)
    problem = replace(heated(), measurements=data)
    (estimate,) = train(problem, replace(METHOD, max_steps=100)).solution.estimates
    assert estimate.std > 10.0 * estimate.value


def test_no_measurements_in_the_system_give_no_interval(conduction: Trained) -> None:
    blocks = tuple(replace(block, noise=None) for block in conduction.system.blocks)
    (estimate,) = estimates_of(laplace(replace(conduction.system, blocks=blocks), conduction.theta))
    assert estimate.std == math.inf


def test_a_narrow_interval_is_that_of_a_normal_distribution(conduction: Trained) -> None:
    (estimate,) = conduction.solution.estimates
    low, high = estimate.interval
    assert high - low == pytest.approx(2 * 1.96 * estimate.std, rel=1e-4)
    assert 0.5 * (low + high) == pytest.approx(estimate.value, rel=1e-4)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_boundary_left_to_the_data_widens_the_interval(seed: int) -> None:
    """``T = s x - q x^2 / 2`` with both numbers open: the slope s is a field direction, not an unknown.

    The right end has no condition, so the data settle the slope too; with the slope held, the standard
    deviation of q would be four times smaller than it is.
    """
    x, sigma = np.array([0.2, 0.35, 0.5, 0.65, 0.8]), 0.02
    readings = x - x**2 + np.random.default_rng(seed).normal(0.0, sigma, len(x))
    columns = np.stack((x, -0.5 * x**2), axis=1) / sigma
    covariance = np.linalg.inv(columns.T @ columns)
    estimate = covariance @ columns.T @ (readings / sigma)
    problem = ps.Problem(
        name="open_end",
        domain=ps.Interval(0.0, 1.0),
        physics=ps.Heat(conductivity=1.0, source=ps.Unknown("q", 1.0)),
        conditions=[ps.Dirichlet("left", temperature=0.0)],
        measurements=ps.Measurements(x[:, None], {"temperature": readings}, sigma=sigma),
        scales={"temperature": 1.0},
    )
    (found,) = train(problem, ps.Method(max_steps=60), seed=seed).solution.estimates
    assert found.std == pytest.approx(np.sqrt(covariance[1, 1]), rel=0.05)
    assert abs(found.value - estimate[1]) < 0.2 * found.std
