"""Growth of random features: as accurate as it says, reproducible, obedient to its limits."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.interop.hdf5 import read_solution
from pinnsolve.networks import RandomFeatures
from pinnsolve.training import train
from pinnsolve.training.features import FIRST, GROWTH

SEEDS = (0, 1, 2)
SMOOTH = ("membrane", "cooling", "sound", "star")
ROUGH = ("crack", "layer")
RANDOM = ps.Method(trunk="random")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", SMOOTH)
def test_converged_means_accurate(cases: SimpleNamespace, name: str, seed: int) -> None:
    solution = cases.grown(name, seed).solution
    assert solution.status.reason is ps.StopReason.CONVERGED
    assert isinstance(solution.network, RandomFeatures)
    assert solution.record.history[-1].error_estimate < solution.problem.accuracy
    assert cases.error(solution) < solution.problem.accuracy


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", SMOOTH)
def test_the_estimate_is_no_less_than_a_tenth_of_the_error(
    cases: SimpleNamespace, name: str, seed: int
) -> None:
    solution = cases.grown(name, seed).solution
    assert cases.error(solution) <= 10.0 * solution.record.history[-1].error_estimate


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ROUGH)
def test_the_estimate_is_honest_where_features_do_not_do(
    cases: SimpleNamespace, name: str, seed: int
) -> None:
    """Growth says early that it will not get there, and how far it is."""
    solution = train(cases.make(name), replace(RANDOM, max_features=500), seed=seed).solution
    assert solution.status.reason is ps.StopReason.STALLED
    assert cases.error(solution) > solution.problem.accuracy
    assert cases.error(solution) <= 10.0 * solution.record.history[-1].error_estimate


@pytest.mark.parametrize("name", SMOOTH)
def test_features_grow_from_stage_to_stage(cases: SimpleNamespace, name: str) -> None:
    """The estimate stands at the end of every stage but the first."""
    trained = cases.grown(name, 0)
    record = trained.solution.record
    stages = [step.error_estimate for step in record.history if math.isfinite(step.error_estimate)]
    assert record.num_parameters == len(trained.theta)
    sizes = [FIRST]
    while sizes[-1] < record.num_parameters:
        sizes.append(round(GROWTH * sizes[-1]))
    assert sizes[-1] == record.num_parameters
    assert len(set(stages)) == len(sizes) - 1
    assert (record.precision, [rung.after for rung in record.rungs]) == ("float64", ["float64"])
    assert [step.step for step in record.history] == list(range(1, record.num_steps + 1))
    assert all(a.seconds <= b.seconds for a, b in itertools.pairwise(record.history))


@pytest.mark.parametrize("name", ["cooling", "star"])
def test_same_seed_gives_the_same_numbers(cases: SimpleNamespace, name: str) -> None:
    """Bit by bit, whatever was drawn from the global generators, which are left alone."""
    torch.manual_seed(1234)
    np.random.seed(1234)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    again, first = train(cases.make(name), RANDOM, seed=1), cases.grown(name, 1)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])
    assert torch.equal(first.theta, again.theta)
    losses = [[step.loss for step in t.solution.record.history] for t in (first, again)]
    assert losses[0] == losses[1]
    assert not torch.equal(first.theta, cases.grown(name, 2).theta)


@pytest.mark.parametrize("name", ["cooling", "star"])
def test_every_tensor_names_its_device(
    cases: SimpleNamespace, name: str, explicit_device: torch.device
) -> None:
    assert train(cases.make(name), RANDOM).theta.device == explicit_device


@pytest.mark.parametrize("trunk", ["auto", "random"])
@pytest.mark.parametrize("steps", [1, 3, 5])
def test_step_limit(cases: SimpleNamespace, steps: int, trunk: str) -> None:
    """Within growth, and of both together."""
    method = ps.Method(trunk=trunk, max_steps=steps)  # type: ignore[arg-type]
    solution = train(cases.make("star", 1e-11), method).solution
    assert solution.record.num_steps == steps
    assert solution.status.reason is ps.StopReason.MAX_STEPS


@pytest.mark.parametrize("most", [150, 300, 500])
def test_feature_limit(cases: SimpleNamespace, most: int) -> None:
    record = train(cases.make("crack"), replace(RANDOM, max_features=most)).solution.record
    assert most / GROWTH < record.num_parameters <= most
    assert record.status.reason is ps.StopReason.STALLED


@pytest.mark.parametrize("name", ["cooling", "star"])
def test_files_give_the_same_values(cases: SimpleNamespace, name: str, tmp_path: Path) -> None:
    """Bit by bit; thousands of numbers of text are no obstacle."""
    solution = cases.grown(name, 0).solution
    solution.save(tmp_path / "s.h5")
    again = read_solution(tmp_path / "s.h5", cases.make(name))
    points, (field,) = cases.points(solution.problem), solution.problem.field_shapes
    assert np.array_equal(again.at(points)[field], solution.at(points)[field])
    assert np.array_equal(again.gradient(field, points), solution.gradient(field, points))
    assert again.record == solution.record
    assert repr(again.network) == repr(solution.network)
