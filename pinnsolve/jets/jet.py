"""Jet: a scalar, vector or tensor field together with its derivatives at N points."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor

from pinnsolve.jets.scalar import (
    Composition,
    Constant,
    Leaf,
    Numeric,
    Product,
    Scalar,
    Selection,
    Sum,
)
from pinnsolve.multi_index import VALUE, MultiIndex

Operand = "Jet | Tensor | float | int | Sequence[object]"


@dataclass(frozen=True)
class Frame:
    """The coordinates that a field depends on.

    Attributes:
        space_dim: Number of space coordinates, 1 to 3; their axes are 0 .. space_dim - 1.
        has_time: Whether time is a coordinate; its axis is the one after the space axes.
        parameters: Names of the ranges, whose axes come last.
        held: Name and value of the ranges that are held at one value and are no coordinates.
    """

    space_dim: int
    has_time: bool = False
    parameters: tuple[str, ...] = ()
    held: tuple[tuple[str, float], ...] = ()

    @property
    def num_axes(self) -> int:
        """Number D of coordinates: space, time and parameters."""
        return self.num_physical + len(self.parameters)

    @property
    def num_physical(self) -> int:
        """Number of coordinates without parameters: space and time."""
        return self.space_dim + int(self.has_time)

    @property
    def axis_names(self) -> tuple[str, ...]:
        """Names of the coordinates in order: x, y, z, then t, then the parameters."""
        return (
            ("x", "y", "z")[: self.space_dim] + (("t",) if self.has_time else ()) + self.parameters
        )


@final
class Jet:
    """A field with its derivatives.

    Sums, products, quotients and elementary functions of jets are jets; ``grad``, ``div`` and the
    other words of vector calculus live in :mod:`pinnsolve.jets.calculus`. Nothing is ever
    broadcast over
    components: adding a vector to a scalar is refused. Numbers and tensors of shape () or (N,)
    take part as scalars.

    Attributes:
        shape: ``()`` scalar, ``(C,)`` vector, ``(C, D)`` tensor.
        parts: One scalar expression per component, row-major.
        frame: The coordinates it depends on.
    """

    __slots__ = ("frame", "parts", "shape")
    __array_ufunc__ = None  # numpy must hand its operators over instead of looping over components

    def __init__(self, shape: tuple[int, ...], parts: tuple[Scalar, ...], frame: Frame) -> None:
        if len(parts) != math.prod(shape):
            raise ValueError(
                f"a jet of shape {shape} needs {math.prod(shape)} parts, got {len(parts)}"
            )
        self.shape, self.parts, self.frame = shape, parts, frame

    @classmethod
    def leaf(cls, source: Callable[[MultiIndex], Numeric], frame: Frame) -> Jet:
        """Return the scalar field whose derivatives ``source(index)`` supplies."""
        return cls((), (Leaf(source),), frame)

    @classmethod
    def constant(cls, value: object, frame: Frame) -> Jet:
        """Return a field without derivatives.

        Args:
            value: A number or a tensor of shape () or (N,); nested sequences of these give vectors
                and tensors.
            frame: The coordinates of the fields it will meet.
        """
        return as_jet(value, frame)

    @property
    def value(self) -> Tensor:
        """The values at the points, shape (N, *shape)."""
        return self.d()

    def d(self, *axes: int) -> Tensor:
        """Return the partial derivative along ``axes`` at the points, shape (N, *shape).

        Args:
            *axes: Coordinate axes, in any order; none gives the value.
        """
        index = tuple(sorted(axes))
        columns = [part.derivative(index) for part in self.parts]
        like = next((c for c in columns if isinstance(c, Tensor)), None)
        dtype = torch.float64 if like is None else like.dtype
        device = torch.device("cpu") if like is None else like.device
        tensors = [torch.as_tensor(c, dtype=dtype, device=device) for c in columns]
        if self.shape == ():
            return tensors[0]
        stacked = torch.stack(torch.broadcast_tensors(*tensors), dim=-1)
        return stacked.reshape(*stacked.shape[:-1], *self.shape)

    def __len__(self) -> int:
        if self.shape == ():
            raise TypeError("a scalar field has no components")
        return self.shape[0]

    def __getitem__(self, component: int) -> Jet:
        """Return one component of a vector, or one row of a tensor."""
        if self.shape == () or not isinstance(component, int):
            raise ValueError(f"a field of shape {self.shape} has no component {component!r}")
        if not -self.shape[0] <= component < self.shape[0]:
            raise IndexError(f"component {component} of a field with {self.shape[0]} components")
        component %= self.shape[0]
        width = math.prod(self.shape[1:])
        return Jet(
            self.shape[1:], self.parts[component * width : (component + 1) * width], self.frame
        )

    def __iter__(self) -> Iterator[Jet]:
        return (self[i] for i in range(len(self)))

    def __add__(self, other: object) -> Jet:
        return _combine(self, as_jet(other, self.frame), 1.0)

    def __radd__(self, other: object) -> Jet:
        return self + other

    def __sub__(self, other: object) -> Jet:
        return _combine(self, as_jet(other, self.frame), -1.0)

    def __rsub__(self, other: object) -> Jet:
        return _combine(as_jet(other, self.frame), self, -1.0)

    def __neg__(self) -> Jet:
        return Jet(self.shape, tuple(Sum((-1.0, part)) for part in self.parts), self.frame)

    def __mul__(self, other: object) -> Jet:
        if isinstance(other, int | float):
            return Jet(self.shape, tuple(Sum((float(other), p)) for p in self.parts), self.frame)
        right = as_jet(other, self.frame)
        if self.shape != () and right.shape != ():
            raise ValueError(
                f"cannot multiply fields of shapes {self.shape} and {right.shape}: "
                "use dot(a, b) for the inner product or outer(a, b)"
            )
        scalar, field = (self, right) if self.shape == () else (right, self)
        return Jet(field.shape, tuple(Product(scalar.parts[0], p) for p in field.parts), self.frame)

    def __rmul__(self, other: object) -> Jet:
        return self * other

    def __truediv__(self, other: object) -> Jet:
        if isinstance(other, int | float):
            return self * (1.0 / other)
        return self * as_jet(other, self.frame) ** -1

    def __rtruediv__(self, other: object) -> Jet:
        return as_jet(other, self.frame) * self**-1

    def __pow__(self, exponent: float) -> Jet:
        if not isinstance(exponent, int | float) or self.shape != ():
            raise ValueError(
                "only a scalar field can be raised to a power, and only to a plain number"
            )
        from pinnsolve.jets.elementary import power_rule

        return Jet((), (Composition(power_rule(float(exponent)), self.parts[0]),), self.frame)

    def __gt__(self, other: object) -> Tensor:
        return (self - other).value > 0

    def __lt__(self, other: object) -> Tensor:
        return (self - other).value < 0

    def __ge__(self, other: object) -> Tensor:
        return (self - other).value >= 0

    def __le__(self, other: object) -> Tensor:
        return (self - other).value <= 0

    def __repr__(self) -> str:
        return f"Jet(shape={self.shape}, coordinates={','.join(self.frame.axis_names)})"


def as_jet(value: object, frame: Frame) -> Jet:
    """Return ``value`` as a field on ``frame``: jets pass, numbers and tensors become constants.

    Args:
        value: A jet, a number, a tensor of shape () or (N,), or a nested sequence of these.
        frame: The coordinates.

    Raises:
        ValueError: If it is none of these, or a jet on other coordinates.
    """
    if isinstance(value, Jet):
        if value.frame != frame:
            raise ValueError(
                f"fields on different coordinates cannot meet: {value.frame} and {frame}"
            )
        return value
    if isinstance(value, bool | str) or value is None:
        raise ValueError(f"expected a field or a number, got {value!r}")
    if isinstance(value, int | float | np.floating | np.integer):
        return Jet((), (Constant(float(value)),), frame)
    if isinstance(value, Tensor):
        if value.ndim > 1:
            raise ValueError(
                f"a tensor in a residual must be of shape () or (N,), got {tuple(value.shape)}; "
                "write a vector as a list of its components"
            )
        return Jet((), (Constant(value),), frame)
    if isinstance(value, np.ndarray | list | tuple):
        rows = [as_jet(item, frame) for item in value]
        if not rows or any(row.shape != rows[0].shape for row in rows):
            raise ValueError(f"components must be of one shape, got {[row.shape for row in rows]}")
        return Jet((len(rows), *rows[0].shape), tuple(p for row in rows for p in row.parts), frame)
    raise ValueError(f"expected a field, a number or a list of these, got {type(value).__name__}")


def where(mask: Tensor, then: object, otherwise: object, frame: Frame | None = None) -> Jet:
    """Return ``then`` where ``mask`` holds and ``otherwise`` elsewhere.

    Both branches must be differentiable everywhere: the derivative of the branch not taken is
    multiplied by zero, and zero times infinity is not a number.

    Args:
        mask: Booleans of shape (N,), for instance ``x.x > 0.5``.
        then: A jet or a number.
        otherwise: A jet or a number.
        frame: The coordinates; needed only if both are numbers.
    """
    known = [item.frame for item in (then, otherwise) if isinstance(item, Jet)]
    if not known and frame is None:
        raise ValueError("where() between two numbers needs frame=; make one of them a field")
    chart = known[0] if known else frame
    assert_frame = chart if chart is not None else Frame(1)
    a, b = as_jet(then, assert_frame), as_jet(otherwise, assert_frame)
    if a.shape != b.shape:
        raise ValueError(f"where() takes fields of one shape, got {a.shape} and {b.shape}")
    parts = tuple(Selection(mask, p, q) for p, q in zip(a.parts, b.parts, strict=True))
    return Jet(a.shape, parts, assert_frame)


def _combine(left: Jet, right: Jet, factor: float) -> Jet:
    """Return ``left + factor * right``."""
    if left.shape != right.shape:
        raise ValueError(
            f"cannot add fields of shapes {left.shape} and {right.shape}: nothing is broadcast over components"
        )
    if left.frame != right.frame:
        raise ValueError(
            f"fields on different coordinates cannot meet: {left.frame} and {right.frame}"
        )
    pairs = zip(left.parts, right.parts, strict=True)
    return Jet(left.shape, tuple(Sum((1.0, p), (factor, q)) for p, q in pairs), left.frame)


__all__ = ["VALUE", "Frame", "Jet", "as_jet", "where"]
