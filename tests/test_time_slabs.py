"""Time slabs: each from the end of the one before, and one solution in the end."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import pinnsolve as ps
from pinnsolve.catalogue import shipped_problem
from pinnsolve.collocation import tensor
from pinnsolve.interop.hdf5 import read_solution
from pinnsolve.networks import TimeSlabs
from pinnsolve.record import StepRecord
from pinnsolve.reference import Reference
from pinnsolve.time_slabs import answer_in_slabs
from pinnsolve.time_slabs.problems import edges_of, slab_problem

RANDOM = ps.Method(trunk="random", max_seconds=1e4)


def cooling(end: float = 1.0, accuracy: float = 1e-6) -> ps.Problem:
    """``exp(-pi^2 t) sin(pi x)``, which falls by 20,000 in one second."""
    return ps.Problem(
        "cooling",
        ps.Interval(0.0, 1.0),
        ps.Heat(1.0, density=1.0, specific_heat=1.0),
        [
            ps.Dirichlet("left", temperature=0.0),
            ps.Dirichlet("right", temperature=0.0),
            ps.Initial(temperature=lambda x: ps.sin(math.pi * x.x)),
        ],
        time=ps.TimeInterval(0.0, end),
        exact=lambda x: {"temperature": ps.exp(-(math.pi**2) * x.t) * ps.sin(math.pi * x.x)},
        quantities=[ps.point_value("end", "temperature", (0.5, end), target=0.0, tolerance=1.0)],
        accuracy=accuracy,
    )


def wave(speed: object = 1.0, accuracy: float = 1e-5) -> ps.Problem:
    """Fisher's equation ``u_t = u_xx + u (1 - u)``: a wave of 5 / sqrt(6), in time stretched by ``speed``.

    M. J. Ablowitz & A. Zeppetella, "Explicit solutions of Fisher's equation for a special wave speed" (1979).
    """

    def equations(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> ps.Jet:
        return ps.dt(f.u) - m.speed * (ps.laplacian(f.u) + f.u * (1.0 - f.u))

    def exact(x: ps.Coordinates) -> ps.Jet:
        rate = x.speed if isinstance(speed, ps.Range) else speed
        return 1.0 / (1.0 + ps.exp(x.x / math.sqrt(6.0) - 5.0 / 6.0 * rate * x.t)) ** 2

    return ps.Problem(
        "wave",
        ps.Interval(-5.0, 15.0),
        ps.CustomPhysics({"u": ()}, equations, parameters={"speed": speed}),
        [ps.Dirichlet("left", u=exact), ps.Dirichlet("right", u=exact), ps.Initial(u=exact)],
        time=ps.TimeInterval(0.0, 6.0),
        exact=lambda x: {"u": exact(x)},
        accuracy=accuracy,
    )


@cache
def cooled() -> ps.Solution:
    return ps.solve_in_slabs(cooling(), 4, RANDOM, progress=False)


def exact(points: np.ndarray) -> np.ndarray:
    return np.exp(-(np.pi**2) * points[:, 1]) * np.sin(np.pi * points[:, 0])


def places(end: float = 1.0) -> np.ndarray:
    return np.random.default_rng(0).random((3000, 2)) * [1.0, end]


def test_heat_over_a_long_time() -> None:
    solution = cooled()
    assert solution.status.reason is ps.StopReason.CONVERGED
    assert np.abs(solution.at(places()).temperature - exact(places())).max() < 1e-7
    assert solution.verdict is not None
    assert solution.verdict.trusted
    names = [check.name for check in solution.verdict.checks]
    assert "temperature against the exact solution" in names
    assert "temperature across the edges of the slabs" in names


def test_each_slab_has_its_own_scale() -> None:
    """So that the last one, 600 times smaller than the first, is as accurate by its own measure."""
    late = places() * [1.0, 0.25] + [0.0, 0.75]
    found = cooled().at(late).temperature
    assert np.linalg.norm(found - exact(late)) < 1e-4 * np.linalg.norm(exact(late))
    network = cooled().network
    assert isinstance(network, TimeSlabs)
    sizes = [factor for (factor,) in network.factors]
    ratios = [b / a for a, b in itertools.pairwise(sizes)]
    assert ratios == pytest.approx([math.exp(-(math.pi**2) / 4.0)] * 3, rel=0.1)


def test_derivatives_are_those_of_the_whole() -> None:
    rate, bend = (
        cooled().derivative("temperature", places(), *axes) for axes in (("t",), ("x", "x"))
    )
    np.testing.assert_allclose(rate, -(np.pi**2) * exact(places()), atol=1e-5)
    np.testing.assert_allclose(bend, rate, atol=1e-5)


def test_the_slabs_meet() -> None:
    for edge in (0.25, 0.5, 0.75):
        x = np.linspace(0.0, 1.0, 50)
        before, after = (
            cooled().at(np.column_stack((x, np.full(50, time)))).temperature
            for time in (edge, np.nextafter(edge, 1.0))
        )
        assert np.abs(after - before).max() < 1e-7
        assert np.any(after != before)


def test_the_record_counts_on() -> None:
    record = cooled().record
    assert [step.step for step in record.history] == list(range(1, record.num_steps + 1))
    assert all(a.seconds <= b.seconds for a, b in itertools.pairwise(record.history))
    assert record.num_parameters == cooled().network.num_parameters == len(cooled().parameters)
    assert [rung.after for rung in record.rungs] == ["float64"]
    assert record.network.count("RandomFeatures") == 4


def test_files_give_the_same_values(tmp_path: Path) -> None:
    cooled().save(tmp_path / "s.h5")
    again = read_solution(tmp_path / "s.h5", cooling())
    assert np.array_equal(again.at(places()).temperature, cooled().at(places()).temperature)
    assert again.network.edges == cooled().network.edges  # type: ignore[attr-defined]
    assert repr(again.network) == repr(cooled().network)
    assert again.record == cooled().record


def test_reaction_and_diffusion() -> None:
    """Not linear: every slab starts from the end of the one before; their lengths differ."""
    solution = ps.solve_in_slabs(wave(), (0.0, 1.0, 3.0, 6.0), RANDOM, progress=False)
    assert solution.status.reason is ps.StopReason.CONVERGED
    assert solution.verdict is not None
    assert solution.verdict.trusted
    assert {check.name: check.value for check in solution.verdict.checks}[
        "u against the exact solution"
    ] < 1e-5


def test_slabs_reach_where_the_whole_does_not() -> None:
    """Allen-Cahn's thin layers, with features alone; the reference is independent."""
    problem = shipped_problem("allen_cahn", diffusion=0.01)
    method = replace(RANDOM, max_features=800)
    judged = answer_in_slabs(problem, 4, method)
    assert isinstance(judged.reference, Reference)
    whole = ps.solve(problem, method, reference=judged.reference, progress=False)
    errors = []
    for solution in (whole, judged.solution):
        assert solution.verdict is not None
        found = {check.name: check.value for check in solution.verdict.checks}
        errors.append(found["u against the reference"])
    assert errors[0] > 0.1
    assert errors[1] < 1e-3
    assert judged.solution.verdict is not None
    assert judged.solution.verdict.trusted


def test_a_trained_network_in_every_slab() -> None:
    """Given slabs share the architecture, so that each goes on with the layers of the one before."""
    method = ps.Method(hidden=(10, 10), max_steps=25, max_seconds=1e4)
    problem = replace(wave(accuracy=1e-2), time=ps.TimeInterval(0.0, 3.0))
    solution = ps.solve_in_slabs(problem, 2, method, reference=False, progress=False)
    assert solution.verdict is not None
    assert solution.verdict.trusted


def test_ranges() -> None:
    problem = replace(
        wave(ps.Range("speed", 0.8, 1.2), accuracy=3e-4), time=ps.TimeInterval(0.0, 3.0)
    )
    solution = ps.solve_in_slabs(problem, 2, RANDOM, reference=False, progress=False)
    assert solution.verdict is not None
    assert solution.verdict.trusted
    points = np.column_stack((np.linspace(-5.0, 15.0, 60), np.linspace(0.0, 3.0, 60)))
    wanted = (1.0 + np.exp(points[:, 0] / math.sqrt(6.0) - points[:, 1])) ** -2.0
    found = solution.at(points, speed=1.2).u
    assert np.abs(found - wanted).max() < 1e-3


@cache
def vortices() -> ps.Solution:
    problem = replace(shipped_problem("taylor_green", end_time=0.2), accuracy=1e-2)
    return ps.solve_in_slabs(problem, 2, RANDOM, reference=False, progress=False)


def test_a_level_that_nothing_sets() -> None:
    """Vortices that decay: the pressure has zero mean at every time, whatever its level in each slab."""
    verdict = vortices().verdict
    assert verdict is not None
    assert verdict.trusted
    assert any("pressure against" in check.name for check in verdict.checks)
    assert not any("pressure across" in check.name for check in verdict.checks)
    for time in (0.03, 0.1, 0.17):
        assert abs(float(vortices().average("pressure", time=time))) < 1e-3


def test_a_slab_is_the_same_declaration_over_its_own_time() -> None:
    slab = slab_problem(cooling(), 0.25, 0.5, [cooled()], 4, seed=0)
    assert (slab.time, slab.exact, slab.quantities) == (ps.TimeInterval(0.25, 0.5), None, ())
    assert slab.physics == cooling().physics
    # an error of 1e-6 / 4 of the field at the start is more at a quarter of a second
    assert slab.accuracy == pytest.approx(1e-6 / 4 * math.exp(math.pi**2 / 4.0), rel=0.1)


def test_vector_values_are_handed_on() -> None:
    """Components that are given one by one stay so."""
    flow, solved = shipped_problem("taylor_green"), vortices()
    others = [c for c in flow.conditions if not isinstance(c, ps.Initial)]
    by_component = [*others, ps.Initial(velocity_x=0.0), ps.Initial(velocity_y=0.0)]
    points = np.column_stack((flow.domain.sample_interior(20, seed=0), np.full(20, 0.7)))
    x = ps.Coordinates(tensor(points), flow.frame)
    at_end = solved.at(np.column_stack((points[:, :2], np.full(20, 0.2)))).velocity
    for problem in (flow, replace(flow, conditions=by_component)):
        slab = slab_problem(problem, 0.2, 1.0, [solved], 2, seed=0)
        given: list[np.ndarray] = []
        for condition in slab.conditions:
            if isinstance(condition, ps.Initial):
                for value in condition.values.values():
                    jets = value(x)  # type: ignore[operator]
                    given += [jet.value for jet in (jets if isinstance(jets, list) else [jets])]
        np.testing.assert_array_equal(np.stack(given, axis=1), at_end)


def test_ctrl_c_returns_the_time_that_was_reached() -> None:
    said: list[str] = []

    def stop(record: StepRecord) -> None:
        if said[-1] == "slab 3 of 4":
            raise KeyboardInterrupt

    judged = answer_in_slabs(cooling(), 4, RANDOM, observer=stop, announce=said.append)
    solution = judged.solution
    assert solution.status.reason is ps.StopReason.INTERRUPTED
    assert solution.status.message.startswith("slab 3 of 4: interrupted")
    assert (solution.problem.time, solution.problem.quantities) == (ps.TimeInterval(0.0, 0.75), ())
    early = places(0.5)
    assert np.abs(solution.at(early).temperature - exact(early)).max() < 1e-6
    assert solution.verdict is not None
    assert not solution.verdict.trusted


def test_every_slab_keeps_a_checkpoint_of_its_own(tmp_path: Path) -> None:
    def solved(slabs: int) -> tuple[ps.Solution, int]:
        seen: list[StepRecord] = []
        answer = answer_in_slabs(
            cooling(),
            slabs,
            RANDOM,
            reference=False,
            observer=seen.append,
            checkpoint=tmp_path / "run.h5",
        )
        return answer.solution, len(seen)

    first, steps = solved(2)
    assert {path.name for path in tmp_path.iterdir()} == {"run.1.h5", "run.2.h5"}
    again, none = solved(2)
    assert (steps > 0, none) == (True, 0)
    assert np.array_equal(again.at(places()).temperature, first.at(places()).temperature)
    with pytest.raises(ValueError, match=r"run.1.h5: the checkpoint of another run"):
        solved(4)


@pytest.mark.parametrize(
    ("slabs", "words"),
    [
        (0, "there must be one at least, got 0"),
        ((0.0,), r"the edges must ascend, got \[0.0\]"),
        ((0.0, 0.6, 0.5, 1.0), "the edges must ascend"),
        ((0.0, math.nan, 1.0), "the edges must ascend"),
        ((0.1, 0.5, 1.0), r"must run from 0.0 s to 1.0 s, as problem 'cooling' does"),
    ],
)
def test_edges_that_are_refused(slabs: int | tuple[float, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ps.solve_in_slabs(cooling(), slabs, RANDOM, progress=False)


def test_edges_of_equal_slabs() -> None:
    assert edges_of(cooling(), 4) == (0.0, 0.25, 0.5, 0.75, 1.0)


def test_problems_that_are_refused() -> None:
    steady = shipped_problem("poisson")
    with pytest.raises(ValueError, match="problem 'poisson' is steady; give it a time interval"):
        ps.solve_in_slabs(steady, 2)
    seen = ps.Measurements([[0.5, 0.5]], {"temperature": [0.1]}, sigma=0.1)
    with pytest.raises(ValueError, match="has measurements, which tie all times together"):
        ps.solve_in_slabs(replace(cooling(), measurements=seen), 2)
    unknown = ps.Heat(ps.Unknown("k", 1.0), density=1.0, specific_heat=1.0)
    with pytest.raises(ValueError, match="has unknowns, which tie all times together"):
        ps.solve_in_slabs(replace(cooling(), physics=unknown, measurements=seen), 2)
    with pytest.raises(ValueError, match="use boundary='penalty'"):
        ps.solve_in_slabs(cooling(), 2, ps.Method(boundary="exact"))

    def swing(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> ps.Jet:
        return ps.dt(ps.dt(f.temperature)) - ps.laplacian(f.temperature)

    string = replace(cooling(), physics=ps.CustomPhysics({"temperature": ()}, swing))
    with pytest.raises(ValueError, match=r"second derivatives in time.*make the rate a field"):
        ps.solve_in_slabs(string, 2)
