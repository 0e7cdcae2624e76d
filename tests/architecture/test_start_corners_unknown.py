"""Functions of walls at the start where diffusivity and transfer coefficient are to be found."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import special

import pinnsolve as ps
from pinnsolve.architecture import start_corner_functions
from pinnsolve.catalogue import shipped_problem
from pinnsolve.training import train

SEEDS = (0, 1, 2)
RANDOM = ps.Method(trunk="random", max_seconds=300.0)
COLD = ps.Dirichlet("left", temperature=0.0)
EVEN = ps.Insulated("right")
KAPPA = ps.Unknown("kappa", 0.8, bounds=(0.1, 10.0), truth=1.0)


def slab(
    conductivity: object,
    *conditions: ps.Condition,
    data: ps.Measurements | None = None,
    start: object = 1.0,
    accuracy: float = 1e-6,
) -> ps.Problem:
    return ps.Problem(
        "slab",
        ps.Interval(0.0, 1.0),
        ps.Heat(conductivity, 1.0, 1.0),
        [ps.Initial(temperature=start), *conditions],
        time=ps.TimeInterval(0.0, 0.2),
        measurements=data or ps.Measurements([(0.5, 0.1)], {"temperature": [0.9]}, sigma=0.01),
        accuracy=accuracy,
    )


def test_functions_are_those_of_the_values_with_derivatives() -> None:
    known = start_corner_functions(slab(0.5, COLD, EVEN))
    problem = slab(KAPPA, COLD, EVEN)
    found = start_corner_functions(problem, {"kappa": 0.5})
    assert found == (*known, *(replace(f, by_diffusivity=1) for f in known))
    guess = start_corner_functions(slab(0.8, COLD, EVEN))
    assert start_corner_functions(problem)[: len(guess)] == guess


def test_transfer_that_is_sought_has_derivatives_of_its_own() -> None:
    film = ps.Unknown("film", 3.0, bounds=(0.3, 30.0))
    cooled = ps.Convection("left", coefficient=film, ambient=0.0)
    kinds = [
        (f.by_diffusivity, f.by_transfer)
        for f in start_corner_functions(slab(1.0, cooled, EVEN))
        if f.wall == -1.0
    ]
    assert kinds == [(0, False), (0, True)]
    both = {
        (f.by_diffusivity, f.by_transfer) for f in start_corner_functions(slab(KAPPA, cooled, EVEN))
    }
    assert both == {(0, False), (1, False), (0, True)}


def test_other_unknowns_need_no_derivatives() -> None:
    """An unknown flux of zero agrees with the start at first: by chance, so that its functions are there."""
    drawn = ps.Neumann("left", temperature=ps.Unknown("flux", 0.0))
    known = ps.Neumann("left", temperature=1.0)
    sought = start_corner_functions(slab(1.0, drawn, EVEN))
    assert sought == start_corner_functions(slab(1.0, known, EVEN))


def test_none_with_unknown_functions_or_missing_conditions() -> None:
    wall = ps.UnknownFunction("wall", of={"t": (0.0, 0.2)}, num=6)
    moved = ps.Dirichlet("left", temperature=wall)
    assert start_corner_functions(slab(KAPPA, moved, EVEN)) == ()
    assert start_corner_functions(slab(KAPPA, COLD)) == ()


def readings() -> ps.Measurements:
    """A slab from 1 to 0 on the left, soon after the start."""
    rng = np.random.default_rng(0)
    points = np.column_stack((rng.uniform(0.05, 0.5, 20), rng.uniform(0.005, 0.02, 20)))
    return ps.Measurements(points, {"temperature": cooling(points)}, sigma=1e-8)


def cooling(points: np.ndarray) -> np.ndarray:
    """Images of the left wall, the right one insulated."""
    x, t = points.T
    depth = np.sqrt(4.0 * t)
    terms = [
        (-1) ** n * (special.erfc((2 * n + x) / depth) + special.erfc((2 * n + 2 - x) / depth))
        for n in range(6)
    ]
    return np.asarray(1.0 - np.sum(terms, axis=0))


def test_conductivity_of_a_quenched_slab() -> None:
    solution = train(slab(KAPPA, COLD, EVEN, data=readings()), RANDOM, seed=0).solution
    assert solution.status.reason is ps.StopReason.CONVERGED
    assert solution.estimates[0].value == pytest.approx(1.0, abs=1e-6)
    places = [1.0, 0.2] * np.random.default_rng(5).random((400, 2))
    off = solution.at(places).temperature - cooling(places)
    assert float(np.abs(off).max()) < 1e-6


def rod(points: np.ndarray) -> np.ndarray:
    """NAFEMS T3 by its Fourier series: one end follows 100 sin(pi t / 40), the other stays at 0."""
    x, t = points.T
    rate, diffusivity, length = math.pi / 40.0, 35.0 / (7200.0 * 440.5), 0.1
    n = np.arange(1, 4001)[:, None]
    decay = diffusivity * (n * math.pi / length) ** 2
    drive = 200.0 * rate * (-1.0) ** n / (n * math.pi)
    waves = decay * np.cos(rate * t) + rate * np.sin(rate * t) - decay * np.exp(-decay * t)
    moving = drive * waves / (decay**2 + rate**2) * np.sin(n * math.pi * x / length)
    return np.asarray(100.0 * np.sin(rate * t) * x / length + moving.sum(axis=0))


def heat_rod(seed: int, noise: float, accuracy: float) -> ps.Problem:
    """The shipped rod, its conductivity from 20 readings in K."""
    known = shipped_problem("heat_rod")
    rng = np.random.default_rng(seed)
    points = np.column_stack((rng.uniform(0.01, 0.09, 20), rng.uniform(2.0, 32.0, 20)))
    values = rod(points) + noise * rng.standard_normal(20)
    return replace(
        known,
        physics=replace(known.physics, conductivity=ps.Unknown("k", 30.0, bounds=(10.0, 100.0))),
        measurements=ps.Measurements(points, {"temperature": values}, sigma=noise or 1e-6),
        quantities=[],
        accuracy=accuracy,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_conductivity_of_the_heated_rod(seed: int) -> None:
    """3e-4 off without the functions, and growth stalls."""
    solution = train(heat_rod(seed, 0.0, 1e-7), RANDOM, seed=seed).solution
    assert solution.status.reason is ps.StopReason.CONVERGED
    assert solution.estimates[0].value == pytest.approx(35.0, rel=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_heated_rod_from_noisy_readings(seed: int) -> None:
    (found,) = train(heat_rod(seed, 0.1, 1e-5), RANDOM, seed=seed).solution.estimates
    assert abs(found.value - 35.0) < 3.0 * found.std


def test_heated_rod_with_unknown_conductivity_is_trusted() -> None:
    solution = ps.solve(heat_rod(0, 0.1, 1e-4), RANDOM)
    assert solution.verdict is not None
    assert solution.verdict.state == "trusted"


def test_the_neighbour_that_shows_chance_agreement_stays_within_the_bounds() -> None:
    """Beyond phi = 1 the equation is not a number; a guess just below must not be moved across."""
    phi = ps.Unknown("phi", 0.995, bounds=(0.0, 1.0))
    physics = ps.CustomPhysics(
        fields={"c": ()},
        equations=lambda f, x, m: ps.dt(f.c) - (1.0 - m.phi) ** 0.5 * ps.laplacian(f.c),
        parameters={"phi": phi},
    )
    problem = ps.Problem(
        "porous",
        ps.Interval(0.0, 1.0),
        physics,
        [ps.Initial(c=1.0), ps.Dirichlet("left", c=0.0), ps.Dirichlet("right", c=0.0)],
        time=ps.TimeInterval(0.0, 0.2),
        measurements=ps.Measurements([(0.5, 0.1)], {"c": [0.9]}, sigma=0.01),
        accuracy=1e-4,
    )
    for value in (0.995, 0.9999, 0.001):
        found = start_corner_functions(problem, {"phi": value})
        assert (
            len(found) >= 4
        )  # of two walls, with derivatives; and of their images where heat gets that far
        wanted = 0.4 * math.sqrt(1.0 - value)
        assert [f.diffusivity for f in found] == pytest.approx([wanted] * len(found))


def test_a_wall_that_agrees_by_chance_has_the_diffusivity_of_the_guess() -> None:
    flux = ps.Unknown("flux", 0.0, bounds=(-5.0, 5.0))
    problem = slab(KAPPA, ps.Neumann("left", temperature=flux), EVEN)
    found = start_corner_functions(problem)
    plain = [f for f in found if not f.by_diffusivity]
    assert plain
    assert [f.diffusivity for f in plain] == pytest.approx([0.8 * 0.1 / 0.25] * len(plain))
    assert len(found) == 2 * len(plain)
