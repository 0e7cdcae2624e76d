"""Smooth random fields, as jets and as functions that torch differentiates by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from pinnsolve.jets import Coordinates, Fields, Frame, Jet, as_jet
from pinnsolve.multi_index import MultiIndex

Columns = tuple[Tensor, ...]
Function = Callable[[Columns], Tensor]


def partial(value: Tensor, column: Tensor) -> Tensor:
    """Return d value / d column at every point, differentiable again."""
    (slope,) = torch.autograd.grad(value.sum(), column, create_graph=True, materialize_grads=True)
    return slope


@dataclass(frozen=True)
class SmoothFields:
    """Random smooth fields: jets for the physics, functions of columns for the oracle."""

    x: Coordinates
    fields: Fields
    columns: Columns
    values: Mapping[str, Tensor | list[Tensor]]


def _component(num_axes: int, generator: torch.Generator, level: float) -> Function:
    waves = (2.0 * torch.rand(3, num_axes, generator=generator) - 1.0).double() * 2.0
    phases, sizes = (torch.rand(3, generator=generator).double() for _ in range(2))

    def function(columns: Columns) -> Tensor:
        stacked = torch.stack(columns, dim=1)
        return level + (torch.sin(stacked @ waves.T + 6.0 * phases) * sizes).sum(dim=1)

    return function


def _leaf(function: Function, points: Tensor, frame: Frame) -> Jet:
    def source(index: MultiIndex) -> Tensor:
        columns = tuple(column.clone().requires_grad_() for column in points.unbind(1))
        value = function(columns)
        for axis in index:
            value = partial(value, columns[axis])
        return value.detach()

    return Jet.leaf(source, frame)


def _make(
    shapes: Mapping[str, tuple[int, ...]], frame: Frame, *, seed: int = 0, level: float = 0.0
) -> SmoothFields:
    generator = torch.Generator().manual_seed(seed)
    points = torch.rand(6, frame.num_axes, generator=generator, dtype=torch.float64)
    columns = tuple(column.clone().requires_grad_() for column in points.unbind(1))
    jets: dict[str, Jet] = {}
    values: dict[str, Tensor | list[Tensor]] = {}
    for name, shape in shapes.items():
        functions = [
            _component(frame.num_axes, generator, level) for _ in range(shape[0] if shape else 1)
        ]
        leaves = [_leaf(function, points, frame) for function in functions]
        jets[name] = as_jet(leaves, frame) if shape else leaves[0]
        plain = [function(columns) for function in functions]
        values[name] = plain if shape else plain[0]
    return SmoothFields(Coordinates(points, frame), Fields(jets), columns, values)


@pytest.fixture(scope="session")
def smooth_fields() -> Callable[..., SmoothFields]:
    """Return ``smooth_fields(shapes, frame, seed=..., level=...)``."""
    return _make


@pytest.fixture(scope="session")
def d() -> Callable[[Tensor, Tensor], Tensor]:
    """Return ``d(value, column)``, one partial derivative by torch."""
    return partial
