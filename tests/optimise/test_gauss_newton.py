"""Levenberg-Marquardt with geodesic acceleration: its formula, its order, its troubles."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from pinnsolve.blocks import PointCounts, make_blocks
from pinnsolve.conditions import Dirichlet
from pinnsolve.geometry import Rectangle
from pinnsolve.jets import Jet, as_jet, cosh, sin
from pinnsolve.networks import MLP
from pinnsolve.optimise import GaussNewton
from pinnsolve.optimise.levenberg_marquardt import half_square
from pinnsolve.optimise.products import jacobian_transpose_product
from pinnsolve.optimise.weights import balanced
from pinnsolve.physics import Heat
from pinnsolve.problem import Problem
from pinnsolve.residuals import System, build_system
from pinnsolve.scaling import find_scaling


@dataclass(frozen=True)
class PlainSystem:
    """A least-squares system given by its residual alone."""

    function: Callable[[Tensor], Tensor]
    num_parameters: int

    @property
    def num_rows(self) -> int:
        return len(self.function(torch.ones(self.num_parameters, dtype=torch.float64)))

    @property
    def by_group(self) -> tuple[PlainSystem, ...]:
        return (self,)

    def residual(self, theta: Tensor) -> Tensor:
        return self.function(theta)

    def linearised(self, theta: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        yield self.function(theta), torch.func.jacrev(self.function)(theta)


def random_tensor(*shape: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def heat_system(seed: int, hidden: tuple[int, ...] = (10, 10)) -> tuple[System, Tensor]:
    plate = Rectangle((0.0, 0.0), (1.0, 1.0))

    def wall(x):
        return sin(3.0 * x.x) * cosh(3.0 * x.y)

    problem = Problem(
        "plate", plate, Heat(1.0), [Dirichlet(part, temperature=wall) for part in plate.parts]
    )
    blocks = make_blocks(problem, PointCounts(80, 64), seed=seed)
    net = MLP(2, 1, hidden)
    scaling = find_scaling(problem, blocks)
    system = build_system(blocks, problem.field_shapes, problem.frame, net, scaling, ())
    generator = torch.Generator().manual_seed(seed)
    theta = net.initial_parameters(generator, dtype=torch.float64, device=torch.device("cpu"))
    return balanced(system, theta), theta


def zero_residual(seed: int) -> tuple[System, Tensor]:
    """A system of field, slope and Laplacian that the network meets at the returned theta."""
    system, theta = heat_system(seed, hidden=(4,))
    interior = next(block for block in system.blocks if block.kind == "interior")

    def wanted(points: Tensor) -> tuple[Tensor, ...]:
        streams = system.network.streams(theta, system.scaling.to_unit(points), INDICES)
        fields = system.fields(streams, INDICES)
        t = fields.temperature
        return t.value, t.d(0), t.d(0, 0) + t.d(1, 1)

    data = dict(zip(("value", "slope", "laplacian"), wanted(interior.point_sets[0]), strict=True))

    def law(site, values) -> dict[str, Jet]:
        t = site.fields[0].temperature
        frame = site.x[0].frame
        found = (t.value, t.d(0), t.d(0, 0) + t.d(1, 1))
        return {
            name: as_jet(row - site.data[name], frame)
            for name, row in zip(("value", "slope", "laplacian"), found, strict=True)
        }

    block = replace(interior, law=law, data=data)
    args = (system.shapes, system.frame, system.network, system.scaling, ())
    return build_system([block], *args), theta


INDICES = ((), (0,), (1,), (0, 0), (1, 1))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_linear_least_squares_is_solved_in_one_step(seed) -> None:
    A, b = random_tensor(9, 4, seed=seed), random_tensor(9, seed=seed + 10)
    system = PlainSystem(lambda theta: A @ theta - b, 4)
    method = GaussNewton(initial_damping=1e-14)
    state = method.step(system, method.init(system, random_tensor(4, seed=seed + 20)))
    torch.testing.assert_close(
        state.theta, torch.linalg.lstsq(A, b).solution, rtol=1e-10, atol=1e-10
    )
    assert state.accepted


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_step_is_velocity_plus_geodesic_acceleration(seed) -> None:
    """For a quadratic residual the second difference is exact, so its formula can be checked."""
    A = random_tensor(8, 3, seed=seed)
    B = random_tensor(8, 3, 3, seed=seed + 1)
    B = 0.02 * (B + B.transpose(1, 2))
    b = 0.1 * random_tensor(8, seed=seed + 2)

    def function(theta: Tensor) -> Tensor:
        return A @ theta + 0.5 * torch.einsum("mij,i,j->m", B, theta, theta) - b

    theta, damping = 0.1 * random_tensor(3, seed=seed + 3), 0.37
    jacobian = A + torch.einsum("mij,j->mi", B, theta)
    damped = jacobian.T @ jacobian + damping * torch.eye(3, dtype=torch.float64)
    velocity = -torch.linalg.solve(damped, jacobian.T @ function(theta))
    curvature = torch.einsum("mij,i,j->m", B, velocity, velocity)
    acceleration = -0.5 * torch.linalg.solve(damped, jacobian.T @ curvature)
    system = PlainSystem(function, 3)
    method = GaussNewton(initial_damping=damping)
    state = method.step(system, method.init(system, theta))
    torch.testing.assert_close(state.theta, theta + velocity + acceleration, rtol=1e-10, atol=1e-12)
    assert state.damping == pytest.approx(damping * method.shrink)


def test_rosenbrock_valley() -> None:
    def function(theta: Tensor) -> Tensor:
        x, y = theta.unbind()
        return torch.stack((10.0 * (y - x * x), 1.0 - x))

    system, method = PlainSystem(function, 2), GaussNewton()
    state = method.init(system, torch.tensor([-1.2, 1.0], dtype=torch.float64))
    assert state.loss == pytest.approx(0.5 * (4.4**2 + 2.2**2))
    for _ in range(40):
        state = method.step(system, state)
    assert state.theta.tolist() == pytest.approx([1.0, 1.0], abs=1e-8)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_step_lowers_the_loss_or_stays(seed) -> None:
    system, theta = heat_system(seed)
    method = GaussNewton()
    state = method.init(system, theta)
    first = state.loss
    for _ in range(25):
        after = method.step(system, state)
        assert after.loss < state.loss if after.accepted else torch.equal(after.theta, state.theta)
        assert after.loss == pytest.approx(half_square(system.residual(after.theta)), rel=1e-9)
        state = after
    assert state.loss < 1e-4 * first


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_convergence_is_at_least_quadratic_at_a_zero_residual(seed) -> None:
    system, solution = zero_residual(seed)
    method = GaussNewton(initial_damping=1e-15, smallest_damping=1e-30)
    state = method.init(system, solution + 5e-3 * random_tensor(len(solution), seed=seed))
    errors = [math.sqrt(2.0 * state.loss)]
    while errors[-1] > 1e-11 and len(errors) < 12:
        state = method.step(system, state)
        errors.append(math.sqrt(2.0 * state.loss))
    assert errors[-1] <= 1e-11
    assert len(errors) <= 7
    falls = [(a, b) for a, b in itertools.pairwise(errors) if 1e-5 < a < 1e-1 and b > 1e-13]
    assert falls
    assert all(b < 10.0 * a**2 or b < 1e-12 for a, b in falls), errors


def test_same_start_same_numbers() -> None:
    results = []
    for _ in range(2):
        system, theta = heat_system(0)
        method = GaussNewton()
        state = method.init(system, theta)
        for _ in range(5):
            state = method.step(system, state)
        results.append(state.theta)
    assert torch.equal(*results)


def test_at_a_minimum_the_step_is_given_up() -> None:
    system = PlainSystem(lambda theta: torch.cat((theta, theta.new_ones(1))), 2)
    method = GaussNewton(max_trials=4)
    theta = torch.zeros(2, dtype=torch.float64)
    state = method.step(system, method.init(system, theta))
    assert not state.accepted
    assert torch.equal(state.theta, theta)
    assert state.damping > method.initial_damping


def test_a_residual_that_breaks_down_ahead_is_answered_with_damping() -> None:
    """log is not defined beyond theta = 0; the full step would land there."""
    system = PlainSystem(lambda theta: torch.log(theta) + 3.0, 1)
    method = GaussNewton(initial_damping=1e-8)
    state = method.init(system, torch.tensor([4.0], dtype=torch.float64))
    for _ in range(60):
        state = method.step(system, state)
        assert math.isfinite(state.loss)
    assert float(state.theta) == pytest.approx(math.exp(-3.0), rel=1e-6)


def test_refused_steps_go_on_from_the_last_damping_tried() -> None:
    """As above, but from so small a damping that no trial of the first step is any good."""
    system = PlainSystem(lambda theta: torch.log(theta) + 3.0, 1)
    method = GaussNewton()
    state = method.init(system, torch.tensor([4.0], dtype=torch.float64))
    state = replace(state, damping=1e-16)
    taken = []
    while not taken or not taken[-1].accepted:
        state = method.step(system, state)
        taken.append(state)
        assert len(taken) <= 3
    assert [step.accepted for step in taken] == [False, False, True]
    assert all(
        10.0 * a.damping < b.damping <= method.initial_damping
        for a, b in itertools.pairwise(taken[:2])
    )


def test_a_residual_that_is_not_finite_is_never_accepted() -> None:
    system = PlainSystem(lambda theta: theta * float("nan"), 2)
    method = GaussNewton(max_trials=3)
    state = method.init(system, torch.ones(2, dtype=torch.float64))
    assert state.loss == math.inf
    after = method.step(system, state)
    assert not after.accepted
    assert torch.equal(after.theta, state.theta)


def test_a_singular_jacobian_is_regularised() -> None:
    system = PlainSystem(lambda theta: torch.stack((theta.sum() - 2.0, theta.sum() - 2.0)), 3)
    method = GaussNewton(initial_damping=1e-8)
    state = method.step(system, method.init(system, torch.zeros(3, dtype=torch.float64)))
    assert state.theta.tolist() == pytest.approx([2.0 / 3.0] * 3, rel=1e-6)


def test_jacobian_transpose_product() -> None:
    system, theta = heat_system(0)
    rows = random_tensor(system.num_rows, seed=0)
    jacobian = torch.cat([j for _, j in system.linearised(theta)])
    product = jacobian_transpose_product(system, theta, rows)
    torch.testing.assert_close(product, jacobian.T @ rows, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(("rows", "value"), [([3.0, 4.0], 12.5), ([math.nan], math.inf), ([], 0.0)])
def test_half_square(rows, value) -> None:
    assert half_square(torch.tensor(rows, dtype=torch.float64)) == value
