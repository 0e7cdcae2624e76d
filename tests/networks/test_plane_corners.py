"""Singular vector fields satisfy Lame's and Stokes' equations; their derivatives are right."""

import itertools
import math

import pytest
import torch

from pinnsolve.networks import PlaneCornerFunctions, RandomFeatures

ORDERS = [(), (0,), (1,), (0, 0), (0, 1), (1, 1)]
POWERS = ((0.0, 0.0, 1), (0.5445, 0.0, 0), (2.74, 1.12, 0), (1.0, 0.0, 1), (2.0, 0.0, 2))


def corner(kappa=1.0, powers=POWERS, **changes):
    given = {
        "center": (-1.0, 1.0),
        "lengths": (0.8, 0.6),
        "direction": -0.7,
        "powers": powers,
        "kappa": kappa,
        "components": (0, 1, 2),
        "factors": (1.0, 1.0, -4.0),
        "num_outputs": 3,
    }
    return PlaneCornerFunctions(**{**given, **changes})


def points(number=7):
    generator = torch.Generator().manual_seed(0)
    return 2.0 * torch.rand(number, 2, generator=generator, dtype=torch.float64) - 1.0


def derivatives(functions):
    """Derivatives in the plane's true proportions, by index: shape (N, C, J)."""
    streams = functions.streams(points(), ORDERS)
    return {
        index: stream / math.prod(functions.lengths[axis] for axis in index)
        for index, stream in zip(ORDERS, streams, strict=True)
    }


@pytest.mark.parametrize("kappa", [1.0, 2.2])
def test_derivatives_are_those_of_differences(kappa):
    functions, step = corner(kappa), 1e-5
    exact = dict(zip(ORDERS, functions.streams(points(), ORDERS), strict=True))
    for index, axis in itertools.product(ORDERS[:3], (0, 1)):
        higher = tuple(sorted((*index, axis)))
        move = torch.zeros(2, dtype=torch.float64)
        move[axis] = step
        ahead, behind = (functions.streams(points() + s * move, [index])[0] for s in (1, -1))
        assert torch.allclose((ahead - behind) / (2 * step), exact[higher], rtol=1e-6, atol=1e-6)


def test_flows_satisfy_stokes_equations():
    d = derivatives(corner())
    u, v, p = ({index: stream[:, c] for index, stream in d.items()} for c in range(3))
    assert (u[0,] + v[1,]).abs().max() < 1e-12
    assert (u[0, 0] + u[1, 1] - p[0,]).abs().max() < 1e-12
    assert (v[0, 0] + v[1, 1] - p[1,]).abs().max() < 1e-12


def test_displacements_satisfy_lames_equations():
    nu = 0.2
    d = derivatives(corner(3.0 - 4.0 * nu, components=(0, 1, -1)))
    u, v = ({index: stream[:, c] for index, stream in d.items()} for c in range(2))
    lam = 2.0 * nu / (1.0 - 2.0 * nu)  # mu = 1
    assert ((lam + 2) * u[0, 0] + u[1, 1] + (lam + 1) * v[0, 1]).abs().max() < 1e-12
    assert ((lam + 2) * v[1, 1] + v[0, 0] + (lam + 1) * u[0, 1]).abs().max() < 1e-12
    assert not d[()][:, 2].any()


def test_a_jump_is_bounded_and_depends_on_the_direction_alone():
    jump = corner(powers=((0.0, 0.0, 1),), center=(0.0, 0.0), components=(0, 1, -1))
    along = torch.tensor([[0.3, 0.2]], dtype=torch.float64)
    near, far = (jump.streams(size * along, [()])[0] for size in (1e-6, 1.0))
    assert jump.num_features == 2
    assert torch.allclose(near, far, atol=1e-12)


def test_the_corner_itself_gives_finite_numbers():
    at = torch.tensor([[-1.0, 1.0]], dtype=torch.float64)
    assert torch.isfinite(corner().streams(at, ORDERS)).all()


def test_features_with_one_weight_for_all_outputs():
    slopes, offsets = torch.zeros(1, 2, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    network = RandomFeatures(slopes, offsets, 3, plane_corners=(corner(),))
    assert network.num_parameters == 3 + network.num_joint == 3 + 2 + 4 * 4
    theta = torch.randn(
        network.num_parameters, generator=torch.Generator().manual_seed(1), dtype=torch.float64
    )
    streams, pullback = network.linearised(theta, points(), ORDERS)
    cotangent = torch.ones_like(streams)
    jacobian = theta.new_zeros(7, network.num_parameters)
    pullback(cotangent, jacobian)
    assert torch.allclose(jacobian @ theta, streams.sum(dim=(0, 2)))
    assert network.head(theta).shape == (3, 1)
    assert "18 singular vector fields" in repr(network)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lengths": (0.0, 1.0)}, "finite and > 0"),
        ({"powers": ()}, "need powers"),
        ({"powers": ((-0.5, 0.0, 0),)}, "need powers"),
        ({"powers": ((0.0, 0.0, 0),)}, "need powers"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(ValueError, match=message):
        corner(**changes)
