"""Three ways to a posterior: they agree where all is linear; draws show skewness where it is not."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.inference.restarts import moved_by_noise, system_of
from pinnsolve.training import Trained, train

X, LENGTH, SIGMA = np.linspace(0.2, 1.0, 5), 600.0, 0.3
METHOD = ps.Method(hidden=(8,), points=ps.PointCounts(40, 2), max_steps=50)
STD = 4.0 * SIGMA / np.linalg.norm(X)
"""Standard deviation of the flux q of ``T = 100 - q x / 4``."""


def rod(k: object, flux: object, sigma: float = SIGMA) -> ps.Problem:
    noise = np.random.default_rng(5).normal(0.0, sigma, len(X))
    return ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(k),
        [ps.Dirichlet("left", temperature=100.0), ps.Neumann("right", temperature=flux)],
        measurements=ps.Measurements(X[:, None], {"temperature": 100.0 - 150.0 * X + noise}, sigma),
        quantities=[ps.point_value("T(0.5)", "temperature", (0.5,))],
        accuracy=1e-6,
    )


@pytest.fixture(scope="module")
def linear() -> Trained:
    return train(rod(4.0, ps.Unknown("q", 500.0)), METHOD)


def test_draws_of_a_linear_problem_have_its_spread(linear: Trained) -> None:
    known = ps.posterior(linear.solution, "randomise-then-optimise", num=30, seed=1)
    assert known.method == "randomise-then-optimise"
    assert known.samples.shape == (30, 1)
    assert known.std[0] == pytest.approx(STD, rel=3.0 / math.sqrt(58.0))
    assert abs(known.mean[0] - linear.solution.estimates[0].value) < 3.0 * STD / math.sqrt(30.0)
    assert known.bound[0] == pytest.approx(STD, rel=1e-2)


def test_an_ensemble_of_seeds_has_the_same_spread(linear: Trained) -> None:
    known = ps.posterior(linear.solution, "ensemble", num=4, how=METHOD)
    assert len({member.parameters.sum().item() for member in known.members}) == 4
    assert 0.15 * STD < known.std[0] < 2.1 * STD  # 99 % of the standard deviations of four draws


def test_laplace_is_what_the_solution_has(linear: Trained) -> None:
    assert ps.posterior(linear.solution) is linear.solution.posterior


def test_draws_show_skewness_where_laplace_cannot() -> None:
    """1 / k enters linearly: for readings d below 100 every draw is ``600 |x|^2 / (x d)``, skewed for normal d."""
    unknown = ps.Unknown("k", 2.0, bounds=(0.5, 50.0))
    solution = train(rod(unknown, LENGTH, 30.0), METHOD).solution
    known = ps.posterior(solution, "randomise-then-optimise", num=12, seed=0)
    (data,) = solution.problem.data
    system, _ = system_of(solution, seed=0)
    generator = torch.Generator().manual_seed(0)
    exact = []
    for _ in range(12):
        moved = moved_by_noise(system, generator)
        (block,) = (block for block in moved.blocks if block.noise is not None)
        (shift,) = (v.numpy() for n, v in block.data.items() if n != "temperature")
        below = 100.0 - (data.values["temperature"] - shift)
        exact.append(LENGTH * (X @ X) / (below @ X))
    np.testing.assert_allclose(known.samples[:, 0], exact, rtol=5e-3)
    assert np.ptp(exact) > 1.0


def test_refusals(linear: Trained) -> None:
    with pytest.raises(ValueError, match=r"no method 'laplas' for a posterior.*Did you mean 'lapl"):
        ps.posterior(linear.solution, "laplas")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a spread needs num >= 2 draws, got 1"):
        ps.posterior(linear.solution, "ensemble", num=1)
    known = train(
        ps.Problem(
            "rod",
            ps.Interval(0.0, 1.0),
            ps.Heat(1.0),
            [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=1.0)],
        ),
        ps.Method(max_steps=2, hidden=(4,)),
    )
    with pytest.raises(ValueError, match="'rod' has no measurements and no unknowns"):
        ps.posterior(known.solution)


def test_random_features_go_on_with_all_their_equations() -> None:
    """A head of zeros meets whatever is homogeneous, and zero coefficients are smooth: these are rows all the same."""
    function = ps.UnknownFunction("s", of={"x": (0.0, 1.0)}, num=6, scale=1.0, smoothness=0.3)
    problem = ps.Problem(
        "heated",
        ps.Interval(0.0, 1.0),
        ps.Heat(1.0, source=function),
        [ps.Dirichlet("left", temperature=0.0), ps.Insulated("right")],
        measurements=ps.Measurements(X[:, None], {"temperature": X - 0.5 * X**2}, sigma=0.01),
        accuracy=1e-4,
    )
    solution = train(problem).solution
    system, theta = system_of(solution, seed=1)
    assert {key.block for key in system.rows_by_key(theta)} == set(system.block_sizes)
