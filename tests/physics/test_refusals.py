"""What physics refuses, and what it needs."""

from __future__ import annotations

import math

import pytest
import torch

from pinnsolve.jets import Coordinates, Fields, Frame
from pinnsolve.physics import Boussinesq, CustomPhysics, Elasticity, Heat, NavierStokes, Stokes
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
        (lambda v: Elasticity(v, 0.3), "youngs_modulus"),
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
def test_poissons_ratio_has_a_range(nu) -> None:
    with pytest.raises(ValueError, match=rf"poissons_ratio must lie in \(-1, 0.5\), got {nu}"):
        Elasticity(1.0, nu)


@pytest.mark.parametrize("nu", [-0.99, 0.0, 0.3, 0.4999])
def test_poissons_ratio_inside_its_range_is_taken(nu) -> None:
    assert Elasticity(1.0, nu).poissons_ratio == nu


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
        (Heat(1.0), Frame(2, True), r"needs Heat\(density=..., specific_heat=...\)"),
        (Heat(1.0, density=1.0), Frame(1, True), "transient heat needs"),
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
    ],
)
def test_needs_and_units(physics, needed) -> None:
    assert physics.needs_boundary_condition(2) == needed
    assert physics.needs_initial_condition(2) == needed
    assert set(physics.field_shapes(2)) <= set(physics.units())
    flow = isinstance(physics, NavierStokes | Stokes | Boussinesq)
    assert physics.determined_up_to_constant() == (("pressure",) if flow else ())
