"""Kinks: derivatives, jumps, where they come from, saved and loaded."""

from __future__ import annotations

import pytest
import torch

import pinnsolve as ps
from pinnsolve.architecture import with_kinks
from pinnsolve.catalogue import make_problem
from pinnsolve.geometry.quadrics import Quadric
from pinnsolve.interop.network_text import network_of, network_text
from pinnsolve.networks import (
    MLP,
    Fourier,
    Identity,
    Kinked,
    Periodic,
    RandomFeatures,
    draw_features,
)
from pinnsolve.training.trunk import scaling_of

PLANE = Quadric(0.1, (0.5, -1.0), ((0.0, 0.0), (0.0, 0.0)))
ROUND = Quadric(0.8, (0.4, 0.0), ((-2.0, 0.0), (0.0, -3.0)))
LINE = Quadric(-0.3, (1.0,), ((0.0,),))
FAMILY = {
    "a line": (1, Kinked((LINE,)), 2),
    "a plane": (2, Kinked((PLANE,)), 3),
    "an ellipse": (2, Kinked((ROUND,)), 3),
    "both, unsteady": (3, Kinked((PLANE, ROUND)), 5),
    "on waves": (2, Kinked((PLANE,), Periodic(((0, 2.0),))), 4),
}


@pytest.mark.parametrize("name", FAMILY)
def test_derivatives_are_those_of_nested_autograd(name: str, check_derivatives) -> None:
    dim, embedding, features = FAMILY[name]
    assert embedding.num_features(dim) == features
    check_derivatives(embedding.streams, dim, 3)


@pytest.mark.parametrize("name", FAMILY)
def test_networks_see_the_coordinates_through_it(name: str, check_network) -> None:
    dim, embedding, features = FAMILY[name]
    check_network(MLP(dim, 2, (5, 4), 1.5, embedding), dim, 2)
    slopes, offsets = draw_features(
        6, torch.ones(features, dtype=torch.float64), torch.Generator().manual_seed(0)
    )
    check_network(RandomFeatures(slopes, offsets, 2, embedding=embedding), dim, 3)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_values_are_continuous_and_normal_derivatives_jump(seed) -> None:
    network = MLP(2, 1, (6, 6), embedding=Kinked((ROUND,)))
    generator = torch.Generator().manual_seed(seed)
    theta = network.initial_parameters(generator, dtype=torch.float64, device=torch.device("cpu"))
    height = (0.8 + 0.4 * 0.3 - 2.0 * 0.3**2) / 3.0
    on_it = torch.tensor([[0.3, height**0.5]], dtype=torch.float64)
    normal = torch.from_numpy(ROUND.gradient(on_it.numpy()))
    normal = normal / normal.norm()
    tangent = torch.stack((-normal[:, 1], normal[:, 0]), dim=1)
    sides = [network.streams(theta, on_it + s * 1e-9 * normal, ((), (0,), (1,))) for s in (-1, 1)]
    low, high = (side[:, 0, 0] for side in sides)
    assert abs(float(high[0] - low[0])) < 1e-8
    jump = (high - low)[1:][None]
    assert abs(float((jump * tangent).sum())) < 1e-7
    assert abs(float((jump * normal).sum())) > 1e-2


def test_features_stay_between_minus_one_and_one() -> None:
    points = 2.0 * torch.rand(500, 2, dtype=torch.float64) - 1.0
    spot = Quadric(-49.0, (-50.0, -50.0), ((-25.0, 0.0), (0.0, -25.0)))
    features = Kinked((PLANE, ROUND, spot)).streams(points, ((),))[0]
    assert float(features.abs().max()) <= 1.0


def test_refusals() -> None:
    with pytest.raises(ValueError, match="needs at least one level"):
        Kinked(())
    with pytest.raises(ValueError, match="has 2 coordinates, but there are 1"):
        MLP(1, 1, embedding=Kinked((PLANE,)))


def test_a_declaration_without_interfaces_has_no_kinks() -> None:
    assert with_kinks(make_problem("poisson")) == Identity()


def test_a_chosen_embedding_is_kept_beneath_the_kinks() -> None:
    waves = Fourier(((1.0, 0.0),))
    problem = make_problem("disk_inclusion")
    network = ps.Method(embedding=waves).network_for(problem)
    assert isinstance(network, MLP)
    assert network.embedding == with_kinks(problem, waves)
    plain = ps.Method(embedding="none").network_for(problem)
    assert isinstance(plain, MLP)
    assert plain.embedding == with_kinks(problem)


@pytest.mark.parametrize("kind", ["layers", "features"])
def test_saved_and_loaded(kind) -> None:
    problem = make_problem("disk_inclusion")
    scaling = scaling_of(problem, 0)
    embedding = with_kinks(problem, Periodic(((0, 2.0),)))
    network: MLP | RandomFeatures = MLP(2, 1, (4,), embedding=embedding)
    if kind == "features":
        drawn = draw_features(
            5, torch.ones(4, dtype=torch.float64), torch.Generator().manual_seed(0)
        )
        network = RandomFeatures(*drawn, 1, embedding=embedding)
    again = network_of(network_text(network), problem, scaling)
    points = torch.rand(5, 2, dtype=torch.float64)
    theta = torch.rand(network.num_parameters, dtype=torch.float64)
    indices = ((), (0,))
    assert torch.equal(
        again.streams(theta, points, indices), network.streams(theta, points, indices)
    )
