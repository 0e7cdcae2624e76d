"""Is the likelihood of an unknown normal, as Laplace's approximation takes it to be? Profiles say so, and what it is.

Along one unknown, the others and the field at their best for each of its values, the least chi-square grows by
``((z - z0) / std)^2`` if all is linear. Its signed root is followed from the estimate two standard deviations to both
sides, by cheap steps of the field (:mod:`pinnsolve.uncertainty.following`). Where it is not as it should be the walk
goes on, to where the root is 1.96, the end of the 95 % profile-likelihood interval (D. M. Bates & D. G. Watts,
Nonlinear Regression Analysis and Its Applications, 1988, ch. 6), or until it is plain that there is no such place
before the bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.networks import LinearNetwork
from pinnsolve.problem import Problem
from pinnsolve.residuals import System
from pinnsolve.uncertainty.following import Follower, follower
from pinnsolve.uncertainty.laplace import unknowns_given
from pinnsolve.uncertainty.linearisation import linearise
from pinnsolve.uncertainty.marginal import marginalise, stiffness_of
from pinnsolve.uncertainty.open_field import is_open
from pinnsolve.uncertainty.posterior import UNTOLD, Posterior
from pinnsolve.uncertainty.profile import Profile
from pinnsolve.unknowns import find_unknowns

Array = npt.NDArray[np.float64]

MOST_NUMBERS = 8
"""Numbers whose profiles are found; with more of them none is."""

_FIRST = 2.0
"""Where a profile is looked at first, in standard deviations."""

_LONGEST = 1.0
"""Most that stands for a standard deviation of a search variable: those of bounded ones are hardly wider."""

_FARTHEST = 6.0
"""Search variable beyond which a bounded unknown is at its bound: within 0.25 % of the interval."""

_END = 1.96
"""Root at the end of the 95 % interval."""

_NEAR = 0.15
"""Distance from that root that needs no better place."""

_MOST_PLACES = 5
"""Most places on one side."""

_MOST_STEPS = 4
"""Most Gauss-Newton steps of the other unknowns at one place."""

_STILL = 0.05
"""Step of the other unknowns, in standard deviations, that is the last one."""


@dataclass(frozen=True)
class _Place:
    """A point of a profile: parameters, rows of data and priors, and their derivative by the search variables."""

    theta: Tensor
    rows: Array
    slopes: Array

    @property
    def chi2(self) -> float:
        return float(self.rows @ self.rows)


@dataclass(frozen=True)
class _Walker:
    """What is needed to walk along unknowns."""

    system: System
    fields: Follower
    response: Array

    def placed(self, base: _Place, move: Array, free: Sequence[int]) -> _Place | None:
        """Return the place with search variables moved, and the free ones at their best; None if no field was found."""
        found = self._moved(base, move)
        for _ in range(_MOST_STEPS):
            if found is None or not free:
                return found
            step = np.zeros(found.slopes.shape[1])
            own = found.slopes[:, list(free)]
            step[list(free)] = np.linalg.lstsq(own, -found.rows, rcond=1e-12)[0]
            if np.linalg.norm(found.slopes @ step) < _STILL:
                return found
            after = self._moved(found, step)
            if after is None or after.chi2 > found.chi2:
                return found
            found = after
        return found

    def _moved(self, base: _Place, move: Array) -> _Place | None:
        """Return the place with search variables moved; the derivative learns from the rows (Broyden's update)."""
        along = torch.from_numpy(np.concatenate((self.response @ move, move)))
        found = self.fields.at(base.theta + along.to(base.theta))
        if found is None:
            return None
        theta, rows = found
        square = float(move @ move)
        slopes = base.slopes
        if square > 0.0:
            slopes = slopes + np.outer(rows - base.rows - slopes @ move, move) / square
        return _Place(theta, rows, slopes)


def profiles_of(
    system: System, theta: Tensor, names: Sequence[str], stiffness: float
) -> dict[str, Profile]:
    """Return the profiles of unknown numbers; without those that the data do not see, and whose field was not found.

    The smoothness of functions is held as it is. Cheap steps need a field that is linear in its parameters, as one of
    random features is, and that the equations settle: there are none of other networks, nor where the field rests on
    data and on an expected spread of its weights.

    Args:
        system: The trained system.
        theta: Its solution, shape (P + K,).
        names: The numbers; none are looked at if there are more than :data:`MOST_NUMBERS`.
        stiffness: How much stiffer the physics is than the data.
    """
    measured = any(b.noise is not None and b.kind != "prior" for b in system.blocks)
    linear = isinstance(system.network, LinearNetwork)
    if not (0 < len(names) <= MOST_NUMBERS and measured and linear) or is_open(system.network):
        return {}
    exact, at = system.to(dtype=torch.float64), theta.detach().to(torch.float64)
    exact = replace(exact, tables=())
    rows = linearise(exact, at)
    marginal = marginalise(rows, stiffness)
    known = unknowns_given(marginal, rows.priors)
    walker = _Walker(exact, follower(exact, rows, stiffness), marginal.response)
    start = _start(walker, at)
    if start is None:
        return {}
    positions = [u.name for u in system.unknowns]
    found = {}
    for name in names:
        k = positions.index(name)
        std = float(np.linalg.norm(known.root[k]))
        if std < UNTOLD:
            profile = _profile(walker, start, k, known.root @ known.root[k] / std)
            if profile is not None:
                found[name] = profile
    return found


def with_profiles(
    posterior: Posterior, system: System, theta: Tensor, problem: Problem
) -> Posterior:
    """Return a posterior with the profiles of the problem's unknown numbers; those of functions have none.

    Args:
        posterior: What is known by Laplace's approximation.
        system: The trained system.
        theta: Its solution.
        problem: The declaration.
    """
    of_functions = {unknown.name for unknown in find_unknowns(problem.functions)}
    names = [name for name in posterior.names if name not in of_functions]
    return replace(posterior, profiles=profiles_of(system, theta, names, stiffness_of(problem)))


def _start(walker: _Walker, theta: Tensor) -> _Place | None:
    """Return the optimum."""
    found = walker.fields.at(theta)
    if found is None:
        return None
    data, response = walker.fields.data, torch.from_numpy(walker.response).to(theta)
    count = len(response)
    slopes = [j[:, :count] @ response + j[:, count:] for _, j in data.linearised(theta)]
    base = _Place(*found, torch.cat(slopes).cpu().numpy())
    size = base.slopes.shape[1]
    return walker.placed(base, np.zeros(size), range(size))


def _profile(walker: _Walker, start: _Place, k: int, along: Array) -> Profile | None:
    """Return the profile of unknown k, of which one standard deviation moves all search variables by ``along``."""
    std = float(along[k])
    unit = along * min(1.0, _LONGEST / std)
    far = _FARTHEST if walker.system.unknowns[k].bounds is not None else math.inf
    centre = float(start.theta[len(walker.response) + k])
    sides = [_Side(walker, start, k, sign * unit, far - sign * centre) for sign in (-1.0, 1.0)]
    first = [side.first() for side in sides]
    if any(item is None for item in first):
        return None
    low, high = (((0.0, 0.0), item) for item in first if item is not None)
    near = _joined(centre, std, low, high)
    if near.is_normal:
        return near
    return _joined(
        centre, std, *(side.followed(p) for side, p in zip(sides, (low, high), strict=True))
    )


def _joined(
    centre: float,
    std: float,
    low: Sequence[tuple[float, float]],
    high: Sequence[tuple[float, float]],
) -> Profile:
    """Return a profile from distances and roots on both sides, each from the centre outwards."""
    left = [(centre - distance, -root) for distance, root in reversed(low[1:])]
    right = [(centre + distance, root) for distance, root in high]
    search, roots = np.array([*left, *right]).T
    return Profile(centre, search, roots, std)


class _Side:
    """A walk to one side: distances of the search variable and roots of the excess of chi-square."""

    def __init__(self, walker: _Walker, start: _Place, k: int, unit: Array, longest: float) -> None:
        self._walker, self._start, self._unit, self._size = walker, start, unit, abs(float(unit[k]))
        self._longest = max(longest, 1e-3)
        self._free = [i for i in range(len(unit)) if i != k]
        self._places: list[tuple[float, _Place]] = [(0.0, start)]

    def first(self) -> tuple[float, float] | None:
        return self._at(min(_FIRST * self._size, self._longest))

    def followed(self, known: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        """Return distances and roots, in order, up to the end of the interval or to where it is plainly open."""
        found = list(known)
        while len(found) < _MOST_PLACES:
            wanted = _next_distance(found, self._longest)
            item = None if wanted is None else self._at(wanted)
            if item is None:
                break
            found = sorted([*found, item])
        return _rising(found)

    def _at(self, distance: float) -> tuple[float, float] | None:
        before, base = min(self._places, key=lambda item: abs(item[0] - distance))
        place = self._walker.placed(base, self._unit * (distance - before) / self._size, self._free)
        if place is None:
            return None
        self._places.append((distance, place))
        return distance, math.sqrt(max(place.chi2 - self._start.chi2, 0.0))


def _next_distance(found: Sequence[tuple[float, float]], longest: float) -> float | None:
    """Return where to look next: between two places if the end lies there, else twice as far; None if all is plain."""
    beyond = [item for item in found if item[1] >= _END]
    if beyond:
        before = [item for item in found if item[0] < beyond[0][0]][-1]
        nearest = min(abs(before[1] - _END), abs(beyond[0][1] - _END))
        if nearest < _NEAR:
            return None
        share = (_END - before[1]) / (beyond[0][1] - before[1])
        return before[0] + min(max(share, 0.1), 0.9) * (beyond[0][0] - before[0])
    (last, root), (previous, earlier) = found[-1], found[-2]
    slope = max(root - earlier, 0.0) / (last - previous)
    reached = last >= longest * (1.0 - 1e-9)
    flat = len(found) > 2 and root + slope * (longest - last) < _END
    return None if reached or flat else min(2.0 * last, longest)


def _rising(found: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return distances and roots that never fall: what is beyond a higher root is not nearer."""
    highest = np.maximum.accumulate([root for _, root in found])
    return [(distance, float(root)) for (distance, _), root in zip(found, highest, strict=True)]
