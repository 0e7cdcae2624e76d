"""Made-up fields to try a residual on: they reveal its shapes and the derivatives it asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from pinnsolve.jets import Coordinates, Fields, MultiIndex, component_names
from pinnsolve.jets.scalar import Leaf


def trial_fields(
    shapes: Mapping[str, tuple[int, ...]],
    x: Coordinates,
    level: float,
    watch: set[tuple[str, MultiIndex]] | None = None,
    shift: Mapping[str, float] | None = None,
) -> Fields:
    """Return fields with made-up, positive, reproducible derivatives, to try a residual on.

    Args:
        shapes: Shape of each field.
        x: The coordinates.
        level: Size of the values.
        watch: A set to which every (component, derivative) that is asked for is added.
        shift: Constants added to the values of components.
    """

    def source(position: int, name: str) -> Callable[[MultiIndex], Tensor]:
        def supply(index: MultiIndex) -> Tensor:
            if watch is not None:
                watch.add((name, index))
            seed = 1 + position + 7 * sum((axis + 1) * 3**i for i, axis in enumerate(index))
            phase = torch.arange(len(x.points), dtype=torch.float64, device=x.points.device)
            value = level * (1.0 + 0.5 * torch.sin(0.7 * seed + phase))
            return value + shift.get(name, 0.0) if shift is not None and index == () else value

        return supply

    names = component_names(shapes)
    return Fields.from_components(
        shapes, [Leaf(source(i, n)) for i, n in enumerate(names)], x.frame
    )
