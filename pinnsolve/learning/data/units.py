"""Units in column names, read by pint: do tables agree, and do numbers look like another unit of the same quantity?

A unit stands in brackets, ``length [mm]`` or ``length (mm)``, or after the last underscore, ``length_mm``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pinnsolve.learning.data.findings import Finding, Severity
from pinnsolve.learning.data.tables import is_numeric, numbers

if TYPE_CHECKING:
    import pandas as pd

_BRACKETS = re.compile(r"^(?P<stem>[^\[]+?)\s*\[(?P<unit>[^\]]+)\]$")
_ROUND = re.compile(r"^(?P<stem>[^(]+?)\s*\((?P<unit>.+)\)$")

_WORDS = """m mm cm km um nm s ms min degC degF Pa kPa MPa GPa bar kN kJ kW kg Hz rpm mV mA m/s mm/s km/h m2 mm2 m3
kg/m3 W/m2 W/m2/K W/m/K inch ft psi deg rad"""
_AFTER_UNDERSCORE = frozenset(_WORDS.split())
"""Units that are taken for such after an underscore: not every word that pint knows there is one (``rate_b``)."""


@dataclass(frozen=True)
class UnitColumn:
    """A column with a unit in its name.

    Attributes:
        name: The whole name.
        stem: What is left without the unit.
        unit: The unit as it is written.
    """

    name: str
    stem: str
    unit: str


@cache
def _registry() -> Any:  # noqa: ANN401
    import pint

    return pint.UnitRegistry()


def parsed(unit: str) -> Any:  # noqa: ANN401 - a pint unit
    """Return a unit, or None if there is no such unit: ``W/(m2 K)`` is watt per square metre and kelvin."""
    import pint

    text = re.sub(r"(?<=[A-Za-z])([2-4])\b", r"**\1", unit.strip())
    text = re.sub(r"\s+", "*", text).replace("·", "*").replace("°C", "degC")
    if text == "C":
        text = "degC"
    try:
        return _registry().Unit("percent" if text == "%" else text)
    except (pint.errors.PintError, ValueError, TypeError, AttributeError, AssertionError):
        return None


def unit_columns(names: Iterable[str]) -> tuple[tuple[UnitColumn, ...], tuple[str, ...]]:
    """Return the columns with units, and those whose brackets hold something that is no unit.

    Args:
        names: Column names.
    """
    found, unclear = [], []
    for name in names:
        match = _BRACKETS.match(name) or _ROUND.match(name)
        if match:
            known = match["unit"] in ("-", "1") or parsed(match["unit"]) is not None
            (
                found.append(UnitColumn(name, match["stem"], match["unit"]))
                if known
                else unclear.append(name)
            )
        else:
            stem, _, tail = name.rpartition("_")
            if stem and tail in _AFTER_UNDERSCORE:
                found.append(UnitColumn(name, stem, tail))
    return tuple(found), tuple(unclear)


def unit_findings(frame: pd.DataFrame, new: pd.DataFrame | None = None) -> list[Finding]:
    """Return where units are unclear, contradict each other, or where new numbers look like another unit.

    Args:
        frame: The training data.
        new: New data that should have the same units, or None.
    """
    columns, unclear = unit_columns(frame.columns)
    found = [
        Finding(
            "units",
            Severity.NOTE,
            f"{name}: what stands in brackets is no unit; write it like [m/s] or [W/(m2 K)]",
            (name,),
        )
        for name in unclear
    ]
    found += _mixed(columns)
    if new is not None:
        found += _other_units(columns, unit_columns(new.columns)[0])
        found += _shifted(frame, new)
    return found


def _mixed(columns: Iterable[UnitColumn]) -> list[Finding]:
    """Return quantities that a table has in two units at once."""
    found: list[Finding] = []
    seen: dict[str, UnitColumn] = {}
    for column in columns:
        first = seen.setdefault(column.stem.casefold(), column)
        if first.unit != column.unit:
            message = (
                f"{first.stem} is there in {first.unit} and in {column.unit}; "
                f"keep one of {first.name} and {column.name}"
            )
            found.append(Finding("units", Severity.WARNING, message, (first.name, column.name)))
    return found


def _other_units(before: Iterable[UnitColumn], after: Iterable[UnitColumn]) -> list[Finding]:
    """Return quantities whose unit differs between two tables."""
    known = {column.stem.casefold(): column for column in before}
    found = []
    for column in after:
        was = known.get(column.stem.casefold())
        if was is None or was.unit == column.unit:
            continue
        old, new = parsed(was.unit), parsed(column.unit)
        if old is None or new is None or not old.is_compatible_with(new):
            cure = "these are no units of one quantity"
        else:
            quantity = _registry().Quantity
            zero, one = (float(quantity(v, new).to(old).magnitude) for v in (0.0, 1.0))
            offset = f" + {zero:g}" if zero else ""
            cure = f"{was.name} = {one - zero:g} x {column.name}{offset}: convert and rename it"
        message = f"{was.stem} was in {was.unit}, now in {column.unit}; {cure}"
        found.append(Finding("units", Severity.FAIL, message, (was.name, column.name)))
    return found


_FACTORS = {
    1e3: "milli for none (mm for m), or none for kilo",
    1e6: "micro for none, or none for mega (Pa for MPa)",
    25.4: "mm for inch",
    0.3048: "m for foot",
    180.0 / np.pi: "degrees for radians",
    60.0: "seconds for minutes",
    3600.0: "seconds for hours",
    3.6: "km/h for m/s",
    1e5: "Pa for bar",
}
_OFFSETS = {273.15: "K for degC"}


def _shifted(frame: pd.DataFrame, new: pd.DataFrame) -> list[Finding]:
    """Return columns whose new numbers are a conversion away from the old ones, whose ranges they do not meet."""
    found = []
    for name in frame.columns:
        if name not in new.columns or not (is_numeric(frame[name]) and is_numeric(new[name])):
            continue
        a, b = (v[np.isfinite(v)] for v in (numbers(frame[name]), numbers(new[name])))
        if len(a) < 5 or len(b) < 5 or not (b.min() > a.max() or b.max() < a.min()):
            continue
        guess = _conversion(a, b)
        if guess:
            message = (
                f"{name}: the new numbers look like another unit ({guess}); see, and convert them"
            )
            found.append(Finding("units", Severity.FAIL, message, (str(name),)))
    return found


def _conversion(a: Any, b: Any) -> str:  # noqa: ANN401 - float arrays
    """Return which conversion brings the quartiles of b to those of a, or nothing."""
    old, new = np.quantile(a, [0.25, 0.5, 0.75]), np.quantile(b, [0.25, 0.5, 0.75])
    spread = max(old[2] - old[0], 1e-12 * abs(old[1]))
    for factor, words in _FACTORS.items():
        for tried in (factor, 1.0 / factor):
            if np.abs(new / tried - old).max() < 0.5 * spread:
                return f"{words}, or the other way round" if tried != factor else words
    for offset, words in _OFFSETS.items():
        for tried in (offset, -offset):
            if np.abs(new - tried - old).max() < 0.5 * spread:
                return words
    return ""
