"""Pictures of identified functions: a curve with its 95 % band, or maps of value and standard deviation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pinnsolve.interop.cells import grid_cells
from pinnsolve.report.field_plots import FieldPictures, Picture, axis_label, drawn, limits_of
from pinnsolve.report.figure import BLUE, ORANGE, labelled, new_figure, png, styled
from pinnsolve.report.functions import SampledFunction, truth_at
from pinnsolve.report.views import View, views
from pinnsolve.solution import Solution

Array = npt.NDArray[np.float64]

_REACH = 2.0
"""How far a band is shown beyond the curve, in heights of the curve: where data tell nothing it is very wide."""


def function_pictures(
    solution: Solution, functions: Sequence[SampledFunction]
) -> tuple[FieldPictures, ...]:
    """Draw identified functions, with the truth where a synthetic case knows it.

    Args:
        solution: The solution that they are of.
        functions: Its functions on grids.
    """
    with styled():
        return tuple(
            FieldPictures(
                item.name, "", _maps(solution, item) if len(item.coordinates) == 2 else _curve(item)
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


def _maps(solution: Solution, item: SampledFunction) -> tuple[Picture, ...]:
    view, values, truth, std = _on_view(solution, item)
    label = labelled(item.name, item.unit)
    limits = limits_of(values if truth is None else np.concatenate((values, truth)))
    found = [Picture("Identified", drawn(view, label, values, limits, "viridis"))]
    if truth is not None:
        found.append(Picture("Truth", drawn(view, label, truth, limits, "viridis")))
    if std is not None:
        shown = drawn(view, f"std of {label}", std, limits_of(std), "magma")
        found.append(Picture("Standard deviation", shown))
    return tuple(found)


def _on_view(
    solution: Solution, item: SampledFunction
) -> tuple[View, Array, Array | None, Array | None]:
    """Return where a function is drawn, with value, truth and standard deviation there.

    A function of both coordinates of a plane region is drawn on the region, others on their grid.
    """
    names = tuple(item.coordinates)
    if solution.problem.domain.dim == 2 and set(names) == {"x", "y"}:
        (region,) = views(solution.problem)
        found = solution.functions[item.name]
        nodes = region.plane[:, ["xy".index(name) for name in names]]
        truth = truth_at(solution.problem, found, nodes)
        std = None if item.std is None else found.std(nodes)
        return replace(region, points=region.plane, title=""), found(nodes), truth, std
    nodes = np.stack(np.meshgrid(*item.coordinates.values(), indexing="ij"), axis=-1).reshape(-1, 2)
    quads = grid_cells(item.values.shape)
    triangles = np.concatenate((quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]))
    flat = [None if part is None else part.reshape(-1) for part in (item.truth, item.std)]
    return View("", names, nodes, nodes, triangles), item.values.reshape(-1), flat[0], flat[1]
