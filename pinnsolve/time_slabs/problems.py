"""What is solved in one time slab: the same declaration, over its own time, from the end of the slab before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from pinnsolve.blocks import interior_block
from pinnsolve.collocation import tensor
from pinnsolve.conditions import Condition, Initial
from pinnsolve.geometry import TimeInterval
from pinnsolve.jets import Coordinates, Jet, as_jet, component_names
from pinnsolve.method import Method
from pinnsolve.physics.physics import Value
from pinnsolve.problem import Problem
from pinnsolve.solution import Solution, component_values
from pinnsolve.streams import needed_streams
from pinnsolve.training.trunk import scaling_of


def refuse_slabs(problem: Problem, method: Method) -> None:
    """Refuse what cannot be solved slab by slab.

    Args:
        problem: The declaration.
        method: How it is to be solved.

    Raises:
        ValueError: Says why, and what to do.
    """
    name = repr(problem.name)
    if problem.time is None:
        raise ValueError(
            f"time slabs: problem {name} is steady; give it a time interval, or leave slabs out"
        )
    if problem.unknowns or problem.measurements is not None:
        what = "unknowns" if problem.unknowns else "measurements"
        raise ValueError(
            f"time slabs: problem {name} has {what}, which tie all times together, while a slab knows nothing of later "
            "ones; solve it as a whole"
        )
    if method.boundary == "exact":
        raise ValueError(
            "time slabs: a slab begins with values of a network, which boundary='exact' cannot build into the next "
            "one; use boundary='penalty'"
        )
    axis = problem.domain.dim
    indices, _ = needed_streams(
        interior_block(problem, 4, 0), problem.field_shapes, problem.frame, {}
    )
    if any(index.count(axis) > 1 for index in indices):
        raise ValueError(
            f"time slabs: the equations of problem {name} have second derivatives in time, but only values are "
            "handed on from slab to slab; make the rate a field of its own, v = dt(u), or solve it as a whole"
        )


def edges_of(problem: Problem, slabs: int | Sequence[float]) -> tuple[float, ...]:
    """Return all edges in s.

    Args:
        problem: An unsteady problem.
        slabs: Number of slabs, or their edges.

    Raises:
        ValueError: If there is no slab, or the edges do not ascend from the start to the end of the problem.
    """
    if problem.time is None:
        raise ValueError(f"problem {problem.name!r} has no time")
    start, end = problem.time.start, problem.time.end
    if isinstance(slabs, int):
        if slabs < 1:
            raise ValueError(f"time slabs: there must be one at least, got {slabs}")
        return tuple(float(edge) for edge in np.linspace(start, end, slabs + 1))
    edges = tuple(float(edge) for edge in slabs)
    if len(edges) < 2 or not all(a < b for a, b in pairwise(edges)):
        raise ValueError(f"time slabs: the edges must ascend, got {list(edges)}")
    if (edges[0], edges[-1]) != (start, end):
        raise ValueError(
            f"time slabs: the edges must run from {start} s to {end} s, as problem {problem.name!r} does, "
            f"got {list(edges)}"
        )
    return edges


def slab_problem(
    problem: Problem,
    begin: float,
    end: float,
    before: Sequence[Solution],
    total: int,
    *,
    seed: int,
) -> Problem:
    """Return the problem of one slab.

    Args:
        problem: The whole.
        begin: First instant of the slab in s.
        end: Its last one.
        before: The slabs before it, solved.
        total: Number of slabs.
        seed: Seed of the points at which sizes are found.
    """
    conditions = [
        _handed_on(problem, condition, before[-1], begin)
        if before and isinstance(condition, Initial)
        else condition
        for condition in problem.conditions
    ]
    slab = replace(
        problem,
        conditions=conditions,
        time=TimeInterval(begin, end),
        accuracy=problem.accuracy / total,
        quantities=(),
        exact=None,
    )
    if not before:
        return slab
    largest = np.max([solution.scaling.scale.cpu().numpy() for solution in before], axis=0)
    decayed = float((largest / scaling_of(slab, seed).scale.numpy()).min())
    looser = min(slab.accuracy * max(1.0, decayed), max(slab.accuracy, _LOOSEST))
    return replace(slab, accuracy=looser)


def _handed_on(problem: Problem, condition: Initial, before: Solution, time: float) -> Condition:
    """Return an initial condition with the values that a solution has at a time."""
    names, shapes = problem.component_names, problem.field_shapes
    values: dict[str, Value] = {}
    for name in condition.values:
        own = component_names({name: shapes[name]}) if name in shapes else (name,)
        columns = [names.index(component) for component in own]
        values[name] = _value_of(before, columns, time, scalar=shapes.get(name, ()) == ())
    return Initial(**values)


def _value_of(solution: Solution, columns: Sequence[int], time: float, *, scalar: bool) -> Value:
    """Return a given value: components of a solution at a time, whatever the time of the points."""
    axis = solution.problem.domain.dim

    def value(x: Coordinates) -> Jet | list[Jet]:
        points = x.points.detach().cpu().double().numpy().copy()
        points[:, axis] = time
        found = tensor(component_values(solution, points)).to(x.points)
        jets = [as_jet(found[:, column], x.frame) for column in columns]
        return jets[0] if scalar else jets

    return value


_LOOSEST = 0.5
"""Relative accuracy asked of a slab in which the fields have all but vanished."""
