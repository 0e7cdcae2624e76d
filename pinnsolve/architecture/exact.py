"""Exact boundary and initial values for a declaration, or why its geometry or its values do not allow them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch

from pinnsolve.architecture.given import given_values
from pinnsolve.architecture.smoothness import check_smooth
from pinnsolve.collocation import tensor
from pinnsolve.geometry.quadrics import Quadric, vanishing_quadric
from pinnsolve.jets import Coordinates
from pinnsolve.networks.exact_boundary import ExactBoundary, Prescribed
from pinnsolve.networks.extensions import (
    Coons,
    Extension,
    FromStart,
    GivenValue,
    InverseDistance,
)
from pinnsolve.problem import Problem
from pinnsolve.scaling import Scaling

Array = npt.NDArray[np.float64]

_INSTEAD = "use boundary='penalty'"
_NUM_SAMPLES = 512
_TOUCHING = 1e-9
_AGREEMENT = 1e-9


def exact_boundary_for(problem: Problem, scaling: Scaling) -> ExactBoundary:
    """Return the transform that meets all given values of a problem exactly.

    Conditions that are not given values (fluxes, convection, symmetry ...), and values that contain
    unknowns, stay for the least-squares system.

    Args:
        problem: The declaration.
        scaling: Maps between SI and network units.

    Raises:
        ValueError: If nothing is given, if a part lies on no plane or quadric, if such a surface
            cuts through the domain or through a part where the component is free, or if the values
            are not smooth, or disagree where parts meet.
    """
    given = given_values(problem, scaling)
    if not any(given.values()):
        raise ValueError(
            f"problem {problem.name!r} has no condition that gives values without unknowns, so there is "
            f"nothing to meet exactly; {_INSTEAD}"
        )
    components = tuple(
        _prescribed(problem, scaling, name, given[name]) if given[name] else None
        for name in problem.component_names
    )
    offset, scale = scaling.offset.tolist(), scaling.scale.tolist()
    transform = ExactBoundary(problem.frame, tuple(offset), tuple(scale), components)
    for name, size, item in zip(problem.component_names, scale, components, strict=True):
        if item is not None:
            _check_agreement(problem, scaling, name, size, item.values, given[name])
    return transform


def _prescribed(
    problem: Problem, scaling: Scaling, component: str, given: Mapping[str, GivenValue]
) -> Prescribed:
    """Return how one component is given: the factors of its distance, and its continued values."""
    parts = [part for part in given if part != "start"]
    by_part = {part: _factors(problem, scaling, component, part, parts) for part in parts}
    values = _values(problem, scaling, component, given, by_part)
    factors = _distinct([q for quadrics in by_part.values() for q in quadrics])
    axis = problem.domain.dim if "start" in given else None
    return Prescribed(tuple(given), factors, axis, values)


def _factors(
    problem: Problem, scaling: Scaling, component: str, part: str, given_parts: Sequence[str]
) -> tuple[Quadric, ...]:
    """Return the quadrics that vanish on a part, in network units, positive inside with maximum 1."""
    domain = problem.domain
    dim = domain.dim
    center = (0.5 * (scaling.lower + scaling.upper))[:dim].to("cpu", torch.float64).numpy()
    half = scaling.half_lengths[:dim].to("cpu", torch.float64).numpy()
    inside = (domain.sample_interior(_NUM_SAMPLES, seed=0) - center) / half
    result = []
    for piece in domain.pieces_of(part):
        found = vanishing_quadric(piece)
        if found is None:
            raise ValueError(
                f"exact boundary values of {component}: the part {part!r} lies on no plane, ellipse, sphere or "
                f"cylinder, so no simple function vanishes on it; {_INSTEAD}"
            )
        quadric = found.in_units(center, half)
        levels = quadric.values(inside)
        if levels.min() < 0.0 < levels.max():
            raise ValueError(
                f"exact boundary values of {component}: the surface that {part!r} lies on goes on through the "
                f"inside of the domain, where {component} is not given; {_INSTEAD}"
            )
        for other in domain.parts:
            if other in given_parts:
                continue
            on_other = np.concatenate([p.quadrature(32)[0] for p in domain.pieces_of(other)])
            if (np.abs(quadric.values((on_other - center) / half)) <= _TOUCHING).any():
                raise ValueError(
                    f"exact boundary values of {component}: {part!r} and {other!r} lie on one surface, but "
                    f"{component} is given on {part!r} only; {_INSTEAD}"
                )
        result.append(quadric.times(1.0 / float(levels[np.abs(levels).argmax()])))
    return _distinct(result)


def _distinct(quadrics: Sequence[Quadric]) -> tuple[Quadric, ...]:
    """Return the quadrics without repetitions: a factor that occurred twice would have no slope."""
    kept: list[Quadric] = []
    for quadric in quadrics:
        if not any(_same(quadric, other) for other in kept):
            kept.append(quadric)
    return tuple(kept)


def _same(a: Quadric, b: Quadric) -> bool:
    return bool(
        np.isclose(a.constant, b.constant, atol=_TOUCHING)
        and np.allclose(a.linear, b.linear, atol=_TOUCHING)
        and np.allclose(a.quadratic, b.quadratic, atol=_TOUCHING)
    )


def _values(
    problem: Problem,
    scaling: Scaling,
    component: str,
    given: Mapping[str, GivenValue],
    factors: Mapping[str, tuple[Quadric, ...]],
) -> Extension:
    """Return the given values continued into the domain."""
    u = _inside(problem, scaling)
    levels = [value.jet(u).value.expand(len(u.points)) for value in given.values()]
    first = next(iter(given.values()))
    if all(bool((level == levels[0][0]).all()) for level in levels):
        return first
    faces = _faces(given, factors)
    start = given.get("start")
    time = problem.domain.dim
    if faces is not None:
        if start is not None:
            faces = (*faces, (time, -1.0, start))
        for axis, position, value in faces:
            check_smooth(problem, component, value, u, {axis: position})
        return Coons(faces)
    if start is not None:
        check_smooth(problem, component, start, u, {time: -1.0})
    if not factors:
        return Coons(((time, -1.0, first),))
    on_boundary = _grouped(problem, scaling, component, given, factors, u)
    return on_boundary if start is None else FromStart(on_boundary, start, time)


def _faces(
    given: Mapping[str, GivenValue], factors: Mapping[str, tuple[Quadric, ...]]
) -> tuple[tuple[int, float, GivenValue], ...] | None:
    """Return the planes u_k = position with their values, or None if the parts are not such planes."""
    faces: list[tuple[int, float, GivenValue]] = []
    for part, quadrics in factors.items():
        for quadric in quadrics:
            axis = quadric.plane_axis
            if axis is None:
                return None
            faces.append((axis, -quadric.constant / quadric.linear[axis], given[part]))
    planes = {(axis, round(position, 9)) for axis, position, _ in faces}
    at_most_two = all(sum(a == axis for a, _ in planes) <= 2 for axis, _ in planes)
    return tuple(faces) if faces and len(planes) == len(faces) and at_most_two else None


def _grouped(
    problem: Problem,
    scaling: Scaling,
    component: str,
    given: Mapping[str, GivenValue],
    factors: Mapping[str, tuple[Quadric, ...]],
    u: Coordinates,
) -> Extension:
    """Return the one value given on all parts, or the inverse-distance mean of several."""
    groups: list[tuple[list[str], GivenValue]] = []
    for part in factors:
        value = given[part]
        check_smooth(problem, component, value, u, {})
        for alike, other in groups:
            a, b = (v.jet(u).value.expand(len(u.points)) for v in (value, other))
            if torch.allclose(a, b, rtol=1e-12, atol=1e-12 * float(b.abs().max())):
                alike.append(part)
                break
        else:
            groups.append(([part], value))
    if len(groups) == 1:
        return groups[0][1]
    members = [(_distinct([q for p in parts for q in factors[p]]), v) for parts, v in groups]
    for i, (parts, _) in enumerate(groups):
        edge = _points_of(problem, scaling, parts)
        for j, (quadrics, _) in enumerate(members):
            if (
                i != j
                and np.prod([np.abs(q.values(edge)) for q in quadrics], axis=0).min() <= _TOUCHING
            ):
                raise ValueError(
                    f"exact boundary values of {component}: {parts[0]!r} meets {groups[j][0][0]!r}, where another "
                    f"value is given, and this is not a box, so no smooth function takes both; {_INSTEAD}"
                )
    return InverseDistance(tuple(members))


def _points_of(problem: Problem, scaling: Scaling, parts: Sequence[str]) -> Array:
    """Return points of boundary parts, ends included, in network units, shape (N, space dimension)."""
    domain = problem.domain
    pieces = [piece for part in parts for piece in domain.pieces_of(part)]
    lines = [np.concatenate([p.quadrature(32)[0], *p.outline()]) for p in pieces]
    center = (0.5 * (scaling.lower + scaling.upper))[: domain.dim].to("cpu", torch.float64).numpy()
    half = scaling.half_lengths[: domain.dim].to("cpu", torch.float64).numpy()
    result: Array = (np.concatenate(lines) - center) / half
    return result


def _inside(problem: Problem, scaling: Scaling) -> Coordinates:
    """Return points inside the domain in network units."""
    points = problem.domain.sample_interior(_NUM_SAMPLES, seed=1)
    if problem.time is not None:
        when = np.linspace(problem.time.start, problem.time.end, len(points))
        points = np.column_stack((points, np.random.default_rng(0).permutation(when)))
    unit = scaling.to(dtype=torch.float64, device=torch.device("cpu")).to_unit(tensor(points))
    return Coordinates(unit, problem.frame)


def _check_agreement(
    problem: Problem,
    scaling: Scaling,
    component: str,
    size: float,
    values: Extension,
    given: Mapping[str, GivenValue],
) -> None:
    """Refuse values that no continuous function takes: those that disagree where parts meet."""
    inside = _inside(problem, scaling)
    time = problem.domain.dim
    for part, value in given.items():
        if part == "start":
            points = inside.points.clone()
            points[:, time] = -1.0
        else:
            edge = tensor(_points_of(problem, scaling, [part]))
            when = inside.points[torch.arange(len(edge), device="cpu") % len(inside.points), time:]
            points = torch.cat((edge, when), dim=1)
        u = Coordinates(points, problem.frame)
        error = float((values.jet(u).value - value.jet(u).value).abs().max()) / size
        if not error <= _AGREEMENT:
            raise ValueError(
                f"exact boundary values of {component}: what is given on {part!r} disagrees by {error * size:.3g} "
                f"with what is given where it meets another part, and no continuous function takes both; {_INSTEAD}"
            )
