"""The classical way: nonlinear least squares over a forward model, with Tikhonov's term for functions.

The forward model is finite differences of the very declaration that the network is trained on, its unknowns bound to
numbers, or the exact solution where the region is no box. Numbers are found by SciPy's ``least_squares``; functions by
Gauss and Newton's method with a penalty on second differences, whose weight is the largest that lets the misfit be what
the noise explains (V. A. Morozov's discrepancy principle, 1966).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

import pinnsolve as ps
from pinnsolve.estimated_functions import EstimatedFunction
from pinnsolve.reference.finite_difference import finite_difference
from pinnsolve.reference.grid_solution import GridSolution
from pinnsolve.unknowns import bind

from .bounds import Forward, bound
from .exact import exact_forward, noise_of, readings, readings_of

Array = npt.NDArray[np.float64]

MAX_SECONDS = 120.0
"""CPU time that a fit over finite differences may take, s: as much as the declarations allow a solution."""


class OutOfTimeError(RuntimeError):
    """The forward model has taken all the time that it was given."""


@dataclass(frozen=True)
class GridSize:
    """How fine the forward model is.

    Attributes:
        cells: Number of cells along each space axis.
        num_steps: Number of time steps; None if steady.
        order: Order of accuracy in space.
    """

    cells: tuple[int, ...]
    num_steps: int | None = None
    order: int = 2


@dataclass(frozen=True)
class ClassicalFit:
    """What the classical way found.

    Attributes:
        method: What was done, in words.
        values: Estimates of the numbers by name.
        stds: Their standard deviations.
        functions: Unknown functions by name, callable as those of a solution are.
        fields: All field components (N, C) at points (N, D), or None.
        misfit: Root-mean-square residual in standard deviations of the noise.
        num_solutions: How many times the forward model was evaluated.
        seconds: CPU time.
        missing: Why there is no fit; empty if there is one.
    """

    method: str
    values: Mapping[str, float]
    stds: Mapping[str, float]
    functions: Mapping[str, Callable[[Array], Array]] = field(default_factory=dict)
    fields: Callable[[Array], Array] | None = None
    misfit: float = float("nan")
    num_solutions: int = 0
    seconds: float = 0.0
    missing: str = ""


@dataclass
class GridForward:
    """Finite differences as a function of the unknowns; Newton's method starts from the solution before.

    Attributes:
        problem: The declaration with its unknowns.
        size: How fine.
        num_solutions: How often it was solved.
        last: The latest solution.
        max_seconds: CPU time after which it is not solved again.
        began: CPU time of the process when it was made.
    """

    problem: ps.Problem
    size: GridSize
    num_solutions: int = 0
    last: GridSolution | None = None
    max_seconds: float = math.inf
    began: float = field(default_factory=time.process_time)

    def __call__(self, values: Array) -> Array:
        """Return what the sensors would read, point by point, shape (M,).

        Args:
            values: The unknowns in the order of the problem's, shape (K,).

        Raises:
            OutOfTimeError: If its time is over.
        """
        if time.process_time() - self.began > self.max_seconds:
            raise OutOfTimeError(
                f"not done in {self.max_seconds:.0f} s of CPU time, after {self.num_solutions} forward solutions "
                f"for {len(values)} unknowns"
            )
        data = readings(self.problem)
        names = [unknown.name for unknown in self.problem.unknowns]
        given = self.problem.bound(dict(zip(names, map(float, values), strict=True)))
        guess = self.last if self.problem.time is None else None
        self.last = finite_difference(
            given,
            shape=self.size.cells,
            num_steps=self.size.num_steps,
            order=self.size.order,
            guess=guess,
        )
        self.num_solutions += 1
        table = self.last.evaluate(data.points)
        columns = [self.problem.component_names.index(name) for name in data.values]
        return np.asarray(table[:, columns].ravel())


def fit_numbers(problem: ps.Problem, size: GridSize | None) -> ClassicalFit:
    """Find the unknown numbers of a problem by nonlinear least squares.

    Args:
        problem: A problem whose unknowns are numbers.
        size: Grid of the forward model; None takes the exact solution.

    Raises:
        ValueError: If there is no exact solution to take.
    """
    from scipy.optimize import least_squares

    began = time.process_time()
    exact = exact_forward(problem) if size is None else None
    grid = GridForward(problem, size, max_seconds=MAX_SECONDS) if size is not None else None
    forward: Forward | None = grid or exact
    if forward is None:
        raise ValueError(f"{problem.name!r} has no exact forward model; give the size of a grid")
    sigma, readings = noise_of(problem), readings_of(problem)
    start = np.array([unknown.initial for unknown in problem.unknowns])
    ends = [unknown.bounds or (-np.inf, np.inf) for unknown in problem.unknowns]
    found = least_squares(
        lambda z: (forward(z) - readings) / sigma,
        start,
        bounds=tuple(np.array(ends).T),
        x_scale=np.abs(start) + (start == 0.0),
        diff_step=1e-4,
        xtol=1e-6,
        ftol=1e-8,
        gtol=1e-8,
    )
    stds = bound(found.jac)
    names = [unknown.name for unknown in problem.unknowns]
    return ClassicalFit(
        method="least_squares over " + ("the exact solution" if size is None else _words(size)),
        values=dict(zip(names, map(float, found.x), strict=True)),
        stds=dict(zip(names, map(float, stds), strict=True)),
        misfit=float(np.sqrt(np.mean(found.fun**2))),
        num_solutions=grid.num_solutions if grid else int(found.nfev),
        seconds=time.process_time() - began,
    )


def fit_functions(
    problem: ps.Problem,
    size: GridSize,
    *,
    num_steps: int = 8,
    tolerance: float = 1e-3,
    max_seconds: float = MAX_SECONDS,
) -> ClassicalFit:
    """Find unknown functions, and numbers besides, by Gauss and Newton's method with Tikhonov's term.

    Args:
        problem: A problem with unknown functions.
        size: Grid of the forward model.
        num_steps: Most steps.
        tolerance: Relative change of the unknowns at which it stops.
        max_seconds: CPU time that the forward model may take.

    Raises:
        OutOfTimeError: If that is not enough.
    """
    began = time.process_time()
    forward = GridForward(problem, size, max_seconds=max_seconds)
    sigma, readings = noise_of(problem), readings_of(problem)
    rough = roughness(problem)
    low, high = np.array([u.bounds or (-np.inf, np.inf) for u in problem.unknowns]).T
    z = np.array([unknown.initial for unknown in problem.unknowns])
    covariance, misfit = np.full((len(z), len(z)), np.nan), np.nan
    for _ in range(num_steps):
        at = forward(z)
        slopes = _slopes(forward, z, at) / sigma[:, None]
        wanted = (readings - at) / sigma + slopes @ z
        fitted = tikhonov(slopes, wanted, rough)
        step = fitted.values - z
        # far steps overshoot, in the exponent of a positive function above all
        z = np.clip(z + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300)), low, high)
        covariance, misfit = fitted.covariance, fitted.misfit
        bent = np.abs(forward(z) - at - sigma * (slopes @ step)).max()
        if bent < 0.01 * sigma.min() or np.linalg.norm(step) < tolerance * np.linalg.norm(z):
            break
    names = [unknown.name for unknown in problem.unknowns]
    values = dict(zip(names, map(float, z), strict=True))
    found = {f.name: EstimatedFunction(bind(f, values)) for f in problem.functions}
    inside = {
        c.name for f in problem.functions for c in f.coefficients if isinstance(c, ps.Unknown)
    }
    stds = dict(zip(names, map(float, np.sqrt(np.diagonal(covariance))), strict=True))
    return ClassicalFit(
        method=f"Gauss-Newton with Tikhonov's term over {_words(size)}",
        values={name: value for name, value in values.items() if name not in inside},
        stds={name: std for name, std in stds.items() if name not in inside},
        functions=found,
        fields=None if forward.last is None else forward.last.evaluate,
        misfit=misfit,
        num_solutions=forward.num_solutions,
        seconds=time.process_time() - began,
    )


def tried(rival: Callable[[ps.Problem], ClassicalFit], problem: ps.Problem) -> ClassicalFit:
    """Return the fit of a rival, or one without values that says why there is none.

    Args:
        rival: Solves a problem the classical way.
        problem: The problem.
    """
    began = time.process_time()
    try:
        return rival(problem)
    except (ValueError, RuntimeError) as error:  # refused, singular, or out of time
        seconds = time.process_time() - began
        return ClassicalFit("none", {}, {}, seconds=seconds, missing=str(error))


def roughness(problem: ps.Problem) -> Array:
    """Return the rows of Tikhonov's term: second differences of every unknown function, shape (R, K).

    Args:
        problem: A problem with unknown functions.
    """
    places = {unknown.name: k for k, unknown in enumerate(problem.unknowns)}
    blocks = []
    for function in problem.functions:
        rows = function.second_differences()
        block = np.zeros((len(rows), len(places)))
        columns = [places[c.name] for c in function.coefficients if isinstance(c, ps.Unknown)]
        block[:, columns] = rows
        blocks.append(block)
    return np.concatenate(blocks)


@dataclass(frozen=True)
class Regularised:
    """The solution of a linear problem with Tikhonov's term.

    Attributes:
        values: The unknowns, shape (K,).
        covariance: Their covariance if the penalty is taken for a prior, shape (K, K).
        weight: Weight of the penalty.
        misfit: Root-mean-square residual; 1 is what the noise explains.
    """

    values: Array
    covariance: Array
    weight: float
    misfit: float


def tikhonov(slopes: Array, data: Array, rough: Array) -> Regularised:
    """Return the smoothest values that explain the data: the largest penalty with a misfit of 1, by bisection.

    Minimises ``|slopes z - data|^2 + weight^2 |rough z|^2``.

    Args:
        slopes: Rows divided by their noise, shape (M, K).
        data: Readings divided by their noise, shape (M,).
        rough: Rows of the penalty, shape (R, K).
    """
    scale = float(np.linalg.norm(slopes) / np.linalg.norm(rough))
    low, high = -8.0, 6.0  # decades of the weight, relative to the balance of both terms
    for _ in range(40):
        middle = 0.5 * (low + high)
        trial = _penalised(slopes, data, rough, scale * 10.0**middle)
        low, high = (middle, high) if trial.misfit < 1.0 else (low, middle)
    return _penalised(slopes, data, rough, scale * 10.0**low)


def _penalised(slopes: Array, data: Array, rough: Array, weight: float) -> Regularised:
    rows = np.concatenate((slopes, weight * rough))
    inverse = np.linalg.pinv(rows, rcond=1e-13)
    values = inverse[:, : len(data)] @ data
    misfit = float(np.sqrt(np.mean((slopes @ values - data) ** 2)))
    return Regularised(values, inverse @ inverse.T, weight, misfit)


def _slopes(forward: Forward, z: Array, at: Array) -> Array:
    """Return the Jacobian by forward differences, shape (M, K): exact but for rounding where the model is linear."""
    step = 1e-4
    columns = []
    for k in range(len(z)):
        moved = z.copy()
        moved[k] += step
        columns.append((forward(moved) - at) / step)
    return np.stack(columns, axis=1)


def _words(size: GridSize) -> str:
    cells = "x".join(map(str, size.cells))
    steps = "" if size.num_steps is None else f", {size.num_steps} time steps"
    return f"finite differences, {cells} cells{steps}, order {size.order}"
