"""The picture of a search: error against time, with the trials that no other is better than."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pinnsolve.replacing import replacing

if TYPE_CHECKING:
    from pinnsolve.learning.tuned import Tuned


def draw_front(tuned: Tuned, path: Path) -> None:
    """Draw error against time of all trials, the front marked.

    Args:
        tuned: What was found.
        path: The picture, a PNG.

    Raises:
        ValueError: If its name does not end with .png, or it cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if path.suffix.lower() != ".png":
        raise ValueError(f"{path}: the picture is a PNG, so its name must end with .png")
    figure = Figure(figsize=(6.0, 4.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    done = [trial for trial in tuned.trials if trial.state == "complete"]
    front = sorted(
        (trial for trial in done if trial.number in tuned.front), key=lambda trial: trial.seconds
    )
    axes.scatter([t.seconds for t in done], [t.error for t in done], color="0.6", label="trials")
    axes.plot([t.seconds for t in front], [t.error for t in front], "o-", label="front")
    defaults = [trial for trial in done if not trial.settings]
    axes.scatter(
        [t.seconds for t in defaults],
        [t.error for t in defaults],
        marker="s",
        color="black",
        label="defaults",
        zorder=3,
    )
    axes.set(xscale="log", yscale="log", xlabel="CPU seconds of one fit", ylabel="error")
    axes.legend()
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png")
