"""The flow at a corner where the velocities of two walls differ, order by order in the distance.

Stokes flow begins it: ``psi_0 = r (A cos + B sin + C theta cos + D theta sin)`` meets any two velocities
(J. N. Goodier, Phil. Mag. 17 (1934) 554-576; G. I. Taylor, "On scraping viscous fluid from a plane surface", 1962).
Its inertia drives
``psi_1 = Re r^2 g(theta)``, and so on: the n-th is of degree n + 1 and solves
``Lap^2 psi_n = Re sum_{i+j=n-1} u_i . grad Lap psi_j`` with walls at rest (M. M. Gupta, R. P. Manohar & B. Noble,
"Nature of viscous flows near sharp corners", Computers & Fluids 9 (1981) 379-388; C. Hancock, E. Lewis & H. K. Moffatt,
"Effects of inertia in forced corner flows", J. Fluid Mech. 112 (1981) 315-327). Eddies come on top of it, with
exponents of their own.
"""

from __future__ import annotations

import cmath
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch

from pinnsolve.networks.polar_forms import (
    Form,
    combined,
    conjugate,
    derivative,
    integral,
    integral_over_angle,
    product,
    real_part,
    values,
)


@lru_cache(maxsize=64)
def jump_series(
    sides: tuple[float, float], walls: tuple[complex, complex], reynolds: float, orders: int
) -> tuple[tuple[Form, Form], ...]:
    """Return stream function and pressure of every order, fewer where an order has eddies of the same degree.

    Lengths and velocities are in any units, pressures in those of viscosity times velocity over length.

    Args:
        sides: Angles of the two walls in rad.
        walls: Their velocities ``u + i v``.
        reynolds: Density times unit of length times unit of velocity over viscosity; 0 for Stokes flow.
        orders: Most orders.
    """
    streams: list[Form] = []
    flows: list[Form] = []
    pressures: list[Form] = []
    for n in range(orders if reynolds > 0.0 else 1):
        forced: Form = _forcing(flows, streams, reynolds)
        for which in (0, 0, 1, 1):
            forced = integral(forced, which)
        stream = _with_walls(
            n, real_part(combined((1.0 / 16.0, forced))), sides, walls if n == 0 else (0j, 0j)
        )
        if stream is None:
            break
        streams.append(stream)
        flows.append(velocity_of(stream))
        pressures.append(_pressure(n, flows, reynolds))
    return tuple(zip(streams, pressures, strict=True))


def velocity_of(stream: Form) -> Form:
    """Return ``u + i v`` of a stream function."""
    return combined((-2j, derivative(stream, 1)))


def _carried(flow: Form, form: Form) -> Form:
    """Return ``u . grad`` of a form."""
    by_both = product(flow, derivative(form, 0)), product(conjugate(flow), derivative(form, 1))
    return combined(*((1.0, part) for part in by_both))


def _laplacian(form: Form) -> Form:
    return combined((4.0, derivative(derivative(form, 0), 1)))


def _forcing(flows: Sequence[Form], streams: Sequence[Form], reynolds: float) -> Form:
    pairs = zip(flows, reversed(streams), strict=True)
    return combined(*((reynolds, _carried(flow, _laplacian(stream))) for flow, stream in pairs))


def _with_walls(
    n: int, forced: Form, sides: tuple[float, float], walls: tuple[complex, complex]
) -> Form | None:
    """Return a stream function with the velocities of the walls, or None if a flow between walls at rest is alike."""
    free = _biharmonic(n)
    at = torch.tensor(
        [cmath.exp(1j * side) for side in sides], dtype=torch.complex128, device="cpu"
    )

    def on_walls(stream: Form) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return torch.view_as_real(values(velocity_of(stream), at)).reshape(-1).numpy()

    matrix = np.stack([on_walls(stream) for stream in free], axis=1)
    if np.linalg.cond(matrix) > (_RESONANCE if n else _NO_ANGLE):
        return None
    wanted = torch.view_as_real(torch.tensor(walls, dtype=torch.complex128, device="cpu"))
    weights = np.linalg.solve(matrix, wanted.reshape(-1).numpy() - on_walls(forced))
    parts = ((float(weight), stream) for weight, stream in zip(weights, free, strict=True))
    return combined((1.0, forced), *parts)


def _biharmonic(n: int) -> tuple[Form, Form, Form, Form]:
    """Return the biharmonic functions of degree n + 1 that a corner may have."""
    if n == 0:
        pair: tuple[Form, Form] = ({(1, 0, 0, 0): 1.0}, {(1, 0, 1, 0): 1.0})
    elif n == 1:
        squares: Form = {(2, 0, 0, 0): 1.0}
        even, odd = real_part(squares), real_part(combined((-1j, squares)))
        return {(1, 1, 0, 0): 1.0}, {(1, 1, 1, 0): 1.0}, even, odd
    else:
        pair = ({(n + 1, 0, 0, 0): 1.0}, {(n, 1, 0, 0): 1.0})
    one, other = pair
    return (
        real_part(one),
        real_part(combined((-1j, one))),
        real_part(other),
        real_part(combined((-1j, other))),
    )


def _pressure(n: int, flows: Sequence[Form], reynolds: float) -> Form:
    """Return the pressure of the last flow, of degree n - 1, from the equation of momentum."""
    inertia = (
        (-reynolds, _carried(one, other))
        for one, other in zip(flows[:-1], reversed(flows[:-1]), strict=True)
    )
    gradient = combined((1.0, _laplacian(flows[-1])), *inertia)
    polar = product({(0, 1, 0, 0): 1.0}, gradient)  # r p_r + i p_theta
    outwards = real_part(polar)
    if n != 1:  # Euler's relation of homogeneous functions
        return combined((1.0 / (n - 1), outwards))
    around = integral_over_angle(real_part(combined((-1j, polar))))
    level = sum(c for (a, b, j, _), c in outwards.items() if a == b and j == 0)
    return combined((1.0, around), (level, {(0, 0, 0, 1): 1.0}))


_NO_ANGLE = 1e7
"""Condition of the wall's equations of the first order above which the walls are one."""

_RESONANCE = 100.0
"""The same of later orders, above which a flow between walls at rest is alike: at 90 degrees it is 3.4, at 179 degrees
8e5, and the flow of the third order 700 times as large as the walls' velocity where the Reynolds number is 1."""
