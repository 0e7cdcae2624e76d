"""What physics refuses, and what it needs."""

from __future__ import annotations

import math

import pytest
import torch

from pinnsolve.jets import Coordinates, Fields, Frame
from pinnsolve.physics import (
    AxisymmetricElasticity,
    Boussinesq,
    CustomPhysics,
    Elasticity,
    Heat,
    HyperElasticity,
    NavierStokes,
    Stefan,
    Stokes,
)
from pinnsolve.physics.physics import evaluate
from pinnsolve.unknowns import Unknown

BAD = [0.0, -52.0, math.nan, math.inf]
X = Coordinates(torch.ones(3, 2, dtype=torch.float64), Frame(2))
AIR = NavierStokes(1.2, 1.8e-5)


def nothing(f, x, m):
    return f.u


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (Heat, "conductivity"),
        (lambda v: Heat(1.0, density=v), "density"),
        (lambda v: Heat(1.0, specific_heat=v), "specific_heat"),
        (lambda v: Stefan(v, 1.0, 1.0, 1.0), "conductivity"),
        (lambda v: Stefan(1.0, v, 1.0, 1.0), "density"),
        (lambda v: Stefan(1.0, 1.0, v, 1.0), "specific_heat"),
        (lambda v: Stefan(1.0, 1.0, 1.0, v), "latent_heat"),
        (lambda v: Elasticity(v, 0.3), "youngs_modulus"),
        (lambda v: AxisymmetricElasticity(v, 0.3), "youngs_modulus"),
        (lambda v: HyperElasticity(v, 0.3), "youngs_modulus"),
        (lambda v: NavierStokes(density=v), "density"),
        (lambda v: NavierStokes(dynamic_viscosity=v), "dynamic_viscosity"),
        (Stokes, "dynamic_viscosity"),
        (lambda v: Boussinesq(AIR, v, 1.0, 1.0, (0.0, -9.81)), "conductivity"),
        (lambda v: Boussinesq(AIR, 1.0, v, 1.0, (0.0, -9.81)), "specific_heat"),
    ],
)
def test_parameters_must_be_positive(make, name, value) -> None:
    with pytest.raises(ValueError, match=rf"{name} must be finite and > 0 .*, got {value}"):
        make(value)


@pytest.mark.parametrize("nu", [0.5, 0.7, -1.0, -2.0, math.nan, math.inf])
@pytest.mark.parametrize("solid", [Elasticity, AxisymmetricElasticity, HyperElasticity])
def test_poissons_ratio_has_a_range(solid, nu) -> None:
    with pytest.raises(ValueError, match=rf"poissons_ratio must lie in \(-1, 0.5\), got {nu}"):
        solid(1.0, nu)


@pytest.mark.parametrize("nu", [-0.99, 0.0, 0.3, 0.4999])
def test_poissons_ratio_inside_its_range_is_taken(nu) -> None:
    assert Elasticity(1.0, nu).poissons_ratio == nu


@pytest.mark.parametrize("solid", [Elasticity, AxisymmetricElasticity])
@pytest.mark.parametrize(
    ("heat", "match"),
    [
        ({"expansion": 1e-5}, "needs expansion= .* and temperature= .*, got only expansion=; give"),
        ({"temperature": 20.0}, "got only temperature=; give both or neither"),
        ({"expansion": math.nan, "temperature": 1.0}, "expansion must be finite, got nan"),
        ({"expansion": 1.0, "temperature": math.inf}, "temperature must be finite, got inf"),
        ({"reference_temperature": math.nan}, "reference_temperature must be finite, got nan"),
    ],
)
def test_thermal_strain_is_whole_and_finite(solid, heat, match) -> None:
    with pytest.raises(ValueError, match=match):
        solid(1.0, 0.3, **heat)


@pytest.mark.parametrize("name", ["expansion", "temperature"])
def test_thermal_strain_is_a_scalar(name) -> None:
    heat = {"expansion": 1.0, "temperature": 1.0, name: lambda x: [x.x, x.y]}
    solid = Elasticity(1.0, 0.3, "stress", **heat)
    f = Fields({"displacement": X.position})
    with pytest.raises(ValueError, match=f"{name} must be a scalar, got shape"):
        solid.stress(f, X)


def test_unknown_parameters_pass() -> None:
    assert Heat(Unknown("k", 10.0)).conductivity == Unknown("k", 10.0)
    Elasticity(Unknown("E", 2e11), Unknown("nu", 0.3, bounds=(0.0, 0.5)))


@pytest.mark.parametrize(
    ("physics", "frame", "match"),
    [
        (Elasticity(1.0, 0.3), Frame(2), "needs plane='stress' .thin. or plane='strain'"),
        (Elasticity(1.0, 0.3, "stress"), Frame(3), "plane='stress' is for 2-D; this domain is 3-D"),
        (Elasticity(1.0, 0.3, "strain"), Frame(1), "2-D"),
        (Elasticity(1.0, 0.3), Frame(1), "for 2-D and 3-D; write a bar as own physics"),
        (Elasticity(1.0, 0.3), Frame(3, True), "static: leave out time"),
        (AxisymmetricElasticity(1.0, 0.3), Frame(3), "needs the section in 2-D, with x = r and y"),
        (AxisymmetricElasticity(1.0, 0.3), Frame(2, True), "static: leave out time"),
        (HyperElasticity(1.0, 0.3), Frame(1), "is for 2-D .plane strain. and 3-D"),
        (HyperElasticity(1.0, 0.3), Frame(3, True), "static: leave out time"),
        (Heat(1.0), Frame(2, True), r"needs Heat\(density=..., specific_heat=...\)"),
        (Heat(1.0, density=1.0), Frame(1, True), "transient heat needs"),
        (Heat(1.0, velocity=[1.0]), Frame(1), "heat carried by a velocity needs Heat.density="),
        (Stefan(1.0, 1.0, 1.0, 1.0), Frame(1), "for an Interval and an unsteady .*1-D steady"),
        (Stefan(1.0, 1.0, 1.0, 1.0), Frame(2, True), "got 2-D unsteady"),
        (NavierStokes(), Frame(1), "needs a 2-D or 3-D domain"),
        (Stokes(), Frame(1), "needs a 2-D or 3-D domain"),
        (
            Stokes(),
            Frame(2, True),
            "Stokes flow is steady, but the problem has time=; leave it out",
        ),
        (Boussinesq(AIR, 1.0, 1.0, 1.0, (0.0, -9.81)), Frame(3), "gravity needs 3 components"),
        (Boussinesq(AIR, 1.0, 1.0, 1.0, (-9.81,)), Frame(1), "2-D or 3-D"),
    ],
)
def test_dimensions_and_steadiness(physics, frame, match) -> None:
    with pytest.raises(ValueError, match=match):
        physics.check(frame)


def test_plane_must_be_a_known_word() -> None:
    with pytest.raises(
        ValueError, match=r"plane must be 'stress', 'strain' or None .*, got 'Stress'"
    ):
        Elasticity(1.0, 0.3, "Stress")


@pytest.mark.parametrize("velocity", [1.0, [1.0], [1.0, 2.0, 3.0], lambda x: x.x])
def test_velocity_of_a_medium_has_a_component_for_each_axis(velocity) -> None:
    physics = Heat(1.0, density=1.0, specific_heat=1.0, velocity=velocity)
    with pytest.raises(ValueError, match="velocity of the medium must be 2 components"):
        physics.residual(Fields({"temperature": X.x}), X)


@pytest.mark.parametrize("gravity", [(0.0, math.nan), (math.inf, 0.0)])
def test_gravity_must_be_finite(gravity) -> None:
    with pytest.raises(ValueError, match=r"gravity.* must be finite"):
        Boussinesq(AIR, 1.0, 1.0, 1.0, gravity)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_expansion_and_reference_temperature_must_be_finite(value) -> None:
    with pytest.raises(ValueError, match=r"expansion.* must be finite, got"):
        Boussinesq(AIR, 1.0, 1.0, value, (0.0, -9.81))
    with pytest.raises(ValueError, match="reference_temperature must be finite, got"):
        Boussinesq(AIR, 1.0, 1.0, 1.0, (0.0, -9.81), value)


def test_own_physics_needs_fields() -> None:
    with pytest.raises(ValueError, match=r"needs fields=\{'name': \(\)\}"):
        CustomPhysics(fields={}, equations=nothing)


@pytest.mark.parametrize("shape", [(5,), (2, 2), (0,)])
def test_own_fields_are_scalars_or_vectors_of_up_to_three_components(shape) -> None:
    with pytest.raises(ValueError, match=r"field 'strain' must be \(\) for a scalar or \(C,\)"):
        CustomPhysics(fields={"strain": shape}, equations=nothing)


@pytest.mark.parametrize("returned", [3.0, None, {"a": 1.0}, [X.x]])
def test_own_equations_must_return_fields(returned) -> None:
    physics = CustomPhysics(fields={"u": ()}, equations=lambda f, x, m: returned)
    with pytest.raises(ValueError, match="must return a field or a mapping of names to fields"):
        physics.residual(Fields({"u": X.x}), X)


def test_own_physics_asks_for_all_components_unless_told() -> None:
    fields = {"u": (2,), "p": ()}
    every = CustomPhysics(fields=fields, equations=nothing)
    some = CustomPhysics(fields=fields, equations=nothing, boundary_components=("u_x",))
    assert every.needs_boundary_condition(2) == ("u_x", "u_y", "p")
    assert some.needs_boundary_condition(2) == ("u_x",)


@pytest.mark.parametrize(
    ("value", "shape", "match"),
    [
        (1.0, (2,), "body_force must be 2 components, got shape"),
        ([1.0, 2.0], (), "body_force must be a scalar"),
        ([1.0, 2.0, 3.0], (2,), r"got shape \(3,\)"),
        (lambda x: "wind", (), "body_force: expected a field or a number, got 'wind'"),
        (None, (), "body_force: expected a field or a number, got None"),
    ],
)
def test_given_values_must_have_the_shape_of_the_field(value, shape, match) -> None:
    with pytest.raises(ValueError, match=match):
        evaluate(value, X, shape, "body_force")


@pytest.mark.parametrize(
    ("physics", "needed"),
    [
        (Heat(1.0), ("temperature",)),
        (NavierStokes(), ("velocity_x", "velocity_y")),
        (Stokes(), ("velocity_x", "velocity_y")),
        (Boussinesq(AIR, 1.0, 1.0, 1.0, (0.0, 0.0)), ("velocity_x", "velocity_y", "temperature")),
        (Elasticity(1.0, 0.3, "stress"), ("displacement_x", "displacement_y")),
        (AxisymmetricElasticity(1.0, 0.3), ("displacement_x", "displacement_y")),
        (HyperElasticity(1.0, 0.3), ("displacement_x", "displacement_y")),
    ],
)
def test_needs_and_units(physics, needed) -> None:
    assert physics.needs_boundary_condition(2) == needed
    assert physics.needs_initial_condition(2) == needed
    assert set(physics.field_shapes(2)) <= set(physics.units())
    flow = isinstance(physics, NavierStokes | Stokes | Boussinesq)
    assert physics.determined_up_to_constant() == (("pressure",) if flow else ())
