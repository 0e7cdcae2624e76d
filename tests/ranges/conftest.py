"""Families of problems over ranges, made by functions: ``families.rod(k)``."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

import pinnsolve as ps

RE = ps.Range("reynolds", 20.0, 60.0)


def kovasznay_family(reynolds: ps.Range = RE, **options: object) -> ps.Problem:
    """Kovasznay flow in units of density = Re and viscosity = 1."""
    wave = 2.0 * math.pi

    def exact(x: ps.Coordinates) -> dict[str, object]:
        re = x.reynolds
        rate = 0.5 * re - ps.sqrt(0.25 * re * re + wave**2)
        decay = ps.exp(rate * x.x)
        v = rate * decay * ps.sin(wave * x.y) * (1.0 / wave)
        velocity = [1.0 - decay * ps.cos(wave * x.y), v]
        return {"velocity": velocity, "pressure": 0.5 * re * (1.0 - decay * decay)}

    domain = ps.Rectangle((-0.5, -0.5), (1.0, 1.5))
    return ps.Problem(
        "kovasznay_family",
        domain,
        ps.NavierStokes(density=reynolds, dynamic_viscosity=1.0),
        [ps.Dirichlet(p, velocity=lambda x: exact(x)["velocity"]) for p in domain.parts],
        exact=exact,
        **options,
    )


def rod(k: object, **options: object) -> ps.Problem:
    """``k T'' = -4`` between 0 K and 1 K."""
    conditions = [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=1.0)]
    return ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(conductivity=k, source=4.0),
        **{"conditions": conditions, **options},
    )


def cooling_rod() -> ps.Problem:
    """An unsteady rod with two ranges, one of which only a function uses."""
    return ps.Problem(
        "cooling_rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(conductivity=ps.Range("k", 0.5, 2.0), density=1.0, specific_heat=1.0),
        [
            ps.Dirichlet("left", temperature=0.0),
            ps.Dirichlet("right", temperature=lambda x: x.heat * x.t),
            ps.Initial(temperature=0.0),
        ],
        time=ps.TimeInterval(0.0, 2.0),
        ranges=[ps.Range("heat", 1.0, 3.0)],
    )


@pytest.fixture(scope="session")
def families() -> SimpleNamespace:
    """The functions that make them."""
    return SimpleNamespace(kovasznay=kovasznay_family, rod=rod, cooling_rod=cooling_rod)
