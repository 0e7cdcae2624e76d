"""Sides that meet a plane of symmetry at right angles are singular where what drives the field is not even."""

import math

import pytest
import torch

import pinnsolve as ps
from pinnsolve.architecture import plane_corner_functions
from pinnsolve.networks import PlaneCornerFunctions
from pinnsolve.training import train
from pinnsolve.training.trunk import scaling_of

E, NU = 1.0, 0.3
LAM, MU = E * NU / ((1 + NU) * (1 - 2 * NU)), E / (2 * (1 + NU))


def ring(side=None, *, mirror="bottom", inner=1.0, **driving):
    """A ring whose lower face is a plane of symmetry; its inner side is what is looked at."""
    physics = ps.AxisymmetricElasticity(youngs_modulus=E, poissons_ratio=NU, **driving)
    parts = {"left": side or ps.Traction("left"), "right": ps.Traction("right")}
    parts |= {"bottom": ps.Traction("bottom"), "top": ps.Fixed("top"), mirror: ps.Symmetry(mirror)}
    return ps.Problem(
        name="ring",
        domain=ps.Rectangle((inner, 0.0), (inner + 1.0, 1.0)),
        physics=physics,
        conditions=list(parts.values()),
        scales={"displacement": 1.0},
    )


def least_at(problem, place):
    """Return the least power with a logarithm at a corner in network units, None without functions."""
    functions, _ = plane_corner_functions(problem, scaling_of(problem, 0))
    found = [f.powers for f in functions if math.dist(f.center, place) < 1e-6]
    if not found:
        return None
    (powers,) = found
    assert all(q == 1 and imaginary == 0.0 for _, imaginary, q in powers)
    return powers[0][0]


@pytest.mark.parametrize(
    ("temperature", "least"),
    [
        (lambda x: x.x + x.y, 2.0),  # rises along the normal of the plane
        (lambda x: x.x + x.y**2, None),
        (lambda x: x.x**2, None),
        (20.0, None),
    ],
)
def test_temperatures_have_to_be_even(temperature, least):
    problem = ring(expansion=1e-5, temperature=temperature)
    assert least_at(problem, (-1.0, -1.0)) == least
    assert least_at(problem, (1.0, -1.0)) == least


@pytest.mark.parametrize(
    ("force", "least"),
    [([0.0, -9.81], 2.0), ([3.0, 0.0], None), (lambda x: [0.0, x.y], None)],
)
def test_forces_along_the_normal_of_the_plane_have_to_vanish_in_it(force, least):
    assert least_at(ring(body_force=force), (-1.0, -1.0)) == least


@pytest.mark.parametrize(
    ("side", "least"),
    [
        (ps.Traction("left", vector=[0.0, 1.0]), 1.0),  # a shear that jumps
        (ps.Traction("left", pressure=lambda x: x.y), 2.0),  # a pressure with a kink
        (ps.Traction("left", pressure=lambda x: 1.0 + x.y**2), None),
        (ps.Traction("left", vector=lambda x: [0.0, x.y]), None),
        (ps.Dirichlet("left", displacement=lambda x: [x.y, 0.0]), 1.0),
        (ps.Dirichlet("left", displacement=lambda x: [x.y**2, x.y]), None),
        (ps.Dirichlet("left", displacement=[0.0, 1.0]), None),  # a jump has other functions
    ],
)
def test_what_sides_are_given_has_to_go_on_smoothly(side, least):
    assert least_at(ring(side), (-1.0, -1.0)) == least


def test_rounding_is_no_unevenness():
    noise = ps.Traction("left", vector=lambda x: [1e6 * x.y**2, 1e-9 * x.x])
    assert least_at(ring(noise), (-1.0, -1.0)) is None


def test_round_an_axis_equations_are_not_even_along_r():
    """A plane z = const is one of symmetry, a cylinder r = const only nearly."""
    assert least_at(ring(mirror="right"), (1.0, -1.0)) == 2.0
    assert least_at(ring(mirror="left"), (-1.0, -1.0)) == 2.0


def test_on_the_axis_there_is_no_corner_of_the_plane():
    problem = ring(mirror="left", inner=0.0, body_force=[1.0, 1.0])
    assert least_at(problem, (-1.0, -1.0)) is None


def test_flows_follow_the_same_rule():
    def channel(force):
        return ps.Problem(
            name="channel",
            domain=ps.Rectangle((0.0, 0.0), (1.0, 1.0)),
            physics=ps.Stokes(dynamic_viscosity=1.0, body_force=force),
            conditions=[
                ps.Symmetry("bottom"),
                ps.Dirichlet("left", velocity=[0.0, 0.0]),
                ps.Outlet("right"),
                ps.Dirichlet("top", velocity=[0.0, 0.0]),
            ],
            scales={"velocity": 1.0, "pressure": 1.0},
        )

    assert least_at(channel([0.0, -1.0]), (1.0, -1.0)) == 2.0
    assert least_at(channel([1.0, 0.0]), (1.0, -1.0)) is None


def exact(x):
    """A field of the plane with ``r^2 log(r)`` whose traction at r = 1 is linear; with its first derivatives."""
    kappa, weights = 3.0 - 4.0 * NU, torch.tensor([1.0, 0.0, 1.0, 0.0], dtype=torch.float64)
    place = ((1.0, 0.0), (1.0, 1.0), 0.0, ((2.0, 0.0, 1),), kappa, (0, 1, -1), (1.0, 1.0, 0.0), 2)
    points = x.points
    streams = PlaneCornerFunctions(*place).streams(points, [(), (0,), (1,)]) @ weights
    (u, v), (u_r, v_r), (u_z, v_z) = (stream.unbind(1) for stream in streams)
    return points[:, 0], u, v, u_r, v_r, u_z, v_z


def displacement(x):
    _, u, v, *_ = exact(x)
    return [u, v]


def stresses(x, *, round_axis):
    r, u, _, u_r, v_r, u_z, v_z = exact(x)
    pressure = LAM * (u_r + v_z + (u / r if round_axis else 0.0))
    return pressure + 2 * MU * u_r, MU * (u_z + v_r), pressure + 2 * MU * v_z


def force(x):
    """What balances the terms that the axis adds to the plane's equations."""
    r, u, _, u_r, v_r, u_z, _ = exact(x)
    return [-(LAM + 2 * MU) * (u_r - u / r) / r, -(LAM * u_z + MU * (u_z + v_r)) / r]


@pytest.mark.parametrize(("round_axis", "seed"), [(False, 0), (True, 0), (True, 1), (True, 2)])
def test_a_singular_field_at_a_plane_of_symmetry_is_found(round_axis, seed):
    """Manufactured: mirrored, its traction has a kink."""
    physics = (
        ps.AxisymmetricElasticity(youngs_modulus=E, poissons_ratio=NU, body_force=force)
        if round_axis
        else ps.Elasticity(youngs_modulus=E, poissons_ratio=NU, plane="strain")
    )

    def traction(x):
        rr, rz, _ = stresses(x, round_axis=round_axis)
        return [-rr, -rz]

    problem = ps.Problem(
        name="kink",
        domain=ps.Rectangle((1.0, 0.0), (2.0, 1.0)),
        physics=physics,
        conditions=[
            ps.Symmetry("bottom"),
            ps.Traction("left", vector=traction),
            ps.Dirichlet("right", displacement=displacement),
            ps.Dirichlet("top", displacement=displacement),
        ],
        accuracy=1e-3,
    )
    assert least_at(problem, (-1.0, -1.0)) == 2.0
    solution = train(problem, ps.Method(trunk="random", max_seconds=600.0), seed=seed).solution
    points = [[1.0, 0.0], [1.0, 0.001], [1.01, 0.01], [1.0, 0.2], [1.4, 0.0], [1.5, 0.5]]
    found = solution.at(points).stress
    x = ps.Coordinates(torch.tensor(points, dtype=torch.float64), problem.frame)
    rr, rz, zz = stresses(x, round_axis=round_axis)
    size = float(zz.abs().max())
    for value, expected in ((found[:, 0, 0], rr), (found[:, 0, 1], rz), (found[:, 1, 1], zz)):
        assert abs(value - expected.numpy()).max() < 1e-4 * size
