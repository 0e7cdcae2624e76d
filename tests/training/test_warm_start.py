"""Warm start: training begins from the fields of another solution, near which Newton's method converges."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.integrate import solve_bvp

import pinnsolve as ps
from pinnsolve.catalogue import make_problem
from pinnsolve.networks import RandomFeatures
from pinnsolve.record import StepRecord
from pinnsolve.solution import component_values
from pinnsolve.training import prepare, train
from pinnsolve.training.feature_layers import features_for
from pinnsolve.training.features import FIRST
from pinnsolve.training.trunk import scaling_of
from pinnsolve.training.warm import (
    fitted_to_network,
    fitted_to_start,
    typical_slopes,
    unit_values,
    warm_parameters,
)

RANDOM = ps.Method(trunk="random")


def troesch(steepness: float) -> ps.Problem:
    """Troesch's problem ``u'' = k sinh(k u)``, u(0) = 0, u(1) = 1: a layer at x = 1, and no help from linearisation."""

    def equations(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> ps.Jet:
        return f.u.d(0, 0) - m.steepness * ps.sinh(m.steepness * f.u)

    return ps.Problem(
        "troesch",
        ps.Interval(0.0, 1.0),
        ps.CustomPhysics({"u": ()}, equations, parameters={"steepness": steepness}),
        [ps.Dirichlet("left", u=0.0), ps.Dirichlet("right", u=1.0)],
        scales={"u": 1.0},
        accuracy=1e-3,
    )


def troesch_error(solution: ps.Solution, steepness: float) -> float:
    """Largest difference to collocation by splines."""
    k, stations = steepness, 1.0 - np.linspace(1.0, 0.0, 200) ** 3
    guess = np.exp(-k * (1.0 - stations))
    exact = solve_bvp(
        lambda x, y: np.stack((y[1], k * np.sinh(k * y[0]))),
        lambda start, end: np.array([start[0], end[0] - 1.0]),
        stations,
        np.stack((guess, k * guess)),
        tol=1e-8,
        max_nodes=100_000,
    )
    points = np.linspace(0.0, 1.0, 400)
    return float(np.abs(solution.at(points[:, None]).u - exact.sol(points)[0]).max())


def bratu(rate: float) -> ps.Problem:
    """``u'' + lambda exp(u) = 0``, which has no solution beyond lambda = 3.5138."""

    def equations(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> ps.Jet:
        return f.u.d(0, 0) + m.rate * ps.exp(f.u)

    return ps.Problem(
        "bratu",
        ps.Interval(0.0, 1.0),
        ps.CustomPhysics({"u": ()}, equations, parameters={"rate": rate}),
        [ps.Dirichlet("left", u=0.0), ps.Dirichlet("right", u=0.0)],
        scales={"u": 1.0},
        accuracy=1e-7,
    )


def hot_rod(hot: float, length: float = 1.0, **options: object) -> ps.Problem:
    """A rod whose conductivity depends on its temperature."""
    return ps.Problem(
        "hot_rod",
        ps.Interval(0.0, length),
        ps.Heat(lambda T, x: 1.0 + 0.01 * T),
        [ps.Dirichlet("left", temperature=20.0), ps.Dirichlet("right", temperature=hot)],
        **{"accuracy": 1e-6, **options},
    )


@cache
def grown_rod() -> ps.Solution:
    return train(hot_rod(100.0), RANDOM).solution


@cache
def trained_rod() -> ps.Solution:
    return train(hot_rod(100.0), ps.Method(hidden=(6, 5), max_steps=15)).solution


def places(problem: ps.Problem) -> torch.Tensor:
    lower, upper = (torch.tensor(bound) for bound in problem.bounds)
    share = torch.rand(50, len(lower), generator=torch.Generator().manual_seed(0)).double()
    return lower + share * (upper - lower)


def test_a_start_is_read_in_the_units_of_the_new_problem() -> None:
    start, problem = grown_rod(), hot_rod(400.0)
    scaling, points = scaling_of(problem, 0), places(problem)
    values = unit_values(start, scaling, points) * scaling.scale + scaling.offset
    np.testing.assert_allclose(
        values.numpy(), component_values(start, points.numpy()), rtol=1e-12, atol=0.0
    )


def test_beyond_its_bounds_the_nearest_value_counts() -> None:
    start, problem = grown_rod(), hot_rod(400.0, length=3.0)
    scaling = scaling_of(problem, 0)
    beyond = torch.tensor([[1.0], [1.5], [3.0]], dtype=torch.float64)
    values = unit_values(start, scaling, beyond) * scaling.scale + scaling.offset
    torch.testing.assert_close(values, torch.full_like(values, 100.0), rtol=1e-5, atol=0.0)


@pytest.mark.parametrize("length", [1.0, 3.0])
def test_slopes_keep_their_length_in_metres(length: float) -> None:
    start = grown_rod()
    assert isinstance(start.network, RandomFeatures)
    slopes = typical_slopes(hot_rod(400.0, length), start, scaling_of(hot_rod(400.0, length), 0))
    assert slopes is not None
    own = start.network.slopes[1:].square().mean(dim=0).sqrt()
    torch.testing.assert_close(slopes, length * own, rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("hot", [100.0, 400.0])
def test_a_network_of_the_same_architecture_starts_with_the_same_fields(hot: float) -> None:
    """Whatever the scales: the head makes up for them."""
    start, problem = trained_rod(), hot_rod(hot)
    method = ps.Method(hidden=(6, 5))
    system, theta = prepare(problem, method, seed=3, start=start)
    assert system.network == start.network
    assert torch.equal(theta[:-6], start.parameters[:-6])
    warm = replace(start, problem=problem, parameters=theta, scaling=system.scaling)
    points = places(problem).numpy()
    np.testing.assert_allclose(
        component_values(warm, points), component_values(start, points), rtol=1e-9
    )


@pytest.mark.parametrize("velocity", ["components", "stream function"])
def test_other_networks_come_near(velocity: str) -> None:
    """With random hidden layers the head alone is fitted, through a transform as well."""
    problem = ps.catalogue.shipped_problem("kovasznay")
    start = train(problem, ps.Method(trunk="random", max_features=800)).solution
    scaling = scaling_of(problem, 0)
    method = ps.Method(velocity=velocity, hidden=(60,))  # type: ignore[arg-type]
    network = method.network_for(problem, scaling)
    drawn = network.initial_parameters(
        torch.Generator().manual_seed(0), dtype=torch.float64, device=torch.device("cpu")
    )
    warm = warm_parameters(problem, network, scaling, start, drawn)
    points = places(problem)
    wanted, unit = unit_values(start, scaling, points), scaling.to_unit(points)
    misfit = [
        float((network.streams(theta, unit, ((),))[0] - wanted).norm() / wanted.norm())
        for theta in (drawn, warm)
    ]
    assert misfit[0] > 0.5
    assert misfit[1] < 0.05


def test_the_trunk_goes_on_from_its_start() -> None:
    start, problem = trained_rod(), hot_rod(110.0)
    method = ps.Method(hidden=(6, 5), max_steps=3)
    warm, cold = (train(problem, method, start=s).solution.record for s in (start, None))
    assert warm.history[0].loss < 1e-2 * cold.history[0].loss


@pytest.mark.parametrize("seed", [2, 3])
def test_newton_converges_from_a_neighbour_where_it_fails_from_nothing(seed: int) -> None:
    cold = train(troesch(10.0), RANDOM, seed=seed).solution
    warm: ps.Solution | None = None
    for steepness in (6.0, 8.0, 10.0):
        warm = train(troesch(steepness), RANDOM, seed=seed, start=warm).solution
    assert warm is not None
    assert warm.status.reason is ps.StopReason.CONVERGED
    assert troesch_error(warm, 10.0) < 2e-3
    assert troesch_error(cold, 10.0) > 0.1


def test_fewer_steps_near_a_fold() -> None:
    start = train(bratu(3.4), RANDOM).solution
    warm, cold = (train(bratu(3.5), RANDOM, start=s).solution for s in (start, None))
    middle = [float(solution.at([[0.5]]).u[0]) for solution in (warm, cold)]
    assert middle == pytest.approx([1.0851589477940] * 2, rel=1e-8)  # 2 ln cosh(theta / 4)
    assert warm.record.num_steps < cold.record.num_steps


def test_growth_takes_over_the_size_of_its_start(cases: SimpleNamespace) -> None:
    """Two stages back, so that the error can be estimated and fewer features may do."""
    start = cases.grown("sound", 0).solution
    less = replace(cases.make("sound"), accuracy=1e-8)
    warm = train(less, RANDOM, start=start).solution
    assert start.record.num_parameters > 2 * FIRST
    assert warm.status.reason is ps.StopReason.CONVERGED
    assert cases.error(warm) < warm.problem.accuracy
    assert warm.record.num_steps < start.record.num_steps


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_several_fields_are_met_with_their_slopes(seed: int) -> None:
    """Where equations hold, right on the boundary too: they see little else than slopes."""
    problem = make_problem("kovasznay", {})
    solved = train(problem, replace(RANDOM, max_features=500), seed=seed)
    old, scaling = solved.system.network, solved.system.scaling
    slope = torch.tensor([1.5, 1.5], dtype=torch.float64)
    new = features_for(problem, 2 * FIRST, slope, scaling, seed=seed + 9)
    new = replace(new, plane_corners=())
    heads = (
        fitted_to_network(old, solved.theta, new, solved.system),
        fitted_to_start(problem, solved.solution, new, scaling, seed=seed),
    )
    places = [block.point_sets[0] for block in solved.system.blocks if block.kind == "boundary"]
    at, slopes = scaling.to_unit(torch.cat(places)), [(0,), (1,)]
    theirs = old.streams(solved.theta, at, slopes)
    ours, values = (float((new.streams(h, at, slopes) - theirs).norm()) for h in heads)
    assert ours < 0.2 * values


def test_a_parametric_solution_is_a_start_at_one_value() -> None:
    conductivity = ps.Range("conductivity", 1.0, 4.0)

    def rod(k: object) -> ps.Problem:
        ends = [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=1.0)]
        return ps.Problem("rod", ps.Interval(0.0, 1.0), ps.Heat(k, source=5.0), ends)

    whole = train(rod(conductivity), RANDOM).solution
    with pytest.raises(ValueError, match=r"over x, conductivity, but 'rod' is over x; give start"):
        train(rod(2.0), RANDOM, start=whole)
    warm = train(rod(2.0), RANDOM, start=whole.given(conductivity=2.1)).solution
    assert float(warm.at([[0.5]]).temperature[0]) == pytest.approx(0.5 + 5.0 / 16.0, abs=1e-5)


def test_a_start_must_have_the_same_fields_and_coordinates(cases: SimpleNamespace) -> None:
    start = grown_rod()
    with pytest.raises(ValueError, match=r"with the fields temperature, but 'star' has u; give"):
        train(cases.make("star"), RANDOM, start=start)
    with pytest.raises(ValueError, match=r"over x, but 'membrane' is over x, y; give one with"):
        ps.solve(cases.make("membrane"), RANDOM, start=start, progress=False)
    broken = replace(start, parameters=torch.full_like(start.parameters, math.nan))
    with pytest.raises(ValueError, match="not finite all over the domain of 'hot_rod'; solve it"):
        train(hot_rod(90.0), RANDOM, start=broken)


class Killed(Exception):  # noqa: N818 - not an error
    """Raised by an observer; training knows nothing of it."""


@pytest.mark.parametrize(
    "method",
    [
        replace(RANDOM, max_seconds=1e4),
        ps.Method(hidden=(5,), max_steps=6, resample_every=3, max_seconds=1e4),
    ],
)
def test_a_killed_run_goes_on_from_the_same_start(method: ps.Method, tmp_path: Path) -> None:
    problem, file = hot_rod(300.0, accuracy=1e-9), tmp_path / "run.h5"
    whole = train(problem, method, start=grown_rod())

    def kill(record: StepRecord) -> None:
        if record.step == 3:
            raise Killed

    with pytest.raises(Killed):
        train(
            problem,
            method,
            start=grown_rod(),
            checkpoint=file,
            checkpoint_seconds=0.0,
            observer=kill,
        )
    other = train(hot_rod(90.0), RANDOM).solution
    for start in (None, other):
        with pytest.raises(ValueError, match=r"another run: the (network of the )?start"):
            train(problem, method, start=start, checkpoint=file)
    again = train(problem, method, start=grown_rod(), checkpoint=file)
    assert torch.equal(again.theta, whole.theta)
    losses = [[s.loss for s in t.solution.record.history] for t in (again, whole)]
    assert losses[0] == losses[1]
