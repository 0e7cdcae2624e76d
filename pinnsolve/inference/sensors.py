"""next_sensors(): where another measurement would tell most.

The posterior is ``root xi`` with xi standard normal, so a reading at a candidate place is ``g xi + noise``; whatever it
is, it takes the covariance of xi from 1 to ``(1 + g g^T)^-1``. The square root of that is ``1 - c v v^T`` with
``v = g / |g|`` and ``c = 1 - (1 + |g|^2)^(-1/2)``. Sensors are chosen one after the other (greedy), each with those
before it already in place: the gain of information is submodular, so that this is never far from the best set
(A. Krause, A. Singh & C. Guestrin, "Near-optimal sensor placements in Gaussian processes", J. Mach. Learn. Res. 9
(2008) 235-284).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from pinnsolve.evaluation import Points, as_points
from pinnsolve.naming import near_match_text
from pinnsolve.problem import Problem
from pinnsolve.quantities import Quantity
from pinnsolve.solution import Solution, levelled
from pinnsolve.uncertainty import Posterior, search_values, spread_before

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

_STEP = 1e-2
"""Step of the central differences of a quantity, in standard deviations."""


@dataclass(frozen=True)
class NextSensors:
    """Places for further sensors, the most telling first.

    Attributes:
        candidates: Where sensors could be, shape (N, D).
        chosen: Numbers of the chosen ones in the order of choice, shape (num,).
        names: What is to become more certain: one unknown, one quantity, or all unknowns.
        before: Standard deviations now, shape (G,).
        after: Standard deviations with the first 1, 2 ... sensors in place, shape (num, G).
        gains: By candidate, the fall of the logarithm of the standard deviation (of the volume of the ellipsoid) if it
            were the only one, shape (N,).
    """

    candidates: Array
    chosen: Index
    names: tuple[str, ...]
    before: Array
    after: Array
    gains: Array

    @property
    def points(self) -> Array:
        """The chosen places, shape (num, D)."""
        return self.candidates[self.chosen]

    def __str__(self) -> str:
        """Return one line per sensor."""
        lines = [f"now: {self._stds(self.before)}"]
        for place, stds in zip(self.points, self.after, strict=True):
            where = ", ".join(f"{x:.4g}" for x in place)
            lines.append(f"sensor at ({where}): {self._stds(stds)}")
        return "\n".join(lines)

    def _stds(self, stds: Array) -> str:
        pairs = zip(self.names, stds, strict=True)
        return ", ".join(f"std of {name} {std:.3g}" for name, std in pairs)


def next_sensors(
    solution: Solution,
    candidates: Points,
    *,
    component: str,
    sigma: float,
    num: int = 3,
    goal: str | None = None,
) -> NextSensors:
    """Return the places where further sensors would tell most about the unknowns.

    Args:
        solution: A solution of a problem with measurements.
        candidates: Where sensors could be (and when they could be read), shape (N, D).
        component: What they would measure: a field component by name; no derived quantity and no derivative.
        sigma: Standard deviation of their noise, in the unit of the component.
        num: How many are to be chosen; a place may be chosen again.
        goal: The unknown or the quantity of interest that is to become more certain; None is all unknowns together
            (D-optimal: the volume of their ellipsoid).

    Example:
        >>> found = next_sensors(solution, places, component="temperature", sigma=0.5)  # doctest: +SKIP
        >>> found.points, found.before, found.after[-1]  # doctest: +SKIP

    Raises:
        ValueError: If nothing was measured, a candidate lies outside, a name is unknown, or a number is not positive.
    """
    known, problem = solution.posterior, solution.problem
    if known is None:
        raise ValueError(f"problem {problem.name!r} has no measurements to add to; give it some")
    places = as_points(candidates, problem.frame.num_axes)
    _refuse(problem, known, places, component, sigma, num, goal)
    narrow = _held_to_what_was_known(known)
    seen = replace(solution, posterior=narrow).deviations_at(places)
    readings = seen[:, problem.component_names.index(component), :] / sigma
    names, aims = _aims(solution, narrow, goal)
    before, chosen, after = np.linalg.norm(aims, axis=1), [], []
    gains = first = _gains(readings, aims)
    for _ in range(num):
        best = int(np.argmax(gains))
        readings, aims = _with_sensor(readings, aims, readings[best])
        gains = _gains(readings, aims)
        chosen.append(best)
        after.append(np.linalg.norm(aims, axis=1))
    return NextSensors(places, np.array(chosen), names, before, np.array(after), first)


def _gains(readings: Array, aims: Array) -> Array:
    """Return the fall of half the log determinant of ``aims aims^T`` by each candidate, shape (N,)."""
    sizes = np.linalg.norm(aims, axis=1, keepdims=True)
    basis, _ = np.linalg.qr((aims / np.where(sizes > 0.0, sizes, 1.0)).T)
    told = np.sum((readings @ basis) ** 2, axis=1)
    return np.asarray(-0.5 * np.log1p(-told / (1.0 + np.sum(readings**2, axis=1))))


def _with_sensor(readings: Array, aims: Array, reading: Array) -> tuple[Array, Array]:
    """Return candidates and aims with one more sensor in place."""
    square = float(reading @ reading)
    if square == 0.0:
        return readings, aims
    along, shrink = reading / math.sqrt(square), 1.0 - 1.0 / math.sqrt(1.0 + square)
    return (
        readings - shrink * np.outer(readings @ along, along),
        aims - shrink * np.outer(aims @ along, along),
    )


def _aims(solution: Solution, known: Posterior, goal: str | None) -> tuple[tuple[str, ...], Array]:
    """Return what is to become more certain, by the standard normal variables, shape (G, R)."""
    unknowns = known.slopes[:, None] * known.root[known.num_network :]
    if goal is None:
        return known.names, unknowns
    if goal in known.names:
        return (goal,), unknowns[[known.position(goal)]]
    (quantity,) = [q for q in solution.problem.quantities if q.name == goal]
    return (goal,), _slopes_of(quantity, solution, known)[None, :]


def _slopes_of(quantity: Quantity, solution: Solution, known: Posterior) -> Array:
    """Return the derivative of a quantity by the standard normal variables, by central differences, shape (R,)."""
    count = known.num_network
    search = search_values(known.unknowns, [e.value for e in solution.estimates])

    def value(shift: Array) -> float:
        moved = solution.parameters + torch.from_numpy(shift[:count]).to(solution.parameters)
        pairs = zip(solution.estimates, known.values_of(search + shift[count:]), strict=True)
        estimates = tuple(replace(estimate, value=float(v)) for estimate, v in pairs)
        return float(
            quantity.evaluate(levelled(replace(solution, parameters=moved, estimates=estimates)))
        )

    columns = _STEP * known.root.T
    return np.array([(value(c) - value(-c)) / (2.0 * _STEP) for c in columns])


def _held_to_what_was_known(known: Posterior) -> Posterior:
    """Return the posterior, finite: unknowns that the data leave open are held to what was known before."""
    spread = spread_before(known)
    rows = known.root[known.num_network :] / spread[:, None]
    untold = rows[np.linalg.norm(rows, axis=1) > 1.0]
    if not len(untold):
        return known
    _, values, directions = np.linalg.svd(untold, full_matrices=False)
    shrink = 1.0 - 1.0 / np.sqrt(1.0 + values**2)
    root = known.root - (known.root @ directions.T * shrink) @ directions
    return replace(known, root=root)


def _refuse(
    problem: Problem,
    known: Posterior,
    places: Array,
    component: str,
    sigma: float,
    num: int,
    goal: str | None,
) -> None:
    """Refuse what has no answer whatever the arguments first, then argument by argument."""
    if not known.root.size:
        raise ValueError(
            "next_sensors() needs the posterior of method 'laplace', got draws; take solution.posterior as it came"
        )
    goals = [*known.names, *(q.name for q in problem.quantities)]
    if goal is None and not known.names:
        raise ValueError("there are no unknowns; name a quantity of interest as the goal")
    if goal is not None and goal not in goals:
        raise ValueError(f"no unknown or quantity {goal!r}. {near_match_text(goal, goals)}")
    names = problem.component_names
    if component not in names:
        raise ValueError(f"no component {component!r}. {near_match_text(component, names)}")
    if not (math.isfinite(sigma) and sigma > 0.0):
        raise ValueError(f"sigma must be finite and > 0, got {sigma}")
    if num < 1:
        raise ValueError(f"num must be >= 1, got {num}")
    inside = problem.domain.contains(places[:, : problem.domain.dim], 1e-9 * problem.domain.size)
    if problem.time is not None:
        when = places[:, problem.domain.dim]
        inside &= (when >= problem.time.start) & (when <= problem.time.end)
    outside = np.flatnonzero(~inside)
    if outside.size:
        raise ValueError(
            f"candidate {outside[0] + 1} at {places[outside[0]].tolist()} lies outside of the problem"
            f"{f', and {outside.size - 1} more' if outside.size > 1 else ''}; leave it out"
        )
