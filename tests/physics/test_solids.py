"""Heated, axisymmetric and finitely strained solids, held to identities and closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from pinnsolve.conditions import Symmetry, Traction
from pinnsolve.jets import Coordinates, Fields, Frame, Jet, as_jet, cos, div, exp, log, sin, sqrt
from pinnsolve.physics import AxisymmetricElasticity, Elasticity, HyperElasticity

PLANES = [("stress", 2), ("strain", 2), (None, 3)]
PLANE = Frame(2)


def points_in(lower, upper, seed: int = 0, number: int = 20) -> torch.Tensor:
    low, high = (torch.tensor(v, dtype=torch.float64) for v in (lower, upper))
    generator = torch.Generator().manual_seed(seed)
    return low + torch.rand(number, len(low), generator=generator, dtype=torch.float64) * (
        high - low
    )


def displaced(u: list[Jet], frame: Frame) -> Fields:
    return Fields({"displacement": as_jet(u, frame)})


def largest(jet: Jet) -> float:
    return float(jet.value.abs().max())


def assert_close(actual: torch.Tensor, expected: torch.Tensor) -> None:
    size = float(expected.detach().abs().max())
    assert size > 1e-3, "the oracle must not vanish"
    torch.testing.assert_close(actual, expected.detach(), rtol=0.0, atol=1e-10 * size)


# ---------------------------------------------------------------- heat


@pytest.mark.parametrize(("plane", "dim"), PLANES)
def test_a_linear_temperature_bends_a_free_solid_without_stress(plane, dim) -> None:
    """Compatibility: free expansion that is linear in x is itself a displacement."""
    nu, alpha, slope = 0.3, 1e-2, 5.0
    x = Coordinates(points_in([-1.0] * dim, [1.0] * dim), Frame(dim))
    physics = Elasticity(
        7.0, nu, plane, expansion=alpha, temperature=lambda x: 20.0 + slope * x.x,
        reference_temperature=20.0,
    )  # fmt: skip
    strain = alpha * slope * (1.0 + nu if plane == "strain" else 1.0)
    across = [x[i] for i in range(1, dim)]
    along = x.x**2 - sum((y**2 for y in across), as_jet(0.0, x.frame))
    f = displaced([0.5 * strain * along, *(strain * x.x * y for y in across)], x.frame)
    assert largest(physics.stress(f, x)) < 1e-14
    assert largest(physics.residual(f, x)["equilibrium"]) < 1e-14
    mises = largest(physics.derived(f, x)["von_mises"])
    held = 7.0 * alpha * float((x.points[:, 0].abs() * slope).max()) if plane == "strain" else 0.0
    assert mises == pytest.approx(held, abs=1e-7)  # the stress that keeps the plane plane


RING = {"a": 0.1, "b": 0.2, "E": 210e9, "nu": 0.3, "alpha": 1.2e-5, "hot": 100.0}


def ring_temperature(x: Coordinates) -> Jet:
    """Conduction through a ring: hot inside, cold outside."""
    r2 = x.x**2 + x.y**2
    return RING["hot"] * 0.5 * log(RING["b"] ** 2 / r2) / math.log(RING["b"] / RING["a"])


def heated_ring(r: Jet, plane: str) -> Jet:
    """u_r of a free ring (Timoshenko & Goodier, art. 150)."""
    a, b, _, nu, alpha, hot = RING.values()
    if plane == "strain":
        nu, alpha = nu / (1.0 - nu), alpha * (1.0 + nu)
    size = hot / math.log(b / a)

    def released(r: Jet) -> Jet:
        """Integral of T r dr from a to r."""
        inner = 0.5 * a**2 * math.log(b / a) + 0.25 * a**2
        return size * (0.5 * r**2 * (math.log(b) - log(r)) + 0.25 * r**2 - inner)

    total = size * (0.25 * (b**2 - a**2) - 0.5 * a**2 * math.log(b / a))
    uniform = ((1.0 - nu) * r**2 + (1.0 + nu) * a**2) * (total / (b**2 - a**2))
    return alpha / r * ((1.0 + nu) * released(r) + uniform)


RING_STRESS = {0.1: -220.314893e6, 0.15: 18.311691e6, 0.2: 139.685107e6}


@pytest.mark.parametrize("plane", ["stress", "strain"])
def test_heated_ring(plane) -> None:
    _, _, E, nu, alpha, hot = RING.values()
    physics = Elasticity(E, nu, plane, expansion=alpha, temperature=ring_temperature)
    x = Coordinates(points_in((0.08, 0.08), (0.14, 0.14)), PLANE)
    r = sqrt(x.x**2 + x.y**2)
    u = heated_ring(r, plane) / r
    f = displaced([u * x.x, u * x.y], PLANE)
    assert largest(physics.residual(f, x)["equilibrium"]) < 1e-10 * E * alpha * hot / 0.1


@pytest.mark.parametrize("radius", RING_STRESS)
def test_heated_ring_hoop_stress(radius) -> None:
    """The same number from the plane, at (r, 0), and from the section of the tube."""
    _, _, E, nu, alpha, _ = RING.values()
    x = Coordinates(torch.tensor([[radius, 0.0]], dtype=torch.float64), PLANE)
    r = sqrt(x.x**2 + x.y**2)
    u = heated_ring(r, "strain") / r
    f = displaced([u * x.x, u * x.y], PLANE)
    plane = Elasticity(E, nu, "strain", expansion=alpha, temperature=ring_temperature)
    assert float(plane.stress(f, x).value[0, 1, 1]) == pytest.approx(RING_STRESS[radius], rel=1e-8)
    mises = float(plane.derived(f, x)["von_mises"].value[0])
    f = displaced([heated_ring(x.x, "strain"), as_jet(0.0, PLANE)], PLANE)
    tube = AxisymmetricElasticity(E, nu, expansion=alpha, temperature=ring_temperature)
    hoop = float(tube.hoop_stress(f, x).value[0])
    assert hoop == pytest.approx(RING_STRESS[radius], rel=1e-8)
    assert float(tube.derived(f, x)["von_mises"].value[0]) == pytest.approx(mises, rel=1e-10)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("plane", "dim"), PLANES)
def test_heat_shifts_the_strain_in_hookes_law(plane, dim, seed, smooth_fields) -> None:
    """sigma(u, T) solves ``eps - alpha theta I = S sigma`` in three dimensions."""
    E, nu = 3.0, 0.31
    physics = Elasticity(
        E, nu, plane, expansion=lambda x: 0.2 + x.x, temperature=lambda x: x.y**2,
        reference_temperature=0.3,
    )  # fmt: skip
    made = smooth_fields({"displacement": (dim,)}, Frame(dim), seed=seed)
    derived = physics.derived(made.fields, made.x)
    stress, strain = derived["stress"].value, derived["strain"].value
    free = (0.2 + made.x.points[:, 0]) * (made.x.points[:, 1] ** 2 - 0.3)
    across = torch.zeros_like(free)
    trace = stress.diagonal(dim1=1, dim2=2).sum(1)
    if plane == "strain":
        across = nu * trace - E * free
    unit = torch.eye(dim, dtype=torch.float64)
    shift = free - nu / E * (trace + across)
    assert_close(strain, (1 + nu) / E * stress + shift[:, None, None] * unit)
    full = torch.zeros(len(free), 3, 3, dtype=torch.float64)
    full[:, :dim, :dim] = stress
    if plane is not None:
        full[:, 2, 2] = across
    mean = (trace + across)[:, None, None] / 3 * torch.eye(3, dtype=torch.float64)
    assert_close(derived["von_mises"].value, (1.5 * (full - mean).square().sum((1, 2))).sqrt())
    law = physics.balances(made.fields, made.x)["force"]
    row = physics.residual(made.fields, made.x)["equilibrium"]
    assert_close((div(law.flux) - law.source).value, row.value)


# ---------------------------------------------------------------- solids of revolution


def turned(r2: Jet, z: Jet) -> tuple[Jet, Jet]:
    """u_r / r and u_z of a smooth field of revolution."""
    return sin(0.7 * z + 0.3 * r2) + 0.4 * z, cos(0.5 * r2 - z) + 0.2 * r2 * z


def heat(r2: Jet, z: Jet) -> Jet:
    return exp(0.3 * z) * (1.0 + 0.5 * r2)


SOLID = {"youngs_modulus": 2.0, "poissons_ratio": 0.28}
HOT = {"expansion": 0.3, "reference_temperature": 0.4}


def section_and_body(rz: torch.Tensor, angle: float):
    """The same field and points on the section (r, z) and in space."""
    r, z = rz.unbind(1)
    x = Coordinates(rz, PLANE)
    space = torch.stack((r * math.cos(angle), r * math.sin(angle), z), dim=1)
    X = Coordinates(space, Frame(3))
    around, up = turned(x.x**2, x.y)
    f = displaced([x.x * around, up], PLANE)
    around, up = turned(X.x**2 + X.y**2, X.z)
    F = displaced([X.x * around, X.y * around, up], Frame(3))
    section = AxisymmetricElasticity(
        **SOLID, **HOT, body_force=lambda x: [x.x * x.y, 1.0 + x.x**2],
        temperature=lambda x: heat(x.x**2, x.y),
    )  # fmt: skip
    body = Elasticity(
        **SOLID, **HOT,
        body_force=lambda x: [x.x * x.z, x.y * x.z, 1.0 + x.x**2 + x.y**2],
        temperature=lambda x: heat(x.x**2 + x.y**2, x.z),
    )  # fmt: skip
    return (section, f, x), (body, F, X)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_section_is_the_body_in_cylindrical_coordinates(seed) -> None:
    rz = points_in((0.0, -1.0), (1.5, 1.0), seed)
    angle = 0.7 + seed
    (section, f, x), (body, F, X) = section_and_body(rz, angle)
    c, s = math.cos(angle), math.sin(angle)
    axes = torch.tensor([[c, s, 0], [-s, c, 0], [0, 0, 1]], dtype=torch.float64)  # r, t, z
    row = body.residual(F, X)["equilibrium"].value @ axes.T
    found = section.residual(f, x)["equilibrium"].value / rz[:, :1]
    assert_close(found, row[:, [0, 2]])
    assert float(row[:, 1].abs().max()) < 1e-12
    whole = torch.einsum("ai,nij,bj->nab", axes, body.stress(F, X).value, axes)
    derived = section.derived(f, x)
    assert_close(derived["stress"].value, whole[:, [0, 2]][:, :, [0, 2]])
    assert_close(derived["hoop_stress"].value, whole[:, 1, 1])
    assert_close(derived["von_mises"].value, body.derived(F, X)["von_mises"].value)
    assert derived.keys() | {"displacement"} == section.units().keys()


def test_on_the_axis_the_hoop_strain_is_the_radial_one() -> None:
    rz = torch.tensor([[0.0, -0.5], [0.0, 0.3], [1e-9, 0.3], [1.0, 0.0]], dtype=torch.float64)
    (section, f, x), (body, F, X) = section_and_body(rz, 0.0)
    whole = body.stress(F, X).value
    derived = section.derived(f, x)
    assert_close(derived["hoop_stress"].value, whole[:, 1, 1])
    assert_close(derived["stress"].value, whole[:, [0, 2]][:, :, [0, 2]])
    assert torch.isfinite(section.residual(f, x)["equilibrium"].value).all()
    normal = as_jet([-1.0, 0.0], PLANE)
    on_axis = Coordinates(rz[:2], PLANE)
    (_, f, _), _ = section_and_body(rz[:2], 0.0)
    for row in Symmetry("axis").residual(f, on_axis, normal, section).values():
        assert largest(row) < 1e-14


def test_points_beyond_the_axis_are_refused() -> None:
    (section, f, x), _ = section_and_body(points_in((-0.5, 0.0), (1.0, 1.0)), 0.0)
    with pytest.raises(ValueError, match=r"has r >= 0, got a point at r = -0\.\d+: x is the dist"):
        section.residual(f, x)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_kelvins_force_on_a_line_through_the_axis(seed) -> None:
    """A point force in infinite space: equilibrium away from it, and the force through a sphere."""
    nu, mu = 0.3, 2.0 / 2.6
    physics = AxisymmetricElasticity(2.0, nu)

    def field(x: Coordinates) -> Fields:
        R = sqrt(x.x**2 + x.y**2)
        scale = 1.0 / (16.0 * math.pi * mu * (1.0 - nu))
        up = scale * ((3.0 - 4.0 * nu) / R + x.y**2 / R**3)
        return displaced([scale * x.x * x.y / R**3, up], PLANE)

    x = Coordinates(points_in((0.05, 0.5), (1.0, 1.5), seed), PLANE)
    f = field(x)
    size = largest(div(physics.stress(f, x)))
    row = physics.residual(f, x)["equilibrium"]
    assert largest(row) < 1e-10 * max(size, 1.0)
    law = physics.balances(f, x)["force"]
    assert law.unit == "N/rad"
    assert largest(div(law.flux) - law.source - row) < 1e-13
    angle = (torch.arange(4000, dtype=torch.float64) + 0.5) * math.pi / 4000
    ring = torch.stack((torch.sin(angle), torch.cos(angle)), dim=1)
    x = Coordinates(ring, PLANE)
    flux = physics.balances(field(x), x)["force"].flux.value
    through = (flux[:, 1] * ring).sum() * math.pi / 4000 * 2.0 * math.pi
    assert float(through) == pytest.approx(-1.0, rel=1e-6)


# ---------------------------------------------------------------- finite strain


def small(made, size: float) -> Fields:
    return Fields({"displacement": size * made.fields.displacement})


def energy(F: torch.Tensor, lam: float, mu: float) -> torch.Tensor:
    """Neo-Hookean energy of F (N, D, D); plane strain if D = 2."""
    volume = torch.linalg.det(F)
    first = F.square().sum((1, 2)) + (3 - F.shape[1])
    return mu / 2 * (first - 3 - 2 * volume.log()) + lam / 2 * volume.log() ** 2


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("dim", [2, 3])
def test_neo_hookean_equilibrium_is_that_of_its_energy(dim, seed, smooth_fields, d) -> None:
    """P = dW/dF and its divergence, both by torch, on a field that is not homogeneous."""
    E, nu, size, force = 3.0, 0.3, 0.08, [0.4, -1.0, 2.0][:dim]
    lam, mu = E * nu / ((1 + nu) * (1 - 2 * nu)), E / (2 * (1 + nu))
    made = smooth_fields({"displacement": (dim,)}, Frame(dim), seed=seed)
    u, x = made.values["displacement"], made.columns
    rows = [torch.stack([size * d(u[i], x[j]) for j in range(dim)], -1) for i in range(dim)]
    F = torch.eye(dim, dtype=torch.float64) + torch.stack(rows, dim=1)
    (P,) = torch.autograd.grad(energy(F, lam, mu).sum(), F, create_graph=True)
    volume = torch.linalg.det(F)
    assert float(volume.detach().min()) > 0.1
    physics = HyperElasticity(E, nu, body_force=force)
    f = small(made, size)
    derived = physics.derived(f, made.x)
    cauchy = P @ F.transpose(1, 2) / volume[:, None, None]
    assert_close(derived["first_piola_kirchhoff"].value, P)
    assert_close(derived["stress"].value, cauchy)
    assert_close(derived["volume_ratio"].value, volume)
    expected = [sum(d(P[:, i, j], x[j]) for j in range(dim)) + force[i] for i in range(dim)]
    row = physics.residual(f, made.x)["equilibrium"]
    assert_close(row.value, torch.stack(expected, 1))
    law = physics.balances(f, made.x)["force"]
    assert_close((div(law.flux) - law.source).value, row.value)
    full = torch.zeros(len(F), 3, 3, dtype=torch.float64)
    full[:, :dim, :dim] = cauchy.detach()
    if dim == 2:
        full[:, 2, 2] = (lam * volume.log() / volume).detach()
    mean = full.diagonal(dim1=1, dim2=2).sum(1)[:, None, None] / 3 * torch.eye(3).double()
    assert_close(derived["von_mises"].value, (1.5 * (full - mean).square().sum((1, 2))).sqrt())
    assert derived.keys() | {"displacement"} == physics.units().keys()


@pytest.mark.parametrize(("plane", "dim"), [("strain", 2), (None, 3)])
def test_neo_hookean_is_hookes_law_at_small_strain(plane, dim, smooth_fields) -> None:
    """The difference falls with the square of the strain."""
    made = smooth_fields({"displacement": (dim,)}, Frame(dim))
    gaps = []
    for size in (1e-3, 1e-4):
        f = small(made, size)
        hooke = Elasticity(3.0, 0.3, plane).residual(f, made.x)["equilibrium"].value
        found = HyperElasticity(3.0, 0.3).residual(f, made.x)["equilibrium"].value
        gaps.append(float((found - hooke).norm() / hooke.norm()))
    assert gaps[0] / gaps[1] == pytest.approx(10.0, rel=0.02)


@pytest.mark.parametrize("dim", [2, 3])
def test_turning_a_body_turns_its_stress(dim, smooth_fields) -> None:
    made = smooth_fields({"displacement": (dim,)}, Frame(dim))
    turn = torch.eye(dim, dtype=torch.float64)
    turn[:2, :2] = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    physics, f, position = HyperElasticity(3.0, 0.3), small(made, 0.08), made.x.position
    y = position + f.displacement
    swapped = [-y[1], y[0], *(y[i] for i in range(2, dim))]
    g = displaced([a - b for a, b in zip(swapped, position, strict=True)], made.x.frame)
    before, after = (physics.stress(item, made.x).value for item in (f, g))
    assert_close(after, turn @ before @ turn.T)


UNIAXIAL = [
    (1.1, 0.971492946, 98.620021, 93.077432),
    (1.5, 0.880174592, 488.287861, 378.280176),
    (2.0, 0.798077545, 1015.412883, 646.744660),
]


@pytest.mark.parametrize(("stretch", "lateral", "cauchy", "nominal"), UNIAXIAL)
def test_uniaxial_stretch(stretch, lateral, cauchy, nominal) -> None:
    x = Coordinates(points_in((0, 0, 0), (1, 1, 1)), Frame(3))
    f = displaced([(stretch - 1.0) * x.x, (lateral - 1.0) * x.y, (lateral - 1.0) * x.z], x.frame)
    physics = HyperElasticity(1000.0, 0.3)
    derived = physics.derived(f, x)
    assert float(derived["stress"].value[0, 0, 0]) == pytest.approx(cauchy, rel=1e-8)
    assert float(derived["first_piola_kirchhoff"].value[0, 0, 0]) == pytest.approx(
        nominal, rel=1e-8
    )
    assert float(derived["von_mises"].value[0]) == pytest.approx(cauchy, rel=1e-8)
    side = Traction("side").residual(f, x, as_jet([0.0, 1.0, 0.0], x.frame), physics)
    assert max(largest(row) for row in side.values()) < 5e-6  # the stretch has 9 digits


def test_folded_bodies_stay_finite_and_smooth() -> None:
    """The factor of the cofactor has no kink where it is continued."""
    physics = HyperElasticity(1.0, 0.3)
    found = []
    for volume in (0.1 - 1e-6, 0.1, 0.1 + 1e-6, 0.0, -1.0):
        x = Coordinates(points_in((0, 0), (1, 1), number=1), PLANE)
        f = displaced([(volume - 1.0) * x.x, as_jet(0.0, PLANE)], PLANE)
        found.append(float(physics.natural_fluxes(f, x)["displacement"].value[0, 0, 0]))
    below, at, above, *folded = found
    assert above - at == pytest.approx(at - below, rel=1e-4)
    assert all(math.isfinite(value) for value in folded)
