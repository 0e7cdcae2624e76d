"""Numbers that depend on the place: one for each region, such as the conductivities of two materials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsolve.geometry import Shape
from pinnsolve.jets import Coordinates, Jet, as_jet, where


@dataclass(frozen=True)
class ByRegion:
    """A piecewise value; see :func:`by_region`. Its derivatives are those of either side, without the jump.

    Attributes:
        regions: Pairs of a shape and the value in it; the first one that holds a point counts.
        otherwise: The value outside of all shapes.
    """

    regions: tuple[tuple[Shape, object], ...]
    otherwise: object

    def __call__(self, *arguments: Jet | Coordinates) -> Jet:
        """Return the value at the coordinates, which come last: a conductivity is given the temperature before them.

        Args:
            *arguments: The coordinates, or a field and the coordinates.
        """
        x = arguments[-1]
        if not isinstance(x, Coordinates):
            raise TypeError(f"a value by region needs the coordinates x, got {x!r}")
        result = _jet(self.otherwise, x)
        for shape, value in reversed(self.regions):
            result = where(_inside(shape, x), _jet(value, x), result)
        return result

    @property
    def values(self) -> tuple[object, ...]:
        """All values, region by region."""
        return (*(value for _, value in self.regions), self.otherwise)


def by_region(values: Mapping[Shape, object], otherwise: object) -> ByRegion:
    """Return a coefficient or source that differs from region to region.

    Where it jumps, an :class:`pinnsolve.Interface` says that the flux does not.

    Example:
        >>> from pinnsolve import Disk, Heat
        >>> fibre = Disk((0.5, 0.5), 0.2)
        >>> physics = Heat(conductivity=by_region({fibre: 50.0}, otherwise=0.3))

    Args:
        values: A number, an unknown, a range, or a function of the coordinates by shape; where shapes overlap, the
            first one counts.
        otherwise: The value outside of all shapes.

    Raises:
        ValueError: If there is no region or a key is not a shape.
    """
    if not values:
        raise ValueError("by_region() needs at least one region, such as {Disk(...): 2.0}")
    for shape in values:
        if not isinstance(shape, Shape):
            raise ValueError(f"by_region() takes values by shape, such as Disk(...), got {shape!r}")
    return ByRegion(tuple(values.items()), otherwise)


def _jet(value: object, x: Coordinates) -> Jet:
    return as_jet(value(x) if callable(value) else value, x.frame)


def _inside(shape: Shape, x: Coordinates) -> Tensor:
    points = x.points[:, : x.frame.space_dim].detach()
    return torch.from_numpy(shape.contains(points.cpu().numpy())).to(points.device)
