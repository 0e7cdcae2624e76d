"""Unknown numbers to be found together with the field, and the binding of values into a declaration.

What may stand where a number stands, an :class:`Unknown` or a :class:`pinnsolve.ranges.Range`, is
found and replaced here.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from pinnsolve.priors import LogNormal, Normal, Prior
from pinnsolve.ranges import Range

_T = TypeVar("_T")
_Kind = TypeVar("_Kind")
_P = TypeVar("_P", "Unknown", Range)


@dataclass(frozen=True)
class Unknown:
    """A number to be identified; it stands where the number would stand.

    The search runs over an unbounded variable z. With bounds, a logistic map keeps the value
    strictly inside; without, the value is ``initial + scale z`` with ``scale = |initial|`` (1 if that
    is zero). On a logarithmic scale these are maps of the logarithm, without bounds ``initial exp(z)``.

    Example:
        >>> from pinnsolve import LogNormal, Unknown
        >>> film = Unknown("film", 200.0, bounds=(10.0, 1e4), prior=LogNormal(300.0, 0.5))

    Attributes:
        name: How the result names it.
        initial: First guess, in SI units.
        bounds: Open interval it must lie in, or None.
        unit: Unit for tables and plots.
        truth: The true value where a synthetic case knows it; never used by the search.
        logarithmic: Whether the search runs on a logarithmic scale; None chooses it where the bounds are
            positive and more than a factor 10 apart, and for a LogNormal prior without bounds.
        prior: What is known of it besides the measurements, or None.
    """

    name: str
    initial: float
    bounds: tuple[float, float] | None = None
    unit: str = ""
    truth: float | None = None
    logarithmic: bool | None = None
    prior: Prior | None = None

    def __post_init__(self) -> None:
        """Refuse a guess outside of the bounds, logarithms of what is not positive, and a prior against the bounds."""
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
        self._check_prior()
        if self.logarithmic is None:
            object.__setattr__(self, "logarithmic", self._spreads_over_decades)
        if self.logarithmic and not self._least > 0.0:
            raise ValueError(
                f"unknown {self.name!r}: a logarithmic search needs "
                f"{'an initial value' if self.bounds is None else 'bounds'} > 0, got {self._least}; "
                "raise it or leave out logarithmic"
            )

    def _check_prior(self) -> None:
        """Refuse a prior that contradicts what is allowed."""
        if self.prior is None:
            return
        if not isinstance(self.prior, Normal | LogNormal):
            raise ValueError(
                f"unknown {self.name!r}: prior must be Normal(mean, std) or LogNormal(median, std), got {self.prior!r}"
            )
        if self.bounds is not None and not self.bounds[0] < self.prior.median < self.bounds[1]:
            raise ValueError(
                f"unknown {self.name!r}: the prior contradicts the bounds: {self.prior} is centred outside of "
                f"{self.bounds}; move the one or widen the others"
            )
        if isinstance(self.prior, LogNormal) and (
            self._least < 0.0 or (self._least == 0.0 and self.bounds is None)
        ):
            raise ValueError(
                f"unknown {self.name!r}: a LogNormal prior is for positive numbers, got "
                f"{'initial' if self.bounds is None else 'bounds from'} {self._least}; use Normal(mean, std)"
            )

    @property
    def _least(self) -> float:
        """The lower bound, or without bounds the initial value."""
        return self.initial if self.bounds is None else self.bounds[0]

    @property
    def _spreads_over_decades(self) -> bool:
        if self.bounds is None:
            return isinstance(self.prior, LogNormal)
        return self.bounds[0] > 0 and self.bounds[1] / self.bounds[0] > 10.0

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
            if self.logarithmic:
                return self.initial * torch.exp(z)
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
    for item in parts_of(declarations, kind):
        if found.setdefault(item.name, item) != item:
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

    def value_of(item: Unknown | Range) -> object:
        return values.get(item.name, item)

    bound: _T = _changed(declaration, Unknown | Range, value_of)
    return bound


def parts_of(item: object, kind: type[_Kind]) -> Iterator[_Kind]:
    """Yield every value of one kind inside frozen declarations, in order; none inside another one.

    Args:
        item: Physics, a condition, or a sequence or mapping of these.
        kind: The class that is looked for.
    """
    if isinstance(item, kind):
        yield item
    else:
        for inner in _inside(item):
            yield from parts_of(inner, kind)


def changed(
    declaration: _T,
    kind: type[_Kind],
    change: Callable[[_Kind], object],
) -> _T:
    """Return the declaration with every value of one kind replaced; what holds none stays the same object.

    Args:
        declaration: Physics, a condition, or a sequence or mapping of these.
        kind: The class whose values are replaced.
        change: Returns what takes a value's place.
    """
    result: _T = _changed(declaration, kind, change)
    return result


def _inside(item: object) -> Iterable[object]:
    """Return what a mapping, a sequence or a dataclass holds."""
    if isinstance(item, Mapping):
        return item.values()
    if isinstance(item, list | tuple):
        return item
    if is_dataclass(item) and not isinstance(item, type):
        return [getattr(item, field.name) for field in fields(item)]
    return ()


def _changed(item: Any, kind: Any, change: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - any frozen declaration
    if isinstance(item, kind):
        return change(item)
    if isinstance(item, Mapping):
        return {key: _changed(value, kind, change) for key, value in item.items()}
    if isinstance(item, list | tuple):
        return type(item)(_changed(value, kind, change) for value in item)
    if is_dataclass(item) and not isinstance(item, type):
        before = [getattr(item, field.name) for field in fields(item)]
        after = [_changed(value, kind, change) for value in before]
        if any(_differs(old, new) for old, new in zip(before, after, strict=True)):
            return _with_fields(item, after)
    return item


def _differs(old: object, new: object) -> bool:
    """Whether anything was replaced; containers are made anew even if nothing was."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return any(_differs(old[key], new[key]) for key in old)
    if isinstance(old, list | tuple) and isinstance(new, list | tuple):
        return any(_differs(*pair) for pair in zip(old, new, strict=True))
    return old is not new


def _with_fields(item: Any, values: Sequence[object]) -> Any:  # noqa: ANN401
    """Return a copy with other fields; not replace(), which would run the checks, and custom constructors, again."""
    result = copy.copy(item)
    for field, value in zip(fields(item), values, strict=True):
        object.__setattr__(result, field.name, value)
    return result
