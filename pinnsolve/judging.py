"""Is the answer right? Checks on what was not trained on, each a number against a limit."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch

from pinnsolve.architecture import is_near_jump, jump_places
from pinnsolve.blocks import Block, PointCounts, interior_block, make_blocks
from pinnsolve.exact_fields import exact_components
from pinnsolve.jets import Coordinates, Fields, Jet, as_jet, component_names
from pinnsolve.judging_data import data_checks, data_notes
from pinnsolve.judging_unknowns import not_identifiable, unknown_checks, unknown_notes
from pinnsolve.multi_index import VALUE
from pinnsolve.problem import Problem
from pinnsolve.reference.reference import NoReference, Reference
from pinnsolve.residuals import RowKey, System, build_system
from pinnsolve.solution import Solution, component_values
from pinnsolve.status import StopReason
from pinnsolve.streams import needed_streams
from pinnsolve.verdict import Check, Verdict

Array = npt.NDArray[np.float64]


def judge(
    solution: Solution,
    system: System,
    theta: torch.Tensor,
    reference: Reference | NoReference,
    *,
    seed: int,
) -> Verdict:
    """Check a solution on fresh points, boundaries, balances, data, and against references.

    Args:
        solution: The solution.
        system: The system it was trained on; its weights make residuals comparable.
        theta: The trained parameters with the unknowns' search variables.
        reference: An independent solution, or why there is none.
        seed: Seed of the fresh points; must differ from the training seed.
    """
    notes = []
    if isinstance(reference, NoReference):
        notes.append(f"no independent reference: {reference.reason}")
    notes += data_notes(solution)
    checks = run_checks(solution, system, theta, seed=seed)
    checks += answer_checks(solution, reference, seed=seed)
    notes += unknown_notes(solution)
    accuracy = solution.problem.accuracy
    return Verdict(tuple(checks), accuracy, tuple(notes), not_identifiable(solution))


def run_checks(
    solution: Solution, system: System, theta: torch.Tensor, *, seed: int
) -> list[Check]:
    """Check the run that made a solution: its residual on fresh points, and that it got to its end.

    Args:
        solution: The solution.
        system: The system it was trained on.
        theta: The trained parameters.
        seed: Seed of the fresh points.
    """
    fresh = _on_fresh_points(solution, system, seed=seed)
    return [
        _overfit_check(fresh, system, theta),
        _terms_check(fresh, theta),
        *_status_checks(solution),
    ]


def answer_checks(
    solution: Solution, reference: Reference | NoReference, *, seed: int
) -> list[Check]:
    """Check what a solution says: given values, balances, reference, exact solution, data, targets.

    Args:
        solution: The solution, its ranges at given values.
        reference: An independent solution, or why there is none.
        seed: Seed of the fresh points.
    """
    problem = solution.problem
    accuracy = problem.accuracy
    checks = _boundary_checks(solution, seed=seed)
    checks += _balance_checks(solution)
    if isinstance(reference, Reference):
        jumps = jump_places(solution.known_problem)
        apart = "; without a twentieth of the region around jumps of the given velocity"
        errors = relative_errors(solution, reference.evaluate, seed=seed, away_from=jumps)
        for name, error in errors.items():
            bar = reference.error[name]
            checks.append(
                Check(
                    f"{name} against the reference",
                    error,
                    max(accuracy, 2.0 * bar),
                    f"reference: {reference.method}, its own error {bar:.1e}{apart if len(jumps) else ''}",
                )
            )
    if problem.exact is not None:
        for name, error in exact_errors(solution, seed=seed).items():
            checks.append(Check(f"{name} against the exact solution", error, accuracy))
    checks += data_checks(solution)
    checks += unknown_checks(solution)
    return checks + _quantity_checks(solution)


def relative_errors(
    solution: Solution,
    evaluate: object,
    *,
    seed: int,
    number: int = 4000,
    away_from: Array | None = None,
) -> dict[str, float]:
    """Return the relative L2 difference per field between a solution and another evaluator.

    Fields whose level nothing determines are compared after removing their mean.

    Args:
        solution: The solution.
        evaluate: Maps points (N, D) to all components (N, C).
        seed: Seed of the points.
        number: How many points.
        away_from: Places (J, D) around which a twentieth of the region's size is left out; None leaves out nothing.
    """
    points = _fresh_points(solution, number, seed)
    if away_from is not None:
        points = points[~is_near_jump(solution.problem, away_from, points)]
    ours = component_values(solution, points)
    theirs = np.asarray(evaluate(points))  # type: ignore[operator]
    return field_differences(solution, ours, theirs)


def exact_errors(solution: Solution, *, seed: int, number: int = 4000) -> dict[str, float]:
    """Return the relative L2 error per field against the problem's exact solution."""
    return relative_errors(
        solution, lambda points: exact_components(solution, points), seed=seed, number=number
    )


def field_differences(solution: Solution, ours: np.ndarray, theirs: np.ndarray) -> dict[str, float]:
    """Return ``|ours - theirs| / |theirs|`` per field from component arrays (N, C)."""
    result, start = {}, 0
    for name, shape in solution.problem.field_shapes.items():
        width = int(np.prod(shape, dtype=int))
        a, b = ours[:, start : start + width], theirs[:, start : start + width]
        if name in solution.problem.floating_fields:
            a, b = a - a.mean(axis=0), b - b.mean(axis=0)
        # a scalar is measured by its variation, so that the zero of its scale does not matter
        size = np.linalg.norm(b - b.mean(axis=0) if shape == () else b)
        difference = np.linalg.norm(a - b)
        typical = float(solution.scaling.scale[start]) * np.sqrt(a.size)
        scale = size if size > 1e-9 * typical else typical
        result[name] = float(difference / scale)
        start += width
    return result


def _fresh_points(solution: Solution, number: int, seed: int) -> np.ndarray:
    return interior_block(solution.problem, number, seed).point_sets[0].numpy()


def _on_fresh_points(solution: Solution, system: System, *, seed: int) -> System:
    """Return the weighted rows on fresh points, without those of data."""
    problem = solution.problem
    counts = PointCounts(2048, 512, 512 if problem.time is not None else 0)
    blocks = tuple(
        b
        for b in make_blocks(problem, counts, seed=seed)
        if b.kind not in ("data", "gauge", "prior")
    )
    return build_system(
        blocks,
        problem.field_shapes,
        problem.frame,
        solution.network,
        system.scaling,
        problem.unknowns,
        weights=system.weights,
    )


def _overfit_check(fresh: System, system: System, theta: torch.Tensor) -> Check:
    """Compare the largest residual of an equation on fresh points with the largest on the training points.

    The rows are in the balanced units of training: an equation that is met better than the others on the training
    points, and as well as the others between them, does no harm.
    """
    with torch.no_grad():
        pairs = _matched(fresh.rows_by_key(theta), system.rows_by_key(theta))
        between, at_points = (
            float(np.max([_upper(rows) * len(rows) ** 0.5 for rows in side]))
            for side in zip(*pairs, strict=True)
        )
    return Check(
        "fresh residual / training residual",
        between / max(at_points, 1e-300),
        10.0,
        "large: the points were overfitted",
    )


def _terms_check(fresh: System, theta: torch.Tensor) -> Check:
    """Compare the residual of each equation inside with the size of its terms."""
    inside = {block.name for block in fresh.blocks if block.kind == "interior"}
    with torch.no_grad():
        rows = fresh.rows_by_key(theta)
    shares = {
        key.equation: float(rows[key].abs().mean() / size.mean().clamp(min=1e-300))
        for key, size in fresh.term_sizes_by_key(theta).items()
        if key.block in inside
    }
    worst = max(shares, key=lambda name: shares[name])
    note = f"{worst}, mean magnitudes; large: not a solution"
    return Check("residual / its terms", shares[worst], _MOST_OF_TERMS, note)


_MOST_OF_TERMS = 0.1
"""Largest residual as a share of its terms. Right answers reach 0.06 next to a corner singularity with few parameters,
wrong branches of nonlinear equations 0.12 and more."""


def _matched(
    fresh: Mapping[RowKey, torch.Tensor], trained: Mapping[RowKey, torch.Tensor]
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(rows, trained[key]) for key, rows in fresh.items() if key in trained]


def _upper(rows: torch.Tensor) -> float:
    """Return the 90th percentile of the magnitudes: blind to the few points next to a singular corner."""
    return float(torch.quantile(rows.abs().to(torch.float64), 0.9))


def _boundary_checks(solution: Solution, *, seed: int) -> list[Check]:
    """Measure given values on fresh boundary and initial points, relative to the size of the field."""
    problem = solution.known_problem
    counts = PointCounts(16, 1024, 512 if problem.time is not None else 0)
    found: dict[str, list[Array]] = {}
    for block in make_blocks(problem, counts, seed=seed):
        if block.kind in ("boundary", "initial") and _gives_values(problem, block):
            for name, rows in solution.block_rows(block).items():
                found.setdefault(name, []).append(rows)
    checks = []
    for name, shape in problem.field_shapes.items():
        given = [np.concatenate(found[c]) for c in component_names({name: shape}) if c in found]
        if given:
            misfit = math.sqrt(sum(float(np.mean(rows**2)) for rows in given))
            value = misfit / _field_size(solution, name)
            checks.append(Check(f"given {name} on the boundary", value, problem.accuracy))
    return checks


def _gives_values(problem: Problem, block: Block) -> bool:
    """Whether a block gives values only, no derivatives."""
    return needed_streams(block, problem.field_shapes, problem.frame, {})[0] == (VALUE,)


def _field_size(solution: Solution, name: str) -> float:
    """Return the root-mean-square variation of a field (about its mean for scalars)."""
    points = _fresh_points(solution, 2000, 12345)
    values = np.asarray(solution.at(points)[name])
    centred = values - values.mean(axis=0) if values.ndim == 1 else values
    size = float(np.sqrt(np.mean(np.sum(np.atleast_2d(centred.T) ** 2, axis=0))))
    return size if size > 0 else 1.0


def _balance_checks(solution: Solution) -> list[Check]:
    """Compare boundary fluxes with sources, relative to the gross flux through the boundary."""
    limit = 10.0 * solution.problem.accuracy
    when = "" if solution.problem.time is None else " halfway through time"
    note = (
        f"(outflow - source) / (flow + source){when}; limit 10 x accuracy, fluxes being derivatives"
    )
    checks = []
    for name in _balance_names(solution):
        net, size = _flux_balance(solution, name)
        if size > 0:
            checks.append(Check(f"{name} balance", net / size, limit, note))
    return checks


def _balance_names(solution: Solution) -> tuple[str, ...]:
    names: list[str] = []

    def law(f: Fields, x: Coordinates, n: Jet) -> Jet:
        del n
        names[:] = list(solution.physics.balances(f, x))
        return as_jet(0.0, x.frame)

    solution.evaluate(_fresh_points(solution, 4, 1), law)
    return tuple(names)


def _flux_balance(solution: Solution, name: str) -> tuple[float, float]:
    """Return |outflow - source| and its scale: what crosses the boundary, plus what is released or stored.

    A tenth of the size of the flux, on the boundary or inside, is the least scale, for closed domains that nothing
    crosses.
    """

    def flux(f: Fields, x: Coordinates, n: Jet) -> Jet:
        del n
        return solution.physics.balances(f, x)[name].flux

    def source(f: Fields, x: Coordinates, n: Jet) -> Jet:
        del n
        return solution.physics.balances(f, x)[name].source

    problem = solution.problem
    time = None if problem.time is None else 0.5 * (problem.time.start + problem.time.end)
    points, _, weights = solution.quadrature(None, time)
    released = solution.evaluate(points, source)
    inside = float(weights @ _size(solution.evaluate(points, flux)) / weights.sum())
    net = -np.tensordot(weights, released, axes=(0, 0))
    scale, least = float(weights @ _size(released)), 0.0
    for part in problem.domain.parts:
        points, normals, weights = solution.quadrature(part, time)
        values = solution.evaluate(points, flux)  # (N, d) or (N, C, d)
        across = np.einsum("n...d,nd->n...", values, normals)
        net = net + np.tensordot(weights, across, axes=(0, 0))
        scale += float(weights @ (_size(across) + 0.1 * _size(values)))
        least += 0.1 * inside * float(weights.sum())
    return float(np.linalg.norm(net)), max(scale, least)


def _size(values: Array) -> Array:
    """Return the magnitude of a scalar, vector or tensor at each point, shape (N,)."""
    return np.asarray(np.sqrt(np.sum(values.reshape(len(values), -1) ** 2, axis=1)))


def _quantity_checks(solution: Solution) -> list[Check]:
    """Hold quantities of interest to their targets, where a tolerance was stated."""
    checks = []
    for quantity in solution.problem.quantities:
        if quantity.target is None or quantity.tolerance is None:
            continue
        size = abs(quantity.target) or 1.0  # a target of zero stands for itself
        note = f"deviation from {quantity.target:g} {quantity.unit}".rstrip()
        try:
            deviation = abs(float(quantity.evaluate(solution)) - quantity.target) / size
        except Exception as error:  # noqa: BLE001 - a user's function must not lose a trained solution
            deviation, note = math.nan, f"could not be evaluated: {type(error).__name__}: {error}"
        checks.append(Check(quantity.name, deviation, quantity.tolerance / size, note))
    return checks


def _status_checks(solution: Solution) -> list[Check]:
    """Never trust a run that did not get to its end."""
    bad = (
        StopReason.INTERRUPTED,
        StopReason.NON_FINITE,
        StopReason.LOST_PROCESS,
        StopReason.OUT_OF_MEMORY,
        StopReason.RUNAWAY,
    )
    broken = solution.status.reason in bad
    return [Check("run was cut short", 1.0, 0.5, solution.status.message)] if broken else []
