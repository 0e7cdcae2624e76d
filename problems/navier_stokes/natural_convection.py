"""Natural convection of air in a square cavity, hot on the left, cold on the right.

G. de Vahl Davis, "Natural convection of air in a square cavity: a bench mark numerical solution", Int. J.
Numer. Methods Fluids 3 (1983) 249-264. Prandtl number 0.71; lengths in units of the side L, velocities in
units of kappa / L, temperatures from 0 (cold) to 1 (hot). Targets are from a Legendre-Galerkin solution
(20 modes an axis at Ra 1e3 and 1e4, 34 at 1e5), converged in the digits given; de Vahl Davis's own numbers,
extrapolated from grids of up to 81 x 81, differ from them by up to 0.1 %.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import pinnsolve as ps

_PRANDTL = 0.71

_TARGETS = {
    1e3: (1.1177897, 3.6494475, 3.6974382),
    1e4: (2.2448158, 16.1833348, 19.6282197),
    1e5: (4.5216357, 34.7406712, 68.6353654),
}
"""Mean Nusselt number, largest u on x = 0.5 and largest v on y = 0.5, by Rayleigh number."""


def natural_convection(rayleigh: float = 1e3) -> ps.Problem:
    """Buoyant flow of air in a unit square between a hot and a cold wall (de Vahl Davis).

    With density, specific heat and conductivity 1 the diffusivity is 1, the viscosity Pr, and the
    buoyancy Ra Pr T.

    Args:
        rayleigh: Rayleigh number; there are targets for 1e3, 1e4 and 1e5.
    """
    if not rayleigh > 0:
        raise ValueError(f"rayleigh must be > 0, got {rayleigh}")
    return ps.Problem(
        name="natural_convection",
        domain=ps.Rectangle((0.0, 0.0), (1.0, 1.0)),
        physics=ps.Boussinesq(
            ps.NavierStokes(density=1.0, dynamic_viscosity=_PRANDTL),
            conductivity=1.0,
            specific_heat=1.0,
            expansion=1.0,
            gravity=(0.0, -rayleigh * _PRANDTL),
            reference_temperature=0.5,
        ),
        conditions=[
            *(ps.NoSlip(part) for part in ("left", "right", "bottom", "top")),
            ps.Dirichlet("left", temperature=1.0),
            ps.Dirichlet("right", temperature=0.0),
            ps.Insulated("bottom"),
            ps.Insulated("top"),
        ],
        quantities=_quantities(rayleigh),
        accuracy=1e-3 if rayleigh <= 1e4 else 5e-3,
        description="buoyant flow of air in a square cavity (de Vahl Davis); rayleigh settable",
    )


def _quantities(rayleigh: float) -> list[ps.Quantity]:
    """Return the numbers of the benchmark, with targets where there is a spectral solution."""
    targets = _TARGETS.get(rayleigh, (None, None, None))
    share = 0.002 if rayleigh <= 1e4 else 0.01
    evaluations: dict[str, Callable[[ps.Solution], float]] = {
        "mean Nu, hot wall": _mean_nusselt,
        "max u(0.5, y)": lambda solution: _largest(solution, 0),
        "max v(x, 0.5)": lambda solution: _largest(solution, 1),
    }
    return [
        ps.Quantity(
            name,
            evaluate,
            "",
            target,
            None if target is None else share * target,
            "Legendre-Galerkin; de Vahl Davis 1983 within 0.1 %",
        )
        for (name, evaluate), target in zip(evaluations.items(), targets, strict=True)
    ]


def _mean_nusselt(solution: ps.Solution) -> float:
    """Return the heat that enters through the hot wall over that of conduction alone."""
    return -float(solution.outflow("temperature", "left"))


def _largest(solution: ps.Solution, component: int) -> float:
    """Return the largest u on the upper half of the vertical mid-line, or v on the hot half of the other one.

    The other halves have the same magnitudes with the other sign: they would not tell which way the fluid turns.
    """
    number = 257
    share = 0.25 - 0.25 * np.cos(np.pi * np.arange(number) / (number - 1))
    half = np.full(number, 0.5)
    points = np.column_stack((half, 1.0 - share) if component == 0 else (share, half))
    return float(solution.at(points).velocity[:, component].max())
