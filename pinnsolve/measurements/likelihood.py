"""Likelihoods of readings: normal, or with heavy tails, so that a few wild readings do not carry a fit away.

A row is ``g(r / sigma)`` with half its square the negative log-likelihood rho, so that least squares find the most
likely field whatever the noise: ``g(u) = sign(u) sqrt(2 rho(u))``, which is as smooth as rho at zero.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

Likelihood = Literal["normal", "student", "huber"]
"""Noise as it is assumed: normal; Student's t with 4 degrees of freedom; normal with exponential tails (Huber)."""

FREEDOM = 4.0
"""Degrees of freedom of Student's t: K. L. Lange et al., "Robust statistical modeling using the t distribution",
JASA 84 (1989) 881, find 4 a good default."""

BEND = 1.345
"""Where Huber's tails begin, in standard deviations: 95 % efficient for normal noise
(P. J. Huber, Robust Statistics, 1981)."""

_SMALL = 1e-4
"""Square below which a series stands for ``log(1 + v) / v``."""


def likelihood_row(kind: Likelihood, ratio: Tensor) -> Tensor:
    """Return the row of residuals: half its square is the negative log-likelihood, but for a constant.

    Args:
        kind: The likelihood.
        ratio: Residual over sigma, any shape; sigma is the scale of the t distribution for ``student``.
    """
    if kind == "normal":
        return ratio
    if kind == "student":
        v = ratio.square() / FREEDOM
        series = 1.0 - v * (1.0 / 2.0 - v * (1.0 / 3.0 - v / 4.0))
        apart = torch.where(v > _SMALL, v, torch.ones_like(v))  # no branch may divide by zero
        share = torch.where(v > _SMALL, torch.log1p(apart) / apart, series)
        return ratio * torch.sqrt((FREEDOM + 1.0) / FREEDOM * share)
    size = ratio.abs().clamp(min=BEND)
    tail = torch.sign(ratio) * torch.sqrt(2.0 * BEND * size - BEND**2)
    return torch.where(ratio.abs() > BEND, tail, ratio)


def likelihood_weight(kind: Likelihood, ratio: Tensor) -> Tensor:
    """Return the weight ``rho'(u) / u`` of a reading, 1 for a normal one, with which least squares have the same slope.

    Args:
        kind: The likelihood.
        ratio: Residual over sigma, any shape.
    """
    if kind == "normal":
        return torch.ones_like(ratio)
    if kind == "student":
        return (FREEDOM + 1.0) / (FREEDOM + ratio.square())
    return BEND / ratio.abs().clamp(min=BEND)


def typical_ratio(kind: Likelihood) -> float:
    """Return the median of ``|r| / sigma`` that the likelihood expects; of Huber's that of its normal middle."""
    return _MEDIAN_OF_T if kind == "student" else _MEDIAN_OF_NORMAL


def spread_of_median(kind: Likelihood, number: int) -> float:
    """Return the relative standard deviation of the median of ``|r|`` over a number of readings.

    It is ``1 / (2 f(m) m sqrt(N))`` with f the density of ``|r| / sigma`` at its median m.

    Args:
        kind: The likelihood.
        number: How many readings.
    """
    median = typical_ratio(kind)
    if kind == "student":
        # f(u) = 3/8 (1 + u^2 / 4)^(-5/2) for 4 degrees of freedom
        density = 2.0 * 0.375 * math.pow(1.0 + median**2 / FREEDOM, -0.5 * (FREEDOM + 1.0))
    else:
        density = 2.0 * math.exp(-0.5 * median**2) / math.sqrt(2.0 * math.pi)
    return 1.0 / (2.0 * density * median * math.sqrt(number))


_MEDIAN_OF_NORMAL = 0.6744897501960817

_MEDIAN_OF_T = 0.7406970841126826
"""The upper quartile of Student's t with 4 degrees of freedom."""
