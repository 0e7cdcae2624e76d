"""Where a declaration lets gradients jump, and the embedding that lets a network do it."""

from __future__ import annotations

from pinnsolve.conditions import Interface
from pinnsolve.geometry.partition import quadrics_of
from pinnsolve.networks import Embedding, Identity, Kinked
from pinnsolve.problem import Problem


def with_kinks(problem: Problem, base: Embedding | None = None) -> Embedding:
    """Return an embedding that kinks at the interfaces of a problem; the base itself if there are none.

    Args:
        problem: The declaration.
        base: What else the network sees of the coordinates; None for the coordinates themselves.
    """
    seen = Identity() if base is None else base
    interfaces = [c for c in problem.conditions if isinstance(c, Interface)]
    if not interfaces:
        return seen
    pieces = [piece for c in interfaces for piece in c.pieces(problem.domain)]
    quadrics = quadrics_of(pieces)
    if quadrics is None:
        raise ValueError(f"an interface of {problem.name!r} lies on no plane or quadric")
    lower, upper = problem.domain.bounds
    center, half = 0.5 * (lower + upper), 0.5 * (upper - lower)
    return Kinked(tuple(quadric.in_units(center, half) for quadric in quadrics), seen)
