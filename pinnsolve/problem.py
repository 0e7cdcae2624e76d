"""Problem: geometry, physics, conditions and data as one frozen value, checked before any training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from pinnsolve.conditions import Condition, Interface
from pinnsolve.declaration_checks import check_problem
from pinnsolve.determinacy import level_is_set
from pinnsolve.geometry import Shape, TimeInterval
from pinnsolve.jets import Coordinates, Frame, component_names
from pinnsolve.measurements import Measurements
from pinnsolve.physics import Physics
from pinnsolve.quantities import Quantity
from pinnsolve.ranges import Range, check_names, columns
from pinnsolve.unknown_functions import UnknownFunction, find_functions
from pinnsolve.unknowns import Unknown, bind, find_ranges, find_unknowns

Array = npt.NDArray[np.float64]

Exact = Callable[[Coordinates], Mapping[str, object]]
"""Exact solution: by field name a scalar or a list of components, written with jets."""


@dataclass(frozen=True)
class Problem:
    """A boundary value problem with its data: pure declaration, refused at construction if it cannot be solved.

    Attributes:
        name: Short name, used for files and tables.
        domain: The region, with named boundary parts.
        physics: The equations.
        conditions: What holds on each boundary part, and at the start if unsteady.
        time: The time interval in s, or None for a steady problem.
        measurements: Sparse data, one :class:`Measurements` or several of them, or None.
        exact: Exact solution where one is known; used to measure errors, never to train. The verdict holds
            the fields to it by the accuracy, so leave it out where noisy data settle unknowns: give
            ``Unknown(truth=...)``.
        quantities: Numbers of interest, with targets.
        accuracy: Relative accuracy that is asked for; it steers the solver and is the verdict's
            limit.
        scales: Typical size by field name, where the automatic choice is to be overruled.
        description: One line for listings.
        origin: Shipped name or file it was made from, for the record.
        parameters: The settable parameters it was made with, for the record.
        ranges: Parameter ranges, each one more coordinate; those that stand in physics and
            conditions are found by themselves, those that only functions use (``x.name``) are given.
        held: Values of the ranges that :meth:`given` has replaced by numbers; functions still find
            them as ``x.name``.
        time_budget: Wall time in s within which a run on two cores should be done, stated beforehand;
            validation holds the run to it, solving takes no notice.
    """

    name: str
    domain: Shape
    physics: Physics
    conditions: Sequence[Condition]
    time: TimeInterval | None = None
    measurements: Measurements | Sequence[Measurements] | None = None
    exact: Exact | None = None
    quantities: Sequence[Quantity] = ()
    accuracy: float = 1e-3
    scales: Mapping[str, float] = field(default_factory=dict)
    description: str = ""
    origin: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    ranges: Sequence[Range] = ()
    held: Mapping[str, float] = field(default_factory=dict)
    time_budget: float = 60.0

    def __post_init__(self) -> None:
        """Check the whole declaration.

        Raises:
            ValueError: Says what rule is broken, what was got and what to do.
        """
        object.__setattr__(self, "conditions", tuple(self.conditions))
        object.__setattr__(self, "quantities", tuple(self.quantities))
        if self.measurements is not None and not isinstance(self.measurements, Measurements):
            if not isinstance(self.measurements, Sequence):
                raise ValueError(
                    f"measurements must be Measurements(...) or several of them, got {self.measurements!r}"
                )
            object.__setattr__(self, "measurements", tuple(self.measurements) or None)
        found = find_ranges(self.physics, self.conditions, tuple(self.ranges))
        object.__setattr__(self, "ranges", found)
        check_problem(self)

    @property
    def frame(self) -> Frame:
        """The coordinates."""
        names = tuple(item.name for item in self.ranges)
        return Frame(self.domain.dim, self.time is not None, names, tuple(self.held.items()))

    @property
    def field_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each field by name."""
        return self.physics.field_shapes(self.domain.dim)

    @property
    def component_names(self) -> tuple[str, ...]:
        """One name per scalar component."""
        return component_names(self.field_shapes)

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """The numbers to be identified."""
        return find_unknowns(self.physics, self.conditions)

    @property
    def data(self) -> tuple[Measurements, ...]:
        """All measurements; none is an empty tuple."""
        if isinstance(self.measurements, Measurements):
            return (self.measurements,)
        return tuple(self.measurements or ())

    @property
    def functions(self) -> tuple[UnknownFunction, ...]:
        """The functions to be identified; their coefficients are among the unknowns."""
        found = find_functions(self.physics, self.conditions)
        return tuple(item for item in found if not item.is_known)

    @property
    def materials(self) -> tuple[Shape, ...]:
        """The shapes at whose boundaries gradients may jump."""
        return tuple(c.shape for c in self.conditions if isinstance(c, Interface))

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Lower and upper corner of the coordinates, time and ranges included, each of shape (D,)."""
        lower, upper = self.domain.bounds
        ends = [] if self.time is None else [(self.time.start, self.time.end)]
        ends += [(item.low, item.high) for item in self.ranges]
        if not ends:
            return np.asarray(lower), np.asarray(upper)
        starts, stops = zip(*ends, strict=True)
        return np.append(lower, starts), np.append(upper, stops)

    @property
    def floating_fields(self) -> tuple[str, ...]:
        """Scalar fields whose level nothing determines; they are normalised to zero mean."""
        candidates = self.physics.determined_up_to_constant()
        return tuple(name for name in candidates if not level_is_set(self, name))

    def bound(self, values: Mapping[str, object]) -> Problem:
        """Return the same problem with unknowns replaced by numbers.

        Args:
            values: A number for every unknown.
        """
        missing = [u.name for u in self.unknowns if u.name not in values]
        if missing:
            raise ValueError(f"no value for the unknown {missing[0]!r}")
        return replace(
            self,
            physics=bind(self.physics, values),
            conditions=bind(tuple(self.conditions), values),
        )

    def given(self, **values: float) -> Problem:
        """Return the same problem with ranges replaced by numbers: ``problem.given(reynolds=100.0)``.

        Args:
            **values: A value for some or all of the ranges.

        Raises:
            ValueError: If there is no such range or a value lies outside of it.
        """
        check_names(self.ranges, values)
        many = [name for name, value in values.items() if np.ndim(value)]
        if many:
            raise ValueError(
                f"given() holds {many[0]} at one number, got {values[many[0]]!r}; for a value per point use "
                f"solution.at(points, {many[0]}=[...])"
            )
        chosen = {r.name: float(values[r.name]) for r in self.ranges if r.name in values}
        left = tuple(item for item in self.ranges if item.name not in chosen)
        columns([item for item in self.ranges if item.name in chosen], chosen, 1)
        return replace(
            self,
            physics=bind(self.physics, chosen),
            conditions=bind(tuple(self.conditions), chosen),
            ranges=left,
            held={**self.held, **chosen},
        )
