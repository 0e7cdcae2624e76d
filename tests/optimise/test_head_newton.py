"""Newton's method for a head: one step where the problem is linear, quadratic where it is smooth."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

import pinnsolve as ps
from pinnsolve.catalogue import shipped_problem
from pinnsolve.multi_index import VALUE
from pinnsolve.optimise import HeadNewton, HeadState
from pinnsolve.optimise.levenberg_marquardt import half_square
from pinnsolve.optimise.orthogonal import triangularise
from pinnsolve.residuals import System
from pinnsolve.training.feature_layers import smooth_features
from pinnsolve.training.feature_systems import smooth_weights, system_on
from pinnsolve.training.features import first_stage
from pinnsolve.training.trunk import scaling_of

SEEDS = (0, 1, 2)


def membrane() -> ps.Problem:
    """Poisson's equation on a square: linear."""
    square = ps.Rectangle((0.0, 0.0), (1.0, 1.0))

    def wave(x: ps.Coordinates) -> ps.Jet:
        return ps.sin(math.pi * x.x) * ps.cos(2.0 * x.y)

    return ps.Problem(
        "membrane",
        square,
        ps.Heat(1.0, source=lambda x: (math.pi**2 + 4.0) * wave(x)),
        [ps.Dirichlet(part, temperature=wave) for part in square.parts],
    )


def star() -> ps.Problem:
    """``u'' = u^2`` with the solution ``6 / (x + 1)^2``."""

    def equations(f: ps.Fields, x: ps.Coordinates, m: object) -> ps.Jet:
        return f.u.d(0, 0) - f.u**2

    return ps.Problem(
        "star",
        ps.Interval(0.0, 1.0),
        ps.CustomPhysics({"u": ()}, equations),
        [ps.Dirichlet("left", u=6.0), ps.Dirichlet("right", u=1.5)],
        scales={"u": 3.0},
    )


def system_of(problem: ps.Problem, number: int, slope: float, seed: int) -> tuple[System, Tensor]:
    """The tabulated system of some features, and a head of zeros."""
    scaling = scaling_of(problem, seed)
    bandwidth = torch.full((problem.frame.num_axes,), slope, dtype=torch.float64)
    network = smooth_features(problem, number, bandwidth, seed=seed)
    weights = smooth_weights(problem, scaling, seed=seed)
    system = system_on(problem, network, scaling, weights, seed=seed).tabulated()
    return system, torch.zeros(system.num_parameters, dtype=torch.float64)


def states(system: System, theta: Tensor, method: HeadNewton, most: int = 12) -> list[HeadState]:
    found = [method.init(system, theta)]
    while len(found) <= most and not found[-1].converged:
        found.append(method.step(system, found[-1]))
    return found


@dataclass(frozen=True)
class PlainSystem:
    """A least-squares system given by its residual alone."""

    function: Callable[[Tensor], Tensor]
    num_parameters: int
    num_rows: int
    unknowns: tuple[ps.Unknown, ...] = ()

    def residual(self, theta: Tensor) -> Tensor:
        return self.function(theta)

    def linearised(self, theta: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        yield self.function(theta), torch.func.jacrev(self.function)(theta)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_linear_problem_is_solved_in_one_step(seed: int) -> None:
    """From anywhere, and the loss is the least that there is."""
    system, zero = system_of(membrane(), 80, 1.0, seed)
    generator = torch.Generator().manual_seed(seed)
    elsewhere = torch.randn(zero.shape, generator=generator, dtype=torch.float64)
    method = HeadNewton()
    least = triangularise(
        lambda: system.linearised(zero), system.num_parameters, system.num_rows, damping=1e-14
    ).least_loss
    for start in (zero, elsewhere):
        state = method.step(system, method.init(system, start))
        assert state.accepted
        assert state.converged
        assert state.damping == 0.0
        assert state.loss == pytest.approx(least, rel=1e-3)
        assert state.loss == half_square(system.residual(state.theta))
    again = method.step(system, replace(state, converged=False))
    assert again.converged
    assert again.loss == pytest.approx(state.loss, rel=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_nonlinear_problem_converges_quadratically(seed: int) -> None:
    """The number of correct digits of the field at least grows by 1.7 a step, until rounding."""
    system, theta = system_of(star(), 40, 2.0, seed)
    found = states(system, theta, HeadNewton())
    assert found[-1].converged
    points = torch.linspace(-1.0, 1.0, 101, dtype=torch.float64)[:, None]
    fields = [system.network.streams(s.theta, points, (VALUE,))[0, :, 0] for s in found]
    errors = [float((u - fields[-1]).norm() / fields[-1].norm()) for u in fields[:-1]]
    digits = [-math.log10(error) for error in errors if 1e-12 < error < 0.1]
    assert len(digits) >= 3
    assert all(after > 1.7 * before for before, after in itertools.pairwise(digits))
    x = 0.5 * (points[:, 0] + 1.0)
    u = system.scaling.offset[0] + system.scaling.scale[0] * fields[-1]
    torch.testing.assert_close(u, 6.0 / (x + 1.0) ** 2, rtol=1e-8, atol=0.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_loss_never_rises(seed: int) -> None:
    system, theta = system_of(star(), 40, 2.0, seed)
    found = states(system, 30.0 * torch.ones_like(theta), HeadNewton(), most=30)
    losses = [state.loss for state in found if state.accepted]
    assert all(after < before for before, after in itertools.pairwise(losses))
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_step_is_better_than_a_bad_one(seed: int) -> None:
    """Where the residual is smallest, or where all that is tried is worse, nothing moves."""
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn(9, 4, generator=generator, dtype=torch.float64)
    theta = torch.randn(4, generator=generator, dtype=torch.float64)
    bowl = PlainSystem(lambda at: torch.cat((matrix @ (at - theta), torch.ones_like(at))), 4, 13)
    wall = PlainSystem(
        lambda at: torch.where((at == theta).all(), matrix @ at, torch.inf * at[0]), 4, 9
    )
    nowhere = PlainSystem(lambda at: torch.nan * (matrix @ at), 4, 9)
    for system in (bowl, wall, nowhere):
        before = HeadNewton().init(system, theta)  # type: ignore[arg-type]
        after = HeadNewton().step(system, before)  # type: ignore[arg-type]
        assert not after.accepted
        assert after.converged
        assert torch.equal(after.theta, theta)
        assert after.loss == before.loss or math.isnan(before.loss)


def test_shorter_steps_are_tried() -> None:
    """``arctan`` sends Newton's full step too far from 1.5 on."""
    system = PlainSystem(torch.atan, 1, 1)
    shares = {1.0: 1.0, 1.5: 0.5, 3.0: 0.25}
    for at, share in shares.items():
        theta = torch.tensor([at], dtype=torch.float64)
        state = HeadNewton().step(system, HeadNewton().init(system, theta))  # type: ignore[arg-type]
        assert state.accepted
        assert not state.converged
        full = -math.atan(at) * (1.0 + at**2)
        assert float(state.theta[0]) == pytest.approx(at + share * full, rel=1e-12)


def test_damped_steps_are_tried_after_them() -> None:
    """Two parameters of which the difference hardly matters at first, and then very much."""

    def function(at: Tensor) -> Tensor:
        total, difference = at[0] + at[1], at[0] - at[1]
        return torch.stack((total - 1.0, 1.0 + 1e-3 * difference + difference**2))

    system = PlainSystem(function, 2, 2)
    zero = torch.zeros(2, dtype=torch.float64)
    method = HeadNewton()
    state = method.step(system, method.init(system, zero))  # type: ignore[arg-type]
    assert state.accepted
    assert state.damping == 0.1
    rows, jacobian = next(system.linearised(zero))
    below = 0.1 * jacobian.norm(dim=0).diag()
    stacked = torch.cat((jacobian, below)), torch.cat((-rows, zero))
    torch.testing.assert_close(state.theta, torch.linalg.lstsq(*stacked).solution)


def test_unknowns_are_found_with_the_head() -> None:
    """``nu u'' + 2 = 0`` where the middle is measured: nu and u together."""
    truth = 0.4
    problem = ps.Problem(
        "rod",
        ps.Interval(0.0, 1.0),
        ps.Heat(ps.Unknown("nu", 1.0, bounds=(0.1, 10.0)), source=2.0),
        [ps.Dirichlet("left", temperature=0.0), ps.Dirichlet("right", temperature=0.0)],
        measurements=ps.Measurements([[0.5]], {"temperature": [0.25 / truth]}, sigma=1e-3),
    )
    system, theta = system_of(problem, 30, 1.0, 0)
    found = states(system, theta, HeadNewton())
    (unknown,) = problem.unknowns
    assert found[-1].converged
    assert float(unknown.value(found[-1].theta[-1])) == pytest.approx(truth, rel=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_step_from_zero_is_found_where_the_linearised_problem_explodes(seed: int) -> None:
    """``u_t = u_xx / 1000 + 5 (u - u^3)``: about u = 0 everything grows like exp(5 t)."""
    problem = shipped_problem("allen_cahn")
    scaling = scaling_of(problem, seed)
    weights = smooth_weights(problem, scaling, seed=seed)
    stage = first_stage(problem, scaling, weights, seed=seed)
    optimiser = HeadNewton()
    state = optimiser.init(stage.system, stage.theta)
    first = optimiser.step(stage.system, state)
    assert first.accepted
    assert first.loss < 0.99 * state.loss
