"""The network that propagates derivatives, against nested autograd of a plain one."""

from __future__ import annotations

import math
from itertools import combinations_with_replacement

import pytest
import torch
from torch import Tensor

from pinnsolve.multi_index import lower_set
from pinnsolve.networks import MLP

CPU = torch.device("cpu")


def parameters_of(net: MLP, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return net.initial_parameters(generator, dtype=dtype, device=CPU)


def points_in(dim: int, number: int = 5, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2.0 * torch.rand(number, dim, generator=generator, dtype=torch.float64) - 1.0


def plain(net: MLP, parameters: Tensor, columns: list[Tensor]) -> Tensor:
    """The same network written as everybody writes it, shape (N, C)."""
    current, start = torch.stack(columns, dim=1), 0
    for layer, (rows, width) in enumerate(net.layers):
        weight = parameters[start : start + rows * width].reshape(rows, width)
        bias = parameters[start + rows * width : start + rows * (width + 1)]
        start += rows * (width + 1)
        current = current @ weight.T + bias
        current = torch.tanh(current) if layer < len(net.layers) - 1 else current
    return current


def nested(net: MLP, parameters: Tensor, points: Tensor, index: tuple[int, ...]) -> Tensor:
    columns = [column.clone().requires_grad_() for column in points.unbind(1)]
    outputs = []
    for component in plain(net, parameters, columns).unbind(1):
        value = component
        for axis in index:
            (value,) = torch.autograd.grad(
                value.sum(), columns[axis], create_graph=True, materialize_grads=True
            )
        outputs.append(value.detach())
    return torch.stack(outputs, dim=1)


def all_indices(dim: int, order: int) -> tuple[tuple[int, ...], ...]:
    return lower_set(combinations_with_replacement(range(dim), order))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    ("dim", "hidden", "order"), [(1, (7,), 4), (2, (6, 5), 4), (3, (5, 4, 3), 4)]
)
def test_streams_are_partial_derivatives(dim, hidden, order, seed) -> None:
    net = MLP(dim, 2, hidden, bandwidth=1.5)
    parameters, points = parameters_of(net, seed), points_in(dim, seed=seed)
    indices = all_indices(dim, order)
    streams = net.streams(parameters, points, indices)
    assert streams.shape == (len(indices), 5, 2)
    for stream, index in zip(streams, indices, strict=True):
        expected = nested(net, parameters, points, index)
        size = float(expected.abs().max())
        torch.testing.assert_close(stream, expected, rtol=0.0, atol=1e-10 * size)


@pytest.mark.parametrize("wanted", [[(0, 0), (1, 1)], [(0, 1)], [(0, 0, 2)], []])
def test_a_sparse_lower_set_gives_the_same_numbers_as_the_full_one(wanted) -> None:
    net = MLP(3, 2, (6, 6))
    parameters, points = parameters_of(net, 0), points_in(3)
    full = all_indices(3, 3)
    streams = dict(zip(full, net.streams(parameters, points, full), strict=True))
    for index, stream in zip(
        lower_set(wanted), net.streams(parameters, points, lower_set(wanted)), strict=True
    ):
        torch.testing.assert_close(stream, streams[index], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    ("dim", "hidden", "order"), [(2, (6, 5), 2), (2, (8,), 3), (3, (5, 4, 4), 2)]
)
def test_pullback_gives_the_row_jacobian(dim, hidden, order, seed) -> None:
    net = MLP(dim, 3, hidden)
    parameters, points = parameters_of(net, seed), points_in(dim, number=4, seed=seed)
    indices = all_indices(dim, order)
    streams, pullback = net.linearised(parameters, points, indices)
    generator = torch.Generator().manual_seed(seed)
    cotangent = torch.randn(streams.shape, generator=generator, dtype=torch.float64)

    def row(theta: Tensor, point: Tensor, weights: Tensor) -> Tensor:
        return (net.streams(theta, point[None], indices) * weights[:, None]).sum()

    expected = torch.stack(
        [
            torch.func.jacrev(row)(parameters, point, weights)
            for point, weights in zip(points, cotangent.unbind(1), strict=True)
        ]
    )
    jacobian = torch.zeros(4, net.num_parameters, dtype=torch.float64)
    pullback(cotangent, jacobian)
    torch.testing.assert_close(jacobian, expected, rtol=1e-11, atol=1e-12)
    torch.testing.assert_close(streams, net.streams(parameters, points, indices), rtol=0, atol=0)


def test_pullback_adds_and_can_be_used_again() -> None:
    net = MLP(2, 1, (4, 4))
    streams, pullback = net.linearised(parameters_of(net, 0), points_in(2), all_indices(2, 2))
    once = torch.zeros(5, net.num_parameters, dtype=torch.float64)
    pullback(torch.ones_like(streams), once)
    twice = once.clone()
    pullback(torch.ones_like(streams), twice)
    torch.testing.assert_close(twice, 2.0 * once)
    assert not streams.requires_grad
    assert not once.requires_grad


def test_pullback_is_linear_in_the_cotangent() -> None:
    net = MLP(2, 2, (5,))
    streams, pullback = net.linearised(parameters_of(net, 0), points_in(2), all_indices(2, 2))
    a, b = torch.randn(2, *streams.shape, dtype=torch.float64)
    results = []
    for cotangent in (a, b, 2.0 * a - 3.0 * b):
        out = torch.zeros(5, net.num_parameters, dtype=torch.float64)
        pullback(cotangent, out)
        results.append(out)
    torch.testing.assert_close(results[2], 2.0 * results[0] - 3.0 * results[1])


def test_points_do_not_influence_each_other() -> None:
    net = MLP(2, 2, (5,))
    parameters, points = parameters_of(net, 0), points_in(2)
    indices = all_indices(2, 2)
    alone = [net.streams(parameters, point[None], indices) for point in points]
    together = net.streams(parameters, points, indices)
    torch.testing.assert_close(torch.cat(alone, dim=1), together, rtol=1e-13, atol=1e-14)


def test_initial_parameters_are_reproducible_and_differ_by_seed() -> None:
    net = MLP(2, 3, (8, 8))
    first, again, other = (parameters_of(net, seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == (net.num_parameters,)
    assert net.num_parameters == 2 * 8 + 8 + 8 * 8 + 8 + 8 * 3 + 3


def test_initial_parameters_are_the_same_numbers_in_every_precision() -> None:
    net = MLP(2, 3, (8, 8))
    assert torch.equal(parameters_of(net, 0).float(), parameters_of(net, 0, torch.float32))


@pytest.mark.parametrize("bandwidth", [0.5, 1.0, 4.0])
def test_initial_weights_are_glorot_normal(bandwidth) -> None:
    net = MLP(100, 200, (300,), bandwidth=bandwidth)
    parameters = parameters_of(net, 0)
    first = parameters[: 300 * 100]
    second = parameters[300 * 101 : 300 * 101 + 200 * 300]
    assert float(first.std()) == pytest.approx(bandwidth * math.sqrt(2 / 400), rel=0.02)
    assert float(second.std()) == pytest.approx(math.sqrt(2 / 500), rel=0.02)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_initial_outputs_are_of_order_one(seed) -> None:
    net = MLP(2, 1)
    values = net.streams(parameters_of(net, seed), points_in(2, number=500), ((),))
    assert 0.01 < float(values.square().mean().sqrt()) < 10.0


def test_single_precision_stays_single() -> None:
    net = MLP(2, 1, (4,))
    parameters = parameters_of(net, 0, torch.float32)
    streams, pullback = net.linearised(parameters, points_in(2).float(), all_indices(2, 2))
    out = torch.zeros(5, net.num_parameters, dtype=torch.float32)
    pullback(torch.ones_like(streams), out)
    assert streams.dtype == out.dtype == torch.float32


def test_every_tensor_names_its_device(explicit_device) -> None:
    net = MLP(2, 1, (4,))
    generator = torch.Generator(device=explicit_device).manual_seed(0)
    parameters = net.initial_parameters(generator, dtype=torch.float64, device=explicit_device)
    points = torch.ones(3, 2, dtype=torch.float64, device=explicit_device)
    streams, pullback = net.linearised(parameters, points, ((), (0,), (0, 0)))
    pullback(torch.ones_like(streams), parameters.new_zeros(3, net.num_parameters))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: MLP(2, 1, ()), "at least one hidden layer"),
        (lambda: MLP(2, 1, (8, 0)), "positive widths"),
        (lambda: MLP(0, 1), "positive widths"),
        (lambda: MLP(2, 0), "positive widths"),
        (lambda: MLP(2, 1, bandwidth=0.0), "bandwidth must be > 0, got 0.0"),
        (lambda: MLP(2, 1, bandwidth=math.nan), "bandwidth must be > 0, got nan"),
    ],
)
def test_sizes_must_be_positive(make, match) -> None:
    with pytest.raises(ValueError, match=match):
        make()


def test_streams_must_be_a_lower_set_that_starts_with_the_value() -> None:
    net = MLP(2, 1, (4,))
    for indices in (((0,),), ((), (0, 1)), ((), (0, 0)), ((0,), ())):
        with pytest.raises(ValueError, match="lower set that starts with the value"):
            net.streams(parameters_of(net, 0), points_in(2), indices)
