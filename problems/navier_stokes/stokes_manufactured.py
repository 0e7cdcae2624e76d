"""Creeping flow in a closed square, driven by a body force that was made for a polynomial solution.

Stream function psi = x^2 (1 - x)^2 y^2 (1 - y)^2 and pressure p = x (1 - x) - 1/6, as widely used to test
discretisations of Stokes' equations (for instance A. Ern & J.-L. Guermond, Theory and Practice of Finite
Elements, 2004). The velocity vanishes on all sides.
"""

from __future__ import annotations

import pinnsolve as ps


def stokes_manufactured(viscosity: float = 1.0) -> ps.Problem:
    """Stokes flow with an exact polynomial solution in the unit square.

    Args:
        viscosity: Dynamic viscosity in Pa s.
    """

    def exact(x: ps.Coordinates) -> dict[str, object]:
        return {
            "velocity": [
                _bump(x.x) * _slope(x.y),
                -_slope(x.x) * _bump(x.y),
            ],
            "pressure": x.x * (1.0 - x.x) - 1.0 / 6.0,
        }

    def force(x: ps.Coordinates) -> list[ps.Jet]:
        along = _curvature(x.x) * _slope(x.y) + _bump(x.x) * _twist(x.y)
        across = _twist(x.x) * _bump(x.y) + _slope(x.x) * _curvature(x.y)
        return [1.0 - 2.0 * x.x - viscosity * along, viscosity * across]

    domain = ps.Rectangle((0.0, 0.0), (1.0, 1.0))
    return ps.Problem(
        name="stokes_manufactured",
        domain=domain,
        physics=ps.Stokes(dynamic_viscosity=viscosity, body_force=force),
        conditions=[ps.NoSlip(part) for part in domain.parts],
        exact=exact,
        accuracy=1e-6,
        description="creeping flow with an exact polynomial solution; viscosity settable",
    )


def _bump(s: ps.Jet) -> ps.Jet:
    """Return s^2 (1 - s)^2, of which the stream function is the product along x and y."""
    return s**2 - 2.0 * s**3 + s**4


def _slope(s: ps.Jet) -> ps.Jet:
    """Return its first derivative."""
    return 2.0 * s - 6.0 * s**2 + 4.0 * s**3


def _curvature(s: ps.Jet) -> ps.Jet:
    """Return its second derivative."""
    return 2.0 - 12.0 * s + 12.0 * s**2


def _twist(s: ps.Jet) -> ps.Jet:
    """Return its third derivative."""
    return 24.0 * s - 12.0
