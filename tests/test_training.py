"""train(): reproducible, obedient to its limits, honest about why it stopped."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.catalogue import make_problem
from pinnsolve.levels import mean_level
from pinnsolve.optimise import GaussNewton
from pinnsolve.record import StepRecord
from pinnsolve.training import STOP_SHARE, Trained, prepare, train
from pinnsolve.training.convergence import estimated_error, given_misfit, worst_error

SEEDS = (0, 1, 2)
QUICK = ps.Method(hidden=(5, 4), points=ps.PointCounts(40, 24, 16), max_steps=7, resample_every=3)
"""Long enough for two draws of new points."""

SHORT = replace(QUICK, max_steps=3, resample_every=2)
"""Long enough for one."""

NEVER = GaussNewton(acceleration_ratio=0.0)
"""An optimiser that trusts no step."""


def rod(source: object = 3.0, **options: object) -> ps.Problem:
    """``2 T'' + 3 = 0`` between 1 K and 5 K."""
    return ps.Problem(
        "rod",
        ps.Interval(0.0, 2.0),
        ps.Heat(conductivity=2.0, source=source),
        [ps.Dirichlet("left", temperature=1.0), ps.Dirichlet("right", temperature=5.0)],
        exact=lambda x: {"temperature": 1.0 + 2.0 * x.x + 0.75 * x.x * (2.0 - x.x)},
        **options,
    )


def lid_for_a_while() -> ps.Problem:
    """An unsteady closed flow, whose pressure level nothing sets."""
    domain = ps.Rectangle((0.0, 0.0), (1.0, 0.5))
    walls = [ps.NoSlip(part) for part in domain.parts if part != "top"]
    return ps.Problem(
        "lid",
        domain,
        ps.NavierStokes(density=1.0, dynamic_viscosity=0.1),
        [*walls, ps.Dirichlet("top", velocity=[1.0, 0.0]), ps.Initial(velocity=[0.0, 0.0])],
        time=ps.TimeInterval(0.0, 2.0),
    )


PROBLEMS: dict[str, Callable[[], ps.Problem]] = {
    "rod": rod,
    "flow": lid_for_a_while,
    **{
        name: lambda name=name: make_problem(name)
        for name in ("heat_rod", "nafems_t4", "cooling_plate", "kovasznay")
    },
}


def losses(trained: Trained) -> list[float]:
    return [step.loss for step in trained.solution.record.history]


@pytest.mark.parametrize(
    ("name", "seed"), [*((name, 0) for name in PROBLEMS), ("rod", 1), ("rod", 2)]
)
def test_same_seed_gives_the_same_numbers(name: str, seed: int) -> None:
    """Bit by bit, whatever was drawn from the global generators before."""
    first = train(PROBLEMS[name](), SHORT, seed=seed)
    torch.manual_seed(1234)
    np.random.seed(1234)
    again = train(PROBLEMS[name](), SHORT, seed=seed)
    assert torch.equal(first.theta, again.theta)
    assert losses(first) == losses(again)
    assert first.solution.levels == again.solution.levels
    assert first.solution.estimates == again.solution.estimates


@pytest.mark.parametrize("name", ["rod", "heat_rod", "cooling_plate"])
def test_different_seeds_differ(name: str) -> None:
    results = [train(PROBLEMS[name](), SHORT, seed=seed) for seed in SEEDS]
    for first, second in itertools.combinations(results, 2):
        assert not torch.equal(first.theta, second.theta)
        assert losses(first)[-1] != losses(second)[-1]


@pytest.mark.parametrize("name", PROBLEMS)
def test_global_generators_are_left_alone(name: str) -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    train(PROBLEMS[name](), SHORT)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_tensor_names_its_device(name: str, explicit_device: torch.device) -> None:
    trained = train(PROBLEMS[name](), SHORT)
    assert trained.theta.device == explicit_device


def test_record_says_what_was_done() -> None:
    trained = train(rod(), QUICK, seed=2)
    record = trained.solution.record
    assert [step.step for step in record.history] == list(range(1, record.num_steps + 1))
    assert all(a.seconds <= b.seconds for a, b in itertools.pairwise(record.history))
    assert record.seconds >= record.history[-1].seconds
    assert (record.seed, record.precision, record.device) == (2, "float64", "cpu")
    assert record.num_parameters == len(trained.theta)
    assert record.num_points == {
        "interior": 40,
        "left: Dirichlet temperature": 12,
        "right: Dirichlet temperature": 12,
    }
    assert record.versions["torch"] == torch.__version__
    assert {"pinnsolve", "numpy", "python"} <= record.versions.keys()


def test_single_precision_throughout() -> None:
    trained = train(rod(), replace(QUICK, precision="float32"))
    assert trained.theta.dtype == torch.float32
    assert trained.solution.record.precision == "float32"
    assert trained.solution.at([[1.0]]).temperature.dtype == np.float64


@pytest.mark.parametrize("seed", SEEDS)
def test_converged_means_accurate(seed: int) -> None:
    trained = train(rod(accuracy=1e-6), seed=seed)
    solution = trained.solution
    assert solution.status.reason is ps.StopReason.CONVERGED
    assert solution.record.history[-1].error_estimate < STOP_SHARE * 1e-6
    points = np.linspace(0.0, 2.0, 101)[:, None]
    x = points[:, 0]
    exact = 1.0 + 2.0 * x + 0.75 * x * (2.0 - x)
    error = np.linalg.norm(solution.at(points).temperature - exact) / np.linalg.norm(exact)
    assert error < 1e-6


@pytest.mark.parametrize("steps", [1, 3, 12])
def test_step_limit(steps: int) -> None:
    trained = train(rod(accuracy=1e-11), replace(QUICK, max_steps=steps))
    assert trained.solution.record.num_steps == steps
    assert trained.solution.status.reason is ps.StopReason.MAX_STEPS
    assert "Method(max_steps=...)" in trained.solution.status.message


def test_time_limit() -> None:
    """The step that crosses the limit is the last one."""
    method = replace(QUICK, max_steps=10_000, max_seconds=0.2)
    trained = train(rod(accuracy=1e-11), method, observer=lambda step: time.sleep(0.03))
    seconds = [step.seconds for step in trained.solution.record.history]
    assert trained.solution.status.reason is ps.StopReason.MAX_SECONDS
    assert all(s <= 0.2 for s in seconds[:-1])
    assert 0.2 < seconds[-1] < 1.0


def test_stalled_when_no_step_is_any_good() -> None:
    """Three refusals in a row end the run where it began, with ever more damping."""
    method = replace(QUICK, optimiser=NEVER)
    trained = train(rod(), method)
    history = trained.solution.record.history
    assert trained.solution.status.reason is ps.StopReason.STALLED
    assert [step.accepted for step in history] == [False] * 3
    assert [step.damping for step in history] == pytest.approx([0.1, 1.0, 10.0])
    assert torch.equal(trained.theta, prepare(rod(), method, seed=0)[1])


def test_refused_steps_get_new_points() -> None:
    """Without resampling in between: the loss of the same parameters changes."""
    trained = train(rod(lambda x: ps.exp(x.x)), replace(QUICK, optimiser=NEVER, resample_every=0))
    assert len(set(losses(trained))) == 3


def test_points_stay_without_resampling() -> None:
    """Then every accepted step lowers the loss."""
    found = losses(train(rod(), replace(QUICK, resample_every=0, max_steps=10)))
    assert all(b < a for a, b in itertools.pairwise(found))


def not_a_number_after(steps: int) -> tuple[ps.Problem, Callable[[StepRecord], None]]:
    """Return a problem whose source is NaN once an observer has seen some steps."""
    taken = [0]

    def source(x: ps.Coordinates) -> ps.Jet:
        return 3.0 * x.x if taken[0] < steps else x.x * math.nan

    def observer(step: StepRecord) -> None:
        taken[0] = step.step

    return rod(source), observer


@pytest.mark.parametrize("steps", [1, 4])
def test_residual_that_becomes_nan_ends_with_the_last_good_state(steps: int) -> None:
    problem, observer = not_a_number_after(steps)
    trained = train(problem, QUICK, observer=observer)
    assert trained.solution.status.reason is ps.StopReason.NON_FINITE
    assert trained.solution.record.num_steps == steps + 1
    good = train(rod(lambda x: 3.0 * x.x), replace(QUICK, max_steps=steps))
    assert torch.equal(trained.theta, good.theta)
    assert np.isfinite(trained.solution.at([[0.3], [1.9]]).temperature).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_steps_into_nan_are_refused(seed: int) -> None:
    """An equation that is not a number beyond u = 6, pulled to 7 at one end."""

    def equations(f: ps.Fields, x: ps.Coordinates, m: object) -> ps.Jet:
        return ps.laplacian(f.u) + 1e-6 * ps.log(6.0 - f.u)

    physics = ps.CustomPhysics(fields={"u": ()}, equations=equations)
    ends = [ps.Dirichlet("left", u=0.0), ps.Dirichlet("right", u=7.0)]
    problem = ps.Problem("bounded", ps.Interval(0.0, 1.0), physics, ends)
    solution = train(problem, replace(QUICK, max_steps=40), seed=seed).solution
    assert solution.status.reason is not ps.StopReason.CONVERGED
    values = solution.at(np.linspace(0.0, 1.0, 51)[:, None]).u
    assert np.isfinite(values).all()


@pytest.mark.parametrize("steps", [1, 4])
def test_interruption_between_steps_gives_a_usable_solution(steps: int) -> None:
    def observer(step: StepRecord) -> None:
        if step.step == steps:
            raise KeyboardInterrupt

    trained = train(rod(), QUICK, observer=observer)
    solution = trained.solution
    assert solution.status.reason is ps.StopReason.INTERRUPTED
    assert solution.record.num_steps == steps
    same = train(rod(), replace(QUICK, max_steps=steps)).solution
    points = np.linspace(0.0, 2.0, 9)[:, None]
    np.testing.assert_array_equal(solution.at(points).temperature, same.at(points).temperature)


def test_interruption_within_a_step_gives_the_state_before_it() -> None:
    armed = [False]

    def source(x: ps.Coordinates) -> ps.Jet:
        return 3.0 * x.x

    def interrupted(x: ps.Coordinates) -> ps.Jet:
        if armed[0]:
            armed[0] = False
            raise KeyboardInterrupt
        return source(x)

    def observer(step: StepRecord) -> None:
        armed[0] = step.step == 3

    trained = train(rod(interrupted), QUICK, observer=observer)
    assert trained.solution.status.reason is ps.StopReason.INTERRUPTED
    assert trained.solution.record.num_steps == 3
    assert torch.equal(trained.theta, train(rod(source), replace(QUICK, max_steps=3)).theta)


def test_observer_sees_every_step() -> None:
    seen: list[StepRecord] = []
    trained = train(rod(), QUICK, observer=seen.append)
    assert tuple(seen) == trained.solution.record.history


class TroubleError(Exception):
    """An observer's own."""


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, TroubleError])
def test_threads_are_given_back(error: type[BaseException] | None) -> None:
    before = torch.get_num_threads()
    during: list[int] = []

    def observer(step: StepRecord) -> None:
        during.append(torch.get_num_threads())
        if error is not None:
            raise error

    torch.set_num_threads(2)
    try:
        if error is TroubleError:
            with pytest.raises(TroubleError):
                train(rod(), QUICK, observer=observer)
        else:
            train(rod(), QUICK, observer=observer)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert set(during) == {1}


def test_misfit_of_given_values() -> None:
    """Root mean square over both ends, in units of the field's scale."""
    problem = rod()
    system, theta = prepare(problem, ps.Method(hidden=(4,), points=ps.PointCounts(8, 2)), seed=0)
    solution = train(problem, ps.Method(hidden=(4,), max_steps=1)).solution
    start = replace(solution, network=system.network, parameters=theta, scaling=system.scaling).at(
        [[0.0], [2.0]]
    )
    scale = float(system.scaling.scale[0])
    expected = np.sqrt(np.mean((start.temperature - [1.0, 5.0]) ** 2)) / scale
    assert float(given_misfit(system, theta)[0]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["rod", "flow", "heat_rod"])
def test_error_estimate_forgives_a_constant_only_where_the_level_is_free(name: str) -> None:
    """A change of level is no change of a floating field, and an error of any other."""
    system, theta = prepare(PROBLEMS[name](), QUICK, seed=0)
    generator = torch.Generator().manual_seed(0)
    old = torch.randn(50, system.network.num_outputs, generator=generator, dtype=torch.float64)
    free, fixed = torch.ones_like(old[0]), torch.zeros_like(old[0])
    still = estimated_error(system, theta, old, old, free)
    lifted = old + 300.0
    assert estimated_error(system, theta, old, lifted, free) == pytest.approx(still, rel=1e-12)
    assert estimated_error(system, theta, old, lifted, fixed) > 100.0
    assert estimated_error(system, theta, old, 100.0 * old, free) > 0.98


def test_error_estimate_takes_what_is_missing_as_a_share_of_the_change() -> None:
    """But for the misfit of given values, which is what it is."""
    system, theta = prepare(rod(), QUICK, seed=0)
    generator = torch.Generator().manual_seed(0)
    old = torch.randn(50, 1, generator=generator, dtype=torch.float64)
    fixed, new = torch.zeros_like(old[0]), 1000.0 * old
    whole = estimated_error(system, theta, old, new, fixed)
    size = float((new - new.mean()).square().mean().sqrt())
    assert whole == pytest.approx(float((new - old).square().mean().sqrt()) / size, rel=1e-12)
    assert estimated_error(system, theta, old, new, fixed, 0.25) == pytest.approx(0.25 * whole)
    misfit = float(given_misfit(system, theta)[0]) / size
    assert estimated_error(system, theta, old, new, fixed, 0.0) == pytest.approx(misfit)


def test_the_worst_group_of_points_decides() -> None:
    system, theta = prepare(rod(), QUICK, seed=0)
    generator = torch.Generator().manual_seed(0)
    old = 1000.0 * torch.randn(3, 50, 1, generator=generator, dtype=torch.float64)
    fixed = torch.zeros_like(old[0, 0])
    new = torch.stack([factor * one for factor, one in zip((1.1, 3.0, 1.2), old, strict=True)])
    each = [
        estimated_error(system, theta, before, after, fixed)
        for before, after in zip(old, new, strict=True)
    ]
    assert worst_error(system, theta, old, new, fixed) == max(each) == each[1]


def test_level_of_an_unsteady_field_is_its_mean_at_every_time() -> None:
    solution = train(lid_for_a_while(), QUICK).solution
    plain = replace(solution, levels={})
    level = mean_level(plain.average, "pressure", plain.problem.time)
    for when in (0.0, 0.4, 1.3, 2.0):
        mean = float(plain.average("pressure", time=when))
        assert float(level.derivative(np.array([when]))[0]) == pytest.approx(mean, abs=1e-8)
        scale = float(solution.scaling.scale[2])
        assert abs(float(solution.average("pressure", time=when))) < 1e-8 * scale


def test_a_watcher_sees_every_step_and_changes_nothing() -> None:
    """The solution after every step; the last one is what is returned; the numbers are those without it."""
    seen: list[tuple[float, np.ndarray]] = []
    points = [[0.3], [0.7]]

    def watcher(seconds: float, solution: ps.Solution) -> None:
        seen.append((seconds, solution.at(points).temperature))

    watched, alone = train(rod(), QUICK, watcher=watcher), train(rod(), QUICK)
    assert len(seen) == watched.solution.record.num_steps
    assert [seconds for seconds, _ in seen] == sorted(seconds for seconds, _ in seen)
    np.testing.assert_array_equal(seen[-1][1], watched.solution.at(points).temperature)
    assert torch.equal(watched.theta, alone.theta)
