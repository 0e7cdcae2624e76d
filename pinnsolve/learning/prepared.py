"""A solved problem made ready for its neighbours: the triangle of its least-squares system, kept.

Most of the time of a solve goes into triangularising a Jacobian J. Where a number of the declaration changes, the
Jacobian on the same features and points changes little, and the old triangle R is a good preconditioner: J R^-1 is
nearly orthogonal, so that conjugate gradients for least squares (CGLS; A. Bjorck, "Numerical Methods for Least Squares
Problems", SIAM 1996, section 7.4) need a few products with J instead of a factorisation.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pinnsolve.learning.starts import moved_scaling
from pinnsolve.learning.steps import (
    LinearPart,
    Moved,
    ended,
    linear_part,
    point_counts,
    starts_of_unknowns,
)
from pinnsolve.method import Method
from pinnsolve.optimise.levenberg_marquardt import half_square
from pinnsolve.optimise.orthogonal import Triangle, triangularise
from pinnsolve.optimise.products import products
from pinnsolve.problem import Problem
from pinnsolve.record import StepRecord
from pinnsolve.residuals import RowKey, System
from pinnsolve.scaling import Scaling
from pinnsolve.solution import Solution
from pinnsolve.training.feature_systems import smooth_weights, system_on


@dataclass(frozen=True, eq=False)
class Prepared:
    """A solution with the triangle of its system; fine-tuning from it factorises nothing.

    Attributes:
        solution: The solution, on random features or on a trained network.
        system: Its system, tabulated: 8 bytes for every derivative of every feature at every point.
        triangle: R of its Jacobian with respect to the head.
        seed: Seed of its points.
    """

    solution: Solution
    system: System
    triangle: Triangle
    seed: int

    def __repr__(self) -> str:
        """Say the sizes, not the numbers."""
        return f"Prepared({self.solution.problem.name!r}, {len(self.triangle.right)} parameters)"


def prepare(solution: Solution, *, seed: int = 0) -> Prepared:
    """Return a solution made ready to be fine-tuned for many neighbouring problems.

    It costs one factorisation and ``8 P^2`` bytes, P parameters of the head.

    Args:
        solution: The solution.
        seed: Seed of the points.

    Raises:
        ValueError: If the solution's outputs pass through a transform.
    """
    problem, scaling = solution.problem, moved_scaling(solution, solution.problem)
    part = linear_part(solution, problem, scaling)
    weights = smooth_weights(problem, scaling, seed=seed)
    system = _untabulated(problem, part, scaling, weights, seed=seed).tabulated()
    theta = torch.cat((part.head, starts_of_unknowns(problem, part.head)))
    triangle = triangularise(
        lambda: system.linearised(theta),
        system.num_parameters,
        system.num_rows,
        damping=_DAMPING,
    )
    return Prepared(solution, system, triangle, seed)


def prepared_steps(problem: Problem, start: Prepared, method: Method) -> Iterator[Moved]:
    """Yield Newton steps for the head of a prepared solution's network, each solved by preconditioned CGLS.

    Args:
        problem: What is to be solved.
        start: The prepared solution.
        method: Its limits.

    Raises:
        ValueError: If the equations or the unknowns have other names than those it was prepared for.
    """
    begin, seed = time.perf_counter(), start.seed
    scaling = moved_scaling(start.solution, problem)
    part = linear_part(start.solution, problem, scaling)
    system = _like(start, _untabulated(problem, part, scaling, start.system.weights, seed=seed))
    theta = torch.cat((part.head, starts_of_unknowns(problem, part.head)))
    with torch.no_grad():
        loss = half_square(system.residual(theta))
    first = theta
    most = min(_MAX_STEPS, method.max_steps)
    for step in range(1, most + 1):
        target = theta + _newton_step(system, theta, start.triangle)
        with torch.no_grad():
            reached = half_square(system.residual(target))
        accepted, seconds = reached < loss, time.perf_counter() - begin
        done = step == most or reached > _HARDLY * loss or seconds > method.max_seconds
        if accepted:
            theta, loss = target, reached
        record = StepRecord(step, seconds, loss, math.inf, 0.0, accepted)
        if not done:
            yield Moved(part.network, part.whole(theta), system, theta, record)
            continue
        yield ended(problem, part, system, (first, theta), record, begin, seed=seed)
        return


def _untabulated(
    problem: Problem,
    part: LinearPart,
    scaling: Scaling,
    weights: Mapping[RowKey, float],
    *,
    seed: int,
) -> System:
    counts = point_counts(problem, part.features.num_features)
    return system_on(problem, part.features, scaling, weights, seed=seed, counts=counts)


def _like(start: Prepared, system: System) -> System:
    """Return a system tabulated, with the tables of a prepared one where it is on the same points.

    Raises:
        ValueError: If its equations or unknowns have other names.
    """
    held = start.system
    names = [{key for members in s.chunks for key, _ in members} for s in (held, system)]
    if names[0] != names[1] or len(held.unknowns) != len(system.unknowns):
        other = sorted(f"{key.equation} of {key.block}" for key in names[0] ^ names[1])
        raise ValueError(
            f"prepared for {start.solution.problem.name!r}, whose equations or unknowns are others: "
            f"{', '.join(other) or 'unknowns'}; fine-tune from its solution instead"
        )
    alike = len(held.groups) == len(system.groups) and all(
        a.indices == b.indices and torch.equal(a.unit_points, b.unit_points)
        for a, b in zip(held.groups, system.groups, strict=True)
    )
    return replace(system, tables=held.tables) if alike else system.tabulated()


def _newton_step(system: System, theta: Tensor, triangle: Triangle) -> Tensor:
    """Return the minimiser d (P,) of ``|J d + r|^2`` by CGLS on ``J R^-1``."""
    linear = products(system, theta, system.num_rows)
    found, residual = torch.zeros_like(theta), -linear.rows
    gradient = _solved(triangle, linear.pull(residual), transposed=True)
    direction, size = gradient, float(gradient @ gradient)
    goal = _FORCING**2 * size
    for _ in range(_MAX_PRODUCTS):
        if size <= goal:
            break
        along = _solved(triangle, direction, transposed=False)
        image = linear.push(along)
        share = size / float(image @ image)
        found, residual = found + share * along, residual - share * image
        gradient = _solved(triangle, linear.pull(residual), transposed=True)
        before, size = size, float(gradient @ gradient)
        direction = gradient + (size / before) * direction
    return found


def _solved(triangle: Triangle, right: Tensor, *, transposed: bool) -> Tensor:
    """Return ``R^-1 v`` or ``R^-T v``, R the triangle of the unscaled columns."""
    from scipy.linalg import solve_triangular

    norms, values = triangle.column_norms, right.numpy()
    if transposed:
        found = solve_triangular(triangle.factor, values / norms, trans="T", check_finite=False)
    else:
        found = solve_triangular(triangle.factor, values, check_finite=False) / norms
    return torch.from_numpy(found)


_DAMPING = 1e-11
"""Tikhonov term of the triangle relative to the columns' norms: what R^-1 may blow rounding up by."""

_FORCING = 1e-2
"""Share of the gradient at which a Newton step is solved well enough."""

_MAX_PRODUCTS = 60
"""Most products with J in a Newton step."""

_MAX_STEPS = 8
"""Most Newton steps."""

_HARDLY = 0.5
"""Share of the loss that is left after a step where a further one would gain nothing."""
