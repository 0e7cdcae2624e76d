"""Conservation laws hold point by point: div(flux) - source is the residual, up to div u."""

from __future__ import annotations

import pytest
import torch

from pinnsolve.jets import Frame, Jet, as_jet, div, grad
from pinnsolve.physics import (
    Boussinesq,
    CustomPhysics,
    Elasticity,
    Heat,
    NavierStokes,
    Stefan,
    Stokes,
)

FRAMES = [Frame(2), Frame(3), Frame(2, has_time=True), Frame(3, has_time=True)]
FRAME_IDS = ["2-D", "3-D", "2-D + t", "3-D + t"]


def assert_same(left: Jet, right: Jet) -> None:
    size = float(right.value.abs().max())
    torch.testing.assert_close(left.value, right.value, rtol=0.0, atol=1e-11 * max(size, 1.0))


@pytest.mark.parametrize("frame", [Frame(1), *FRAMES], ids=["1-D", *FRAME_IDS])
@pytest.mark.parametrize("moving", [False, True])
def test_heat(frame, moving, smooth_fields) -> None:
    velocity = (lambda x: [x.x * x.x, -1.0, x[0]][: frame.space_dim]) if moving else None
    physics = Heat(lambda T, x: 2.0 + T * T, 3.0, 0.5, lambda x: x.x, velocity)
    made = smooth_fields({"temperature": ()}, frame)
    law = physics.balances(made.fields, made.x)["heat"]
    assert law.unit == "W"
    assert_same(div(law.flux) - law.source, physics.residual(made.fields, made.x)["energy"])


def test_stefan(smooth_fields) -> None:
    physics = Stefan(2.0, 3.0, 5.0, 7.0)
    made = smooth_fields({"temperature": (), "front": ()}, Frame(1, has_time=True))
    law = physics.balances(made.fields, made.x)["heat"]
    assert_same(div(law.flux) - law.source, physics.residual(made.fields, made.x)["energy"])


@pytest.mark.parametrize(("plane", "dim"), [("stress", 2), ("strain", 2), (None, 3)])
def test_elasticity(plane, dim, smooth_fields) -> None:
    physics = Elasticity(2.0, 0.3, plane, body_force=lambda x: [x.x] * dim)
    made = smooth_fields({"displacement": (dim,)}, Frame(dim))
    law = physics.balances(made.fields, made.x)["force"]
    assert law.unit == "N"
    assert_same(div(law.flux) - law.source, physics.residual(made.fields, made.x)["equilibrium"])


def flow_defect(made, rho: float, mu: float) -> Jet:
    """What the momentum flux adds to the residual where div u is not zero."""
    spill = div(made.fields.velocity)
    return rho * spill * made.fields.velocity - mu * grad(spill)


@pytest.mark.parametrize("frame", FRAMES, ids=FRAME_IDS)
def test_navier_stokes(frame, smooth_fields) -> None:
    rho, mu = 1.3, 0.7
    physics = NavierStokes(rho, mu, body_force=lambda x: [x.x] * frame.space_dim)
    made = smooth_fields(physics.field_shapes(frame.space_dim), frame)
    rows, laws = (part(made.fields, made.x) for part in (physics.residual, physics.balances))
    assert {name: law.unit for name, law in laws.items()} == {"mass": "kg/s", "momentum": "N"}
    assert_same(div(laws["mass"].flux) - laws["mass"].source, rho * rows["continuity"])
    momentum = div(laws["momentum"].flux) - laws["momentum"].source
    assert_same(momentum, rows["momentum"] + flow_defect(made, rho, mu))


@pytest.mark.parametrize("dim", [2, 3])
def test_stokes(dim, smooth_fields) -> None:
    physics = Stokes(0.7, body_force=lambda x: [x.x] * dim)
    made = smooth_fields(physics.field_shapes(dim), Frame(dim))
    rows, laws = (part(made.fields, made.x) for part in (physics.residual, physics.balances))
    assert {name: law.unit for name, law in laws.items()} == {"volume": "m3/s", "momentum": "N"}
    assert_same(div(laws["volume"].flux) - laws["volume"].source, rows["continuity"])
    momentum = div(laws["momentum"].flux) - laws["momentum"].source
    assert_same(momentum, rows["momentum"] + flow_defect(made, 0.0, 0.7))


@pytest.mark.parametrize("frame", FRAMES, ids=FRAME_IDS)
def test_boussinesq(frame, smooth_fields) -> None:
    rho, mu, c = 1.3, 0.7, 2.0
    gravity = (0.0, -9.81, 1.0)[: frame.space_dim]
    physics = Boussinesq(NavierStokes(rho, mu), 0.5, c, 0.1, gravity, 0.3, source=lambda x: x.y)
    made = smooth_fields(physics.field_shapes(frame.space_dim), frame)
    rows, laws = (part(made.fields, made.x) for part in (physics.residual, physics.balances))
    assert set(laws) == {"mass", "momentum", "heat"}
    momentum = div(laws["momentum"].flux) - laws["momentum"].source
    assert_same(momentum, rows["momentum"] + flow_defect(made, rho, mu))
    heat = div(laws["heat"].flux) - laws["heat"].source
    spill = div(made.fields.velocity)
    assert_same(heat, rows["energy"] + rho * c * made.fields.temperature * spill)


@pytest.mark.parametrize("frame", FRAMES, ids=FRAME_IDS)
def test_pseudo_stress_differs_from_the_stress_by_the_transposed_gradient(
    frame, smooth_fields
) -> None:
    physics = NavierStokes(1.0, 0.7)
    made = smooth_fields(physics.field_shapes(frame.space_dim), frame)
    spill = div(made.fields.velocity)
    full, pseudo = (s(made.fields, made.x) for s in (physics.stress, physics.pseudo_stress))
    assert_same(div(full) - div(pseudo), 0.7 * grad(spill))


def test_natural_fluxes_are_those_of_the_balances(smooth_fields) -> None:
    for physics, name, law in (
        (Heat(3.0), "temperature", "heat"),
        (Elasticity(1.0, 0.3, "stress"), "displacement", "force"),
    ):
        made = smooth_fields(physics.field_shapes(2), Frame(2))
        flux = physics.natural_fluxes(made.fields, made.x)[name]
        assert_same(flux, physics.balances(made.fields, made.x)[law].flux)


def test_own_physics_promises_no_balance(smooth_fields) -> None:
    physics = CustomPhysics(fields={"u": ()}, equations=lambda f, x, m: as_jet(0.0, x.frame))
    made = smooth_fields({"u": ()}, Frame(2))
    assert physics.balances(made.fields, made.x) == {}
    assert physics.natural_fluxes(made.fields, made.x) == {}
