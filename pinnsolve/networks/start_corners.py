"""Singular functions of a wall at the start of time, where smooth features converge slowly.

Where the values or fluxes on a wall do not continue those of the start, the solution of a heat equation is singular at
their common corner. With d the distance from the wall and tau the time since the start, it is there a sum of

    V_m(d, tau) = (4 kappa tau)^(m / 2) i^m erfc(z),  z = d / sqrt(4 kappa tau),

i^m erfc the m-th repeated integral of the complementary error function, and of smooth functions (H. S. Carslaw & J. C.
Jaeger, "Conduction of Heat in Solids", 2nd ed., 1959, par. 2.5 and appendix II). m = 0 is a jump of the value, m = 1
one of the flux, m = 2 a value that begins to change. All are solutions of the heat equation, and their derivatives are
others of them: ``dV_m / dd = -V_(m-1)``, ``dV_m / dtau = kappa V_(m-2)``. Where a wall exchanges heat, eta its transfer
coefficient over the conductivity, solutions R_m with ``eta R_m - dR_m / dd = V_m`` take their place:

    R_m(d, tau) = int_d^oo exp(-eta (s - d)) V_m(s, tau) ds,

with the same derivatives, ``R_(m-1) = V_m - eta R_m``, and ``R_(-1) = exp(-z^2) erfcx(z + eta sqrt(kappa tau))``; with
eta = 0, a given flux, R_m is V_(m+1).

Where kappa or eta are to be found, their derivatives by these carry the singularity of what a step changes. All
depend on kappa by kappa tau only, so ``kappa^j d^j V_m / dkappa^j = (kappa tau)^j V_(m-2j)``; and ``Q_m = dR_m / deta``
has the same derivatives again, ``Q_(m-1) = -R_m - eta Q_m``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.multi_index import MultiIndex


@dataclass(frozen=True)
class StartCornerFunctions:
    """The functions V_m or R_m of one end of an interval, each divided by its value on the wall at the end of time.

    The coordinates u = (x, t) are in network units: the interval is [-1, 1], time begins at -1 and ends at 1.

    Attributes:
        wall: Coordinate of the end, -1 or 1, or of an image of it further out.
        diffusivity: kappa in network units: ``kappa h_t / h_x^2`` with half the extents h_x in m and h_t in s.
        orders: The m, >= 0.
        transfer: eta in network units: the transfer coefficient over the conductivity, times half the interval's
            length; 0 where a flux is given. None where values are given: then the functions are V_m, else R_m.
        by_diffusivity: j of their derivatives by kappa that are taken instead, ``(kappa tau)^j V_(m-2j)``, divided by
            what the functions themselves are divided by.
        by_transfer: Whether their derivatives by eta, Q_m, take the place of R_m.
    """

    wall: float
    diffusivity: float
    orders: tuple[int, ...]
    transfer: float | None = None
    by_diffusivity: int = 0
    by_transfer: bool = False

    def __post_init__(self) -> None:
        """Refuse walls, diffusivities and orders that are none."""
        if not 1.0 <= abs(self.wall) < math.inf:
            raise ValueError(
                f"the wall must not be within the interval, -1 to 1 in network units, got {self.wall}"
            )
        if not (math.isfinite(self.diffusivity) and self.diffusivity > 0.0):
            raise ValueError(f"the diffusivity must be finite and > 0, got {self.diffusivity}")
        if self.transfer is not None and not 0.0 <= self.transfer < math.inf:
            raise ValueError(f"the transfer must be finite and >= 0, got {self.transfer}")
        if not self.orders or min(self.orders) < 0:
            raise ValueError(
                f"functions of a wall at the start need orders >= 0, got {self.orders}"
            )
        if self.by_diffusivity < 0:
            raise ValueError(f"by_diffusivity must be >= 0, got {self.by_diffusivity}")
        if self.by_transfer and self.transfer is None:
            raise ValueError("there is no derivative by_transfer where the wall gives the value")

    @property
    def num_features(self) -> int:
        """Number of functions."""
        return len(self.orders)

    def streams(self, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the partial derivatives, shape (S, N, F).

        At the start itself they are zero, their limit from the inside.

        Args:
            points: Shape (N, 2), in network units.
            indices: Multi-indices, of any order.
        """
        # a derivative by x lowers m by one, by t by two
        drops = [2 * len(index) - index.count(0) for index in indices]
        lowest = min(self.orders) - max(drops) - 2 * self.by_diffusivity
        towards = math.copysign(1.0, self.wall)
        # the last place is the wall itself at the end
        distance = torch.cat((abs(self.wall) - towards * points[:, 0], points.new_zeros(1)))
        since = torch.cat((points[:, 1] + 1.0, points.new_full((1,), 2.0))).clamp(min=NEAREST)
        begun = points[:, 1] + 1.0 > NEAREST
        members = self._members(distance, since, lowest)
        streams = points.new_empty(len(indices), len(points), self.num_features)
        for place, index in zip(streams, indices, strict=True):
            times = len(index) - index.count(0)
            factor = towards ** index.count(0) * self.diffusivity**times
            for column, order in enumerate(self.orders):
                found = self._derivative(members, since, order, index.count(0), times)
                member = factor / members[order][-1] * found[:-1]
                place[:, column] = torch.where(begun, member, torch.zeros_like(member))
        return streams

    def _derivative(
        self, members: dict[int, Tensor], since: Tensor, order: int, places: int, times: int
    ) -> Tensor:
        """Return a derivative along ``-d`` and ``kappa tau`` of ``(kappa tau)^j V_(m-2j)`` by Leibniz' rule."""
        power = self.by_diffusivity
        found = torch.zeros_like(since)
        for fewer in range(min(power, times) + 1):
            kept = math.comb(times, fewer) * math.perm(power, fewer)
            drop = places + 2 * (times - fewer) + 2 * power
            found = (
                found + kept * (self.diffusivity * since) ** (power - fewer) * members[order - drop]
            )
        return found

    def _members(self, distance: Tensor, since: Tensor, lowest: int) -> dict[int, Tensor]:
        """Return V_m, R_m or Q_m, from the lowest m on, each of shape (N,)."""
        depth, highest = torch.sqrt(4.0 * self.diffusivity * since), max(self.orders)
        z = distance / depth
        if self.transfer is None:
            found = repeated_integrals(z, lowest, highest)
            return {m: depth**m * integral for m, integral in found.items()}
        rate = 0.5 * self.transfer * depth
        if self.by_transfer:
            slopes = damped_slopes(z, rate, lowest, highest)
            return {m: 0.5 * depth ** (m + 2) * slope for m, slope in slopes.items()}
        damped = damped_integrals(z, rate, lowest, highest)
        return {m: depth ** (m + 1) * integral for m, integral in damped.items()}


def repeated_integrals(z: Tensor, lowest: int, highest: int) -> dict[int, Tensor]:
    """Return ``i^n erfc(z)`` for n from lowest to highest, each of shape (N,); negative n are derivatives.

    ``i^n erfc = (i^(n-2) erfc - 2 z i^(n-1) erfc) / (2 n)`` upwards from n = -1 loses digits as z grows. From z = 1 on
    the quotients ``i^n erfc / i^(n-1) erfc`` are taken, by the same recurrence downwards: a continued fraction.

    Args:
        z: Shape (N,).
        lowest: Least n, negative or not.
        highest: Largest n, >= 0.
    """
    bell = 2.0 / math.sqrt(math.pi) * torch.exp(-z.square())
    found = {-1: bell, 0: torch.special.erfc(z)}
    near = z < _FROM_ABOVE
    ratios = _quotients(z.clamp(min=_FROM_ABOVE), highest)
    for n in range(1, highest + 1):
        upwards = (found[n - 2] - 2.0 * z * found[n - 1]) / (2.0 * n)
        found[n] = torch.where(near, upwards, ratios[n - 1] * found[n - 1])
    before, hermite = torch.zeros_like(z), torch.ones_like(z)
    for n in range(-2, lowest - 1, -1):
        # the derivatives of exp(-z^2) are Hermite polynomials times it: H_(k+1) = 2 z H_k - 2 k H_(k-1)
        before, hermite = hermite, 2.0 * z * hermite + 2.0 * (n + 2) * before
        found[n] = hermite * bell
    return found


def damped_integrals(z: Tensor, rate: Tensor, lowest: int, highest: int) -> dict[int, Tensor]:
    """Return ``J_n = int_z^oo exp(-2 s (y - z)) i^n erfc(y) dy``, n from lowest to highest, each of shape (N,).

    ``J_(n-1) = i^n erfc(z) - 2 s J_n`` loses digits upwards where s is small, downwards where it is large.

    Args:
        z: Shape (N,), >= 0 or nearly so.
        rate: s >= 0, shape (N,).
        lowest: Least n, negative or not.
        highest: Largest n, >= 0.
    """
    last = highest + _DAMPED_TERMS
    plain = repeated_integrals(z, min(lowest + 1, -1), last + 1)
    downwards = {last: plain[last + 1] / (1.0 + rate)}
    for n in range(last, 0, -1):
        downwards[n - 1] = plain[n] - 2.0 * rate * downwards[n]
    slow = 2.0 * rate * plain[1] < plain[0]
    found = {-1: torch.exp(-z.square()) * torch.special.erfcx(z + rate)}
    for n in range(highest + 1):
        upwards = (plain[n] - found[n - 1]) / (2.0 * rate.clamp(min=_LEAST_RATE))
        found[n] = torch.where(slow, downwards[n], upwards)
    for n in range(-1, lowest, -1):
        found[n - 1] = plain[n] - 2.0 * rate * found[n]
    return found


def damped_slopes(z: Tensor, rate: Tensor, lowest: int, highest: int) -> dict[int, Tensor]:
    """Return ``dJ_n / ds`` of the damped integrals J_n, n from lowest to highest, each of shape (N,).

    Their recurrence, differentiated: ``dJ_(n-1) / ds = -2 J_n - 2 s dJ_n / ds``, both ways as there.

    Args:
        z: Shape (N,), >= 0 or nearly so.
        rate: s >= 0, shape (N,).
        lowest: Least n, negative or not.
        highest: Largest n, >= 0.
    """
    last = highest + _DAMPED_TERMS
    plain = repeated_integrals(z, -1, last + 1)
    damped = damped_integrals(z, rate, min(lowest, -1), highest)
    integral = plain[last + 1] / (1.0 + rate)
    slope = -integral / (1.0 + rate)
    downwards = {}
    for n in range(last, 0, -1):
        slope = -2.0 * integral - 2.0 * rate * slope
        integral = plain[n] - 2.0 * rate * integral
        downwards[n - 1] = slope
    slow = 2.0 * rate * plain[1] < plain[0]
    w = z + rate
    # exp(w^2) i erfc(w) loses digits as w grows, the quotient of i erfc and erfc does not
    near = 1.0 / math.sqrt(math.pi) - w * torch.special.erfcx(w)
    far = torch.special.erfcx(w) * _quotients(w.clamp(min=_FROM_ABOVE), 1)[0]
    found = {-1: -2.0 * torch.exp(-z.square()) * torch.where(w < _FROM_ABOVE, near, far)}
    for n in range(highest + 1):
        upwards = -(found[n - 1] + 2.0 * damped[n]) / (2.0 * rate.clamp(min=_LEAST_RATE))
        found[n] = torch.where(slow, downwards[n], upwards)
    for n in range(-1, lowest, -1):
        found[n - 1] = -2.0 * damped[n] - 2.0 * rate * found[n]
    return found


def _quotients(z: Tensor, highest: int) -> list[Tensor]:
    """Return ``i^n erfc(z) / i^(n-1) erfc(z)`` for n from 1 to highest, z >= 1."""
    above = highest + _TERMS
    quotient = (torch.sqrt(z.square() + 2.0 * (above + 1)) - z) / (2.0 * (above + 1))
    quotients = []
    for n in range(above, 0, -1):
        quotient = 1.0 / (2.0 * z + 2.0 * (n + 1) * quotient)
        if n <= highest:
            quotients.append(quotient)
    return quotients[::-1]


NEAREST = 1e-24
"""Time since the start, in network units, before which nothing has happened yet."""

_FROM_ABOVE = 1.0
"""z from which quotients are taken."""

_DAMPED_TERMS = 60
"""Steps downwards of damped integrals: terms fall like s^n / (n / 2)!, s < 1."""

_LEAST_RATE = 0.1
"""Least s that is divided by; below, what comes of it is not used."""

_TERMS = 160
"""Terms of the continued fraction: at z = 1 enough for double precision."""
