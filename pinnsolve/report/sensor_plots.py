"""The picture of further sensors: what each candidate would tell, and which were chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pinnsolve.inference import NextSensors
from pinnsolve.problem import Problem
from pinnsolve.report.figure import GREY, ORANGE, labelled, new_figure, png, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]

_WIDTH = 5.2


def sensors_picture(problem: Problem, found: NextSensors) -> bytes:
    """Draw candidates on the geometry, coloured by what each would tell alone; the chosen ones carry their rank.

    The colour is the share by which the standard deviation would fall (that of several unknowns: the volume of their
    ellipsoid). Triangles are the sensors that are there already. A 1-D unsteady problem is drawn in space and time.

    Args:
        problem: The declaration.
        found: What :func:`next_sensors` returned for a solution of it.

    Example:
        >>> Path("next.png").write_bytes(ps.sensors_picture(problem, found))  # doctest: +SKIP

    Returns:
        The bytes of a PNG.

    Raises:
        ValueError: If the candidates have other coordinates than the problem.
    """
    if found.candidates.shape[1] != problem.frame.num_physical:
        raise ValueError(
            f"candidates with {found.candidates.shape[1]} coordinates for the problem {problem.name!r} with "
            f"{problem.frame.num_physical}; give the problem that next_sensors() was asked about"
        )
    with styled():
        solid = problem.domain.dim == 3
        figure, axes = _solid(problem) if solid else _plane(problem)
        places = _drawn(problem, found.candidates)
        order = np.argsort(found.gains, kind="stable")  # the best at one place lies on top
        shares = 100.0 * -np.expm1(-found.gains)
        there = [_drawn(problem, item.points) for item in problem.data]
        for k, points in enumerate(there):
            name = "in place" if k == 0 else None
            axes.scatter(
                *points.T, marker="^", s=16.0, color=GREY, linewidths=0, label=name, zorder=3
            )
        size = 26.0 if len(places) <= 400 else 9.0
        coloured = axes.scatter(
            *places[order].T, c=shares[order], s=size, cmap="viridis", vmin=0.0, linewidths=0
        )
        _number(axes, problem, found, places)
        bar = figure.colorbar(coloured, ax=axes, pad=0.14 if solid else 0.03, aspect=28)
        bar.set_label(_meaning(found.names))
        bar.outline.set_visible(False)
        figure.legend(loc="outside upper center", ncols=2)
        return png(figure)


def _meaning(names: tuple[str, ...]) -> str:
    if len(names) == 1:
        return f"std of {names[0]} smaller by [%]"
    listed = ", ".join(names) if len(names) <= 4 else f"{len(names)} unknowns"
    return f"ellipsoid of {listed} smaller by [%]"


def _drawn(problem: Problem, points: Array) -> Array:
    """Return what is drawn of points (N, D): (x, 0), (x, t), (x, y) or (x, y, z)."""
    dim = problem.domain.dim
    if dim == 1 and problem.time is None:
        return np.column_stack((points[:, 0], np.zeros(len(points))))
    return points[:, : max(dim, 2)]


def _number(axes: Any, problem: Problem, found: NextSensors, places: Array) -> None:  # noqa: ANN401
    """Ring the chosen candidates and write their ranks beside them, those at one place together."""
    ranks: dict[tuple[float, ...], list[str]] = {}
    for rank, chosen in enumerate(found.chosen, start=1):
        text = str(rank)
        if problem.time is not None and problem.domain.dim > 1:
            text += f" (t = {found.candidates[chosen, -1]:.4g} s)"
        ranks.setdefault(tuple(places[chosen].tolist()), []).append(text)
    rings = np.array(list(ranks))
    axes.scatter(
        *rings.T, s=90.0, facecolors="none", edgecolors=ORANGE, linewidths=1.6, label="chosen"
    )
    for place, texts in ranks.items():
        if len(place) == 3:
            axes.text(*place, "  " + ", ".join(texts), color=ORANGE, fontweight="bold")
        else:
            axes.annotate(
                ", ".join(texts),
                place,
                xytext=(0.0, 7.0),
                textcoords="offset points",
                color=ORANGE,
                fontweight="bold",
                ha="center",
                va="bottom",
            )


def _plane(problem: Problem) -> tuple[Figure, Any]:
    """Return axes with the outline of a line, of space and time, or of a plane region."""
    lower, upper = problem.bounds
    line = problem.domain.dim == 1 and problem.time is None
    extent = upper[:2] - lower[:2] if not line else np.array([1.0, 0.25])
    flat = problem.domain.dim == 2
    ratio = float(extent[1] / extent[0]) if flat else 0.25 if line else 0.75
    figure = new_figure(_WIDTH, float(np.clip(0.75 * _WIDTH * ratio + 0.8, 1.8, 5.6)))
    axes = figure.subplots()
    axes.set_xlabel(labelled("x", "m"))
    if flat:
        for _, curve in problem.domain.outline():
            axes.plot(*curve.T, color=GREY, linewidth=1.4, solid_capstyle="round")
        axes.set_aspect("equal")
        axes.set_ylabel(labelled("y", "m"))
        axes.spines[["left", "bottom"]].set_visible(False)
    elif line:
        axes.plot([lower[0], upper[0]], [0.0, 0.0], color=GREY, linewidth=1.2, zorder=0)
        axes.set_yticks([])
        axes.set_ylim(-1.0, 1.0)
        axes.spines["left"].set_visible(False)
    else:
        for x in (lower[0], upper[0]):
            axes.plot([x, x], [lower[1], upper[1]], color=GREY, linewidth=1.4)
        axes.set_ylabel(labelled("t", "s"))
    return figure, axes


def _solid(problem: Problem) -> tuple[Figure, Any]:
    figure = new_figure(_WIDTH, 4.6)
    axes: Any = figure.add_subplot(projection="3d", computed_zorder=False)
    for _, line in problem.domain.outline():
        axes.plot(*line.T, color=GREY, linewidth=0.8, alpha=0.6)
    axes.set_box_aspect(np.ptp(np.stack(problem.domain.bounds), axis=0))
    for name in "xyz":
        getattr(axes, f"set_{name}label")(labelled(name, "m"))
        getattr(axes, f"{name}axis").set_pane_color((0.0, 0.0, 0.0, 0.0))
    axes.locator_params(nbins=4)
    axes.grid(visible=False)
    return figure, axes
