"""The library: the nearest start is found, a bad one is dropped, damaged files are named."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.learning import Library, coarse_start, error_against, measure_gain, train_together
from pinnsolve.learning.declarations import Declaration
from pinnsolve.learning.gain import Curve, Gain, check_of_start
from pinnsolve.networks import MLP
from pinnsolve.training import train


def rod(conductivity: float = 1.0, *, hot: float = 1.0, length: float = 1.0) -> ps.Problem:
    """``-k T'' = 6``: T is a parabola."""
    return ps.Problem(
        "rod",
        ps.Interval(0.0, length),
        ps.Heat(conductivity=conductivity, source=6.0),
        [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=hot)],
        exact=lambda x: {
            "temperature": hot / length * x.x + 3.0 / conductivity * x.x * (length - x.x)
        },
        accuracy=1e-5,
    )


@cache
def solved(conductivity: float = 1.0, hot: float = 1.0, length: float = 1.0) -> ps.Solution:
    return train(rod(conductivity, hot=hot, length=length)).solution


def filled(folder: Path) -> Library:
    library = Library(folder)
    for conductivity in (1.0, 10.0, 100.0):
        library.add(solved(conductivity), f"k{conductivity:g}")
    return library


def test_distance_is_a_metric_of_declarations() -> None:
    all_of_them = [Declaration.of(rod(k, length=length)) for k, length in ((1, 1), (2, 1), (2, 3))]
    for one in all_of_them:
        assert one.distance(one) == 0.0
        for other in all_of_them:
            assert one.distance(other) == pytest.approx(other.distance(one))
            for third in all_of_them:
                assert one.distance(other) <= one.distance(third) + third.distance(other) + 1e-12
        assert Declaration.from_text(one.text()) == one


def test_distance_sees_through_functions_and_kinds() -> None:
    def heated(power: float) -> ps.Problem:
        return ps.Problem(
            "rod",
            ps.Interval(0.0, 1.0),
            ps.Heat(conductivity=1.0, source=lambda x: power * x.x),
            [ps.Dirichlet("left", temperature=0.0), ps.Neumann("right", temperature=1.0)],
        )

    one, near, far = (Declaration.of(heated(power)) for power in (50.0, 60.0, 500.0))
    assert 0.0 < one.distance(near) < one.distance(far)
    assert one.distance(Declaration.of(rod())) > 1.0
    plane = ps.Rectangle((0.0, 0.0), (1.0, 1.0))
    plate = ps.Problem(
        "plate",
        plane,
        ps.Heat(conductivity=1.0),
        [ps.Dirichlet(part, temperature=1.0) for part in plane.parts],
        scales={"temperature": 1.0},
    )
    assert math.isinf(one.distance(Declaration.of(plate)))
    with pytest.raises(ValueError, match="not a declaration"):
        Declaration.from_text("[1, 2]")


@pytest.mark.parametrize(("wanted", "nearest"), [(1.5, 1.0), (8.0, 10.0), (1e4, 100.0)])
def test_the_nearest_is_nearest_on_a_logarithmic_scale(
    wanted: float, nearest: float, tmp_path: Path
) -> None:
    library = filled(tmp_path)
    distance, entry = library.ranked(rod(wanted))[0]
    assert entry.path.name == f"k{nearest:g}.h5"
    assert distance > 0.0
    start = library.nearest(rod(wanted))
    assert start is not None
    assert torch.equal(start.parameters, solved(nearest).parameters)


def test_a_problem_begins_from_the_library_and_says_so(tmp_path: Path) -> None:
    library = filled(tmp_path)
    found = library.solve(rod(11.0), keep=True)
    assert found.start == tmp_path / "k10.h5"
    assert "begun from k10.h5, at distance" in found.note
    assert found.solution.verdict is not None
    assert found.solution.verdict.trusted
    assert len(library.contents()[0]) == 4
    assert library.ranked(rod(11.0))[0][0] == 0.0


def test_an_empty_library_is_said_to_be_empty(tmp_path: Path) -> None:
    library = Library(tmp_path / "none")
    assert library.nearest(rod()) is None
    found = library.solve(rod(), reference=False)
    assert found.start is None
    assert "has no solution with these fields: begun from nothing" in found.note
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="a library is a folder"):
        Library(tmp_path / "file")


def test_damaged_files_are_skipped_and_named(tmp_path: Path) -> None:
    library = filled(tmp_path)
    whole = (tmp_path / "k10.h5").read_bytes()
    (tmp_path / "k10.h5").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.h5").write_text("no solution")
    solved(5.0).save(tmp_path / "plain.h5")  # of a problem that no name stands for
    entries, skipped = library.contents()
    assert [entry.path.stem for entry in entries] == ["k1", "k100"]
    assert [item.path.stem for item in skipped] == ["k10", "plain", "text"]
    found = library.solve(rod(90.0), reference=False)
    assert found.start == tmp_path / "k100.h5"
    assert "k10.h5 left out" in found.note


def test_files_of_shipped_problems_need_no_declaration(tmp_path: Path) -> None:
    from pinnsolve.catalogue import shipped_problem

    problem = shipped_problem("composite_wall")
    train(problem).solution.save(tmp_path / "wall.h5")
    entries, skipped = Library(tmp_path).contents()
    assert not skipped
    assert Declaration.of(problem).distance(entries[0].declaration) == 0.0


def test_a_start_that_is_worse_than_none_is_dropped(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.add(solved(1.0, hot=1.0), "small")
    good = check_of_start(rod(1.1), solved(1.0))
    assert good.why_harmful == ""
    assert good.loss < good.cold_loss
    bad = solved(0.001)
    wrong = library.add(bad, "small")
    found = library.solve(rod(1.0), reference=False)
    assert found.start is None
    assert f"{wrong.name} dropped: its residual is" in found.note
    assert found.solution.status.reason is ps.StopReason.CONVERGED


def test_a_gain_is_measured_to_the_same_error() -> None:
    problem = rod(1.2)
    gain = measure_gain(solved(), problem, error_against(problem), goal=1e-5)
    assert gain.warm.reach(1e-5)[1] == 1
    assert gain.factor > 0.0
    assert gain.warm.errors[-1] < 1e-5
    assert math.isinf(Curve((1.0,), (0.1,), 2.0).reach(0.01)[0])
    never = Gain(1e-3, Curve((1.0,), (1e-2,), 1.0), Curve((9.0,), (1e-4,), 9.0))
    assert never.factor == 0.0
    both = Gain(1e-3, Curve((1.0,), (1e-3,), 1.0), Curve((2.0, 9.0), (1e-2, 1e-4), 9.0))
    assert (both.factor, both.step_factor) == (9.0, 2.0)
    with pytest.raises(ValueError, match="has no exact solution to measure errors against"):
        error_against(replace(rod(), exact=None))


def test_a_coarse_field_is_a_start() -> None:
    plane = ps.Rectangle((0.0, 0.0), (1.0, 2.0))
    plate = ps.Problem(
        "plate",
        plane,
        ps.Heat(conductivity=1.0, source=8.0),
        [ps.Dirichlet(part, temperature=lambda x: x.x * x.y) for part in plane.parts],
    )
    start = coarse_start(plate, cells=8)
    check = check_of_start(plate, start)
    assert check.loss < 0.2 * check.cold_loss
    found = train(plate, start=start).solution
    plain = train(plate).solution
    points = np.random.default_rng(0).uniform((0.1, 0.1), (0.9, 1.9), (20, 2))
    np.testing.assert_allclose(
        found.at(points).temperature, plain.at(points).temperature, rtol=2e-3
    )
    disk = ps.Problem(
        "disk",
        ps.Disk((0.0, 0.0), 1.0),
        ps.Heat(conductivity=1.0, source=1.0),
        [ps.Dirichlet("circle", temperature=0.0)],
    )
    with pytest.raises(ValueError, match="no coarse start: "):
        coarse_start(disk)


def test_a_family_shares_its_trunk_and_solves_a_new_member() -> None:
    def burning(width: float) -> ps.Problem:
        return ps.Problem(
            "bump",
            ps.Interval(0.0, 1.0),
            ps.Heat(conductivity=1.0, source=lambda x: 40.0 * ps.exp(-((x.x - width) ** 2) * 20.0)),
            [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=1.0)],
        )

    places = (0.35, 0.45, 0.55)
    family = train_together([burning(p) for p in places], ps.Method(hidden=(10, 14), max_steps=30))
    first, last = family.solutions[0], family.solutions[-1]
    network = first.network
    assert isinstance(network, MLP)
    head = network.weight_span(2).start
    assert torch.equal(first.parameters[:head], last.parameters[:head])
    assert not torch.equal(first.parameters[head:], last.parameters[head:])
    new = family.solve(burning(0.42), reference=False)
    assert new.record.num_steps == 1
    right = train(burning(0.42)).solution
    x = np.linspace(0.0, 1.0, 40)[:, None]
    expected = right.at(x).temperature
    found = new.at(x).temperature
    assert np.abs(found - expected).max() < 1e-2 * np.abs(expected).max()


def test_families_that_are_none() -> None:
    with pytest.raises(ValueError, match="needs at least two problems, got 1"):
        train_together([rod()])
    with pytest.raises(ValueError, match="shares one trunk: the bounds of 'rod'"):
        train_together([rod(), rod(length=2.0)])
    with pytest.raises(ValueError, match="a family is trained on a plain network"):
        train_together([rod(), rod(2.0)], ps.Method(boundary="exact"))
    unknown = ps.Unknown("k", initial=1.0, bounds=(0.1, 10.0))
    inverse = ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(conductivity=unknown, source=6.0),
        [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=1.0)],
        measurements=ps.Measurements([[0.5]], {"temperature": [1.2]}, sigma=0.1),
    )
    with pytest.raises(ValueError, match="a family has no unknowns: 'rod' has 'k'"):
        train_together([rod(), inverse])
