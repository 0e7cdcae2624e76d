"""Networks for transfer: held parameters, low-rank adapters, hidden layers as features, features on features."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from pinnsolve.multi_index import VALUE
from pinnsolve.networks import (
    MLP,
    Adapted,
    HiddenFeatures,
    Network,
    PartlyTrained,
    RandomFeatures,
    added_up,
    draw_features,
)

CPU = torch.device("cpu")
PLAIN = MLP(2, 3, (5, 4))


def drawn(network: Network, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return network.initial_parameters(generator, dtype=torch.float64, device=CPU)


def some_points(number: int = 7) -> Tensor:
    return 2.0 * torch.rand(number, 2, dtype=torch.float64) - 1.0


def partly(seed: int = 0) -> PartlyTrained:
    positions = torch.tensor([0, 3, 17, PLAIN.num_parameters - 1])
    rates = torch.tensor([1.0, 0.5, 2.0, 0.1], dtype=torch.float64)
    return PartlyTrained(PLAIN, drawn(PLAIN, seed), positions, rates)


class Whole(PartlyTrained):
    """The same, begun away from zero: at zero an adapter's Jacobian is half empty."""

    def initial_parameters(
        self, generator: torch.Generator, *, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        return torch.randn(self.num_parameters, generator=generator, dtype=dtype, device=device)


@pytest.mark.parametrize(
    "network",
    [partly(), Adapted(PLAIN, 3, (0, 1, 2)), Adapted(PLAIN, 1, (1,))],
    ids=["partly trained", "adapted", "one adapter"],
)
def test_derivatives_and_jacobian(
    network: Network, check_network: Callable[[Network, int, int], None]
) -> None:
    check_network(network, 2, 2)


def test_jacobian_of_an_adapter_that_has_moved(
    check_network: Callable[[Network, int, int], None],
) -> None:
    adapted = Adapted(PLAIN, 2, (0, 1, 2))
    positions = torch.arange(PLAIN.num_parameters, adapted.num_parameters)
    rates = torch.ones(len(positions), dtype=torch.float64)
    check_network(Whole(adapted, drawn(adapted), positions, rates), 2, 2)


def test_hidden_features_have_the_derivatives_of_the_network(
    check_network: Callable[[Network, int, int], None],
) -> None:
    parameters = drawn(PLAIN)
    features = HiddenFeatures(PLAIN, parameters)
    check_network(features, 2, 2)
    head, points = features.head_of(parameters), some_points()
    indices = (VALUE, (0,), (1,), (0, 0))
    torch.testing.assert_close(
        features.streams(head, points, indices), PLAIN.streams(parameters, points, indices)
    )
    torch.testing.assert_close(features.whole(head), parameters, rtol=0.0, atol=0.0)


def test_an_adapter_begins_as_the_network_and_adds_a_matrix_of_its_rank() -> None:
    adapted = Adapted(PLAIN, 2, (1,))
    parameters = drawn(PLAIN)
    generator = torch.Generator().manual_seed(1)
    begun = adapted.begun_at(parameters, generator)
    torch.testing.assert_close(adapted.merged(begun), parameters, rtol=0.0, atol=0.0)
    moved = begun + 0.1 * torch.randn_like(begun)
    change = (adapted.merged(moved) - moved[: PLAIN.num_parameters])[PLAIN.weight_span(1)]
    assert torch.linalg.matrix_rank(change.view(4, 5)) == 2


def test_parameters_that_are_held_do_not_move() -> None:
    network = partly()
    whole = network.whole(torch.ones(4, dtype=torch.float64))
    moved = (whole - network.base).nonzero()[:, 0]
    assert moved.tolist() == network.positions.tolist()
    torch.testing.assert_close((whole - network.base)[moved], network.rates)


def test_features_on_features_are_one_layer() -> None:
    generator = torch.Generator().manual_seed(0)
    bandwidth = torch.ones(2, dtype=torch.float64)
    lower, upper = (RandomFeatures(*draw_features(n, bandwidth, generator), 2) for n in (6, 4))
    below, above = (torch.randn(2 * n, dtype=torch.float64) for n in (6, 4))
    stacked = RandomFeatures(upper.slopes, upper.offsets, 2, base=(lower, below))
    joined, head = added_up(stacked, above)
    assert joined.base is None
    assert joined.num_features == 10
    points, indices = some_points(), (VALUE, (0,), (0, 1))
    torch.testing.assert_close(
        joined.streams(head, points, indices), stacked.streams(above, points, indices)
    )


def test_features_on_a_trained_network_stay_on_it() -> None:
    generator = torch.Generator().manual_seed(0)
    slopes, offsets = draw_features(4, torch.ones(2, dtype=torch.float64), generator)
    stacked = RandomFeatures(slopes, offsets, 3, base=(PLAIN, drawn(PLAIN)))
    head = torch.randn(12, dtype=torch.float64)
    assert added_up(stacked, head) == (stacked, head)


@pytest.mark.parametrize("rank", [0, 4, -1])
def test_a_rank_that_is_not_low_is_refused(rank: int) -> None:
    with pytest.raises(ValueError, match="adapter_rank must lie between 1 and 3, the largest rank"):
        Adapted(PLAIN, rank, (2,))


def test_a_layer_without_such_a_rank_has_an_adapter_of_its_own() -> None:
    adapted = Adapted(PLAIN, 3, (0, 1, 2))
    assert [adapted.rank_of(layer) for layer in adapted.layers] == [2, 3, 3]


@pytest.mark.parametrize("layers", [(), (1, 0), (3,), (0, 0)])
def test_layers_that_there_are_not_are_refused(layers: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"ascending layers among 0 \.\.\. 2"):
        Adapted(PLAIN, 1, layers)


def test_shapes_and_rates_are_checked() -> None:
    base, one = drawn(PLAIN), torch.ones(1, dtype=torch.float64)
    first = torch.tensor([0])
    with pytest.raises(ValueError, match=r"parameters of the network, got shape \(3,\)"):
        PartlyTrained(PLAIN, base[:3], first, one)
    with pytest.raises(ValueError, match="must be of one shape"):
        PartlyTrained(PLAIN, base, first, torch.ones(2, dtype=torch.float64))
    with pytest.raises(ValueError, match="rate > 0"):
        PartlyTrained(PLAIN, base, first, 0.0 * one)
