"""Which walls disagree with the start, from which order on, and what random features make of their functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import optimize, special

import pinnsolve as ps
from pinnsolve.architecture import start_corner_functions
from pinnsolve.architecture.start_corners import diffusion_of
from pinnsolve.catalogue import shipped_problem
from pinnsolve.training import train

SEEDS = (0, 1, 2)
RANDOM = ps.Method(trunk="random")
STEEL = ps.Heat(conductivity=1.0, density=1.0, specific_heat=1.0)
COLD = ps.Dirichlet("left", temperature=0.0)
EVEN = ps.Insulated("right")


def slab(
    *conditions: ps.Condition,
    start: object = 1.0,
    physics: ps.Physics = STEEL,
    end: float = 0.2,
    accuracy: float = 1e-7,
    left: float = 0.0,
) -> ps.Problem:
    (field,) = physics.field_shapes(1)
    return ps.Problem(
        "slab",
        ps.Interval(left, 1.0),
        physics,
        [ps.Initial(**{field: start}), *conditions],
        time=ps.TimeInterval(0.0, end),
        accuracy=accuracy,
    )


def leading(problem: ps.Problem) -> dict[float, int]:
    """Return the lowest m of V_m by wall, images left out; R_m begins like V_(m+1)."""
    found = start_corner_functions(problem)
    return {f.wall: min(f.orders) + (f.transfer is not None) for f in found if abs(f.wall) == 1.0}


def reaction(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> ps.Jet:
    del x
    return ps.dt(f.u) - m.d * ps.laplacian(f.u) - f.u * (1.0 - f.u)


REACTING = ps.CustomPhysics(fields={"u": ()}, equations=reaction, parameters={"d": 0.3})


@pytest.mark.parametrize(
    ("condition", "start", "wanted"),
    [
        (COLD, 1.0, 0),
        (COLD, 0.0, None),
        (COLD, lambda x: x.x * (1.0 - x.x), 2),
        (COLD, lambda x: x.x**2 * (1.0 - x.x) ** 3, 2),
        (COLD, lambda x: x.x**4 * (1.0 - x.x), 4),
        (COLD, lambda x: ps.sin(math.pi * x.x), None),
        (ps.Dirichlet("left", temperature=lambda x: 1.0 + x.t), 1.0, 2),
        (ps.Dirichlet("left", temperature=lambda x: 1.0 + x.t**2), 1.0, 4),
        (ps.Dirichlet("left", temperature=lambda x: ps.exp(-x.t)), lambda x: ps.cos(x.x), None),
        (ps.Neumann("left", temperature=-2.0), 1.0, 1),
        (ps.Neumann("left", temperature=lambda x: x.t), 1.0, 3),
        (ps.Insulated("left"), 1.0, None),
        (ps.Insulated("left"), lambda x: x.x**3, 3),
        (ps.Convection("left", coefficient=2.0, ambient=0.0), 1.0, 1),
        (ps.Convection("left", coefficient=2.0, ambient=1.0), 1.0, None),
        (ps.Convection("left", coefficient=2.0, ambient=lambda x: 1.0 - x.t), 1.0, 3),
    ],
)
def test_lowest_order_is_where_wall_and_start_disagree(
    condition: ps.Condition, start: object, wanted: int | None
) -> None:
    assert leading(slab(condition, EVEN, start=start)).get(-1.0) == wanted


def test_sources_count() -> None:
    """A source warms what a wall holds cold."""
    heated = ps.Heat(1.0, 1.0, 1.0, source=5.0)
    assert leading(slab(COLD, EVEN, start=0.0, physics=heated)) == {-1.0: 2}


def test_other_terms_with_the_field_leave_jumps_only() -> None:
    even = ps.Dirichlet("right", u=1.0)
    assert leading(slab(ps.Dirichlet("left", u=0.0), even, physics=REACTING)) == {-1.0: 0}
    moves = ps.Dirichlet("left", u=lambda x: 1.0 + x.t)
    assert leading(slab(moves, even, physics=REACTING)) == {}


def test_units_do_not_matter() -> None:
    """A slab of 2 mm that is quenched for a second, in K."""
    steel = ps.Heat(conductivity=40.0, density=7800.0, specific_heat=500.0)
    problem = ps.Problem(
        "quench",
        ps.Interval(0.001, 0.003),
        steel,
        [
            ps.Initial(temperature=1100.0),
            ps.Dirichlet("right", temperature=300.0),
            ps.Insulated("left"),
        ],
        time=ps.TimeInterval(5.0, 6.0),
    )
    wall, image = start_corner_functions(problem)
    assert (wall.wall, image.wall) == (1.0, -3.0)
    assert wall.transfer is image.transfer is None
    assert wall.orders == (0, 2, 4, 6, 8)
    assert image.orders == tuple(range(9))
    assert wall.diffusivity == pytest.approx(40.0 / (7800.0 * 500.0) * 0.5 / 0.001**2, rel=1e-12)


def scaled(kind: str, length: float, duration: float) -> ps.Problem:
    """A slab whose Fourier number at the end is 1 / pi^2, whatever its length and the duration."""
    waves = {"agrees": 1.0, "agrees, many waves": 20.0}.get(kind, 0.0)
    decay = waves**2 / duration
    start = 1.0 if kind == "quench" else lambda x: ps.cos(waves * math.pi * x.x / length)
    walls = {
        "quench": [0.0, 0.0],
        "begins to move": [lambda x: 1.0 + x.t / duration, 1.0],
    }.get(kind, [lambda x: ps.exp(-decay * x.t), lambda x: (-1) ** waves * ps.exp(-decay * x.t)])
    parts = zip(("left", "right"), walls, strict=True)
    return ps.Problem(
        kind,
        ps.Interval(0.0, length),
        ps.Heat((length / math.pi) ** 2 / duration, 1.0, 1.0),
        [
            ps.Initial(temperature=start),
            *(ps.Dirichlet(part, temperature=given) for part, given in parts),
        ],
        time=ps.TimeInterval(0.0, duration),
    )


@pytest.mark.parametrize("length", [1e-9, 1e-3, 1e9])
@pytest.mark.parametrize("duration", [1e-9, 1e-2, 1e9])
@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("agrees", {}),
        ("agrees, many waves", {}),
        ("quench", {-1.0: 0, 1.0: 0}),
        ("begins to move", {-1.0: 2}),
    ],
)
def test_scales_of_length_and_time_do_not_matter(
    kind: str, wanted: dict[float, int], length: float, duration: float
) -> None:
    problem = scaled(kind, length, duration)
    assert leading(problem) == wanted
    unit = [(f.wall, f.orders) for f in start_corner_functions(scaled(kind, 1.0, 1.0))]
    assert [(f.wall, f.orders) for f in start_corner_functions(problem)] == unit


def test_rounding_of_high_derivatives_is_no_disagreement() -> None:
    """The sine of a multiple of pi is not quite zero, and its sixth derivative 10^15 times as far from it."""
    cold = ps.Dirichlet("right", temperature=0.0)
    waves = slab(COLD, cold, start=lambda x: ps.sin(100.0 * math.pi * x.x))
    assert start_corner_functions(waves) == ()


@pytest.mark.parametrize(
    ("condition", "wanted", "step"),
    [
        (ps.Neumann("right", temperature=-2.0), 0.0, 2),
        (ps.Convection("right", coefficient=30.0, ambient=0.0), 30.0 / 4.0, 2),
        (ps.Convection("right", coefficient=lambda x: 30.0 + x.t, ambient=0.0), 30.0 / 4.0, 1),
        (
            ps.Radiation("right", emissivity=0.5, ambient=300.0, constant=1e-8),
            0.5e-8 * 4.0 * 600.0**3 / 4.0,
            1,
        ),
    ],
    ids=["flux", "convection", "convection that changes", "radiation"],
)
def test_transfer_is_that_of_the_start(condition: ps.Condition, wanted: float, step: int) -> None:
    """In network units half of the length is one; functions of one transfer coefficient are exact for that one only."""
    even = ps.Insulated("left")
    block = ps.Heat(conductivity=4.0, density=1.0, specific_heat=1.0)
    wall = start_corner_functions(slab(condition, even, start=600.0, physics=block, left=-1.0))[0]
    assert wall.wall == 1.0
    assert wall.transfer == pytest.approx(wanted, rel=1e-12)
    assert wall.orders == tuple(range(0, 9, step))


def test_no_image_where_nothing_reaches_the_other_wall() -> None:
    assert len(start_corner_functions(slab(COLD, EVEN, end=0.01))) == 1
    assert len(start_corner_functions(slab(COLD, EVEN, end=0.2))) == 2


def test_diffusion() -> None:
    found = diffusion_of(slab(COLD, EVEN, physics=ps.Heat(3.0, 2.0, 5.0)))
    assert found is not None
    assert (found.diffusivity, found.alone) == (pytest.approx(0.3, rel=1e-14), True)
    even = ps.Dirichlet("right", u=1.0)
    mixed = diffusion_of(slab(ps.Dirichlet("left", u=0.0), even, physics=REACTING))
    assert mixed is not None
    assert (mixed.diffusivity, mixed.alone) == (pytest.approx(0.3, rel=1e-14), False)


@pytest.mark.parametrize(
    "physics",
    [
        ps.Heat(lambda temperature, x: 1.0 + 0.1 * temperature, 1.0, 1.0),
        ps.Heat(1.0, lambda x: 1.0 + x.x, 1.0),
        ps.Heat(ps.Range("k", 0.5, 2.0), 1.0, 1.0),
    ],
)
def test_none_where_diffusivity_is_no_number(physics: ps.Physics) -> None:
    assert start_corner_functions(slab(COLD, EVEN, physics=physics)) == ()


@pytest.mark.parametrize(
    "name", ["burgers", "allen_cahn", "stefan", "taylor_green", "inverse_heat_flux"]
)
def test_none_in_other_shipped_problems(name: str) -> None:
    assert start_corner_functions(shipped_problem(name)) == ()


def error(
    problem: ps.Problem, seed: int, exact: Callable[[np.ndarray], np.ndarray]
) -> tuple[float, float]:
    """Return the largest errors over the whole time and over its first thousandth."""
    solution = train(problem, RANDOM, seed=seed).solution
    assert solution.status.reason is ps.StopReason.CONVERGED
    lower, upper = problem.bounds
    shares = np.random.default_rng(5).random((600, 2))
    points = lower + (upper - lower) * shares
    early = lower + (upper - lower) * shares * [1.0, 1e-3]
    whole, first = (np.abs(solution.at(p).temperature - exact(p)).max() for p in (points, early))
    return float(whole), float(first)


def quenched(points: np.ndarray) -> np.ndarray:
    """A slab from 1 to 0 on both sides: an error function and its images."""
    x, t = points.T
    depth = np.sqrt(4.0 * t)
    steps = [
        (-1) ** n * 0.5 * (special.erf((x - n) / depth) - special.erf((x - n - 1) / depth))
        for n in range(-6, 7)
    ]
    return np.asarray(np.sum(steps, axis=0))


@cache
def roots(biot: float, number: int) -> np.ndarray:
    """Return the roots of z tan z = Bi."""
    ends = [(n * math.pi, (n + 0.5) * math.pi) for n in range(number)]
    return np.array(
        [optimize.brentq(lambda z: z * math.sin(z) - biot * math.cos(z), *end) for end in ends]
    )


def cooled(points: np.ndarray, biot: float = 1.0) -> np.ndarray:
    """A slab of half thickness 1 in a stream (M. P. Heisler, Trans. ASME 69 (1947) 227-236)."""
    x, t = points.T
    z = roots(biot, 3000)
    weights = 4.0 * np.sin(z) / (2.0 * z + np.sin(2.0 * z))
    return np.asarray(
        [(weights * np.exp(-(z**2) * b) * np.cos(z * a)).sum() for a, b in zip(x, t, strict=True)]
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_quench(seed: int) -> None:
    """Values jump: without the functions growth stalls at a few per cent."""
    problem = slab(COLD, ps.Dirichlet("right", temperature=0.0))
    assert leading(problem) == {-1.0: 0, 1.0: 0}
    assert max(error(problem, seed, quenched)) < 1e-7


@pytest.mark.parametrize(("biot", "seed"), [(1.0, 0), (1.0, 1), (1.0, 2), (100.0, 0)], ids=str)
def test_cooling_slab(biot: float, seed: int) -> None:
    """Fluxes jump. At Bi = 1 and Fo = 0.5 the middle is at 0.772526383, the surface at 0.504521928."""
    assert cooled(np.array([(0.0, 0.5), (1.0, 0.5)])) == pytest.approx(
        [0.772526383, 0.504521928], abs=1e-9
    )
    sides = (ps.Convection(part, coefficient=biot, ambient=0.0) for part in ("left", "right"))
    problem = slab(*sides, left=-1.0, end=0.5)
    assert max(error(problem, seed, partial(cooled, biot=biot))) < 1e-7


@pytest.mark.parametrize("seed", SEEDS)
def test_heated_rod(seed: int) -> None:
    """A value that begins to move: 36.603115959 at 0.08 m after 32 s by the Fourier series."""
    problem = replace(shipped_problem("heat_rod"), accuracy=1e-7)
    solution = train(problem, RANDOM, seed=seed).solution
    assert solution.status.reason is ps.StopReason.CONVERGED
    found = float(solution.at([(0.08, 32.0)]).temperature[0])
    assert found == pytest.approx(36.6031159586, abs=1e-6)
