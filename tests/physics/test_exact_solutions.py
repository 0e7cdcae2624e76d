"""Closed-form solutions leave no residual, and their fluxes are the textbook's."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from pinnsolve.conditions import Convection, Insulated, Neumann, Outlet, Traction
from pinnsolve.jets import (
    Coordinates,
    Fields,
    Frame,
    Jet,
    as_jet,
    cos,
    cosh,
    dot,
    erf,
    exp,
    grad,
    log,
    sin,
    sinh,
    sqrt,
)
from pinnsolve.physics import (
    Boussinesq,
    CustomPhysics,
    Elasticity,
    Heat,
    NavierStokes,
    Physics,
    Stefan,
    Stokes,
)

ICE, WALL = 0.4, -7.0 / 5.0 * math.sqrt(math.pi) * 0.4 * math.exp(0.16) * math.erf(0.4)


def ice(x: Coordinates) -> dict[str, object]:
    """Neumann's solution for k = 2, rho = 3, c = 5, L = 7, at the wall temperature that gives lam = 0.4."""
    temperature = WALL * (1.0 - erf(ICE * x.x) / math.erf(ICE))
    return {"temperature": temperature, "front": 2.0 * ICE * sqrt(2.0 / 15.0 * x.t)}


@dataclass(frozen=True)
class Case:
    """A physics with an exact solution on a box of coordinates."""

    physics: Physics
    exact: Callable[[Coordinates], dict[str, object]]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    has_time: bool = False

    def at(self, seed: int) -> tuple[Fields, Coordinates]:
        lower, upper = (torch.tensor(v, dtype=torch.float64) for v in (self.lower, self.upper))
        generator = torch.Generator().manual_seed(seed)
        share = torch.rand(20, len(lower), generator=generator, dtype=torch.float64)
        frame = Frame(len(lower) - self.has_time, self.has_time)
        return self.on(lower + share * (upper - lower), frame)

    def on(self, points: Tensor, frame: Frame) -> tuple[Fields, Coordinates]:
        x = Coordinates(points, frame)
        return Fields({n: as_jet(v, frame) for n, v in self.exact(x).items()}), x


KOVASZNAY = 20.0 - math.sqrt(400.0 + 4.0 * math.pi**2)


def kovasznay(x: Coordinates) -> dict[str, object]:
    decay, wave = exp(KOVASZNAY * x.x), 2.0 * math.pi * x.y
    u = [1.0 - decay * cos(wave), KOVASZNAY / (2.0 * math.pi) * decay * sin(wave)]
    return {"velocity": u, "pressure": 0.5 * (1.0 - decay**2)}


def taylor_green(x: Coordinates) -> dict[str, object]:
    a, b, decay = math.pi * x.x, math.pi * x.y, exp(-2.0 * math.pi**2 * 0.05 * x.t)
    u = [-cos(a) * sin(b) * decay, sin(a) * cos(b) * decay]
    return {"velocity": u, "pressure": -0.25 * (cos(2.0 * a) + cos(2.0 * b)) * decay**2}


def ethier_steinman(x: Coordinates) -> dict[str, object]:
    """Ethier & Steinman 1994: an unsteady 3-D Beltrami flow, here with nu = 0.7."""
    a, d = math.pi / 4, math.pi / 2
    g = exp(-0.7 * d**2 * x.t)
    r = (x.x, x.y, x.z)

    def e(i: int) -> Jet:
        return exp(a * r[i])

    def phase(i: int, j: int) -> Jet:
        return a * r[i] + d * r[j]

    u = [
        -a * (e(i) * sin(phase(j, k)) + e(k) * cos(phase(i, j))) * g
        for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1))
    ]
    squares = e(0) ** 2 + e(1) ** 2 + e(2) ** 2
    mixed = (
        sin(phase(0, 1)) * cos(phase(2, 0)) * e(1) * e(2)
        + sin(phase(1, 2)) * cos(phase(0, 1)) * e(2) * e(0)
        + sin(phase(2, 0)) * cos(phase(1, 2)) * e(0) * e(1)
    )
    return {"velocity": u, "pressure": -0.5 * a**2 * (squares + 2.0 * mixed) * g**2}


def couette_taylor(x: Coordinates) -> dict[str, object]:
    """Rings at r = 1, 2 turning with angular velocities 1, 0."""
    A, B = -1.0 / 3.0, 4.0 / 3.0
    square = x.x**2 + x.y**2
    spin = A + B / square
    pressure = 0.5 * A**2 * square + A * B * log(square) - 0.5 * B**2 / square
    return {"velocity": [-x.y * spin, x.x * spin], "pressure": pressure}


SPHERE = {"a": 0.4, "U": 1.5, "mu": 0.7}


def stokes_sphere(x: Coordinates) -> dict[str, object]:
    """Creeping flow around a sphere at rest (Stokes 1851; Batchelor, section 4.9)."""
    a, U, mu = SPHERE.values()
    r = sqrt(x.x**2 + x.y**2 + x.z**2)
    near = a / r
    along = U * (1.0 - 0.75 * near - 0.25 * near**3)
    towards = 0.75 * U * (near - near**3) * x.x / r**2
    return {
        "velocity": [along - towards * x.x, -towards * x.y, -towards * x.z],
        "pressure": -1.5 * mu * U * a * x.x / r**3,
    }


def kirsch(x: Coordinates, kappa: float, shear: float, radius: float, tension: float):
    """Displacement of an infinite plate with a hole, pulled along x (Muskhelishvili)."""
    r2 = x.x**2 + x.y**2
    r = sqrt(r2)
    cos2, sin2 = (x.x**2 - x.y**2) / r2, 2.0 * x.x * x.y / r2
    a2 = radius**2
    radial = 0.5 * (kappa - 1.0) * r + r * cos2 + a2 / r * (1.0 + (1.0 + kappa) * cos2)
    radial = radial - a2**2 / r**3 * cos2
    around = ((1.0 - kappa) * a2 / r - r - a2**2 / r**3) * sin2
    c, s = x.x / r, x.y / r
    factor = tension / (4.0 * shear)
    return {
        "displacement": [factor * (radial * c - around * s), factor * (radial * s + around * c)]
    }


def kirsch_plane(nu: float, plane: str) -> Case:
    kappa = (3.0 - nu) / (1.0 + nu) if plane == "stress" else 3.0 - 4.0 * nu
    shear = 2.1e11 / (2.0 * (1.0 + nu))
    return Case(
        Elasticity(2.1e11, nu, plane),
        lambda x: kirsch(x, kappa, shear, 0.5, 1e8),
        (0.6, 0.1),
        (2.0, 2.0),
    )


BEAM = {"L": 48.0, "D": 12.0, "E": 3e7, "nu": 0.3, "P": 1000.0}


def timoshenko(x: Coordinates) -> dict[str, object]:
    """Cantilever with a parabolic end shear (Timoshenko & Goodier, art. 21)."""
    L, D, E, nu, P = BEAM.values()
    six = 6.0 * E * D**3 / 12.0
    u = -P * x.y / six * ((6.0 * L - 3.0 * x.x) * x.x + (2.0 + nu) * (x.y**2 - D**2 / 4))
    v = 3.0 * nu * x.y**2 * (L - x.x) + (4.0 + 5.0 * nu) * D**2 * x.x / 4
    v = P / six * (v + (3.0 * L - x.x) * x.x**2)
    return {"displacement": [u, v]}


RING = {"a": 1.0, "b": 2.0, "p": 5e7, "E": 2.1e11, "nu": 0.3}


def lame(x: Coordinates) -> dict[str, object]:
    """Thick ring under inner pressure, plane strain."""
    a, b, p, E, nu = RING.values()
    base = p * a**2 / (b**2 - a**2) * (1.0 + nu) / E
    stretch = base * ((1.0 - 2.0 * nu) + b**2 / (x.x**2 + x.y**2))
    return {"displacement": [stretch * x.x, stretch * x.y]}


def robin_root(height: float, biot: float) -> float:
    """Smallest root of ``w tan(w height) = biot`` by bisection."""
    low, high = 0.0, 0.5 * math.pi / height
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if middle * math.tan(middle * height) < biot else (low, middle)
    return 0.5 * (low + high)


MODE = robin_root(0.6, 750.0 / 52.0)


def harmonic_mode(x: Coordinates) -> dict[str, object]:
    """Insulated at x = 0, cooled with h = 750 at x = 0.6, as in the modes of NAFEMS T4."""
    return {"temperature": 100.0 * cos(MODE * x.x) * cosh(MODE * (1.0 - x.y)) / math.cosh(MODE)}


SLOT = {"rho": 1.2, "mu": 0.02, "beta": 0.003, "g": 9.81}


def slot(x: Coordinates) -> dict[str, object]:
    """Conduction in a tall slot, hot on the right: the fluid rises there, falls on the left."""
    rho, mu, beta, g = SLOT.values()
    return {
        "velocity": [0.0, rho * beta * g / (6.0 * mu) * (x.x - x.x**3)],
        "pressure": 0.0,
        "temperature": 300.0 + x.x,
    }


def at_rest(x: Coordinates) -> dict[str, object]:
    """Stable layers: hydrostatic pressure carries the buoyancy."""
    rho, _, beta, g = SLOT.values()
    hydrostatic = 0.5 * rho * beta * g * x.z**2
    return {"velocity": [0.0] * 3, "pressure": hydrostatic, "temperature": 300.0 + x.z}


CASES = {
    "Kovasznay": Case(NavierStokes(1.0, 1.0 / 40.0), kovasznay, (-0.5, -0.5), (1.0, 1.5)),
    "Taylor-Green": Case(NavierStokes(1.0, 0.05), taylor_green, (0, 0, 0), (1, 1, 1), True),
    "Ethier-Steinman": Case(
        NavierStokes(1.0, 0.7), ethier_steinman, (-1, -1, -1, 0), (1, 1, 1, 1), True
    ),
    "Couette-Taylor": Case(NavierStokes(1.0, 3.0), couette_taylor, (0.8, 0.8), (1.3, 1.3)),
    "Stokes's sphere": Case(Stokes(SPHERE["mu"]), stokes_sphere, (0.3, 0.3, 0.3), (1.0, 1.0, 1.0)),
    "Kirsch plane stress": kirsch_plane(0.3, "stress"),
    "Kirsch plane strain": kirsch_plane(0.3, "strain"),
    "Timoshenko": Case(Elasticity(3e7, 0.3, "stress"), timoshenko, (0, -6), (48, 6)),
    "Lame": Case(Elasticity(2.1e11, 0.3, "strain"), lame, (0.8, 0.8), (1.3, 1.3)),
    "harmonic mode": Case(Heat(52.0), harmonic_mode, (0, 0), (0.6, 1)),
    "decaying mode": Case(
        Heat(0.35 * 6.0, density=2.0, specific_heat=3.0),
        lambda x: {"temperature": exp(-0.35 * math.pi**2 * x.t) * sin(math.pi * x.x)},
        (0, 0),
        (1, 0.3),
        True,
    ),
    "conductivity 1 + T": Case(
        Heat(lambda T, x: 1.0 + T),
        lambda x: {"temperature": sqrt(1.0 + 3.0 * x.x) - 1.0},
        (0,),
        (1,),
    ),
    "conductivity exp(T)": Case(
        Heat(lambda T, x: exp(T)), lambda x: {"temperature": log(2.0 + x.x * x.y)}, (0, 0), (1, 1)
    ),
    "layered conductivity": Case(
        Heat(lambda T, x: 1.0 + x.x), lambda x: {"temperature": log(1.0 + x.x)}, (0,), (1,)
    ),
    "plug flow": Case(
        Heat(0.5, density=1.0, specific_heat=2.0, velocity=[1.0]),
        lambda x: {"temperature": exp(4.0 * x.x)},
        (0,),
        (1,),
    ),
    "carried mode": Case(
        Heat(0.6, density=1.5, specific_heat=2.0, velocity=[0.7, -0.4]),
        lambda x: {
            "temperature": exp(-0.2 * 13.0 * x.t)
            * sin(2.0 * (x.x - 0.7 * x.t) + 3.0 * (x.y + 0.4 * x.t))
        },
        (0, 0, 0),
        (1, 1, 1),
        True,
    ),
    "turning disk": Case(
        Heat(
            3.0,
            density=2.0,
            specific_heat=5.0,
            source=lambda x: -40.0 * x.x * x.y,
            velocity=lambda x: [-x.y, x.x],
        ),
        lambda x: {"temperature": x.x**2 - x.y**2},
        (-1, -1),
        (1, 1),
    ),
    "growing ice": Case(Stefan(2.0, 3.0, 5.0, 7.0), ice, (0, 0.5), (1, 2.0), True),
    "heated sphere": Case(
        Heat(3.0, source=18.0),
        lambda x: {"temperature": 1.0 - x.x**2 - x.y**2 - x.z**2},
        (0, 0, 0),
        (1, 1, 1),
    ),
    "convection slot": Case(
        Boussinesq(NavierStokes(1.2, 0.02), 0.025, 1005.0, 0.003, (0.0, -9.81), 300.0),
        slot,
        (-1, 0),
        (1, 1),
    ),
    "stable layers": Case(
        Boussinesq(NavierStokes(1.2, 0.02), 0.025, 1005.0, 0.003, (0.0, 0.0, -9.81), 300.0),
        at_rest,
        (-1, -1, -1),
        (1, 1, 1),
    ),
    "travelling wave": Case(
        CustomPhysics(
            fields={"u": ()},
            equations=lambda f, x, m: grad(grad(f.u)[0])[0] - m.c**-2 * grad(grad(f.u)[1])[1],
            parameters={"c": 2.0},
        ),
        lambda x: {"u": sinh(x.x + 2.0 * x.y)},
        (0, 0),
        (1, 1),
    ),
}


def term_size(physics: Physics, f: Fields, x: Coordinates) -> dict[str, float]:
    """Size of an equation's terms: its residual once the fields are distorted."""
    length = float(x.points.abs().max())
    phase = sum((x[i] / length for i in range(1, x.frame.num_axes)), x[0] / length)
    rows = physics.residual(Fields({name: (1.0 + 0.5 * sin(phase)) * f[name] for name in f}), x)
    return {name: float(row.value.abs().max()) for name, row in rows.items()}


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", CASES)
def test_exact_solutions_leave_no_residual(name, seed) -> None:
    case = CASES[name]
    f, x = case.at(seed)
    sizes = term_size(case.physics, f, x)
    for equation, row in case.physics.residual(f, x).items():
        assert float(row.value.abs().max()) <= 1e-10 * sizes[equation], equation


@pytest.mark.parametrize(
    ("name", "point", "velocity", "pressure"),
    [
        ("Kovasznay", (0.25, 0.3), (1.242854169, -0.114643593), 0.191186410),
        (
            "Ethier-Steinman",
            (0.3, -0.6, 0.2, 0.15),
            (-0.419295180, -0.980144397, 0.154505788),
            -0.580181763,
        ),
    ],
)
def test_flows_have_their_published_values(name, point, velocity, pressure) -> None:
    case = CASES[name]
    frame = Frame(len(point) - case.has_time, case.has_time)
    f, _ = case.on(torch.tensor([point], dtype=torch.float64), frame)
    assert f.velocity.value[0].tolist() == pytest.approx(velocity, abs=1e-9)
    assert float(f.pressure.value) == pytest.approx(pressure, abs=1e-9)


def polar(stress: Tensor, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return sigma_rr, sigma_tt, sigma_rt."""
    r = points / points.norm(dim=1, keepdim=True)
    t = torch.stack((-r[:, 1], r[:, 0]), dim=1)
    pairs = ((r, r), (t, t), (r, t))
    return tuple(torch.einsum("ni,nij,nj->n", a, stress, b) for a, b in pairs)


@pytest.mark.parametrize("plane", ["stress", "strain"])
def test_kirsch_stress(plane) -> None:
    case = CASES[f"Kirsch plane {plane}"]
    f, x = case.at(0)
    ratio = (0.5 / x.points.norm(dim=1)) ** 2
    double = 2.0 * torch.atan2(x.points[:, 1], x.points[:, 0])
    S, c, s = 1e8, torch.cos(double), torch.sin(double)
    expected = (
        S / 2 * (1 - ratio) + S / 2 * (1 - 4 * ratio + 3 * ratio**2) * c,
        S / 2 * (1 + ratio) - S / 2 * (1 + 3 * ratio**2) * c,
        -S / 2 * (1 + 2 * ratio - 3 * ratio**2) * s,
    )
    found = polar(case.physics.derived(f, x)["stress"].value, x.points)
    for actual, wanted in zip(found, expected, strict=True):
        assert float((actual - wanted).abs().max()) < 1e-10 * S


def test_kirsch_concentration_is_three() -> None:
    case = CASES["Kirsch plane stress"]
    f, x = case.on(torch.tensor([[0.0, 0.5], [0.5, 0.0]], dtype=torch.float64), Frame(2))
    stress = case.physics.derived(f, x)["stress"].value
    assert float(stress[0, 0, 0]) == pytest.approx(3e8, rel=1e-10)
    assert float(stress[1, 1, 1]) == pytest.approx(-1e8, rel=1e-10)


def test_timoshenko_stress_and_tip_deflection() -> None:
    case = CASES["Timoshenko"]
    L, D, _, _, P = BEAM.values()
    f, x = case.at(0)
    X, Y = x.points.unbind(1)
    inertia = D**3 / 12
    stress = case.physics.derived(f, x)["stress"].value
    size = P * L * D / 2 / inertia
    assert float((stress[:, 0, 0] + P * (L - X) * Y / inertia).abs().max()) < 1e-10 * size
    assert float((stress[:, 0, 1] - P / 2 / inertia * (D**2 / 4 - Y**2)).abs().max()) < 1e-10 * size
    assert float(stress[:, 1, 1].abs().max()) < 1e-10 * size
    tip, _ = case.on(torch.tensor([[L, 0.0]], dtype=torch.float64), Frame(2))
    assert float(tip.displacement.value[0, 1]) == pytest.approx(0.0089, rel=1e-12)


def ring_points(radius: float) -> tuple[Tensor, Tensor]:
    angle = torch.linspace(0.0, 6.0, 9, dtype=torch.float64)
    radial = torch.stack((torch.cos(angle), torch.sin(angle)), dim=1)
    return radius * radial, radial


@pytest.mark.parametrize(("radius", "sign", "pressure"), [(1.0, -1.0, 5e7), (2.0, 1.0, 0.0)])
def test_lame_ring_carries_its_pressure(radius, sign, pressure) -> None:
    case = CASES["Lame"]
    points, radial = ring_points(radius)
    f, x = case.on(points, Frame(2))
    normal = as_jet(list((sign * radial).unbind(1)), x.frame)
    rows = Traction("wall", pressure=pressure).residual(f, x, normal, case.physics)
    assert list(rows) == ["displacement_x", "displacement_y"]
    for row in rows.values():
        assert float(row.value.abs().max()) < 1e-10 * 5e7


def test_lame_ring_hoop_stress_and_out_of_plane_stress_in_von_mises() -> None:
    a, b, p, _, nu = RING.values()
    case = CASES["Lame"]
    points, _ = ring_points(1.5)
    f, x = case.on(points, Frame(2))
    derived = case.physics.derived(f, x)
    base = p * a**2 / (b**2 - a**2)
    wanted = base * (1 - b**2 / 1.5**2), base * (1 + b**2 / 1.5**2)
    radial, hoop, shear = polar(derived["stress"].value, points)
    for actual, value in ((radial, wanted[0]), (hoop, wanted[1]), (shear, 0.0)):
        assert float((actual - value).abs().max()) < 1e-10 * p
    axial = nu * 2 * base
    mises = math.sqrt(
        0.5 * ((wanted[0] - wanted[1]) ** 2 + (wanted[1] - axial) ** 2 + (axial - wanted[0]) ** 2)
    )
    assert derived["von_mises"].value.tolist() == pytest.approx([mises] * 9, rel=1e-10)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("plane", "dim"), [("stress", 2), ("strain", 2), (None, 3)])
def test_uniform_expansion_has_a_finite_von_mises_stress(plane, dim, seed) -> None:
    """All-round pressure is where 3/2 s:s rounds to either side of zero."""
    generator = torch.Generator().manual_seed(seed)
    x = Coordinates(torch.rand(40, dim, generator=generator, dtype=torch.float64), Frame(dim))
    sizes = 1e-3 * torch.rand(40, generator=generator, dtype=torch.float64)
    f = Fields(
        {"displacement": as_jet([sizes_leaf(x, sizes, axis) for axis in range(dim)], x.frame)}
    )
    derived = Elasticity(2.1e11, 0.3, plane).derived(f, x)
    mises, largest = derived["von_mises"].value, derived["stress"].value.abs().max()
    assert torch.isfinite(mises).all()
    if dim == 3:
        assert float(mises.max()) < 1e-7 * float(largest)


def sizes_leaf(x: Coordinates, sizes: Tensor, axis: int) -> Jet:
    """A displacement with slope ``sizes`` along its own axis, another at each point."""
    slopes = {(): sizes * x.points[:, axis], (axis,): sizes}
    return Jet.leaf(lambda index: slopes.get(index, 0.0), x.frame)


def test_heat_conditions_on_a_harmonic_mode() -> None:
    case = CASES["harmonic mode"]
    y = torch.linspace(0.0, 1.0, 7, dtype=torch.float64)
    size = 100.0 * 750.0
    for side, condition in ((0.6, Convection("right", 750.0, 0.0)), (0.0, Insulated("left"))):
        f, x = case.on(torch.stack((torch.full_like(y, side), y), dim=1), Frame(2))
        normal = as_jet([1.0 if side else -1.0, 0.0], x.frame)
        row = condition.residual(f, x, normal, case.physics)["temperature"]
        assert float(row.value.abs().max()) < 1e-10 * size


@pytest.mark.parametrize("melting", [False, True])
def test_the_front_moves_by_the_heat_that_reaches_it(melting) -> None:
    """Melting is freezing upside down: the same front, temperatures of the other sign."""
    physics = Stefan(2.0, 3.0, 5.0, 7.0, melting)
    points = torch.tensor([[1.0, 0.5], [1.0, 1.3]], dtype=torch.float64)
    f, x = CASES["growing ice"].on(points, Frame(1, has_time=True))
    turned = Fields({"temperature": (-1.0 if melting else 1.0) * f.temperature, "front": f.front})
    for fields, holds in (
        (turned, True),
        (Fields({"temperature": turned.temperature, "front": 1.1 * f.front}), False),
    ):
        row = Neumann("right", front=0.0).residual(fields, x, as_jet([1.0], x.frame), physics)
        assert (float(row["front"].value.abs().max()) < 1e-12) == holds


def test_heat_flux_of_the_kirchhoff_solution_is_uniform() -> None:
    case = CASES["conductivity 1 + T"]
    f, x = case.at(0)
    flux = case.physics.natural_fluxes(f, x)["temperature"].value
    assert flux.flatten().tolist() == pytest.approx([-1.5] * 20, rel=1e-12)


def test_couette_torque_on_the_inner_ring() -> None:
    """Torque per length 4 pi mu B: 16.7551608 mu."""
    case = CASES["Couette-Taylor"]
    points, radial = ring_points(1.0)
    f, x = case.on(points, Frame(2))
    _, _, shear = polar(case.physics.natural_fluxes(f, x)["velocity"].value, points)
    assert (2.0 * math.pi * shear / 3.0).tolist() == pytest.approx([-16.7551608] * 9, rel=1e-8)
    assert float(dot(f.velocity, list(radial.unbind(1))).value.abs().max()) < 1e-15


def test_stokes_drag() -> None:
    """The traction on the sphere is the same everywhere, 3 mu U / (2 a): 6 pi mu a U in all."""
    a, U, mu = SPHERE.values()
    case = CASES["Stokes's sphere"]
    directions = torch.randn(9, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    outward = directions / directions.norm(dim=1, keepdim=True)
    f, x = case.on(a * outward, Frame(3))
    stress = case.physics.natural_fluxes(f, x)["velocity"].value
    traction = torch.einsum("nij,nj->ni", stress, outward)
    wanted = torch.tensor([1.5 * mu * U / a, 0.0, 0.0], dtype=torch.float64).expand(9, 3)
    torch.testing.assert_close(traction, wanted, rtol=0.0, atol=1e-13)
    assert float(f.velocity.value.abs().max()) < 1e-15


def test_poiseuille_leaves_through_a_do_nothing_outlet() -> None:
    """The parabola satisfies the do-nothing condition exactly, the full stress does not."""
    mu, drop = 0.3, 2.0
    y = torch.linspace(-1.0, 1.0, 9, dtype=torch.float64)
    x = Coordinates(torch.stack((torch.full_like(y, 5.0), y), dim=1), Frame(2))
    profile = drop / (2.0 * mu) * (1.0 - x.y**2)
    pressure = 7.0 + drop * (5.0 - x.x)
    f = Fields({"velocity": as_jet([profile, 0.0], x.frame), "pressure": pressure})
    physics, normal = NavierStokes(1.0, mu), as_jet([1.0, 0.0], x.frame)
    for law in (physics, Stokes(mu)):
        for row in Outlet("right", pressure=7.0).residual(f, x, normal, law).values():
            assert float(row.value.abs().max()) < 1e-14
    traction = Traction("right", pressure=7.0).residual(f, x, normal, physics)
    assert float(traction["velocity_y"].value.abs().max()) == pytest.approx(drop)
