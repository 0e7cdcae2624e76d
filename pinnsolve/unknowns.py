"""Unknown numbers to be found together with the field, and the binding of values into a declaration.

What may stand where a number stands, an :class:`Unknown` or a :class:`pinnsolve.ranges.Range`, is
found and replaced here.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from pinnsolve.ranges import Range

_T = TypeVar("_T")
_P = TypeVar("_P", "Unknown", Range)


@dataclass(frozen=True)
class Unknown:
    """A number to be identified; it stands where the number would stand.

    The search runs over an unbounded variable z. With bounds, a logistic map keeps the value
    strictly inside (on a logarithmic scale where the bounds are positive and more than a factor 10
    apart); without bounds the value is ``initial + scale z`` with ``scale = |initial|`` (1 if that
    is zero).

    Attributes:
        name: How the result names it.
        initial: First guess, in SI units.
        bounds: Open interval it must lie in, or None.
        unit: Unit for tables and plots.
        truth: The true value where a synthetic case knows it; never used by the search.
    """

    name: str
    initial: float
    bounds: tuple[float, float] | None = None
    unit: str = ""
    truth: float | None = None

    def __post_init__(self) -> None:
        """Refuse a guess outside of the bounds."""
        if not math.isfinite(self.initial):
            raise ValueError(f"unknown {self.name!r}: initial must be finite, got {self.initial}")
        if self.bounds is not None:
            low, high = self.bounds
            if not (math.isfinite(low) and math.isfinite(high)):
                raise ValueError(
                    f"unknown {self.name!r}: bounds must be finite, got ({low}, {high})"
                )
            if not low < self.initial < high:
                raise ValueError(
                    f"unknown {self.name!r}: bounds must enclose the initial value, "
                    f"got {self.initial} and bounds ({low}, {high})"
                )

    @property
    def logarithmic(self) -> bool:
        """Whether the search runs on a logarithmic scale."""
        return (
            self.bounds is not None
            and self.bounds[0] > 0
            and self.bounds[1] / self.bounds[0] > 10.0
        )

    @property
    def start(self) -> float:
        """The search variable z of the initial value."""
        if self.bounds is None:
            return 0.0
        low, high, value = (*self.bounds, self.initial)
        if self.logarithmic:
            low, high, value = math.log(low), math.log(high), math.log(value)
        share = (value - low) / (high - low)
        return math.log(share / (1.0 - share))

    def value(self, z: Tensor) -> Tensor:
        """Return the number for a search variable z, elementwise."""
        if self.bounds is None:
            return self.initial + (abs(self.initial) or 1.0) * z
        low, high = self.bounds
        if self.logarithmic:
            low, high = math.log(low), math.log(high)
            return torch.exp(low + (high - low) * torch.sigmoid(z))
        return low + (high - low) * torch.sigmoid(z)

    def slope(self, z: float) -> float:
        """Return d value / d z."""
        variable = torch.tensor(z, dtype=torch.float64, device="cpu", requires_grad=True)
        return float(torch.autograd.grad(self.value(variable), variable)[0])


def find_unknowns(*declarations: object) -> tuple[Unknown, ...]:
    """Return every Unknown inside frozen declarations, in order, one per name.

    Args:
        *declarations: Physics, conditions, or sequences and mappings of these.

    Raises:
        ValueError: If one name stands for two different unknowns.
    """
    return _found(Unknown, "unknowns", declarations)


def find_ranges(*declarations: object) -> tuple[Range, ...]:
    """Return every Range inside frozen declarations, in order, one per name.

    Args:
        *declarations: Ranges, physics, conditions, or sequences and mappings of these.

    Raises:
        ValueError: If one name stands for two different ranges.
    """
    return _found(Range, "ranges", declarations)


def _found(kind: type[_P], plural: str, declarations: Sequence[object]) -> tuple[_P, ...]:
    """Return every placeholder of one kind, in order, one per name."""
    found: dict[str, _P] = {}
    for item in (item for declaration in declarations for item in _walk(declaration)):
        if isinstance(item, kind) and found.setdefault(item.name, item) != item:
            raise ValueError(
                f"two different {plural} are named {item.name!r}: {found[item.name]} and {item}; "
                "rename one, or use one object in both places"
            )
    return tuple(found.values())


def bind(declaration: _T, values: Mapping[str, Any]) -> _T:
    """Return the declaration with every Unknown and Range replaced by its value; the others stay.

    Args:
        declaration: A frozen dataclass (physics or condition).
        values: Value by name: a number or a tensor of shape () or (N,).
    """
    if not values:
        return declaration
    bound: _T = _bind(declaration, values)
    return bound


def _walk(item: object) -> list[Unknown | Range]:
    if isinstance(item, Unknown | Range):
        return [item]
    if isinstance(item, Mapping):
        return [u for value in item.values() for u in _walk(value)]
    if isinstance(item, list | tuple):
        return [u for value in item for u in _walk(value)]
    if is_dataclass(item) and not isinstance(item, type):
        return [u for field in fields(item) for u in _walk(getattr(item, field.name))]
    return []


def _bind(item: Any, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any frozen declaration
    if isinstance(item, Unknown | Range):
        return values.get(item.name, item)
    if isinstance(item, Mapping):
        return {key: _bind(value, values) for key, value in item.items()}
    if isinstance(item, list | tuple):
        return type(item)(_bind(value, values) for value in item)
    if is_dataclass(item) and not isinstance(item, type) and _walk(item):
        bound = copy.copy(
            item
        )  # not replace(): that would run the checks, and custom constructors, again
        for field in fields(item):
            object.__setattr__(bound, field.name, _bind(getattr(item, field.name), values))
        return bound
    return item
