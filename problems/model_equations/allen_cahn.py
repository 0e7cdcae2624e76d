"""Allen-Cahn equation: reaction and slow diffusion separate two phases by thin layers.

Solves ``u_t = d u_xx + 5 (u - u^3)`` for x in [-1, 1], t in [0, 1], u(x, 0) = x^2 cos(pi x),
u(-1, t) = u(1, t) = -1, with d = 0.001: the version of the DeepXDE documentation (J. Yu, L. Lu, X. Meng &
G. E. Karniadakis, "Gradient-enhanced physics-informed neural networks", arXiv:2111.02801). A Chebyshev
solution is in ``validation/data/allen_cahn.csv``.
"""

from __future__ import annotations

import csv
import math
from importlib.resources import files
from types import SimpleNamespace

import numpy as np

import pinnsolve as ps


def allen_cahn(diffusion: float = 0.001, end_time: float = 1.0) -> ps.Problem:
    """Allen-Cahn equation from a smooth start, both ends held in one phase.

    Args:
        diffusion: d in m2/s.
        end_time: Length of the time interval in s.
    """
    if not diffusion > 0:
        raise ValueError(f"diffusion must be > 0, got {diffusion}")

    def equation(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> ps.Jet:
        del x
        d: float = m.diffusion
        return ps.dt(f.u) - d * ps.laplacian(f.u) - 5.0 * (f.u - f.u**3)

    def start(x: ps.Coordinates) -> ps.Jet:
        return x.x**2 * ps.cos(math.pi * x.x)

    standard = diffusion == 0.001 and end_time == 1.0
    return ps.Problem(
        name="allen_cahn",
        domain=ps.Interval(-1.0, 1.0),
        time=ps.TimeInterval(0.0, end_time),
        physics=ps.CustomPhysics(
            fields={"u": ()}, equations=equation, parameters={"diffusion": diffusion}
        ),
        conditions=[
            ps.Dirichlet("left", u=-1.0),
            ps.Dirichlet("right", u=-1.0),
            ps.Initial(u=start),
        ],
        quantities=[_error()] if standard else [],
        accuracy=1e-3,
        time_budget=240.0,
        description="Allen-Cahn equation, d = 0.001: two phases separated by thin layers",
    )


def _error() -> ps.Quantity:
    """Return the error against the Chebyshev solution."""
    path = files("pinnsolve.validation").joinpath("data", "allen_cahn.csv")
    rows = [
        row
        for row in csv.reader(path.read_text(encoding="utf-8").splitlines())
        if row and not row[0].startswith("#")
    ]
    table = np.array(rows[1:], dtype=np.float64)

    def evaluate(solution: ps.Solution) -> float:
        found = solution.at(table[:, :2]).u
        return float(np.linalg.norm(found - table[:, 2]) / np.linalg.norm(table[:, 2]))

    return ps.Quantity("u rel. L2 error", evaluate, "", 0.0, 1e-3, "Chebyshev collocation")
