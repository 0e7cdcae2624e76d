"""What conditions leave open: parts without a condition, and levels that nothing sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from pinnsolve.conditions import Condition, Initial, Interface, Periodic
from pinnsolve.declaration import Declaration
from pinnsolve.jets import Coordinates, as_jet
from pinnsolve.measurement_checks import measured_values
from pinnsolve.trial import trial_fields
from pinnsolve.trial_points import in_full, values_at
from pinnsolve.unknown_functions import find_functions
from pinnsolve.unknowns import bind


def field_is_determined(problem: Declaration) -> bool:
    """Whether conditions and equations alone determine the field, once the unknowns are given, without any data.

    Every part of the boundary and the start say something about every component that needs it, and a condition sets
    the level.
    """
    return not (_left_open(problem) or any(open_levels(problem)))


def field_follows_unknowns(problem: Declaration) -> bool:
    """Whether there are unknowns and the field follows from them: data are then to settle these and nothing else."""
    return bool(problem.unknowns) and field_is_determined(problem)


def data_carry_the_field(problem: Declaration) -> bool:
    """Whether conditions are missing, and readings are so many that they can choose how smooth the field is.

    Only where noise is stated and normal and unknowns are numbers without priors, without ranges or materials that
    meet, and in more than one space coordinate: in one, what is missing is a few numbers.
    """
    many = sum(data.num_values for data in problem.data) >= _MANY
    if not many or problem.frame.space_dim < 2 or field_is_determined(problem):
        return False
    stated = all(
        data.likelihood == "normal" and all(data.noise_of(name) is not None for name in data.values)
        for data in problem.data
    )
    joined = any(isinstance(condition, Interface | Periodic) for condition in problem.conditions)
    known = any(u.prior is not None for u in problem.unknowns)
    known = known or bool(find_functions(problem.physics, problem.conditions))
    return stated and not (joined or known or problem.ranges)


def _left_open(problem: Declaration) -> bool:
    """Whether a component that needs a condition has none on some part of the boundary or at the start."""
    physics, dim = problem.physics, problem.domain.dim
    at_start = physics.needs_initial_condition(dim) if problem.time is not None else ()
    needed = dict.fromkeys(problem.domain.parts, physics.needs_boundary_condition(dim))
    for place, names in (*needed.items(), ("start", at_start)):
        settled = {
            component
            for condition in problem.conditions
            if place in (("start",) if isinstance(condition, Initial) else parts_of(condition))
            for component in condition.determines(physics, problem.frame)
        }
        if not settled.issuperset(names):
            return True
    return False


def level_is_set(problem: Declaration, name: str) -> bool:
    """Whether a condition or a measurement involves the value of a field, not only its derivatives.

    An initial condition does not count: it sets the level at one instant only.
    """
    if problem.data:
        read, moved = (measured_values(problem, shift={name: by}) for by in (0.0, 1.0))
        if any(not torch.allclose(read[key], moved[key], rtol=1e-9, atol=0.0) for key in read):
            return True
    return _condition_sets_level(problem, name)


def _condition_sets_level(problem: Declaration, name: str) -> bool:
    for condition in problem.conditions:
        if isinstance(condition, Initial | Periodic | Interface):
            continue
        plain, shifted = (rows_on_part(problem, condition, shift={name: by}) for by in (0.0, 1.0))
        if any(not torch.allclose(plain[key], shifted[key], rtol=1e-9, atol=0.0) for key in plain):
            return True
    return False


def open_levels(problem: Declaration) -> Iterator[str]:
    """Yield the components of a steady problem whose level neither conditions nor equations set."""
    if problem.time is not None:
        return
    points = torch.tensor(
        problem.domain.sample_interior(8, seed=0), dtype=torch.float64, device="cpu"
    )
    x = Coordinates(in_full(problem, points), problem.frame)
    physics = bind(problem.physics, values_at(problem, x))

    def rows(shift: Mapping[str, float]) -> list[Tensor]:
        fields = trial_fields(problem.field_shapes, x, 1.0, shift=shift)
        return [row.value for row in physics.residual(fields, x).values()]

    plain = rows({})
    for name in problem.component_names:
        floats = name in problem.physics.determined_up_to_constant()
        if floats or _condition_sets_level(problem, name):
            continue
        shifted = rows({name: 1.0})
        if all(torch.allclose(a, b, rtol=1e-9) for a, b in zip(plain, shifted, strict=True)):
            yield name


def rows_on_part(
    problem: Declaration,
    condition: Condition,
    *,
    shift: Mapping[str, float] | None = None,
) -> dict[str, Tensor]:
    """Return a condition's rows for made-up fields at a few points of its part.

    Args:
        problem: The declaration.
        condition: Any condition but a periodic one and an interface.
        shift: Constants added to the values of components.
    """
    if isinstance(condition, Initial):
        inside = problem.domain.sample_interior(8, seed=0)
        directions = np.zeros_like(inside)
    else:
        sample = problem.domain.sample_part(condition.part, 8, seed=0)
        inside, directions = sample.points, sample.normals
    points = torch.tensor(inside, dtype=torch.float64, device="cpu")
    x = Coordinates(in_full(problem, points, start=isinstance(condition, Initial)), problem.frame)
    normals = torch.tensor(directions, dtype=torch.float64, device="cpu")
    normal = as_jet(list(normals.unbind(1)), problem.frame)
    fields = trial_fields(problem.field_shapes, x, 1.0, shift=shift)
    values = values_at(problem, x)
    physics, bound = bind(problem.physics, values), bind(condition, values)
    return {key: row.value for key, row in bound.residual(fields, x, normal, physics).items()}


def parts_of(condition: Condition) -> tuple[str, ...]:
    """Return the boundary parts a condition is about; none for an initial condition and an interface."""
    if isinstance(condition, Initial | Interface):
        return ()
    if isinstance(condition, Periodic):
        return (condition.part, condition.other)
    return (condition.part,)


_MANY = 50
"""Readings from which on they choose how smooth a field is."""
