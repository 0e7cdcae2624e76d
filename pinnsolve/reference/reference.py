"""An independent classical solution of the same declaration, with its own error bar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reference:
    """A reference solution.

    Attributes:
        method: What computed it, in words: ``finite differences 65x65 and 129x129, Richardson``.
        evaluate: Maps points (N, D), space then time, in SI units to all field components (N, C).
        error: Its own relative L2 error by field name (root mean square over components),
            estimated from two or more resolutions; the error bar that a comparison must allow for.
        num_unknowns: Size of the largest discrete system.
        seconds: Wall time.
        note: What a reader should know, for instance a singular corner.
    """

    method: str
    evaluate: Callable[[Array], Array]
    error: Mapping[str, float]
    num_unknowns: int
    seconds: float
    note: str = ""


@dataclass(frozen=True)
class NoReference:
    """Why there is no reference for a problem.

    Attributes:
        reason: One sentence.
    """

    reason: str
