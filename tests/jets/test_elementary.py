"""Elementary functions of jets against nested autograd, to order 4 in one to three coordinates."""

from __future__ import annotations

import math
from itertools import combinations_with_replacement

import pytest
import torch
from torch import Tensor

from pinnsolve.jets import (
    Coordinates,
    Frame,
    arctan,
    cos,
    cosh,
    erf,
    exp,
    log,
    sin,
    sinh,
    sqrt,
    tanh,
)

PAIRS = {
    "exp": (exp, torch.exp),
    "log": (log, torch.log),
    "sin": (sin, torch.sin),
    "cos": (cos, torch.cos),
    "sinh": (sinh, torch.sinh),
    "cosh": (cosh, torch.cosh),
    "tanh": (tanh, torch.tanh),
    "arctan": (arctan, torch.atan),
    "erf": (erf, torch.erf),
    "sqrt": (sqrt, torch.sqrt),
}
POWERS = [-3, -1, 0, 1, 2, 3, 5, 0.5, 1.5, -0.25]
EXACT = {
    "exp": (math.log(2.0), 2.0),
    "log": (math.e, 1.0),
    "sin": (math.pi / 6, 0.5),
    "cos": (math.pi / 3, 0.5),
    "sinh": (math.log(2.0), 0.75),
    "cosh": (math.log(2.0), 1.25),
    "tanh": (math.log(2.0), 0.6),
    "arctan": (1.0, math.pi / 4),
    "erf": (0.5, 0.5204998778130465),
    "sqrt": (6.25, 2.5),
}


def inner(*x: Tensor) -> Tensor:
    """A smooth function of all coordinates with values in (0.2, 2.4)."""
    phase = sum((1.1 - 0.4 * i) * column for i, column in enumerate(x))
    return 1.3 + 0.6 * torch.sin(phase + 0.3) + 0.4 * torch.cos(1.3 * x[0] * x[-1])


def points_in(dim: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2.0 * torch.rand(7, dim, generator=generator, dtype=torch.float64) - 1.0


def indices(dim: int) -> list[tuple[int, ...]]:
    return [i for order in range(5) for i in combinations_with_replacement(range(dim), order)]


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("name", PAIRS)
def test_compositions(name, dim, oracle, leaf_of, agree) -> None:
    ours, torchs = PAIRS[name]
    points = points_in(dim)
    jet = ours(leaf_of(inner, points, Frame(dim)))
    for index in indices(dim):
        agree(jet.d(*index), oracle(lambda *x: torchs(inner(*x)), points, index))


@pytest.mark.parametrize("exponent", POWERS)
def test_powers(exponent, oracle, leaf_of, agree) -> None:
    points = points_in(2)
    jet = leaf_of(inner, points, Frame(2)) ** exponent
    for index in indices(2):
        agree(jet.d(*index), oracle(lambda *x: inner(*x) ** exponent, points, index))


@pytest.mark.parametrize("order", range(6))
def test_whole_powers_are_exact_at_zero(order) -> None:
    x = Coordinates(torch.tensor([[0.0], [-2.0]], dtype=torch.float64), Frame(1)).x
    expected = {3: [6.0, 6.0], 2: [0.0, -12.0], 1: [0.0, 12.0], 0: [0.0, -8.0]}
    assert (x**3).d(*[0] * order).tolist() == expected.get(order, [0.0, 0.0])


@pytest.mark.parametrize("name", PAIRS)
def test_closed_values_of_numbers_and_tensors(name) -> None:
    function, (argument, value) = PAIRS[name][0], EXACT[name]
    number = function(argument)
    assert isinstance(number, float)
    assert number == pytest.approx(value, rel=1e-15)
    assert torch.equal(
        function(torch.tensor([argument] * 2, dtype=torch.float64)),
        torch.tensor([number] * 2, dtype=torch.float64),
    )


@pytest.mark.parametrize("z", [0.0, 1e-9, 3.0, -40.0, 700.0])
@pytest.mark.parametrize("function", [tanh, arctan, erf, sin])
def test_derivatives_stay_finite_where_the_function_saturates(function, z) -> None:
    x = Coordinates(torch.tensor([[z]], dtype=torch.float64), Frame(1)).x
    jet = function(x)
    for order in range(5):
        value = float(jet.d(*[0] * order))
        assert math.isfinite(value)
        assert abs(value) <= 24.0


def test_functional_equations() -> None:
    f = Coordinates(points_in(2), Frame(2))
    z = f.x * f.y + 0.3 * f.x
    one = sin(z) ** 2 + cos(z) ** 2
    hyperbolic = cosh(z) ** 2 - sinh(z) ** 2
    for index in indices(2)[1:]:
        for zero in (one.d(*index), hyperbolic.d(*index)):
            assert float(zero.abs().max()) < 1e-12
        difference = log(exp(z)).d(*index) - z.d(*index)
        assert float(difference.abs().max()) < 1e-11


def test_single_precision_stays_single() -> None:
    x = Coordinates(points_in(2).float(), Frame(2))
    jet = tanh(2.0 * x.x) * erf(x.y) + arctan(x.x) / (2.0 + x.y)
    assert all(jet.d(*index).dtype == torch.float32 for index in indices(2)[:6])


def test_a_vector_is_refused() -> None:
    x = Coordinates(points_in(2), Frame(2))
    with pytest.raises(ValueError, match=r"takes a scalar field, got one of shape \(2,\)"):
        sin(x.position)
