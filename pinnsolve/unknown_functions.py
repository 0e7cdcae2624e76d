"""Unknown functions of space or time: splines whose coefficients are unknown numbers.

An :class:`UnknownFunction` stands where a function of the coordinates stands. Its coefficients are
:class:`pinnsolve.unknowns.Unknown`, so they are found, bound and trained like any other unknowns. What keeps neighbours
together is a smoothness prior, rows of second differences (P. H. C. Eilers & B. D. Marx, "Flexible smoothing with
B-splines and penalties", Statistical Science 11 (1996) 89-121).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pinnsolve.jets import Coordinates, Frame, Jet, exp
from pinnsolve.jets.scalar import Numeric
from pinnsolve.multi_index import MultiIndex
from pinnsolve.unknowns import Unknown, changed, parts_of

Array = npt.NDArray[np.float64]

_T = TypeVar("_T")

_CELL_WEIGHTS = {
    1: ((1.0, -1.0), (0.0, 1.0)),
    3: (
        (1 / 6, -1 / 2, 1 / 2, -1 / 6),
        (2 / 3, 0.0, -1.0, 1 / 2),
        (1 / 6, 1 / 2, 1 / 2, -1 / 2),
        (0.0, 0.0, 0.0, 1 / 6),
    ),
}
"""By degree, the polynomials in 0 <= u <= 1 of the B-splines that live on a cell, by ascending powers of u."""

_FIRST = 0.3
"""Smoothness to begin with where the data are to choose it: from smooth to rough, since the first, few features cannot
follow a rough function."""

_MOST_AXES = 2


@dataclass(frozen=True)
class UnknownFunction:
    """A function of one or two coordinates to be identified; it stands where the function would stand.

    ``f = initial + scale s`` or, if it must be positive, ``f = initial exp(scale s)``, where s is a spline with the
    coefficients c. Beyond its interval it keeps the value at the end.

    Its prior is ``exp(-1/2 smoothness^2 I)`` with I the integral of ``(d2 s / d xi2)^2`` over the interval, mapped to
    0 <= xi <= 1, by second differences of c (of two coordinates: ``s_xx^2 + 2 s_xy^2 + s_yy^2``). A straight line
    costs nothing, and the number of coefficients hardly matters.

    Example:
        >>> from pinnsolve import Neumann, UnknownFunction
        >>> flux = UnknownFunction("flux", of={"t": (0.0, 1.5)}, num=31, scale=1e4, unit="W/m2")
        >>> heated = Neumann("left", temperature=flux)

    Attributes:
        name: How the result names it.
        of: The interval by coordinate: ``{"t": (0.0, 1.5)}``, or two of these.
        num: Number of coefficients, one number or one per coordinate.
        initial: First guess, a constant in SI units.
        scale: Typical size of its variation; None is ``|initial|``, or 1 where that is zero. Of a positive function
            that of its logarithm, None is 1.
        positive: Whether it must be positive.
        smoothness: How smooth it is known to be: one over the typical second derivative of s along xi. None has
            it chosen from the data.
        degree: 3 for cubic B-splines, 1 for linear hats.
        unit: Unit for tables and plots.
        truth: The true function of the coordinates where a synthetic case knows it; never used by the search.
        coefficients: The unknowns c, made by the constructor; numbers once they are bound.
    """

    name: str
    of: Mapping[str, tuple[float, float]]
    num: int | Sequence[int] = 16
    initial: float = 0.0
    scale: float | None = None
    positive: bool = False
    smoothness: float | None = None
    degree: int = 3
    unit: str = ""
    truth: Callable[[Coordinates], Jet] | None = None
    coefficients: tuple[Unknown | Tensor | float, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        """Make the coefficients; refuse what is no function or no prior."""
        object.__setattr__(self, "of", {n: tuple(ends) for n, ends in dict(self.of).items()})
        self._check_axes()
        if self.degree not in _CELL_WEIGHTS:
            raise ValueError(f"{self._label}: degree must be 1 or 3, got {self.degree}")
        self._check_numbers()
        if self.smoothness is not None and not (
            math.isfinite(self.smoothness) and self.smoothness > 0.0
        ):
            raise ValueError(
                f"{self._label}: smoothness must be finite and > 0, or None to have it chosen, got {self.smoothness}"
            )
        if not math.isfinite(self.initial) or (self.positive and not self.initial > 0.0):
            raise ValueError(
                f"{self._label}: initial must be finite{' and > 0 with positive=True' if self.positive else ''}, "
                f"got {self.initial}"
            )
        if self.scale is not None and not (math.isfinite(self.scale) and self.scale > 0.0):
            raise ValueError(f"{self._label}: scale must be finite and > 0, got {self.scale}")
        count = math.prod(self.shape)
        if not self.coefficients:
            made = tuple(Unknown(f"{self.name}[{k}]", 0.0) for k in range(count))
            object.__setattr__(self, "coefficients", made)
        if len(self.coefficients) != count:
            raise ValueError(
                f"{self._label}: {len(self.coefficients)} coefficients for a spline of {count}; leave them out"
            )

    def _check_axes(self) -> None:
        if not 1 <= len(self.of) <= _MOST_AXES:
            raise ValueError(
                f"{self._label}: of= must name one or two coordinates, such as {{'t': (0.0, 1.5)}}, got {self.of}"
            )
        for axis, ends in self.of.items():
            if len(ends) != 2 or not all(map(math.isfinite, ends)) or not ends[0] < ends[1]:
                raise ValueError(
                    f"{self._label}: the interval of {axis!r} must be finite with low < high, got {ends}"
                )

    def _check_numbers(self) -> None:
        least = max(self.degree + 1, 3)
        if len(self.shape) != len(self.of) or min(self.shape) < least:
            raise ValueError(
                f"{self._label}: num must be at least {least} for each coordinate, its degree being {self.degree}, "
                f"got {self.num}"
            )

    @property
    def _label(self) -> str:
        return f"unknown function {self.name!r}"

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of coefficients along each coordinate; the last one runs fastest."""
        return (self.num,) * len(self.of) if isinstance(self.num, int) else tuple(self.num)

    @property
    def is_known(self) -> bool:
        """Whether numbers were put in the place of its coefficients."""
        return not any(isinstance(c, Unknown) for c in self.coefficients)

    @property
    def variation(self) -> float:
        """What the spline is multiplied by: ``scale``, chosen where it is None."""
        if self.scale is not None:
            return self.scale
        return 1.0 if self.positive else abs(self.initial) or 1.0

    @property
    def strength(self) -> float:
        """The smoothness, or the one to begin with where the data are to choose."""
        return _FIRST if self.smoothness is None else self.smoothness

    def __call__(self, *arguments: Jet | Coordinates) -> Jet:
        """Return the function, with its derivatives, at the coordinates, which come last.

        Args:
            *arguments: The coordinates, or a field and the coordinates.

        Raises:
            ValueError: If it is a function of a coordinate that is not there.
        """
        x = arguments[-1]
        if not isinstance(x, Coordinates):
            raise TypeError(f"{self._label} needs the coordinates x, got {x!r}")
        self.check(x.frame)
        spline = Jet.leaf(_SplineSource(self, x), x.frame)
        if self.positive:
            return self.initial * exp(self.variation * spline)
        return self.initial + self.variation * spline

    def check(self, frame: Frame) -> None:
        """Refuse coordinates that the function's own are not among.

        Raises:
            ValueError: If one is missing.
        """
        for axis in self.of:
            if axis not in frame.axis_names:
                raise ValueError(
                    f"{self._label} is of {axis!r}, which is no coordinate of this problem; it has "
                    f"{', '.join(frame.axis_names)}"
                )

    def second_differences(self) -> Array:
        """Return the rows (R, K) of the prior before they are multiplied by the smoothness."""
        steps = [1.0 / (n - self.degree) for n in self.shape]
        if len(steps) == 1:
            return np.asarray(_differences(self.shape[0], 2) * steps[0] ** -1.5)
        (n, m), (h, k) = self.shape, steps
        return np.concatenate(
            (
                np.kron(_differences(n, 2), np.eye(m)) * h**-1.5 * k**0.5,
                np.kron(_differences(n, 1), _differences(m, 1)) * (2.0 / (h * k)) ** 0.5,
                np.kron(np.eye(n), _differences(m, 2)) * h**0.5 * k**-1.5,
            )
        )

    def basis(self, points: Array) -> Array:
        """Return the B-splines at points, shape (N, K).

        Args:
            points: The function's own coordinates, shape (N,) or (N, number of coordinates).
        """
        columns = np.asarray(points, dtype=np.float64).reshape(-1, len(self.of))
        cells, weights = _local(self, torch.from_numpy(columns).unbind(1), (0,) * len(self.of))
        table = weights.new_zeros(len(columns), len(self.coefficients))
        filled: Array = table.scatter_add_(1, cells, weights).numpy()
        return filled


def find_functions(*declarations: object) -> tuple[UnknownFunction, ...]:
    """Return every UnknownFunction inside frozen declarations, in order, one per name.

    Args:
        *declarations: Physics, conditions, or sequences and mappings of these.

    Raises:
        ValueError: If one name stands for two different functions.
    """
    found: dict[str, UnknownFunction] = {}
    for item in parts_of(declarations, UnknownFunction):
        if found.setdefault(item.name, item) != item:
            raise ValueError(
                f"two different unknown functions are named {item.name!r}: {found[item.name]} and {item}; "
                "rename one, or use one object in both places"
            )
    return tuple(found.values())


def with_smoothness(declaration: _T, smoothness: Mapping[str, float]) -> _T:
    """Return the declaration with another smoothness of some unknown functions.

    Args:
        declaration: Physics, a condition, or a sequence or mapping of these.
        smoothness: The new one by name of the function.
    """

    def change(item: UnknownFunction) -> UnknownFunction:
        if item.name not in smoothness:
            return item
        return replace(item, smoothness=smoothness[item.name])

    return changed(declaration, UnknownFunction, change)


class _SplineSource:
    """Supplies the derivatives of a spline at points, each from the few B-splines that live there."""

    def __init__(self, function: UnknownFunction, x: Coordinates) -> None:
        names = x.frame.axis_names
        self._function = function
        self._axes = [names.index(axis) for axis in function.of]
        self._columns = [x.points[:, axis] for axis in self._axes]
        self._coefficients = stacked(function.coefficients, x.points)

    def __call__(self, index: MultiIndex) -> Numeric:
        orders = tuple(index.count(axis) for axis in self._axes)
        if sum(orders) < len(index) or max(orders) > self._function.degree:
            return 0.0
        cells, weights = _local(self._function, self._columns, orders)
        known = self._coefficients
        local = known[cells] if known.ndim == 1 else known.gather(1, cells)
        total: Tensor = (weights * local).sum(dim=1)
        return total


def stacked(coefficients: Sequence[object], like: Tensor) -> Tensor:
    """Return coefficients as one tensor (K,) or (N, K).

    Args:
        coefficients: Numbers, or tensors of shape () or (N,).
        like: Whose dtype and device they take.

    Raises:
        ValueError: If one of them is still unknown.
    """
    open_ones = [c.name for c in coefficients if isinstance(c, Unknown)]
    if open_ones:
        raise ValueError(f"no value for the unknown {open_ones[0]!r}")
    columns = [torch.as_tensor(c, dtype=like.dtype, device=like.device) for c in coefficients]
    return torch.stack(torch.broadcast_tensors(*columns), dim=-1)


def _local(
    function: UnknownFunction, columns: Sequence[Tensor], orders: tuple[int, ...]
) -> tuple[Tensor, Tensor]:
    """Return which B-splines live at the points, and their derivatives there, both of shape (N, M)."""
    degree = function.degree
    numbers: Tensor | None = None
    weights: Tensor | None = None
    parts = zip(columns, function.of.values(), function.shape, orders, strict=True)
    for column, (low, high), count, order in parts:
        cells = count - degree
        place = ((column.detach() - low) * (cells / (high - low))).clamp(0.0, float(cells))
        first = place.floor().clamp(max=float(cells - 1))
        powers = torch.stack([(place - first) ** p for p in range(degree + 1)], dim=1)
        table = _polynomials(degree, order).to(powers)
        here = (powers @ table.T) * (cells / (high - low)) ** order
        if order > 0:  # beyond its interval it is constant
            here = here * ((column >= low) & (column <= high))[:, None]
        span = first.long()[:, None] + torch.arange(degree + 1, device=column.device)
        if numbers is None or weights is None:
            numbers, weights = span, here
        else:
            numbers = (numbers[:, :, None] * count + span[:, None, :]).flatten(1)
            weights = (weights[:, :, None] * here[:, None, :]).flatten(1)
    if numbers is None or weights is None:
        raise ValueError(f"unknown function {function.name!r} has no coordinates")
    return numbers, weights


def _polynomials(degree: int, order: int) -> Tensor:
    """Return derivatives of the cell's polynomials, shape (degree + 1, degree + 1), by ascending powers."""
    table = np.array(_CELL_WEIGHTS[degree])
    for _ in range(order):
        table = np.column_stack((table[:, 1:] * np.arange(1, degree + 1), np.zeros(degree + 1)))
    return torch.from_numpy(table)


def _differences(count: int, order: int) -> Array:
    """Return the matrix of differences, shape (count - order, count)."""
    return np.asarray(np.diff(np.eye(count), n=order, axis=0))
