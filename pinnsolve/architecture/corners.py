"""Which corners of a plane region make a steady scalar field singular, and with which powers of the distance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from pinnsolve.architecture.given import components_given_by
from pinnsolve.conditions import Interface, Periodic
from pinnsolve.geometry.curves import Curve
from pinnsolve.networks.corners import CornerFunctions, Term
from pinnsolve.problem import Array, Problem
from pinnsolve.unknowns import bind


@dataclass(frozen=True)
class Corner:
    """Where two pieces of the boundary meet.

    Attributes:
        place: In m, shape (2,).
        before: Name of the part that ends there, the region being on its left.
        after: Name of the part that starts there.
        angle: Interior angle in rad, between 0 and 2 pi.
        start: Angle in rad from the first axis at which the interior begins, anticlockwise.
    """

    place: Array
    before: str
    after: str
    angle: float
    start: float


def corner_functions(problem: Problem) -> tuple[CornerFunctions, ...]:
    """Return the singular functions of the corners that have any; none but for one steady scalar field in the plane.

    With the interior angle w, exponents are multiples of pi / w where values are given on both sides, or fluxes, and of
    pi / 2 w where values meet fluxes. Whole ones, as in right angles, come with logarithms: one where the data of both
    sides and the source do not fit together, further ones where a flux depends on the value. A corner is left out if
    every straight cut from it to the outside enters the region again, as at a hole, or if there are too many.

    Args:
        problem: The declaration.
    """
    if problem.domain.dim != 2 or problem.frame.num_axes != 2 or len(problem.component_names) != 1:
        return ()
    if any(isinstance(c, Periodic | Interface) for c in problem.conditions):
        return ()
    guesses = {
        u.name: torch.tensor(u.initial, dtype=torch.float64, device="cpu") for u in problem.unknowns
    }
    conditions = bind(tuple(problem.conditions), guesses)  # exponents do not depend on numbers
    given = {c.part for c in conditions if components_given_by(problem, c)}
    lower, upper = problem.bounds
    middle, half = 0.5 * (lower + upper), 0.5 * (upper - lower)
    found = []
    room = _MOST_FEATURES
    for corner in sorted(_corners(problem), key=partial(_leading_exponent, given)):
        terms = _terms(corner.angle, mixed=_is_mixed(given, corner))
        direction = _free_direction(problem, corner) if 2 * len(terms) <= room else None
        if direction is not None:
            room -= 2 * len(terms)
            x, y = ((corner.place - middle) / half).tolist()
            hx, hy = (half / np.linalg.norm(half)).tolist()
            found.append(CornerFunctions((x, y), (hx, hy), direction, terms))
    return tuple(found)


def _corners(problem: Problem) -> Iterator[Corner]:
    curves = [piece for piece in problem.domain.pieces if isinstance(piece, Curve)]
    ends = np.array([0.0, 1.0])
    reach = 1e-9 * problem.domain.size
    for before in curves:
        for after in curves:
            place = after.at(ends)[0]
            if before.is_closed or np.linalg.norm(before.at(ends)[1] - place) > reach:
                continue
            inwards, outwards = before.velocity(ends)[1], after.velocity(ends)[0]
            start = math.atan2(outwards[1], outwards[0])
            stop = math.atan2(-inwards[1], -inwards[0])
            angle = (stop - start) % (2.0 * math.pi)
            if _LEAST_ANGLE < angle < 2.0 * math.pi - _LEAST_ANGLE:
                yield Corner(place, before.part, after.part, angle, start)


def _is_mixed(given: Set[str], corner: Corner) -> bool:
    """Whether a given value meets a flux."""
    return (corner.before in given) != (corner.after in given)


def _leading_exponent(given: Set[str], corner: Corner) -> float:
    """Return the least exponent: the smaller it is, the worse the singularity."""
    return math.pi / corner.angle * (0.5 if _is_mixed(given, corner) else 1.0)


def _terms(angle: float, *, mixed: bool) -> tuple[Term, ...]:
    """Return exponents and powers of the logarithm; whole exponents alone would be smooth."""
    step = math.pi / angle * (0.5 if mixed else 1.0)
    highest = _HIGHEST_MIXED if mixed else _HIGHEST
    terms: list[Term] = []
    for k in range(1, math.floor(highest / step + _WHOLE) + 1):
        a = k * step
        if abs(a - round(a)) > _WHOLE:
            terms.append((a, 0))
        else:
            most = min(round(a), _LOGARITHMS) if mixed else 1
            terms.extend((float(round(a)), q) for q in range(1, most + 1))
    return tuple(terms)


def _free_direction(problem: Problem, corner: Corner) -> float | None:
    """Return the direction opposite to a straight cut from the corner that stays outside of the region, or None."""
    outside = 2.0 * math.pi - corner.angle
    steps = np.linspace(1e-6, 1.0, 400)[:, None] * problem.domain.size
    for share in _SHARES:
        cut = corner.start - share * outside
        ray = corner.place + steps * np.array([math.cos(cut), math.sin(cut)])
        if not problem.domain.contains(ray).any():
            return cut + math.pi
    return None


_HIGHEST = 4.0
"""Highest exponent: what is left has four continuous derivatives, about as many as features can use."""

_HIGHEST_MIXED = 3.0
"""Highest exponent where values meet fluxes. More of these functions are so alike that together they come near to
negative powers: large errors that only show within a small distance of the corner, where few points are."""

_LOGARITHMS = 2
"""Highest power of the logarithm."""

_MOST_FEATURES = 90
"""Most corner functions of all corners together, so that the smallest layers have other features as well; the worst
corners come first."""

_WHOLE = 1e-6
"""Distance from a whole number below which an exponent counts as one."""

_LEAST_ANGLE = 0.05
"""Least angle in rad, inside or outside, of what counts as a corner; cusps have other singularities."""

_SHARES = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.1, 0.9)
"""Where the cut may lie within the outer angle."""
