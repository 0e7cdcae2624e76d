"""Lid-driven cavity: with a lid that comes to rest in the corners, or with one that moves as a whole.

The regularised lid moves with 16 x^2 (1 - x)^2 and leaves no corner singularity; the parabolic one with
4 x (1 - x), which makes the shear jump in the corners. Reference values for both, all from Legendre-Galerkin
solutions, are in ``validation/data``: centre-line profiles of the regularised cavity at Re 100 and 400,
and the velocity on a grid for the parabolic lid at Re 100.

The constant lid is the classical benchmark: velocity jumps in its two corners, where pressure and shear are
infinite. Reference values at Re 100 are those of C. H. Marchi, R. Suero & L. K. Araki, "The lid-driven square
cavity flow: numerical solution with a 1024 x 1024 grid", J. Braz. Soc. Mech. Sci. Eng. 31 (2009) 186-198.
The familiar tables of U. Ghia, K. N. Ghia & C. T. Shin, J. Comput. Phys. 48 (1982) 387-411, stand beside them
with a tolerance as wide as their own errors: at Re 100 up to 0.0093 of the lid's speed, in v at x = 0.86.
A trained network rounds the jump off: its centre lines are 1.5 to 2.6 % (u) and 1.8 to 4.1 % (v) from Marchi's
values. Random features with the flow that such a corner makes (``pinnsolve.networks.JumpFlow``), the default, come
within 0.22 % and 0.33 % in 30 to 40 s of CPU time, seeds 0 to 2.
"""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import Any

import numpy as np

import pinnsolve as ps

_LIDS = ("regularised", "parabolic", "constant")


def lid_driven_cavity(reynolds: float = 100.0, lid: str = "regularised") -> ps.Problem:
    """Flow in a unit square under a moving lid.

    Args:
        reynolds: Reynolds number, 1 / kinematic viscosity.
        lid: ``regularised``: 16 x^2 (1 - x)^2; ``parabolic``: 4 x (1 - x); ``constant``: 1, with
            singular corners.
    """
    if not reynolds > 0:
        raise ValueError(f"reynolds must be > 0, got {reynolds}")
    if lid not in _LIDS:
        raise ValueError(f"lid must be one of {', '.join(_LIDS)}, got {lid!r}")

    def moving(x: ps.Coordinates) -> list[ps.Jet]:
        parabola = 4.0 * x.x * (1.0 - x.x)
        return [parabola if lid == "parabolic" else parabola**2, 0.0 * x.x]

    return ps.Problem(
        name="lid_driven_cavity",
        domain=ps.Rectangle((0.0, 0.0), (1.0, 1.0)),
        physics=ps.NavierStokes(density=1.0, dynamic_viscosity=1.0 / reynolds),
        conditions=[
            ps.NoSlip("top", velocity=[1.0, 0.0] if lid == "constant" else moving),
            ps.NoSlip("left"),
            ps.NoSlip("right"),
            ps.NoSlip("bottom"),
        ],
        quantities=_QUANTITIES[lid](reynolds),
        accuracy=5e-3 if lid == "constant" else 3e-4,
        description="lid-driven cavity; reynolds and lid (without or with a jump of velocity) settable",
    )


def _profile_errors(reynolds: float) -> list[ps.Quantity]:
    """Return the errors on the centre lines where a spectral solution is at hand."""
    if reynolds not in (100.0, 400.0):
        return []
    table = _table(f"regularised_ldc_Re{int(reynolds)}.csv")
    return _on_centre_lines(table, 3e-4, "Legendre-Galerkin N = 32")


def _grid_errors(reynolds: float) -> list[ps.Quantity]:
    """Return the errors in the whole cavity under the parabolic lid, where there is a spectral solution."""
    if reynolds != 100.0:
        return []
    table = _table("parabolic_ldc_Re100.csv")
    source = "Legendre-Galerkin N = 48"
    return [
        _error(
            f"{name} rel. L2 error", table[:, :2], component, table[:, 2 + component], 3e-4, source
        )
        for component, name in enumerate("uv")
    ]


def _published_errors(reynolds: float) -> list[ps.Quantity]:
    """Return the errors against published values under the constant lid."""
    if reynolds != 100.0:
        return []
    marchi = _table("marchi2009_ldc_Re100.csv")
    vertical, horizontal = (_table(f"ghia1982_ldc_Re100_{name}.csv") for name in "uv")
    source = "Ghia, Ghia & Shin 1982, whose own error is up to 0.0093"
    return [
        *_on_centre_lines(marchi, 5e-3, "Marchi, Suero & Araki 2009"),
        _deviation("u(0.5, y) from Ghia, largest", vertical / [128.0, 1.0], 0, source),
        _deviation("v(x, 0.5) from Ghia, largest", horizontal / [128.0, 1.0], 1, source),
    ]


_QUANTITIES = {
    "regularised": _profile_errors,
    "parabolic": _grid_errors,
    "constant": _published_errors,
}


def _on_centre_lines(table: np.ndarray, tolerance: float, source: str) -> list[ps.Quantity]:
    """Return the errors of u on x = 0.5 and v on y = 0.5; columns: station, u, v."""
    upright, level = _centre_lines(table[:, 0])
    return [
        _error("u(0.5, y) rel. L2 error", upright, 0, table[:, 1], tolerance, source),
        _error("v(x, 0.5) rel. L2 error", level, 1, table[:, 2], tolerance, source),
    ]


def _centre_lines(station: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the points (0.5, s) and (s, 0.5)."""
    half = np.full(len(station), 0.5)
    return np.column_stack((half, station)), np.column_stack((station, half))


def _error(
    name: str,
    points: Any,  # noqa: ANN401 - arrays
    component: int,
    given: Any,  # noqa: ANN401
    tolerance: float,
    source: str,
) -> ps.Quantity:
    def evaluate(solution: ps.Solution) -> float:
        found = solution.at(points).velocity[:, component]
        return float(np.linalg.norm(found - given) / np.linalg.norm(given))

    return ps.Quantity(name, evaluate, "", 0.0, tolerance, source)


def _deviation(name: str, table: np.ndarray, component: int, source: str) -> ps.Quantity:
    """Return the largest deviation in units of the lid's speed; columns: station, value."""
    points = _centre_lines(table[:, 0])[component]

    def evaluate(solution: ps.Solution) -> float:
        found = solution.at(points).velocity[:, component]
        return float(np.abs(found - table[:, 1]).max())

    return ps.Quantity(name, evaluate, "", 0.0, 0.015, source)


def _table(name: str) -> np.ndarray:
    """Return the numbers of a CSV file with comments and a header."""
    text = files("pinnsolve.validation").joinpath("data", name).read_text(encoding="utf-8")
    rows = [row for row in csv.reader(text.splitlines()) if row and not row[0].startswith("#")]
    return np.array(rows[1:], dtype=np.float64)
