"""The look of all pictures: text in a grey that reads on white and on black, no background."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]

GREY = "#7d858f"
"""Text, axes and outlines."""

BLUE, ORANGE = "#3d8bd4", "#d9822b"
"""Curves, readable on white and on black."""

PARTS = ("#d9822b", "#3d8bd4", "#2f9e6e", "#b65fcf", "#d64f5d", "#8a8f2c", "#0fa3b1", "#a9745b")
"""Boundary parts, in the order of the shape."""

_DOTS_PER_INCH = 160

_STYLE: dict[Any, Any] = {
    "font.size": 9.0,
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "axes.titlecolor": GREY,
    "axes.titlesize": 9.0,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.formatter.limits": (-3, 4),
    "axes.formatter.use_mathtext": True,
    "axes.formatter.useoffset": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "text.color": GREY,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "grid.color": GREY,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
}


@contextmanager
def styled() -> Iterator[None]:
    """Use the look of the pictures within a block."""
    import matplotlib as mpl

    with mpl.rc_context(_STYLE):
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure that belongs to no window.

    Args:
        width: In inches.
        height: In inches.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def png(figure: Figure) -> bytes:
    """Return a figure as the bytes of a PNG without background."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS_PER_INCH, transparent=True)
    return buffer.getvalue()


def unit_text(unit: str) -> str:
    """Return a unit for reading: ``W/(m2 K)`` becomes ``W/(m² K)``."""
    return re.sub(r"(?<=[a-zA-Z])[23]\b", lambda m: {"2": "²", "3": "³"}[m[0]], unit)


def labelled(name: str, unit: str) -> str:
    """Return a name with its unit: ``temperature [K]``."""
    return f"{name} [{unit_text(unit)}]" if unit else name
