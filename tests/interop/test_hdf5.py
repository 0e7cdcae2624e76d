"""Saved solutions: what is read is what was written, and nothing else is read at all."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.interop.hdf5 import (
    Companions,
    ReferenceValues,
    read_companions,
    read_origin,
    read_solution,
    write_solution,
)
from pinnsolve.networks import MLP, Network

SolutionOf = Callable[..., ps.Solution]


def some_points(solution: ps.Solution) -> np.ndarray:
    lower, upper = solution.problem.bounds
    return lower + (upper - lower) * np.random.default_rng(0).random((50, len(lower)))


def test_values_are_bitwise_equal(solution: ps.Solution, tmp_path: Path) -> None:
    solution.save(tmp_path / "s.h5")
    again = read_solution(tmp_path / "s.h5", solution.problem)
    points = some_points(solution)
    for name in solution.problem.field_shapes:
        assert np.array_equal(again.at(points)[name], solution.at(points)[name])
        assert np.array_equal(again.gradient(name, points), solution.gradient(name, points))


def test_all_else_is_equal_too(solution: ps.Solution, tmp_path: Path) -> None:
    write_solution(solution, tmp_path / "s.h5")
    again = read_solution(tmp_path / "s.h5", solution.problem)
    for name in ("network", "estimates", "record", "levels", "verdict"):
        assert getattr(again, name) == getattr(solution, name)
    for name in ("lower", "upper", "offset", "scale"):
        assert torch.equal(getattr(again.scaling, name), getattr(solution.scaling, name))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_precision_is_kept(solution_of: SolutionOf, tmp_path: Path, dtype: torch.dtype) -> None:
    solution = solution_of("rod")
    solution = replace(solution, parameters=solution.parameters.to(dtype))
    solution.save(tmp_path / "s.h5")
    assert read_solution(tmp_path / "s.h5", solution.problem).parameters.dtype == dtype


def test_estimates_and_missing_verdict(inverse_solution: ps.Solution, tmp_path: Path) -> None:
    unjudged = replace(inverse_solution, verdict=None)
    unjudged.save(tmp_path / "s.h5")
    again = read_solution(tmp_path / "s.h5", unjudged.problem)
    assert again.estimates == unjudged.estimates
    assert again.verdict is None


def test_no_history(solution_of: SolutionOf, tmp_path: Path) -> None:
    solution = solution_of("rod")
    solution = replace(solution, record=replace(solution.record, history=()))
    solution.save(tmp_path / "s.h5")
    assert read_solution(tmp_path / "s.h5", solution.problem).record.history == ()


def test_accuracy_is_that_of_the_run(solution_of: SolutionOf, tmp_path: Path) -> None:
    solution = solution_of("rod")
    changed = replace(solution, problem=replace(solution.problem, accuracy=0.03))
    changed.save(tmp_path / "s.h5")
    assert read_solution(tmp_path / "s.h5", solution.problem).problem.accuracy == 0.03


def test_origin_and_settings(solution_of: SolutionOf, tmp_path: Path) -> None:
    solution_of("rod").save(tmp_path / "s.h5")
    assert read_origin(tmp_path / "s.h5") == ("rod.py", {"length": "4.0", "fine": "True"})


def test_companions(solution_of: SolutionOf, tmp_path: Path) -> None:
    reference = ReferenceValues(
        "by hand",
        np.ones((3, 1)),
        np.zeros((3, 1)),
        {"temperature": 1e-5},
        {"temperature": math.nan},
        "a note",
    )
    write_solution(
        solution_of("rod"), tmp_path / "s.h5", Companions(reference, "pinnsolve solve rod")
    )
    found = read_companions(tmp_path / "s.h5")
    assert found.command == "pinnsolve solve rod"
    assert found.reference is not None
    for item in fields(ReferenceValues):
        np.testing.assert_equal(getattr(found.reference, item.name), getattr(reference, item.name))


def test_no_companions(solution_of: SolutionOf, tmp_path: Path) -> None:
    solution_of("rod").save(tmp_path / "s.h5")
    assert read_companions(tmp_path / "s.h5") == Companions()


def test_shipped_problem_is_rebuilt_by_load(tmp_path: Path) -> None:
    problem = ps.catalogue.make_problem("heat_rod", {"end_time": "20"})
    method = ps.Method(hidden=(4,), points=ps.PointCounts(32, 16, 16), max_steps=1)
    solution = ps.solve(problem, method, reference=False)
    solution.save(tmp_path / "s.h5")
    again = ps.load(tmp_path / "s.h5")
    assert again.problem.parameters == problem.parameters
    assert np.array_equal(
        again.at([[0.05, 20.0]]).temperature, solution.at([[0.05, 20.0]]).temperature
    )


def test_old_file_survives_a_failed_write(solution_of: SolutionOf, tmp_path: Path) -> None:
    class Other(Network):
        num_parameters = 1
        initial_parameters = streams = linearised = lambda self: None

    solution_of("rod").save(tmp_path / "s.h5")
    before = (tmp_path / "s.h5").read_bytes()
    with pytest.raises(ValueError, match="class Other cannot be saved"):
        replace(solution_of("rod"), network=Other()).save(tmp_path / "s.h5")
    assert (tmp_path / "s.h5").read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["s.h5"]


def test_missing_folder_is_refused(solution_of: SolutionOf, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no folder .*nowhere"):
        solution_of("rod").save(tmp_path / "nowhere" / "s.h5")


def test_a_folder_in_the_place_of_the_file_is_refused(
    solution_of: SolutionOf, tmp_path: Path
) -> None:
    (tmp_path / "s.h5").mkdir()
    with pytest.raises(ValueError, match=r"s\.h5: cannot be written"):
        solution_of("rod").save(tmp_path / "s.h5")
    assert [item.name for item in tmp_path.iterdir()] == ["s.h5"]


@pytest.mark.parametrize("read", [read_origin, read_companions, ps.load])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no such file"),
        (b"", "not an HDF5 file"),
        (b"temperature\n1.0\n", "not an HDF5 file"),
        ("truncated", "not an HDF5 file, or cut off"),
        ("other", "an HDF5 file, but not a saved solution"),
    ],
)
def test_other_files_are_refused(
    solution_of: SolutionOf,
    tmp_path: Path,
    read: Callable[[Path], object],
    content: object,
    words: str,
) -> None:
    path = tmp_path / "file.h5"
    if content == "truncated":
        solution_of("rod").save(path)
        path.write_bytes(path.read_bytes()[:4000])
    elif content == "other":
        with h5py.File(path, "w") as file:
            file["parameters"] = np.zeros(3)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(ValueError, match=f"file.h5: {words}"):
        read(path)


def _without_parameters(file: h5py.File) -> None:
    del file["parameters"]


def _too_few_parameters(file: h5py.File) -> None:
    del file["parameters"]
    file["parameters"] = np.zeros(3)


def _without_verdict(file: h5py.File) -> None:
    del file.attrs["verdict"]


def _broken_text(file: h5py.File) -> None:
    file.attrs["levels"] = "{"


def _network(file: h5py.File) -> dict[str, Any]:
    return dict(json.loads(file["network"].asstr()[()]))


def _write_network(file: h5py.File, item: dict[str, Any]) -> None:
    del file["network"]
    file["network"] = json.dumps(item)


def _without_network(file: h5py.File) -> None:
    del file["network"]


def _unknown_network(file: h5py.File) -> None:
    _write_network(file, {"class": "Popen", "fields": {}})


def _unknown_field(file: h5py.File) -> None:
    item = _network(file)
    _write_network(file, {**item, "fields": {**item["fields"], "extra": 1}})


def _features_of_two_lengths(file: h5py.File) -> None:
    fields = {"slopes": [[1.0], [2.0]], "offsets": [0.0], "num_outputs": 1, "base": None}
    _write_network(file, {"class": "RandomFeatures", "fields": fields})


def _unknown_network_below_features(file: h5py.File) -> None:
    base = [{"class": "Popen", "fields": {}}, [0.0]]
    fields = {"slopes": [[1.0]], "offsets": [0.0], "num_outputs": 1, "base": base}
    _write_network(file, {"class": "RandomFeatures", "fields": fields})


def _unknown_reason(file: h5py.File) -> None:
    file["record"].attrs["reason"] = "bored"


@pytest.mark.parametrize(
    "damage",
    [
        _without_parameters,
        _too_few_parameters,
        _without_verdict,
        _broken_text,
        _without_network,
        _unknown_network,
        _unknown_field,
        _features_of_two_lengths,
        _unknown_network_below_features,
        _unknown_reason,
    ],
)
def test_damage_inside_is_one_error(
    solution_of: SolutionOf, tmp_path: Path, damage: Callable[[h5py.File], None]
) -> None:
    solution = solution_of("rod")
    solution.save(tmp_path / "s.h5")
    with h5py.File(tmp_path / "s.h5", "a") as file:
        damage(file)
    with pytest.raises(ValueError, match=r"s\.h5: damaged .*; solve again"):
        read_solution(tmp_path / "s.h5", solution.problem)


def test_newer_format_is_refused(solution_of: SolutionOf, tmp_path: Path) -> None:
    solution_of("rod").save(tmp_path / "s.h5")
    with h5py.File(tmp_path / "s.h5", "a") as file:
        file.attrs["version"] = 99
    with pytest.raises(ValueError, match=r"written in format 99.*update pinnsolve"):
        read_origin(tmp_path / "s.h5")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ("heated_rod", "coordinates x, but .* has x, t"),
        ("flow", "coordinates x, but .* has x, y, t"),
    ],
)
def test_another_problem_is_refused(
    solution_of: SolutionOf, tmp_path: Path, other: str, words: str
) -> None:
    solution_of("rod").save(tmp_path / "s.h5")
    with pytest.raises(ValueError, match=f"solves 'rod' with {words}; give the problem"):
        read_solution(tmp_path / "s.h5", solution_of(other).problem)


def test_other_components_are_refused(solution_of: SolutionOf, tmp_path: Path) -> None:
    solution_of("plate_with_hole").save(tmp_path / "s.h5")
    with pytest.raises(
        ValueError, match=r"components temperature, but .* displacement_x, displacement_y"
    ):
        read_solution(tmp_path / "s.h5", solution_of("meshed").problem)


def test_other_unknowns_are_refused(
    solution_of: SolutionOf, inverse_solution: ps.Solution, tmp_path: Path
) -> None:
    inverse_solution.save(tmp_path / "s.h5")
    with pytest.raises(ValueError, match=r"with unknowns k, but .* has none"):
        read_solution(tmp_path / "s.h5", solution_of("rod").problem)


def test_a_file_names_the_class_of_its_network(solution_of: SolutionOf, tmp_path: Path) -> None:
    solution_of("rod").save(tmp_path / "s.h5")
    with h5py.File(tmp_path / "s.h5") as file:
        assert file.attrs["version"] == 3
        assert "network" not in file.attrs
        assert _network(file)["class"] == MLP.__name__
