"""Lid-driven cavity with a lid that comes to rest in the corners.

The regularised lid moves with 16 x^2 (1 - x)^2 and leaves no corner singularity; the parabolic one with
4 x (1 - x), which makes the shear jump in the corners. Reference values, all from Legendre-Galerkin
solutions, are in ``validation/data``: centre-line profiles of the regularised cavity at Re 100 and 400,
and the velocity on a grid for the parabolic lid at Re 100.
"""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import Any

import numpy as np

import pinnsolve as ps

_LIDS = ("regularised", "parabolic")


def lid_driven_cavity(reynolds: float = 100.0, lid: str = "regularised") -> ps.Problem:
    """Flow in a unit square under a smoothly moving lid.

    Args:
        reynolds: Reynolds number, 1 / kinematic viscosity.
        lid: ``regularised``: 16 x^2 (1 - x)^2; ``parabolic``: 4 x (1 - x).
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
            ps.NoSlip("top", velocity=moving),
            ps.NoSlip("left"),
            ps.NoSlip("right"),
            ps.NoSlip("bottom"),
        ],
        quantities=_profile_errors(reynolds) if lid == "regularised" else _grid_errors(reynolds),
        accuracy=3e-4,
        description="lid-driven cavity without a jump of velocity; reynolds and lid settable",
    )


def _profile_errors(reynolds: float) -> list[ps.Quantity]:
    """Return the errors on the centre lines where a spectral solution is at hand."""
    if reynolds not in (100.0, 400.0):
        return []
    table = _table(f"regularised_ldc_Re{int(reynolds)}.csv")
    station, half = table[:, 0], np.full(len(table), 0.5)
    vertical, horizontal = np.column_stack((half, station)), np.column_stack((station, half))
    source = "Legendre-Galerkin N = 32"
    return [
        _error("u(0.5, y) rel. L2 error", vertical, 0, table[:, 1], source),
        _error("v(x, 0.5) rel. L2 error", horizontal, 1, table[:, 2], source),
    ]


def _grid_errors(reynolds: float) -> list[ps.Quantity]:
    """Return the errors in the whole cavity under the parabolic lid, where there is a spectral solution."""
    if reynolds != 100.0:
        return []
    table = _table("parabolic_ldc_Re100.csv")
    source = "Legendre-Galerkin N = 48"
    return [
        _error(f"{name} rel. L2 error", table[:, :2], component, table[:, 2 + component], source)
        for component, name in enumerate("uv")
    ]


def _error(name: str, points: Any, component: int, given: Any, source: str) -> ps.Quantity:  # noqa: ANN401 - arrays
    def evaluate(solution: ps.Solution) -> float:
        found = solution.at(points).velocity[:, component]
        return float(np.linalg.norm(found - given) / np.linalg.norm(given))

    return ps.Quantity(name, evaluate, "", 0.0, 3e-4, source)


def _table(name: str) -> np.ndarray:
    """Return the numbers of a CSV file with comments and a header."""
    text = files("pinnsolve.validation").joinpath("data", name).read_text(encoding="utf-8")
    rows = [row for row in csv.reader(text.splitlines()) if row and not row[0].startswith("#")]
    return np.array(rows[1:], dtype=np.float64)
