"""Singular functions of a corner in the plane, where smooth features converge slowly.

Near a corner solutions of second-order equations are sums of ``Re`` and ``Im`` of ``z^a`` and, where a is a whole
number, of ``z^a log(z)^q``, z counted from the corner (V. A. Kondrat'ev, "Boundary problems for elliptic equations in
domains with conical or angular points", Trans. Moscow Math. Soc. 16 (1967) 227-313). All of these are harmonic. As
features of their own they leave a smooth rest to the others (the singular function method).
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.multi_index import MultiIndex

Term = tuple[float, int, int]
"""Exponent a, power q of the logarithm and exponent b of the conjugate of ``z^a log(z)^q conj(z)^b``."""


@dataclass(frozen=True)
class CornerFunctions:
    """Real and imaginary parts of ``z^a log(z)^q conj(z)^b`` around one corner; harmonic where b = 0.

    With u and c a point and the corner in network units, ``z = (h0 (u0 - c0) + i h1 (u1 - c1)) exp(-i direction)``:
    the plane in its true proportions, turned so that the cut of the logarithm is opposite to ``direction``.

    Attributes:
        center: The corner c in network units.
        lengths: Lengths (h0, h1) of the network units along both axes, in parts of any length.
        direction: Angle in rad, from the first axis; the cut runs from the corner the opposite way.
        terms: Triples (a, q, b), q, b >= 0, a + b > 0.
    """

    center: tuple[float, float]
    lengths: tuple[float, float]
    direction: float
    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        """Refuse lengths and terms that are none."""
        if not all(math.isfinite(h) and h > 0.0 for h in self.lengths):
            raise ValueError(
                f"lengths of corner functions must be finite and > 0, got {self.lengths}"
            )
        if not self.terms or any(not a + b > 0.0 or q < 0 or b < 0 for a, q, b in self.terms):
            raise ValueError(
                "corner functions need terms (exponent, power of the logarithm >= 0, exponent of the conjugate >= 0) "
                f"whose exponents have a sum > 0, got {self.terms}"
            )

    @property
    def num_features(self) -> int:
        """Number of functions: two for each term."""
        return 2 * len(self.terms)

    def streams(self, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the partial derivatives, shape (S, N, F): for each term the real, then the imaginary part.

        z is linear in the coordinates, so a derivative along an axis is that by z times a complex number. At the
        corner itself, where derivatives may be infinite, they are those of a point very near.

        Args:
            points: Shape (N, 2), in network units.
            indices: Multi-indices, of any order.
        """
        turn = cmath.exp(-1j * self.direction)
        along = (self.lengths[0] * turn, 1j * self.lengths[1] * turn)
        x, y = (points - points.new_tensor(self.center)).unbind(1)
        flat = torch.complex(self.lengths[0] * x, self.lengths[1] * y) * turn
        z = torch.where(flat.abs() < NEAREST, torch.full_like(flat, NEAREST), flat)
        logarithm = torch.log(z)
        highest = max(len(index) for index in indices)
        streams = points.new_empty(len(indices), len(points), self.num_features)
        for k, (a, q, b) in enumerate(self.terms):
            powers = [power_derivative(z, logarithm, a, q, order) for order in range(highest + 1)]
            conjugates = [_power_of_conjugate(z, b, order) for order in range(highest + 1)]
            for place, index in zip(streams, indices, strict=True):
                value = torch.zeros_like(z)
                for order, factor in enumerate(_ways([along[axis] for axis in index])):
                    value += factor * powers[order] * conjugates[len(index) - order]
                place[:, 2 * k : 2 * k + 2] = torch.view_as_real(value)
        return streams


def _ways(steps: Sequence[complex]) -> list[complex]:
    """Return the factor of every ``d^k / dz^k d^(n - k) / d conj(z)^(n - k)``, k = 0 .. n, in n derivatives."""
    factors = [complex(1.0)]
    for step in steps:
        by_conjugate = [step.conjugate() * f for f in factors] + [0j]
        by_z = [0j] + [step * f for f in factors]
        factors = [one + other for one, other in zip(by_conjugate, by_z, strict=True)]
    return factors


def _power_of_conjugate(z: Tensor, exponent: int, order: int) -> Tensor:
    """Return a derivative of ``conj(z)^b`` by the conjugate."""
    falling = math.prod(range(exponent - order + 1, exponent + 1))
    return falling * z.conj() ** max(exponent - order, 0)


def power_derivative(
    z: Tensor, logarithm: Tensor, exponent: complex, power: int, order: int
) -> Tensor:
    """Return a derivative of ``z^a log(z)^q`` by z: z to a power times a polynomial in the logarithm.

    Args:
        z: Complex, not zero, shape (N,).
        logarithm: log(z).
        exponent: a.
        power: q.
        order: Of the derivative.
    """
    coefficients: list[complex] = [0.0j] * power + [1.0 + 0j]
    for _ in range(order):
        raised = [k * coefficients[k] for k in range(1, power + 1)] + [0.0]
        coefficients = [exponent * c + up for c, up in zip(coefficients, raised, strict=True)]
        exponent -= 1.0
    value = torch.full_like(z, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = value * logarithm + coefficient
    return value * torch.exp(exponent * logarithm)


NEAREST = 1e-12
"""Least distance from the corner, in parts of the lengths."""
