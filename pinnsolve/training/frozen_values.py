"""Frozen values taken apart into plain text and tensors, and put together again, bit by bit the same.

A value is a number, a text, None, a tensor, an enumeration, a tuple or a frozen dataclass of these. What comes
back can only be of classes that the reader names, so no code is ever executed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, get_args, get_type_hints

from torch import Tensor

Classes = Mapping[str, type]
"""Dataclasses and enumerations by name."""


def take_apart(value: object, tensors: list[Tensor]) -> Any:  # noqa: ANN401 - JSON
    """Return a value as what JSON can hold.

    Args:
        value: The value.
        tensors: Its tensors are added to them; the text says their positions.

    Raises:
        ValueError: If it contains something else.
    """
    if value is None or isinstance(value, str | int | float):  # bool is an int
        return value
    if isinstance(value, Tensor):
        tensors.append(value)
        return {"tensor": len(tensors) - 1}
    if isinstance(value, tuple):
        return [take_apart(item, tensors) for item in value]
    name = type(value).__name__
    if isinstance(value, Enum):
        return {"class": name, "value": value.value}
    if is_dataclass(value):
        parts = {f.name: take_apart(getattr(value, f.name), tensors) for f in fields(value)}
        return {"class": name, "fields": parts}
    raise ValueError(
        f"a value of class {name} cannot be kept in a checkpoint; make states of numbers, text, tensors, "
        "tuples and frozen dataclasses"
    )


def put_together(item: Any, tensors: Sequence[Tensor], classes: Classes) -> Any:  # noqa: ANN401 - JSON
    """Return the value that was taken apart.

    Args:
        item: What :func:`take_apart` returned.
        tensors: The tensors.
        classes: Every class that it may contain.

    Raises:
        KeyError: If it contains another class.
        TypeError: If the fields are not those of the class.
    """
    if isinstance(item, list):
        return tuple(put_together(part, tensors, classes) for part in item)
    if not isinstance(item, dict):
        return item
    if "tensor" in item:
        return tensors[item["tensor"]]
    kind = classes[item["class"]]
    if "value" in item:
        return kind(item["value"])
    parts = item["fields"].items()
    return kind(**{name: put_together(part, tensors, classes) for name, part in parts})


def classes_of(*roots: type) -> Classes:
    """Return dataclasses together with all that their annotations name."""
    found: dict[str, type] = {}
    for root in roots:
        for kind in _named(root):
            if kind.__name__ not in found:
                found[kind.__name__] = kind
                found |= classes_of(*get_type_hints(kind).values()) if is_dataclass(kind) else {}
    return found


def _named(hint: Any) -> Iterator[type]:  # noqa: ANN401 - a type hint
    """Yield the dataclasses and enumerations in a type hint: ``tuple[tuple[Side, Side], ...]`` names Side."""
    if isinstance(hint, type) and (is_dataclass(hint) or issubclass(hint, Enum)):
        yield hint
    for part in get_args(hint):
        yield from _named(part)
