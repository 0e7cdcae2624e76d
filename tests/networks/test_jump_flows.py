"""Flows at a corner whose walls have different velocities: equations, walls, derivatives."""

import cmath
import itertools
import math

import pytest
import torch

from pinnsolve.networks import JumpFlow
from pinnsolve.networks.jump_series import jump_series, velocity_of
from pinnsolve.networks.polar_forms import (
    along,
    combined,
    conjugate,
    derivative,
    integral,
    integral_over_angle,
    product,
    values,
)

ORDERS = [(), (0,), (1,), (0, 0), (0, 1), (1, 1)]
FORM = {(2, -1, 1, 0): 1.0 + 0.5j, (-1, 0, 2, 0): 0.3j, (0, -1, 1, 0): 2.0 + 0j}


def corner(**changes):
    given = {
        "center": (-1.0, 1.0),
        "lengths": (0.8, 0.6),
        "direction": -0.7,
        "sides": (-0.9, 0.8),
        "walls": ((0.3, -0.1), (1.0, 0.2)),
        "reynolds": 2.0,
        "reach": 0.7,
        "orders": 3,
        "components": (0, 1, 2),
        "factors": (1.0, 1.0, 1.0),
        "num_outputs": 3,
    }
    return JumpFlow(**{**given, **changes})


def points(number=7):
    generator = torch.Generator().manual_seed(0)
    return 2.0 * torch.rand(number, 2, generator=generator, dtype=torch.float64) - 1.0


def near(sides, radius, number=9):
    angles = torch.linspace(*sides, number, dtype=torch.float64)
    return torch.polar(torch.full_like(angles, radius), angles)


def derivatives(flow, at=None):
    """Derivatives of u, v and pressure in the plane's true proportions, by index: shape (N, 3)."""
    streams = flow.streams(points() if at is None else at, ORDERS)[..., 0]
    return {
        index: stream / math.prod(flow.lengths[axis] for axis in index)
        for index, stream in zip(ORDERS, streams, strict=True)
    }


@pytest.mark.parametrize("which", [0, 1])
def test_integrals_undo_derivatives(which):
    difference = combined((1.0, derivative(integral(FORM, which), which)), (-1.0, FORM))
    assert values(difference, near((-1.0, 2.0), 0.7)).abs().max() < 1e-14


def test_the_integral_over_the_angle_undoes_turning():
    even = {(1, -1, 2, 0): 1.0 + 0.5j, (0, 0, 1, 0): 0.3j}
    found = integral_over_angle(even)
    zeta = near((-1.0, 2.0), 0.7)
    turned = 1j * zeta * values(derivative(found, 0), zeta)
    turned = turned - 1j * zeta.conj() * values(derivative(found, 1), zeta)
    assert torch.allclose(turned, values(even, zeta), atol=1e-14)


@pytest.mark.parametrize("degrees", [60, 90, 180, 250])
def test_stokes_flow_meets_its_equations_and_the_walls(degrees):
    half = math.radians(degrees) / 2
    flow = corner(reynolds=0.0, sides=(-half, half))
    d = derivatives(flow)
    u, v, p = ({index: stream[:, c] for index, stream in d.items()} for c in range(3))
    assert (u[0,] + v[1,]).abs().max() < 1e-12
    assert (u[0, 0] + u[1, 1] - p[0,]).abs().max() < 1e-12
    assert (v[0, 0] + v[1, 1] - p[1,]).abs().max() < 1e-12
    for side, wall in zip(flow.sides, flow.walls, strict=True):
        away = cmath.exp(1j * (side + flow.direction))
        steps = torch.logspace(-5, 0, 6, dtype=torch.float64)[:, None]
        reached = torch.tensor([[away.real / 0.8, away.imag / 0.6]], dtype=torch.float64)
        at = torch.tensor([flow.center], dtype=torch.float64) + steps * reached
        # the cosine of the angle of a point is rounded like its place: 1e-16 over 1e-5
        found = flow.streams(at, [()])[0, :, :2, 0]
        assert torch.allclose(found[1:], found.new_tensor(wall).expand(5, 2), atol=1e-11)


def test_every_order_leaves_less_of_the_equations_near_the_corner():
    """What N orders leave of the equations of Navier and Stokes goes like r^(N - 2)."""
    sides = (-0.9, 0.8)

    def left(orders, radius):
        series = jump_series(sides, (0j, 1.0 + 0.3j), 1.0, orders)
        flow = combined(*((1.0, velocity_of(stream)) for stream, _ in series))
        pressure = combined(*((1.0, p) for _, p in series))
        carried = (
            (1.0, product(flow, derivative(flow, 0))),
            (1.0, product(conjugate(flow), derivative(flow, 1))),
        )
        friction = (-4.0, derivative(derivative(flow, 0), 1))
        rest = combined(*carried, friction, (2.0, derivative(pressure, 1)))
        return float(values(rest, near(sides, radius)).abs().max())

    for orders in (1, 2, 3, 4):
        ratio = left(orders, 0.02) / left(orders, 0.01)
        assert ratio == pytest.approx(2.0 ** (orders - 2), rel=0.05)


def test_walls_are_at_rest_in_all_orders_with_inertia():
    series = jump_series((-0.9, 0.8), (0j, 1.0 + 0.3j), 5.0, 4)
    for stream, _ in series[1:]:
        assert values(velocity_of(stream), near((-0.9, 0.8), 1.0, 2)).abs().max() < 1e-12


def test_derivatives_are_those_of_differences_and_mass_is_conserved():
    flow, step = corner(), 1e-5
    exact = dict(zip(ORDERS, flow.streams(points(), ORDERS), strict=True))
    for index, axis in itertools.product(ORDERS[:3], (0, 1)):
        higher = tuple(sorted((*index, axis)))
        move = torch.zeros(2, dtype=torch.float64)
        move[axis] = step
        ahead, behind = (flow.streams(points() + s * move, [index])[0] for s in (1, -1))
        assert torch.allclose((ahead - behind) / (2 * step), exact[higher], rtol=1e-6, atol=1e-6)
    d = derivatives(flow)
    assert (d[0,][:, 0] + d[1,][:, 1]).abs().max() < 1e-12


def test_a_derivative_along_a_direction_is_that_of_the_values():
    zeta, step = near((-1.0, 2.0), 0.7), 1e-6 * (0.6 + 0.8j)
    form = {**FORM, (0, 0, 0, 1): 1.0 + 0j}
    difference = (values(form, zeta + step) - values(form, zeta - step)) / 2e-6
    assert torch.allclose(difference, values(along(form, 0.6 + 0.8j), zeta), atol=1e-7)


def test_the_corner_itself_gives_finite_numbers():
    at = torch.tensor([[-1.0, 1.0]], dtype=torch.float64)
    assert torch.isfinite(corner().streams(at, ORDERS)).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lengths": (0.0, 1.0)}, "finite and > 0"),
        ({"sides": (0.5, 0.2)}, "two angles between -pi and pi"),
        ({"sides": (0.5, 4.0)}, "two angles between -pi and pi"),
        ({"orders": 0}, "orders >= 1"),
        ({"reynolds": -1.0}, "reynolds >= 0"),
        ({"reach": 0.0}, "reach > 0"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(ValueError, match=message):
        corner(**changes)
