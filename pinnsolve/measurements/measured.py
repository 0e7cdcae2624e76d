"""What can be measured, by name: components of fields and of derived quantities, and their derivatives."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from torch import Tensor

from pinnsolve.jets import Coordinates, Fields, Jet
from pinnsolve.jets.scalar import Scalar, Shifted
from pinnsolve.naming import near_match_text
from pinnsolve.physics import Physics

_SLOPE = re.compile(r"\s*d\s*(\w+)\s*/\s*d\s*([xyzt])\s*")


def measured(name: str, f: Fields, x: Coordinates, physics: Physics) -> Jet:
    """Return a measured quantity as a scalar field.

    Args:
        name: A component, such as ``temperature``, ``velocity_x``, ``heat_flux_y``, ``stress_xy``; or a derivative of
            one, such as ``d temperature / dx``.
        f: The fields.
        x: The coordinates.
        physics: The physics, which knows derived quantities.

    Raises:
        ValueError: If there is no such quantity.
    """
    component, axis = split_slope(name)
    jets = {key: f[key] for key in f}
    parts = _components(jets)
    if component not in parts:
        parts |= _components(physics.derived(f, x))
    axes = x.frame.axis_names[: x.frame.num_physical]
    if component not in parts or (axis and axis not in axes):
        raise ValueError(f"no field component {name!r}. {_known_text(name, parts, axes)}")
    part = parts[component]
    return Jet((), (Shifted(part, axes.index(axis)) if axis else part,), x.frame)


def mean_measured(
    name: str,
    fields: Sequence[Fields],
    x: Sequence[Coordinates],
    shares: Tensor,
    physics: Physics,
) -> Jet:
    """Return the mean of a measured quantity over the nodes of each sensor.

    Args:
        name: As for :func:`measured`.
        fields: The fields at each set of nodes.
        x: The coordinates of each set of nodes.
        shares: Share of each node in the mean, shape (N, number of nodes).
        physics: The physics.
    """
    readings = [measured(name, f, at, physics) for f, at in zip(fields, x, strict=True)]
    if len(readings) == 1:
        return readings[0]
    weighted = [s * r for s, r in zip(shares.unbind(1), readings, strict=True)]
    return sum(weighted[1:], start=weighted[0])


def measured_unit(name: str, units: Mapping[str, str]) -> str | None:
    """Return the SI unit of a measured quantity, or None where none is known.

    Args:
        name: As for :func:`measured`.
        units: SI unit by field and derived quantity.
    """
    component, axis = split_slope(name)
    owners = [
        key
        for key in units
        if component == key or re.fullmatch(re.escape(key) + "_[xyz]{1,2}", component)
    ]
    if not owners:
        return None
    unit = units[max(owners, key=len)]
    if not axis:
        return unit
    per = "s" if axis == "t" else "m"
    return f"({unit})/{per}" if "/" in unit or " " in unit else f"{unit or '1'}/{per}"


def split_slope(name: str) -> tuple[str, str]:
    """Return component and axis of a derivative's name; the axis of a plain component is empty."""
    match = _SLOPE.fullmatch(name)
    return (match[1], match[2]) if match else (name, "")


def _components(jets: Mapping[str, Jet]) -> dict[str, Scalar]:
    """Return every scalar component by name: ``velocity_x``, ``stress_xy`` ..."""
    found: dict[str, Scalar] = {}
    for name, jet in jets.items():
        suffixes = [""]
        for k, width in enumerate(jet.shape):
            joint = "_" if k == 0 else ""
            suffixes = [f"{s}{joint}{'xyz'[i]}" for s in suffixes for i in range(width)]
        found |= {f"{name}{suffix}": part for suffix, part in zip(suffixes, jet.parts, strict=True)}
    return found


def _known_text(name: str, parts: Mapping[str, Scalar], axes: tuple[str, ...]) -> str:
    """Return what can be measured, and the name that was probably meant."""
    if "/" in name:
        return near_match_text(name, [f"d {part} / d{axis}" for part in parts for axis in axes])
    slopes = f"Derivatives are written 'd {next(iter(parts))} / dx'."
    column = f"A column of a file gets a name by columns={{'{next(iter(parts))}': {name!r}}}."
    return f"{near_match_text(name, parts)} {slopes} {column}"
