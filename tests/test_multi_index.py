"""The combinatorics of multi-indices: counts, closures and agreement with polynomials."""

from __future__ import annotations

from itertools import combinations_with_replacement
from math import comb, prod

import pytest

from pinnsolve.multi_index import VALUE, MultiIndex, faa_di_bruno, leibniz, lower_set, shifted

BELL = [1, 1, 2, 5, 15, 52, 203]
STIRLING = {(4, 1): 1, (4, 2): 7, (4, 3): 6, (4, 4): 1, (5, 2): 15, (5, 3): 25}

INDICES = [
    index for order in range(1, 6) for index in combinations_with_replacement(range(3), order)
]


def power_derivative(exponents: tuple[int, ...], index: MultiIndex, at: tuple[float, ...]) -> float:
    """Differentiate the monomial ``x^a y^b z^c`` by hand."""
    result = 1.0
    for axis, (exponent, value) in enumerate(zip(exponents, at, strict=True)):
        times = index.count(axis)
        if times > exponent:
            return 0.0
        result *= prod(range(exponent - times + 1, exponent + 1)) * value ** (exponent - times)
    return result


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_leibniz_counts_every_subset_once(index: MultiIndex) -> None:
    terms = leibniz(index)
    assert sum(count for count, _, _ in terms) == 2 ** len(index)
    assert len({(left, right) for _, left, right in terms}) == len(terms)
    for _, left, right in terms:
        assert tuple(sorted(left + right)) == index


@pytest.mark.parametrize("order", range(6))
def test_leibniz_of_a_pure_derivative_is_the_binomial_row(order: int) -> None:
    row = {len(left): count for count, left, _ in leibniz((0,) * order)}
    assert row == {k: comb(order, k) for k in range(order + 1)}


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_leibniz_differentiates_products_of_monomials(index: MultiIndex) -> None:
    f, g, at = (2, 3, 1), (1, 2, 4), (0.7, -1.3, 0.4)
    total = sum(
        count * power_derivative(f, left, at) * power_derivative(g, right, at)
        for count, left, right in leibniz(index)
    )
    whole = tuple(a + b for a, b in zip(f, g, strict=True))
    assert total == pytest.approx(power_derivative(whole, index, at), rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_faa_di_bruno_counts_every_partition_once(index: MultiIndex) -> None:
    terms = faa_di_bruno(index)
    assert sum(count for count, _ in terms) == BELL[len(index)]
    assert len({blocks for _, blocks in terms}) == len(terms)
    for _, blocks in terms:
        assert all(blocks), "a partition has no empty block"
        assert tuple(sorted(axis for block in blocks for axis in block)) == index


@pytest.mark.parametrize(("order", "blocks"), STIRLING)
def test_faa_di_bruno_has_stirling_many_terms_of_each_outer_order(order: int, blocks: int) -> None:
    counts = [c for c, parts in faa_di_bruno(tuple(range(order))) if len(parts) == blocks]
    assert sum(counts) == STIRLING[order, blocks]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_faa_di_bruno_of_the_square_is_leibniz(index: MultiIndex) -> None:
    exponents, at = (2, 1, 2), (0.7, -1.3, 0.4)
    value = power_derivative(exponents, VALUE, at)
    outer = {1: 2.0 * value, 2: 2.0}
    total = sum(
        count
        * outer.get(len(blocks), 0.0)
        * prod(power_derivative(exponents, block, at) for block in blocks)
        for count, blocks in faa_di_bruno(index)
    )
    square = tuple(2 * e for e in exponents)
    assert total == pytest.approx(power_derivative(square, index, at), rel=1e-12, abs=1e-13)


def test_lower_set_is_closed_sorted_and_idempotent() -> None:
    closed = lower_set([(0, 0, 1), (2, 2), (1, 1, 1, 1)])
    for index in closed:
        for position in range(len(index)):
            assert index[:position] + index[position + 1 :] in closed
    assert closed[0] == VALUE
    assert list(closed) == sorted(set(closed), key=lambda index: (len(index), index))
    assert lower_set(closed) == closed


def test_lower_set_is_the_smallest_one() -> None:
    assert lower_set([(0, 1)]) == ((), (0,), (1,), (0, 1))
    assert lower_set([(0, 0)]) == ((), (0,), (0, 0))
    assert lower_set([]) == ((),)


def test_shifted_commutes_and_sorts() -> None:
    assert shifted(shifted(VALUE, 2), 0) == shifted(shifted(VALUE, 0), 2) == (0, 2)
