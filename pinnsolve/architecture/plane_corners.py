"""Which corners of a plane region make a displacement or a flow singular, and with which powers of the distance."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import torch

from pinnsolve.architecture.corners import Corner, corners_of, free_direction
from pinnsolve.architecture.given import components_given_by, given_values
from pinnsolve.architecture.mirrored_data import unevenness
from pinnsolve.conditions import Interface, Outlet, Periodic, Symmetry, Traction
from pinnsolve.jets import Coordinates
from pinnsolve.networks.corners import CornerFunctions, Term
from pinnsolve.networks.jump_flows import JumpFlow
from pinnsolve.networks.plane_corners import PlaneCornerFunctions, Power
from pinnsolve.networks.random_features import VectorSingular
from pinnsolve.physics import AxisymmetricElasticity, Elasticity, NavierStokes, Stokes
from pinnsolve.problem import Array, Problem
from pinnsolve.scaling import Scaling

Side = Literal["held", "free", "mirror"]
"""Both components are given; or both components of the traction; or it is a plane of symmetry."""


@dataclass(frozen=True)
class _Principal:
    """The part of the equations with the highest derivatives.

    Attributes:
        field: Name of the vector field.
        kappa: Kolosov's constant.
        viscosity: Of a flow, in Pa s; None for a solid.
        density: Of a flow with inertia, in kg/m3.
        follows: What else is in the equations: derivatives of lower order, products of the flow, or nothing.
    """

    field: str
    kappa: float
    viscosity: float | None = None
    density: float = 0.0
    follows: Literal["curvature", "inertia", ""] = ""


def plane_corner_functions(
    problem: Problem, scaling: Scaling
) -> tuple[tuple[VectorSingular, ...], tuple[CornerFunctions, ...]]:
    """Return the singular vector fields of the corners that have any; none but for steady plane solids and flows.

    Where the velocities given on both sides of a corner differ, the flow that they make is one of them.

    The second are what else comes with them, since the fields solve the equations but for lower derivatives and
    inertia: for every component, the functions whose second derivatives these are.

    Args:
        problem: The declaration.
        scaling: Maps between SI and network units.
    """
    principal = _principal(problem)
    if principal is None or problem.domain.dim != 2 or problem.frame.num_axes != 2:
        return (), ()
    if problem.unknowns or any(isinstance(c, Periodic | Interface) for c in problem.conditions):
        return (), ()
    half = scaling.half_lengths
    middle, length = 0.5 * (scaling.lower + scaling.upper), float(half.norm())
    hx, hy = (half / length).tolist()
    components, factors = _in_network_units(problem, principal, scaling)
    found: list[VectorSingular] = []
    others: list[CornerFunctions] = []
    room = _MOST_FIELDS
    for corner, powers, walls in sorted(_singular(problem, principal, scaling), key=_leading):
        direction = free_direction(problem, corner)
        if direction is None:
            continue
        x, y = ((torch.from_numpy(corner.place) - middle) / half).tolist()
        if walls is not None:
            found.append(_jump_flow(corner, walls, principal, scaling, (x, y), direction, problem))
        kept = tuple(powers[: room // _FIELDS])
        if not kept:
            continue
        room -= _FIELDS * len(kept)
        found.append(
            PlaneCornerFunctions(
                (x, y),
                (hx, hy),
                direction,
                kept,
                principal.kappa,
                components,
                factors,
                len(problem.component_names),
            )
        )
        terms = tuple(t for power in kept for t in _following(power, principal))
        if terms:
            others.append(CornerFunctions((x, y), (hx, hy), direction, terms))
    return tuple(found), tuple(others)


def singular_corners(
    problem: Problem, scaling: Scaling, functions: Sequence[VectorSingular]
) -> tuple[tuple[Corner, ...], tuple[Corner, ...]]:
    """Return the corners that functions belong to: those where given values agree, and those where they jump.

    Args:
        problem: The declaration.
        scaling: Maps between SI and network units.
        functions: Some or all of the problem's.
    """
    half = scaling.half_lengths
    middle = 0.5 * (scaling.lower + scaling.upper)
    places = {f.center for f in functions}
    jumps = {f.center for f in functions if isinstance(f, JumpFlow)}

    def center(corner: Corner) -> tuple[float, float]:
        x, y = ((torch.from_numpy(corner.place) - middle) / half).tolist()
        return x, y

    found = [(center(c), c) for c in corners_of(problem)] if places else []
    return (
        tuple(c for place, c in found if place in places - jumps),
        tuple(c for place, c in found if place in jumps),
    )


def _jump_flow(
    corner: Corner,
    walls: Array,
    principal: _Principal,
    scaling: Scaling,
    center: tuple[float, float],
    direction: float,
    problem: Problem,
) -> JumpFlow:
    """Return the flow that different velocities of two walls make at a corner."""
    components, (of_u, of_v, of_pressure) = _in_network_units(problem, principal, scaling)
    unit, length = float(scaling.scale[components[0]]), float(scaling.half_lengths.norm())
    hx, hy = (scaling.half_lengths / length).tolist()
    first = math.remainder(corner.start - direction, 2.0 * math.pi)
    reynolds = principal.density * unit * length / (principal.viscosity or math.inf)
    after, before = (walls / unit).tolist()
    return JumpFlow(
        center,
        (hx, hy),
        direction,
        (first, first + corner.angle),
        ((after[0], after[1]), (before[0], before[1])),
        reynolds,
        min(1.0, _REACH / reynolds) if reynolds > 0.0 else 1.0,
        _ORDERS,
        components,
        (of_u, of_v, -0.25 * of_pressure),
        len(problem.component_names),
    )


def _in_network_units(
    problem: Problem, principal: _Principal, scaling: Scaling
) -> tuple[tuple[int, int, int], tuple[float, float, float]]:
    """Return the places of u, v and pressure among the components, and the factors that make them fit together."""
    names = problem.component_names
    u, v = (names.index(f"{principal.field}_{axis}") for axis in ("x", "y"))
    unit, length = float(scaling.scale[u]), float(scaling.half_lengths.norm())
    p, of_pressure = -1, 0.0
    if principal.viscosity is not None:
        p = names.index("pressure")
        of_pressure = -4.0 * principal.viscosity * unit / (length * float(scaling.scale[p]))
    return (u, v, p), (1.0, unit / float(scaling.scale[v]), of_pressure)


def _following(power: Power, principal: _Principal) -> tuple[Term, ...]:
    """Return the functions that follow on a power."""
    real, imaginary, q = power
    if imaginary != 0.0 or real > _HIGHEST_FOLLOWED:
        return ()
    if principal.follows == "curvature":  # second derivatives like zeta^(a - 1)
        return tuple((real + 1.0 - b, q, b) for b in range(4))
    if principal.follows == "inertia" and real == 1.0:  # like those of r^3: u . grad u grows with r
        logs = (1, 2)
        return tuple((d - b, j, b) for d in (3.0, 2.0) for b in range(int(d) + 1) for j in logs)
    return ()


def _principal(problem: Problem) -> _Principal | None:
    match problem.physics:
        case NavierStokes(dynamic_viscosity=mu, density=rho) if isinstance(mu, int | float):
            density = float(rho) if isinstance(rho, int | float) else 0.0
            return _Principal("velocity", 1.0, float(mu), density, "inertia")
        case Stokes(dynamic_viscosity=mu) if isinstance(mu, int | float):
            return _Principal("velocity", 1.0, float(mu))
        case Elasticity(poissons_ratio=nu, plane=plane) if isinstance(nu, int | float):
            kappa = (3.0 - nu) / (1.0 + nu) if plane == "stress" else 3.0 - 4.0 * nu
            return _Principal("displacement", kappa)
        case AxisymmetricElasticity(poissons_ratio=nu) if isinstance(nu, int | float):
            return _Principal("displacement", 3.0 - 4.0 * nu, follows="curvature")
        case _:
            pass
    return None


def _singular(
    problem: Problem, principal: _Principal, scaling: Scaling
) -> Iterator[tuple[Corner, list[Power], Array | None]]:
    """Yield the corners that are singular, their powers, the least first, and the velocities of walls that differ."""
    for corner in corners_of(problem):
        sides = [_side(problem, principal, part) for part in (corner.before, corner.after)]
        on_axis = (  # the tip of a cone, which has other exponents
            principal.follows == "curvature" and corner.place[0] < _WHOLE * problem.domain.size
        )
        if None in sides or on_axis:
            continue
        angle, first, last = corner.angle, sides[0], sides[1]
        if "mirror" in sides:
            angle *= 2.0
            first = last = first if last == "mirror" else last
        if first == "mirror" or angle > 2.0 * math.pi + _WHOLE:
            continue
        flat = first == last and abs(angle - math.pi) < _WHOLE
        if flat and "mirror" in sides:
            powers = _of_mirrored_data(problem, principal, corner)
            if powers:
                yield corner, powers, None
            continue
        walls: Array | None = None
        powers = [] if flat else _powers(angle, principal.kappa, first == last, first == "held")
        if sides == ["held", "held"] and principal.viscosity is not None:
            values, outflow = _at_corner(problem, principal, scaling, corner)
            size = float(scaling.scale[problem.component_names.index(f"{principal.field}_x")])
            walls = values if np.ptp(values, axis=0).max() > _WHOLE * size else None
            if not outflow:  # a smooth flow begins like this
                powers = [power for power in powers if power != (1.0, 0.0, 1)]
        if powers or walls is not None:
            yield corner, powers, walls


def _of_mirrored_data(problem: Problem, principal: _Principal, corner: Corner) -> list[Power]:
    """Return the powers of a corner that would be smooth, but for what drives the field."""
    least = unevenness(
        problem, principal.field, corner, around_axis=principal.follows == "curvature"
    )
    if least is None:
        return []
    return [(float(k), 0.0, 1) for k in range(least, round(_HIGHEST_LOGARITHM) + 1)]


def _leading(item: tuple[Corner, list[Power], Array | None]) -> float:
    return 0.0 if item[2] is not None else item[1][0][0]


def _side(problem: Problem, principal: _Principal, part: str) -> Side | None:
    """Return what is said on a part of the boundary; None if it is neither of the three."""
    here = [c for c in problem.conditions if c.part == part]
    given = {name for c in here for name in components_given_by(problem, c)}
    if {f"{principal.field}_x", f"{principal.field}_y"} <= given:
        return "held"
    if any(isinstance(c, Symmetry) for c in here):
        return "mirror"
    return "free" if any(isinstance(c, Traction | Outlet) for c in here) else None


def _at_corner(
    problem: Problem, principal: _Principal, scaling: Scaling, corner: Corner
) -> tuple[Array, bool]:
    """Return the values given on the side after and before, and whether the gradient they give has a divergence."""
    given = given_values(problem, scaling)
    step = _NEAR * problem.domain.size
    names = [f"{principal.field}_{axis}" for axis in ("x", "y")]

    def value(part: str, place: Array) -> Array:
        unit = Coordinates(scaling.to_unit(torch.from_numpy(place)[None]), problem.frame)
        return np.array([float(given[n][part].jet(unit).value.reshape(-1)[0]) for n in names])

    sides = ((corner.after, corner.start), (corner.before, corner.start + corner.angle))
    values = np.stack([value(part, corner.place) for part, _ in sides])
    tangents = np.array([[math.cos(a), math.sin(a)] for _, a in sides]).T
    slopes = [
        (value(part, corner.place + step * tangents[:, k]) - values[k]) / step
        for k, (part, _) in enumerate(sides)
    ]
    u = problem.component_names.index(names[0])
    size = float(scaling.scale[u : u + 2].max())
    if abs(math.sin(corner.angle)) < _WHOLE:
        return values, True
    divergence = float(np.trace(np.stack(slopes, axis=1) @ np.linalg.inv(tangents)))
    return values, abs(divergence) * problem.domain.size > 1e3 * _NEAR * size


def _powers(angle: float, kappa: float, alike: bool, held: bool) -> list[Power]:
    """Return the powers of a corner; whole ones come with a logarithm, without it they would be smooth."""
    powers: list[Power] = []
    for root in exponents(angle, kappa, alike, held):
        whole = abs(root - round(root.real)) < _WHOLE
        if whole and root.real > _HIGHEST_LOGARITHM + _WHOLE:
            continue
        powers.append((float(round(root.real)), 0.0, 1) if whole else (root.real, root.imag, 0))
        if root.imag > _WHOLE:
            powers.append((root.real, -root.imag, 0))
    return powers


def _characteristic(
    angle: float, kappa: float, alike: bool, held: bool
) -> Callable[[complex], complex]:
    """Return the function whose zeros are the exponents (Williams 1952)."""
    factor = kappa**2 if held else 1.0

    def like(a: complex) -> complex:
        return complex(factor * np.sin(a * angle) ** 2 - (a * math.sin(angle)) ** 2)

    def mixed(a: complex) -> complex:
        square = (kappa + 1.0) ** 2 - 4.0 * (a * math.sin(angle)) ** 2
        return complex(4.0 * kappa * np.sin(a * angle) ** 2 - square)

    return like if alike else mixed


@lru_cache(maxsize=64)
def exponents(angle: float, kappa: float, alike: bool, held: bool) -> tuple[complex, ...]:
    """Return the exponents of a corner with real part below the highest, imaginary part >= 0, the least one first.

    Args:
        angle: Interior angle in rad.
        kappa: Kolosov's constant.
        alike: Whether the same is said on both sides.
        held: Whether values are given on both sides, if alike.
    """
    function = _characteristic(angle, kappa, alike, held)
    found: list[complex] = []
    for real in np.arange(0.1, _HIGHEST, 0.1):
        for imaginary in (0.0, 0.25, 0.75, 1.5):
            root = _newton(function, complex(real, imaginary))
            if root is None or not _LEAST < root.real < _HIGHEST:
                continue
            root = complex(root.real, abs(root.imag) if abs(root.imag) > _WHOLE else 0.0)
            if all(abs(root - other) > _APART for other in found):
                found.append(root)
    return tuple(sorted(found, key=lambda root: (root.real, root.imag)))


def _newton(function: Callable[[complex], complex], start: complex) -> complex | None:
    """Return a zero near a start, or None."""
    z = start
    for _ in range(60):
        value = function(z)
        slope = (function(z + _STEP) - function(z - _STEP)) / (2.0 * _STEP)
        if slope == 0.0 or not math.isfinite(abs(value)):
            return None
        change = value / slope
        z -= change
        if abs(z) > 2.0 * _HIGHEST:
            return None
        if abs(change) < 1e-12:
            break
    return z if abs(function(z)) < 1e-9 else None


_STEP = 1e-6

_REACH = 100.0
"""Reynolds number of the distance at which the inertial orders of a jump fade: beyond, they grow too large."""

_ORDERS = 3
"""Orders of the flow at a jump: what is left of the equations goes to zero with the distance."""

_NEAR = 1e-5
"""Distance from a corner, as a share of the region's size, at which the slope of given values is taken."""

_HIGHEST_FOLLOWED = 2.0
"""Highest exponent on which other functions follow."""

_HIGHEST = 4.0
"""Highest real part of an exponent: what is left has four continuous derivatives."""

_HIGHEST_LOGARITHM = 3.0
"""Highest whole exponent with a logarithm."""

_LEAST = 0.02
"""Least exponent that is no rigid motion."""

_APART = 1e-4
"""Distance below which two zeros are one: at double zeros the search ends a little off."""

_WHOLE = 1e-5
"""Distance from a whole number below which an exponent counts as one."""

_FIELDS = 4
"""Fields for each power."""

_MOST_FIELDS = 160
"""Most singular fields of all corners together."""
