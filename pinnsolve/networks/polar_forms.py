"""Sums of ``c zeta^a conj(zeta)^b theta^j log(r)^l`` with ``zeta = r exp(i theta)``: calculus without rounding up.

Flows near a corner at which the given velocity jumps are of this kind in every order. Derivatives, products and
integrals are exact operations on exponents; numbers enter by the coefficients alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

Exponents = tuple[int, int, int, int]
"""Powers a of zeta, b of its conjugate, j of theta and l of log(r)."""

Form = Mapping[Exponents, complex]
"""Coefficients by exponents."""

_BY_THETA = (-0.5j, 0.5j)
"""zeta times the derivative of theta by zeta; the same by the conjugate."""


def combined(*parts: tuple[complex, Form]) -> Form:
    """Return a sum of forms, each with a factor."""
    total: dict[Exponents, complex] = {}
    for factor, form in parts:
        for key, coefficient in form.items():
            total[key] = total.get(key, 0j) + factor * coefficient
    return {key: coefficient for key, coefficient in total.items() if coefficient != 0.0}


def conjugate(form: Form) -> Form:
    """Return the complex conjugate."""
    return {(b, a, j, k): c.conjugate() for (a, b, j, k), c in form.items()}


def real_part(form: Form) -> Form:
    """Return the real part."""
    return combined((0.5, form), (0.5, conjugate(form)))


def product(one: Form, other: Form) -> Form:
    """Return the product of two forms."""
    parts = (
        (1.0 + 0j, {tuple_sum(key, by): c * factor for by, factor in other.items()})
        for key, c in one.items()
    )
    return combined(*parts)


def tuple_sum(one: Exponents, other: Exponents) -> Exponents:
    """Return the exponents of a product."""
    a, b, j, k = (left + right for left, right in zip(one, other, strict=True))
    return a, b, j, k


def derivative(form: Form, which: int) -> Form:
    """Return the derivative by zeta (0) or by its conjugate (1), as if they were independent."""
    total: dict[Exponents, complex] = {}
    for (a, b, j, k), c in form.items():
        exponents = (a - 1, b) if which == 0 else (a, b - 1)
        for key, factor in (
            ((*exponents, j, k), (a, b)[which]),
            ((*exponents, j - 1, k), j * _BY_THETA[which]),
            ((*exponents, j, k - 1), 0.5 * k),
        ):
            if factor != 0.0:
                total[key] = total.get(key, 0j) + factor * c
    return total


def along(form: Form, step: complex) -> Form:
    """Return the derivative along a direction of the plane: the step that zeta takes."""
    return combined((step, derivative(form, 0)), (step.conjugate(), derivative(form, 1)))


def integral(form: Form, which: int) -> Form:
    """Return a form whose derivative by zeta (0) or by its conjugate (1) is given, one without log(r)."""
    total: dict[Exponents, complex] = {}
    for (a, b, power, _), c in form.items():
        raised = (a + 1, b) if which == 0 else (a, b + 1)
        exponent, coefficient = raised[which], c
        if exponent == 0:
            key = (*raised, power + 1, 0)
            total[key] = total.get(key, 0j) + c / (_BY_THETA[which] * (power + 1))
            continue
        for j in range(power, -1, -1):  # by parts
            coefficient = coefficient / exponent
            key = (*raised, j, 0)
            total[key] = total.get(key, 0j) + coefficient
            coefficient = -coefficient * j * _BY_THETA[which]
    return total


def integral_over_angle(form: Form) -> Form:
    """Return a form whose derivative by theta is given, one of degree zero without log(r)."""
    total: dict[Exponents, complex] = {}
    for (a, b, power, _), c in form.items():
        harmonic, coefficient = 1j * (a - b), c
        if a == b:
            key = (a, b, power + 1, 0)
            total[key] = total.get(key, 0j) + c / (power + 1)
            continue
        for j in range(power, -1, -1):  # by parts
            coefficient = coefficient / harmonic
            key = (a, b, j, 0)
            total[key] = total.get(key, 0j) + coefficient
            coefficient = -coefficient * j
    return total


def values(form: Form, zeta: Tensor) -> Tensor:
    """Return the values at complex numbers (N,), not zero; theta is between -pi and pi."""
    radius, angle = zeta.abs(), zeta.angle()
    logarithm = radius.log()
    real = torch.zeros_like(radius)
    total = torch.complex(real, real)
    for (a, b, j, k), c in form.items():
        size = radius ** (a + b) * angle**j * logarithm**k
        total = total + c * torch.polar(size.abs(), (a - b) * angle) * size.sign()
    return total
