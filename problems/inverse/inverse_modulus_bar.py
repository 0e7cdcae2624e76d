"""Young's modulus along a bar from its noisy displacements.

(E u')' = 0 on 0 < x < 1 m, held at x = 0, pulled at x = 1 m with 1 Pa; E = 1 + sin(2 pi x) / 2 Pa is unknown. 40
displacements have noise of 0.2 % of the largest, 1.1547 m. The modulus is stress over strain, and the strain a
derivative of what is measured: noise grows on the way.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt

import pinnsolve as ps

Array = npt.NDArray[np.float64]


def sensors() -> Array:
    """Return the places of the readings, m, shape (40, 1)."""
    return np.linspace(0.025, 1.0, 40)[:, None]


def modulus(x: Array) -> Array:
    """Return the true E in Pa.

    Args:
        x: Places in m.
    """
    return np.asarray(1.0 + 0.5 * np.sin(2.0 * math.pi * x))


def true_modulus(x: ps.Coordinates) -> ps.Jet:
    """Return the true E in Pa as a function of the coordinates."""
    return 1.0 + 0.5 * ps.sin(2.0 * math.pi * x.x)


def displacement(x: Array) -> Array:
    """Return the exact displacement in m, ``integral of 1/E from 0``, in closed form.

    With ``s = sqrt(3)/2`` an antiderivative of 1/E is ``atan((tan(pi x) + 1/2) / s) / (pi s)``, but for a jump of
    ``1/s`` where the tangent has its pole.

    Args:
        x: Places in m between 0 and 1.
    """
    s = math.sqrt(0.75)

    def primitive(at: Array) -> Array:
        return np.arctan((np.tan(math.pi * at) + 0.5) / s) / (math.pi * s) + (at > 0.5) / s

    return np.asarray(primitive(x) - primitive(np.zeros(1)))


def equilibrium(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> ps.Jet:
    """Return the force balance in N/m3."""
    return ps.div(m.modulus(x) * ps.grad(f.u))


def stress(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> dict[str, ps.Jet]:
    """Return the stress in Pa as the flux of u."""
    return {"u": m.modulus(x) * ps.grad(f.u)}


def modulus_error(found: Callable[[Array], Array]) -> float:
    """Return the relative L2 error of a modulus.

    Args:
        found: A modulus in Pa of the place in m.
    """
    x = np.linspace(0.0, 1.0, 401)
    off = found(x) - modulus(x)
    return float(np.linalg.norm(off) / np.linalg.norm(modulus(x)))


def inverse_modulus_bar(noise: float = 0.002, noise_seed: int = 0) -> ps.Problem:
    """Find Young's modulus along a bar from displacements.

    Args:
        noise: Standard deviation of a reading, as a share of the largest one.
        noise_seed: Seed of the noise.
    """
    points = sensors()
    exact = displacement(points[:, 0])
    sigma = noise * float(exact.max())
    drawn = np.random.default_rng(noise_seed).normal(size=len(points))
    unknown = ps.UnknownFunction(
        "modulus",
        of={"x": (0.0, 1.0)},
        num=16,
        initial=1.0,
        positive=True,
        unit="Pa",
        truth=true_modulus,
    )
    return ps.Problem(
        name="inverse_modulus_bar",
        domain=ps.Interval(0.0, 1.0),
        physics=ps.CustomPhysics(
            fields={"u": ()},
            equations=equilibrium,
            parameters={"modulus": unknown},
            fluxes=stress,
        ),
        conditions=[ps.Dirichlet("left", u=0.0), ps.Neumann("right", u=1.0)],
        measurements=ps.Measurements(
            points=points, values={"u": exact + sigma * drawn}, sigma=sigma
        ),
        quantities=[
            ps.Quantity(
                "modulus rel. L2 error",
                lambda solution: modulus_error(solution.functions["modulus"]),
                target=0.0,
                tolerance=0.1,
                source="the modulus behind the readings",
            )
        ],
        accuracy=1e-3,
        time_budget=120.0,
        description="unknown modulus along a bar from 40 noisy displacements",
    )
