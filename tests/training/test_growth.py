"""Growth of random features: as accurate as it says, obedient to its limits, and no obstacle to the trunk."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.interop.hdf5 import read_solution
from pinnsolve.networks import MLP, Periodic, RandomFeatures
from pinnsolve.optimise import GaussNewton
from pinnsolve.record import StepRecord
from pinnsolve.training import Trained, run, train
from pinnsolve.training.features import FIRST, GROWTH

SEEDS = (0, 1, 2)
RANDOM = ps.Method(trunk="random")
SQUARE = ps.Rectangle((0.0, 0.0), (1.0, 1.0))

Exact = Callable[[np.ndarray], np.ndarray]


def membrane(accuracy: float = 1e-7) -> ps.Problem:
    """Poisson's equation."""

    def wave(x: ps.Coordinates) -> ps.Jet:
        return ps.sin(math.pi * x.x) * ps.exp(x.y)

    return ps.Problem(
        "membrane",
        SQUARE,
        ps.Heat(1.0, source=lambda x: (math.pi**2 - 1.0) * wave(x)),
        [ps.Dirichlet(part, temperature=wave) for part in SQUARE.parts],
        accuracy=accuracy,
    )


def cooling(accuracy: float = 1e-7) -> ps.Problem:
    """The heat equation."""
    return ps.Problem(
        "cooling",
        ps.Interval(0.0, 1.0),
        ps.Heat(1.0, density=1.0, specific_heat=1.0),
        [
            ps.Dirichlet("left", temperature=0.0),
            ps.Dirichlet("right", temperature=0.0),
            ps.Initial(temperature=lambda x: ps.sin(math.pi * x.x)),
        ],
        time=ps.TimeInterval(0.0, 0.1),
        accuracy=accuracy,
    )


def sound(accuracy: float = 1e-9) -> ps.Problem:
    """Helmholtz's equation, above its first resonances."""

    def wave(x: ps.Coordinates) -> ps.Jet:
        return ps.sin(2.0 * math.pi * x.x) * ps.sin(3.0 * math.pi * x.y)

    def equations(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> ps.Jet:
        return ps.laplacian(f.u) + 60.0 * f.u - (60.0 - 13.0 * math.pi**2) * wave(x)

    return ps.Problem(
        "sound",
        SQUARE,
        ps.CustomPhysics({"u": ()}, equations),
        [ps.Dirichlet(part, u=0.0) for part in SQUARE.parts],
        scales={"u": 1.0},
        accuracy=accuracy,
    )


def star(accuracy: float = 1e-8) -> ps.Problem:
    """``u'' = u^2``, which takes several Newton steps."""

    def equations(f: ps.Fields, x: ps.Coordinates, m: SimpleNamespace) -> ps.Jet:
        return f.u.d(0, 0) - f.u**2

    return ps.Problem(
        "star",
        ps.Interval(0.0, 1.0),
        ps.CustomPhysics({"u": ()}, equations),
        [ps.Dirichlet("left", u=6.0), ps.Dirichlet("right", u=1.5)],
        scales={"u": 3.0},
        accuracy=accuracy,
    )


def crack(accuracy: float = 1e-4) -> ps.Problem:
    """Laplace's equation with the solution ``sqrt(r) sin(theta / 2)``: a given value meets no flux."""
    domain = ps.Rectangle((-1.0, 0.0), (1.0, 1.0))

    def root(x: ps.Coordinates) -> ps.Jet:
        return ps.sqrt(0.5 * (ps.sqrt(x.x**2 + x.y**2 + 1e-30) - x.x) + 1e-30)

    return ps.Problem(
        "crack",
        domain,
        ps.Heat(1.0),
        [ps.Dirichlet(part, temperature=root) for part in domain.parts],
        scales={"temperature": 1.0},
        accuracy=accuracy,
    )


def layer(accuracy: float = 1e-4) -> ps.Problem:
    """Poisson's equation with a layer a fiftieth of the domain wide, across the axes."""
    k = 50.0

    def front(x: ps.Coordinates) -> ps.Jet:
        return ps.tanh(k * (x.x + 0.5 * x.y - 0.7))

    return ps.Problem(
        "layer",
        SQUARE,
        ps.Heat(1.0, source=lambda x: 2.5 * k**2 * front(x) * (1.0 - front(x) ** 2)),
        [ps.Dirichlet(part, temperature=front) for part in SQUARE.parts],
        accuracy=accuracy,
    )


EXACT: dict[str, Exact] = {
    "membrane": lambda p: np.sin(np.pi * p[:, 0]) * np.exp(p[:, 1]),
    "cooling": lambda p: np.exp(-(np.pi**2) * p[:, 1]) * np.sin(np.pi * p[:, 0]),
    "sound": lambda p: np.sin(2.0 * np.pi * p[:, 0]) * np.sin(3.0 * np.pi * p[:, 1]),
    "star": lambda p: 6.0 / (p[:, 0] + 1.0) ** 2,
    "crack": lambda p: np.sqrt(0.5 * (np.hypot(p[:, 0], p[:, 1]) - p[:, 0])),
    "layer": lambda p: np.tanh(50.0 * (p[:, 0] + 0.5 * p[:, 1] - 0.7)),
}
SMOOTH = {"membrane": membrane, "cooling": cooling, "sound": sound, "star": star}
ROUGH = {"crack": crack, "layer": layer}


def some_points(problem: ps.Problem) -> np.ndarray:
    lower, upper = (np.asarray(bound) for bound in problem.bounds)
    return lower + (upper - lower) * np.random.default_rng(0).random((2000, len(lower)))


def error(solution: ps.Solution) -> float:
    """Relative L2 error on random points."""
    points = some_points(solution.problem)
    (name,) = solution.problem.field_shapes
    wanted = EXACT[solution.problem.name](points)
    return float(np.linalg.norm(solution.at(points)[name] - wanted) / np.linalg.norm(wanted))


@cache
def grown(name: str, seed: int) -> Trained:
    """A run that several tests look at."""
    return train(SMOOTH[name](), RANDOM, seed=seed)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", SMOOTH)
def test_converged_means_accurate(name: str, seed: int) -> None:
    solution = grown(name, seed).solution
    assert solution.status.reason is ps.StopReason.CONVERGED
    assert isinstance(solution.network, RandomFeatures)
    assert solution.record.history[-1].error_estimate < solution.problem.accuracy
    assert error(solution) < solution.problem.accuracy


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", SMOOTH)
def test_the_estimate_is_no_less_than_a_tenth_of_the_error(name: str, seed: int) -> None:
    solution = grown(name, seed).solution
    assert error(solution) <= 10.0 * solution.record.history[-1].error_estimate


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ROUGH)
def test_the_estimate_is_honest_where_features_do_not_do(name: str, seed: int) -> None:
    """Growth says early that it will not get there, and how far it is."""
    solution = train(ROUGH[name](), replace(RANDOM, max_features=500), seed=seed).solution
    assert solution.status.reason is ps.StopReason.STALLED
    assert error(solution) > solution.problem.accuracy
    assert error(solution) <= 10.0 * solution.record.history[-1].error_estimate


@pytest.mark.parametrize("name", SMOOTH)
def test_features_grow_from_stage_to_stage(name: str) -> None:
    """The estimate stands at the end of every stage but the first."""
    trained = grown(name, 0)
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
def test_same_seed_gives_the_same_numbers(name: str) -> None:
    """Bit by bit, whatever was drawn from the global generators, which are left alone."""
    torch.manual_seed(1234)
    np.random.seed(1234)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    again, first = train(SMOOTH[name](), RANDOM, seed=1), grown(name, 1)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])
    assert torch.equal(first.theta, again.theta)
    losses = [[step.loss for step in t.solution.record.history] for t in (first, again)]
    assert losses[0] == losses[1]
    assert not torch.equal(first.theta, grown(name, 2).theta)


@pytest.mark.parametrize("name", ["cooling", "star"])
def test_every_tensor_names_its_device(name: str, explicit_device: torch.device) -> None:
    assert train(SMOOTH[name](), RANDOM).theta.device == explicit_device


@pytest.mark.parametrize("trunk", ["auto", "random"])
@pytest.mark.parametrize("steps", [1, 3, 5])
def test_step_limit(steps: int, trunk: str) -> None:
    """Within growth, and of both together."""
    method = ps.Method(trunk=trunk, max_steps=steps)  # type: ignore[arg-type]
    solution = train(star(1e-11), method).solution
    assert solution.record.num_steps == steps
    assert solution.status.reason is ps.StopReason.MAX_STEPS


@pytest.mark.parametrize("most", [150, 300, 500])
def test_feature_limit(most: int) -> None:
    record = train(crack(), replace(RANDOM, max_features=most)).solution.record
    assert most / GROWTH < record.num_parameters <= most
    assert record.status.reason is ps.StopReason.STALLED


SMALL = ps.Method(max_features=300, max_steps=17, points=ps.PointCounts(1000, 330))
"""Two stages of growth, and then 15 steps of a trunk."""


@pytest.mark.parametrize("name", ROUGH)
def test_the_trunk_follows_where_features_do_not_do(name: str) -> None:
    """It is trained as it would be alone, and the better of the two is handed over."""
    both = train(ROUGH[name](), SMALL)
    assert isinstance(both.system.network, MLP)
    assert both.solution.record.num_steps == SMALL.max_steps
    features = train(ROUGH[name](), replace(SMALL, trunk="random"))
    assert features.solution.record.num_steps == 2
    alone = train(ROUGH[name](), replace(SMALL, trunk="trained", max_steps=15))
    assert torch.equal(both.theta, alone.theta)
    assert error(both.solution) == error(alone.solution) < error(features.solution)


def test_features_stay_where_the_trunk_has_no_time_to_do_better() -> None:
    both = train(crack(), replace(SMALL, max_steps=3))
    features = train(crack(), replace(SMALL, trunk="random"))
    assert both.solution.record.num_steps == 3
    assert isinstance(both.system.network, RandomFeatures)
    assert torch.equal(both.theta, features.theta)
    assert both.solution.record.num_parameters == features.solution.record.num_parameters


def test_auto_is_content_with_features_that_do() -> None:
    solution = train(membrane()).solution
    assert isinstance(solution.network, RandomFeatures)
    assert solution.status.reason is ps.StopReason.CONVERGED
    assert torch.equal(solution.parameters, grown("membrane", 0).solution.parameters)


def unknown_conductivity() -> ps.Problem:
    """``nu T'' + 2 = 0``, whose solution is measured in the middle; nu = 0.4."""
    return ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(ps.Unknown("nu", 1.0, bounds=(0.1, 10.0)), source=2.0),
        [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=0.0)],
        measurements=ps.Measurements([[0.5]], {"temperature": [0.625]}, sigma=1e-3),
    )


@pytest.mark.parametrize(
    ("method", "problem", "wanted"),
    [
        (ps.Method(), membrane, True),
        (ps.Method(precision="float64"), membrane, True),
        (ps.Method(trunk="random"), unknown_conductivity, True),
        (ps.Method(trunk="trained"), membrane, False),
        (ps.Method(hidden=(8,)), membrane, False),
        (ps.Method(embedding=Periodic(((0, 2.0),))), membrane, False),
        (ps.Method(optimiser=GaussNewton(initial_damping=1.0)), membrane, False),
        (ps.Method(boundary="exact"), membrane, False),
        (ps.Method(velocity="stream function"), membrane, False),
        (ps.Method(precision="float32"), membrane, False),
        (ps.Method(precision="bf16-mixed"), membrane, False),
        (ps.Method(), unknown_conductivity, False),
    ],
)
def test_auto_grows_unless_something_else_is_asked_for(
    method: ps.Method, problem: Callable[[], ps.Problem], wanted: bool
) -> None:
    assert method.grows(problem()) is wanted


def test_auto_that_does_not_grow_trains_the_trunk_at_once() -> None:
    solution = train(unknown_conductivity(), ps.Method(max_steps=2)).solution
    assert isinstance(solution.network, MLP)
    assert solution.record.num_parameters == solution.network.num_parameters + 1


def test_unknowns_are_found_if_features_are_asked_for() -> None:
    """Their first step sees no effect of nu on a field that is flat."""
    (estimate,) = train(unknown_conductivity(), RANDOM).solution.estimates
    assert estimate.value == pytest.approx(0.4, rel=1e-6)


@pytest.mark.parametrize("name", ["cooling", "star"])
def test_files_give_the_same_values(name: str, tmp_path: Path) -> None:
    """Bit by bit; thousands of numbers of text are no obstacle."""
    solution = grown(name, 0).solution
    solution.save(tmp_path / "s.h5")
    again = read_solution(tmp_path / "s.h5", SMOOTH[name]())
    points, (field,) = some_points(solution.problem), solution.problem.field_shapes
    assert np.array_equal(again.at(points)[field], solution.at(points)[field])
    assert np.array_equal(again.gradient(field, points), solution.gradient(field, points))
    assert again.record == solution.record
    assert repr(again.network) == repr(solution.network)


@dataclass
class Ticks:
    """A clock that a millisecond passes on whenever it is looked at."""

    now: float = 0.0

    def perf_counter(self) -> float:
        self.now += 1e-3
        return self.now


@pytest.mark.parametrize("method", [RANDOM, replace(SMALL, max_steps=6)])
def test_a_watcher_sees_the_present_solution_and_takes_no_time(
    method: ps.Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = Ticks()
    monkeypatch.setattr(run, "time", ticks)
    seen: list[tuple[float, ps.Solution]] = []

    def watcher(seconds: float, solution: ps.Solution) -> None:
        ticks.now += 1e6  # more than any limit
        seen.append((seconds, solution))

    make = star if method is RANDOM else layer
    trained = train(make(), method, watcher=watcher)
    record = trained.solution.record
    assert [seconds for seconds, _ in seen] == [step.seconds for step in record.history]
    assert record.seconds < 1.0
    kinds = {type(solution.network) for _, solution in seen}
    assert kinds == ({RandomFeatures} if method is RANDOM else {RandomFeatures, MLP})
    if method is RANDOM:
        errors = [error(solution) for _, solution in seen]
        assert errors[0] > 1e-2
        assert errors[-1] == error(trained.solution) < 1e-8


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_interruption_gives_the_last_good_state(steps: int) -> None:
    def observer(step: StepRecord) -> None:
        if step.step == steps:
            raise KeyboardInterrupt

    solution = train(star(), RANDOM, observer=observer).solution
    assert solution.status.reason is ps.StopReason.INTERRUPTED
    assert solution.record.num_steps == steps
    same = train(star(), replace(RANDOM, max_steps=steps)).solution
    points = some_points(solution.problem)
    assert np.array_equal(solution.at(points).u, same.at(points).u)


def test_interruption_of_the_trunk_gives_the_better_of_both() -> None:
    """After its first step the features still are."""

    def observer(step: StepRecord) -> None:
        if step.step == 3:
            raise KeyboardInterrupt

    trained = train(crack(), SMALL, observer=observer)
    assert trained.solution.status.reason is ps.StopReason.INTERRUPTED
    assert trained.solution.record.num_steps == 3
    assert isinstance(trained.system.network, RandomFeatures)


def interrupted_source(when: Iterator[bool]) -> Callable[[ps.Coordinates], ps.Jet]:
    def source(x: ps.Coordinates) -> ps.Jet:
        if next(when):
            raise KeyboardInterrupt
        return 3.0 * x.x

    return source


def rod(source: object) -> ps.Problem:
    """``2 T'' + source = 0`` between 1 K and 5 K, to more digits than one stage can be sure of."""
    ends = [ps.Dirichlet("left", temperature=1.0), ps.Dirichlet("right", temperature=5.0)]
    physics = ps.Heat(2.0, source=source)
    return ps.Problem(
        "rod", ps.Interval(0.0, 2.0), physics, ends, accuracy=2e-12, scales={"temperature": 2.0}
    )


def test_interruption_within_a_stage_gives_the_state_before_it() -> None:
    armed = [False]

    def observer(step: StepRecord) -> None:
        armed[0] = step.step == 1

    problem = rod(interrupted_source(iter(lambda: armed[0], None)))
    trained = train(problem, RANDOM, observer=observer)
    assert trained.solution.status.reason is ps.StopReason.INTERRUPTED
    assert trained.solution.record.num_steps == 1
    assert trained.system.num_parameters == FIRST
    first = train(rod(lambda x: 3.0 * x.x), replace(RANDOM, max_steps=1))
    assert torch.equal(trained.theta, first.theta)


@pytest.mark.parametrize("trunk", ["auto", "random"])
def test_residual_that_becomes_nan_ends_with_the_last_good_state(trunk: str) -> None:
    """In the second stage; a trunk trained after it has no chance either."""
    taken = [0]

    def source(x: ps.Coordinates) -> ps.Jet:
        return 3.0 * x.x if taken[0] < 1 else x.x * math.nan

    def observer(step: StepRecord) -> None:
        taken[0] = step.step

    method = ps.Method(trunk=trunk)  # type: ignore[arg-type]
    trained = train(rod(source), method, observer=observer)
    assert trained.solution.status.reason is ps.StopReason.NON_FINITE
    first = train(rod(lambda x: 3.0 * x.x), replace(RANDOM, max_steps=1))
    assert torch.equal(trained.theta, first.theta)


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
