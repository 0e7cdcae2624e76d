"""Singular displacements and flows of a corner in the plane: vector fields that satisfy Lame's or Stokes' equations.

With ``zeta = x + i y`` every plane solution is ``u + i v = kappa phi - zeta conj(phi') - conj(psi)`` with phi and psi
analytic, and ``sigma_xx + sigma_yy = 8 mu Re phi'`` (N. I. Muskhelishvili, "Some Basic Problems of the Mathematical
Theory of Elasticity", 1953, par. 32); kappa = 1 is Stokes flow, with pressure ``-4 mu Re phi'``. Near a corner phi and
psi are powers ``zeta^a log(zeta)^q``, in general with complex a (M. L. Williams, "Stress singularities resulting from
various boundary conditions in angular corners of plates", J. Appl. Mech. 19 (1952) 526-528; H. K. Moffatt,
"Viscous and resistive eddies near a sharp corner", J. Fluid Mech. 18 (1964) 1-18).
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.multi_index import MultiIndex
from pinnsolve.networks.corners import NEAREST, power_derivative

Power = tuple[float, float, int]
"""Real and imaginary part of the exponent a, and power q of the logarithm."""


@dataclass(frozen=True)
class PlaneCornerFunctions:
    """Fields ``u + i v = kappa phi - zeta conj(phi') - conj(psi)`` around one corner, and the pressure of a flow.

    Each has one weight. Lengths, centre and direction are those of :class:`CornerFunctions`. For every power there are
    four fields: phi = f, phi = i f, psi = f, psi = i f with ``f = zeta^a log(zeta)^q``; for the exponent 0, a jump of
    the boundary values, two whose logarithms cancel: ``phi = c log(zeta), psi = kappa conj(c) log(zeta)``, c = 1 and i.

    Attributes:
        center: The corner in network units.
        lengths: Lengths (h0, h1) of the network units along both axes, in parts of any length.
        direction: Angle in rad, from the first axis; the cut of the logarithm runs from the corner the opposite way.
        powers: Exponents with real part >= 0 (0 with q = 1 only), q >= 0.
        kappa: Kolosov's constant: 3 - 4 nu in plane strain, (3 - nu) / (1 + nu) in plane stress, 1 for Stokes flow.
        components: Places of u and v among the outputs, and of the pressure, or -1 without one.
        factors: What u, v and pressure are multiplied by, in network units.
        num_outputs: Number C of outputs; the others are zero.
    """

    center: tuple[float, float]
    lengths: tuple[float, float]
    direction: float
    powers: tuple[Power, ...]
    kappa: float
    components: tuple[int, int, int]
    factors: tuple[float, float, float]
    num_outputs: int

    def __post_init__(self) -> None:
        """Refuse lengths and powers that are none."""
        if not all(math.isfinite(h) and h > 0.0 for h in self.lengths):
            raise ValueError(
                f"lengths of corner functions must be finite and > 0, got {self.lengths}"
            )
        if not self.powers or any(
            q < 0 or a < 0.0 or (a == 0.0 and q != 1) for a, _, q in self.powers
        ):
            raise ValueError(
                "corner functions need powers (real part > 0, imaginary part, power of the logarithm >= 0), or "
                f"(0, 0, 1), got {self.powers}"
            )

    @property
    def num_features(self) -> int:
        """Number J of fields."""
        return sum(_num_fields(power) for power in self.powers)

    def streams(self, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the partial derivatives, shape (S, N, C, J).

        At the corner itself, where derivatives may be infinite, they are those of a point very near.

        Args:
            points: Shape (N, 2), in network units.
            indices: Multi-indices, of any order.
        """
        turn = cmath.exp(-1j * self.direction)
        along = (self.lengths[0] * turn, 1j * self.lengths[1] * turn)
        x, y = (points - points.new_tensor(self.center)).unbind(1)
        flat = torch.complex(self.lengths[0] * x, self.lengths[1] * y) * turn
        zeta = torch.where(flat.abs() < NEAREST, torch.full_like(flat, NEAREST), flat)
        highest = max(len(index) for index in indices)
        streams = points.new_zeros(len(indices), len(points), self.num_outputs, self.num_features)
        first = 0
        for power in self.powers:
            last = first + _num_fields(power)
            self._fill(streams[..., first:last], zeta, power, along, indices, highest)
            first = last
        return streams

    def _fill(
        self,
        place: Tensor,
        zeta: Tensor,
        power: Power,
        along: tuple[complex, complex],
        indices: Sequence[MultiIndex],
        highest: int,
    ) -> None:
        """Write the derivatives (S, N, C, 2 or 4) of the fields of one power."""
        exponent, logarithms = complex(power[0], power[1]), power[2]
        logarithm = torch.log(zeta)
        f = [power_derivative(zeta, logarithm, exponent, logarithms, k) for k in range(highest + 3)]
        back = cmath.exp(1j * self.direction)  # fields are turned like the plane
        u, v, p = self.components
        for number, (of_phi, of_psi) in enumerate(_pairs(power, self.kappa)):
            for s, index in enumerate(indices):
                steps = [along[axis] for axis in index]
                phi = self._of_phi(zeta, [of_phi * g for g in f], steps) if of_phi else 0.0
                w = (
                    phi - (math.prod(steps, start=1.0 + 0j) * of_psi * f[len(index)]).conj()
                ) * back
                place[s, :, u, number] = self.factors[0] * w.real
                place[s, :, v, number] = self.factors[1] * w.imag
                if p >= 0 and of_phi:
                    slope = math.prod(steps, start=1.0 + 0j) * of_phi * f[len(index) + 1]
                    place[s, :, p, number] = self.factors[2] * slope.real

    def _of_phi(self, zeta: Tensor, phi: Sequence[Tensor], steps: Sequence[complex]) -> Tensor:
        """Return a derivative of ``kappa phi - zeta conj(phi')``; a step goes along a complex number."""
        order = len(steps)
        ahead, behind = (
            math.prod(steps, start=1.0 + 0j),
            math.prod(steps, start=1.0 + 0j).conjugate(),
        )
        value = self.kappa * ahead * phi[order] - zeta * behind * phi[order + 1].conj()
        for j, step in enumerate(steps):
            others = math.prod((s for k, s in enumerate(steps) if k != j), start=1.0 + 0j)
            value = value - step * others.conjugate() * phi[order].conj()
        return value


def _num_fields(power: Power) -> int:
    return 2 if power[0] == 0.0 else 4


def _pairs(power: Power, kappa: float) -> tuple[tuple[complex, complex], ...]:
    """Return the factors of f in phi and in psi, field by field."""
    if power[0] == 0.0:
        return ((1.0 + 0j, kappa + 0j), (1j, -1j * kappa))
    return ((1.0 + 0j, 0j), (1j, 0j), (0j, 1.0 + 0j), (0j, 1j))
