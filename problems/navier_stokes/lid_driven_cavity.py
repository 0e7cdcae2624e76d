"""Regularised lid-driven cavity: the lid moves with 16 x^2 (1 - x)^2, which leaves no corner singularity.

Centre-line profiles at Re 100 and 400 from a Legendre-Galerkin solution (N = 32) are in
``validation/data``.
"""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import Any

import numpy as np

import pinnsolve as ps


def lid_driven_cavity(reynolds: float = 100.0) -> ps.Problem:
    """Flow in a unit square under a smoothly moving lid.

    Args:
        reynolds: Reynolds number, 1 / kinematic viscosity.
    """
    if not reynolds > 0:
        raise ValueError(f"reynolds must be > 0, got {reynolds}")

    def lid(x: ps.Coordinates) -> list[ps.Jet]:
        speed = 16.0 * x.x**2 * (1.0 - x.x) ** 2
        return [speed, 0.0 * x.x]

    return ps.Problem(
        name="lid_driven_cavity",
        domain=ps.Rectangle((0.0, 0.0), (1.0, 1.0)),
        physics=ps.NavierStokes(density=1.0, dynamic_viscosity=1.0 / reynolds),
        conditions=[
            ps.NoSlip("top", velocity=lid),
            ps.NoSlip("left"),
            ps.NoSlip("right"),
            ps.NoSlip("bottom"),
        ],
        quantities=_profile_errors(reynolds),
        accuracy=3e-4,
        description="regularised lid-driven cavity; reynolds settable",
    )


def _profile_errors(reynolds: float) -> list[ps.Quantity]:
    """Return the errors on the centre lines where a spectral solution is at hand."""
    if reynolds not in (100.0, 400.0):
        return []
    table = _profiles(int(reynolds))
    station, half = table[:, 0], np.full(len(table), 0.5)

    def error(points: Any, component: int, given: Any) -> Any:  # noqa: ANN401 - numpy arrays
        def evaluate(solution: ps.Solution) -> float:
            found = solution.at(points).velocity[:, component]
            return float(np.linalg.norm(found - given) / np.linalg.norm(given))

        return evaluate

    vertical, horizontal = np.column_stack((half, station)), np.column_stack((station, half))
    source = "Legendre-Galerkin N = 32"
    return [
        ps.Quantity(
            "u(0.5, y) rel. L2 error", error(vertical, 0, table[:, 1]), "", 0.0, 3e-4, source
        ),
        ps.Quantity(
            "v(x, 0.5) rel. L2 error", error(horizontal, 1, table[:, 2]), "", 0.0, 3e-4, source
        ),
    ]


def _profiles(reynolds: int) -> np.ndarray:
    name = f"regularised_ldc_Re{reynolds}.csv"
    text = files("pinnsolve.validation").joinpath("data", name).read_text(encoding="utf-8")
    rows = [row for row in csv.reader(text.splitlines()) if row and not row[0].startswith("#")]
    return np.array(rows[1:], dtype=np.float64)
