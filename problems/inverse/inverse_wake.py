"""What carries and what spreads the vortices behind a cylinder: two factors from 5,000 noisy velocities.

``du/dt + l (u . grad) u = -grad p + mu lap u`` and ``div u = 0`` with a density factor l and a viscosity mu, both
unknown; 1 and 0.01 Pa s are behind the readings. They were taken at random places and times in a window behind a
cylinder at Reynolds number 100; neither boundary nor initial values nor any pressure is known.
``make_inverse_wake_data.py`` computes the wake and says how accurate it is: the vorticity equation in the window is
fitted best by l = 1.0001 and mu = 0.00997 Pa s.

After M. Raissi, P. Perdikaris & G. E. Karniadakis, "Physics-informed neural networks", J. Comput. Phys. 378 (2019)
686-707, who found l within 0.2 % and mu within 6 % at the same noise, from another wake.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import as_file, files
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt

import pinnsolve as ps

from .make_inverse_wake_data import DURATION, VISCOSITY, WINDOW

Array = npt.NDArray[np.float64]


def samples() -> tuple[Array, Array]:
    """Return places and times, m and s, shape (5000, 3), and velocities without noise, m/s, shape (5000, 2)."""
    shipped = files("pinnsolve.problems") / "inverse" / "inverse_wake_velocities.csv"
    with as_file(shipped) as path:
        table = np.loadtxt(path, delimiter=",", skiprows=1)
    return table[:, :3], table[:, 3:]


def momentum_and_mass(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> Mapping[str, ps.Jet]:
    """Return the equations of an incompressible flow with a factor on its advection."""
    del x
    u = f.velocity
    moved = ps.dt(u) + m.factor * ps.advect(u, u)
    return {
        "momentum": moved + ps.grad(f.pressure) - m.viscosity * ps.laplacian(u),
        "continuity": ps.div(u),
    }


def inverse_wake(noise: float = 0.01, num_samples: int = 5000, noise_seed: int = 0) -> ps.Problem:
    """Find density factor and viscosity from velocities in the wake of a cylinder.

    Args:
        noise: Standard deviation of a velocity component, as a share of that of all of them about their mean.
        num_samples: How many of the samples are taken.
        noise_seed: Seed of the noise.
    """
    points, exact = samples()
    if not 0 < num_samples <= len(points):
        raise ValueError(f"num_samples must lie in 1 to {len(points)}, got {num_samples}")
    chosen = np.random.default_rng(0).permutation(len(points))[:num_samples]
    points, exact = points[chosen], exact[chosen]
    sigma = noise * float(np.sqrt(np.mean((exact - exact.mean(axis=0)) ** 2)))
    measured = exact + sigma * np.random.default_rng(noise_seed).normal(size=exact.shape)
    factor = ps.Unknown("density factor", initial=0.5, bounds=(0.02, 5.0), truth=1.0)
    viscosity = ps.Unknown(
        "viscosity", initial=0.05, bounds=(1e-4, 1.0), unit="Pa s", truth=VISCOSITY
    )
    (left, right), (bottom, top) = WINDOW
    return ps.Problem(
        name="inverse_wake",
        domain=ps.Rectangle((left, bottom), (right, top)),
        time=ps.TimeInterval(0.0, DURATION),
        physics=ps.CustomPhysics(
            fields={"velocity": (2,), "pressure": ()},
            equations=momentum_and_mass,
            parameters={"factor": factor, "viscosity": viscosity},
        ),
        conditions=[],
        measurements=ps.Measurements(
            points=points,
            values={"velocity_x": measured[:, 0], "velocity_y": measured[:, 1]},
            sigma=sigma,
        ),
        accuracy=1e-3,
        time_budget=120.0,
        description="unknown density factor and viscosity from 5000 noisy velocities behind a cylinder",
    )
