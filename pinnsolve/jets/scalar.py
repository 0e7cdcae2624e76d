"""Scalar expressions that know their partial derivatives at all points at once.

An expression is a small graph of frozen nodes. ``derivative(index)`` evaluates one partial
derivative of the node at the N points, asks its operands only for the derivatives that this one is
made of, and remembers the answer. So a residual costs exactly the derivatives it uses, to any
order, with plain tensor operations.

Structural zeros (a derivative of a constant, say) are the float ``0.0`` and are skipped, never
stored as tensors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import final

import torch
from torch import Tensor

from pinnsolve.multi_index import VALUE, MultiIndex, faa_di_bruno, leibniz, shifted

Numeric = Tensor | float
"""Values at the points: a tensor of shape (N,) or (), or a plain number valid at every point."""

ElementaryRule = Callable[[Tensor, int], tuple[Tensor, ...]]
"""``rule(z, order)`` returns ``f(z), f'(z), ..., f^(order)(z)``."""


def is_zero(value: Numeric) -> bool:
    """Whether a derivative is structurally zero."""
    return isinstance(value, float) and value == 0.0


class Scalar(ABC):
    """A scalar expression; subclasses say how one of its derivatives is computed."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[MultiIndex, Numeric] = {}

    def derivative(self, index: MultiIndex) -> Numeric:
        """Return the partial derivative named by ``index``: a tensor (N,) or (), or a float."""
        if index not in self._known:
            self._known[index] = self._differentiate(index)
        return self._known[index]

    @abstractmethod
    def _differentiate(self, index: MultiIndex) -> Numeric:
        """Compute the derivative once."""


@final
class Leaf(Scalar):
    """An expression whose derivatives are supplied: a network output, a grid function, an exact solution."""

    __slots__ = ("_source",)

    def __init__(self, source: Callable[[MultiIndex], Numeric]) -> None:
        super().__init__()
        self._source = source

    def _differentiate(self, index: MultiIndex) -> Numeric:
        return self._source(index)


@final
class Constant(Scalar):
    """A value without derivatives: a number, an unknown parameter, data known at the points only."""

    __slots__ = ("value",)

    def __init__(self, value: Numeric) -> None:
        super().__init__()
        self.value = value

    def _differentiate(self, index: MultiIndex) -> Numeric:
        return self.value if index == VALUE else 0.0


@final
class Shifted(Scalar):
    """The partial derivative of another expression along one axis."""

    __slots__ = ("_axis", "_base")

    def __init__(self, base: Scalar, axis: int) -> None:
        super().__init__()
        self._base, self._axis = base, axis

    def _differentiate(self, index: MultiIndex) -> Numeric:
        return self._base.derivative(shifted(index, self._axis))


@final
class Sum(Scalar):
    """A linear combination ``a f + b g`` with plain numbers a, b."""

    __slots__ = ("_terms",)

    def __init__(self, *terms: tuple[float, Scalar]) -> None:
        super().__init__()
        self._terms = terms

    def _differentiate(self, index: MultiIndex) -> Numeric:
        total: Numeric = 0.0
        for factor, term in self._terms:
            value = term.derivative(index)
            if is_zero(value):
                continue
            scaled = value if factor == 1.0 else factor * value
            total = scaled if is_zero(total) else total + scaled
        return total


@final
class Product(Scalar):
    """The product of two expressions, differentiated by Leibniz' rule."""

    __slots__ = ("_left", "_right")

    def __init__(self, left: Scalar, right: Scalar) -> None:
        super().__init__()
        self._left, self._right = left, right

    def _differentiate(self, index: MultiIndex) -> Numeric:
        total: Numeric = 0.0
        for count, left_index, right_index in leibniz(index):
            left = self._left.derivative(left_index)
            if is_zero(left):
                continue
            right = self._right.derivative(right_index)
            if is_zero(right):
                continue
            term = left * right if count == 1 else count * (left * right)
            total = term if is_zero(total) else total + term
        return total


@final
class Composition(Scalar):
    """An elementary function of an expression, differentiated by the Faa di Bruno formula."""

    __slots__ = ("_inner", "_outer", "_rule")

    def __init__(self, rule: ElementaryRule, inner: Scalar) -> None:
        super().__init__()
        self._rule, self._inner = rule, inner
        self._outer: tuple[Tensor, ...] = ()

    def _differentiate(self, index: MultiIndex) -> Numeric:
        outer = self._outer_derivatives(len(index))
        if index == VALUE:
            return outer[0]
        total: Numeric = 0.0
        for count, blocks in faa_di_bruno(index):
            inner = [self._inner.derivative(block) for block in blocks]
            if any(is_zero(value) for value in inner):
                continue
            term: Numeric = outer[len(blocks)]
            for value in inner:
                term = term * value
            term = term if count == 1 else count * term
            total = term if is_zero(total) else total + term
        return total

    def _outer_derivatives(self, order: int) -> tuple[Tensor, ...]:
        if len(self._outer) <= order:
            value = self._inner.derivative(VALUE)
            if not isinstance(value, Tensor):
                value = torch.tensor(value, dtype=torch.float64, device="cpu")
            self._outer = self._rule(value, order)
        return self._outer


@final
class Selection(Scalar):
    """One expression where a mask holds, another elsewhere."""

    __slots__ = ("_mask", "_otherwise", "_then")

    def __init__(self, mask: Tensor, then: Scalar, otherwise: Scalar) -> None:
        super().__init__()
        self._mask, self._then, self._otherwise = mask, then, otherwise

    def _differentiate(self, index: MultiIndex) -> Numeric:
        then, otherwise = self._then.derivative(index), self._otherwise.derivative(index)
        if is_zero(then) and is_zero(otherwise):
            return 0.0
        like = then if isinstance(then, Tensor) else otherwise
        dtype = like.dtype if isinstance(like, Tensor) else torch.float64
        pair = [
            torch.as_tensor(v, dtype=dtype, device=self._mask.device) for v in (then, otherwise)
        ]
        return torch.where(self._mask, pair[0], pair[1])
