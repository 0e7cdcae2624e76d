"""Pictures of identified functions: a curve with its 95 % band, or maps of value and standard deviation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pinnsolve.interop.cells import grid_cells
from pinnsolve.problem import Problem
from pinnsolve.report.field_plots import FieldPictures, Picture, axis_label, drawn, limits_of
from pinnsolve.report.figure import BLUE, ORANGE, labelled, new_figure, png, styled
from pinnsolve.report.functions import SampledFunction
from pinnsolve.report.views import View

Array = npt.NDArray[np.float64]

_REACH = 2.0
"""How far a band is shown beyond the curve, in heights of the curve: where data tell nothing it is very wide."""


def function_pictures(
    problem: Problem, functions: Sequence[SampledFunction]
) -> tuple[FieldPictures, ...]:
    """Draw identified functions, with the truth where a synthetic case knows it.

    Args:
        problem: The declaration.
        functions: Functions on grids.
    """
    with styled():
        return tuple(
            FieldPictures(
                item.name, "", _maps(problem, item) if len(item.coordinates) == 2 else _curve(item)
            )
            for item in functions
        )


def _curve(item: SampledFunction) -> tuple[Picture, ...]:
    figure = new_figure(5.2, 3.2)
    axes = figure.subplots()
    ((name, nodes),) = item.coordinates.items()
    if item.low is not None and item.high is not None:
        axes.fill_between(
            nodes, item.low, item.high, color=BLUE, alpha=0.25, linewidth=0, label="95 % interval"
        )
    axes.plot(nodes, item.values, color=BLUE, label="identified")
    if item.truth is not None:
        axes.plot(nodes, item.truth, color=ORANGE, linestyle=(0, (4, 3)), label="truth")
    axes.set_ylim(*_shown_range(item))
    axes.margins(x=0.0)
    axes.set_xlabel(axis_label(name))
    axes.set_ylabel(labelled(item.name, item.unit))
    axes.grid(visible=True)
    figure.legend(loc="outside upper center", ncols=3)
    title = "Identified, with its 95 % interval" if item.low is not None else "Identified"
    return (Picture(title + ("" if item.truth is None else ", and the truth"), png(figure)),)


def _shown_range(item: SampledFunction) -> tuple[float, float]:
    """Return limits that show curve and truth, and of the band what is not far from them."""
    certain = [item.values] if item.truth is None else [item.values, item.truth]
    low, high = limits_of(np.concatenate([values[np.isfinite(values)] for values in certain]))
    reach = _REACH * (high - low)
    if item.low is not None and item.high is not None:
        low = min(low, max(float(np.nanmin(item.low)), low - reach))
        high = max(high, min(float(np.nanmax(item.high)), high + reach))
    margin = 0.05 * (high - low)
    return low - margin, high + margin


def _maps(problem: Problem, item: SampledFunction) -> tuple[Picture, ...]:
    view, kept = _view(problem, item)
    label = labelled(item.name, item.unit)
    values = item.values.reshape(-1)[kept]
    known = [values] if item.truth is None else [values, item.truth.reshape(-1)[kept]]
    limits = limits_of(np.concatenate(known))
    found = [Picture("Identified", drawn(view, label, values, limits, "viridis"))]
    if item.truth is not None:
        found.append(Picture("Truth", drawn(view, label, known[1], limits, "viridis")))
    if item.std is not None:
        std = item.std.reshape(-1)[kept]
        shown = drawn(view, f"std of {label}", std, limits_of(std), "magma")
        found.append(Picture("Standard deviation", shown))
    return tuple(found)


def _view(problem: Problem, item: SampledFunction) -> tuple[View, npt.NDArray[np.intp]]:
    """Return the grid as a view, and the numbers of its nodes that lie in the domain."""
    names, axes = tuple(item.coordinates), tuple(item.coordinates.values())
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    quads = grid_cells(tuple(len(values) for values in axes))
    triangles = np.concatenate((quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]))
    inside = np.isfinite(item.values.reshape(-1))
    kept, numbers = np.unique(triangles[inside[triangles].all(axis=1)], return_inverse=True)
    plane = nodes[kept]
    flat = names == ("x", "y") and problem.domain.dim == 2
    outline = tuple(line for _, line in problem.domain.outline()) if flat else ()
    return View("", names, plane, plane, numbers.reshape(-1, 3), outline), kept
