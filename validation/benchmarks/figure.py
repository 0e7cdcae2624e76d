"""The figure: error against wall time, one panel a case."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pinnsolve.report.figure import BLUE, GREY, ORANGE, new_figure, png, styled

from .curves import LEVELS
from .summary import drawn_curves

_COLUMNS = 4
_LOOKS = {
    "pinnsolve": (BLUE, "-", "pinnsolve"),
    "deepxde": (ORANGE, "-", "DeepXDE"),
    "classical": (GREY, "--", "finite differences"),
}


def benchmark_figure(document: Mapping[str, Any]) -> bytes:
    """Return a PNG with one panel per case, both axes logarithmic.

    Args:
        document: What :func:`pinnsolve.validation.benchmarks.summary.benchmark_document` returns.
    """
    cases = document["cases"]
    columns = min(_COLUMNS, len(cases))
    rows = math.ceil(len(cases) / columns)
    with styled():
        figure = new_figure(3.0 * columns + 0.4, 2.4 * rows + 0.5)
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for panel, case in zip(panels, cases, strict=False):
            for solver, curves in drawn_curves(case).items():
                color, line, label = _LOOKS[solver]
                for number, curve in enumerate(curves):
                    mark = "o" if solver == "classical" else None
                    name = label if number == 0 else None
                    options = {"color": color, "linestyle": line, "label": name, "marker": mark}
                    panel.plot(curve.seconds, curve.errors, markersize=3, **options)
            for level in LEVELS.values():
                panel.axhline(level, color=GREY, linewidth=0.5, alpha=0.4)
            panel.set(title=case["title"], xscale="log", yscale="log")
            panel.xaxis.set_minor_formatter("")  # two of them within a decade overlap
            panel.yaxis.set_minor_formatter("")
            panel.set(xlabel="wall time [s]", ylabel="relative L2 error")
        for panel in panels[len(cases) :]:
            panel.set_visible(False)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
        return png(figure)
