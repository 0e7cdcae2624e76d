"""Multi-indices and the two combinatorial rules of truncated Taylor arithmetic.

A partial derivative is named by the sorted tuple of the axes it differentiates along: ``()`` is
the value, ``(0, 0, 1)`` is d^3/(dx0^2 dx1). Products follow Leibniz' rule, compositions follow the
multivariate Faa di Bruno formula (C. S. Hardy, "Combinatorics of partial derivatives", 2006): a
sum over set partitions. Both rules are tabulated once per multi-index.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import combinations

MultiIndex = tuple[int, ...]
"""Sorted tuple of differentiation axes."""

VALUE: MultiIndex = ()
"""The multi-index of the undifferentiated value."""


def shifted(index: MultiIndex, axis: int) -> MultiIndex:
    """Return the multi-index with one more derivative along ``axis``."""
    return tuple(sorted((*index, axis)))


@cache
def leibniz(index: MultiIndex) -> tuple[tuple[int, MultiIndex, MultiIndex], ...]:
    """Return the terms ``(c, b, a)`` of ``D^index(f g) = sum c D^b f D^a g``.

    Args:
        index: The derivative of the product.

    Returns:
        One entry per distinct pair of multi-indices, with its integer multiplicity.
    """
    positions = range(len(index))
    terms: Counter[tuple[MultiIndex, MultiIndex]] = Counter()
    for size in range(len(index) + 1):
        for chosen in combinations(positions, size):
            left = tuple(index[i] for i in chosen)
            right = tuple(index[i] for i in positions if i not in chosen)
            terms[left, right] += 1
    return tuple((count, left, right) for (left, right), count in terms.items())


@cache
def faa_di_bruno(index: MultiIndex) -> tuple[tuple[int, tuple[MultiIndex, ...]], ...]:
    """Return the terms of ``D^index f(g) = sum c f^(m)(g) prod_{b in blocks} D^b g``, m = len(blocks).

    Args:
        index: The derivative of the composition; must not be empty.

    Returns:
        One entry ``(c, blocks)`` per distinct partition of the index into blocks.
    """
    terms: Counter[tuple[MultiIndex, ...]] = Counter()
    for partition in _set_partitions(tuple(range(len(index)))):
        blocks = tuple(sorted(tuple(index[i] for i in block) for block in partition))
        terms[blocks] += 1
    return tuple((count, blocks) for blocks, count in terms.items())


def lower_set(indices: Iterable[MultiIndex]) -> tuple[MultiIndex, ...]:
    """Return the indices with all their sub-indices, ordered by total order, then by axes.

    A network that propagates a derivative must also propagate every derivative it is composed of.

    Args:
        indices: The wanted multi-indices.
    """
    closed: set[MultiIndex] = {VALUE}
    for index in indices:
        for size in range(len(index) + 1):
            closed.update(combinations(index, size))
    return tuple(sorted(closed, key=lambda index: (len(index), index)))


def _set_partitions(items: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Yield all set partitions of ``items``."""
    if not items:
        yield ()
        return
    first, rest = items[0], items[1:]
    for size in range(len(rest) + 1):
        for others in combinations(rest, size):
            remaining = tuple(item for item in rest if item not in others)
            for partition in _set_partitions(remaining):
                yield ((first, *others), *partition)
