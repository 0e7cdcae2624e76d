"""One scalar equation of a discrete system, at nodes of a grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from pinnsolve.jets import Coordinates, Fields, Jet
from pinnsolve.reference.grids import Integers, Nodes
from pinnsolve.reference.stencils import Array

Row = Callable[[Fields, Coordinates], Jet]
"""One scalar equation, as a function of the fields and the coordinates of N nodes."""


Kind = Literal["equation", "value", "flux"]


@dataclass(frozen=True, eq=False)
class Law:
    """One scalar equation at some nodes of the component that it determines.

    Attributes:
        name: For messages: ``energy`` or ``left: Dirichlet``.
        component: Position of the component whose rows of the system these are.
        target: A node set that the nodes are among.
        chosen: Which nodes of ``target``, shape (N,).
        numbers: Their numbers among the nodes of the component, shape (N,).
        row: The equation.
        kind: A field equation, a condition on values alone, or one on fluxes.
        factor: What each row is multiplied with, shape (N,); None for 1.
        whole: Name of the law that this one is a part of; the rows of its parts are added up as they are.
    """

    name: str
    component: int
    target: Nodes
    chosen: Integers
    numbers: Integers
    row: Row
    kind: Kind
    factor: Array | None = None
    whole: str = ""

    @property
    def is_compact(self) -> bool:
        """Whether values are interpolated within the cells that the nodes lie in."""
        return self.whole != ""

    @cached_property
    def points(self) -> Array:
        """Coordinates of the nodes, shape (N, D)."""
        return self.target.points[self.chosen]

    def kept(self, keep: npt.NDArray[np.bool_]) -> Law:
        """Return the law at some of its nodes only."""
        factor = None if self.factor is None else self.factor[keep]
        return replace(self, chosen=self.chosen[keep], numbers=self.numbers[keep], factor=factor)
