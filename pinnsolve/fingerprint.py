"""What a problem declares, as text and numbers.

Functions in a declaration cannot be compared, but what they do can: the equations are tried on made-up fields.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from pinnsolve.blocks import Block, PointCounts, make_blocks
from pinnsolve.problem import Problem
from pinnsolve.trial import trial_fields

Fingerprint = Mapping[str, str | float]
"""Text or number by what it says."""


def declared(problem: Problem) -> Fingerprint:
    """Return what a problem declares.

    Args:
        problem: The declaration.
    """
    lower, upper = problem.bounds
    texts = {
        "the problem": problem.name,
        "the coordinates": ", ".join(problem.frame.axis_names),
        "the components": ", ".join(problem.component_names),
        "the unknowns": ", ".join(str(unknown) for unknown in problem.unknowns),
        "the ranges": ", ".join(str(item) for item in problem.ranges),
        "the values held": repr(dict(problem.held)),
        "the conditions": ", ".join(condition.label for condition in problem.conditions),
        "the bounds": f"{lower.tolist()} to {upper.tolist()}",
        "the domain": problem.domain.describe(),
        "the accuracy": repr(problem.accuracy),
        "the scales": repr(dict(problem.scales)),
    }
    measures = {
        f"the size of {part}": problem.domain.part_measure(part) for part in problem.domain.parts
    }
    tails = [data.likelihood for data in problem.data]
    if any(tail != "normal" for tail in tails):
        texts["the likelihood of the measurements"] = ", ".join(tails)
    return {**texts, **measures, **_tried(problem)}


def first_difference(one: Fingerprint, other: Fingerprint) -> str | None:
    """Return the first thing that two fingerprints do not agree on, or None.

    Numbers agree if they differ by rounding at most: a run may go on where the last digits differ.

    Args:
        one: A fingerprint.
        other: Another.
    """
    for what in (*one, *other):
        if what not in one or what not in other or not _agree(one[what], other[what]):
            return what
    return None


def _agree(first: str | float, second: str | float) -> bool:
    if isinstance(first, str) or isinstance(second, str):
        return first == second
    return math.isclose(first, second, rel_tol=1e-9) or (math.isnan(first) and math.isnan(second))


def _tried(problem: Problem) -> dict[str, float]:
    """Return mean squares of all equations with made-up fields, and of the measurements' noise."""
    values: dict[str, Tensor] = {
        unknown.name: torch.tensor(unknown.initial, dtype=torch.float64, device="cpu")
        for unknown in problem.unknowns
    }
    counts = PointCounts(_POINTS, _POINTS, _POINTS if problem.time is not None else 0)
    found: dict[str, float] = {}
    for block in make_blocks(problem, counts, seed=0):
        x = block.coordinates(problem.frame)
        tried = tuple(trial_fields(problem.field_shapes, item, 1.0) for item in x)
        with torch.no_grad():
            rows = block.rows(tried, x, values)
            for name, row in rows.items():
                size = row.value.square()
                what = f"the equation {name} of {block.name}"
                found[what] = found.get(what, 0.0) + float(size.mean())
        if block.noise is not None:
            found[f"the noise of the {block.name}"] = float(block.noise.square().mean())
        if block.kind == "data":
            found[f"the places of the {block.name}"] = _place(block)
    return found


def _place(block: Block) -> float:
    """Return a number that changes if a sensor moves, or two change places: made-up fields know no places."""
    nodes = torch.stack(block.point_sets, dim=1)  # (N, nodes, D)
    shares = torch.ones_like(nodes[..., 0]) if block.shares is None else block.shares
    axes = torch.arange(1.0, nodes.shape[2] + 1.0, dtype=nodes.dtype, device=nodes.device)
    rows = torch.arange(1.0, len(nodes) + 1.0, dtype=nodes.dtype, device=nodes.device)
    squares = (shares * (nodes.square() @ axes)).sum(dim=1)
    return float((rows * squares).mean())


_POINTS = 32
"""Points at which the equations are tried."""
