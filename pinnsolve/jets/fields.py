"""The names a residual speaks in: its fields and its coordinates."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import final

import torch
from torch import Tensor

from pinnsolve.jets.jet import Frame, Jet, as_jet
from pinnsolve.jets.scalar import Numeric, Scalar
from pinnsolve.multi_index import VALUE, MultiIndex
from pinnsolve.naming import near_match_text


@final
class Fields:
    """The fields of a physics by name: ``f.velocity`` is a jet."""

    __slots__ = ("_jets",)

    def __init__(self, jets: Mapping[str, Jet]) -> None:
        self._jets = dict(jets)

    def __getattr__(self, name: str) -> Jet:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Jet:
        if name not in self._jets:
            raise ValueError(f"there is no field {name!r}. {near_match_text(name, self._jets)}")
        return self._jets[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._jets)

    @classmethod
    def from_components(
        cls, shapes: Mapping[str, tuple[int, ...]], parts: list[Scalar], frame: Frame
    ) -> Fields:
        """Assemble fields from one scalar expression per component, in declaration order."""
        jets, start = {}, 0
        for name, shape in shapes.items():
            stop = start + math.prod(shape)
            jets[name] = Jet(shape, tuple(parts[start:stop]), frame)
            start = stop
        return cls(jets)


@final
class Coordinates:
    """The coordinates as fields: ``x.x``, ``x.y``, ``x.z`` in m and ``x.t`` in s, or ``x[0]``, ``x[1]`` ...

    A range is a coordinate too: ``x.reynolds`` is its value, also once it is held at one value.
    """

    __slots__ = ("_jets", "frame", "points")

    def __init__(self, points: Tensor, frame: Frame) -> None:
        """Wrap points of shape (N, D).

        Args:
            points: Coordinates, shape (N, D): space, then time, then parameters.
            frame: What the columns mean.

        Raises:
            ValueError: If the number of columns does not match the frame.
        """
        if points.ndim != 2 or points.shape[1] != frame.num_axes:
            raise ValueError(
                f"points must be of shape (N, {frame.num_axes}) with columns "
                f"{', '.join(frame.axis_names)}, got {tuple(points.shape)}"
            )
        self.points, self.frame = points, frame
        self._jets = tuple(
            Jet.leaf(_coordinate_source(points[:, axis], axis), frame)
            for axis in range(frame.num_axes)
        )

    def __getattr__(self, name: str) -> Jet:
        if name.startswith("__"):
            raise AttributeError(name)
        names = self.frame.axis_names
        if name in names:
            return self._jets[names.index(name)]
        held = dict(self.frame.held)
        if name in held:
            return as_jet(held[name], self.frame)
        raise ValueError(f"there is no coordinate {name!r} here, only {', '.join([*names, *held])}")

    def __getitem__(self, axis: int) -> Jet:
        return self._jets[axis]

    @property
    def parameters(self) -> dict[str, Tensor]:
        """The values of the parameters at the points by name, each of shape (N,)."""
        first = self.frame.num_physical
        return dict(zip(self.frame.parameters, self.points[:, first:].unbind(1), strict=True))

    @property
    def position(self) -> Jet:
        """The position vector, time and parameters left out."""
        dim = self.frame.space_dim
        return Jet((dim,), tuple(jet.parts[0] for jet in self._jets[:dim]), self.frame)


def component_names(shapes: Mapping[str, tuple[int, ...]]) -> tuple[str, ...]:
    """Return one name per scalar component: ``temperature``, ``velocity_x``, ``velocity_y`` ..."""
    names: list[str] = []
    for name, shape in shapes.items():
        if shape == ():
            names.append(name)
        else:
            names.extend(f"{name}_{'xyz'[i]}" for i in range(shape[0]))
    return tuple(names)


def _coordinate_source(column: Tensor, axis: int) -> Callable[[MultiIndex], Numeric]:
    def source(index: MultiIndex) -> Numeric:
        if index == VALUE:
            return column
        return torch.ones_like(column) if index == (axis,) else 0.0

    return source
