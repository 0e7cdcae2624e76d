"""Elementary functions of jets, tensors and numbers, with derivatives of every order in closed form."""

from __future__ import annotations

import math
from functools import cache
from typing import TypeVar

import torch
from torch import Tensor

from pinnsolve.jets.jet import Jet
from pinnsolve.jets.scalar import Composition, ElementaryRule

_Argument = TypeVar("_Argument", Jet, Tensor, float)


def exp_rule(z: Tensor, order: int) -> tuple[Tensor, ...]:
    """Derivatives 0..order of exp."""
    return (torch.exp(z),) * (order + 1)


def log_rule(z: Tensor, order: int) -> tuple[Tensor, ...]:
    """Derivatives 0..order of the natural logarithm."""
    tail = ((-1) ** (k - 1) * math.factorial(k - 1) / z**k for k in range(1, order + 1))
    return (torch.log(z), *tail)


def sin_rule(z: Tensor, order: int) -> tuple[Tensor, ...]:
    """Derivatives 0..order of sin."""
    s, c = torch.sin(z), torch.cos(z)
    return tuple((s, c, -s, -c)[k % 4] for k in range(order + 1))


def cos_rule(z: Tensor, order: int) -> tuple[Tensor, ...]:
    """Derivatives 0..order of cos."""
    s, c = torch.sin(z), torch.cos(z)
    return tuple((c, -s, -c, s)[k % 4] for k in range(order + 1))


def sinh_rule(z: Tensor, order: int) -> tuple[Tensor, ...]:
    """Derivatives 0..order of sinh."""
    pair = torch.sinh(z), torch.cosh(z)
    return tuple(pair[k % 2] for k in range(order + 1))


def cosh_rule(z: Tensor, order: int) -> tuple[Tensor, ...]:
    """Derivatives 0..order of cosh."""
    pair = torch.cosh(z), torch.sinh(z)
    return tuple(pair[k % 2] for k in range(order + 1))


def tanh_rule(z: Tensor, order: int) -> tuple[Tensor, ...]:
    """Derivatives 0..order of tanh, as polynomials in tanh."""
    t = torch.tanh(z)
    values = [t]
    for k in range(1, order + 1):
        coefficients = _tanh_polynomial(k)
        value = torch.full_like(t, coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            value = (
                value * t if coefficient == 0.0 else torch.addcmul(_full(t, coefficient), value, t)
            )
        values.append(value)
    return tuple(values)


def arctan_rule(z: Tensor, order: int) -> tuple[Tensor, ...]:
    """Derivatives 0..order of arctan: (k-1)! cos^k(a) sin(k (a + pi/2)) with a = arctan z."""
    angle = torch.atan(z)
    tail = (
        math.factorial(k - 1) * torch.cos(angle) ** k * torch.sin(k * (angle + math.pi / 2))
        for k in range(1, order + 1)
    )
    return (angle, *tail)


def erf_rule(z: Tensor, order: int) -> tuple[Tensor, ...]:
    """Derivatives 0..order of erf: 2/sqrt(pi) (-1)^(k-1) H_(k-1)(z) exp(-z^2), Hermite H."""
    bell = 2.0 / math.sqrt(math.pi) * torch.exp(-(z**2))
    values = [torch.erf(z)]
    previous, hermite = torch.zeros_like(z), torch.ones_like(z)
    for k in range(1, order + 1):
        values.append((-1) ** (k - 1) * hermite * bell)
        previous, hermite = hermite, 2.0 * z * hermite - 2.0 * (k - 1) * previous
    return tuple(values)


def power_rule(exponent: float) -> ElementaryRule:
    """Return the rule of ``z -> z^exponent``; a whole exponent is exact at z = 0 as well."""

    def rule(z: Tensor, order: int) -> tuple[Tensor, ...]:
        values, factor, degree = [], 1.0, float(exponent)
        for _ in range(order + 1):
            values.append(torch.zeros_like(z) if factor == 0.0 else factor * z**degree)
            factor, degree = factor * degree, degree - 1.0
        return tuple(values)

    return rule


@cache
def _tanh_polynomial(k: int) -> tuple[float, ...]:
    """Coefficients, constant first, of the k-th derivative of tanh as a polynomial in t = tanh z."""
    if k == 0:
        return (0.0, 1.0)
    slope = [i * c for i, c in enumerate(_tanh_polynomial(k - 1))][1:]
    product = [0.0] * (len(slope) + 2)
    for i, c in enumerate(slope):
        product[i] += c
        product[i + 2] -= c
    return tuple(product)


def _full(like: Tensor, value: float) -> Tensor:
    """Return a scalar tensor that broadcasts against ``like``."""
    return torch.tensor(value, dtype=like.dtype, device=like.device)


def _apply(rule: ElementaryRule, argument: _Argument) -> _Argument:
    if isinstance(argument, Jet):
        if argument.shape != ():
            raise ValueError(
                f"an elementary function takes a scalar field, got one of shape {argument.shape}; "
                "apply it to each component"
            )
        return Jet((), (Composition(rule, argument.parts[0]),), argument.frame)
    if isinstance(argument, Tensor):
        return rule(argument, 0)[0]
    return float(rule(torch.tensor(argument, dtype=torch.float64, device="cpu"), 0)[0])


def exp(z: _Argument) -> _Argument:
    """Exponential of a jet, tensor or number."""
    return _apply(exp_rule, z)


def log(z: _Argument) -> _Argument:
    """Natural logarithm of a jet, tensor or number."""
    return _apply(log_rule, z)


def sin(z: _Argument) -> _Argument:
    """Sine of a jet, tensor or number."""
    return _apply(sin_rule, z)


def cos(z: _Argument) -> _Argument:
    """Cosine of a jet, tensor or number."""
    return _apply(cos_rule, z)


def sinh(z: _Argument) -> _Argument:
    """Hyperbolic sine of a jet, tensor or number."""
    return _apply(sinh_rule, z)


def cosh(z: _Argument) -> _Argument:
    """Hyperbolic cosine of a jet, tensor or number."""
    return _apply(cosh_rule, z)


def tanh(z: _Argument) -> _Argument:
    """Hyperbolic tangent of a jet, tensor or number."""
    return _apply(tanh_rule, z)


def arctan(z: _Argument) -> _Argument:
    """Inverse tangent of a jet, tensor or number."""
    return _apply(arctan_rule, z)


def erf(z: _Argument) -> _Argument:
    """Error function of a jet, tensor or number."""
    return _apply(erf_rule, z)


def sqrt(z: _Argument) -> _Argument:
    """Square root of a jet, tensor or number."""
    return _apply(power_rule(0.5), z)
