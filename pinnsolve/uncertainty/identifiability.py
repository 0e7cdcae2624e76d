"""Which unknowns the data tell, which they do not, and which combinations of these they do.

Everything is judged by the data alone, without priors, by the eigenvalues of the marginal information in relative
changes ``dv / |v|`` of the unknowns: an eigenvector with exponents e stands for the product ``v_1^e_1 v_2^e_2 ...``,
which is known to ``eigenvalue^(-1/2)``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pinnsolve.uncertainty.gaussian import gaussian_of
from pinnsolve.uncertainty.posterior import UNTOLD, Posterior
from pinnsolve.unknowns import Unknown

Array = npt.NDArray[np.float64]

_TOLD = 0.5
"""Relative standard deviation below which a combination counts as known."""

_LEAST_EXPONENT = 0.05
"""Exponents below this share of the largest are left out of the words."""

_CLOSE = 0.1
"""Interval, relative to what was known before, up to which a number that reaches its bound is known nevertheless."""

_NORMAL_95 = 1.959964
"""Half width of the 95 % interval of a normal distribution, in standard deviations."""


MOST_IN_WORDS = 8
"""Unknowns up to which combinations of them are worth reading."""


@dataclass(frozen=True)
class Combination:
    """A product of powers of unknowns.

    Attributes:
        text: In words: ``q / k``.
        relative_std: Relative standard deviation from the data alone; infinite if they do not see it.
        exponents: One per unknown, the largest being 1 or -1.
    """

    text: str
    relative_std: float
    exponents: tuple[float, ...]


@dataclass(frozen=True)
class Identifiability:
    """What the data say about the unknowns.

    Attributes:
        ratios: Width of the 95 % interval from the data alone, relative to what was known before, by name: the width
            of the prior's interval, of the bounds, or twice the value where the bounds are logarithmic or absent.
            Infinite where the data leave one side open, unless the estimate is close to the bound there.
        combinations: Eigenvectors of the marginal information, best known first.
        one_sided: What the data do say of a number whose likelihood has one end only, by its name: ``s < 0.1``.
    """

    ratios: dict[str, float]
    combinations: tuple[Combination, ...]
    one_sided: Mapping[str, str] = field(default_factory=dict)

    @property
    def not_identifiable(self) -> tuple[str, ...]:
        """Unknowns whose interval from the data is no narrower than what was known before."""
        return tuple(name for name, ratio in self.ratios.items() if not ratio < 1.0)

    @property
    def known(self) -> tuple[Combination, ...]:
        """Combinations that the data tell."""
        return tuple(c for c in self.combinations if c.relative_std < _TOLD)

    @property
    def open(self) -> tuple[Combination, ...]:
        """Combinations that the data do not tell: the null space of the data."""
        return tuple(c for c in self.combinations if not c.relative_std < _TOLD)

    def __str__(self) -> str:
        """Return what is not told, and what is, in a sentence; empty if all unknowns are identifiable."""
        if not self.not_identifiable:
            return ""
        lost = f"not identifiable from these data: {', '.join(self.not_identifiable)}"
        sides = [f"{text} (95 %)" for text in self.one_sided.values()]
        known = [f"{c.text} is known to {_percent(c.relative_std)}" for c in self._two_sided]
        unseen = [f"{c.text} is not" for c in self.open]
        return "; ".join([lost, *sides, *known, *unseen])

    @property
    def _two_sided(self) -> tuple[Combination, ...]:
        """Combinations that the data tell, without those that are mainly a number of which they leave one side open."""
        names = tuple(self.ratios)
        mainly = {c: names[int(np.argmax(np.abs(c.exponents)))] for c in self.known}
        return tuple(c for c in self.known if mainly[c] not in self.one_sided)


def identifiability(posterior: Posterior) -> Identifiability:
    """Return what the data tell, without the priors.

    Args:
        posterior: What is known.
    """
    values, widths = posterior.mean, _widths_before(posterior)
    ratios = 2.0 * _NORMAL_95 * posterior.bound / widths
    named = {name: float(r) for name, r in zip(posterior.names, ratios, strict=True)}
    one_sided: dict[str, str] = {}
    for name in posterior.not_normal:
        width = float(widths[posterior.position(name)])
        named[name] = _ratio_of_profile(posterior, name, width)
        if not named[name] < 1.0:
            one_sided |= _one_sided(posterior, name)
    sizes = np.array([_size(u, v) for u, v in zip(posterior.unknowns, values, strict=True)])
    relative = posterior.data_factor * (sizes / posterior.slopes)
    return Identifiability(named, _combinations(relative, posterior.names), one_sided)


def spread_before(posterior: Posterior) -> Array:
    """Return the standard deviations of the search variables before anything was measured, shape (K,).

    Args:
        posterior: What is known.
    """
    return np.asarray(_widths_before(posterior) / (2.0 * _NORMAL_95 * np.abs(posterior.slopes)))


def _ratio_of_profile(posterior: Posterior, name: str, before: float) -> float:
    """Return the width of the profile's interval over that before, without what a prior contributes to it."""
    low, high = posterior.interval(name)
    ratio = (high - low) / before
    if any(posterior.profiles[name].is_open) and not ratio < _CLOSE:
        return math.inf
    if posterior.unknowns[posterior.position(name)].prior is None:
        return ratio
    return ratio / math.sqrt(1.0 - ratio**2) if ratio < 1.0 else math.inf


def _one_sided(posterior: Posterior, name: str) -> dict[str, str]:
    """Return what the data say of a number of which they leave one side open."""
    (low, high), (below, above) = posterior.interval(name), posterior.profiles[name].is_open
    if below == above:
        return {}
    return {name: f"{name} < {high:.3g}" if below else f"{name} > {low:.3g}"}


def _widths_before(posterior: Posterior) -> Array:
    """Return the widths of the intervals that the unknowns were known to lie in, shape (K,)."""
    priors = gaussian_of(posterior.prior_factor, np.zeros(len(posterior.prior_factor)))
    before = np.abs(posterior.slopes) * np.sqrt(np.diagonal(priors.covariance))
    rows = zip(posterior.unknowns, posterior.mean, before, strict=True)
    return np.array([_width_before(unknown, value, std) for unknown, value, std in rows])


def _width_before(unknown: Unknown, value: float, prior_std: float) -> float:
    """Return the width of the interval an unknown was known to lie in before anything was measured."""
    widths = [2.0 * _NORMAL_95 * prior_std] if prior_std < UNTOLD * _size(unknown, value) else []
    if unknown.bounds is not None:
        widths.append(unknown.bounds[1] - unknown.bounds[0])
    if unknown.bounds is None or unknown.logarithmic:
        widths.append(2.0 * _NORMAL_95 * _TOLD * _size(unknown, value))
    return min(widths)


def _size(unknown: Unknown, value: float) -> float:
    """Return what a change of an unknown is compared with: its value; without bounds it may be zero, its guess then."""
    return (
        abs(value)
        if unknown.bounds is not None and value
        else max(abs(value), abs(unknown.initial)) or 1.0
    )


def _combinations(relative: Array, names: Sequence[str]) -> tuple[Combination, ...]:
    """Return the right singular vectors of the data's rows in relative changes, best known first."""
    count = len(names)
    _, values, vectors = np.linalg.svd(np.vstack((relative, np.zeros((count, count)))))
    found = []
    for value, vector in zip(values[:count], vectors, strict=True):
        scaled = vector / vector[np.argmax(np.abs(vector))]
        first = next(e for e in scaled if abs(e) >= _LEAST_EXPONENT)
        exponents = tuple(float(e) for e in scaled * math.copysign(1.0, first))
        # the exponents are not of norm one
        std = float(np.linalg.norm(exponents)) / value if value > 1.0 / UNTOLD else math.inf
        found.append(Combination(_in_words(exponents, names), std, exponents))
    return tuple(found)


def _in_words(exponents: Sequence[float], names: Sequence[str]) -> str:
    """Return a product of powers: ``k * q``, ``q / k``, ``k * E^0.5``."""
    over: list[str] = []
    under: list[str] = []
    for name, exponent in zip(names, exponents, strict=True):
        power = abs(exponent)
        if power >= _LEAST_EXPONENT:
            factor = name if abs(power - 1.0) < _LEAST_EXPONENT else f"{name}^{power:.2g}"
            (over if exponent > 0.0 else under).append(factor)
    top = " * ".join(over) or "1"
    return top + "".join(f" / {factor}" for factor in under)


def _percent(share: float) -> str:
    return f"{100.0 * share:.2g} %"
