"""Pictures of a run and of a declaration: convergence, and the geometry with its points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from pinnsolve.blocks import Block, make_blocks
from pinnsolve.method import Method
from pinnsolve.networks import Network
from pinnsolve.problem import Problem
from pinnsolve.record import RunRecord
from pinnsolve.report.figure import (
    BLUE,
    GREY,
    ORANGE,
    PARTS,
    labelled,
    new_figure,
    png,
    styled,
)

if TYPE_CHECKING:
    from typing import Any

    from matplotlib.axes import Axes

Array = npt.NDArray[np.float64]

_MOST_POINTS = 1500
"""Points drawn per block."""


def convergence_picture(record: RunRecord, accuracy: float) -> bytes:
    """Draw the loss and the estimated error over time.

    Args:
        record: The run.
        accuracy: The relative accuracy that was asked for.

    Returns:
        The bytes of a PNG.
    """
    with styled():
        figure = new_figure(5.2, 2.9)
        left = figure.subplots()
        right = left.twinx()
        seconds = np.array([step.seconds for step in record.history])
        loss = np.array([step.loss for step in record.history])
        error = np.array([step.error_estimate for step in record.history])
        known = np.isfinite(error) & (error > 0.0)
        left.plot(seconds, np.where(loss > 0.0, loss, np.nan), color=BLUE)
        right.plot(seconds[known], error[known], color=ORANGE)
        right.axhline(accuracy, color=ORANGE, linewidth=0.9, linestyle=(0, (4, 3)))
        right.annotate(
            "accuracy asked for",
            (0.01, accuracy),
            xycoords=("axes fraction", "data"),
            xytext=(0, 3),
            textcoords="offset points",
            color=ORANGE,
            fontsize=8,
        )
        for axes, name, colour in (
            (left, "loss", BLUE),
            (right, "estimated relative error", ORANGE),
        ):
            axes.set_yscale("log")
            axes.set_ylabel(name, color=colour)
            axes.tick_params(axis="y", colors=colour, which="both")
        right.spines["right"].set_visible(True)
        left.set_xlabel("time [s]")
        left.set_xlim(left=0.0)
        left.grid(visible=True)
        return png(figure)


def problem_picture(problem: Problem, blocks: tuple[Block, ...]) -> bytes:
    """Draw the geometry with the names of its boundary parts and the collocation points.

    A 1-D unsteady problem is drawn in space and time.

    Args:
        problem: The declaration.
        blocks: Its points.

    Returns:
        The bytes of a PNG.
    """
    with styled():
        if problem.domain.dim == 3:
            return _solid(problem, blocks)
        return _flat(problem, blocks)


def _flat(problem: Problem, blocks: tuple[Block, ...]) -> bytes:
    # the ranges are not drawn
    lower, upper = (corner[: problem.frame.num_physical] for corner in problem.bounds)
    has_time_axis = problem.domain.dim == 1 and problem.time is not None
    is_line = problem.domain.dim == 1 and problem.time is None
    extent = upper - lower
    ratio = 0.25 if is_line else 0.75 if has_time_axis else float(extent[1] / extent[0])
    figure = new_figure(5.2, float(np.clip(0.85 * 5.2 * ratio + 0.6, 1.6, 5.6)))
    axes = figure.subplots()
    colours = part_colours(problem)
    for block in blocks:
        points = _drawn_points(block)[:, : len(lower)]
        plane = np.column_stack((points, np.zeros(len(points))))[:, :2]
        if block.kind == "data":
            axes.plot(*plane.T, "^", color="#d64f5d", markersize=5, zorder=5, label=block.name)
        else:
            size = 3.0 if block.kind == "interior" else 6.0
            colour = colours.get(block.name.split(":")[0], GREY)
            axes.scatter(plane[:, 0], plane[:, 1], s=size, color=colour, alpha=0.55, linewidths=0)
    for part, line in problem.domain.outline():
        if problem.domain.dim == 2:
            axes.plot(
                line[:, 0], line[:, 1], color=colours[part], linewidth=2.2, solid_capstyle="round"
            )
        elif has_time_axis:
            axes.plot([line[0, 0]] * 2, [lower[1], upper[1]], color=colours[part], linewidth=2.2)
        else:
            axes.plot(line[0, 0], 0.0, "o", color=colours[part])
    if is_line:
        axes.plot([lower[0], upper[0]], [0.0, 0.0], color=GREY, linewidth=1.2, zorder=0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
    _name_parts(axes, problem, colours)
    axes.set_xlabel(labelled("x", "m"))
    axes.locator_params(axis="x", nbins=6)
    if problem.domain.dim == 2:
        reach = 0.18 * float(extent.max())  # room for the names of the parts
        axes.set(
            xlim=(lower[0] - reach, upper[0] + reach), ylim=(lower[1] - reach, upper[1] + reach)
        )
        axes.set_ylabel(labelled("y", "m"))
        axes.set_aspect("equal")
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.locator_params(axis="y", nbins=6)
    else:
        axes.margins(x=0.16)
    if has_time_axis:
        axes.set_ylabel(labelled("t", "s"))
    if problem.measurements is not None:
        figure.legend(loc="outside upper center")
    return png(figure)


def _name_parts(axes: Axes, problem: Problem, colours: dict[str, str]) -> None:
    """Write each part's name beside its middle, on the outer side."""
    for part, colour in colours.items():
        place, normal = _middle(problem, part)
        anchor = place if len(place) == 2 else np.array([place[0], 0.0])
        outward = np.append(normal, 0.0)[:2]
        if problem.domain.dim == 1 and problem.time is not None:
            anchor[1] = 0.5 * (problem.time.start + problem.time.end)
        sideways = float(np.round(outward[0], 1))
        axes.annotate(
            part,
            (anchor[0], anchor[1]),
            xytext=tuple(9.0 * outward),
            textcoords="offset points",
            color=colour,
            fontweight="bold",
            ha="left" if sideways > 0.3 else "right" if sideways < -0.3 else "center",
            va="bottom" if outward[1] > 0.3 else "top" if outward[1] < -0.3 else "center",
        )


def _solid(problem: Problem, blocks: tuple[Block, ...]) -> bytes:
    figure = new_figure(5.2, 4.6)
    axes: Any = figure.add_subplot(projection="3d", computed_zorder=False)
    colours = part_colours(problem)
    for block in blocks:
        if block.kind in ("boundary", "periodic", "interface", "data"):
            points = _drawn_points(block)[:, :3]
            colour = colours.get(block.name.split(":")[0], GREY)
            axes.scatter(*points.T, s=4.0, color=colour, alpha=0.6, linewidths=0)
    for part, line in problem.domain.outline():
        axes.plot(*line.T, color=colours[part], linewidth=1.2)
    for part, colour in colours.items():
        place, _ = _middle(problem, part)
        axes.text(*place, part, color=colour, fontweight="bold", ha="center", zorder=10)
    axes.set_box_aspect(np.ptp(np.stack(problem.domain.bounds), axis=0))
    for name in "xyz":
        getattr(axes, f"set_{name}label")(labelled(name, "m"))
        getattr(axes, f"{name}axis").set_pane_color((0.0, 0.0, 0.0, 0.0))
    axes.locator_params(nbins=4)
    axes.grid(visible=False)
    return png(figure)


def training_blocks(problem: Problem, network: Network, *, seed: int) -> tuple[Block, ...]:
    """Return the points that a problem is trained on by default.

    Args:
        problem: The declaration.
        network: The network; the number of points goes by its size.
        seed: Seed of the run.
    """
    return make_blocks(problem, Method().points_for(problem, network), seed=seed)


def part_colours(problem: Problem) -> dict[str, str]:
    """Return a colour for every boundary part."""
    return {part: PARTS[i % len(PARTS)] for i, part in enumerate(problem.domain.parts)}


def _drawn_points(block: Block) -> Array:
    points = block.point_sets[0]
    if block.shares is not None:  # a sensor of some extent is drawn where its middle is
        nodes = torch.stack(block.point_sets, dim=1)
        points = (block.shares[..., None] * nodes).sum(dim=1)
    return np.asarray(points.cpu().numpy()[:_MOST_POINTS], dtype=np.float64)


def _middle(problem: Problem, part: str) -> tuple[Array, Array]:
    """Return the point of a part nearest to its centroid, with the outward normal."""
    sample, weights = problem.domain.part_quadrature(part, 64)
    centre = weights @ sample.points / weights.sum()
    nearest = int(np.argmin(np.linalg.norm(sample.points - centre, axis=1)))
    return sample.points[nearest].copy(), sample.normals[nearest]
