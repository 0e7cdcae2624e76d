"""Pictures of what an inverse problem rests on: residuals by sensor, and the correlation of the unknowns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pinnsolve.judging_data import DataResiduals
from pinnsolve.report.figure import GREY, PARTS, new_figure, png, styled

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

_NORMAL_95 = 1.96
_MOST_LINES = 60
"""Sensors up to which they are set apart by lines."""

_MOST_NUMBERS = 12
"""Unknowns up to which each correlation is written into its field."""


def residual_picture(residuals: Sequence[DataResiduals], space_dim: int) -> bytes:
    """Draw the standardised residuals of all readings sensor by sensor, those that were held out apart.

    Args:
        residuals: Residuals over noise.
        space_dim: Number of space coordinates: readings at one place are one sensor.

    Returns:
        The bytes of a PNG.
    """
    from matplotlib.ticker import MaxNLocator

    places, sensors = _sensors(residuals, space_dim)
    position, count = _positions(sensors)
    sizes = np.concatenate([item.ratios for item in residuals])
    names = list(dict.fromkeys((item.source, item.quantity) for item in residuals))
    several = len({source for source, _ in names}) > 1
    with styled():
        figure = new_figure(7.6, 2.9)
        axes = figure.subplots()
        axes.axhspan(-_NORMAL_95, _NORMAL_95, color=GREY, alpha=0.15, linewidth=0)
        axes.axhline(0.0, color=GREY, linewidth=0.8)
        start = 0
        for item in residuals:
            end = start + len(item.ratios)
            key = (item.source, item.quantity)
            label = f"{item.quantity}, {item.source}" if several else item.quantity
            axes.plot(
                position[start:end],
                item.ratios,
                "D" if item.held_out else "o",
                color=PARTS[(names.index(key) + 1) % len(PARTS)],
                markerfacecolor="none" if item.held_out else None,
                markersize=5.0 if len(sizes) <= 200 else 2.5,
                alpha=1.0 if len(sizes) <= 200 else 0.6,
                label=f"{label}, held out" if item.held_out else label,
            )
            start = end
        if len(count) > 1 and count.max() > 1 and len(count) <= _MOST_LINES:
            for edge in np.cumsum(count)[:-1]:
                axes.axvline(edge + 0.5, color=GREY, linewidth=0.6, alpha=0.5)
        reach = 1.1 * max(float(np.abs(sizes).max()), 3.0)
        axes.set_ylim(-reach, reach)
        axes.set_ylabel("residual / noise")
        one_each = bool((count == 1).all())
        axes.set_xlabel("sensor" if one_each else f"reading, sensor by sensor ({places} of them)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.legend(loc="outside upper center", ncols=3)
        return png(figure)


def _sensors(residuals: Sequence[DataResiduals], space_dim: int) -> tuple[int, Index]:
    """Return the number of places, and that of each reading in order of their coordinates."""
    points = np.concatenate([item.points[:, :space_dim] for item in residuals])
    places, numbers = np.unique(points, axis=0, return_inverse=True)
    return len(places), numbers.reshape(-1)


def _positions(sensors: Index) -> tuple[Index, Index]:
    """Return the place of each reading on the axis, from 1, and the number of readings of each sensor."""
    order = np.argsort(sensors, kind="stable")
    position = np.empty(len(sensors), dtype=np.intp)
    position[order] = np.arange(1, len(sensors) + 1)
    return position, np.bincount(sensors)


def correlation_picture(names: Sequence[str], correlation: Array) -> bytes:
    """Draw the correlation of the unknowns as a map.

    Args:
        names: Their names.
        correlation: Shape (K, K).

    Returns:
        The bytes of a PNG.
    """
    count = len(names)
    size = float(np.clip(1.3 + 0.55 * count, 2.6, 6.0))
    with styled():
        figure = new_figure(size + 0.9, size)
        axes = figure.subplots()
        shown = axes.imshow(correlation, cmap="RdBu_r", vmin=-1.0, vmax=1.0)
        axes.set_xticks(range(count), names, rotation=45.0 if count > 3 else 0.0)
        axes.set_yticks(range(count), names)
        axes.tick_params(length=0.0)
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)
        for i, j in np.ndindex(count, count) if count <= _MOST_NUMBERS else ():
            strong = abs(correlation[i, j]) > 0.6
            text = f"{correlation[i, j]:.2f}"
            axes.text(j, i, text, ha="center", va="center", color="white" if strong else "#333333")
        bar = figure.colorbar(shown, ax=axes, pad=0.03, aspect=24)
        bar.outline.set_visible(False)
        return png(figure)
