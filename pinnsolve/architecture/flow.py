"""Stream functions for plane flows."""

from __future__ import annotations

from pinnsolve.networks import StreamFunction
from pinnsolve.problem import Problem
from pinnsolve.scaling import Scaling


def stream_function_for(problem: Problem, scaling: Scaling) -> StreamFunction:
    """Return the transform that makes the velocity of a plane flow from a stream function.

    Args:
        problem: The declaration.
        scaling: Maps between SI and network units.

    Raises:
        ValueError: If the problem has no plane velocity.
    """
    if problem.field_shapes.get("velocity") != (2,):
        raise ValueError(
            f"a stream function needs a velocity with two components; {type(problem.physics).__name__} in "
            f"{problem.domain.dim}-D has {', '.join(problem.component_names)}; use velocity='components'"
        )
    first = problem.component_names.index("velocity_x")
    half, scale = scaling.half_lengths.tolist(), scaling.scale.tolist()
    return StreamFunction(
        num_components=len(problem.component_names),
        velocity=(first, first + 1),
        half_lengths=(half[0], half[1]),
        scales=(scale[first], scale[first + 1]),
    )
