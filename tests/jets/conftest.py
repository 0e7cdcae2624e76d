"""The independent oracle of the jets: torch's own derivatives, taken one after the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from pinnsolve.jets import Frame, Jet
from pinnsolve.multi_index import MultiIndex

Function = Callable[..., Tensor]
Oracle = Callable[[Function, Tensor, MultiIndex], Tensor]


def nested_autograd(function: Function, points: Tensor, index: MultiIndex) -> Tensor:
    """Return one partial derivative of ``function(*columns)`` at points (N, D)."""
    columns = [column.clone().requires_grad_() for column in points.unbind(1)]
    value = function(*columns)
    for axis in index:
        if not value.requires_grad:
            return torch.zeros_like(columns[0])
        (value,) = torch.autograd.grad(
            value.sum(), columns[axis], create_graph=True, materialize_grads=True
        )
    return value.detach().expand(len(points))


@pytest.fixture(scope="session")
def oracle() -> Oracle:
    """Return ``oracle(function, points, index)``, a partial derivative by nested autograd."""
    return nested_autograd


@pytest.fixture(scope="session")
def leaf_of() -> Callable[[Function, Tensor, Frame], Jet]:
    """Return ``leaf_of(function, points, frame)``, a jet whose derivatives the oracle supplies."""

    def leaf(function: Function, points: Tensor, frame: Frame) -> Jet:
        return Jet.leaf(lambda index: nested_autograd(function, points, index), frame)

    return leaf


@pytest.fixture(scope="session")
def agree() -> Callable[[Tensor, Tensor], None]:
    """Return ``agree(actual, expected)``: equal to 1e-10 of the largest expected value."""

    def compare(actual: Tensor, expected: Tensor) -> None:
        size = max(float(expected.abs().max()), 1e-3)
        torch.testing.assert_close(
            actual.expand_as(expected), expected, rtol=0.0, atol=1e-10 * size
        )

    return compare
