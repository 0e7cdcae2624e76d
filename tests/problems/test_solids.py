"""The shipped solids: their targets are the published numbers, and what is quick to solve is solved."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.catalogue import make_problem
from pinnsolve.jets import Coordinates, as_jet, div
from pinnsolve.judging import judge
from pinnsolve.reference import NoReference
from pinnsolve.training import train


def solved(problem: ps.Problem, seed: int) -> tuple[ps.Solution, ps.Verdict]:
    trained = train(problem, ps.Method(trunk="random"), seed=seed)
    nothing = NoReference("not asked for")
    verdict = judge(trained.solution, trained.system, trained.theta, nothing, seed=seed + 100)
    return trained.solution, verdict


@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("cooks_membrane", (23.96774, 25.18937)),
        ("lame_cylinder", (9.0793651e-5, 166.666667e6)),
        ("nafems_le11", (-106.0407e6, -41.9388e6)),
        ("neo_hookean_block", (488.287861e3, 0.880174592 - 1.0)),
        ("patch_test", (1333.3333, 1333.3333, 400.0)),
        ("pressure_tube", (9.0793651e-5, 166.666667e6)),
        ("thermoelastic_cylinder", (-220.314893e6, 18.311691e6, 139.685107e6)),
        ("thick_sphere", (0.8e-1 * 100e6 / 210e9, 0.714286 * 100e6)),
        ("timoshenko_cantilever", (0.0089, -2000.0)),
    ],
)
def test_targets_are_the_published_numbers(name, targets) -> None:
    found = [quantity.target for quantity in make_problem(name).quantities]
    assert found == pytest.approx(targets, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        ("lame_cylinder", 0),
        ("patch_test", 0),
        ("pressure_tube", 0),
        *(("thermoelastic_cylinder", seed) for seed in (0, 1, 2)),
        ("timoshenko_cantilever", 0),
    ],
)
def test_plane_solids_reach_their_targets(name, seed) -> None:
    _, verdict = solved(make_problem(name), seed)
    assert verdict.trusted, str(verdict)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_tube_on_its_section(seed) -> None:
    """Lame's tube once more, as a solid of revolution: neither u_z nor any shear."""
    a, b, p, E, nu = 0.1, 0.2, 100e6, 210e9, 0.3
    base = p * a**2 / (b**2 - a**2) * (1.0 + nu) / E
    problem = ps.Problem(
        name="tube",
        domain=ps.Rectangle((a, 0.0), (b, 0.1)),
        physics=ps.AxisymmetricElasticity(E, nu),
        conditions=[
            ps.Symmetry("bottom"),
            ps.Symmetry("top"),
            ps.Traction("left", pressure=p),
            ps.Traction("right"),
        ],
        exact=lambda x: {"displacement": [base * ((1.0 - 2.0 * nu) * x.x + b**2 / x.x), 0.0]},
        accuracy=1e-5,
    )
    solution, verdict = solved(problem, seed)
    assert verdict.trusted, str(verdict)
    hoop = solution.at([(a, 0.05)]).hoop_stress[0]
    assert hoop == pytest.approx(p * (a**2 + b**2) / (b**2 - a**2), rel=1e-4)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_heated_ball_on_its_section(seed) -> None:
    """A section that reaches the axis: T = R^2 in a free ball (Timoshenko & Goodier, art. 154)."""
    nu, alpha = 0.3, 1e-3
    factor = alpha * (1.0 + nu) / (1.0 - nu) / 5.0
    uniform = factor * 2.0 * (1.0 - 2.0 * nu) / (1.0 + nu)

    def displacement(x: Coordinates) -> list[object]:
        size = uniform + factor * (x.x**2 + x.y**2)
        return [size * x.x, size * x.y]

    quarter = ps.Rectangle((0.0, 0.0), (1.5, 1.5)) & ps.Disk((0.0, 0.0), 1.0)
    problem = ps.Problem(
        name="ball",
        domain=quarter,
        physics=ps.AxisymmetricElasticity(
            1.0, nu, expansion=alpha, temperature=lambda x: x.x**2 + x.y**2
        ),
        conditions=[ps.Symmetry("left"), ps.Symmetry("bottom"), ps.Traction("circle")],
        exact=lambda x: {"displacement": displacement(x)},
        accuracy=1e-4,
    )
    _, verdict = solved(problem, seed)
    assert verdict.trusted, str(verdict)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_manufactured_finite_strain(seed) -> None:
    """A strain that varies from place to place, made equilibrium by a body force."""
    plain = ps.HyperElasticity(1.0, 0.3)

    def displacement(x: Coordinates) -> list[ps.Jet]:
        return [0.2 * x.x + 0.15 * ps.sin(1.5 * x.y), 0.2 * x.x * x.y - 0.1 * x.y]

    def body_force(x: Coordinates) -> ps.Jet:
        f = ps.Fields({"displacement": as_jet(displacement(x), x.frame)})
        return -div(plain.first_piola_kirchhoff(f, x))

    def traction(x: Coordinates) -> list[ps.Jet]:
        f = ps.Fields({"displacement": as_jet(displacement(x), x.frame)})
        stress = plain.first_piola_kirchhoff(f, x)
        return [stress[0][0], stress[1][0]]

    problem = ps.Problem(
        name="manufactured",
        domain=ps.Rectangle((0.0, 0.0), (1.0, 1.0)),
        physics=ps.HyperElasticity(1.0, 0.3, body_force=body_force),
        conditions=[
            *(ps.Dirichlet(s, displacement=displacement) for s in ("left", "bottom", "top")),
            ps.Traction("right", vector=traction),
        ],
        exact=lambda x: {"displacement": displacement(x)},
        accuracy=1e-6,
    )
    solution, verdict = solved(problem, seed)
    assert verdict.trusted, str(verdict)
    volume = torch.as_tensor(solution.at(problem.domain.sample_interior(100, seed=9)).volume_ratio)
    assert 0.5 < float(volume.min()) < float(volume.max()) < 2.0


def test_section_of_le11_is_the_published_one() -> None:
    """Its area in closed form, and its walls on the two arcs, the taper and the verticals."""
    section = make_problem("nafems_le11").domain
    low, out = math.sqrt(0.5), math.sqrt(1.46)

    def under_arc(radius: float) -> float:
        height = math.sqrt(radius**2 - low**2)
        return 0.5 * (low * height + radius**2 * math.asin(low / radius))

    taper = (1.39711 - low) * 0.5 * (out + 1.0 - 2.0 * low)
    area = under_arc(1.4) - under_arc(1.0) + taper + 0.4 * (1.0 - low)
    assert section.measure == pytest.approx(area, rel=1e-9)
    for part, arc, vertical, side in (("inner", 1.0, low, -1.0), ("outer", 1.4, 1.0, 1.0)):
        sample = section.sample_part(part, 400, seed=0)
        r, z = sample.points.T
        radius = np.hypot(r, z)
        wall = np.where(z < 1.39711, out + (1.0 - out) * (z - low) / (1.39711 - low), 1.0)
        wall = wall if part == "outer" else np.full_like(z, vertical)
        assert np.abs(np.where(z < low, radius - arc, r - wall)).max() < 1e-9
        assert (side * sample.normals[:, 0] > 0.5).all()
