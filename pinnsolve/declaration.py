"""What the checks of a declaration read of it; :class:`pinnsolve.problem.Problem` has all of this."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pinnsolve.conditions import Condition
from pinnsolve.geometry import Shape, TimeInterval
from pinnsolve.jets import Coordinates, Frame
from pinnsolve.measurements import Measurements
from pinnsolve.physics import Physics
from pinnsolve.ranges import Range
from pinnsolve.unknowns import Unknown


class Declaration(Protocol):
    """What the checks read of a problem."""

    @property
    def name(self) -> str:
        """Short name."""
        ...

    @property
    def domain(self) -> Shape:
        """The region."""
        ...

    @property
    def physics(self) -> Physics:
        """The equations."""
        ...

    @property
    def conditions(self) -> Sequence[Condition]:
        """What holds on the boundary and at the start."""
        ...

    @property
    def time(self) -> TimeInterval | None:
        """The time interval."""
        ...

    @property
    def measurements(self) -> Measurements | Sequence[Measurements] | None:
        """Sparse data, as they were given."""
        ...

    @property
    def data(self) -> tuple[Measurements, ...]:
        """All measurements."""
        ...

    @property
    def exact(self) -> Callable[[Coordinates], Mapping[str, object]] | None:
        """Exact solution."""
        ...

    @property
    def accuracy(self) -> float:
        """Relative accuracy asked for."""
        ...

    @property
    def time_budget(self) -> float:
        """Wall time in s that a run should take at most."""
        ...

    @property
    def scales(self) -> Mapping[str, float]:
        """Typical sizes by field."""
        ...

    @property
    def frame(self) -> Frame:
        """The coordinates."""
        ...

    @property
    def field_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape by field name."""
        ...

    @property
    def component_names(self) -> tuple[str, ...]:
        """One name per component."""
        ...

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """Numbers to be identified."""
        ...

    @property
    def ranges(self) -> Sequence[Range]:
        """Parameter ranges."""
        ...

    @property
    def bounds(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Corners of the coordinates."""
        ...
