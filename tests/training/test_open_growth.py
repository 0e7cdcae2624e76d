"""Fields that rest on readings alone: found to within their bands, stage by stage, without boundary conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import pinnsolve as ps
from pinnsolve.determinacy import data_carry_the_field
from pinnsolve.distributed import Reduction
from pinnsolve.networks import RandomFeatures
from pinnsolve.optimise.open_newton import OpenNewton, OpenState
from pinnsolve.residuals import System
from pinnsolve.training import open_stages, train
from pinnsolve.training.open_growth import open_growth_steps
from pinnsolve.training.open_stages import BEGIN, Setting, begun, chosen, climbed, solved
from pinnsolve.training.positions import OpenPosition
from pinnsolve.training.taken import Taken
from pinnsolve.training.trunk import scaling_of
from pinnsolve.uncertainty import stiffness_of
from pinnsolve.uncertainty.profiles import profiles_of

SIGMA = 0.02
RECTANGLE = ps.Rectangle((-1.0, -1.0), (1.0, 1.0))


def field(points: np.ndarray) -> np.ndarray:
    """A temperature with k lap T = -2 for k = 1/2."""
    x, y = points.T
    return np.exp(x) * np.cos(y) - 2.0 * y**2


def plate(seed: int, number: int = 120, **settings: object) -> ps.Problem:
    generator = np.random.default_rng(seed)
    points = generator.uniform(-1.0, 1.0, size=(number, 2))
    values = field(points) + SIGMA * generator.normal(size=number)
    k = ps.Unknown("k", 1.0, bounds=(0.05, 10.0), truth=0.5)
    given: dict[str, object] = {"sigma": SIGMA, **settings}
    return ps.Problem(
        "plate",
        RECTANGLE,
        ps.Heat(k, source=2.0),
        [],
        measurements=ps.Measurements(points, {"temperature": values}, **given),  # type: ignore[arg-type]
        accuracy=1e-3,
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_field_and_conductivity_from_readings_alone(seed: int) -> None:
    solution = train(plate(seed), ps.Method(max_seconds=600.0), seed=seed).solution
    assert isinstance(solution.network, RandomFeatures)
    (k,) = solution.estimates
    assert abs(k.value - 0.5) < 3.0 * k.std
    assert k.std < 0.05 * 0.5
    points = np.random.default_rng(9).uniform(-1.0, 1.0, size=(500, 2))
    off = solution.at(points).temperature - field(points)
    std = solution.std_at(points).temperature
    assert np.sqrt(np.mean(off**2)) < SIGMA
    assert np.sqrt(np.mean((off / std) ** 2)) < 2.0
    assert solution.posterior is not None
    assert 5.0 < solution.posterior.freedom["measurements"] < 60.0


def test_a_killed_run_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    whole = train(plate(0), ps.Method(max_seconds=600.0)).solution
    kept = tmp_path / "run.h5"
    seen = 0

    def kill(record: ps.StepRecord) -> None:
        nonlocal seen
        seen += 1
        if seen == 3:
            raise KeyboardInterrupt

    train(
        plate(0),
        ps.Method(max_seconds=600.0),
        observer=kill,
        checkpoint=kept,
        checkpoint_seconds=0.0,
    )
    again = train(plate(0), ps.Method(max_seconds=600.0), checkpoint=kept).solution
    np.testing.assert_array_equal(again.parameters, whole.parameters)
    assert [e.value for e in again.estimates] == [e.value for e in whole.estimates]


def test_kept_solutions_keep_the_spread(tmp_path: Path) -> None:
    solution = ps.solve(plate(0), ps.Method(max_seconds=600.0), progress=False)
    solution.save(tmp_path / "plate.h5")
    back = ps.load(tmp_path / "plate.h5", plate(0))
    assert back.network.spread == solution.network.spread  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=r"rests on data .* take 'laplace'"):
        ps.posterior(back, "ensemble", num=2)
    assert ps.posterior(back).std[0] == solution.estimates[0].std


def test_few_readings_or_unknown_noise_are_left_to_the_trunk() -> None:
    assert data_carry_the_field(plate(0))
    assert ps.Method().grows(plate(0))
    others = (plate(0, 40), plate(0, sigma=None), plate(0, likelihood="student"))
    for other in others:
        assert not data_carry_the_field(other)
        assert not ps.Method().grows(other)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (lambda slope: math.nan, 1.0),
        (lambda slope: math.inf, 1.0),
        (lambda slope: 0.0 if slope == 1.0 else math.nan, 1.0),
        (lambda slope: 1e3 * math.log(slope), 1.3**20),
        (lambda slope: -1e3 * abs(math.log(slope / 1.3**2)), 1.3**2),
    ],
)
def test_the_choice_of_a_slope_ends_whatever_the_evidence(
    monkeypatch: pytest.MonkeyPatch, evidence: Callable[[float], float], expected: float
) -> None:
    tried: list[float] = []

    def trial(
        problem: object, scaling: object, setting: Setting, *_: object, **__: object
    ) -> object:
        tried.append(setting.slope)
        assert len(tried) < 50
        return SimpleNamespace(setting=setting, evidence=evidence(setting.slope))

    monkeypatch.setattr(open_stages, "begun", trial)
    monkeypatch.setattr(open_stages, "solved", lambda stage, *_: stage)
    monkeypatch.setattr(open_stages, "climbed", lambda stage, *_, **__: stage)
    problem = plate(0)
    stage = chosen(problem, scaling_of(problem, 0), BEGIN, None, seed=0)
    assert stage.setting.slope == pytest.approx(expected)


def test_a_stiffness_without_evidence_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = plate(0)
    stage = solved(begun(problem, scaling_of(problem, 0), BEGIN, None, seed=0))
    triangle = stage.state.triangle
    assert triangle is not None
    lost = replace(triangle, log_evidence=math.nan)
    monkeypatch.setattr(open_stages, "open_triangle", lambda system, theta: lost)
    assert climbed(stage, 6, down=True) is stage


def test_random_features_begin_from_the_readings_whatever_the_start() -> None:
    """A start must not make a trained network of what was asked to be random features."""
    begin = train(plate(0), ps.Method(trunk="trained", hidden=(6,), max_steps=2)).solution
    method = ps.Method(trunk="random", max_features=160, max_seconds=600.0)
    found = train(plate(0), method, start=begin).solution
    assert isinstance(found.network, RandomFeatures)
    np.testing.assert_array_equal(found.parameters, train(plate(0), method).solution.parameters)


def test_there_are_no_profiles_where_the_field_rests_on_data() -> None:
    """Their steps take the equations as constraints, and would leave the spread of the weights out."""
    problem = plate(0)
    trained = train(problem, ps.Method(trunk="random", max_features=160, max_seconds=600.0))
    assert trained.solution.posterior is not None
    assert trained.solution.posterior.profiles == {}
    stiffness = stiffness_of(problem)
    assert profiles_of(trained.system, trained.theta, ["k"], stiffness) == {}


@dataclass(frozen=True)
class Leader(Reduction):
    """The first of two processes, which notes what it says."""

    size: int = 2
    said: list[torch.Tensor] = dataclass_field(default_factory=list)

    def agreed(self, tensor: torch.Tensor) -> torch.Tensor:
        self.said.append(tensor.clone())
        return tensor


@dataclass(frozen=True)
class Follower(Leader):
    """The second one, which hears it."""

    rank: int = 1

    def agreed(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.copy_(self.said.pop(0))


def test_processes_agree_on_all_that_open_growth_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose evidence says the contrary, and whose steps are others, takes the same stages and stops as well."""
    problem, leader = plate(0), Leader()
    method = ps.Method(trunk="random", max_features=300, max_seconds=600.0)

    def steps(reduction: Reduction) -> list[Taken]:
        return list(
            open_growth_steps(
                problem,
                method,
                scaling_of(problem, 0),
                seed=0,
                clock=lambda: 0.0,
                position=OpenPosition(),
                reduction=reduction,
            )
        )

    first = steps(leader)
    follower = Follower(said=leader.said)
    honest = OpenNewton.step

    def other(self: OpenNewton, system: System, state: OpenState) -> OpenState:
        after = honest(self, system, state)
        return replace(after, theta=after.theta * (1.0 + 1e-9), converged=not after.converged)

    monkeypatch.setattr(OpenNewton, "step", other)
    monkeypatch.setattr(open_stages.OpenStage, "evidence", property(lambda stage: math.inf))
    second = steps(follower)
    assert follower.said == []
    assert len(first) == len(second)
    for one, two in zip(first, second, strict=True):
        assert torch.equal(one.theta, two.theta)
        assert one.mark.stop == two.mark.stop
        assert one.record.error_estimate == two.record.error_estimate


def test_singular_vector_fields_are_carried_from_stage_to_stage() -> None:
    """Stokes flow under a lid, one side open, from readings: the second stage begins where the first has ended."""
    square = ps.Rectangle((0.0, 0.0), (1.0, 1.0))
    places = np.random.default_rng(0).uniform(0.05, 0.95, (60, 2))
    x, y = places.T
    problem = ps.Problem(
        "open box",
        square,
        ps.Stokes(dynamic_viscosity=1.0),
        [
            ps.NoSlip("top", velocity=[1.0, 0.0]),
            ps.NoSlip("left"),
            ps.NoSlip("bottom"),
        ],
        measurements=ps.Measurements(
            places, {"velocity_x": y**2 * x, "velocity_y": 0.1 * x * y}, sigma=0.01
        ),
        accuracy=1e-2,
    )
    found = train(problem, ps.Method(trunk="random", max_features=800, max_steps=12)).solution
    assert len({r.loss for r in found.record.history}) > 1
    assert found.network.num_parameters > 450  # of the second stage
    assert bool(torch.isfinite(found.parameters).all())
