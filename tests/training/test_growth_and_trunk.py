"""Growth is no obstacle to the trunk: when it is tried, when it is enough, which of both is handed over."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

import pinnsolve as ps
from pinnsolve.networks import MLP, Periodic, RandomFeatures
from pinnsolve.optimise import GaussNewton
from pinnsolve.training import train

ROUGH = ("crack", "layer")

SMALL = ps.Method(max_features=300, max_steps=32, points=ps.PointCounts(1000, 330))
"""Two stages of growth, and then 30 steps of a trunk."""


@pytest.mark.parametrize("name", ROUGH)
def test_the_trunk_follows_where_features_do_not_do(cases: SimpleNamespace, name: str) -> None:
    """It is trained as it would be alone, and the better of the two is handed over."""
    both = train(cases.make(name), SMALL)
    assert isinstance(both.system.network, MLP)
    assert both.solution.record.num_steps == SMALL.max_steps
    features = train(cases.make(name), replace(SMALL, trunk="random"))
    assert features.solution.record.num_steps == 2
    alone = train(cases.make(name), replace(SMALL, trunk="trained", max_steps=30))
    assert torch.equal(both.theta, alone.theta)
    assert (
        cases.error(both.solution) == cases.error(alone.solution) < cases.error(features.solution)
    )


def test_features_stay_where_the_trunk_has_no_time_to_do_better(cases: SimpleNamespace) -> None:
    both = train(cases.make("crack"), replace(SMALL, max_steps=3))
    features = train(cases.make("crack"), replace(SMALL, trunk="random"))
    assert both.solution.record.num_steps == 3
    assert isinstance(both.system.network, RandomFeatures)
    assert torch.equal(both.theta, features.theta)
    assert both.solution.record.num_parameters == features.solution.record.num_parameters


def test_auto_is_content_with_features_that_do(cases: SimpleNamespace) -> None:
    solution = train(cases.make("membrane")).solution
    assert isinstance(solution.network, RandomFeatures)
    assert solution.status.reason is ps.StopReason.CONVERGED
    assert torch.equal(solution.parameters, cases.grown("membrane", 0).solution.parameters)


def unknown_conductivity(*, closed: bool = True) -> ps.Problem:
    """``nu T'' + 2 = 0``, whose solution is measured in the middle; nu = 0.4. Open, it lacks a condition."""
    ends = [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=0.0)]
    return ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(ps.Unknown("nu", 1.0, bounds=(0.1, 10.0)), source=2.0),
        ends if closed else ends[:1],
        measurements=ps.Measurements([[0.5]], {"temperature": [0.625]}, sigma=1e-3),
    )


@pytest.mark.parametrize(
    ("method", "problem", "wanted"),
    [
        (ps.Method(), "membrane", True),
        (ps.Method(precision="float64"), "membrane", True),
        (ps.Method(trunk="random"), "rod", True),
        (ps.Method(trunk="trained"), "membrane", False),
        (ps.Method(hidden=(8,)), "membrane", False),
        (ps.Method(embedding=Periodic(((0, 2.0),))), "membrane", False),
        (ps.Method(optimiser=GaussNewton(initial_damping=1.0)), "membrane", False),
        (ps.Method(boundary="exact"), "membrane", False),
        (ps.Method(velocity="stream function"), "membrane", False),
        (ps.Method(precision="float32"), "membrane", False),
        (ps.Method(precision="bf16-mixed"), "membrane", False),
        (ps.Method(), "open rod", False),
        (ps.Method(), "rod", True),
    ],
)
def test_auto_grows_unless_something_else_is_asked_for(
    cases: SimpleNamespace, method: ps.Method, problem: str, wanted: bool
) -> None:
    rods = {"rod": True, "open rod": False}
    declared = (
        unknown_conductivity(closed=rods[problem]) if problem in rods else cases.make(problem)
    )
    assert method.grows(declared) is wanted


def test_auto_that_does_not_grow_trains_the_trunk_at_once() -> None:
    solution = train(unknown_conductivity(closed=False), ps.Method(max_steps=2)).solution
    assert isinstance(solution.network, MLP)
    assert solution.record.num_parameters == solution.network.num_parameters + 1


def test_unknowns_are_found_if_features_are_asked_for() -> None:
    """Their first step sees no effect of nu on a field that is flat."""
    (estimate,) = train(unknown_conductivity(), ps.Method(trunk="random")).solution.estimates
    assert estimate.value == pytest.approx(0.4, rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"trunk": "frozen"}, "trunk must be one of auto, random, trained, got 'frozen'"),
        ({"max_features": 0}, "max_features must be >= 1, got 0"),
    ],
)
def test_refusals(arguments: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        ps.Method(**arguments)  # type: ignore[arg-type]
