"""Errors of finite differences on one grid, against the exact solution of the problem."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from pinnsolve.jets import Coordinates, Fields, as_jet
from pinnsolve.problem import Problem
from pinnsolve.reference.finite_difference import finite_difference


@pytest.fixture
def relative_errors() -> Callable[[Problem, tuple[int, ...], int], dict[str, float]]:
    return errors_by_field


def exact_fields(problem: Problem, x: Coordinates) -> Fields:
    assert problem.exact is not None
    return Fields({name: as_jet(value, x.frame) for name, value in problem.exact(x).items()})


def errors_by_field(problem: Problem, shape: tuple[int, ...], order: int) -> dict[str, float]:
    """Return the relative L2 error by field; floating fields count up to a constant."""
    lower, upper = (torch.tensor(corner) for corner in problem.bounds)
    share = torch.rand(
        800, len(lower), dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    points = lower + (upper - lower) * share
    if problem.floating_fields and problem.time is not None:
        points[:, -1] = problem.time.start + 0.77 * problem.time.duration
    values = finite_difference(problem, shape=shape, order=order).evaluate(points.numpy())
    exact = exact_fields(problem, Coordinates(points, problem.frame))
    errors, start = {}, 0
    for name, dims in problem.field_shapes.items():
        stop = start + math.prod(dims)
        truth = exact[name].value.numpy().reshape(len(points), -1)
        found = values[:, start:stop]
        if name in problem.floating_fields:
            truth, found = truth - truth.mean(0), found - found.mean(0)
        errors[name] = float(np.linalg.norm(found - truth) / np.linalg.norm(truth))
        start = stop
    return errors
