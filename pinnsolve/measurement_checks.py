"""Everything that can be wrong with measurements in a problem, found before any training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.conditions import Radiation
from pinnsolve.declaration import Declaration
from pinnsolve.jets import Coordinates
from pinnsolve.measurements import Measurements, measured, measured_unit
from pinnsolve.measurements.averages import sensor_rules
from pinnsolve.measurements.units import of_one_dimension
from pinnsolve.trial import trial_fields
from pinnsolve.trial_points import values_at
from pinnsolve.unknowns import bind

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_CONTRADICTION = 6.0
"""Difference of two readings at one place, in standard deviations, beyond which both cannot be right."""


def check_measurements(problem: Declaration) -> None:
    """Check the measurements of a declaration.

    Raises:
        ValueError: At the first broken rule; names the source and the rows.
    """
    if not problem.data:
        if problem.unknowns:
            listed = ", ".join(u.name for u in problem.unknowns)
            raise ValueError(f"unknown {listed}: nothing to find it from; give measurements=")
        return
    for data in problem.data:
        if not isinstance(data, Measurements):
            raise ValueError(
                f"measurements must be Measurements(...) or several of them, got {data!r}"
            )
        _check_places(problem, data)
        _check_units(problem, data)
        _check_amounts(problem, data)
    measured_values(problem)
    for name in dict.fromkeys(name for data in problem.data for name in data.values):
        _check_repeats(problem, name)


def measured_values(
    problem: Declaration, *, shift: Mapping[str, float] | None = None
) -> dict[tuple[int, str], Tensor]:
    """Return what sensors would read of made-up fields, by number of the measurements and name.

    Args:
        problem: The declaration.
        shift: Constants added to the values of components.

    Raises:
        ValueError: If there is no such quantity, or its value is not finite.
    """
    found = {}
    for position, data in enumerate(problem.data):
        points = torch.tensor(data.points[:8], dtype=torch.float64, device="cpu")
        x = Coordinates(points, problem.frame)
        fields = trial_fields(problem.field_shapes, x, 1.0, shift=shift)
        physics = bind(problem.physics, values_at(problem, x))
        for name in data.values:
            try:
                value = measured(name, fields, x, physics).value
            except ValueError as error:
                raise ValueError(f"{data.source}: {error}") from error
            if not torch.isfinite(value).all():
                raise ValueError(
                    f"{data.source}: {name} is not finite at the sensors, whatever the fields; "
                    "check coefficients and places"
                )
            found[position, name] = value
    return found


def _check_places(problem: Declaration, data: Measurements) -> None:
    """Refuse sensors beyond the domain, in a hole, or beyond the time."""
    axes = problem.frame.axis_names
    if data.points.shape[1] != len(axes):
        raise ValueError(
            f"{data.source}: points need the columns {', '.join(axes)}, got {data.points.shape[1]} columns"
        )
    lower, upper = problem.bounds
    # no ranges here, so time is the last column
    tolerance = 1e-9 * float(np.max(upper - lower))
    dim = problem.domain.dim
    if problem.time is not None:
        times = data.points[:, -1]
        late = (times < problem.time.start) | (times > problem.time.end)
        if late.any():
            raise ValueError(
                f"{data.source}: {late.sum()} of {len(late)} points lie outside the domain, {_rows_text(late)}: "
                f"first at t = {times[late][0]:g} s, but time runs from {problem.time.start:g} to "
                f"{problem.time.end:g} s; check the units (s) and the zero of time"
            )
    try:
        nodes, _ = sensor_rules(data.points, data.over)
    except ValueError as error:
        raise ValueError(f"{data.source}: {error}") from error
    if data.over is not None and not _fits(data, dim):
        raise ValueError(f"{data.source}: over needs footprints in {dim}-D, as the domain is")
    places = [points[:, :dim] for points in nodes]
    outside = ~np.all([problem.domain.contains(p, tolerance=tolerance) for p in places], axis=0)
    if outside.any():
        first = data.points[outside][0].tolist()
        corner, end = (c[:dim] for c in (lower, upper))
        strays = np.concatenate([p[outside] for p in places])
        boxed = bool(((strays >= corner - tolerance) & (strays <= end + tolerance)).all())
        where = (
            " (within its bounds: in a hole, or beyond a curved or slanting side)" if boxed else ""
        )
        footprint = "" if data.over is None else " with their footprints"
        raise ValueError(
            f"{data.source}: {outside.sum()} of {len(outside)} points{footprint} lie outside the domain{where}, "
            f"{_rows_text(outside)}: first at {first}; check the units (m) and the origin"
        )


def _fits(data: Measurements, dim: int) -> bool:
    each = data.over if isinstance(data.over, tuple) else (data.over,)
    return all(item.rule()[0].shape[1] == dim for item in each if item is not None)


def _check_units(problem: Declaration, data: Measurements) -> None:
    """Refuse units of another dimension than the quantity's."""
    known = problem.physics.units()
    for name, unit in data.units.items():
        wanted = measured_unit(name, known)
        if wanted is not None and not of_one_dimension(unit, wanted):
            raise ValueError(
                f"{data.source}: {name} was measured in units of {unit!r}, but {type(problem.physics).__name__} has it "
                f"in {wanted or 'no unit'!r}; check the column and its unit"
            )
        if unit == "degC" and any(isinstance(c, Radiation) for c in problem.conditions):
            raise ValueError(
                f"{data.source}: {name} is in degC, but radiation needs absolute temperatures; give K"
            )


def _check_amounts(problem: Declaration, data: Measurements) -> None:
    """Refuse to hold out everything, and to estimate noise from too few rows."""
    kept = ~data.held_out(problem.domain.dim)
    if not kept.any():
        raise ValueError(
            f"{data.source}: holdout={data.holdout:g} leaves no place to learn from; measure at more places, "
            "or hold out fewer"
        )
    for name in data.values:
        if data.noise_of(name) is None and kept.sum() <= max(1, len(problem.unknowns)):
            raise ValueError(
                f"{data.source}: {kept.sum()} rows of {name} cannot tell {len(problem.unknowns)} unknowns and "
                "their own noise; give sigma"
            )


def _check_repeats(problem: Declaration, name: str) -> None:
    """Refuse rows that are there twice, and readings at one place that cannot both be right."""
    seen: dict[tuple[object, ...], list[tuple[Measurements, int]]] = {}
    for data in (item for item in problem.data if name in item.values):
        for row, place in enumerate(data.points.tolist()):
            over = data.over[row] if isinstance(data.over, tuple) else data.over
            seen.setdefault((*place, repr(over)), []).append((data, row))
    for there in seen.values():
        if len(there) > 1:
            there.sort(key=lambda item: float(item[0].values[name][item[1]]))
            for one, other in (*pairwise(there), (there[0], there[-1])):
                _check_pair(name, *sorted((one, other), key=lambda item: item[1]))


def _check_pair(
    name: str, first: tuple[Measurements, int], second: tuple[Measurements, int]
) -> None:
    (one, i), (two, k) = first, second
    a, b = float(one.values[name][i]), float(two.values[name][k])
    which = f"{_row_text(one, i)} and {_row_text(two, k)}"
    if a == b and (one is not two or all(v[i] == v[k] for v in one.values.values())):
        raise ValueError(
            f"{which} are the same: {name} = {a:g} at {one.points[i].tolist()}; leave one out, or give "
            "the mean of repeated readings with its own sigma"
        )
    noises = one.noise_of(name), two.noise_of(name)
    if one.likelihood != "normal" or two.likelihood != "normal":
        return
    if noises[0] is None or noises[1] is None:
        return
    apart = abs(a - b) / math.hypot(noises[0][i], noises[1][k])
    if apart > _CONTRADICTION:
        raise ValueError(
            f"{which} contradict each other: {name} = {a:g} and {b:g} at {one.points[i].tolist()}, {apart:.0f} "
            "standard deviations apart; repair them, give a larger sigma, or likelihood='student' for outliers"
        )


def _row_text(data: Measurements, row: int) -> str:
    return f"{data.source}: row {row + 1}"


def _rows_text(wrong: Mask) -> str:
    """Return the first rows of those that are wrong."""
    rows: Sequence[int] = np.flatnonzero(wrong).tolist()
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return f"rows {', '.join(str(row + 1) for row in rows[:5])}{more}"
