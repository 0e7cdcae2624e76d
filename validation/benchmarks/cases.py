"""The cases: which problem, which quantity, at which points, against which truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

import pinnsolve as ps
from pinnsolve.catalogue import shipped_problem
from pinnsolve.naming import near_match_text

from . import truth

Array = npt.NDArray[np.float64]

Evaluate = Callable[[Array], Array]
"""Maps points (N, D) in SI units to the compared columns (N, C)."""

_NUM_POINTS = 2000
_SEED = 20_261_123
"""Seed of the points where errors are measured; no run is trained on them."""

_STRESS = ((0, 0), (1, 1), (0, 1))


@dataclass(frozen=True)
class Case:
    """A benchmark case.

    Attributes:
        name: Its name; also that of the shipped problem.
        title: One line for the figure.
        compared: The field or derived quantity whose relative L2 error is measured.
        source: Where the truth comes from.
        points: Where the error is measured, shape (N, D), SI units.
        truth: The right answer there, shape (N, C).
        parameters: Settings of the shipped problem.
    """

    name: str
    title: str
    compared: str
    source: str
    points: Array
    truth: Array
    parameters: Mapping[str, object] = field(default_factory=dict)

    def problem(self) -> ps.Problem:
        """Return the problem."""
        return shipped_problem(self.name, **self.parameters)

    def values(self, solution: ps.Solution, points: Array) -> Array:
        """Return the compared columns of a solution at points, shape (N, C)."""
        found = np.asarray(solution.at(points)[self.compared])
        if self.compared == "stress":
            return np.stack([found[:, i, j] for i, j in _STRESS], axis=1)
        return found.reshape(len(points), -1)

    def error(self, evaluate: Evaluate) -> float:
        """Return the relative L2 error over all columns.

        Args:
            evaluate: The answer that is measured.
        """
        found = np.asarray(evaluate(self.points), dtype=np.float64)
        return float(np.linalg.norm(found - self.truth) / np.linalg.norm(self.truth))


def _with_exact(name: str, title: str, compared: str) -> Case:
    problem = shipped_problem(name)
    points = _fresh_points(problem)
    width = int(np.prod(problem.field_shapes[compared], dtype=int))  # the first field
    values = truth.exact_fields(problem, points)[:, :width]
    return Case(name, title, compared, "exact solution", points, values)


def _poisson() -> Case:
    return _with_exact("poisson", "Poisson 2-D", "temperature")


def _heat_rod() -> Case:
    points = _fresh_points(shipped_problem("heat_rod"))
    values = truth.rod_temperature(points)
    return Case(
        "heat_rod", "Heated rod, transient", "temperature", "Fourier series", points, values
    )


def _kirsch() -> Case:
    points = _fresh_points(shipped_problem("kirsch"))
    values = truth.kirsch_stress(points, 0.1, 10e6)
    return Case("kirsch", "Plate with a hole, stress", "stress", "exact solution", points, values)


def _kovasznay() -> Case:
    return _with_exact("kovasznay", "Kovasznay flow, Re 40", "velocity")


def _lid_driven_cavity() -> Case:
    found = truth.table("parabolic_ldc_Re100.csv")
    return Case(
        "lid_driven_cavity",
        "Cavity, lid 4x(1 - x), Re 100",
        "velocity",
        "Legendre-Galerkin solution, error 2e-7",
        found[:, :2],
        found[:, 2:],
        {"lid": "parabolic"},
    )


def _burgers() -> Case:
    return _with_exact("burgers", "Burgers, viscosity 0.01/pi", "u")


def _helmholtz() -> Case:
    return _with_exact("helmholtz", "Helmholtz 2-D, waves (1, 4)", "u")


def _allen_cahn() -> Case:
    found = truth.table("allen_cahn.csv")
    return Case(
        "allen_cahn",
        "Allen-Cahn, d = 0.001",
        "u",
        "Chebyshev solution, error 2e-7",
        found[:, :2],
        found[:, 2:],
    )


_CASES: Mapping[str, Callable[[], Case]] = {
    "poisson": _poisson,
    "heat_rod": _heat_rod,
    "kirsch": _kirsch,
    "kovasznay": _kovasznay,
    "lid_driven_cavity": _lid_driven_cavity,
    "burgers": _burgers,
    "helmholtz": _helmholtz,
    "allen_cahn": _allen_cahn,
}

CASE_NAMES = tuple(_CASES)


def case_named(name: str) -> Case:
    """Return a case.

    Raises:
        ValueError: If there is none of that name.
    """
    if name not in _CASES:
        raise ValueError(f"no benchmark case {name!r}. {near_match_text(name, _CASES)}")
    return _CASES[name]()


def _fresh_points(problem: ps.Problem) -> Array:
    """Return points in space and time that no run is trained on, shape (N, D)."""
    points = problem.domain.sample_interior(_NUM_POINTS, seed=_SEED)
    if problem.time is None:
        return np.asarray(points)
    shares = (0.5 + np.arange(1, _NUM_POINTS + 1) * 0.6180339887498949) % 1.0
    return np.column_stack((points, problem.time.start + problem.time.duration * shares))
