"""Problems with exact solutions: smooth ones that features meet, and two that need a trunk."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.training import Trained, train

SQUARE = ps.Rectangle((0.0, 0.0), (1.0, 1.0))

Exact = Callable[[np.ndarray], np.ndarray]


def membrane(accuracy: float = 1e-7) -> ps.Problem:
    """Poisson's equation."""

    def wave(x: ps.Coordinates) -> ps.Jet:
        return ps.sin(math.pi * x.x) * ps.exp(x.y)

    return ps.Problem(
        "membrane",
        SQUARE,
        ps.Heat(1.0, source=lambda x: (math.pi**2 - 1.0) * wave(x)),
        [ps.Dirichlet(part, temperature=wave) for part in SQUARE.parts],
        accuracy=accuracy,
    )


def cooling(accuracy: float = 1e-7) -> ps.Problem:
    """The heat equation."""
    return ps.Problem(
        "cooling",
        ps.Interval(0.0, 1.0),
        ps.Heat(1.0, density=1.0, specific_heat=1.0),
        [
            ps.Dirichlet("left", temperature=0.0),
            ps.Dirichlet("right", temperature=0.0),
            ps.Initial(temperature=lambda x: ps.sin(math.pi * x.x)),
        ],
        time=ps.TimeInterval(0.0, 0.1),
        accuracy=accuracy,
    )


def sound(accuracy: float = 1e-9) -> ps.Problem:
    """Helmholtz's equation, above its first resonances."""

    def wave(x: ps.Coordinates) -> ps.Jet:
        return ps.sin(2.0 * math.pi * x.x) * ps.sin(3.0 * math.pi * x.y)

    def equations(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> ps.Jet:
        return ps.laplacian(f.u) + 60.0 * f.u - (60.0 - 13.0 * math.pi**2) * wave(x)

    return ps.Problem(
        "sound",
        SQUARE,
        ps.CustomPhysics({"u": ()}, equations),
        [ps.Dirichlet(part, u=0.0) for part in SQUARE.parts],
        scales={"u": 1.0},
        accuracy=accuracy,
    )


def star(accuracy: float = 1e-8) -> ps.Problem:
    """``u'' = u^2``, which takes several Newton steps."""

    def equations(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> ps.Jet:
        return f.u.d(0, 0) - f.u**2

    return ps.Problem(
        "star",
        ps.Interval(0.0, 1.0),
        ps.CustomPhysics({"u": ()}, equations),
        [ps.Dirichlet("left", u=6.0), ps.Dirichlet("right", u=1.5)],
        scales={"u": 3.0},
        accuracy=accuracy,
    )


def crack(accuracy: float = 1e-4) -> ps.Problem:
    """Laplace's equation with the solution ``sqrt(r) sin(theta / 2)``: a given value meets no flux."""
    domain = ps.Rectangle((-1.0, 0.0), (1.0, 1.0))

    def root(x: ps.Coordinates) -> ps.Jet:
        return ps.sqrt(0.5 * (ps.sqrt(x.x**2 + x.y**2 + 1e-30) - x.x) + 1e-30)

    return ps.Problem(
        "crack",
        domain,
        ps.Heat(1.0),
        [ps.Dirichlet(part, temperature=root) for part in domain.parts],
        scales={"temperature": 1.0},
        accuracy=accuracy,
    )


def layer(accuracy: float = 1e-4) -> ps.Problem:
    """Poisson's equation with a layer a fiftieth of the domain wide, across the axes."""
    k = 50.0

    def front(x: ps.Coordinates) -> ps.Jet:
        return ps.tanh(k * (x.x + 0.5 * x.y - 0.7))

    return ps.Problem(
        "layer",
        SQUARE,
        ps.Heat(1.0, source=lambda x: 2.5 * k**2 * front(x) * (1.0 - front(x) ** 2)),
        [ps.Dirichlet(part, temperature=front) for part in SQUARE.parts],
        accuracy=accuracy,
    )


EXACT: dict[str, Exact] = {
    "membrane": lambda p: np.sin(np.pi * p[:, 0]) * np.exp(p[:, 1]),
    "cooling": lambda p: np.exp(-(np.pi**2) * p[:, 1]) * np.sin(np.pi * p[:, 0]),
    "sound": lambda p: np.sin(2.0 * np.pi * p[:, 0]) * np.sin(3.0 * np.pi * p[:, 1]),
    "star": lambda p: 6.0 / (p[:, 0] + 1.0) ** 2,
    "crack": lambda p: np.sqrt(0.5 * (np.hypot(p[:, 0], p[:, 1]) - p[:, 0])),
    "layer": lambda p: np.tanh(50.0 * (p[:, 0] + 0.5 * p[:, 1] - 0.7)),
}
SMOOTH = {"membrane": membrane, "cooling": cooling, "sound": sound, "star": star}
ROUGH = {"crack": crack, "layer": layer}


def some_points(problem: ps.Problem) -> np.ndarray:
    lower, upper = (np.asarray(bound) for bound in problem.bounds)
    return lower + (upper - lower) * np.random.default_rng(0).random((2000, len(lower)))


def error(solution: ps.Solution) -> float:
    """Relative L2 error on random points."""
    points = some_points(solution.problem)
    (name,) = solution.problem.field_shapes
    wanted = EXACT[solution.problem.name](points)
    return float(np.linalg.norm(solution.at(points)[name] - wanted) / np.linalg.norm(wanted))


@cache
def grown(name: str, seed: int) -> Trained:
    """A run on a smooth problem with features alone, that several tests look at."""
    return train(SMOOTH[name](), ps.Method(trunk="random"), seed=seed)


@pytest.fixture(scope="session")
def cases() -> SimpleNamespace:
    """``cases.make(name)``, ``cases.grown(name, seed)``, ``cases.error(solution)``, ``cases.points(problem)``."""
    made = {**SMOOTH, **ROUGH}
    return SimpleNamespace(
        make=lambda name, *accuracy: made[name](*accuracy),
        grown=grown,
        error=error,
        points=some_points,
    )
