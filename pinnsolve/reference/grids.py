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
from pinnsolve.reference.stencils import Array, derivative_matrix

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
    """

    names: tuple[str, ...]
    nodes: tuple[Nodes, ...]
    lower: Array
    upper: Array
    order: int
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
        nodes = self.nodes[component]
        bound = (self.lower, self.upper)[upper][axis]
        position = -upper
        end = nodes.axes[axis][position]
        if abs(end - bound) > 1e-9 * (self.upper[axis] - self.lower[axis]):
            return None
        axes = tuple(np.array([end]) if a == axis else line for a, line in enumerate(nodes.axes))
        return Nodes(axes), np.take(nodes.numbers, position, axis=axis).ravel()

    def operator(self, component: int, target: Nodes, index: MultiIndex) -> Any:  # noqa: ANN401
        """Return the sparse matrix from a component's values to a space derivative at a node set.

        Args:
            component: Position of the component.
            target: Where the derivative is wanted.
            index: Which derivative.
        """
        from scipy.sparse import kron

        lines = [
            self._line(self.nodes[component].axes[axis], target.axes[axis], index.count(axis))
            for axis in range(self.dim)
        ]
        return reduce(lambda left, right: kron(left, right, format="csr"), lines)

    def mean_weights(self, component: int) -> Array:
        """Return the weights (size,) that take a component's values to its mean over the box."""
        from scipy.interpolate import make_interp_spline

        lines: list[Array] = []
        for axis, line in enumerate(self.nodes[component].axes):
            low, high = float(self.lower[axis]), float(self.upper[axis])
            spline = make_interp_spline(line, np.eye(len(line)), k=3)
            lines.append(spline.integrate(low, high) / (high - low))
        weights: Array = lines[0]
        for line in lines[1:]:
            weights = np.multiply.outer(weights, line).ravel()
        return weights

    def _line(self, source: Array, target: Array, derivative: int) -> Any:  # noqa: ANN401
        key = source.tobytes(), target.tobytes(), derivative
        if key not in self._lines:
            self._lines[key] = derivative_matrix(source, target, derivative, self.order)
        return self._lines[key]


def make_grid(
    shapes: Mapping[str, tuple[int, ...]],
    lower: Array,
    upper: Array,
    cells: Sequence[int],
    order: int,
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
    """
    faces = [np.linspace(a, b, n + 1) for a, b, n in zip(lower, upper, cells, strict=True)]
    centres = [0.5 * (line[1:] + line[:-1]) for line in faces]
    closed = [
        np.concatenate((line[:1], inner, line[-1:]))
        for line, inner in zip(faces, centres, strict=True)
    ]
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
    return Grid(component_names(shapes), tuple(nodes), np.asarray(lower), np.asarray(upper), order)
