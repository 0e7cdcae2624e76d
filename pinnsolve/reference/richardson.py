"""A finite-difference reference with its own error bar, from two or three resolutions.

Orders and error bars follow the grid convergence index: P. J. Roache, "Verification and Validation
in Computational Science and Engineering", 1998; W. L. Oberkampf & C. J. Roy, "Verification and
Validation in Scientific Computing", 2010, section 8.8.3: safety factor 1.25 where three grids show
the formal order, else 3 with the order kept between 0.5 and the formal one.
"""

from __future__ import annotations

import math
import time as clock
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pinnsolve.architecture import is_near_jump, jump_places
from pinnsolve.problem import Problem
from pinnsolve.reference.finite_difference import finite_difference, why_no_grid
from pinnsolve.reference.grid_solution import GridSolution
from pinnsolve.reference.newton import NotConvergedError, NotSolvedError
from pinnsolve.reference.reference import NoReference, Reference
from pinnsolve.reference.stencils import Array

_FORMAL_ORDER = 2
_RATIO = 2.0
_CLEAN = 0.25
_LEAST_ORDER = 0.5
_SAFETY_CLEAN = 1.25
_SAFETY = 3.0
_STEEPEST = 30.0
_ROUNDING = 1e-11
_COARSEST = {1: 24, 2: 16, 3: 6}
_NUM_POINTS = 2000
_MOST_NUMBERS = 4e7

_SMALL = 4000
"""Number of unknowns below which the time does not depend on it."""

_GROWTH = 1.25
"""Exponent of the time of one system in its number of unknowns, in the range where factors are cheap."""


@dataclass(frozen=True)
class Extrapolation:
    """What several resolutions say about one field.

    Attributes:
        factor: The extrapolated value is ``fine + factor (fine - medium)``.
        error: Relative L2 error bar of the extrapolated value.
        order: Observed order of accuracy; nan with two grids or where nothing changes.
    """

    factor: float
    error: float
    order: float


@dataclass(frozen=True, eq=False, repr=False)
class GridValues:
    """A field extrapolated from two grids: maps points (N, D) to all components (N, C).

    Attributes:
        fine: The solution on the finest grid.
        medium: The one on the grid before.
        factors: The extrapolated value is ``fine + factors (fine - medium)``, (C,).
    """

    fine: GridSolution
    medium: GridSolution
    factors: Array

    def __call__(self, points: Array) -> Array:
        """Return the extrapolated values."""
        values = self.fine.evaluate(points)
        return values + self.factors * (values - self.medium.evaluate(points))


def richardson_reference(
    problem: Problem, *, accuracy: float, max_seconds: float
) -> Reference | NoReference:
    """Solve a problem on grids refined by two until the error bar or the time limit is reached.

    Args:
        problem: The declaration, its unknowns bound to numbers (:meth:`Problem.bound`).
        accuracy: Wanted relative L2 error of the reference itself, in every field.
        max_seconds: Wall time limit in s; a grid that would probably exceed it is not tried.

    Returns:
        The reference of the finest grids, or why there is none.

    Raises:
        ValueError: If accuracy or max_seconds is not positive.
    """
    if not (accuracy > 0.0 and max_seconds > 0.0):
        raise ValueError(
            "accuracy and max_seconds must be > 0, "
            f"got accuracy={accuracy} and max_seconds={max_seconds}"
        )
    reason = why_no_grid(problem)
    if reason is not None:
        return NoReference(reason)
    begin = clock.perf_counter()
    points = _comparison_points(problem)
    solutions: list[GridSolution] = []
    samples: list[Array] = []
    trend: dict[str, Extrapolation] = {}
    failure = f"a second resolution would take longer than the {max_seconds:g} s allowed"
    try:
        for solution in _refinements(problem, max_seconds):
            solutions = [*solutions[-2:], solution]
            samples = [solution.evaluate(points), *samples[:2]]
            if len(samples) >= 2:
                trend = compare(samples, problem.field_shapes)
            if len(samples) == 3 and all(item.error <= accuracy for item in trend.values()):
                break
    except (ValueError, NotSolvedError) as error:
        failure = str(error)
    if len(solutions) < 2:
        return NoReference(failure)
    return _reference(problem, solutions, trend, clock.perf_counter() - begin)


def compare(
    samples: Sequence[Array], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, Extrapolation]:
    """Return what two or three resolutions say about each field.

    Args:
        samples: Values (N, C) at common points, finest first, each twice as fine as the next.
        shapes: Field shapes by name.
    """
    sizes = _field_norms(samples[0], shapes)
    # A field that vanishes up to rounding has no relative error.
    floor = _ROUNDING * max(sizes.values()) or 1.0
    result, start = {}, 0
    for name, shape in shapes.items():
        stop = start + math.prod(shape)
        columns = [sample[:, start:stop] / max(sizes[name], floor) for sample in samples]
        result[name] = extrapolation(columns)
        start = stop
    return result


def extrapolation(samples: Sequence[Array]) -> Extrapolation:
    """Return extrapolation and error bar of a field from its values on two or three grids.

    Args:
        samples: Values (N, C) of a field of norm 1, finest grid first.
    """
    fine, medium = samples[:2]
    change = norm(fine - medium)
    factor = 1.0 / (_RATIO**_FORMAL_ORDER - 1.0)
    if change <= _ROUNDING:
        return Extrapolation(0.0, max(_SAFETY * change, _ROUNDING), math.nan)
    if len(samples) == 2:
        return Extrapolation(factor, convergence_index(change, _FORMAL_ORDER, _SAFETY), math.nan)
    coarse = samples[2]
    order = observed_order(change, norm(medium - coarse))
    if abs(order - _FORMAL_ORDER) <= _CLEAN:
        # With the leading term gone, what is left shrinks at least by two from grid to grid, so
        # the last change of the extrapolated values bounds it.
        left = norm((1.0 + factor) * (fine - medium) - factor * (medium - coarse))
        return Extrapolation(factor, max(_SAFETY_CLEAN * left, _ROUNDING), order)
    trusted = min(max(order, _LEAST_ORDER), _FORMAL_ORDER)
    factor = 1.0 / (math.pow(_RATIO, trusted) - 1.0) if order >= 1.0 else 0.0
    return Extrapolation(factor, convergence_index(change, trusted, _SAFETY), order)


def observed_order(
    fine_change: float, coarse_change: float, ratios: tuple[float, float] = (_RATIO, _RATIO)
) -> float:
    """Return the order that three grids show, by ``|f3 - f2| / |f2 - f1| = r^p (s^p - 1) / (r^p - 1)``.

    With equal ratios this is ``p = log(|f3 - f2| / |f2 - f1|) / log r``; otherwise the root is bracketed (the equation
    is that of I. B. Celik et al., "Procedure for estimation and reporting of uncertainty due to discretization in CFD
    applications", J. Fluids Eng. 130 (2008) 078001).

    Args:
        fine_change: ``|f2 - f1|``, f1 on the finest grid.
        coarse_change: ``|f3 - f2|``.
        ratios: Spacing of the medium grid over that of the fine one, r, and of the coarse over the medium one, s.
    """
    if fine_change <= 0.0:
        return math.inf
    if coarse_change <= 0.0:
        return -math.inf
    fine, coarse = ratios
    growth = math.log(coarse_change / fine_change)
    if fine == coarse:
        return growth / math.log(fine)
    from scipy.optimize import brentq

    def excess(order: float) -> float:
        share = math.expm1(order * math.log(coarse)) / -math.expm1(-order * math.log(fine))
        return math.log(share) - growth

    # The root is simple, and the bracket is lopsided so that no trial is at 0, where the share is 0 / 0.
    low, high = -_STEEPEST, 1.01 * _STEEPEST
    if excess(low) > 0.0 or excess(high) < 0.0:
        return -math.inf if excess(low) > 0.0 else math.inf
    return float(brentq(excess, low, high))


def convergence_index(change: float, order: float, safety: float, ratio: float = _RATIO) -> float:
    """Return Roache's grid convergence index ``safety |f2 - f1| / (ratio^order - 1)``."""
    return safety * change / (math.pow(ratio, order) - 1.0)


def norm(values: Array) -> float:
    """Return the root mean square over points of the length of values (N, C)."""
    return float(np.sqrt(np.mean(np.sum(values**2, axis=1))))


def _field_norms(sample: Array, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, float]:
    norms, start = {}, 0
    for name, shape in shapes.items():
        stop = start + math.prod(shape)
        norms[name] = norm(sample[:, start:stop])
        start = stop
    return norms


def _reference(
    problem: Problem,
    solutions: Sequence[GridSolution],
    trend: Mapping[str, Extrapolation],
    seconds: float,
) -> Reference:
    fine, medium = solutions[-1], solutions[-2]
    counts = [math.prod(shape) for shape in problem.field_shapes.values()]
    factors = np.repeat([trend[name].factor for name in problem.field_shapes], counts)

    grids = ", ".join(_grid_text(solution) for solution in solutions)
    return Reference(
        method=f"second-order finite differences on {grids} cells, Richardson extrapolation",
        evaluate=GridValues(fine, medium, factors),
        error={name: item.error for name, item in trend.items()},
        num_unknowns=fine.num_unknowns,
        seconds=seconds,
        note=_note(trend),
    )


def _grid_text(solution: GridSolution) -> str:
    text = "x".join(str(cells) for cells in solution.cells)
    return text if solution.times is None else f"{text} ({len(solution.times) - 1} time steps)"


def _note(trend: Mapping[str, Extrapolation]) -> str:
    """Return the observed orders in words, and a warning where they are not the formal one."""
    known = {name: item.order for name, item in trend.items() if math.isfinite(item.order)}
    if not known:
        return ""
    text = "observed order " + ", ".join(f"{name} {order:.2f}" for name, order in known.items())
    unclean = [name for name, order in known.items() if abs(order - _FORMAL_ORDER) > _CLEAN]
    if not unclean:
        return text
    return (
        f"{text}; {', '.join(unclean)} not of order {_FORMAL_ORDER}, as with singular corners or "
        "grids that are still too coarse: error bar widened"
    )


def _comparison_points(problem: Problem) -> Array:
    """Return quasi-random points inside, none at jumps of a given velocity, and times by the golden ratio, (N, D)."""
    points = problem.domain.sample_interior(_NUM_POINTS, seed=0)
    if problem.time is None:
        return points[~is_near_jump(problem, jump_places(problem), points)]
    share = (0.5 + np.arange(1, len(points) + 1) * 0.6180339887498949) % 1.0
    return np.column_stack((points, problem.time.start + problem.time.duration * share))


def _resolutions(problem: Problem) -> list[tuple[int, ...]]:
    """Return cells per axis, coarsest first: between equal counts and equal spacing."""
    lower, upper = (np.asarray(corner) for corner in problem.domain.bounds)
    lengths = upper - lower
    shares = np.sqrt(lengths / np.prod(lengths) ** (1.0 / len(lengths)))
    base = np.maximum(np.rint(_COARSEST[problem.domain.dim] * shares), 6).astype(int)
    return [tuple(int(n) * 2**level for n in base) for level in range(12)]


def _refinements(problem: Problem, max_seconds: float) -> Iterator[GridSolution]:
    """Yield solutions on finer and finer grids while time and memory allow.

    Coarse grids on which Newton's method fails are skipped.
    """
    begin = clock.perf_counter()
    seconds: list[float] = []
    last: GridSolution | None = None
    failure: NotConvergedError | None = None
    for cells in _resolutions(problem):
        spent = clock.perf_counter() - begin
        if spent + _forecast(problem, cells, seconds) > max_seconds or _too_large(problem, cells):
            break
        try:
            last = _solution(problem, cells, last)
            yield last
        except NotConvergedError as error:
            if last is not None:
                raise
            failure = error
        seconds.append(clock.perf_counter() - begin - spent)
    if last is None and failure is not None:
        raise failure


def _solution(
    problem: Problem, cells: tuple[int, ...], coarser: GridSolution | None
) -> GridSolution:
    """Solve on one grid; steady problems start from the grid before."""
    if problem.time is not None:
        return finite_difference(problem, shape=cells, num_steps=max(cells))
    return finite_difference(problem, shape=cells, guess=coarser)


def _forecast(problem: Problem, cells: tuple[int, ...], seconds: Sequence[float]) -> float:
    """Return how long the next finer grid will take, from the times of those before.

    The factor is the last one seen and half as much again, for factorisations grow faster on finer
    grids, but at least what assembly and time steps alone would cost. On small grids the time hardly
    depends on the number of unknowns.
    """
    if not seconds:
        return 0.0
    dim, steady = problem.domain.dim, problem.time is None
    least = {1: 2.0, 2: 4.0, 3: 12.0}[dim] * (1.0 if steady else 1.5)
    size = math.prod(cells) * len(problem.component_names)
    growth = max(size, _SMALL) / max(size / 2**dim, _SMALL)
    least = min(least, math.pow(growth, _GROWTH) * (1.0 if steady else 2.0))
    seen = 1.5 * seconds[-1] / seconds[-2] if len(seconds) > 1 else least
    return max(least, seen) * seconds[-1]


def _too_large(problem: Problem, cells: tuple[int, ...]) -> bool:
    """Whether the values at all time levels would take too much memory."""
    levels = 1 if problem.time is None else max(cells)
    return math.prod(cells) * levels * len(problem.component_names) > _MOST_NUMBERS
