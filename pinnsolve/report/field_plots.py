"""Pictures of fields: pinnsolve, reference and difference, with the same limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pinnsolve.exact_fields import exact_components
from pinnsolve.interop.derived import shapes_by_name, unit_of
from pinnsolve.jets import component_names
from pinnsolve.report.figure import (
    BLUE,
    GREY,
    ORANGE,
    labelled,
    new_figure,
    png,
    styled,
)
from pinnsolve.report.result import Result
from pinnsolve.report.views import View, points_of, split_by_view
from pinnsolve.solution import Solution, component_values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[np.float64]

_WIDTH = 4.4
_BANDS = 40
_LINES = 10
_SHOWN = 0.995
"""Share of the points that the colours cover; a singular corner must not take the contrast from the rest."""


@dataclass(frozen=True)
class Picture:
    """One picture of a report.

    Attributes:
        title: What it shows.
        image: The bytes of a PNG.
    """

    title: str
    image: bytes


@dataclass(frozen=True)
class FieldPictures:
    """The pictures of one component in one view.

    Attributes:
        name: Component, or derived quantity.
        where: Which slice or time, or empty.
        pictures: pinnsolve, reference and difference, or only the first.
    """

    name: str
    where: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class _Other:
    """What the solution is compared with in the pictures: a name and the values per view, (M, C)."""

    title: str
    values: list[Array]


def field_pictures(result: Result, shown: Sequence[View]) -> tuple[FieldPictures, ...]:
    """Draw every component of every field in every view.

    Args:
        result: The result; its reference is drawn beside, else the exact solution, else nothing.
        shown: The problem's views.
    """
    solution = result.solution
    problem = solution.problem
    other = _other(result, shown)
    owners = [
        (name, part)
        for name, s in problem.field_shapes.items()
        for part in component_names({name: s})
    ]
    found = []
    with styled():
        for position, view in enumerate(shown):
            ours = component_values(solution, view.points)
            for column, (owner, part) in enumerate(owners):
                label = labelled(part, unit_of(solution, owner))
                theirs = None if other is None else other.values[position][:, column]
                if theirs is not None and owner in problem.floating_fields:
                    theirs = theirs + (ours[:, column].mean() - theirs.mean())
                title = "" if other is None else other.title
                found.append(
                    FieldPictures(
                        part, view.title, _compared(view, label, ours[:, column], theirs, title)
                    )
                )
    return tuple(found)


def derived_pictures(solution: Solution, shown: Sequence[View]) -> tuple[FieldPictures, ...]:
    """Draw the derived quantities: scalars, and the length of vectors; tensors are in the VTU file.

    Args:
        solution: The solution.
        shown: The problem's views.
    """
    fields = solution.problem.field_shapes
    found = []
    with styled():
        for view in shown:
            for name, shape in shapes_by_name(solution).items():
                if name in fields or len(shape) > 1:
                    continue
                values = solution.at(view.points)[name]
                title = name.replace("_", " ")
                if shape:
                    values, title = np.linalg.norm(values, axis=1), f"|{title}|"
                label = labelled(title, unit_of(solution, name))
                limits = limits_of(np.minimum(values, np.quantile(values, _SHOWN)))
                picture = Picture("pinnsolve", drawn(view, label, values, limits, "viridis"))
                found.append(FieldPictures(title, view.title, (picture,)))
    return tuple(found)


def _other(result: Result, shown: Sequence[View]) -> _Other | None:
    problem = result.solution.problem
    reference = result.companions.reference
    if reference is not None:
        points = points_of(shown)
        if points.shape == reference.points.shape and np.allclose(points, reference.points):
            return _Other("Reference", split_by_view(shown, reference.values))
    if problem.exact is not None:
        exact = [exact_components(result.solution, view.points) for view in shown]
        return _Other("Exact solution", exact)
    return None


def _compared(
    view: View, label: str, ours: Array, theirs: Array | None, title: str
) -> tuple[Picture, ...]:
    if theirs is None:
        return (Picture("pinnsolve", drawn(view, label, ours, limits_of(ours), "viridis")),)
    if len(view.axes) == 1:
        return (
            Picture(f"pinnsolve and {title.lower()}", _curves(view, label, ours, theirs, title)),
            Picture("Difference", _curves(view, f"difference of {label}", ours - theirs, None, "")),
        )
    both = limits_of(np.concatenate((ours, theirs)))
    difference = ours - theirs
    largest = float(np.abs(difference).max())
    reach = float(np.quantile(np.abs(difference), _SHOWN)) or largest or 1e-300
    return (
        Picture("pinnsolve", drawn(view, label, ours, both, "viridis")),
        Picture(title, drawn(view, label, theirs, both, "viridis")),
        Picture(
            f"Difference, at most {largest:.2g}",
            drawn(view, label, difference, (-reach, reach), "RdBu_r"),
        ),
    )


def limits_of(values: Array) -> tuple[float, float]:
    """Return limits that enclose all values and are not equal."""
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        margin = 0.5 * abs(high) or 0.5
        return low - margin, high + margin
    return low, high


def drawn(
    view: View, label: str, values: Array, limits: tuple[float, float], colours: str
) -> bytes:
    """Draw a field as filled contours with lines; a view of one axis as a curve.

    Args:
        view: Where.
        label: Name and unit of the values.
        values: Shape (M,).
        limits: Ends of the colours.
        colours: Name of a colour map.

    Returns:
        The bytes of a PNG.
    """
    if len(view.axes) == 1:
        return _curves(view, label, values, None, "")
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.tri import Triangulation

    extent = np.ptp(view.plane, axis=0)
    ratio = float(extent[1] / extent[0]) if view.to_scale else 0.8
    figure = new_figure(_WIDTH, float(np.clip(0.8 * _WIDTH * ratio + 0.5, 1.9, 4.8)))
    axes = figure.subplots()
    mesh = Triangulation(view.plane[:, 0], view.plane[:, 1], view.triangles)
    norm = Normalize(*limits)
    levels = np.linspace(*limits, _BANDS + 1)
    filled = axes.tricontourf(mesh, values, levels, cmap=colours, norm=norm, extend="both")
    filled.set_edgecolor("face")  # no gaps between the bands
    if colours == "viridis" and np.ptp(values) > 0.0:
        lines = np.linspace(*limits, _LINES + 1)[1:-1]
        axes.tricontour(mesh, values, lines, colors="white", linewidths=0.5, alpha=0.55)
    for line in view.outline:
        axes.plot(line[:, 0], line[:, 1], color=GREY, linewidth=1.1, solid_capstyle="round")
    _finish_axes(axes, view)
    beyond = (values.min() < limits[0], values.max() > limits[1])
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}.get(
        beyond, "neither"
    )
    mappable = ScalarMappable(norm, colours)
    bar = figure.colorbar(mappable, ax=axes, pad=0.02, aspect=28, extend=extend)
    bar.set_label(label)
    bar.outline.set_visible(False)
    return png(figure)


def _curves(view: View, label: str, ours: Array, theirs: Array | None, title: str) -> bytes:
    figure = new_figure(_WIDTH, 0.72 * _WIDTH)
    axes = figure.subplots()
    x = view.plane[:, 0]
    axes.plot(x, ours, color=BLUE, label="pinnsolve")
    if theirs is not None:
        axes.plot(x, theirs, color=ORANGE, linestyle=(0, (4, 3)), label=title.lower())
        axes.legend()
    axes.set_ylabel(label)
    axes.set_xlabel(axis_label(view.axes[0]))
    axes.grid(visible=True)
    return png(figure)


def _finish_axes(axes: Axes, view: View) -> None:
    axes.set_xlabel(axis_label(view.axes[0]))
    axes.set_ylabel(axis_label(view.axes[1]))
    if view.to_scale:
        axes.set_aspect("equal")
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)
    axes.locator_params(nbins=5)


def axis_label(name: str) -> str:
    """Return a coordinate with its unit."""
    return labelled(name, "s" if name == "t" else "m")
