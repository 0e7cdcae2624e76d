"""Everything that can be wrong with a declaration, found before any training.

Each check is one function; each refusal says what rule is broken, what was got and what to do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from pinnsolve.conditions import Condition, Initial, Interface, Periodic
from pinnsolve.declaration import Declaration
from pinnsolve.determinacy import open_levels, parts_of, rows_on_part
from pinnsolve.geometry import Shape
from pinnsolve.interface_checks import check_interface_materials, check_interface_shape
from pinnsolve.jets import Coordinates, Jet
from pinnsolve.naming import near_match_text
from pinnsolve.physics import Physics
from pinnsolve.physics.physics import evaluate
from pinnsolve.trial import trial_fields
from pinnsolve.trial_points import in_full, values_at
from pinnsolve.unknowns import bind


def check_problem(problem: Declaration) -> None:
    """Check a whole declaration.

    Raises:
        ValueError: At the first broken rule.
    """
    name = problem.name
    if not (isinstance(name, str) and re.fullmatch(r"[^\s./\\][^/\\\x00-\x1f]*", name)):
        raise ValueError(
            f"a problem's name is used for files: no slashes, no dot or space in front, got {name!r}"
        )
    if not isinstance(problem.domain, Shape):
        raise ValueError(f"domain must be a shape, such as Rectangle(...), got {problem.domain!r}")
    if not isinstance(problem.physics, Physics):
        raise ValueError(f"physics must be a Physics, such as Heat(...), got {problem.physics!r}")
    if not (math.isfinite(problem.time_budget) and problem.time_budget > 0):
        raise ValueError(f"time_budget must be finite and > 0 s, got {problem.time_budget}")
    if not 1e-12 < problem.accuracy < 1.0:
        raise ValueError(
            f"accuracy is a relative error between 1e-12 and 1, got {problem.accuracy}"
        )
    _check_ranges(problem)
    problem.physics.check(problem.frame)
    for condition in problem.conditions:
        if not isinstance(condition, Condition):
            raise ValueError(
                f"conditions must be Dirichlet(...), Neumann(...) and the like, got {condition!r}"
            )
    _check_scales(problem)
    _check_parts(problem)
    _check_coverage(problem)
    _check_start(problem)
    _check_measurements(problem)
    with _explained(f"the equations of {type(problem.physics).__name__}"):
        _check_equations(problem)
    for condition in problem.conditions:
        with _explained(condition.label):
            if isinstance(condition, Interface):
                check_interface_materials(problem, condition)
            elif not isinstance(condition, Periodic):
                _check_values(problem, condition)
    with _explained("the exact solution"):
        _check_exact(problem)
    _check_level(problem)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn whatever a user's function raises on made-up fields into a refusal that says how to write it."""
    try:
        yield
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(
            f"{what} cannot be evaluated: {type(error).__name__}: {error}. Given functions take the coordinates "
            "x and are written with x.x, x.y, x.t and ps.sin, ps.exp, ps.where ... (numpy and math do not "
            "know fields)"
        ) from error


def _check_ranges(problem: Declaration) -> None:
    taken = {
        **dict.fromkeys((*problem.field_shapes, *problem.component_names), "a field"),
        **{unknown.name: "an unknown" for unknown in problem.unknowns},
    }
    for item in problem.ranges:
        if item.name in taken:
            raise ValueError(
                f"range {item.name!r}: {taken[item.name]} has this name already; choose another one"
            )
    if problem.ranges and problem.measurements is not None:
        raise ValueError(
            f"range {problem.ranges[0].name!r}: measurements belong to one value, a range to many; give a number "
            "in its place, or an Unknown to find it"
        )


def _check_scales(problem: Declaration) -> None:
    for name, scale in problem.scales.items():
        if name not in problem.field_shapes:
            raise ValueError(
                f"scales: no field {name!r}. {near_match_text(name, problem.field_shapes)}"
            )
        if not (math.isfinite(scale) and scale > 0):
            raise ValueError(f"scales: {name} must be finite and > 0, got {scale}")


def _check_parts(problem: Declaration) -> None:
    parts = problem.domain.parts
    for condition in problem.conditions:
        if isinstance(condition, Interface):
            check_interface_shape(problem, condition)
        for name in parts_of(condition):
            if name not in parts:
                raise ValueError(
                    f"{condition.label}: the boundary has no part {name!r}. {near_match_text(name, parts)}"
                )
            if not problem.domain.part_measure(name) > 0.0:
                raise ValueError(
                    f"{condition.label}: the part {name!r} matches no point; check the geometry it is cut from"
                )
        if isinstance(condition, Periodic) and not _are_translated(problem.domain, condition):
            raise ValueError(
                f"{condition.label}: a translation must map {condition.part!r} onto {condition.other!r}, "
                "with opposite outward normals; choose two opposite parts"
            )


def _check_coverage(problem: Declaration) -> None:
    needed = problem.physics.needs_boundary_condition(problem.domain.dim)
    for part in problem.domain.parts:
        settled: dict[str, Condition] = {}
        for condition in problem.conditions:
            if part not in parts_of(condition):
                continue
            for component in sorted(condition.determines(problem.physics, problem.frame)):
                if component in settled:
                    raise ValueError(
                        f"contradicting conditions on {part!r}: {settled[component].label} and "
                        f"{condition.label} both determine {component}; keep one"
                    )
                settled[component] = condition
        missing = [name for name in needed if name not in settled]
        if missing and problem.measurements is None:
            raise ValueError(
                f"no condition for {', '.join(missing)} on the boundary part {part!r}; add one "
                "(Dirichlet, Neumann, Insulated, Traction, NoSlip, Symmetry ...) or give measurements"
            )


def _check_start(problem: Declaration) -> None:
    initial = [c for c in problem.conditions if isinstance(c, Initial)]
    if problem.time is None:
        if initial:
            raise ValueError("Initial() needs time: give the problem time=TimeInterval(start, end)")
        return
    settled: set[str] = set()
    for condition in initial:
        determined = condition.determines(problem.physics, problem.frame)
        again = settled & determined
        if again:
            raise ValueError(
                f"contradicting initial conditions: {min(again)} is given twice; keep one"
            )
        settled |= determined
    missing = [
        n for n in problem.physics.needs_initial_condition(problem.domain.dim) if n not in settled
    ]
    if missing and problem.measurements is None:
        raise ValueError(f"an unsteady problem needs Initial({missing[0]}=...)")


def _check_measurements(problem: Declaration) -> None:
    data = problem.measurements
    if data is None:
        if problem.unknowns:
            listed = ", ".join(u.name for u in problem.unknowns)
            raise ValueError(f"unknown {listed}: nothing to find it from; give measurements=")
        return
    axes = problem.frame.axis_names
    if data.points.shape[1] != len(axes):
        raise ValueError(
            f"{data.source}: points need the columns {', '.join(axes)}, got {data.points.shape[1]} columns"
        )
    for name in data.values:
        if name not in problem.component_names:
            raise ValueError(
                f"{data.source}: no field component {name!r}. {near_match_text(name, problem.component_names)}"
            )
    lower, upper = problem.bounds
    # no ranges here, so time is the last column
    tolerance = 1e-9 * float(np.max(upper - lower))
    inside = problem.domain.contains(data.points[:, : problem.domain.dim], tolerance=tolerance)
    if problem.time is not None:
        inside &= (data.points[:, -1] >= problem.time.start) & (
            data.points[:, -1] <= problem.time.end
        )
    if not inside.all():
        rows = np.flatnonzero(~inside)
        listed = ", ".join(str(r + 1) for r in rows[:5])
        raise ValueError(
            f"{data.source}: {rows.size} of {len(inside)} points lie outside the domain, rows {listed}: "
            f"first at {data.points[rows[0]].tolist()}; check the units (m) and the origin"
        )


def _check_equations(problem: Declaration) -> None:
    """Try the physics on made-up fields: as many finite scalar equations as field components."""
    points = torch.tensor(
        problem.domain.sample_interior(8, seed=0), dtype=torch.float64, device="cpu"
    )
    x = Coordinates(in_full(problem, points), problem.frame)
    physics = bind(problem.physics, values_at(problem, x))
    equations = physics.residual(trial_fields(problem.field_shapes, x, 1.0), x)
    for name, row in equations.items():
        if not isinstance(row, Jet):
            raise ValueError(
                f"equation {name!r} must be a field made from f, got {type(row).__name__}"
            )
        if row.value.shape not in ((8, *row.shape), row.shape):
            raise ValueError(
                f"equation {name!r} has values of shape {tuple(row.value.shape)} at 8 points"
            )
        if not torch.isfinite(row.value).all():
            raise ValueError(
                f"equation {name!r} is not finite inside the domain; check sources and coefficients"
            )
    count = sum(math.prod(row.shape) for row in equations.values())
    if count != len(problem.component_names):
        raise ValueError(
            f"{count} scalar equations for {len(problem.component_names)} field components "
            f"({', '.join(problem.component_names)}): the residual has the wrong shape"
        )


def _check_level(problem: Declaration) -> None:
    """Refuse a steady problem whose conditions leave a constant of some component open."""
    if problem.measurements is not None:
        return
    for name in open_levels(problem):
        raise ValueError(
            f"nothing sets the level of {name}: any constant may be added to it, so there is no single "
            "solution; give its value on one part (Dirichlet), tie it to a level (Convection), or give "
            "measurements"
        )


def _check_values(problem: Declaration, condition: Condition) -> None:
    """Try a condition on made-up fields: it must give finite scalar equations."""
    rows = rows_on_part(problem, condition)
    if not rows:
        raise ValueError(
            f"{condition.label} says nothing about {type(problem.physics).__name__}; remove it"
        )
    for name, row in rows.items():
        if not torch.isfinite(row).all():
            raise ValueError(
                f"{condition.label}: {name} is not finite on the part; check the given values"
            )


def _check_exact(problem: Declaration) -> None:
    """Evaluate the exact solution once: every field, in its shape, finite."""
    if problem.exact is None:
        return
    points = torch.tensor(
        problem.domain.sample_interior(8, seed=0), dtype=torch.float64, device="cpu"
    )
    x = Coordinates(in_full(problem, points), problem.frame)
    given = problem.exact(x)
    for name, shape in problem.field_shapes.items():
        if name not in given:
            raise ValueError(f"exact() gives no {name!r}. {near_match_text(name, given)}")
        if not torch.isfinite(evaluate(given[name], x, shape, f"exact {name}").value).all():
            raise ValueError(f"exact {name} is not finite inside the domain")


def _are_translated(domain: Shape, condition: Periodic) -> bool:
    """Whether a translation maps one part of a periodic pair onto the other."""
    first, weights = domain.part_quadrature(condition.part, 32)
    second, others = domain.part_quadrature(condition.other, 32)
    shift = (others @ second.points) / others.sum() - (weights @ first.points) / weights.sum()
    size = float(np.linalg.norm(domain.bounds[1] - domain.bounds[0]))
    if condition.part == condition.other or np.linalg.norm(shift) < 1e-9 * size:
        return False
    moved = first.points + shift
    opposite = np.allclose(domain.normals_at(condition.other, moved), -first.normals, atol=1e-6)
    return bool(domain.on_part(condition.other, moved, tolerance=1e-6 * size).all() and opposite)
