"""What is known of the unknowns and of the field after the measurements, as a value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.naming import near_match_text
from pinnsolve.networks import Network
from pinnsolve.scaling import Scaling
from pinnsolve.uncertainty.gaussian import gaussian_of
from pinnsolve.uncertainty.profile import Profile
from pinnsolve.unknown_functions import UnknownFunction
from pinnsolve.unknowns import Unknown

Array = npt.NDArray[np.float64]

Way = Literal["laplace", "randomise-then-optimise", "ensemble"]
"""How a posterior was found."""

_LEVEL_OF_ONE = 0.6826894921370859
"""Probability of a normal variable to be within one standard deviation."""

UNTOLD = 1e8
"""Standard deviation of a search variable from which on nothing at all is known of it."""


@dataclass(frozen=True)
class Member:
    """One draw of the field: a network with its parameters.

    Attributes:
        network: The network.
        parameters: Its parameters, shape (P,).
        scaling: Maps between SI and network units.
    """

    network: Network
    parameters: Tensor
    scaling: Scaling


@dataclass(frozen=True)
class Posterior:
    """The distribution of K unknowns, and of the field that follows from them.

    It is normal in the unknowns' search variables; intervals are mapped to the numbers themselves, so that they stay
    inside of bounds and are multiplicative on logarithmic scales. Where the profile of a number says that its
    likelihood is not normal, interval and standard deviation of that number are the profile's.

    Attributes:
        method: How it was found.
        unknowns: The unknowns.
        search: Mean of their search variables, shape (K,).
        search_covariance: Covariance of these, shape (K, K).
        data_factor: Triangle R of what the data alone say, the field marginalised: ``R^T R`` is the Fisher information
            on the search variables. Shape (R, K) with R <= K.
        prior_factor: Rows of what was known beforehand, in the same way, shape (L, K).
        log_evidence: Logarithm of the probability density of the data, by Laplace's approximation; nan without data.
        num_data: Number of measured numbers.
        num_open: How many of them the open directions of the field use up.
        root: Square root of the covariance of the network's P parameters and the K search variables, shape (P + K, R).
        samples: Draws of the unknowns, shape (number, K); none if the distribution was not sampled.
        members: Draws of the field; none if it was not sampled.
        smoothness: The smoothness of functions that was chosen from the data, by name.
        freedom: Degrees of freedom that field and unknowns take of the readings, by block of these.
        profiles: How much the data object to values of the numbers that were looked at, by name.
    """

    method: Way
    unknowns: tuple[Unknown, ...]
    search: Array
    search_covariance: Array
    data_factor: Array
    prior_factor: Array
    log_evidence: float
    num_data: int
    num_open: float
    root: Array
    samples: Array
    members: tuple[Member, ...] = ()
    smoothness: Mapping[str, float] = field(default_factory=dict)
    freedom: Mapping[str, float] = field(default_factory=dict)
    profiles: Mapping[str, Profile] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The unknowns' names, in the order of all arrays."""
        return tuple(unknown.name for unknown in self.unknowns)

    @property
    def mean(self) -> Array:
        """The unknowns' values: those at the optimum, or the mean of the draws, shape (K,)."""
        if len(self.samples):
            return np.asarray(self.samples.mean(axis=0))
        return self.values_of(self.search)

    @property
    def slopes(self) -> Array:
        """Derivative of every unknown by its search variable, shape (K,)."""
        pairs = zip(self.unknowns, self.search, strict=True)
        return np.array([unknown.slope(float(z)) for unknown, z in pairs])

    @property
    def covariance(self) -> Array:
        """Covariance of the unknowns, in their units, shape (K, K)."""
        if len(self.samples):
            return np.atleast_2d(np.cov(self.samples, rowvar=False))
        return np.asarray(self.slopes[:, None] * self.search_covariance * self.slopes)

    @property
    def std(self) -> Array:
        """Standard deviation of the unknowns, shape (K,); infinite where nothing at all is known.

        Of a number whose likelihood is not normal it is half of the 68 % interval.
        """
        found = _told(np.sqrt(np.diagonal(self.covariance)), self._search_std)
        for name in self.not_normal:
            low, high = self.interval(name, _LEVEL_OF_ONE)
            found[self.position(name)] = 0.5 * (high - low)
        return found

    @property
    def not_normal(self) -> tuple[str, ...]:
        """Numbers whose likelihood is not normal, by their profiles."""
        if len(self.samples):
            return ()
        return tuple(name for name, item in self.profiles.items() if not item.is_normal)

    @property
    def correlation(self) -> Array:
        """Correlation of the unknowns, shape (K, K)."""
        covariance = self.covariance
        std = np.sqrt(np.diagonal(covariance))
        return np.asarray(covariance / np.where(std > 0.0, std, 1.0)[:, None] / std)

    @property
    def information(self) -> Array:
        """Fisher information of the data alone on the search variables, shape (K, K)."""
        return np.asarray(self.data_factor.T @ self.data_factor)

    @property
    def bound(self) -> Array:
        """Cramer-Rao bound of the standard deviations: what the data allow without priors of numbers, shape (K,).

        The smoothness of unknown functions counts with the data: without it a spline with more coefficients than there
        are readings could be anything, and every number beside it would look unknown.
        """
        told = np.concatenate((self.data_factor, self._smoothness_rows))
        alone = gaussian_of(told, np.zeros(len(told)))
        std = np.sqrt(np.diagonal(alone.covariance))
        return _told(np.abs(self.slopes) * std, std)

    def interval(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """Return the interval that an unknown is in with a given probability.

        Args:
            name: Its name.
            level: The probability.

        Raises:
            ValueError: If there is no such unknown, or no such probability.
        """
        k = self.position(name)
        if not 0.0 < level < 1.0:
            raise ValueError(f"level must lie between 0 and 1, got {level}")
        if len(self.samples):
            ends = np.quantile(self.samples[:, k], [0.5 - 0.5 * level, 0.5 + 0.5 * level])
            return float(ends[0]), float(ends[1])
        from scipy.special import ndtri

        widths = float(ndtri(0.5 + 0.5 * level))
        if name in self.not_normal:
            profile = self.profiles[name]
            return self.value_of(name, profile.at(-widths)), self.value_of(name, profile.at(widths))
        return self._mapped(k, widths)

    def position(self, name: str) -> int:
        """Return the place of an unknown in all arrays.

        Raises:
            ValueError: If there is no such unknown.
        """
        if name not in self.names:
            raise ValueError(f"no unknown {name!r}. {near_match_text(name, self.names)}")
        return self.names.index(name)

    @property
    def num_network(self) -> int:
        """Number P of the network's parameters that the root of the covariance is of."""
        return max(len(self.root) - len(self.unknowns), 0)

    def values_of(self, search: Array) -> Array:
        """Return the unknowns' values at search variables, shape (K,)."""
        pairs = zip(self.unknowns, search, strict=True)
        return np.array(
            [
                float(u.value(torch.tensor(float(z), dtype=torch.float64, device="cpu")))
                for u, z in pairs
            ]
        )

    def value_of(self, name: str, search: float) -> float:
        """Return the value of one unknown at a search variable, which may be infinite.

        Args:
            name: Its name.
            search: The search variable.
        """
        at = torch.tensor(search, dtype=torch.float64, device="cpu")
        return float(self.unknowns[self.position(name)].value(at))

    def of_function(self, function: UnknownFunction) -> Array:
        """Return the covariance of a function's coefficients, shape (K, K).

        Args:
            function: The declaration, its coefficients unknown.
        """
        places = [self.position(c.name) for c in function.coefficients if isinstance(c, Unknown)]
        return np.asarray(self.covariance[np.ix_(np.array(places), np.array(places))])

    def _mapped(self, k: int, widths: float) -> tuple[float, float]:
        """Return the values ``widths`` standard deviations below and above the mean of a search variable."""
        unknown, std = self.unknowns[k], float(self._search_std[k])
        if std > UNTOLD:
            return unknown.bounds if unknown.bounds is not None else (-math.inf, math.inf)
        ends = torch.tensor([-1.0, 1.0], dtype=torch.float64, device="cpu") * widths * std
        low, high = sorted(unknown.value(ends + float(self.search[k])).tolist())
        return low, high

    @property
    def _smoothness_rows(self) -> Array:
        """Priors' rows that see several unknowns, as differences of coefficients do; those of numbers see one."""
        return np.asarray(self.prior_factor[np.count_nonzero(self.prior_factor, axis=1) > 1])

    @property
    def _search_std(self) -> Array:
        return np.asarray(np.sqrt(np.diagonal(self.search_covariance)))


def search_values(unknowns: Sequence[Unknown], values: Sequence[float]) -> Array:
    """Return the search variables of the unknowns' values, shape (K,)."""
    found = []
    for unknown, value in zip(unknowns, values, strict=True):
        if unknown.bounds is None:
            found.append((value - unknown.initial) / (abs(unknown.initial) or 1.0))
        else:
            found.append(replace(unknown, initial=value).start)
    return np.array(found)


def _told(std: Array, search_std: Array) -> Array:
    return np.where(search_std > UNTOLD, np.inf, std)
