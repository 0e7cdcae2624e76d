"""Conditions against closed forms: signs, components, and which fields they settle."""

from __future__ import annotations

import math

import pytest
import torch

from pinnsolve.conditions import (
    Convection,
    Dirichlet,
    Fixed,
    Initial,
    Inlet,
    Insulated,
    Neumann,
    NoSlip,
    Outlet,
    Periodic,
    Radiation,
    Symmetry,
    Traction,
    tangent_vectors,
)
from pinnsolve.jets import Coordinates, Fields, Frame, Jet, as_jet, cos, grad, sin
from pinnsolve.physics import Boussinesq, CustomPhysics, Elasticity, Heat, NavierStokes
from pinnsolve.ranges import Range
from pinnsolve.unknowns import Unknown, bind, find_unknowns

PLANE, SPACE = Frame(2), Frame(3)
HEAT = Heat(2.0)
SOLID = Elasticity(3.0, 0.25, "stress")
FLOW = NavierStokes(1.0, 0.5)
WARM = Boussinesq(FLOW, 0.6, 1.0, 1.0, (0.0, -9.81))


def points(dim: int = 2, seed: int = 0) -> torch.Tensor:
    return torch.rand(6, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def unit(dim: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    n = torch.randn(6, dim, generator=generator, dtype=torch.float64)
    return n / n.norm(dim=1, keepdim=True)


def jet(vectors: torch.Tensor, frame: Frame) -> Jet:
    return as_jet(list(vectors.unbind(1)), frame)


def setting(dim: int = 2) -> tuple[Fields, Coordinates, torch.Tensor]:
    """Smooth fields of every name at points with random normals."""
    frame = Frame(dim)
    x = Coordinates(points(dim), frame)
    u = as_jet([sin(x.x * (i + 1.0)) + x[-1] ** 2 for i in range(dim)], frame)
    f = Fields(
        {
            "temperature": x.x**2 * x.y + 1.0,
            "velocity": u,
            "displacement": u,
            "pressure": cos(x.x),
        }
    )
    return f, x, unit(dim)


def value(row: Jet) -> torch.Tensor:
    return row.value.expand(6)


def test_dirichlet_is_field_minus_given() -> None:
    f, x, n = setting()
    given = Dirichlet("left", velocity=lambda x: [x.x, 2.0], pressure=0.5)
    rows = given.residual(f, x, jet(n, PLANE), FLOW)
    assert list(rows) == ["velocity_x", "velocity_y", "pressure"]
    assert torch.equal(rows["velocity_x"].value, f.velocity.value[:, 0] - x.points[:, 0])
    assert torch.equal(rows["velocity_y"].value, f.velocity.value[:, 1] - 2.0)
    assert torch.equal(rows["pressure"].value, f.pressure.value - 0.5)


def test_dirichlet_on_one_component() -> None:
    f, x, n = setting()
    rows = Dirichlet("left", displacement_y=0.25).residual(f, x, jet(n, PLANE), SOLID)
    assert list(rows) == ["displacement_y"]
    assert torch.equal(rows["displacement_y"].value, f.displacement.value[:, 1] - 0.25)


@pytest.mark.parametrize("dim", [2, 3])
def test_neumann_is_outward_flux_minus_given(dim) -> None:
    f, x, n = setting(dim)
    row = Neumann("top", temperature=-500.0).residual(f, x, jet(n, x.frame), HEAT)["temperature"]
    slope = (grad(f.temperature).value * n).sum(1)
    torch.testing.assert_close(row.value, -2.0 * slope + 500.0)


def test_neumann_of_a_solid_is_a_traction() -> None:
    f, x, n = setting()
    normal = jet(n, PLANE)
    flux = Neumann("top", displacement=[1.0, -2.0]).residual(f, x, normal, SOLID)
    traction = Traction("top", [1.0, -2.0]).residual(f, x, normal, SOLID)
    for name, row in traction.items():
        torch.testing.assert_close(flux[name].value, row.value)


def test_insulated_is_neumann_zero_and_convection_without_excess() -> None:
    f, x, n = setting()
    normal = jet(n, PLANE)
    insulated = Insulated("left").residual(f, x, normal, HEAT)["temperature"].value
    neumann = Neumann("left", temperature=0.0).residual(f, x, normal, HEAT)["temperature"].value
    no_excess = Convection("left", 3.0, lambda x: x.x**2 * x.y + 1.0)
    robin = no_excess.residual(f, x, normal, HEAT)["temperature"].value
    torch.testing.assert_close(insulated, neumann)
    torch.testing.assert_close(insulated, robin, rtol=0.0, atol=1e-14)


def test_convection_takes_heat_out_of_a_hot_wall() -> None:
    """In equilibrium -k dT/dn = h (T - ambient): a slab with T = 10 - 4 x/(k/h + 1) ..."""
    k, h, inside, ambient = 2.0, 3.0, 10.0, 4.0
    slope = -(inside - ambient) / (1.0 + k / h)
    x = Coordinates(torch.tensor([[1.0]], dtype=torch.float64), Frame(1))
    f = Fields({"temperature": inside + slope * x.x})
    row = Convection("right", h, ambient).residual(f, x, as_jet([1.0], x.frame), Heat(k))
    assert abs(float(row["temperature"].value)) < 1e-14
    assert float(f.temperature.value) > ambient


def test_radiation_balances_conduction_at_the_end_of_a_bar() -> None:
    """NAFEMS T2: 55.6 (1000 - T) / 0.1 = 0.98 sigma (T^4 - 300^4) at T = 927.00760624... K."""
    end = 927.0076062462459
    x = Coordinates(torch.tensor([[0.1]], dtype=torch.float64), Frame(1))
    f = Fields({"temperature": 1000.0 + (end - 1000.0) / 0.1 * x.x})
    bar = Radiation("right", 0.98, 300.0, constant=5.67e-8)
    row = bar.residual(f, x, as_jet([1.0], x.frame), Heat(55.6))["temperature"]
    assert abs(float(row.value)) < 1e-9 * 40583.77
    today = Radiation("right", 0.98, 300.0).residual(f, x, as_jet([1.0], x.frame), Heat(55.6))
    assert float(today["temperature"].value) == pytest.approx(-40583.77 * 6.6e-5, rel=1e-2)


def test_radiation_between_near_temperatures_is_convection() -> None:
    """To first order in the excess, eps sigma (T^4 - A^4) = 4 eps sigma A^3 (T - A)."""
    x = Coordinates(points(), PLANE)
    excess = 1e-6 * x.y
    f = Fields({"temperature": 300.0 + excess})
    normal = jet(unit(2), PLANE)
    radiation = Radiation("top", 0.5, 300.0, constant=5e-8).residual(f, x, normal, HEAT)
    convection = Convection("top", 4.0 * 0.5 * 5e-8 * 300.0**3, 300.0).residual(f, x, normal, HEAT)
    for name, row in convection.items():
        torch.testing.assert_close(radiation[name].value, row.value, rtol=1e-6, atol=1e-13)


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize(("physics", "name"), [("solid", "displacement"), ("flow", "velocity")])
def test_traction_and_pressure(physics, name, dim) -> None:
    f, x, n = setting(dim)
    law = FLOW if physics == "flow" else Elasticity(3.0, 0.25, "stress" if dim == 2 else None)
    stress = law.stress(f, x).value
    given = torch.arange(1.0, dim + 1.0, dtype=torch.float64)
    condition = Traction("right", given.tolist(), pressure=7.0)
    rows = condition.residual(f, x, jet(n, x.frame), law)
    expected = torch.einsum("nij,nj->ni", stress, n) - given + 7.0 * n
    for i, row in enumerate(rows.values()):
        torch.testing.assert_close(value(row), expected[:, i])
    assert condition.determines(law, x.frame) == {f"{name}_{'xyz'[i]}" for i in range(dim)}


def test_a_fluid_at_rest_pushes_with_its_pressure() -> None:
    x = Coordinates(points(), PLANE)
    f = Fields({"velocity": as_jet([0.0, 0.0], PLANE), "pressure": as_jet(7.0, PLANE)})
    rows = Traction("right", pressure=7.0).residual(f, x, jet(unit(2), PLANE), FLOW)
    for row in rows.values():
        assert float(row.value.abs().max()) < 1e-15


@pytest.mark.parametrize("dim", [2, 3])
def test_symmetry_is_met_by_a_mirrored_field(dim) -> None:
    """u_x odd in x, the rest even: the plane x = 0 is a mirror."""
    frame = Frame(dim)
    x = Coordinates(points(dim) * torch.tensor([0.0, 1.0, 1.0][:dim], dtype=torch.float64), frame)
    others = [cos(x.x) * x[i] ** 2 for i in range(1, dim)]
    f = Fields(
        {
            "displacement": as_jet([sin(x.x) * x.y, *others], frame),
            "velocity": as_jet([sin(x.x) * x.y, *others], frame),
            "pressure": x.y,
            "temperature": cos(x.x) * x.y,
        }
    )
    normal = as_jet(
        [torch.full((6,), -1.0).double(), *[torch.zeros(6).double()] * (dim - 1)], frame
    )
    gravity = [0.0] * dim
    solid = Elasticity(3.0, 0.25, "stress" if dim == 2 else None)
    for law in (solid, FLOW, HEAT, Boussinesq(FLOW, 0.6, 1.0, 1.0, gravity)):
        rows = Symmetry("left").residual(f, x, normal, law)
        assert len(rows) == len(law.needs_boundary_condition(dim))
        for row in rows.values():
            assert float(row.value.abs().max()) < 1e-14


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_symmetry_does_not_depend_on_the_tangents_chosen(seed) -> None:
    f, x, _ = setting(3)
    n = unit(3, seed)
    law = Elasticity(3.0, 0.25)
    rows = Symmetry("s").residual(f, x, jet(n, SPACE), law)
    assert list(rows) == ["displacement_n", "displacement_t1", "displacement_t2"]
    traction = torch.einsum("nij,nj->ni", law.stress(f, x).value, n)
    tangential = traction - (traction * n).sum(1, keepdim=True) * n
    squares = rows["displacement_t1"].value ** 2 + rows["displacement_t2"].value ** 2
    torch.testing.assert_close(squares, tangential.square().sum(1))


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_tangents_complete_the_normal_to_a_right_handed_frame(dim, seed) -> None:
    n = unit(dim, seed)
    if dim == 3:
        n = torch.cat((n, torch.eye(3).double(), -torch.eye(3).double()))
    axes = torch.stack((n, *(t.value for t in tangent_vectors(jet(n, Frame(dim))))), dim=1)
    eye = torch.eye(dim, dtype=torch.float64).expand(len(n), dim, dim)
    torch.testing.assert_close(axes @ axes.transpose(1, 2), eye, rtol=0.0, atol=1e-14)
    torch.testing.assert_close(torch.linalg.det(axes), torch.ones(len(n), dtype=torch.float64))


def test_in_one_dimension_there_is_no_tangent() -> None:
    assert tangent_vectors(as_jet([1.0], Frame(1))) == ()


@pytest.mark.parametrize("wall", [None, [1.0, -0.5]])
def test_no_slip_is_the_velocity_of_the_wall(wall) -> None:
    f, x, n = setting()
    rows = NoSlip("top", wall).residual(f, x, jet(n, PLANE), FLOW)
    speed = torch.tensor(wall or [0.0, 0.0], dtype=torch.float64)
    for i, row in enumerate(rows.values()):
        assert torch.equal(row.value, f.velocity.value[:, i] - speed[i])


def test_inlet_is_dirichlet_of_velocity() -> None:
    f, x, n = setting()

    def profile(x):
        return [x.y * (1.0 - x.y), 0.0]

    ours = Inlet("left", profile).residual(f, x, jet(n, PLANE), WARM)
    theirs = Dirichlet("left", velocity=profile).residual(f, x, jet(n, PLANE), WARM)
    assert all(torch.equal(ours[k].value, theirs[k].value) for k in theirs)
    assert Inlet("left", profile).determines(WARM, PLANE) == {"velocity_x", "velocity_y"}


def test_outlet_is_the_pseudo_traction_and_lets_heat_through() -> None:
    f, x, n = setting()
    rows = Outlet("right", 3.0).residual(f, x, jet(n, PLANE), WARM)
    slopes = torch.einsum("nij,nj->ni", grad(f.velocity).value, n)
    expected = 0.5 * slopes - (f.pressure.value - 3.0)[:, None] * n
    for i, name in enumerate(("velocity_x", "velocity_y")):
        torch.testing.assert_close(rows[name].value, expected[:, i])
    heat = -0.6 * (grad(f.temperature).value * n).sum(1)
    torch.testing.assert_close(rows["temperature"].value, heat)
    assert Outlet("right").determines(WARM, PLANE) == {"velocity_x", "velocity_y", "temperature"}


def test_fixed_is_no_displacement() -> None:
    f, x, n = setting()
    rows = Fixed("left").residual(f, x, jet(n, PLANE), SOLID)
    assert [row.value.tolist() for row in rows.values()] == f.displacement.value.T.tolist()


def test_initial_is_field_minus_given() -> None:
    f, x, n = setting()
    rows = Initial(temperature=lambda x: x.y).residual(f, x, jet(n, PLANE), HEAT)
    assert torch.equal(rows["temperature"].value, f.temperature.value - x.points[:, 1])


def test_periodic_is_met_by_periodic_fields_and_sees_jumps() -> None:
    left = points()
    right = left + torch.tensor([1.0, 0.0], dtype=torch.float64)
    normal = as_jet([-1.0, 0.0], PLANE)

    def fields(at: torch.Tensor, tilt: float) -> Fields:
        x = Coordinates(at, PLANE)
        wave = sin(2.0 * math.pi * x.x) * x.y
        return Fields(
            {"velocity": as_jet([wave, 2.0 * wave], PLANE), "pressure": wave + tilt * x.x}
        )

    condition = Periodic("left", "right")
    met = condition.residual_between(fields(left, 0.0), fields(right, 0.0), normal, FLOW, PLANE)
    assert list(met) == [
        "velocity_x",
        "velocity_y",
        "velocity_x slope",
        "velocity_y slope",
        "pressure",
    ]
    for row in met.values():
        assert float(row.value.abs().max()) < 1e-14
    tilted = condition.residual_between(fields(left, 0.0), fields(right, 3.0), normal, FLOW, PLANE)
    assert not torch.allclose(tilted["pressure"].value, torch.zeros(6).double(), atol=1.0)


def test_periodic_has_no_residual_on_one_part() -> None:
    f, x, n = setting()
    with pytest.raises(TypeError, match="residual_between"):
        Periodic("left", "right").residual(f, x, jet(n, PLANE), FLOW)


@pytest.mark.parametrize(
    ("condition", "physics", "settled"),
    [
        (Dirichlet("a", temperature=1.0), HEAT, {"temperature"}),
        (Dirichlet("a", velocity_y=1.0), FLOW, {"velocity_y"}),
        (
            Dirichlet("a", velocity=[0, 0], pressure=0.0),
            FLOW,
            {"velocity_x", "velocity_y", "pressure"},
        ),
        (Neumann("a", displacement=[0, 0]), SOLID, {"displacement_x", "displacement_y"}),
        (Insulated("a"), WARM, {"temperature"}),
        (Convection("a", 1.0), HEAT, {"temperature"}),
        (Radiation("a", 1.0), WARM, {"temperature"}),
        (Fixed("a"), SOLID, {"displacement_x", "displacement_y"}),
        (NoSlip("a"), WARM, {"velocity_x", "velocity_y"}),
        (Symmetry("a"), WARM, {"velocity_x", "velocity_y", "temperature"}),
        (Periodic("a", "b"), FLOW, {"velocity_x", "velocity_y"}),
        (Outlet("a"), FLOW, {"velocity_x", "velocity_y"}),
        (Initial(temperature=1.0), HEAT, {"temperature"}),
    ],
    ids=lambda item: item.label if hasattr(item, "label") else "",
)
def test_determines(condition, physics, settled) -> None:
    assert condition.determines(physics, PLANE) == settled


OWN = CustomPhysics(
    {"temperature": (), "phi": ()}, lambda f, x, m: {"a": f.phi, "b": f.temperature}
)


@pytest.mark.parametrize(
    ("condition", "physics", "match"),
    [
        (Dirichlet("a", temprature=1.0), HEAT, "no field 'temprature'.*Did you mean 'temperature'"),
        (Dirichlet("a", velocity_z=1.0), FLOW, "no field 'velocity_z'"),
        (Initial(velocity=1.0), HEAT, "start: Initial velocity: there is no field 'velocity'"),
        (Neumann("a", velocity_x=1.0), FLOW, "a: Neumann velocity_x is about 'velocity_x'"),
        (
            Neumann("a", heat_flux=1.0),
            HEAT,
            "'heat_flux', which is no field of Heat; name the field.*There are temperature",
        ),
        (
            Insulated("a"),
            FLOW,
            "about 'temperature', which is no field of NavierStokes.*velocity, pressure",
        ),
        (
            Convection("a", 1.0),
            SOLID,
            "about 'temperature', which is no field of Elasticity.*displacement",
        ),
        (
            Radiation("a", 1.0),
            FLOW,
            "about 'temperature', which is no field of NavierStokes.*velocity",
        ),
        (Traction("a"), HEAT, "needs a solid or a fluid, but Heat has neither"),
        (Fixed("a"), FLOW, "about 'displacement', which is no field of NavierStokes"),
        (NoSlip("a"), SOLID, "no field 'velocity'"),
        (Inlet("a", [1.0, 0.0]), HEAT, "no field 'velocity'"),
        (Outlet("a"), HEAT, "needs a flow, but the physics is Heat"),
        (Symmetry("a"), OWN, "flux"),
    ],
    ids=lambda item: item.label if hasattr(item, "label") else "",
)
def test_conditions_must_fit_the_physics(condition, physics, match) -> None:
    with pytest.raises(ValueError, match=match):
        condition.determines(physics, PLANE)


@pytest.mark.parametrize(
    ("condition", "physics", "name"),
    [
        (Neumann("a", pressure=0.0), FLOW, "pressure"),
        (Neumann("a", phi=0.0), OWN, "phi"),
        (Insulated("a"), OWN, "temperature"),
        (Convection("a", 1.0), OWN, "temperature"),
        (Radiation("a", 1.0), OWN, "temperature"),
    ],
)
def test_a_flux_that_the_physics_does_not_declare_is_refused(condition, physics, name) -> None:
    f, x, n = setting()
    with pytest.raises(ValueError, match=rf"a: .* declares no natural flux of '{name}'.*fluxes="):
        condition.residual(f, x, jet(n, PLANE), physics)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Dirichlet("left"), r"Dirichlet\('left'\) needs a value"),
        (Initial, r"Initial\(\) needs a value"),
        (lambda: Neumann("left"), r"Neumann\('left'\) needs an outward flux"),
        (lambda: Dirichlet("left", temperature=math.nan), "temperature must be finite, got nan"),
        (lambda: Dirichlet("left", velocity=[0.0, math.inf]), "velocity must be finite, got inf"),
        (lambda: Initial(temperature=-math.inf), "temperature must be finite, got -inf"),
        (lambda: Neumann("left", temperature=math.nan), "temperature must be finite, got nan"),
        (lambda: Convection("right", 0.0), "coefficient on 'right' must be finite and > 0"),
        (lambda: Convection("right", -5.0), r"> 0 W/\(m2 K\), got -5.0"),
        (lambda: Convection("right", math.nan), "got nan"),
        (
            lambda: Radiation("right", -0.5),
            "emissivity on 'right' must be finite and > 0, got -0.5",
        ),
        (lambda: Radiation("right", 1.5), "emissivity on 'right' must be <= 1.*got 1.5"),
        (lambda: Radiation("right", Range("e", 0.5, 1.2)), "must be <= 1.*got 1.2"),
        (lambda: Radiation("right", 0.5, -20.0), "finite and >= 0 K, got -20.0.*temperatures in K"),
        (lambda: Radiation("right", 0.5, math.nan), "finite and >= 0 K, got nan"),
        (lambda: Radiation("right", 0.5, constant=0.0), "Stefan-Boltzmann constant must be finite"),
    ],
)
def test_refused_at_once(make, match) -> None:
    with pytest.raises(ValueError, match=match):
        make()


@pytest.mark.parametrize(
    ("condition", "physics"),
    [
        (Dirichlet("left", velocity=1.0), FLOW),
        (Dirichlet("left", velocity=[1.0, 2.0, 3.0]), FLOW),
        (Dirichlet("left", pressure=[1.0, 2.0]), FLOW),
        (Traction("left", [1.0]), FLOW),
        (Traction("left", pressure=[1.0, 2.0]), SOLID),
        (NoSlip("left", 1.0), FLOW),
    ],
)
def test_given_values_of_another_shape_are_refused(condition, physics) -> None:
    f, x, n = setting()
    with pytest.raises(ValueError, match=r"left.*must be .*got shape"):
        condition.residual(f, x, jet(n, PLANE), physics)


A, B = Unknown("a", 2.0), Unknown("b", 3.0)


@pytest.mark.parametrize(
    ("with_unknowns", "with_numbers", "physics"),
    [
        (Dirichlet("p", temperature=A), Dirichlet("p", temperature=5.0), HEAT),
        (Dirichlet("p", velocity=[A, B]), Dirichlet("p", velocity=[5.0, 7.0]), FLOW),
        (Initial(temperature=A), Initial(temperature=5.0), HEAT),
        (Neumann("p", temperature=A), Neumann("p", temperature=5.0), HEAT),
        (Convection("p", A, B), Convection("p", 5.0, 7.0), HEAT),
        (Radiation("p", 0.5, B), Radiation("p", 0.5, 7.0), HEAT),
        (Traction("p", [A, 1.0], B), Traction("p", [5.0, 1.0], 7.0), SOLID),
        (NoSlip("p", [A, B]), NoSlip("p", [5.0, 7.0]), FLOW),
        (Inlet("p", [A, 0.0]), Inlet("p", [5.0, 0.0]), FLOW),
        (Outlet("p", A), Outlet("p", 5.0), FLOW),
    ],
    ids=lambda item: item.label if hasattr(item, "label") else "",
)
@pytest.mark.parametrize("as_tensor", [False, True])
def test_unknowns_may_stand_for_given_numbers(
    with_unknowns, with_numbers, physics, as_tensor
) -> None:
    f, x, n = setting()
    numbers = {"a": 5.0, "b": 7.0}
    values = {k: torch.full((6,), v).double() for k, v in numbers.items()} if as_tensor else numbers
    assert {u.name for u in find_unknowns(with_unknowns)} <= {"a", "b"}
    bound = bind(with_unknowns, values)
    assert find_unknowns(bound) == ()
    assert type(bound) is type(with_unknowns)
    normal = jet(n, PLANE)
    ours, theirs = (c.residual(f, x, normal, physics) for c in (bound, with_numbers))
    assert list(ours) == list(theirs)
    for name, row in theirs.items():
        torch.testing.assert_close(value(ours[name]), value(row))
    assert find_unknowns(with_unknowns), "binding must leave the declaration alone"


def test_labels() -> None:
    assert Dirichlet("left", temperature=1.0).label == "left: Dirichlet temperature"
    assert Initial(temperature=1.0).label == "start: Initial temperature"
    assert Periodic("left", "right").label == "left = right: Periodic"
