"""What a case declares, stated before it is run: the part of the document that no run can change."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

import pinnsolve as ps
from pinnsolve.blocks import interior_block
from pinnsolve.fingerprint import declared
from pinnsolve.jets import as_jet

from ..suite import Case

_POINTS = 16
"""Points at which the exact solution is sampled."""


def declaration(case: Case) -> dict[str, Any]:
    """Return what a case declares, as plain data.

    Args:
        case: The case.

    Returns:
        Name, problem, settings, description, physics, accuracy, time budget, known shortfall and a fingerprint. If
        the problem cannot be made, ``error`` says why and the numbers are None.
    """
    stated: dict[str, Any] = {
        "name": case.name,
        "problem": case.problem,
        "settings": case.texts,
        "description": "",
        "physics": "",
        "accuracy": None,
        "time_budget": None,
        "known_shortfall": case.known_shortfall,
        "fingerprint": "",
        "error": None,
    }
    try:
        problem = case.declared()
        return stated | {
            "description": problem.description,
            "physics": type(problem.physics).__name__,
            "accuracy": problem.accuracy,
            "time_budget": problem.time_budget,
            "fingerprint": fingerprint(problem),
        }
    except Exception as error:  # noqa: BLE001 - one case that is broken must not stop the others
        return stated | {"error": f"{type(error).__name__}: {error}"}


def fingerprint(problem: ps.Problem) -> str:
    """Return sixteen digits that change with equations, conditions, data, exact solution, targets and tolerances.

    Args:
        problem: The declaration.
    """
    stated = {
        **declared(problem),
        "the time budget": problem.time_budget,
        "the exact solution": _exact_sample(problem),
        **{
            f"the quantity {number}": repr((q.name, q.unit, q.target, q.tolerance))
            for number, q in enumerate(problem.quantities)
        },
    }
    # five digits: another processor may round differently
    rounded = {
        name: value if isinstance(value, str) else f"{value:.4e}" for name, value in stated.items()
    }
    text = json.dumps(rounded, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _exact_sample(problem: ps.Problem) -> float:
    """Return the root mean square of the exact solution at a few points; 0 if none is known."""
    if problem.exact is None:
        return 0.0
    points = interior_block(problem, _POINTS, 0).point_sets[0]
    given = problem.exact(ps.Coordinates(points, problem.frame))
    sizes = [
        float(as_jet(given[name], problem.frame).value.square().mean())
        for name in problem.field_shapes
    ]
    return float(np.sqrt(np.sum(sizes)))
