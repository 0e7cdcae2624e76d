"""Fine-tuning of solutions: what is held stays, what is free reaches the new problem, and what cannot be is refused."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from pinnsolve.problems.inverse.cooling_plate import cooling_plate

import pinnsolve as ps
from pinnsolve.catalogue import make_problem
from pinnsolve.learning import finetune, finetune_trained, prepare, rising_rates
from pinnsolve.learning.freezing import Freezing
from pinnsolve.learning.starts import base_of
from pinnsolve.networks import MLP, RandomFeatures
from pinnsolve.training import train

TRAINED = ps.Method(trunk="trained", hidden=(12, 12), max_steps=60)


def rod(conductivity: float = 1.0, *, hot: float = 1.0, length: float = 1.0) -> ps.Problem:
    """``-k T'' = 6 cos(3 x)``, T = 0 at the left and ``hot`` at the right."""
    return ps.Problem(
        "rod",
        ps.Interval(0.0, length),
        ps.Heat(conductivity=conductivity, source=lambda x: 6.0 * ps.cos(3.0 * x.x)),
        [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=hot)],
        accuracy=1e-4,
    )


def error(solution: ps.Solution, k: float = 1.0, *, hot: float = 1.0, length: float = 1.0) -> float:
    x = np.linspace(0.0, length, 60)
    wave = 6.0 / (9.0 * k)
    end = hot - wave * (np.cos(3.0 * length) - 1.0)
    exact = wave * (np.cos(3.0 * x) - 1.0) + end * x / length
    return float(np.abs(solution.at(x[:, None]).temperature - exact).max() / np.abs(exact).max())


@cache
def solved(kind: str = "random", seed: int = 0) -> ps.Solution:
    method = {"random": None, "trained": TRAINED}[kind]
    return train(rod(), method, seed=seed).solution


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("freeze", [None, "trunk", "all", "nothing"])
def test_random_features_reach_the_neighbour(freeze: str | None, seed: int) -> None:
    found = finetune_trained(solved(seed=seed), rod(1.3, hot=1.2), freeze=freeze, seed=seed)
    assert error(found.solution, 1.3, hot=1.2) < 1e-6
    assert found.solution.status.reason is ps.StopReason.CONVERGED


def test_the_head_of_a_linear_problem_takes_one_step() -> None:
    found = finetune_trained(solved(), rod(1.3, hot=1.2), freeze="trunk").solution
    assert found.record.num_steps == 1
    network, before = found.network, solved().network
    assert isinstance(network, RandomFeatures)
    assert isinstance(before, RandomFeatures)
    assert torch.equal(network.slopes, before.slopes)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_estimated_error_of_a_head_is_no_promise_of_more_than_there_is(seed: int) -> None:
    found = finetune_trained(solved("trained", seed), rod(1.3), freeze="trunk", seed=seed).solution
    assert error(found, 1.3) < 5.0 * found.record.history[-1].error_estimate


def test_a_stretched_domain_is_a_start_too() -> None:
    found = finetune_trained(solved(), rod(length=1.2)).solution
    assert error(found, length=1.2) < 1e-6


def test_a_correction_on_a_trained_network_keeps_it_below() -> None:
    start = solved("trained")
    found = finetune_trained(start, rod(1.3), freeze="all").solution
    assert isinstance(found.network, RandomFeatures)
    assert found.network.base is not None
    assert torch.equal(found.network.base[1], start.parameters)
    assert error(found, 1.3) < 1e-5


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_whole_of_a_trained_network_takes_few_steps(seed: int) -> None:
    start = solved("trained", seed)
    found = finetune_trained(start, rod(1.3), method=TRAINED, seed=seed).solution
    assert error(found, 1.3) < 1e-4
    assert found.record.num_steps <= start.record.num_steps


def test_held_layers_stay_to_the_last_bit() -> None:
    start = solved("trained")
    assert isinstance(start.network, MLP)
    found = finetune_trained(start, rod(1.3), freeze=1, method=TRAINED).solution
    first_free = start.network.weight_span(1).start
    assert torch.equal(found.parameters[:first_free], start.parameters[:first_free])
    assert not torch.equal(found.parameters[first_free:], start.parameters[first_free:])
    assert error(found, 1.3) < 1e-3


def test_adapters_change_a_layer_by_their_rank() -> None:
    start = solved("trained")
    assert isinstance(start.network, MLP)
    found = finetune_trained(start, rod(1.3), freeze="trunk", adapter_rank=2, method=TRAINED)
    change = found.solution.parameters - start.parameters
    hidden = change[start.network.weight_span(1)].view(12, 12)
    assert torch.linalg.matrix_rank(hidden, rtol=1e-9) == 2
    biases = change[start.network.weight_span(1).stop :][:12]
    assert not biases.any()
    assert error(found.solution, 1.3) < 1e-3


def test_layers_are_freed_from_the_head_down() -> None:
    start = solved("trained")
    network = start.network
    assert isinstance(network, MLP)
    moved: list[list[bool]] = []

    def watch(seconds: float, solution: ps.Solution) -> None:
        del seconds
        change = (solution.parameters - start.parameters).abs()
        moved.append([bool(change[network.weight_span(k)].any()) for k in range(3)])

    finetune_trained(start, rod(1.3), unfreeze_at=(2, 4), method=TRAINED, watcher=watch)
    assert moved[1] == [False, False, True]
    assert moved[3] == [False, True, True]
    assert moved[4] == [True, True, True]


def test_small_rates_hold_the_first_layers_back() -> None:
    start = solved("trained")
    assert isinstance(start.network, MLP)
    firsts = []
    for rates in ((1.0, 1.0, 1.0), (1e-3, 1.0, 1.0)):
        method = ps.Method(trunk="trained", hidden=(12, 12), max_steps=3)
        found = finetune_trained(start, rod(1.3), rates=rates, method=method).solution
        change = found.parameters - start.parameters
        firsts.append(float(change[: start.network.weight_span(0).stop].norm()))
    assert firsts[1] < 0.3 * firsts[0]
    assert rising_rates(3, 2.0) == (0.25, 0.5, 1.0)


def test_a_prepared_start_needs_no_factorisation_and_comes_out_the_same() -> None:
    ready = prepare(solved())
    for hot in (1.3, -2.0):
        found = finetune_trained(ready, rod(hot=hot)).solution
        assert error(found, hot=hot) < 1e-6


def test_finetune_judges_as_solve_does(tmp_path: Path) -> None:
    path = tmp_path / "rod.h5"
    solved().save(path)
    found = finetune(path, rod(1.3))
    assert found.verdict is not None
    assert found.verdict.trusted
    again = finetune(solved(), rod(1.3))
    assert torch.equal(found.parameters, again.parameters)


def test_what_was_finetuned_can_be_saved_and_finetuned_again(tmp_path: Path) -> None:
    once = finetune_trained(solved(), rod(1.3), freeze="all").solution
    once.save(tmp_path / "once.h5")
    twice = finetune_trained(tmp_path / "once.h5", rod(1.5)).solution
    assert error(twice, 1.5) < 1e-6


def test_a_nonlinear_problem_converges_from_its_neighbour() -> None:
    def burning(rate: float) -> ps.Problem:
        def equations(f: ps.Fields, x: ps.Coordinates, m: object) -> ps.Jet:
            return f.u.d(0, 0) + rate * ps.exp(f.u)

        ends = [ps.Dirichlet("left", u=0.0), ps.Dirichlet("right", u=0.0)]
        physics = ps.CustomPhysics({"u": ()}, equations)
        return ps.Problem("bratu", ps.Interval(0.0, 1.0), physics, ends, scales={"u": 1.0})

    start = train(burning(2.0)).solution
    found = finetune_trained(start, burning(2.4)).solution
    # u(1/2) of Bratu's problem: u = 2 log(cosh(a) / cosh(a (1 - 2 x))), a = sqrt(rate / 8) cosh(a)
    a = 0.5
    for _ in range(200):
        a = float(np.sqrt(2.4 / 8.0) * np.cosh(a))
    assert found.at([[0.5]]).u[0] == pytest.approx(2.0 * np.log(np.cosh(a)), rel=1e-6)


def quenched(diffusivity: float, end: float) -> ps.Problem:
    """A slab of one temperature whose walls are cold from t = 0 on; what happens at both grows with the time."""
    return ps.Problem(
        "quenched",
        ps.Interval(0.0, 1.0),
        ps.Heat(conductivity=diffusivity, density=1.0, specific_heat=1.0),
        [
            ps.Dirichlet("left", temperature=0.0),
            ps.Dirichlet("right", temperature=0.0),
            ps.Initial(temperature=1.0),
        ],
        time=ps.TimeInterval(0.0, end),
        accuracy=1e-4,
    )


@cache
def slab() -> ps.Solution:
    return train(quenched(1.0, 0.02)).solution


@pytest.mark.parametrize("change", [(1.0, 0.02), (1.3, 0.02), (1.0, 0.3)])
@pytest.mark.parametrize("freeze", ["trunk", "all"])
def test_singular_functions_are_those_of_the_new_problem(
    change: tuple[float, float], freeze: str
) -> None:
    """A longer time has images of the walls, too: other numbers of singular functions than the start has."""
    problem = quenched(*change)
    found = finetune_trained(slab(), problem, freeze=freeze).solution
    x, t = np.linspace(0.01, 0.99, 40), 0.5 * change[1]
    odd = np.arange(1, 400, 2)
    modes = 4.0 / (odd * np.pi) * np.exp(-change[0] * (odd * np.pi) ** 2 * t)
    exact = np.sin(np.pi * np.outer(x, odd)) @ modes
    points = np.column_stack((x, np.full_like(x, t)))
    assert np.abs(found.at(points).temperature - exact).max() < 1e-4


def test_a_flow_with_corners_is_a_start_for_itself() -> None:
    """Its singular fields come with others that follow on them by inertia: all of them are carried over."""
    lid = make_problem("lid_driven_cavity", {"lid": "parabolic"})
    solution = train(lid, ps.Method(trunk="random", max_steps=2)).solution
    network, weights = base_of(solution, lid, solution.scaling)
    assert isinstance(network, RandomFeatures)
    assert network.corners
    assert network.plane_corners
    assert torch.equal(weights, solution.parameters)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"freeze": "trunc"}, "freeze: no word 'trunc'.*Did you mean 'trunk'"),
        ({"freeze": -1}, "number of layers >= 0, got -1"),
        ({"freeze": 4}, "freeze=4: the network has 3 layers"),
        ({"adapter_rank": 0}, "adapter_rank must be >= 1, got 0"),
        ({"adapter_rank": 13}, "adapter_rank must lie between 1 and 12, the largest rank"),
        ({"adapter_rank": 1, "freeze": "nothing"}, "adapters are for layers that are held"),
        ({"freeze": "trunk", "unfreeze_at": (4, 2)}, "ascending numbers of steps"),
        ({"freeze": 1, "unfreeze_at": (2, 4)}, "unfreeze_at has 2 steps, but 1 layers are held"),
        ({"rates": (1.0, 1.0)}, "2 numbers for 3 layers"),
        ({"rates": (0.0, 1.0, 1.0)}, "rates must be > 0"),
        ({"freeze": "all", "rates": (1.0, 1.0, 1.0)}, "leaves nothing to train"),
    ],
)
def test_words_and_numbers_that_mean_nothing(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        finetune_trained(solved("trained"), rod(1.3), **options)  # type: ignore[arg-type]


def test_starts_that_do_not_fit() -> None:
    plate = ps.Problem(
        "plate",
        ps.Rectangle((0.0, 0.0), (1.0, 1.0)),
        ps.Heat(conductivity=1.0),
        [ps.Dirichlet(part, temperature=1.0) for part in ("left", "right", "top", "bottom")],
        scales={"temperature": 1.0},
    )
    with pytest.raises(ValueError, match="give one with the same coordinates"):
        finetune(solved(), plate)
    with pytest.raises(ValueError, match="no trained layers"):
        finetune_trained(solved(), rod(1.3), adapter_rank=1)
    with pytest.raises(ValueError, match="a prepared start holds its trunk"):
        finetune_trained(prepare(solved()), rod(1.3), freeze="all")
    other = ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(conductivity=1.0),
        [ps.Dirichlet("left", temperature=1.0), ps.Neumann("right", temperature=1.0)],
    )
    with pytest.raises(ValueError, match=r"whose equations or unknowns are others: .*Neumann"):
        finetune_trained(prepare(solved()), other)
    with pytest.raises(ValueError, match="there is no such file"):
        finetune("nowhere.h5", rod())
    with pytest.raises(
        ValueError, match="a problem is solved from a solution or its file, got int"
    ):
        finetune(3, rod())  # type: ignore[call-overload]
    with pytest.raises(
        ValueError,
        match="new rows are for a fitted Regressor or Classifier or a learned field, got Sol",
    ):
        finetune(solved(), ([[1.0]], [1.0]))  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="factor of rates must be > 0"):
        rising_rates(3, 0.0)
    assert Freezing("all but head").num_held(4) == 3


def test_what_was_finetuned_is_as_sure_as_what_was_solved() -> None:
    problem = cooling_plate()
    fresh = train(problem).solution
    found = finetune_trained(fresh, problem, freeze="trunk").solution
    assert fresh.posterior is not None
    assert found.posterior is not None
    np.testing.assert_allclose(found.posterior.mean, fresh.posterior.mean, rtol=0.02)
    np.testing.assert_allclose(found.posterior.std, fresh.posterior.std, rtol=0.05)
    assert found.posterior.profiles.keys() == fresh.posterior.profiles.keys()
    lower, upper = (np.asarray(end) for end in problem.bounds)
    axes = problem.frame.num_axes
    inside = np.random.default_rng(0).uniform(0.2, 0.8, size=(20, axes))
    points = lower + (upper - lower) * inside
    one, other = (s.std_at(points).temperature for s in (found, fresh))
    np.testing.assert_allclose(one, other, rtol=0.1)


def test_of_a_part_that_was_trained_the_unknowns_alone_are_known() -> None:
    problem = cooling_plate()
    fresh = train(problem).solution
    found = finetune_trained(fresh, problem, freeze="all").solution
    assert found.posterior is not None
    assert fresh.posterior is not None
    np.testing.assert_allclose(found.posterior.std, fresh.posterior.std, rtol=0.05)
    with pytest.raises(ValueError, match=r"but not the fields, since a part .* was held"):
        found.std_at(np.zeros((1, problem.frame.num_axes)))


def test_a_field_that_rests_on_data_is_solved_again() -> None:
    generator = np.random.default_rng(0)
    points = generator.uniform(-1.0, 1.0, size=(60, 2))
    values = points[:, 0] ** 2 - points[:, 1] ** 2 + 0.02 * generator.normal(size=60)
    problem = ps.Problem(
        "membrane",
        ps.Rectangle((-1.0, -1.0), (1.0, 1.0)),
        ps.Heat(1.0),
        [],
        measurements=ps.Measurements(points, {"temperature": values}, sigma=0.02),
    )
    start = train(problem, ps.Method(trunk="random", max_features=160)).solution
    with pytest.raises(ValueError, match=r"'membrane' rests on data .* too narrow; solve again"):
        finetune(start, problem)
