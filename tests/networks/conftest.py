"""What the tests of networks share: points, parameters, nested autograd, per-sample Jacobians."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations_with_replacement

import pytest
import torch
from torch import Tensor

from pinnsolve.multi_index import VALUE, MultiIndex, lower_set
from pinnsolve.networks import Network

Check = Callable[[Network, int, int], None]


def _start(network: Network, dim: int, number: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    cpu = torch.device("cpu")
    parameters = network.initial_parameters(generator, dtype=torch.float64, device=cpu)
    return parameters, 1.8 * torch.rand(number, dim, generator=generator, dtype=torch.float64) - 0.9


def _all_indices(dim: int, order: int) -> tuple[MultiIndex, ...]:
    return lower_set(combinations_with_replacement(range(dim), order))


def _nested(function: Callable[[Tensor], Tensor], points: Tensor, index: MultiIndex) -> Tensor:
    located = points.clone().requires_grad_()
    columns = []
    for value in function(located).unbind(1):
        derivative = value
        for axis in index:
            (slopes,) = torch.autograd.grad(
                derivative.sum(), located, create_graph=True, materialize_grads=True
            )
            derivative = slopes[:, axis] + 0.0 * located[:, axis]  # keeps the graph of a constant
        columns.append(derivative.detach())
    return torch.stack(columns, dim=1)


@pytest.fixture
def check_derivatives() -> Callable[[Callable[..., Tensor], int, int], None]:
    """``check(streams, dim, order)``: streams(points, indices) against nested autograd of the value."""

    def check(streams: Callable[..., Tensor], dim: int, order: int) -> None:
        points = 1.8 * torch.rand(5, dim, dtype=torch.float64) - 0.9
        indices = _all_indices(dim, order)
        found = streams(points, indices)
        assert found.shape[:2] == (len(indices), 5)
        for stream, index in zip(found, indices, strict=True):
            expected = _nested(lambda at: streams(at, (VALUE,))[0], points, index)
            size = max(1.0, float(expected.abs().max()))
            torch.testing.assert_close(stream, expected, rtol=0.0, atol=1e-10 * size)

    return check


@pytest.fixture
def check_network(check_derivatives: Callable[..., None]) -> Check:
    """``check(network, dim, order)``: its derivatives, and its Jacobian, against autograd."""

    def check(network: Network, dim: int, order: int) -> None:
        parameters, points = _start(network, dim, 4)
        check_derivatives(lambda at, indices: network.streams(parameters, at, indices), dim, order)
        indices = _all_indices(dim, order)
        streams, pullback = network.linearised(parameters, points, indices)
        expected = torch.autograd.functional.jacobian(
            lambda theta: network.streams(theta, points, indices), parameters
        )
        cotangent = torch.randn(streams.shape, dtype=torch.float64)
        wanted = torch.einsum("snc,sncp->np", cotangent, expected)
        jacobian = torch.zeros(len(points), network.num_parameters, dtype=torch.float64)
        for times in (1.0, 2.0):
            pullback(cotangent, jacobian)
            scale = float(wanted.abs().max())
            torch.testing.assert_close(jacobian, times * wanted, rtol=0.0, atol=1e-10 * scale)
        plain = network.streams(parameters, points, indices)
        torch.testing.assert_close(streams, plain, rtol=1e-13, atol=1e-13)
        assert not streams.requires_grad

    return check
