"""An unknown convection coefficient from twelve noisy thermocouples in the NAFEMS T4 plate.

The readings in ``cooling_plate_thermocouples.csv`` (noise 0.5 K) were made by
``make_cooling_plate_data.py`` from the exact series with h = 750 W/(m2 K). Their Cramer-Rao bound
for h is 12.1 W/(m2 K), 1.6 %.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

import pinnsolve as ps


def cooling_plate(data: str = "", sigma: float = 0.5, initial: float = 200.0) -> ps.Problem:
    """Find the convection coefficient of a cooled plate from thermocouples.

    Args:
        data: CSV file with columns x_m, y_m, temperature_C; empty takes the shipped one.
        sigma: Standard deviation of the readings in K.
        initial: First guess of the coefficient in W/(m2 K).
    """
    shipped = files("pinnsolve.problems") / "inverse" / "cooling_plate_thermocouples.csv"
    with as_file(shipped) as path:
        readings = ps.Measurements.from_csv(Path(data) if data else path, sigma=sigma)
    coefficient = ps.Unknown(
        "convection coefficient",
        initial=initial,
        bounds=(10.0, 10_000.0),
        unit="W/(m2 K)",
        truth=None if data else 750.0,
    )
    return ps.Problem(
        name="cooling_plate",
        domain=ps.Rectangle((0.0, 0.0), (0.6, 1.0)),
        physics=ps.Heat(conductivity=52.0),
        conditions=[
            ps.Dirichlet("bottom", temperature=100.0),
            ps.Insulated("left"),
            ps.Convection("right", coefficient=coefficient, ambient=0.0),
            ps.Convection("top", coefficient=coefficient, ambient=0.0),
        ],
        measurements=readings,
        accuracy=5e-3,
        description="unknown convection coefficient from a CSV of 12 noisy thermocouples",
    )
