"""Continuation: the last of several problems, each of which starts from the one before."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.catalogue import shipped_problem
from pinnsolve.continuation import answer_along, file_of, with_share_of_time
from pinnsolve.energy import Energy, Running
from pinnsolve.record import StepRecord
from pinnsolve.reference import NoReference
from pinnsolve.training import train

RANDOM = ps.Method(trunk="random", max_seconds=1e4)


def layer(viscosity: float, accuracy: float = 1e-4) -> ps.Problem:
    """Steady Burgers equation ``u u' = nu u''`` with a layer as wide as nu at x = 0, where u = 0."""

    def equations(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> ps.Jet:
        return f.u * f.u.d(0) - m.viscosity * f.u.d(0, 0)

    return ps.Problem(
        "layer",
        ps.Interval(0.0, 1.0),
        ps.CustomPhysics({"u": ()}, equations, parameters={"viscosity": viscosity}),
        [ps.Dirichlet("left", u=0.0), ps.Dirichlet("right", u=-1.0)],
        quantities=[ps.Quantity("slope", lambda s: s.derivative("u", [[0.0]], "x")[0])],
        accuracy=accuracy,
    )


LAYERS = [layer(viscosity) for viscosity in (0.2, 0.1, 0.05)]


def test_the_last_problem_is_solved_and_judged() -> None:
    solution = ps.solve_along(LAYERS, RANDOM, reference=False, progress=False)
    assert solution.problem == LAYERS[-1]
    assert solution.verdict is not None
    assert solution.verdict.trusted
    # u = -tanh(x / (2 nu)), up to 2 exp(-1 / nu)
    assert solution.quantities()["slope"] == pytest.approx(-10.0, rel=1e-3)


def test_one_problem_is_just_solved() -> None:
    alone = ps.solve_along(LAYERS[:1], RANDOM, reference=False, progress=False)
    plain = ps.solve(LAYERS[0], RANDOM, reference=False, progress=False)
    points = np.linspace(0.0, 1.0, 50)[:, None]
    assert np.array_equal(alone.at(points).u, plain.at(points).u)


def test_reynolds_number_of_the_cavity() -> None:
    """The spectral solution is met, in no more Newton steps of the last problem than from rest."""
    method = ps.Method(trunk="random", max_features=2300)
    flows = [shipped_problem("lid_driven_cavity", reynolds=value) for value in (100.0, 400.0)]
    warm = ps.solve_along(flows, method, reference=False, progress=False)
    cold = train(flows[1], method).solution
    assert warm.record.num_steps <= cold.record.num_steps
    assert max(warm.quantities().values()) < 2e-3


def test_steps_and_seconds_count_on() -> None:
    seen: list[StepRecord] = []
    said: list[str] = []
    judged = answer_along(
        LAYERS, RANDOM, reference=False, observer=seen.append, announce=said.append
    )
    assert [record.step for record in seen] == list(range(1, len(seen) + 1))
    assert all(a.seconds <= b.seconds for a, b in itertools.pairwise(seen))
    assert said == ["problem 1 of 3", "problem 2 of 3", "problem 3 of 3", "checking"]
    record = judged.solution.record
    assert record.seconds >= record.history[-1].seconds == seen[-1].seconds
    assert record.num_steps < len(seen)


class Mains:
    """A meter that reads 1 kWh for every problem."""

    def start(self) -> Running:
        return lambda: Energy(1.0, 0.5, 1.0, 1.0, "mains", measured=True)


def test_the_energy_of_the_way_counts() -> None:
    judged = answer_along(LAYERS[:2], RANDOM, reference=False, meter=Mains())
    assert judged.solution.record.energy == Energy(2.0, 1.0, 2.0, 2.0, "mains", measured=True)


def test_ctrl_c_on_the_way_returns_the_problem_that_was_being_solved() -> None:
    def stop(record: StepRecord) -> None:
        if record.step == 9:
            raise KeyboardInterrupt

    judged = answer_along(LAYERS, RANDOM, observer=stop)
    assert isinstance(judged.reference, NoReference)
    assert judged.solution.status.reason is ps.StopReason.INTERRUPTED
    assert judged.solution.verdict is None
    assert judged.solution.problem.physics != LAYERS[-1].physics


def test_every_problem_keeps_a_checkpoint_of_its_own(tmp_path: Path) -> None:
    def solved() -> tuple[ps.Solution, int]:
        seen: list[StepRecord] = []
        answer = answer_along(
            LAYERS, RANDOM, reference=False, observer=seen.append, checkpoint=tmp_path / "run.h5"
        )
        return answer.solution, len(seen)

    first, steps = solved()
    assert {path.name for path in tmp_path.iterdir()} == {"run.1.h5", "run.2.h5", "run.h5"}
    again, none = solved()
    assert (steps > 0, none) == (True, 0)
    points = np.linspace(0.0, 1.0, 50)[:, None]
    assert np.array_equal(again.at(points).u, first.at(points).u)


def test_files_and_time_are_shared() -> None:
    assert file_of(None, 1) is None
    assert file_of("a/run.h5", 2) == Path("a/run.2.h5")
    method = ps.Method(max_seconds=90.0)
    assert with_share_of_time(method, 0.0, 3).max_seconds == pytest.approx(30.0)
    assert with_share_of_time(method, 60.0, 1).max_seconds == pytest.approx(30.0)
    assert 0.0 < with_share_of_time(method, 200.0, 1).max_seconds < 90.0


def test_refusals() -> None:
    with pytest.raises(ValueError, match="at least one problem"):
        ps.solve_along([])
    rod = ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(1.0),
        [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=1.0)],
    )
    with pytest.raises(ValueError, match="from 'rod' to 'layer': the components are temperature"):
        ps.solve_along([rod, LAYERS[0]])
    unsteady = replace(
        rod,
        physics=ps.Heat(1.0, density=1.0, specific_heat=1.0),
        conditions=[*rod.conditions, ps.Initial(temperature=0.0)],
        time=ps.TimeInterval(0.0, 1.0),
    )
    with pytest.raises(ValueError, match=r"the coordinates are x and x, t; give problems with"):
        ps.solve_along([rod, unsteady])
