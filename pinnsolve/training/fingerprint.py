"""What a run was made of, as text and numbers: two runs with the same seed and fingerprint give the same numbers."""

from __future__ import annotations

from dataclasses import fields

from pinnsolve.fingerprint import Fingerprint, declared
from pinnsolve.method import Method
from pinnsolve.problem import Problem


def fingerprint(problem: Problem, method: Method, seed: int) -> Fingerprint:
    """Return what a run is made of.

    The time limit of the method is left out: it says when to stop, not what to do.

    Args:
        problem: The declaration.
        method: How to solve it.
        seed: Seed of points and parameters.
    """
    of_method = {
        f"Method.{f.name}": repr(getattr(method, f.name))
        for f in fields(method)
        if f.name != "max_seconds"
    }
    return {**declared(problem), **of_method, "the seed": str(seed)}
