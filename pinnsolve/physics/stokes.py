"""Stokes flow: a viscous fluid so slow or so small that inertia does not matter."""

from __future__ import annotations

from dataclasses import dataclass

from pinnsolve.jets import Coordinates, Fields, Frame, Jet, as_jet, div
from pinnsolve.physics.flow import IncompressibleFlow
from pinnsolve.physics.physics import Balance, Number, Value


@dataclass(frozen=True)
class Stokes(IncompressibleFlow):
    """Steady creeping flow in 2-D or 3-D: Reynolds numbers far below 1.

    Solves ``0 = -grad p + mu lap u + b`` and ``div u = 0``, which is linear. The natural flux is
    the stress ``-p I + mu (grad u + grad u^T)``.

    Attributes:
        dynamic_viscosity: mu in Pa s.
        body_force: b in N/m3; a list of components or a function of the coordinates; None for none.
    """

    dynamic_viscosity: Number = 1.0
    body_force: Value = None

    def check(self, frame: Frame) -> None:
        """Refuse 1-D, and time: without inertia nothing changes by itself."""
        super().check(frame)
        if frame.has_time:
            raise ValueError(
                "Stokes flow is steady, but the problem has time=; leave it out, or take NavierStokes for a "
                "flow that changes with time"
            )

    def residual(self, f: Fields, x: Coordinates) -> dict[str, Jet]:
        """Return ``momentum`` in N/m3 and ``continuity`` in 1/s."""
        return {"momentum": self._unbalanced_stress(f, x), "continuity": div(f.velocity)}

    def balances(self, f: Fields, x: Coordinates) -> dict[str, Balance]:
        """What flows in flows out; the forces on the fluid add up to zero."""
        return {
            "volume": Balance(f.velocity, as_jet(0.0, x.frame), "m3/s"),
            "momentum": Balance(-self.stress(f, x), self._body_force(x), "N"),
        }
