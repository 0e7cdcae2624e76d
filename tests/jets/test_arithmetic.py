"""Arithmetic of jets: random expressions against nested autograd, laziness and structural zeros."""

from __future__ import annotations

import math
import operator
from itertools import combinations_with_replacement

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pinnsolve.jets import (
    Coordinates,
    Frame,
    Jet,
    arctan,
    as_jet,
    cos,
    cosh,
    div,
    erf,
    exp,
    grad,
    laplacian,
    log,
    sin,
    sinh,
    sqrt,
    tanh,
    where,
)

WORDS = {
    "sin": (sin, torch.sin),
    "cos": (cos, torch.cos),
    "tanh": (tanh, torch.tanh),
    "arctan": (arctan, torch.atan),
    "erf": (erf, torch.erf),
    "bump": (lambda z: exp(-(z**2)), lambda z: torch.exp(-(z**2))),
    "root": (lambda z: sqrt(1.0 + z**2), lambda z: torch.sqrt(1.0 + z**2)),
    "logarithm": (lambda z: log(2.0 + z**2), lambda z: torch.log(2.0 + z**2)),
    "catenary": (lambda z: cosh(0.5 * sin(z)), lambda z: torch.cosh(0.5 * torch.sin(z))),
    "wave": (lambda z: sinh(cos(z)), lambda z: torch.sinh(torch.cos(z))),
    "witch": (lambda z: 1 / (1.0 + z**2), lambda z: 1 / (1.0 + z**2)),
    "minus": (operator.neg, operator.neg),
}
JOINTS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda a, b: a / (2.0 + b * b),
}

atoms = st.sampled_from(["x", "y", "z", 0.7, -1.5])
trees = st.recursive(
    atoms,
    lambda below: st.one_of(
        st.tuples(st.sampled_from(sorted(WORDS)), below),
        st.tuples(st.sampled_from(sorted(JOINTS)), below, below),
    ),
    max_leaves=6,
)


def evaluate(tree, coordinates, language: int):
    """Evaluate an expression tree with the words of jets (0) or of torch (1)."""
    match tree:
        case str():
            return coordinates[tree]
        case float():
            return tree * coordinates["one"]
        case (word, argument):
            return WORDS[word][language](evaluate(argument, coordinates, language))
        case (joint, left, right):
            sides = (evaluate(side, coordinates, language) for side in (left, right))
            return JOINTS[joint](*sides)
    raise AssertionError(tree)


POINTS = torch.tensor([[0.3, -0.8, 0.5], [-0.6, 0.2, 0.9], [0.05, 0.7, -0.4]], dtype=torch.float64)
ORDERS = [i for n in range(4) for i in combinations_with_replacement(range(3), n)]


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(tree=trees)
def test_random_expressions(tree, oracle) -> None:
    frame = Frame(3)
    x = Coordinates(POINTS, frame)
    named = {"x": x.x, "y": x.y, "z": x.z, "one": as_jet(1.0, frame)}
    jet = evaluate(tree, named, 0)

    def function(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        return evaluate(tree, {"x": a, "y": b, "z": c, "one": torch.ones_like(a)}, 1)

    for index in ORDERS:
        expected = oracle(function, POINTS, index)
        error = (jet.d(*index).expand(3) - expected).abs().max()
        assert float(error) <= 1e-10 * max(1.0, float(expected.abs().max())), index


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_products_and_quotients_to_order_four(dim, oracle, leaf_of, agree) -> None:
    points = POINTS[:, :dim]

    def f(*x: Tensor) -> Tensor:
        return torch.sin(sum((i + 1.0) * c for i, c in enumerate(x)))

    def g(*x: Tensor) -> Tensor:
        return 2.0 + torch.cos(sum((0.7 - i) * c for i, c in enumerate(x)))

    a, b = leaf_of(f, points, Frame(dim)), leaf_of(g, points, Frame(dim))
    for index in (i for n in range(5) for i in combinations_with_replacement(range(dim), n)):
        agree((a * b).d(*index), oracle(lambda *x: f(*x) * g(*x), points, index))
        agree((a / b).d(*index), oracle(lambda *x: f(*x) / g(*x), points, index))
        agree((3.0 / b).d(*index), oracle(lambda *x: 3.0 / g(*x), points, index))


@pytest.mark.parametrize(
    "number", [2, 2.5, np.float64(2.5), np.int64(3), torch.tensor(2.5).double()]
)
def test_numbers_on_either_side(number) -> None:
    f = Coordinates(POINTS, Frame(3)).x
    value = POINTS[:, 0]
    number_value = float(number)
    cases = [
        (number * f, number_value * value),
        (f * number, number_value * value),
        (number + f, number_value + value),
        (f + number, number_value + value),
        (number - f, number_value - value),
        (f - number, value - number_value),
        (number / f, number_value / value),
        (f / number, value / number_value),
    ]
    for jet, expected in cases:
        assert isinstance(jet, Jet)
        torch.testing.assert_close(jet.value, expected, rtol=1e-15, atol=0.0)


def test_arrays_and_lists_are_vectors() -> None:
    f = Coordinates(POINTS, Frame(3)).position
    for given_vector in ([1.0, 2.0, 3.0], np.array([1.0, 2.0, 3.0])):
        expected = POINTS - torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
        assert torch.equal((f - given_vector).value, expected)
        assert torch.equal((given_vector - f).value, -expected)


def test_comparisons_are_masks() -> None:
    x = Coordinates(POINTS, Frame(3))
    assert torch.equal(x.x > 0.05, POINTS[:, 0] > 0.05)
    assert torch.equal(x.x >= x.y, POINTS[:, 0] >= POINTS[:, 1])
    assert torch.equal(x.x < 0.05, POINTS[:, 0] < 0.05)
    assert torch.equal(x.x <= x.y, POINTS[:, 0] <= POINTS[:, 1])


def test_where_selects_values_and_derivatives() -> None:
    x = Coordinates(POINTS, Frame(3))
    jet = where(x.x > 0.0, x.x**2, 3.0 * x.y)
    assert torch.equal(jet.d(0), torch.where(POINTS[:, 0] > 0, 2.0 * POINTS[:, 0], 0.0))
    assert torch.equal(jet.d(1), torch.where(POINTS[:, 0] > 0, 0.0, 3.0).double())


class Watched:
    """A field that notes which derivatives it was asked for."""

    def __init__(self, frame: Frame) -> None:
        self.asked: list[tuple[int, ...]] = []
        self.jet = Jet.leaf(self.supply, frame)

    def supply(self, index: tuple[int, ...]) -> Tensor:
        self.asked.append(index)
        return torch.full((2,), 1.0 + len(index), dtype=torch.float64)


def test_only_the_derivatives_that_are_needed_are_asked_for_and_only_once() -> None:
    watched = Watched(Frame(2, has_time=True))
    _ = (laplacian(watched.jet) + laplacian(watched.jet)).value
    assert watched.asked == [(0, 0), (1, 1)]


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda f, x: f * f, {()}),
        (lambda f, x: grad(f)[1], {(1,)}),
        (lambda f, x: div(f * grad(f)), {(), (0,), (1,), (0, 0), (1, 1)}),
        (lambda f, x: 0.0 * f + x.x, {()}),
        (lambda f, x: as_jet(0.0, x.frame) * f, set()),
        (lambda f, x: grad(x.x * f)[0], {(), (0,)}),
        (lambda f, x: grad(x.x * f)[1], {(1,)}),
        (lambda f, x: grad(as_jet(torch.ones(2), x.frame) * f)[0], {(0,)}),
        (lambda f, x: laplacian(x.y), set()),
    ],
)
def test_laziness(make, wanted) -> None:
    watched = Watched(Frame(2))
    x = Coordinates(torch.ones(2, 2, dtype=torch.float64), Frame(2))
    _ = make(watched.jet, x).value
    assert set(watched.asked) == wanted


def test_nothing_is_evaluated_before_it_is_asked_for() -> None:
    watched = Watched(Frame(2))
    _ = div(exp(watched.jet) * grad(watched.jet / 3.0))
    assert watched.asked == []


def test_structural_zeros_are_numbers() -> None:
    x = Coordinates(POINTS, Frame(3))
    parts = (
        as_jet(5.0, x.frame).parts[0].derivative((0,)),
        x.x.parts[0].derivative((1,)),
        x.x.parts[0].derivative((0, 0)),
        (x.x * x.y).parts[0].derivative((2,)),
        sin(x.x).parts[0].derivative((0, 1)),
        (x.x + x.y).parts[0].derivative((2,)),
    )
    assert all(isinstance(part, float) and part == 0.0 for part in parts)


def test_derivatives_commute() -> None:
    x = Coordinates(POINTS, Frame(3))
    f = sin(x.x * x.y) * exp(x.z)
    assert torch.equal(f.d(0, 2, 1), f.d(2, 1, 0))
    assert torch.equal(grad(grad(f)[0])[1].value, grad(grad(f)[1])[0].value)


def test_components_rows_and_length() -> None:
    x = Coordinates(POINTS, Frame(3))
    tensor = grad(x.position * x.x)
    assert tensor.shape == (3, 3)
    assert len(tensor) == 3
    assert torch.equal(tensor[1].value, tensor.value[:, 1])
    assert torch.equal(tensor[-1][0].value, tensor.value[:, 2, 0])
    assert math.isclose(float(tensor.d(0)[0, 0, 0]), 2.0)


def test_the_values_of_a_constant_vector_have_no_point_axis() -> None:
    assert as_jet([1.0, 2.0], Frame(2)).value.tolist() == [1.0, 2.0]
