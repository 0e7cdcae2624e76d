"""Node sets of the components of a field on a box, and the derivative operators between them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any, final

import numpy as np

from pinnsolve.jets import component_names
from pinnsolve.multi_index import MultiIndex
from pinnsolve.reference.stencils import Array, derivative_matrix, periodic_matrix

_CONTINUED = 24
"""Nodes beyond a period after which the end of a cubic spline is no longer felt."""

_FEWEST = 3
"""Fewest cells of a layer: a cubic needs four nodes."""

_COARSE = 12
"""Fewest cells that are shared out among layers; more are made by cutting these in two."""

Integers = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True, eq=False)
class Nodes:
    """A tensor product of nodes on lines, numbered with the last axis running fastest.

    Attributes:
        axes: Increasing coordinates in m, one array for each of the D space axes.
    """

    axes: tuple[Array, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of nodes along each axis."""
        return tuple(len(axis) for axis in self.axes)

    @property
    def size(self) -> int:
        """Number of nodes."""
        return math.prod(self.shape)

    @property
    def points(self) -> Array:
        """Coordinates of all nodes, shape (size, D)."""
        mesh = np.meshgrid(*self.axes, indexing="ij")
        return np.stack([axis.ravel() for axis in mesh], axis=1)

    @property
    def numbers(self) -> Integers:
        """The number of each node, as an array of the nodes' shape."""
        return np.arange(self.size, dtype=np.intp).reshape(self.shape)


@final
@dataclass(frozen=True, eq=False)
class Grid:
    """Where each component lives.

    Attributes:
        names: Component names.
        nodes: Nodes of each component.
        lower: Lower corner of the box in m, shape (D,).
        upper: Upper corner.
        order: Order of accuracy of all operators.
        periodic: Axes along which everything repeats itself; their nodes leave out the upper end.
        edges: Coordinates in m, for each axis, of the planes at which materials jump, each with nodes on it.
        cellwise: Whether the field equations hold as balances over cells.
    """

    names: tuple[str, ...]
    nodes: tuple[Nodes, ...]
    lower: Array
    upper: Array
    order: int
    periodic: frozenset[int] = frozenset()
    edges: tuple[tuple[float, ...], ...] = ()
    cellwise: bool = False
    _lines: dict[object, Any] = field(default_factory=dict, repr=False)

    @property
    def dim(self) -> int:
        """Number D of space axes."""
        return len(self.lower)

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Where each component starts in the vector of unknowns; the last entry is its length."""
        return tuple(np.cumsum([0, *(nodes.size for nodes in self.nodes)]).tolist())

    @property
    def num_unknowns(self) -> int:
        """Length of the vector of unknowns."""
        return self.offsets[-1]

    def span(self, component: int) -> slice:
        """Return where a component lies in the vector of unknowns."""
        return slice(self.offsets[component], self.offsets[component + 1])

    def side(self, component: int, axis: int, upper: int) -> tuple[Nodes, Integers] | None:
        """Return the nodes of a component on a side of the box with their numbers, or None.

        Args:
            component: Position of the component.
            axis: Axis that the side is normal to.
            upper: 1 for the side at the upper end, 0 for the lower one.
        """
        if axis in self.periodic:
            return None
        nodes = self.nodes[component]
        bound = (self.lower, self.upper)[upper][axis]
        position = -upper
        end = nodes.axes[axis][position]
        if abs(end - bound) > 1e-9 * (self.upper[axis] - self.lower[axis]):
            return None
        axes = tuple(np.array([end]) if a == axis else line for a, line in enumerate(nodes.axes))
        return Nodes(axes), np.take(nodes.numbers, position, axis=axis).ravel()

    def operator(
        self, component: int, target: Nodes, index: MultiIndex, *, compact: bool = False
    ) -> Any:  # noqa: ANN401
        """Return the sparse matrix from a component's values to a space derivative at a node set.

        Args:
            component: Position of the component.
            target: Where the derivative is wanted.
            index: Which derivative.
            compact: Whether values and first derivatives come from the nodes of one cell only.
        """
        from scipy.sparse import kron

        source = self.nodes[component]
        lines = [
            self._line(axis, source.axes[axis], target.axes[axis], index.count(axis), compact)
            for axis in range(self.dim)
        ]
        return reduce(lambda left, right: kron(left, right, format="csr"), lines)

    def mean_weights(self, component: int) -> Array:
        """Return the weights (size,) that take a component's values to its mean over the box."""
        from scipy.interpolate import make_interp_spline

        lines: list[Array] = []
        for axis, line in enumerate(self.nodes[component].axes):
            if axis in self.periodic:
                lines.append(np.full(len(line), 1.0 / len(line)))
                continue
            low, high = float(self.lower[axis]), float(self.upper[axis])
            spline = make_interp_spline(line, np.eye(len(line)), k=3)
            lines.append(spline.integrate(low, high) / (high - low))
        weights: Array = lines[0]
        for line in lines[1:]:
            weights = np.multiply.outer(weights, line).ravel()
        return weights

    def unrolled(self, component: int, values: Array) -> tuple[tuple[Array, ...], Array]:
        """Return nodes and values of a component, continued beyond the ends of periodic axes.

        Args:
            component: Position of the component.
            values: Nodal values, shape (*nodes, ...).
        """
        axes = list(self.nodes[component].axes)
        for axis in self.periodic:
            period, num = self.upper[axis] - self.lower[axis], len(axes[axis])
            numbers = np.arange(-_CONTINUED, num + _CONTINUED)
            axes[axis] = axes[axis][numbers % num] + period * (numbers // num)
            values = np.take(values, numbers % num, axis=axis)
        return tuple(axes), values

    def _line(self, axis: int, source: Array, target: Array, derivative: int, compact: bool) -> Any:  # noqa: ANN401
        order = 2 - min(derivative, 1) if compact else self.order
        key = axis in self.periodic, source.tobytes(), target.tobytes(), derivative, order
        if key not in self._lines:
            if axis in self.periodic:
                period = float(self.upper[axis] - self.lower[axis])
                matrix = periodic_matrix(source, target, derivative, order, period)
            else:
                matrix = derivative_matrix(source, target, derivative, order)
            self._lines[key] = matrix
        return self._lines[key]


def make_grid(
    shapes: Mapping[str, tuple[int, ...]],
    lower: Array,
    upper: Array,
    cells: Sequence[int],
    order: int,
    periodic: frozenset[int] = frozenset(),
    edges: tuple[tuple[float, ...], ...] = (),
    *,
    cellwise: bool = False,
) -> Grid:
    """Return the node sets for fields on a box.

    Without pressure all components share uniform nodes, ends included. With velocity and pressure
    the arrangement is staggered (Harlow & Welch 1965): pressure on cell centres, each velocity
    component on the faces it crosses, everything else on centres; all but pressure get nodes on the
    ends as well, so that boundary conditions have a place.

    Args:
        shapes: Field shapes by name.
        lower: Lower corner in m, shape (D,).
        upper: Upper corner in m.
        cells: Number of cells along each axis.
        order: Order of accuracy.
        periodic: Axes along which everything repeats itself.
        edges: Coordinates in m, for each axis, at which there must be nodes.
        cellwise: Whether the field equations hold as balances over cells.

    Raises:
        ValueError: If there are too few cells between two edges.
    """
    within = edges or ((),) * len(cells)
    faces = [
        faces_between(np.array([a, *inner, b]), n)
        for a, b, n, inner in zip(lower, upper, cells, within, strict=True)
    ]
    centres = [0.5 * (line[1:] + line[:-1]) for line in faces]
    closed = [
        np.concatenate((line[:1], inner, line[-1:]))
        for line, inner in zip(faces, centres, strict=True)
    ]
    for axis in periodic:
        faces[axis], closed[axis] = faces[axis][:-1], centres[axis]
    nodes = []
    for name, shape in shapes.items():
        for component in range(math.prod(shape)):
            if not {"velocity", "pressure"} <= set(shapes):
                axes = faces
            elif name == "pressure":
                axes = centres
            else:
                along = component if name == "velocity" else -1
                axes = [faces[a] if a == along else closed[a] for a in range(len(cells))]
            nodes.append(Nodes(tuple(axes)))
    corners = np.asarray(lower), np.asarray(upper)
    names = component_names(shapes)
    return Grid(names, tuple(nodes), *corners, order, periodic, within, cellwise)


def faces_between(ends: Array, cells: int) -> Array:
    """Return where cells end that are equally long between two of several places, shape (cells + 1,).

    Twice as many cells are the same cells cut in two, as long as there are enough of them.

    Args:
        ends: The lower end, places where cells must end, the upper end, increasing, in m.
        cells: Number of cells.

    Raises:
        ValueError: If that leaves fewer than three cells between two places.
    """
    few = max(_FEWEST * (len(ends) - 1), _COARSE)
    base, halvings = cells, 0
    while base % 2 == 0 and base // 2 >= few:
        base, halvings = base // 2, halvings + 1
    lengths = np.diff(ends)
    shares = np.maximum(np.rint(base * lengths / lengths.sum()), _FEWEST).astype(int)
    shares[shares.argmax()] += base - shares.sum()
    if shares.min() < _FEWEST:
        raise ValueError(
            f"{len(lengths)} materials along an axis, from {ends.tolist()} m, need more than {cells} cells"
        )
    counts = shares * 2**halvings
    pieces = [
        np.linspace(a, b, n + 1)[:-1] for a, b, n in zip(ends[:-1], ends[1:], counts, strict=True)
    ]
    return np.concatenate((*pieces, ends[-1:]))
