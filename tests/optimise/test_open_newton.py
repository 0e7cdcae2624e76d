"""Fields that rest on data: the triangle is that of Bayesian linear regression, and its evidence a density."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.networks import MLP
from pinnsolve.optimise.open_newton import (
    OpenNewton,
    fitted_to_data,
    open_triangle,
    stiffness_in,
    with_stiffness,
)
from pinnsolve.optimise.reduced_newton import part_of
from pinnsolve.residuals import RowKey, System
from pinnsolve.training.open_stages import Setting, open_system
from pinnsolve.training.trunk import scaling_of

STIFFNESS, SPREAD = 30.0, 2.0


def membrane(seed: int = 0) -> ps.Problem:
    """A harmonic field, x^2 - y^2, known at 60 places with noise and nowhere else."""
    generator = np.random.default_rng(seed)
    points = generator.uniform(-1.0, 1.0, size=(60, 2))
    values = points[:, 0] ** 2 - points[:, 1] ** 2 + 0.02 * generator.normal(size=60)
    return ps.Problem(
        "membrane",
        ps.Rectangle((-1.0, -1.0), (1.0, 1.0)),
        ps.Heat(1.0),
        [],
        measurements=ps.Measurements(points, {"temperature": values}, sigma=0.02),
        accuracy=1e-3,
    )


def system_of(seed: int = 0) -> System:
    problem = membrane(seed)
    scaling = scaling_of(problem, seed)
    return open_system(problem, scaling, 0, 40, Setting(1.0, STIFFNESS, SPREAD), seed)


def start(system: System) -> torch.Tensor:
    return torch.zeros(system.num_parameters, dtype=torch.float64)


def parts(system: System, theta: torch.Tensor) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows of physics, of unit noise, and of data."""
    found = []
    for measured, factor in ((False, STIFFNESS), (True, 1.0)):
        pairs = list(part_of(system, measured=measured).linearised(theta))
        rows = factor * np.concatenate([r.numpy() for r, _ in pairs])
        found.append((rows, factor * np.concatenate([j.numpy() for _, j in pairs])))
    return found


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_triangle_is_that_of_bayesian_regression(seed: int) -> None:
    system = system_of(seed)
    theta = start(system)
    (q, f), (r, d) = parts(system, theta)
    precision = f.T @ f + d.T @ d + np.eye(len(theta)) / SPREAD**2
    triangle = open_triangle(system, theta)
    np.testing.assert_allclose(triangle.factor.T @ triangle.factor, precision, rtol=1e-9, atol=1e-6)
    mean = -np.linalg.solve(precision, f.T @ q + d.T @ r)
    np.testing.assert_allclose(d @ triangle.step(), d @ mean, atol=1e-6)
    least = 0.5 * sum(float(x @ x) for x in (f @ mean + q, d @ mean + r, mean / SPREAD))
    assert triangle.least == pytest.approx(least, rel=1e-9)


def test_evidence_is_the_density_of_the_readings_given_the_equations() -> None:
    """For weights of mean m and covariance C readings of unit noise are normal about D m with 1 + D C D^T."""
    system = system_of()
    theta = start(system)
    (q, f), (r, d) = parts(system, theta)
    inverse = np.linalg.inv(f.T @ f + np.eye(len(theta)) / SPREAD**2)
    off = r - d @ inverse @ f.T @ q
    spread = np.eye(len(r)) + d @ inverse @ d.T
    expected = -0.5 * (off @ np.linalg.solve(spread, off) + np.linalg.slogdet(spread)[1])
    assert open_triangle(system, theta).log_evidence == pytest.approx(expected, rel=1e-8)


def test_a_linear_problem_takes_one_step() -> None:
    system = system_of()
    state = OpenNewton().init(system, fitted_to_data(system, start(system)))
    state = OpenNewton().step(system, state)
    assert state.accepted
    assert state.converged
    assert state.triangle is not None
    assert state.loss == pytest.approx(state.triangle.least, rel=1e-9)
    again = OpenNewton().step(system, state)
    assert again.loss <= state.loss


def test_a_fit_to_the_readings_leaves_the_equations_out() -> None:
    system = system_of()
    theta = fitted_to_data(system, start(system))
    (_, _), (r, d) = parts(system, start(system))
    mean = -np.linalg.solve(d.T @ d + np.eye(len(theta)) / SPREAD**2, d.T @ r)
    np.testing.assert_allclose(d @ theta.numpy(), d @ mean, atol=1e-6)


def test_many_readings_are_reduced_without_loss() -> None:
    """The triangle of twice the readings is that of readings of half the variance."""
    system = system_of()
    twice = replace(
        system,
        blocks=tuple(
            b if b.noise is None else replace(b, noise=b.noise / 2.0**0.5) for b in system.blocks
        ),
    )
    (_, f), (_, d) = parts(system, start(system))
    expected = f.T @ f + 2.0 * d.T @ d + np.eye(system.num_parameters) / SPREAD**2
    factor = open_triangle(twice, start(system)).factor
    np.testing.assert_allclose(factor.T @ factor, expected, rtol=1e-9, atol=1e-6)


def test_refusals() -> None:
    system = system_of()
    theta = start(system)
    unexpected = replace(system, network=replace(system.network, spread=float("inf")))  # type: ignore[type-var]
    with pytest.raises(ValueError, match=r"need a finite spread .* set RandomFeatures\.spread"):
        open_triangle(unexpected, theta)
    with pytest.raises(ValueError, match="spread must be > 0"):
        replace(system.network, spread=0.0)  # type: ignore[type-var]
    names = [block.name for block in system.blocks if block.noise is not None]
    uneven = {**system.weights, RowKey(names[0], "flux"): 7.0}
    with pytest.raises(ValueError, match="measurements need one weight among them, got"):
        stiffness_in(replace(system, weights=uneven))
    with pytest.raises(TypeError, match="only random features have a spread, got MLP"):
        with_stiffness(replace(system, network=MLP(2, 1, (4,))), 1.0, 1.0)
