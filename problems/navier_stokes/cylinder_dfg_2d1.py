"""Steady laminar flow around a cylinder in a channel: the DFG benchmark 2D-1 at Re 20.

M. Schaefer & S. Turek, "Benchmark computations of laminar flow around a cylinder", Notes on Numerical Fluid
Mechanics 52 (1996) 547-566. The converged drag coefficient and pressure difference are those of G. Nabh, "On
high order methods for the stationary incompressible Navier-Stokes equations", Heidelberg 1998, as given by
FEATFLOW. The lift coefficient, 0.0106, is five hundred times smaller than the drag's and no target here.
"""

from __future__ import annotations

import pinnsolve as ps

_HEIGHT, _DIAMETER = 0.41, 0.1
_DRAG, _PRESSURE_DIFFERENCE = 5.57953523384, 0.11752016697


def cylinder_dfg_2d1(viscosity: float = 1e-3) -> ps.Problem:
    """Flow in a channel of 2.2 m x 0.41 m around a cylinder of 0.1 m, a little below the middle.

    Small next to the channel, the cylinder is hard for random features, and a trained network
    takes its time: after 95 steps the drag was 2.6 % and the pressure difference 4.8 % too small,
    and the verdict did not trust them.

    The mean velocity of the parabolic inflow is 0.2 m/s, so that Re = 0.02 / viscosity.

    Args:
        viscosity: Kinematic viscosity in m2/s (density 1); the targets are for 1e-3.
    """

    def parabola(x: ps.Coordinates) -> list[ps.Jet]:
        return [4.0 * 0.3 * x.y * (_HEIGHT - x.y) / _HEIGHT**2, 0.0 * x.y]

    channel = ps.Rectangle((0.0, 0.0), (2.2, _HEIGHT))
    domain = (channel - ps.Disk((0.2, 0.2), _DIAMETER / 2.0)).renamed({"circle": "cylinder"})
    standard = viscosity == 1e-3
    source = "Nabh 1998, FEATFLOW"
    return ps.Problem(
        name="cylinder_dfg_2d1",
        domain=domain,
        physics=ps.NavierStokes(density=1.0, dynamic_viscosity=viscosity),
        conditions=[
            ps.Inlet("left", velocity=parabola),
            ps.NoSlip("bottom"),
            ps.NoSlip("top"),
            ps.NoSlip("cylinder"),
            ps.Outlet("right"),
        ],
        quantities=[
            ps.Quantity(
                "drag coefficient",
                _drag_coefficient,
                "",
                _DRAG if standard else None,
                0.01 * _DRAG if standard else None,
                source,
            ),
            ps.Quantity(
                "pressure difference",
                _pressure_difference,
                "Pa",
                _PRESSURE_DIFFERENCE if standard else None,
                0.01 * _PRESSURE_DIFFERENCE if standard else None,
                source,
            ),
        ],
        accuracy=5e-3,
        description="laminar flow around a cylinder in a channel, DFG benchmark 2D-1; drag and pressure",
    )


def _drag_coefficient(solution: ps.Solution) -> float:
    """Return 2 F / (rho U^2 D), with the force F in x that the fluid exerts on the cylinder, per metre.

    The traction's integral over the part is the force on the fluid, from which the sign.
    """
    force = -float(solution.outflow("velocity", "cylinder")[0])
    return 2.0 * force / (0.2**2 * _DIAMETER)


def _pressure_difference(solution: ps.Solution) -> float:
    """Return the pressure in front of the cylinder less that behind it."""
    front, back = solution.at([[0.15, 0.2], [0.25, 0.2]]).pressure
    return float(front - back)
