"""The flow at one corner whose walls have different velocities, as one feature for all components."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.multi_index import MultiIndex
from pinnsolve.networks.corners import NEAREST
from pinnsolve.networks.jump_series import jump_series, velocity_of
from pinnsolve.networks.polar_forms import Form, along, combined, product, values


@dataclass(frozen=True)
class JumpFlow:
    """The first orders of a flow near a corner at which the velocity given on one side is not that of the other.

    It meets the walls' velocities and Stokes' equations, with inertia those of Navier and Stokes but for its last
    order; pressure is infinite in the corner. See :mod:`pinnsolve.networks.jump_series`. Its weight in a solution is 1.
    Orders with inertia grow with the distance: their stream functions and pressures are multiplied by
    ``exp(-(r / reach)^4)``, which leaves mass conserved and walls at rest, and changes nothing near the corner.

    Attributes:
        center: The corner in network units.
        lengths: Lengths (h0, h1) of the network units along both axes, in parts of any length.
        direction: Angle in rad, from the first axis; the cut of the logarithm runs from the corner the opposite way.
        sides: Angles of the two walls in rad, from ``direction``, between -pi and pi.
        walls: Velocities (u, v) of the two walls, in any unit.
        reynolds: Density times unit of length times unit of velocity over viscosity; 0 for Stokes flow.
        reach: Distance from the corner at which orders with inertia fade, in the lengths' parts.
        orders: Most orders: 1 is Stokes flow, 2 has the first effect of inertia.
        components: Places of u, v and pressure among the outputs.
        factors: What u, v and pressure are multiplied by, in network units; pressures are in viscosity times unit of
            velocity over unit of length.
        num_outputs: Number C of outputs; the others are zero.
    """

    center: tuple[float, float]
    lengths: tuple[float, float]
    direction: float
    sides: tuple[float, float]
    walls: tuple[tuple[float, float], tuple[float, float]]
    reynolds: float
    reach: float
    orders: int
    components: tuple[int, int, int]
    factors: tuple[float, float, float]
    num_outputs: int

    def __post_init__(self) -> None:
        """Refuse lengths, angles and numbers that are none."""
        if not all(math.isfinite(h) and h > 0.0 for h in self.lengths):
            raise ValueError(
                f"lengths of a flow at a corner must be finite and > 0, got {self.lengths}"
            )
        first, last = self.sides
        if not -math.pi <= first < last <= math.pi:
            raise ValueError(
                "sides of a corner must be two angles between -pi and pi, the lesser one first, "
                f"got {self.sides}"
            )
        if self.orders < 1 or not self.reynolds >= 0.0 or not self.reach > 0.0:
            raise ValueError(
                "a flow at a corner needs orders >= 1, reynolds >= 0 and reach > 0, "
                f"got {self.orders}, {self.reynolds} and {self.reach}"
            )

    @property
    def num_features(self) -> int:
        """One."""
        return 1

    def streams(self, points: Tensor, indices: Sequence[MultiIndex]) -> Tensor:
        """Return the partial derivatives, shape (S, N, C, 1).

        At the corner itself, where they are infinite, they are those of a point very near.

        Args:
            points: Shape (N, 2), in network units.
            indices: Multi-indices, of any order.
        """
        back = cmath.exp(1j * self.direction)  # the flow is turned like the plane
        turn = back.conjugate()
        steps = (self.lengths[0] * turn, 1j * self.lengths[1] * turn)
        x, y = (points - points.new_tensor(self.center)).unbind(1)
        flat = torch.complex(self.lengths[0] * x, self.lengths[1] * y) * turn
        zeta = torch.where(flat.abs() < NEAREST, torch.full_like(flat, NEAREST), flat)
        one, other = (complex(*velocity) * turn for velocity in self.walls)
        (stokes, level), *others = jump_series(self.sides, (one, other), self.reynolds, self.orders)
        inertia = combined(*((1.0, stream) for stream, _ in others))
        slope = product({(2, 1, 0, 0): -2.0 / self.reach**4}, inertia)
        plain = combined((back, velocity_of(stokes))), level
        faded = (
            combined((back, velocity_of(inertia)), (-2j * back, slope)),
            combined(*((1.0, pressure) for _, pressure in others)),
        )
        fading = torch.exp(-((zeta.abs() / self.reach) ** 4))
        streams = points.new_zeros(len(indices), len(points), self.num_outputs, 1)
        u, v, p = self.components
        for place, index in zip(streams, indices, strict=True):
            velocity, pressure = (
                values(_differentiated(form, [steps[k] for k in index], math.inf), zeta)
                + fading
                * values(_differentiated(fades, [steps[k] for k in index], self.reach), zeta)
                for form, fades in zip(plain, faded, strict=True)
            )
            place[:, u, 0] = self.factors[0] * velocity.real
            place[:, v, 0] = self.factors[1] * velocity.imag
            place[:, p, 0] = self.factors[2] * pressure.real
        return streams


def _differentiated(form: Form, steps: Sequence[complex], reach: float) -> Form:
    """Return a derivative of a form that is multiplied by ``exp(-(r / reach)^4)``, without this factor."""
    for step in steps:
        outwards = {
            (1, 2, 0, 0): -2.0 * step / reach**4,
            (2, 1, 0, 0): -2.0 * step.conjugate() / reach**4,
        }
        form = combined((1.0, along(form, step)), (1.0, product(outwards, form)))
    return form
