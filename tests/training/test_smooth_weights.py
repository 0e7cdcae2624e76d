"""Weights of the rows: balanced where the equations are linearised, at zero or at a solution so far."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from pinnsolve.problems.navier_stokes.natural_convection import natural_convection

import pinnsolve as ps
from pinnsolve.networks import RandomFeatures
from pinnsolve.training import train
from pinnsolve.training.feature_layers import all_axes, num_slopes, smooth_features
from pinnsolve.training.feature_systems import smooth_weights
from pinnsolve.training.trunk import scaling_of


def constant(problem: ps.Problem, value: float) -> tuple[RandomFeatures, torch.Tensor]:
    """Return features whose only weight is that of the constant: every output is ``value`` in network units."""
    features = smooth_features(problem, 3, all_axes(1.0, num_slopes(problem)), seed=0)
    head = torch.zeros(features.num_parameters, dtype=torch.float64)
    head.view(features.num_outputs, -1)[:, 0] = value / torch.tanh(torch.tensor(1.0)).item()
    return features, head


@pytest.mark.parametrize("name", ["membrane", "cooling", "sound", "crack"])
def test_equations_that_are_linear_weigh_the_same_at_all_fields(
    cases: SimpleNamespace, name: str
) -> None:
    problem = cases.make(name)
    scaling = scaling_of(problem, 0)
    at_zero = smooth_weights(problem, scaling, seed=0)
    there = smooth_weights(problem, scaling, seed=0, base=constant(problem, 7.0))
    assert at_zero.keys() == there.keys()
    assert all(there[key] == pytest.approx(at_zero[key], rel=1e-9) for key in at_zero)


def test_a_product_weighs_by_the_inverse_of_the_field(cases: SimpleNamespace) -> None:
    """Of ``u'' = u^2`` at a large constant K the linearised row is ``- 2 K du``."""
    problem = cases.make("star")
    scaling = scaling_of(problem, 0)
    once, twice = (
        smooth_weights(problem, scaling, seed=0, base=constant(problem, value))
        for value in (1e5, 2e5)
    )
    for key, weight in once.items():
        wanted = 2.0 if key.block == "interior" else 1.0
        assert weight / twice[key] == pytest.approx(wanted, rel=1e-3)


def test_what_a_flow_carries_is_not_overrated() -> None:
    """At Ra 1e5 and 434 features; with weights that are balanced at rest the heat is 10 % off."""
    problem = natural_convection(1e5)
    trained = train(problem, ps.Method(trunk="random", max_features=1736)).solution
    for quantity, limit in zip(problem.quantities, (0.04, 0.03, 0.03), strict=True):
        assert quantity.target is not None
        assert quantity.evaluate(trained) == pytest.approx(quantity.target, rel=limit)
