"""Networks that follow one another in time: derivatives, Jacobian, and the change of coordinates."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from pinnsolve.multi_index import lower_set
from pinnsolve.networks import MLP, Network, RandomFeatures, TimeSlabs, draw_features

EDGES = (-1.0, -0.4, 0.1, 1.0)
OFFSETS = ((0.0, 1.0), (-0.3, 0.2), (2.0, 0.5))
FACTORS = ((1.0, 2.0), (0.7, 0.1), (3.0, 1.0))


def features(number: int, seed: int) -> RandomFeatures:
    generator = torch.Generator().manual_seed(seed)
    return RandomFeatures(
        *draw_features(number, torch.ones(2, dtype=torch.float64), generator), num_outputs=2
    )


MIXED = (MLP(2, 2, (5, 4)), features(7, 0), MLP(2, 2, (3,)))


def test_derivatives_and_jacobian(check_network: Callable[[Network, int, int], None]) -> None:
    networks = (MLP(2, 2, (5, 4)), MLP(2, 2, (4,)), MLP(2, 2, (3,)))
    check_network(TimeSlabs(networks, EDGES, 1, OFFSETS, FACTORS), 2, 3)


def test_a_network_that_is_cut_is_the_same_network() -> None:
    """Ridge functions in the coordinates and units of every slab."""
    whole = features(9, 1)
    head = torch.randn(18, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    pieces, heads = [], []
    for k in range(3):
        middle, half = 0.5 * (EDGES[k] + EDGES[k + 1]), 0.5 * (EDGES[k + 1] - EDGES[k])
        slopes = whole.slopes * torch.tensor([1.0, half], dtype=torch.float64)
        offsets = whole.offsets + middle * whole.slopes[:, 1]
        pieces.append(RandomFeatures(slopes, offsets, 2))
        factors = torch.tensor(FACTORS[k], dtype=torch.float64)
        heads.append((head.view(2, -1) / factors[:, None]).flatten())
    zero = ((0.0, 0.0),) * 3
    cut = TimeSlabs(tuple(pieces), EDGES, 1, zero, FACTORS)
    points = 2.0 * torch.rand(40, 2, generator=torch.Generator().manual_seed(3)).double() - 1.0
    indices = lower_set([(0, 0), (0, 1), (1, 1, 1)])
    found = cut.streams(torch.cat(heads), points, indices)
    torch.testing.assert_close(found, whole.streams(head, points, indices), rtol=0.0, atol=1e-11)


def test_offsets_move_values_only() -> None:
    network = TimeSlabs(MIXED, EDGES, 1, OFFSETS, FACTORS)
    still = TimeSlabs(MIXED, EDGES, 1, ((0.0, 0.0),) * 3, FACTORS)
    theta = torch.randn(network.num_parameters, dtype=torch.float64)
    points = torch.tensor([[0.2, -0.9], [0.2, 0.0], [0.2, 0.9]], dtype=torch.float64)
    indices = lower_set([(0,), (1,)])
    moved = network.streams(theta, points, indices) - still.streams(theta, points, indices)
    torch.testing.assert_close(moved[0], torch.tensor(OFFSETS, dtype=torch.float64))
    assert not moved[1:].any()


@pytest.mark.parametrize(("time", "slab"), [(-1.5, 0), (-0.4, 0), (0.1, 1), (0.11, 2), (1.5, 2)])
def test_at_an_edge_the_earlier_slab_counts(time: float, slab: int) -> None:
    """And beyond the ends the networks there."""
    network = TimeSlabs(MIXED, EDGES, 1, OFFSETS, FACTORS)
    point = torch.tensor([[0.3, time]], dtype=torch.float64)
    zeros = torch.zeros(network.num_parameters, dtype=torch.float64)
    streams, pullback = network.linearised(zeros, point, ((),))
    assert streams[0, 0].tolist() == list(OFFSETS[slab])
    rows = torch.zeros(1, network.num_parameters, dtype=torch.float64)
    pullback(torch.ones_like(streams), rows)
    sizes = [item.num_parameters for item in MIXED]
    assert [bool(part.any()) for part in rows[0].split(sizes)] == [k == slab for k in range(3)]


def test_words() -> None:
    assert repr(TimeSlabs(MIXED, EDGES, 1, OFFSETS, FACTORS)).startswith("TimeSlabs(MLP(")


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"K >= 1 networks and K \+ 1 edges, got 3 and 3"):
        TimeSlabs(MIXED, EDGES[:3], 1, OFFSETS, FACTORS)
    with pytest.raises(ValueError, match="must ascend"):
        TimeSlabs(MIXED, (-1.0, 0.1, 0.1, 1.0), 1, OFFSETS, FACTORS)
    with pytest.raises(ValueError, match="axis must be >= 0"):
        TimeSlabs(MIXED, EDGES, -1, OFFSETS, FACTORS)
    with pytest.raises(ValueError, match="for each of 3 networks, got 2 and 3"):
        TimeSlabs(MIXED, EDGES, 1, OFFSETS[:2], FACTORS)
