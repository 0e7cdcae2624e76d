"""Units of what was measured, by pint: conversion to SI, and whether two units are of one dimension.

Temperatures have no natural zero in a declaration: heat conduction is the same in K and in degC. So values in K and in
degC are left as they are, and degF goes to degC; a problem has to be declared on the scale of its data.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pint

Array = npt.NDArray[np.float64]


def in_si(values: Array, unit: str, *, difference: bool = False) -> Array:
    """Return values in SI units; temperatures in K or degC (see above).

    Args:
        values: In the unit.
        unit: Such as ``mm``, ``degF``, ``W/m2`` or ``W/(m2 K)``.
        difference: Whether the values are differences, as a standard deviation is.

    Raises:
        ValueError: If there is no such unit.
    """
    given = parsed(unit)
    target = parsed(si_unit(unit))
    if difference and _is_temperature(given):
        registry = _registry()
        shown = {str(registry.degC): "delta_degC", str(registry.degF): "delta_degF"}
        given, target = (registry.Unit(shown.get(str(u), str(u))) for u in (given, target))
    quantity = _registry().Quantity(np.asarray(values, dtype=np.float64), given)
    return np.asarray(quantity.to(target).magnitude, dtype=np.float64)


def si_unit(unit: str) -> str:
    """Return the SI unit that values in a unit are converted to.

    Raises:
        ValueError: If there is no such unit.
    """
    given, registry = parsed(unit), _registry()
    if given in (registry.degF, registry.degC):
        return "degC"
    for named in _NAMED:
        if parsed(named).dimensionality == given.dimensionality:
            return named
    return f"{registry.Quantity(1.0, given).to_base_units().units:~}"


_NAMED = (
    "1",
    "m",
    "s",
    "K",
    "m/s",
    "Pa",
    "N",
    "W",
    "J",
    "W/m2",
    "W/m",
    "K/m",
    "K/s",
    "Pa s",
    "W/(m2 K)",
    "W/(m K)",
)
"""Units that keep their usual names in messages; others are told in m, kg, s and K."""


def of_one_dimension(one: str, other: str) -> bool:
    """Return whether values in two units can be compared.

    Raises:
        ValueError: If there is no such unit.
    """
    return bool(parsed(one).dimensionality == parsed(other).dimensionality)


def is_unit(text: str) -> bool:
    """Return whether a text is a unit."""
    try:
        parsed(text)
    except ValueError:
        return False
    return True


def parsed(unit: str) -> pint.Unit:
    """Return a unit; ``m2`` is a square metre, an empty text, ``-`` and ``1`` no unit.

    Raises:
        ValueError: If there is no such unit.
    """
    import pint

    text = unit.strip()
    if text in ("", "-", "1"):
        text = "dimensionless"
    for sign, word in (
        ("°C", "degC"),
        ("°F", "degF"),
        ("°", "degree"),
        ("·", "*"),
        ("%", "percent"),
    ):
        text = text.replace(sign, word)
    text = re.sub(r"([A-Za-zµ])\^?(-?\d+)", r"\1**\2", text)
    try:
        return _registry().Unit(text)
    except (pint.errors.PintError, ValueError, TypeError, AttributeError, SyntaxError) as error:
        raise ValueError(
            f"unit {unit!r} is not known; write it as 'mm', 'degC', 'W/m2' or 'W/(m2 K)'"
        ) from error


def _is_temperature(unit: pint.Unit) -> bool:
    return bool(unit.dimensionality == _registry().kelvin.dimensionality)


@cache
def _registry() -> pint.UnitRegistry[float]:
    import pint

    registry: pint.UnitRegistry[float] = pint.UnitRegistry()
    registry.define("microstrain = 1e-6 = ustrain")
    return registry
