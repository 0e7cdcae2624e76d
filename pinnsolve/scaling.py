"""Nondimensionalisation found from the declaration, so that every network input and output is of order one.

Coordinates map to [-1, 1]. A field's offset and scale come from what is prescribed; where nothing
is prescribed, from the balance of terms: the size s at which the field's own terms in an equation
equal what drives it (a traction over a stiffness, inertia against pressure, buoyancy against
inertia and friction), found by probing the residual, so it works for any physics.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from pinnsolve.blocks import Block
from pinnsolve.jets import Coordinates, Fields, component_names
from pinnsolve.jets.scalar import Leaf, Numeric
from pinnsolve.multi_index import VALUE, MultiIndex
from pinnsolve.problem import Problem
from pinnsolve.ranges import sampled_values


@dataclass(frozen=True)
class Scaling:
    """Affine maps between SI units and a network's units.

    Attributes:
        lower: Lower corner of the coordinates, shape (D,).
        upper: Upper corner of the coordinates, shape (D,).
        offset: Offset of each component, shape (C,).
        scale: Scale of each component, shape (C,).
        logarithmic: Axes (of ranges) whose logarithm is mapped; nothing is differentiated along them.
    """

    lower: Tensor
    upper: Tensor
    offset: Tensor
    scale: Tensor
    logarithmic: tuple[int, ...] = ()

    @property
    def half_lengths(self) -> Tensor:
        """Half the extent along each axis, shape (D,)."""
        return 0.5 * (self.upper - self.lower)

    def to_unit(self, points: Tensor) -> Tensor:
        """Map points in SI units to [-1, 1], shape (N, D)."""
        lower, upper = self._straightened(self.lower), self._straightened(self.upper)
        return (self._straightened(points) - 0.5 * (lower + upper)) / (0.5 * (upper - lower))

    def stream_factor(self, index: MultiIndex) -> Tensor:
        """Return what turns a network's derivative into SI units, shape (C,)."""
        return self.scale / math.prod(float(self.half_lengths[axis]) for axis in index)

    def to(self, *, dtype: torch.dtype, device: torch.device) -> Scaling:
        """Return a copy in another precision or on another device."""
        lower, upper, offset, scale = (
            t.to(dtype=dtype, device=device)
            for t in (self.lower, self.upper, self.offset, self.scale)
        )
        return Scaling(lower, upper, offset, scale, self.logarithmic)

    def without(self, axes: Sequence[int]) -> Scaling:
        """Return the maps of the coordinates that are left when some axes are held."""
        kept = [axis for axis in range(len(self.lower)) if axis not in axes]
        logarithmic = tuple(kept.index(axis) for axis in self.logarithmic if axis in kept)
        return Scaling(self.lower[kept], self.upper[kept], self.offset, self.scale, logarithmic)

    def _straightened(self, points: Tensor) -> Tensor:
        """Return coordinates (..., D) with the logarithm of those that spread over decades."""
        if not self.logarithmic:
            return points
        mapped = points.clone()
        for axis in self.logarithmic:
            mapped[..., axis] = torch.log(points[..., axis])
        return mapped


def find_scaling(problem: Problem, blocks: tuple[Block, ...]) -> Scaling:
    """Find offsets and scales of all components.

    Args:
        problem: The declaration.
        blocks: Its blocks; every point is probed.

    Raises:
        ValueError: If the size of a field follows from nothing in the declaration.
    """
    lower, upper = (torch.tensor(b, dtype=torch.float64, device="cpu") for b in problem.bounds)
    offset, size = _enclosed(
        [_found(problem, part, upper - lower) for part in _slices(problem, blocks)]
    )
    owners = _owners(problem)
    size |= {name: problem.scales[n] for name, n in owners.items() if n in problem.scales}
    lost = [name for name in component_names(problem.field_shapes) if not size[name] > 0.0]
    if lost:
        owner = owners[lost[0]]
        raise ValueError(
            f"the size of {owner!r} follows from nothing in problem {problem.name!r} (all data are zero?); "
            f"give it: Problem(..., scales={{{owner!r}: typical_value}})"
        )
    offset_tensor, scale_tensor = (
        torch.tensor(list(v.values()), dtype=torch.float64, device="cpu") for v in (offset, size)
    )
    first = problem.frame.num_physical
    logarithmic = tuple(first + i for i, item in enumerate(problem.ranges) if item.logarithmic)
    return Scaling(lower, upper, offset_tensor, scale_tensor, logarithmic)


Found = tuple[dict[str, float], dict[str, float]]
"""Offset and size by component."""


def _slices(problem: Problem, blocks: tuple[Block, ...]) -> list[tuple[Block, ...]]:
    """Return the blocks at the middle and the ends of the ranges; as they are if there are none."""
    if not problem.ranges:
        return [blocks]
    first = problem.frame.num_physical
    nothing = np.empty((0, len(problem.ranges)))
    found = []
    for values in sampled_values(problem.ranges, nothing):
        held = torch.tensor(list(values.values()), dtype=torch.float64, device="cpu")
        found.append(tuple(_with_columns(block, first, held) for block in blocks))
    return found


def _with_columns(block: Block, first: int, held: Tensor) -> Block:
    """Return a block whose points have given last coordinates."""
    moved = tuple(
        torch.cat((points[:, :first], held.expand(len(points), -1)), dim=1)
        for points in block.point_sets
    )
    return replace(block, point_sets=moved)


def _enclosed(found: list[Found]) -> Found:
    """Return the offsets and sizes of the least intervals that enclose all that were found."""
    offsets: dict[str, float] = {}
    sizes: dict[str, float] = {}
    for name in found[0][0]:
        low = min(offset[name] - size[name] for offset, size in found)
        high = max(offset[name] + size[name] for offset, size in found)
        offsets[name], sizes[name] = 0.5 * (low + high), 0.5 * (high - low)
    return (offsets, sizes) if len(found) > 1 else found[0]


def _owners(problem: Problem) -> dict[str, str]:
    """Return the field that each component belongs to."""
    return {c: n for n, s in problem.field_shapes.items() for c in component_names({n: s})}


def _found(problem: Problem, blocks: tuple[Block, ...], extent: Tensor) -> Found:
    """Return offset and size of every component; 0 where the size follows from nothing."""
    probe = _Probe(problem, blocks, 0.5 * extent)
    offsets, spreads = _prescribed(problem, probe)
    sizes = {name: problem.scales.get(name, spreads[name]) for name in problem.field_shapes}
    driven = _driven(probe, offsets, dict.fromkeys(sizes, 0.0))
    sizes = {
        name: size if name in problem.scales else max(size, driven[name])
        for name, size in sizes.items()
    }
    for _ in sizes:
        for name, size in _driven(probe, offsets, sizes).items():
            if sizes[name] == 0.0:
                sizes[name] = size
    owners = _owners(problem)
    return (
        {name: offsets[name] for name in owners},
        {name: sizes[owner] for name, owner in owners.items()},
    )


class _Probe:
    """Evaluates all rows of a problem on made-up fields of given sizes."""

    def __init__(self, problem: Problem, blocks: tuple[Block, ...], lengths: Tensor) -> None:
        self._problem, self._blocks, self._lengths = problem, blocks, lengths
        self._names = component_names(problem.field_shapes)
        self._owner = [n for n, s in problem.field_shapes.items() for _ in range(math.prod(s))]
        self._values = {
            u.name: torch.tensor(u.initial, dtype=torch.float64, device="cpu")
            for u in problem.unknowns
        }

    def rows(
        self, offsets: Mapping[str, float], sizes: Mapping[str, float], only: int | None = None
    ) -> dict[tuple[int, str], Tensor]:
        """Return every row's values (of one block only, if asked), keyed by block and equation."""
        rows: dict[tuple[int, str], Tensor] = {}
        for position, block in enumerate(self._blocks):
            if only is not None and position != only:
                continue
            x = block.coordinates(self._problem.frame)
            apart = block.kind == "interface"  # gradients differ from side to side
            fields = tuple(
                self._fields(item, offsets, sizes, salt=k if apart else 0)
                for k, item in enumerate(x)
            )
            for name, row in block.rows(fields, x, self._values).items():
                rows[position, name] = row.value.expand(block.num_points)
        return rows

    def prescribed(self) -> dict[str, list[Tensor]]:
        """Return, per component, the values that conditions or data give it directly."""
        zero = dict.fromkeys(self._names, 0.0)
        given: dict[str, list[Tensor]] = {name: [] for name in self._names}
        for block in self._blocks:
            if block.kind not in ("boundary", "initial", "data"):
                continue
            x = block.coordinates(self._problem.frame)
            asked: list[tuple[str, MultiIndex]] = []
            fields = tuple(self._fields(item, zero, {}, asked) for item in x)
            for name, row in block.rows(fields, x, self._values).items():
                asked.clear()
                value = row.value
                if name in given and set(asked) == {(name, VALUE)}:
                    given[name].append(-value.expand(block.num_points))
        return given

    def _fields(
        self,
        x: Coordinates,
        offsets: Mapping[str, float],
        sizes: Mapping[str, float],
        asked: list[tuple[str, MultiIndex]] | None = None,
        salt: int = 0,
    ) -> Fields:
        def source(position: int) -> Callable[[MultiIndex], Numeric]:
            name, owner = self._names[position], self._owner[position]

            def supply(index: MultiIndex) -> Numeric:
                if asked is not None:
                    asked.append((name, index))
                what = (position, index, salt) if salt else (position, index)
                generator = torch.Generator().manual_seed(hash(what) % 2**31)
                # random signs, not normal numbers: every single point then has the stated size
                coin = torch.randint(0, 2, (len(x.points),), generator=generator, device="cpu")
                noise = 2.0 * coin.to(torch.float64) - 1.0
                size = sizes.get(owner, 0.0) / math.prod(float(self._lengths[a]) for a in index)
                return (offsets[name] if index == VALUE else 0.0) + size * noise

            return supply

        parts = [Leaf(source(i)) for i in range(len(self._names))]
        return Fields.from_components(self._problem.field_shapes, list(parts), x.frame)


def _prescribed(problem: Problem, probe: _Probe) -> tuple[dict[str, float], dict[str, float]]:
    """Return offsets by component and spreads by field from directly given values."""
    given = probe.prescribed()
    offsets: dict[str, float] = {}
    spreads: dict[str, float] = {}
    for name, shape in problem.field_shapes.items():
        components = component_names({name: shape})
        columns = {c: torch.cat(given[c]) for c in components if given[c]}
        offsets |= dict.fromkeys(components, 0.0)
        spreads[name] = 0.0
        if shape == () and columns:
            low, high = float(columns[name].min()), float(columns[name].max())
            offsets[name], spreads[name] = 0.5 * (low + high), 0.5 * (high - low)
        elif columns:
            spreads[name] = max(float(column.abs().max()) for column in columns.values())
    return offsets, spreads


def _driven(
    probe: _Probe, offsets: Mapping[str, float], sizes: Mapping[str, float]
) -> dict[str, float]:
    """Return, per field, the size at which its own terms balance what drives the equations it is in."""
    base = probe.rows(offsets, {})
    drive = probe.rows(offsets, sizes)
    result: dict[str, float] = {}
    for name in sizes:
        candidates = [
            _balance(partial(_response, probe, offsets, name, key, base[key]), _rms(row))
            for key, row in drive.items()
            if _rms(row) > 0
        ]
        result[name] = max(candidates, default=0.0)
    return result


def _response(
    probe: _Probe,
    offsets: Mapping[str, float],
    name: str,
    key: tuple[int, str],
    base: Tensor,
    size: float,
) -> float:
    """Return how much one equation changes when one field takes a size."""
    return _rms(probe.rows(offsets, {name: size}, only=key[0])[key] - base)


def _balance(response: Callable[[float], float], target: float) -> float:
    """Return s with ``response(s) = target`` by bisection on a logarithmic scale; 0 if there is no response."""
    if response(1.0) == 0.0:
        return 0.0
    low, high = -40.0, 40.0
    for _ in range(16):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if response(10.0**middle) < target else (low, middle)
    size = float(10.0 ** (0.5 * (low + high)))
    for _ in range(3):  # exact for power laws, so that the result does not depend on the units
        value, ahead = response(size), response(1.001 * size)
        if not (0.0 < value < math.inf and 0.0 < ahead < math.inf):
            return 0.0
        power = math.log(ahead / value) / math.log(1.001)
        if abs(power) < _FLAT:
            return 0.0
        size *= math.pow(target / value, 1.0 / power)
    return size


_FLAT = 0.05
"""Exponent below which a response does not tell a size: it has saturated."""


def _rms(values: Tensor) -> float:
    return math.sqrt(float(values.square().mean()))
