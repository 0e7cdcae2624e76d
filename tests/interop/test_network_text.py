"""Networks in files: every embedding and transform comes back equal, and nothing else is read."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.interop.hdf5 import read_solution
from pinnsolve.interop.network_text import network_of, network_text
from pinnsolve.networks import (
    MLP,
    CornerFunctions,
    Embedding,
    Fourier,
    FrozenInputs,
    JumpFlow,
    Network,
    Periodic,
    PlaneCornerFunctions,
    RandomFeatures,
    StartCornerFunctions,
    draw_features,
)
from pinnsolve.scaling import Scaling

METHODS = {
    "plain": ps.Method(hidden=(4, 3)),
    "periodic": ps.Method(hidden=(4,), embedding=Periodic(((0, 2.0), (1, 0.3)), 2)),
    "fourier": ps.Method(hidden=(4,), embedding=Fourier.random(2, scales=(1.0, 5.0), per_scale=2)),
    "exact": ps.Method(hidden=(4,), boundary="exact"),
    "stream function": ps.Method(hidden=(4,), velocity="stream function"),
    "two at once": ps.Method(
        hidden=(4,), velocity="stream function", embedding=Periodic(((1, 2.0),))
    ),
}


def kovasznay() -> ps.Problem:
    return ps.catalogue.make_problem("kovasznay")


def scaling_of(problem: ps.Problem) -> Scaling:
    lower, upper = (torch.tensor(bound, dtype=torch.float64) for bound in problem.bounds)
    offset = torch.tensor([0.0, 0.0, 0.5], dtype=torch.float64)
    return Scaling(lower, upper, offset, torch.full_like(offset, 2.5))


@pytest.mark.parametrize("name", METHODS)
def test_text_gives_the_same_network(name: str) -> None:
    problem = kovasznay()
    scaling = scaling_of(problem)
    network = METHODS[name].network_for(problem, scaling)
    text = network_text(network)
    assert network_of(text, problem, scaling) == network
    assert json.loads(text)["class"] in ("MLP", "Transformed")


@pytest.mark.parametrize("name", METHODS)
def test_files_give_the_same_values(name: str, tmp_path: Path, solution_of) -> None:
    problem = kovasznay()
    scaling = scaling_of(problem)
    network = METHODS[name].network_for(problem, scaling)
    parameters = network.initial_parameters(
        torch.Generator().manual_seed(0), dtype=torch.float64, device=torch.device("cpu")
    )
    solution = replace(
        solution_of("rod"),
        problem=problem,
        network=network,
        parameters=parameters,
        scaling=scaling,
        levels={},
    )
    solution.save(tmp_path / "s.h5")
    again = read_solution(tmp_path / "s.h5", kovasznay())
    points = np.random.default_rng(0).uniform(-0.5, 1.0, (30, 2))
    assert np.array_equal(again.at(points).velocity, solution.at(points).velocity)
    assert np.array_equal(again.gradient("velocity", points), solution.gradient("velocity", points))


@pytest.mark.parametrize("version", [1, 2])
def test_files_of_earlier_formats_are_read(version: int, tmp_path: Path, solution_of) -> None:
    """Up to the second, the network was an attribute; the first had no embeddings."""
    solution = solution_of("rod")
    solution.save(tmp_path / "s.h5")
    with h5py.File(tmp_path / "s.h5", "a") as file:
        item = json.loads(file["network"].asstr()[()])
        del file["network"]
        if version == 1:
            del item["fields"]["embedding"]
        file.attrs["network"], file.attrs["version"] = json.dumps(item), version
    again = read_solution(tmp_path / "s.h5", solution.problem)
    assert again.network == solution.network
    points = np.linspace(-1.0, 3.0, 9)[:, None]
    assert np.array_equal(again.at(points).temperature, solution.at(points).temperature)


def features(base: bool, number: int = 4000) -> RandomFeatures:
    """So many that their text would be too long for an attribute."""
    generator = torch.Generator().manual_seed(0)
    bandwidth = torch.tensor([1.0, 1e-7], dtype=torch.float64)
    slopes, offsets = draw_features(number, bandwidth, generator)
    if not base:
        return RandomFeatures(slopes, offsets, 3)
    below = MLP(2, 3, (4,), embedding=Periodic(((0, 2.0),)))
    parameters = below.initial_parameters(
        generator, dtype=torch.float64, device=torch.device("cpu")
    )
    return RandomFeatures(slopes, offsets, 3, (below, parameters))


def assert_same_features(found: Network, wanted: RandomFeatures) -> None:
    assert isinstance(found, RandomFeatures)
    assert torch.equal(found.slopes, wanted.slopes)
    assert torch.equal(found.offsets, wanted.offsets)
    assert found.num_outputs == wanted.num_outputs
    assert (found.base is None) == (wanted.base is None)
    if found.base is not None and wanted.base is not None:
        assert found.base[0] == wanted.base[0]
        assert torch.equal(found.base[1], wanted.base[1])


@pytest.mark.parametrize("base", [False, True])
def test_features_come_back_bit_by_bit(base: bool) -> None:
    problem, wanted = kovasznay(), features(base, 20)
    text = network_text(wanted)
    assert_same_features(network_of(text, problem, scaling_of(problem)), wanted)
    assert json.loads(text)["class"] == "RandomFeatures"


def test_corner_functions_come_back_bit_by_bit() -> None:
    corner = CornerFunctions(
        (0.1, -1.0), (0.6, 0.8), math.pi / 3, ((2.0 / 3.0, 0, 0), (2.0, 1, 0), (1.5, 0, 1))
    )
    wall = StartCornerFunctions(-3.0, 0.1, (0, 2, 4), 1.5)
    plane = PlaneCornerFunctions(
        (1.0, 1.0),
        (0.6, 0.8),
        0.3,
        ((0.5, 0.1, 0), (1.0, 0.0, 1)),
        1.0,
        (0, 1, 2),
        (1.0, 1.0, -0.1),
        3,
    )
    jump = JumpFlow(
        (1.0, 1.0),
        (0.6, 0.8),
        0.3,
        (-0.7, 0.8),
        ((0.0, 0.0), (1.0, 0.1)),
        70.0,
        0.35,
        3,
        (0, 1, 2),
        (1.0, 1.0, 0.1),
        3,
    )
    smooth = features(base=False, number=20)
    problem, wanted = (
        kovasznay(),
        replace(smooth, corners=(corner, wall), plane_corners=(plane, jump)),
    )
    found = network_of(network_text(wanted), problem, scaling_of(problem))
    assert_same_features(found, wanted)
    assert isinstance(found, RandomFeatures)
    assert found.corners == wanted.corners
    assert found.plane_corners == wanted.plane_corners


@pytest.mark.parametrize("base", [False, True])
def test_files_of_features_give_the_same_values(base: bool, tmp_path: Path, solution_of) -> None:
    problem, network = kovasznay(), features(base)
    generator = torch.Generator().manual_seed(1)
    head = torch.randn(network.num_parameters, generator=generator, dtype=torch.float64)
    solution = replace(
        solution_of("rod"),
        problem=problem,
        network=network,
        parameters=head,
        scaling=scaling_of(problem),
        levels={},
    )
    solution.save(tmp_path / "s.h5")
    again = read_solution(tmp_path / "s.h5", kovasznay())
    assert_same_features(again.network, network)
    points = np.random.default_rng(0).uniform(-0.5, 1.0, (30, 2))
    assert np.array_equal(again.at(points).velocity, solution.at(points).velocity)
    assert np.array_equal(again.gradient("velocity", points), solution.gradient("velocity", points))


def test_features_at_given_values_come_back(tmp_path: Path) -> None:
    """What a solution over ranges holds once they have values."""
    problem, inner = kovasznay(), features(base=False, number=5)
    frozen = FrozenInputs(inner, ((1, 0.25),))
    again = network_of(network_text(frozen), problem, scaling_of(problem))
    assert isinstance(again, FrozenInputs)
    assert again.held == frozen.held
    assert_same_features(again.network, inner)


def test_own_classes_are_not_saved() -> None:
    class Other(Embedding):
        num_features = streams = lambda self, *_: 2

    with pytest.raises(ValueError, match="embedding of class Other cannot be saved"):
        network_text(MLP(2, 1, (3,), embedding=Other()))


@pytest.mark.parametrize(
    "change",
    [
        lambda item: {**item, "class": "Popen"},
        lambda item: {**item, "transform": {"class": "Popen", "fields": {}}},
        lambda item: {
            **item,
            "inner": {
                "class": "MLP",
                "fields": {**item["inner"]["fields"], "embedding": {"class": "Popen"}},
            },
        },
    ],
)
def test_other_classes_are_not_read(change) -> None:
    problem = kovasznay()
    scaling = scaling_of(problem)
    item = json.loads(network_text(METHODS["exact"].network_for(problem, scaling)))
    with pytest.raises(ValueError, match=r"unknown .* class 'Popen'"):
        network_of(json.dumps(change(item)), problem, scaling)


def test_other_corner_functions_are_not_read() -> None:
    problem = kovasznay()
    wall = StartCornerFunctions(-3.0, 0.1, (0, 2, 4), 1.5)
    item = json.loads(network_text(replace(features(base=False, number=5), corners=(wall,))))
    item["fields"]["corners"][0]["class"] = "Popen"
    with pytest.raises(ValueError, match="unknown class of corner functions 'Popen'"):
        network_of(json.dumps(item), problem, scaling_of(problem))
