"""Embeddings: derivatives in closed form, exact periods, and what they refuse."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError

import pytest
import torch

from pinnsolve.multi_index import lower_set
from pinnsolve.networks import MLP, Embedding, Fourier, Identity, Periodic

CPU = torch.device("cpu")
FAMILY = {
    "identity": (2, Identity(), 2),
    "periodic": (2, Periodic(((0, 2.0),)), 3),
    "periodic in the last": (3, Periodic(((2, 0.7),), harmonics=3), 8),
    "periodic in two": (3, Periodic(((0, 2.0), (1, 1.3)), harmonics=2), 9),
    "fourier": (2, Fourier.random(2, scales=(0.5, 2.0), per_scale=3), 12),
}


@pytest.mark.parametrize("name", FAMILY)
def test_derivatives_are_those_of_nested_autograd(name: str, check_derivatives) -> None:
    dim, embedding, features = FAMILY[name]
    assert embedding.num_features(dim) == features
    assert embedding.streams(torch.zeros(4, dim, dtype=torch.float64), ((),)).shape[2] == features
    check_derivatives(embedding.streams, dim, 4)


@pytest.mark.parametrize("name", FAMILY)
def test_networks_see_the_coordinates_through_it(name: str, check_network) -> None:
    dim, embedding, _ = FAMILY[name]
    check_network(MLP(dim, 2, (5, 4), 1.5, embedding), dim, 3)


def test_identity_changes_nothing() -> None:
    points = torch.randn(6, 3, dtype=torch.float64)
    streams = Identity().streams(points, ((), (1,), (0, 1)))
    assert torch.equal(streams[0], points)
    assert torch.equal(streams[1], torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64).expand(6, 3))
    assert not streams[2].any()


def test_features_are_cosines_and_sines() -> None:
    points = torch.randn(6, 2, dtype=torch.float64)
    found = Periodic(((1, 0.5),), harmonics=2).streams(points, ((),))[0]
    angle = 2.0 * math.pi * points[:, 1] / 0.5
    expected = [points[:, 0], angle.cos(), (2 * angle).cos(), angle.sin(), (2 * angle).sin()]
    torch.testing.assert_close(found, torch.stack(expected, dim=1))
    waves = Fourier(((1.0, -2.0),)).streams(points, ((),))[0]
    phase = 2.0 * math.pi * (points[:, 0] - 2.0 * points[:, 1])
    torch.testing.assert_close(waves, torch.stack((phase.cos(), phase.sin()), dim=1))


@pytest.mark.parametrize("harmonics", [1, 3])
def test_all_derivatives_repeat_after_a_period(harmonics: int) -> None:
    net = MLP(3, 2, (6, 5), 2.0, Periodic(((0, 2.0), (1, 0.5)), harmonics))
    parameters = net.initial_parameters(
        torch.Generator().manual_seed(0), dtype=torch.float64, device=CPU
    )
    points = torch.rand(20, 3, dtype=torch.float64)
    moved = points + torch.tensor([-2.0, 1.5, 0.0], dtype=torch.float64)
    indices = lower_set([(0, 0, 1), (0, 2, 2), (1, 1, 1)])
    here, there = (net.streams(parameters, at, indices) for at in (points, moved))
    size = here.abs().amax(dim=(1, 2), keepdim=True)
    torch.testing.assert_close(here / size, there / size, rtol=0.0, atol=1e-12)
    aside = points + torch.tensor([0.0, 0.0, 2.0], dtype=torch.float64)
    assert not torch.allclose(net.streams(parameters, aside, indices), here)


def test_random_frequencies_are_reproducible_and_of_the_stated_size() -> None:
    first, again, other = (Fourier.random(2, scales=(3.0,), seed=s) for s in (0, 0, 1))
    assert first == again != other
    drawn = torch.tensor(Fourier.random(2, scales=(3.0,), per_scale=4000).frequencies)
    assert float(drawn.std()) == pytest.approx(3.0, rel=0.05)


def test_single_precision_stays_single() -> None:
    points = torch.rand(4, 2, dtype=torch.float32)
    for dim, embedding, _ in FAMILY.values():
        if dim == 2:
            assert embedding.streams(points, ((), (0,), (0, 1))).dtype == torch.float32


def test_every_tensor_names_its_device(explicit_device: torch.device) -> None:
    points = torch.ones(3, 2, dtype=torch.float64, device=explicit_device)
    for embedding in (Periodic(((0, 2.0),)), Fourier.random(2, scales=(1.0,))):
        embedding.streams(points, ((), (0,), (0, 1)))


def test_embeddings_are_values() -> None:
    assert Periodic(((0, 2.0),)) == Periodic(((0, 2.0),))
    with pytest.raises(FrozenInstanceError):
        Periodic(((0, 2.0),)).harmonics = 2  # type: ignore[misc]
    assert isinstance(Identity(), Embedding)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Periodic(()), "name each periodic axis once"),
        (lambda: Periodic(((0, 2.0), (0, 1.0))), "name each periodic axis once"),
        (lambda: Periodic(((-1, 2.0),)), "name each periodic axis once"),
        (lambda: Periodic(((1, 0.0),)), "period of axis 1 must be finite and > 0, got 0.0"),
        (lambda: Periodic(((0, 2.0),), 0), "harmonics must be >= 1, got 0"),
        (lambda: MLP(2, 1, embedding=Periodic(((2, 2.0),))), "names axis 2, but there are 2"),
        (lambda: Fourier(()), "frequencies must be vectors of one length"),
        (lambda: Fourier(((1.0,), (1.0, 2.0))), "frequencies must be vectors of one length"),
        (lambda: Fourier(((math.inf,),)), "frequencies must be finite"),
        (lambda: Fourier.random(2, scales=()), "scales must be finite and > 0, at least one"),
        (lambda: Fourier.random(2, scales=(-1.0,)), "scales must be finite and > 0"),
        (lambda: Fourier.random(2, scales=(1.0,), per_scale=0), "must be >= 1, got 0 and 2"),
        (lambda: MLP(3, 1, embedding=Fourier(((1.0, 2.0),))), r"Fourier.random\(3, scales"),
    ],
)
def test_refusals(make, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        make()
